"""The open deals that weigh most in the revenue outlook, each with its probability and its reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps.outlook import top_deals
from spm_models.apps.parts import Column, behind, chance, join, section
from spm_models.reports.beside import Beside, methods_note, own_views_html, reasons_html, trend_html

if TYPE_CHECKING:
    from spm_models.apps.outlook_view import Page

TOP = 8


def deals_section(page: Page) -> Markup:
    """Top deals by expected value."""
    t = page.t
    deals = top_deals(page.tables, page.outlook.period_end, n=len(page.tables["deal_scores"]))
    names = page.tables["reps"].set_index("rep_id")["name"]
    deals["rep"] = deals["rep_id"].map(names).fillna(deals["rep_id"])
    if deals.empty:
        body: list[Markup] = [Markup("<p>{}</p>").format(t("page.state.empty"))]
    else:
        beside = Beside.of(page.tables)
        items = [_deal(page, deal, beside) for deal in deals.head(TOP).to_dict("records")]
        note = methods_note(t, deals)
        body = [Markup('<ol class="deals">{}</ol>').format(join(items))]
        body += [Markup('<p class="note">{}</p>').format(note)] if note else []
        body.append(_table(page, deals))
    inner = section("deals", t("outlook.deals.title"), *body, intro=t("outlook.deals.intro"))
    return Markup('<div class="full">{}</div>').format(inner)


def _deal(page: Page, deal: Mapping[Any, Any], beside: Beside) -> Markup:
    t = page.t
    title = deal["account_name"] if isinstance(deal["account_name"], str) else deal["opportunity_id"]
    due = t("deal.no_close_date")
    if not pd.isna(deal["expected_close_on"]):
        due = t("outlook.deals.due", day=deal["expected_close_on"])
    worth = t("deal.no_amount") if pd.isna(deal["amount"]) else t.money(deal["amount"])
    return Markup(
        '<li class="deal"><div><h3><bdi>{}</bdi></h3><p><bdi>{}</bdi> · <bdi>{}</bdi></p></div>'
        '<div class="worth"><strong><bdi>{}</bdi></strong><p>{}</p></div>'
        '<div class="odds">{}</div>{}</li>'
    ).format(
        title, deal["rep"], deal["stage"], worth, due,
        chance(t, deal["win_probability"], deal["low"], deal["high"]) + trend_html(t, beside, deal)
        + own_views_html(t, beside, deal),
        reasons_html(t, beside, deal),
    )  # fmt: skip


def _table(page: Page, deals: pd.DataFrame) -> Markup:
    t = page.t
    columns = [
        Column("opportunity_id", t("deal.opportunity")),
        Column("account_name", t("deal.account")),
        Column("rep", t("levels.rep")),
        Column("stage", t("deal.stage")),
        Column("amount", t("deal.amount"), t.money, number=True),
        Column("win_probability", t("deal.win_probability"), t.percent, number=True),
        Column("expected_value", t("deal.expected_amount"), t.money, number=True),
        Column("expected_close_on", t("deal.expected_close_on"), t.day),
        Column("scored_by", t("forecast.method"), lambda method: t.name("scored_by", method)),
    ]
    return behind(t, deals, columns, t("outlook.deals.all"), f"deals-{page.outlook.period}")


SECTIONS: tuple[Callable[[Any], Markup], ...] = (deals_section,)
