"""Deals that are stuck: why, as a sentence each, and the step that a manager could take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps.pages import link
from spm_models.reports.parts import join
from spm_models.reports.words import account_of
from spm_models.translations import Translator


def stuck_list(t: Translator, deals: pd.DataFrame, reasons: pd.DataFrame) -> Markup:
    """Deals as a list: account, amount, whose, why, and the next step.

    Parameters
    ----------
    t : Translator
    deals : DataFrame
        Rows of ``stuck_deals`` with ``account_name`` and ``rep`` (a name).
    reasons : DataFrame
        ``stuck_reasons``.
    """
    by_deal = {deal: rows.to_dict("records") for deal, rows in reasons.groupby("opportunity_id")}
    items = (_item(t, row, by_deal.get(row["opportunity_id"], [])) for row in deals.to_dict("records"))
    return Markup('<ol class="people">{}</ol>').format(join(items))


def named(deals: pd.DataFrame, scores: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    """Stuck deals with the names of accounts and reps, the most at stake first."""
    accounts = scores.set_index("opportunity_id")["account_name"]
    names = people.set_index("rep_id")["name"]
    return deals.assign(
        account_name=deals["opportunity_id"].map(accounts),
        rep=deals["rep_id"].map(names).fillna(deals["rep_id"]),
    ).sort_values(["rank", "opportunity_id"], ignore_index=True)


def why(t: Translator, reasons: Iterable[Mapping[Any, Any]]) -> list[str]:
    """Each reason as a sentence.

    Examples
    --------
    >>> why(Translator("en"), [{"reason": "pushed", "value": 4.0, "limit": 2.99, "won_deals": 1736}])
    ['Close date moved later 4 times; nine of ten won deals had 3 at most (1,736 deals won)']
    """
    return [
        t(f"stuck.reasons.{row['reason']}", value=round(row["value"]), limit=round(row["limit"]),
          won=t("common.won_deals", n=int(row["won_deals"])))
        for row in reasons
    ]  # fmt: skip


def _item(t: Translator, row: Mapping[Any, Any], reasons: list[dict[Any, Any]]) -> Markup:
    worth = t("deal.no_amount") if pd.isna(row["amount"]) else t.compact_money(row["amount"])
    lines = join(Markup('<p class="soft">{}</p>').format(line) for line in why(t, reasons))
    return Markup(
        '<li><h3><a href="{}"><bdi>{}</bdi></a> · <bdi>{}</bdi></h3><p class="soft"><bdi>{}</bdi> · {}</p>{}'
        "<p><b>{}</b> {}</p></li>"
    ).format(
        link("deals", deal=row["opportunity_id"]), account_of(row), worth, row["rep"], row["stage"], lines,
        t("report.deals.next_step"), t(f"stuck.next_steps.{row['next_step']}"),
    )  # fmt: skip
