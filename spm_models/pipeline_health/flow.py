"""Bottlenecks by a test: where deals stay longer, or get through less often, than before or than elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spm_models.inference import benjamini_hochberg
from spm_models.kpis.working_time import UNKNOWN
from spm_models.pipeline_health.facts import PipelineFacts
from spm_models.pipeline_health.score_tests import Compared, compare_rates, compare_shares, squeezed
from spm_models.pipeline_health.survival import kaplan_meier

BLOCK = 30  #: days; stretches of time whose deals share what happened in the market
NOW, BEFORE = 6, 12  #: blocks up to the day, and blocks before those
FEWEST, FEWEST_CLUSTERS = 20, 3  #: stays that ended, and reps, on either side
LEVEL = 0.8
MARGIN = {"dwell": 0.05, "conversion": 0.02}  #: what is smaller is no bottleneck, however certain
COLUMNS = (
    "level", "key", "segment", "stage", "place", "measure", "against", "n", "n_reference", "value", "reference",
    "effect", "low", "high", "p_value", "q_value", "verdict", "deals_waiting", "amount_waiting",
)  # fmt: skip
_STRATA = ["segment", "kind"]


@dataclass(frozen=True)
class _Question:
    """One comparison: a unit in a stage, and the rows of both sides."""

    level: str
    key: str
    segment: str
    against: str  # before | peers
    rows: pd.DataFrame
    side: pd.Series[bool]


def bottlenecks(
    facts: PipelineFacts, rate: float = 0.1, *, margin: dict[str, float] | None = None, most_units: int = 60
) -> pd.DataFrame:
    """Test every stage, and every stage in every segment and team, for long dwell and low conversion.

    Parameters
    ----------
    facts : PipelineFacts
    rate : float
        Expected share of mistaken ones among what is called a bottleneck (Benjamini–Hochberg over all tests).
    margin : dict of str to float, optional
        What a bottleneck must surpass: ``dwell`` as relative loss of the rate of moving on, ``conversion`` in share.
    most_units : int
        Of segments, and of teams: the largest so many are tested.

    Returns
    -------
    DataFrame
        One row a test. ``measure``: dwell or conversion; ``against``: before (the last 180 days beside the 360 before)
        or peers (other segments, or other teams, in the last 360 days). ``value`` and ``reference``: Kaplan–Meier
        median days (empty where fewer than half have left), or share that went on. ``effect``, with ``low`` and
        ``high`` (80 %): dwell: rate of leaving relative to the reference, below 1 is slower; conversion: difference
        of shares within segment and kind. ``verdict``: bottleneck | fine | not_enough_data. ``deals_waiting`` and
        ``amount_waiting``: what stands there now.

    Notes
    -----
    Deals are compared within segment and kind. Deals of one rep, and deals of one stretch of 30 days, may resemble
    each other: see :mod:`~spm_models.pipeline_health.score_tests`. That a segment is slower than the others is a fact,
    not yet a fault; slower than before it is news.
    """
    if facts.visits.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    limits = MARGIN | (margin or {})
    pieces, ends = _pieces(facts), _ends(facts)
    asked = []
    for place, stage in enumerate(facts.stages):
        for measure, seen in (("dwell", pieces), ("conversion", ends)):
            for question in _questions(seen[seen["place"] == place], most_units):
                known = (question.level, question.key, question.segment, stage, place, measure, question.against)
                asked.append((*known, *_counts(question), _compare(question, measure)))
    table = pd.DataFrame(asked, columns=[*COLUMNS[:11], "compared"])
    table = _told(table, limits)
    found = benjamini_hochberg(table["p_value"], rate)
    table["q_value"] = adjusted(table["p_value"].to_numpy(dtype=float))
    table["verdict"] = np.where(found, "bottleneck", np.where(table["p_value"].isna(), "not_enough_data", "fine"))
    return _waiting(table, facts)[list(COLUMNS)]


def adjusted(p: np.ndarray[tuple[int], np.dtype[np.float64]]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Smallest false-discovery rate at which each hypothesis is rejected (Benjamini–Hochberg); NaN stays NaN.

    Examples
    --------
    >>> adjusted(np.array([0.01, 0.04, 0.03, np.nan])).round(3).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    q = np.full(p.size, np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    steps = p[order] * order.size / np.arange(1, order.size + 1)
    q[order] = np.minimum.accumulate(steps[::-1])[::-1]
    return q


def _pieces(facts: PipelineFacts) -> pd.DataFrame:
    """Stays cut into stretches of 30 days counted back from the day, each with the ages at which it was at risk."""
    visits = facts.visits
    day = pd.Timestamp(facts.as_of)
    first = (day - visits["entered_on"]).dt.days.to_numpy()  # days back; a stay is at risk on each of its days
    last = (day - visits["left_on"].fillna(day)).dt.days.to_numpy()
    oldest = np.minimum(first // BLOCK, NOW + BEFORE - 1)
    newest = last // BLOCK
    count = np.maximum(oldest - newest + 1, 0)
    which = np.repeat(np.arange(len(visits)), count)
    block = newest[which] + (np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count))
    begin = np.minimum(first[which], (block + 1) * BLOCK - 1)
    end = np.maximum(last[which], block * BLOCK)
    columns = ["place", "rep_id", "team", *_STRATA]
    ended = visits["ended"].notna().to_numpy()[which] & (end == last[which])
    rows: pd.DataFrame = visits[columns].iloc[which].reset_index(drop=True)
    return rows.assign(block=block, entry=first[which] - begin, stop=first[which] - end + 1, ended=ended)


def _ends(facts: PipelineFacts) -> pd.DataFrame:
    """Stays that went on, were won or were lost in the two windows."""
    visits = facts.visits[facts.visits["ended"].isin(["advanced", "won", "lost"])]
    block = (pd.Timestamp(facts.as_of) - visits["left_on"]).dt.days // BLOCK
    rows = visits.assign(block=block, ended=True, success=visits["ended"] != "lost")
    columns = ["place", "rep_id", "team", *_STRATA, "block", "ended", "success"]
    found: pd.DataFrame = rows.loc[block < NOW + BEFORE, columns].reset_index(drop=True)
    return found


def _questions(rows: pd.DataFrame, most: int) -> Iterator[_Question]:
    recent = rows[rows["block"] < BEFORE]
    yield _Question("company", "", "", "before", rows, rows["block"] < NOW)
    for column in ("segment", "team"):
        sizes = recent.groupby(column).size().drop(UNKNOWN, errors="ignore")
        if len(sizes) < 2:  # the only one is the company
            continue
        for unit in sorted(sizes.sort_values(ascending=False, kind="stable").index[:most]):
            level, key, segment = ("company", "", unit) if column == "segment" else ("team", unit, "")
            mine = rows[rows[column] == unit]
            yield _Question(level, key, segment, "before", mine, mine["block"] < NOW)
            yield _Question(level, key, segment, "peers", recent, recent[column] == unit)


def _counts(question: _Question) -> tuple[float, ...]:
    """Stays that ended on both sides, and their typical value."""
    rows, side = question.rows, question.side
    sides = [rows[side], rows[~side]]
    n = tuple(int(part["ended"].sum()) for part in sides)
    if min(n) < FEWEST:
        return *n, float("nan"), float("nan")
    if "success" in rows:
        return *n, *(float(part["success"].mean()) for part in sides)
    return *n, *(_median(part) for part in sides)


def _compare(question: _Question, measure: str) -> Compared | None:
    rows, side = question.rows, question.side.to_numpy()
    ended, peers = rows["ended"].to_numpy(), question.against == "peers"
    reps = [rows.loc[chosen, "rep_id"].nunique() for chosen in (side, ~side)]
    few = min((ended & side).sum(), (ended & ~side).sum()) < FEWEST
    if few or (peers and question.level == "team" and min(reps) < FEWEST_CLUSTERS):
        return None
    clusters = [rows["rep_id"]] if peers else [rows["rep_id"], rows["block"]]
    strata = rows.groupby(_strata(question), sort=False).ngroup()
    if measure == "conversion":
        found = compare_shares(rows["success"], side, strata=strata, clusters=clusters)
    else:
        found = compare_rates(rows["entry"], rows["stop"], ended, side, strata=strata, clusters=clusters)
    return found if np.isfinite(found.error) else None


def _told(table: pd.DataFrame, margin: dict[str, float]) -> pd.DataFrame:
    """Effects, ranges and p-values, tests of one kind helping each other to know how alike a rep's deals are."""
    table[["effect", "low", "high", "p_value"]] = np.nan
    known = table["compared"].notna()
    kinds = [table["measure"], table["against"], table["level"], table["segment"] != ""]
    for _, family in table[known].groupby(kinds):
        dwell = family["measure"].iloc[0] == "dwell"
        least = -float(np.log1p(-margin["dwell"])) if dwell else margin["conversion"]
        for row, found in zip(family.index, squeezed(family["compared"].tolist()), strict=True):
            values = np.array([found.effect, *found.interval(LEVEL)])
            table.loc[row, ["effect", "low", "high"]] = np.exp(values) if dwell else values
            table.loc[row, "p_value"] = found.p_below(least)
    return table.drop(columns="compared")


def _strata(question: _Question) -> list[str]:
    """A segment is compared with others within the kind of deal, everything else within segment and kind."""
    return ["kind"] if question.segment and question.against == "peers" else _STRATA


def _median(rows: pd.DataFrame) -> float:
    return kaplan_meier(rows["stop"], rows["ended"], rows["entry"]).quantile(0.5) - 1  # the first day has age 1


def _waiting(table: pd.DataFrame, facts: PipelineFacts) -> pd.DataFrame:
    deals = facts.deals[facts.deals["status"] == "open"]
    parts = []
    for level, column in (("company", None), ("company", "segment"), ("team", "team")):
        by = ["stage"] if column is None else ["stage", column]
        sums = deals.groupby(by).agg(deals_waiting=("opportunity_id", "size"), amount_waiting=("amount", "sum"))
        sums = sums.reset_index().assign(level=level)
        sums["segment"] = sums["segment"] if column == "segment" else ""
        sums["key"] = sums["team"] if column == "team" else ""
        parts.append(sums[["level", "key", "segment", "stage", "deals_waiting", "amount_waiting"]])
    merged = table.merge(pd.concat(parts, ignore_index=True), on=["level", "key", "segment", "stage"], how="left")
    merged["deals_waiting"] = merged["deals_waiting"].fillna(0).astype("int64")
    return merged.assign(amount_waiting=merged["amount_waiting"].fillna(0.0))
