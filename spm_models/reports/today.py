"""What happened on the last working day and deserves a word, and calls worth listening to together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.reports.parts import bullets, join, paragraph
from spm_models.reports.reading import Reading
from spm_models.reports.words import account_of
from spm_models.translations import Translator

PROMPTS, CALLS = 6, 3
_FIRST = ("won", "lost", "gone_silent", "pushed")  #: one of each kind comes before the second of any


def today(reading: Reading, names: Mapping[str, str]) -> Markup:
    """Prompts of the last working day and calls to review, a few of each; the praise comes first.

    Parameters
    ----------
    reading : Reading
    names : mapping of str to str
        Rep ids → names, opportunity ids → accounts.
    """
    return join([_prompts(reading, names), *_calls(reading, names)])


def prompt_line(t: Translator, row: Mapping[Any, Any]) -> Markup:
    """One prompt in a sentence and a question.

    Examples
    --------
    >>> row = {"kind": "lost", "account_name": "Acme", "opportunity_id": "o1", "amount": 900.0, "value": 35.0}
    >>> prompt_line(Translator("en", currency="EUR"), row).striptags()
    'Lost: Acme, €900, after 35 days. What can be learned while it is fresh?'
    """
    values = {"account": account_of(row), "amount": t.money(row["amount"])}
    if row["kind"] == "pushed":
        return t.html("people.prompts.pushed", n=round(row["value"]), **values)
    return t.html(f"people.prompts.{row['kind']}", days=t.days(round(row["value"])), **values)


def in_turn(prompts: pd.DataFrame) -> pd.DataFrame:
    """Prompts so that what was won comes first and every kind has its turn, the larger amount first within a kind.

    Examples
    --------
    >>> rows = [("a", "lost", 5.0), ("b", "won", 1.0), ("c", "won", 9.0)]
    >>> in_turn(pd.DataFrame(rows, columns=["rep_id", "kind", "amount"]).assign(rank=1))["rep_id"].tolist()
    ['c', 'a', 'b']
    """
    place = prompts["kind"].map({kind: number for number, kind in enumerate(_FIRST)})
    by_size = prompts.assign(place=place).sort_values(["amount", "rep_id", "rank"], ascending=[False, True, True])
    turn = by_size.groupby("kind").cumcount()
    return by_size.assign(turn=turn).sort_values(["turn", "place"], ignore_index=True, kind="stable")


def _prompts(reading: Reading, names: Mapping[str, str]) -> Markup:
    t, rows = reading.t, in_turn(reading["prompts"])
    if rows.empty:
        return paragraph(t("people.no_prompts"))
    lines = [_said(names, row, prompt_line(t, row)) for row in rows.head(PROMPTS).to_dict("records")]
    rest = len(rows) - len(lines)
    return bullets(lines) + (paragraph(t("managers.more_prompts", n=rest), "note") if rest > 0 else Markup(""))


def _calls(reading: Reading, names: Mapping[str, str]) -> list[Markup]:
    t, rows = reading.t, reading["calls_to_review"]
    if rows.empty:
        return []
    topics = set(reading["coaching_verdicts"].dropna(subset="topic")["rep_id"])
    rows = rows.assign(other=~rows["rep_id"].isin(topics)).sort_values(["rank", "other", "rep_id"])
    lines = [_said(names, row, _call(t, names, row)) for row in rows.head(CALLS).to_dict("records")]
    return [Markup("<h3>{}</h3>").format(t("people.calls_title")), bullets(lines)]


def _call(t: Translator, names: Mapping[str, str], row: Mapping[Any, Any]) -> Markup:
    """Which call, about which deal, why, and how long it was."""
    deal = row["opportunity_id"]
    about = names.get(deal, deal) if isinstance(deal, str) and deal else t("managers.no_deal")
    return t.html(
        "managers.call", call=row["call_id"], account=about, day=row["offered_at"].date(),
        minutes=t.number(row["value"], 0), why=t(f"people.calls.{row['reason']}"),
    )  # fmt: skip


def _said(names: Mapping[str, str], row: Mapping[Any, Any], line: Markup) -> Markup:
    return Markup("<b><bdi>{}</bdi></b> · {}").format(names.get(row["rep_id"], row["rep_id"]), line)
