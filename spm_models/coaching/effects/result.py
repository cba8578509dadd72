"""The effect of coaching by skill and kind, as it is published."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spm_models.coaching.effects.matched import PLACEBO_LEVEL, Estimate, estimate
from spm_models.coaching.effects.order import Order
from spm_models.coaching.effects.outcomes import OUTCOMES, STAGE_OF_SKILL, Grid, Measured, measured
from spm_models.coaching.effects.randomised import Waves, analyse
from spm_models.coaching.effects.sessions import programmes
from spm_models.coaching.effects.windows import EASE_IN, Programmes, Rows, joined, stack
from spm_models.coaching.features import Evidence
from spm_models.errors import NotEnoughDataError
from spm_models.inference import benjamini_hochberg
from spm_models.published.coaching_schemas import COACHING_TABLES

LEVEL = 0.9
FALSE_DISCOVERY_RATE = 0.1
LEAST_FREEDOM = 3.0  #: fewer degrees of freedom say nothing
ALL = "all"
MAIN = ("win_rate", "stage_conversion")  #: what coaching is about; the others are looked at beside them
SCHEMA = next(table for table in COACHING_TABLES if table.name == "coaching_effects")


@dataclass(frozen=True)
class Slice:
    """Which programmes a row is about, and by which outcome."""

    skill: str
    kind: str
    outcome: str


def effects(
    evidence: Evidence, sessions: pd.DataFrame | None = None, *, level: float = LEVEL,
    rate: float = FALSE_DISCOVERY_RATE,
) -> pd.DataFrame:  # fmt: skip
    """What coaching brought: coached reps beside not coached ones of the same weeks and the same standing.

    Parameters
    ----------
    evidence : Evidence
        Of as many quarters as there are: from a year on something can be said, three years are better.
    sessions : DataFrame, optional
        Without it those of the evidence. One-to-ones are no programme.
    level : float
        Of the interval of each effect, taken for itself.
    rate : float
        Share of all "helped" and "did harm" of a family of rows that may be wrong.

    Returns
    -------
    DataFrame
        Columns of the published ``coaching_effects``. ``skill`` and ``kind`` are ``"all"`` for all of them. An effect
        is in shares (``win_rate``, ``stage_conversion`` of the skill's own stage, ``follow_up``, ``price_kept``), in
        contacts a working week (``activity``) or in deals a month (``pipeline_creation``), once it has eased in.

    Notes
    -----
    The interval is Student's with Bell–McCaffrey degrees of freedom over people
    (:func:`~spm_models.coaching.effects.clustered.last_coefficient`). Verdicts are under false-discovery control (all
    coaching, by skill, by kind, by both: each a family of its own; main outcomes apart from the others), so an
    interval may lie off nil where the verdict says that no effect was seen.
    """
    held = evidence.sessions if sessions is None else sessions
    if held is None or held.empty or evidence.weeks.empty:
        return judged(_table([]), rate)
    grid = Grid.of(evidence)
    known = programmes(held[held["held_on"] <= pd.Timestamp(evidence.as_of)])
    known = known[known["rep_id"].isin(grid.reps)].assign(start=lambda rows: grid.week(rows["started_on"]))
    outcomes = list(measured(evidence, grid))
    rows = [_row(one, _measure(one, known, outcomes, grid), level) for one in _slices(known, outcomes)]
    return judged(_table(rows), rate)


def randomised_effects(
    evidence: Evidence, orders: Sequence[Order], *, level: float = LEVEL, rate: float = FALSE_DISCOVERY_RATE
) -> pd.DataFrame:
    """What drawn orders show, as far as their waves have lasted; of one skill and kind the newest that says something.

    Parameters
    ----------
    evidence : Evidence
    orders : sequence of Order
        Oldest first.
    level, rate
        As in :func:`effects`.

    Returns
    -------
    DataFrame
        Columns of the published ``coaching_effects``, ``design`` is ``randomised``.
    """
    if evidence.weeks.empty or not orders:
        return judged(_table([]), rate)
    grid = Grid.of(evidence)
    outcomes = list(measured(evidence, grid))
    rows: dict[tuple[str, str, str], dict[str, object]] = {}
    for order in orders:
        for outcome in outcomes:
            if outcome.outcome in about(order.skill) and (outcome.skills is None or order.skill in outcome.skills):
                key = (order.skill, order.kind, outcome.outcome)
                row = _drawn_row(key, order, outcome, grid, level)
                if key not in rows or row["verdict"] == "":
                    rows[key] = row
    return judged(_table(list(rows.values())), rate)


def combined(matched: pd.DataFrame, randomised: pd.DataFrame) -> pd.DataFrame:
    """Both in one table; where a drawn order says something, it stands for that skill, kind and outcome."""
    says = randomised[randomised["verdict"].ne("not_enough_data")]
    keys = list(SCHEMA.key)
    others = matched[~pd.MultiIndex.from_frame(matched[keys]).isin(pd.MultiIndex.from_frame(says[keys]))]
    return pd.concat([others, says], ignore_index=True).sort_values(keys, ignore_index=True)


def _drawn_row(
    key: tuple[str, str, str], order: Order, outcome: Measured, grid: Grid, level: float
) -> dict[str, object]:  # fmt: skip
    places = order.places[order.places["rep_id"].isin(grid.reps)]
    start = grid.week(pd.to_datetime(places["wave"].map(order.day)))
    block = places.groupby(["team", "need"]).ngroup()
    waves = Waves(grid.places(places["rep_id"]), np.asarray(block, dtype=np.int64), start)
    row: dict[str, object] = dict(zip(SCHEMA.key, key, strict=True))
    row |= {"level": level, "design": "randomised", "reps": 0, "controls": 0, "verdict": "not_enough_data"}
    try:
        found = analyse(outcome.weekly, waves, ease_in=EASE_IN, seed=order.seed, level=level)
    except NotEnoughDataError:
        return row
    row |= {name: getattr(found, name) for name in ("effect", "low", "high", "p", "detectable", "naive", "uncoached",
                                                    "reps", "controls")}  # fmt: skip
    if found.placebo is not None:
        row |= dict(zip(("placebo", "placebo_low", "placebo_high"), found.placebo, strict=True))
    return row | {"verdict": ""}


def judged(table: pd.DataFrame, rate: float) -> pd.DataFrame:
    """The table with its verdicts; ``p`` is taken out."""
    told = table["verdict"].eq("")
    sure = pd.Series(False, index=table.index)
    families = [table["skill"].eq(ALL), table["kind"].eq(ALL), table["outcome"].isin(MAIN)]
    for _, rows in table[told].groupby([one[told] for one in families]):
        sure[rows.index] = benjamini_hochberg(rows["p"].to_numpy(), rate)
    failed = told & table["design"].eq("matched") & (table["placebo_low"].gt(0) | table["placebo_high"].lt(0))
    unseen = told & table["design"].eq("matched") & table["placebo"].isna()
    table["verdict"] = table["verdict"].mask(told, "no_effect_seen")
    table["verdict"] = table["verdict"].mask(sure & table["effect"].gt(0), "helped")
    table["verdict"] = table["verdict"].mask(sure & table["effect"].lt(0), "did_harm")
    table["verdict"] = table["verdict"].mask(failed, "placebo_failed").mask(unseen, "not_enough_data")
    return table[list(SCHEMA.columns)].astype(SCHEMA.columns)


def _slices(known: pd.DataFrame, outcomes: list[Measured]) -> Iterator[Slice]:
    """All together by every outcome; each skill, kind, and skill and kind by what it is about."""
    there = [name for name in OUTCOMES if any(one.outcome == name for one in outcomes)]
    yield from (Slice(ALL, ALL, name) for name in there)
    skills = sorted(set(known["skill"]) - {""})
    for skill in skills:
        yield from (Slice(skill, ALL, name) for name in about(skill) if name in there)
    if known["kind"].nunique() < 2:
        return
    for kind in sorted(set(known["kind"])):
        yield from (Slice(ALL, kind, name) for name in ("win_rate", "stage_conversion") if name in there)
    for skill, kind in sorted(set(known.loc[known["skill"].ne(""), ["skill", "kind"]].itertuples(index=False))):
        if "win_rate" in there:
            yield Slice(skill, kind, "win_rate")


def about(skill: str) -> tuple[str, ...]:
    """The outcomes that a skill is about: win rate, its own stage, or follow-up."""
    return ("win_rate", "stage_conversion") if skill in STAGE_OF_SKILL else ("win_rate", "follow_up")


def _measure(one: Slice, known: pd.DataFrame, outcomes: list[Measured], grid: Grid) -> Rows:
    chosen = pd.Series(True, index=known.index)
    chosen &= known["skill"].eq(one.skill) if one.skill != ALL else True
    chosen &= known["kind"].eq(one.kind) if one.kind != ALL else True
    parts = []
    for outcome in outcomes:
        if outcome.outcome != one.outcome:
            continue
        mine = chosen if outcome.skills is None else chosen & known["skill"].isin(outcome.skills)
        found = Programmes(
            grid.places(known["rep_id"]), known["start"].to_numpy(dtype=np.int64),
            mine.to_numpy(dtype=bool),
        )  # fmt: skip
        parts.append(stack(outcome.weekly, found))
    return joined(parts)


def _row(one: Slice, rows: Rows, level: float) -> dict[str, object]:
    row: dict[str, object] = {
        "skill": one.skill, "kind": one.kind, "outcome": one.outcome, "level": level, "design": "matched",
        "reps": len(np.unique(rows.rep[rows.coached])), "controls": len(np.unique(rows.rep[~rows.coached])),
    }  # fmt: skip
    try:
        found = estimate(rows)
    except NotEnoughDataError:
        return row | {"verdict": "not_enough_data"}
    return row | figures(found, level)


def figures(found: Estimate, level: float) -> dict[str, object]:
    """What a row says of an estimate."""
    if found.effect.freedom < LEAST_FREEDOM:
        return {"verdict": "not_enough_data", "naive": found.naive}
    low, high = found.effect.interval(level)
    row: dict[str, object] = {
        "effect": found.effect.value, "low": low, "high": high, "p": found.effect.p, "naive": found.naive,
        "uncoached": found.uncoached, "detectable": found.effect.detectable(level), "verdict": "",
    }  # fmt: skip
    if found.placebo is not None:
        low, high = found.placebo.interval(PLACEBO_LEVEL)
        row |= {"placebo": found.placebo.value, "placebo_low": low, "placebo_high": high}
    return row


def _table(rows: list[dict[str, object]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=[*SCHEMA.columns, "p"])
    return table.astype(SCHEMA.columns | {"p": "float64"})
