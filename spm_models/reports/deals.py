"""Open deals in a report: worth, probability as a bar, what stands beside it, a possible next step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.reports.beside import Beside, own_views_html, reasons_html, trend_html
from spm_models.reports.export import Column
from spm_models.reports.parts import chance_bar, folded
from spm_models.reports.words import account_of, attention, chance_words, next_step
from spm_models.translations import Translator


def deal_card(t: Translator, deal: Mapping[Any, Any], beside: Beside, who: str = "") -> Markup:
    """One open deal.

    Parameters
    ----------
    t : Translator
    deal : mapping
        A row of ``deal_scores``.
    beside : Beside
        Reasons, past weeks and people's own views, of this deal or of many.
    who : str
        Whose deal it is, where that is not plain.
    """
    worth = t("deal.no_amount") if pd.isna(deal["amount"]) else t.compact_money(deal["amount"])
    facts = Markup(" · ").join(Markup("<bdi>{}</bdi>").format(fact) for fact in _facts(t, deal, who))
    bar = chance_bar(t, t("deal.win_probability"), deal["win_probability"], deal["low"], deal["high"])
    odds = bar + trend_html(t, beside, deal) + own_views_html(t, beside, deal)
    step = Markup('<p class="step{}"><b>{}</b> {}</p>').format(
        " pressing" if attention(deal) else "",
        t("common.list_of", label=t("report.deals.next_step"), value=""),
        next_step(t, deal),
    )
    return Markup(
        '<li class="deal"><div class="head"><h3><bdi>{}</bdi></h3><p class="amount"><bdi>{}</bdi></p></div>'
        '<p class="facts">{}</p><div class="body"><div class="odds">{}</div>{}</div>{}</li>'
    ).format(account_of(deal), worth, facts, odds, reasons_html(t, beside, deal), step)


def deal_line(t: Translator, deal: Mapping[Any, Any]) -> Markup:
    """One open deal in a line or two: worth, probability, a possible next step."""
    worth = t("deal.no_amount") if pd.isna(deal["amount"]) else t.compact_money(deal["amount"])
    chance = t.number(None) if pd.isna(deal["win_probability"]) else chance_words(t, deal["win_probability"])
    chance = t.html("common.list_of", label=t("deal.win_probability"), value=chance)
    figures = Markup("<bdi>{}</bdi> · {}").format(worth, chance)
    return Markup('<b><bdi>{}</bdi></b> <span class="soft">{}</span><br>{}').format(
        account_of(deal), figures, next_step(t, deal)
    )


def _facts(t: Translator, deal: Mapping[Any, Any], who: str) -> list[str]:
    due = t("deal.no_close_date")
    if not pd.isna(deal["expected_close_on"]):
        late = (deal["as_of"] - deal["expected_close_on"]).days
        due = t("deal.overdue", n=late) if late > 0 else t("outlook.deals.due", day=deal["expected_close_on"])
    return [text for text in (who, str(deal["stage"]) if isinstance(deal["stage"], str) else "", due) if text]


def deal_table(t: Translator, deals: pd.DataFrame, names: pd.Series | None = None) -> Markup:
    """All deals as a table that opens on demand."""
    shown = deals.assign(account=[account_of(deal) for deal in deals.to_dict("records")])
    columns = [
        Column("account", t("deal.account")),
        Column("stage", t("deal.stage"), lambda stage: stage if isinstance(stage, str) else "–"),
        Column("amount", t("deal.amount"), t.money, number=True),
        Column("win_probability", t("deal.win_probability"), t.percent, number=True),
        Column("expected_value", t("deal.expected_amount"), t.money, number=True),
        Column("expected_close_on", t("deal.expected_close_on"), t.day),
    ]
    if names is not None:
        shown["rep"] = shown["rep_id"].map(names).fillna(shown["rep_id"])
        columns.insert(1, Column("rep", t("levels.rep")))
    return folded(t, shown, columns, t("outlook.deals.all"))
