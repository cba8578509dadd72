"""What coaching may change, by rep and week: wins beyond what was to be expected, stages, contacts, follow-up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spm_models.coaching.context import ContextEffects
from spm_models.coaching.effects.windows import Floats, Ints, Weekly
from spm_models.coaching.features import DEAL_CONTEXT, Evidence
from spm_models.coaching.signals import SILENT_DAYS

#: Where along the stages a skill is at work, 0 the first, 1 the last; the others are about no stage.
STAGE_OF_SKILL = {"opening": 0.0, "need_orientation": 0.25, "value": 0.5, "objections": 0.75, "closing": 1.0}
OUTCOMES = ("win_rate", "stage_conversion", "follow_up", "activity", "pipeline_creation", "price_kept")


@dataclass(frozen=True)
class Measured:
    """One outcome (of one stage, where it has parts) by rep and week."""

    outcome: str
    part: str
    weekly: Weekly
    skills: frozenset[str] | None = None  # whose stage it is; None: any skill's


@dataclass(frozen=True)
class Grid:
    """Reps and weeks that everything is counted in."""

    reps: pd.Index
    first: pd.Timestamp
    weeks: int

    def week(self, days: pd.Series) -> Ints:
        """Number of the week in which each day lies."""
        return np.asarray((days - self.first).dt.days // 7, dtype=np.int64)

    def places(self, rep_id: pd.Series) -> Ints:
        """Number of each rep; -1 for who is not among them."""
        return np.asarray(self.reps.get_indexer(pd.Index(rep_id)), dtype=np.int64)

    def sums(self, rep_id: pd.Series, days: pd.Series, values: pd.Series | Floats) -> Floats:
        """Values added up by rep and week; people and days outside are left out."""
        rep, week = self.places(rep_id), self.week(days)
        kept = (rep >= 0) & (week >= 0) & (week < self.weeks)
        found = np.zeros((len(self.reps), self.weeks))
        np.add.at(found, (rep[kept], week[kept]), np.asarray(values, dtype=float)[kept])
        return found

    @classmethod
    def of(cls, evidence: Evidence) -> Grid:
        """Whole weeks of the evidence, from its first to its last."""
        first = evidence.weeks["week"].min()
        weeks = (pd.Timestamp(evidence.as_of) + pd.Timedelta(days=1) - first).days // 7
        return cls(pd.Index(sorted(evidence.weeks["rep_id"].unique())), first, weeks)


def measured(evidence: Evidence, grid: Grid) -> Iterator[Measured]:
    """Each outcome that the evidence has, in the order of :data:`OUTCOMES`.

    Shares are risk-adjusted: observed minus what a typical colleague reaches in the same region, segment, industry,
    kind, source, product, tenure and quarter. Contacts and new deals are compared with everybody's in the same weeks.
    """
    weeks = evidence.weeks
    days = grid.sums(weeks["rep_id"], weeks["week"], weeks["days"])
    won = evidence.deals[evidence.deals["won"]]
    standing = grid.sums(won["rep_id"], won["closed_on"], won["amount"].fillna(0.0))
    present = np.asarray(days > 0)

    def of(rows: pd.DataFrame, day: str, value: pd.Series, expected: Floats) -> Weekly:
        surplus = value.to_numpy(dtype=float) - expected
        size = grid.sums(rows["rep_id"], rows[day], np.ones(len(rows)))
        return Weekly(grid.sums(rows["rep_id"], rows[day], surplus), size, standing, present)

    deals = evidence.deals
    if deals["won"].nunique() > 1:
        yield Measured("win_rate", "", of(deals, "closed_on", deals["won"], _expected(deals, deals["won"])))
    yield from _stages(evidence, of)
    known = deals[deals["longest_silence"].notna() & deals["days"].gt(SILENT_DAYS)]
    kept = known["longest_silence"].le(SILENT_DAYS)
    if kept.nunique() > 1:
        yield Measured("follow_up", "", of(known, "closed_on", kept, _expected(known, kept)))
    for outcome, column, length in (("activity", "activity", evidence.working_week),
                                    ("pipeline_creation", "created", evidence.working_week * 13 / 3)):  # fmt: skip
        values = weeks[column]
        if values.notna().any() and values.sum() > 0:
            counts = grid.sums(weeks["rep_id"], weeks["week"], values.fillna(0.0))
            yield Measured(outcome, "", Weekly(counts, days / length, standing, present))
    priced = won[won["price_kept"].notna()]
    if priced["price_kept"].nunique() > 1:
        usual = np.full(len(priced), float(priced["price_kept"].mean()))
        yield Measured("price_kept", "", of(priced, "closed_on", priced["price_kept"], usual))


def _stages(evidence: Evidence, of: Callable[[pd.DataFrame, str, pd.Series, Floats], Weekly]) -> Iterator[Measured]:
    stages = evidence.stages
    if stages is None or stages.empty:
        return
    most = int(stages["place"].max())
    for place, rows in stages.groupby("place", sort=True):
        skills = frozenset(skill for skill, at in STAGE_OF_SKILL.items() if round(at * most + 1e-9) == int(str(place)))
        if skills and rows["advanced"].nunique() > 1:
            weekly = of(rows, "left_on", rows["advanced"], _expected(rows, rows["advanced"]))
            yield Measured("stage_conversion", str(rows["stage"].iloc[0]), weekly, skills)


def _expected(rows: pd.DataFrame, success: pd.Series) -> Floats:
    """Chance of each row in its context, learned from all of them."""
    keys = ["rep_id", *DEAL_CONTEXT]
    cells = rows.assign(y=success.astype(float), n=1.0).groupby(keys, as_index=False, sort=True)[["y", "n"]].sum()
    model = ContextEffects("binomial", DEAL_CONTEXT).fit(cells[keys], cells["y"], cells["n"])
    return model.expected(rows)
