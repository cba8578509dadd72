"""What stands beside a deal's win probability: reasons for and against, its past weeks, and what people say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pandas as pd
from markupsafe import Markup

from spm_models.reports.parts import bullets, join
from spm_models.reports.why import OTHERS, START, Reason, points, sentence_html
from spm_models.translations import Translator
from spm_models.translations.locales import Clause

WEEKS = 4  #: a change is told against this many weeks ago
SHOWN, SIDE = 5, 4  #: reasons shown of a deal, and of each side at most
LEAST = 0.005  #: a reason that moves the probability by less than half a point is not worth a line
#: Not said beside a deal: the starting point, the sum of the small, and what is about the owner instead of the deal.
UNSAID = frozenset({START, OTHERS, "rep_history", "tenure"})


class Tables(Protocol):
    """Published tables by name."""

    def __getitem__(self, name: str) -> pd.DataFrame: ...


@dataclass(frozen=True)
class Beside:
    """Reasons, trend and people's own views of open deals.

    Parameters
    ----------
    reasons, trend, overrides : DataFrame
        The published tables ``deal_reasons``, ``deal_trend`` and ``deal_overrides``, of any number of deals.
    """

    reasons: pd.DataFrame
    trend: pd.DataFrame
    overrides: pd.DataFrame

    @classmethod
    def of(cls, tables: Tables) -> Beside:
        """From published tables."""
        return cls(tables["deal_reasons"], tables["deal_trend"], tables["deal_overrides"])

    def why(self, deal: Mapping[Any, Any]) -> tuple[list[Reason], list[Reason]]:
        """The strongest reasons for and against a deal that are worth a line; what little there is of a side, too."""
        own = _own(self.reasons, deal).sort_values("rank")
        told = [Reason.of(row) for row in own[~own["feature"].isin(UNSAID)].to_dict("records")]
        told = [reason for reason in told if abs(reason.points) >= LEAST]
        sides = [[r for r in told if r.contribution > 0][:SIDE], [r for r in told if r.contribution < 0][:SIDE]]
        strongest = sorted((r for side in sides for r in side[1:]), key=lambda r: -abs(r.contribution))
        kept = [*(side[0] for side in sides if side), *strongest][:SHOWN]
        return [r for r in sides[0] if r in kept], [r for r in sides[1] if r in kept]

    def start(self, deal: Mapping[Any, Any]) -> float:
        """Probability from which a deal starts; NaN where nothing is explained."""
        own = _own(self.reasons, deal)
        return (
            float(own.loc[own["feature"] == START, "points"].sum()) if (own["feature"] == START).any() else float("nan")
        )

    def past(self, deal: Mapping[Any, Any]) -> pd.Series:
        """Win probability by day, earliest first."""
        own = _own(self.trend, deal).sort_values("as_of")
        return own.set_index("as_of")["win_probability"]


def _own(table: pd.DataFrame, deal: Mapping[Any, Any]) -> pd.DataFrame:
    found: pd.DataFrame = table[table["opportunity_id"] == deal["opportunity_id"]]
    return found


def reasons_html(t: Translator, beside: Beside, deal: Mapping[Any, Any]) -> Markup:
    """Reasons for and against, and how they lead from the usual deal to this one; empty where there are none."""
    both = beside.why(deal)
    at_stage = isinstance(deal["stage"], str)
    sides = [
        Markup('<div class="{}"><h4>{}</h4>{}</div>').format(
            name, t(f"deal.reasons_{name}"), bullets(sentence_html(t, reason, at_stage=at_stage) for reason in told)
        )
        for name, told in zip(("for", "against"), both, strict=True)
        if told
    ]
    if not sides:
        return Markup("")
    line = sum_words(t, beside, deal, [*both[0], *both[1]])
    below = Markup('<p class="sum">{}</p>').format(line) if line else ""
    return Markup('<div class="why">{}{}</div>').format(join(sides), below)


def sum_words(t: Translator, beside: Beside, deal: Mapping[Any, Any], shown: list[Reason]) -> str:
    """From where a usual deal starts to this deal's probability, in whole points that add up."""
    start, end = beside.start(deal), deal["win_probability"]
    if start != start or end != end:
        return ""
    whole = round(100 * end) - round(100 * start)
    told = sum(round(100 * abs(r.points) + 1e-9) * (1 if r.points > 0 else -1) for r in shown)
    return t(
        "reasons.sum", start=t.percent(start), end=t.percent(end),
        points=Clause(points(t, (whole - told) / 100, least=0)),
    )  # fmt: skip


def trend_html(t: Translator, beside: Beside, deal: Mapping[Any, Any]) -> Markup:
    """Past weeks as a small line and in words; empty for a deal seen on one day only."""
    past = beside.past(deal)
    if len(past) < 2:
        return Markup("")
    words = trend_words(t, past)
    return Markup('<p class="trend">{}<span>{}</span></p>').format(sparkline(t, past.tolist(), words), words)


def trend_words(t: Translator, past: pd.Series) -> str:
    """How far a probability moved in the past four weeks, or since the deal is known.

    Parameters
    ----------
    past : Series
        Probability by day, at least two days, earliest first.

    Examples
    --------
    >>> days = pd.to_datetime(["2026-05-26", "2026-06-02", "2026-06-30"])
    >>> trend_words(Translator("en"), pd.Series([0.2, 0.41, 0.5], index=days))
    'up 9 points in 4 weeks'
    """
    last = past.index[-1]
    since = past[past.index >= last - pd.Timedelta(weeks=WEEKS)]
    weeks = max(1, round((last - since.index[0]).days / 7))
    moved = round(100 * past.iloc[-1]) - round(100 * since.iloc[0])
    if moved == 0:
        return t("trend.same", n=weeks)
    size = t("trend.points", n=abs(moved), value=t.number(abs(moved)))
    return t("trend.up" if moved > 0 else "trend.down", n=weeks, points=Clause(size))


def sparkline(t: Translator, values: list[float], words: str) -> Markup:
    """A small line of probabilities, latest at the reader's end; what it says stands beside it in words."""
    low, high = min(values), max(values)
    room = max(high - low, 0.2)  # small changes must not look like large ones
    bottom = min(max((low + high - room) / 2, 0.0), 1 - room)
    step = 92 / (len(values) - 1)
    spots = [(4 + place * step, 21 - 18 * (value - bottom) / room) for place, value in enumerate(values)]
    if t.direction == "rtl":
        spots = [(100 - x, y) for x, y in spots]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in spots)
    end = Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3" style="fill: var(--chart-closed, #0f6177)"/>').format(
        *spots[-1]
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 100 24" role="img" aria-label="{}: {}"><polyline points="{}" fill="none" '
        'style="stroke: var(--chart-open, #4f9fb6)" stroke-width="2" stroke-linejoin="round"/>{}</svg>'
    ).format(t("trend.title"), words, path, end)


def own_views_html(t: Translator, beside: Beside, deal: Mapping[Any, Any]) -> Markup:
    """What people think of the deal, plainly theirs and beside the score, the latest first."""
    own = _own(beside.overrides, deal).sort_values("written_at", ascending=False)
    if own.empty:
        return Markup("")
    lines = [
        t.html("chance.own_line", name=_author(row), value=t.percent(row["win_probability"]), reason=row["reason"],
               day=row["written_at"].date())
        for row in own.to_dict("records")
    ]  # fmt: skip
    return Markup('<div class="own"><h4>{}</h4>{}</div>').format(t("chance.own"), bullets(lines))


def _author(row: Mapping[Any, Any]) -> str:
    name = row["author_name"]
    return name if isinstance(name, str) and name.strip() else str(row["author"])


def methods_note(t: Translator, deals: pd.DataFrame) -> str:
    """What the numbers of these deals are, where no model gave them; empty where one did.

    Examples
    --------
    >>> methods_note(Translator("en"), pd.DataFrame({"scored_by": ["base_rate", "model", "base_rate"]}))
    "Nothing recorded so far tells won from lost deals apart here; this is everybody's rate."
    """
    told = (method_words(t, method) for method in sorted(deals["scored_by"].dropna().unique()))
    return " ".join(dict.fromkeys(words for words in told if words))


def method_words(t: Translator, method: str) -> str:
    """What a number that no model gave is, empty for a model's own."""
    if method in ("model", "logistic"):
        return ""
    told = {"base_rate": "base_rate", "pooled_rate": "base_rate"}
    known = method in ("stage_rate", "not_enough_data")
    return t(f"chance.{method if known else told.get(method, 'rate')}")
