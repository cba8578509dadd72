"""Coaching as a manager or an executive sees it: causes counted, sessions held, what it measurably brought."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from spm_models.coaching.effects.words import effect_sentence, naive_sentence
from spm_models.reports.parts import bullets, chart, join, paragraph
from spm_models.reports.reading import Reading
from spm_models.reports.words import topic_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CAUSES = ("knowledge", "motivation", "direction", "context")
_ORDER = ("helped", "did_harm", "placebo_failed", "no_effect_seen")
EFFECTS = 4


def causes_counted(reading: Reading) -> Markup:
    """How many topics speak for which cause, one square each; topics are counted, never people."""
    t, topics = reading.t, reading["coaching_verdicts"].dropna(subset="topic")
    if topics.empty:
        return paragraph(t("monthly.causes_none"))
    known = topics["cause"].fillna("").map(lambda cause: cause if cause in CAUSES else "")
    counts = known.value_counts().reindex([*CAUSES, ""], fill_value=0)
    names = [t.name("causes", cause) if cause else t("monthly.causes_open") for cause in counts.index]
    shown = pd.DataFrame({"label": names, "n": counts.to_numpy(), "pale": counts.index == ""})
    parts = [t("common.list_of", label=row["label"], value=t.number(int(row["n"]))) for row in shown.to_dict("records")]
    said = t("monthly.causes_alt", parts=t.list(parts))
    drawn = chart("causes", t("monthly.causes_chart"), said, lambda width: _counts(reading, shown, width))
    return join([paragraph(t("monthly.topics", n=len(topics)), "lede"), drawn,
                 paragraph(t("monthly.causes_note"), "note")])  # fmt: skip


def _counts(reading: Reading, shown: pd.DataFrame, width: int) -> Figure:
    from spm_models.charts.month import counts_chart

    return counts_chart(reading.t, shown, width=width)


def shared_topics(reading: Reading) -> pd.DataFrame:
    """Topics of the unit with their number and worth, the most frequent first.

    Returns
    -------
    DataFrame
        Columns topic, topic_part, name, n, amount (of a quarter).
    """
    rows = reading["coaching_verdicts"].dropna(subset="topic").fillna({"topic_part": ""})
    by = rows.groupby(["topic", "topic_part"], as_index=False).agg(
        n=("rep_id", "size"), amount=("money_at_stake", "sum")
    )
    by["name"] = [topic_of(reading.t, row) for row in by.to_dict("records")]
    order = ["n", "amount", "topic", "topic_part"]
    return by.sort_values(order, ascending=[False, False, True, True], ignore_index=True)


def measured(reading: Reading) -> Markup:
    """What coaching measurably brought, each with its interval; an honest word where nothing can be said."""
    t, rows = reading.t, reading["coaching_effects"]
    whole = rows[(rows["skill"] == "all") & (rows["kind"] == "all") & (rows["verdict"] != "not_enough_data")]
    if whole.empty:
        return paragraph(t("monthly.effects_none"))
    place = whole["verdict"].map({verdict: number for number, verdict in enumerate(_ORDER)})
    ranked = whole.assign(place=place, other=whole["outcome"] != "win_rate")
    told = ranked.sort_values(["place", "other", "outcome"]).head(EFFECTS).to_dict("records")
    wins = whole[whole["outcome"] == "win_rate"].to_dict("records")
    return join([
        paragraph(t("monthly.effects_intro")), bullets(effect_sentence(t, row) for row in told),
        *(paragraph(naive_sentence(t, row), "note") for row in wins[:1]), *_by_lot(reading),
    ])  # fmt: skip


def _by_lot(reading: Reading) -> Iterator[Markup]:
    rows = reading["coaching_effects"].query("design == 'randomised' and verdict != 'not_enough_data'")
    if len(rows):
        yield bullets(effect_sentence(reading.t, row) for row in rows.head(EFFECTS).to_dict("records"))
        yield paragraph(reading.t("effects.by_lot"), "note")
