"""True rates of a generated company: people, arrivals with season, trend and events, and how its deals move.

Everything that the oracle knows stands here; what happens by chance stands in :mod:`.generator`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]

KINDS = ("stable", "growing", "seasonal", "shock", "shrinking", "tiny")
#: Won deals a quarter. Companies of each kind run through them in this order; tiny ones have the first.
SIZES = (50, 10, 250, 50, 10, 250, 50, 1000)
TINY = 10

START = date(2022, 1, 1)
QUARTERS = 12
BURN_IN = 270  # days before the record begins, so that it begins with a full pipeline
LAST_DAY = (date(2024, 12, 31) - START).days + BURN_IN
DAYS = LAST_DAY + 1

STAGES = ("qualification", "discovery", "proposal", "negotiation")
SEGMENTS = ("small", "large")
QUALITIES = 3  # hidden from everybody: poor, usual, good
#: Chance to leave a stage upwards rather than be lost, by quality.
_PASS = np.array([0.50, 0.74, 0.90])
_QUALITY = np.array([0.40, 0.40, 0.20])
_RAMP = 120.0
#: Of the change of log amount at each step: an amount is not what it was at first when the deal is won.
STEP_MEAN, STEP_DEVIATION = -0.03, 0.2


@dataclass(frozen=True, eq=False)
class Event:
    """Something that changes the rates from one day to another and that nobody knows before it happens."""

    start: int
    end: int
    arrivals: float = 1.0
    closing: float = 1.0

    def on(self, value: float) -> Floats:
        factor = np.ones(DAYS)
        factor[self.start : self.end] = value
        return factor


@dataclass(frozen=True, eq=False)
class Rates:
    """All true rates of one company.

    Parameters
    ----------
    kind, size : str, int
        One of :data:`KINDS`; won deals a quarter, about.
    people : DataFrame
        ``rep_id, name, role, team, region, manager_id, hired_on, left_on`` with days as numbers too (``from``, ``to``).
    pace : ndarray, shape (days, reps)
        Deals created a day by each rep, without events and shocks.
    shares : ndarray, shape (segments,)
    prior : ndarray, shape (reps, segments, qualities)
        Quality of the deals of each rep.
    up, lost : ndarray, shape (segments, qualities, stages)
        Chance a day to move up (from the last stage: to be won), and to be lost.
    closing : ndarray, shape (days,)
        Factor on the chance to be won: season, and the end of the quarter.
    amounts : ndarray, shape (segments, 2)
        Mean and deviation of log amounts at creation.
    events : tuple of Event
    shock_new, shock_won : float
        Deviation of log factors, drawn each quarter, on arrivals and on closing.
    """

    kind: str
    size: int
    people: pd.DataFrame
    pace: Floats
    shares: Floats
    prior: Floats
    up: Floats
    lost: Floats
    closing: Floats
    amounts: Floats
    events: tuple[Event, ...]
    shock_new: float
    shock_won: float

    def arrivals_known(self, day: int) -> Floats:
        """Deals created a day by each rep, as who knows all rates of the day expects them, (days, reps)."""
        return np.asarray(self.pace * self._events(day, "arrivals")[:, None])

    def closing_known(self, day: int) -> Floats:
        """Factor on the chance to be won, as who knows all rates of the day expects it, (days,)."""
        return np.asarray(self.closing * self._events(day, "closing"))

    def _events(self, day: int, name: str) -> Floats:
        factor = np.ones(DAYS)
        for event in self.events:
            if event.start <= day:
                factor *= event.on(getattr(event, name))
        return factor


def day_number(day: date) -> int:
    return (day - START).days + BURN_IN


def calendar_day(number: int) -> date:
    return START + timedelta(days=number - BURN_IN)


def quarter_numbers() -> npt.NDArray[np.int64]:
    """Quarter of each day, counted from the first of the record (negative in the burn-in)."""
    days = pd.date_range(calendar_day(0), periods=DAYS)
    return np.asarray((days.year - START.year) * 4 + (days.quarter - 1), dtype=np.int64)


def draw_rates(number: int, seed: int = 1) -> Rates:
    """Rates of one company; kind and size follow from its number."""
    rng = np.random.default_rng([seed, number, 1])
    kind = KINDS[number % len(KINDS)]
    size = TINY if kind == "tiny" else SIZES[(number // len(KINDS)) % len(SIZES)]
    people = _people(size, kind, rng)
    up, lost = _moves(rng)
    prior = _prior(len(people), rng)
    shares = np.array([0.7, 0.3]) if size > 10 else np.array([0.8, 0.2])
    # a deal is won if it passes all stages
    won = (prior * (up / (up + lost)).prod(axis=2)).sum(axis=2) @ shares
    pace = _activity(people) * np.exp(rng.normal(0, 0.3, len(people)))
    level, quarter_days = _level(kind, rng), 91.3
    late = slice(DAYS - 366, DAYS)
    wins = (pace * level[:, None])[late].sum(axis=1).mean() if kind in ("growing", "shrinking") else pace.mean(0).sum()
    pace = pace * level[:, None] * size / quarter_days / (wins * float(won.mean()))
    median = float(np.exp(rng.normal(9.2, 0.5)))
    amounts = np.array([[np.log(median), 0.8], [np.log(3 * median), 0.8]])
    return Rates(
        kind, size, people, pace, shares, prior, up, lost, _closing(kind, rng), amounts, _events_of(kind, rng),
        shock_new=0.12, shock_won=0.12,
    )  # fmt: skip


def _people(size: int, kind: str, rng: np.random.Generator) -> pd.DataFrame:
    """Reps in teams of about five, teams in regions of two; some are hired late, some leave and are replaced."""
    n = {10: 3, 50: 6, 250: 15, 1000: 36}[size]
    hired = np.full(n, -400)
    gone = np.full(n, DAYS + 1)
    late = {"growing": 0.3, "shock": 0.1}.get(kind, 0.0)
    joins = rng.random(n) < late
    hired[joins] = rng.integers(BURN_IN, DAYS - 60, joins.sum())
    leaves = (rng.random(n) < {"shrinking": 0.2}.get(kind, 0.12 if size > 10 else 0.0)) & ~joins
    gone[leaves] = rng.integers(BURN_IN + 90, DAYS - 30, leaves.sum())
    team = np.arange(n) * max(round(n / 5), 1) // n
    frame = pd.DataFrame({"team": team, "from": hired, "to": gone})
    if kind != "shrinking":
        successors = frame[leaves].assign(**{"from": frame.loc[leaves, "to"] + 20, "to": DAYS + 1})
        frame = pd.concat([frame, successors], ignore_index=True)
    day = pd.Timestamp(calendar_day(0)).as_unit("s")
    ids = pd.Series([f"rep{i:02}" for i in range(len(frame))], dtype="str")
    return frame.assign(
        rep_id=ids, name=ids, role=pd.Series("rep", index=frame.index, dtype="str"),
        region="region" + (frame["team"] // 2).astype("str"), manager_id="manager" + frame["team"].astype("str"),
        team="team" + frame["team"].astype("str"),
        hired_on=day + pd.to_timedelta(frame["from"], unit="D"), left_on=day + pd.to_timedelta(frame["to"], unit="D"),
    )  # fmt: skip


def _activity(people: pd.DataFrame) -> Floats:
    """Share of full pace of each rep on each day: nothing before and after, rising while he learns, (days, reps)."""
    day = np.arange(DAYS)[:, None]
    since, until = people["from"].to_numpy()[None, :], people["to"].to_numpy()[None, :]
    ramp = np.clip((day - since) / _RAMP, 0.1, 1.0)
    return np.where((day >= since) & (day < until), ramp, 0.0)


def _level(kind: str, rng: np.random.Generator) -> Floats:
    """Trend times season of arrivals on each day, with a slow wandering of its own."""
    day = np.arange(DAYS)
    yearly = {"growing": rng.uniform(0.2, 0.5), "shrinking": -rng.uniform(0.15, 0.3)}.get(kind, rng.normal(0, 0.04))
    months = np.cumsum(rng.normal(0, 0.02, DAYS // 30 + 2))
    wander = np.interp(day, np.arange(len(months)) * 30.0, months - months.mean())
    swing = rng.uniform(0.35, 0.6) if kind == "seasonal" else rng.uniform(0.0, 0.1)
    angle = 2 * np.pi * (day - BURN_IN) / 365.25
    phase = rng.uniform(0, 2 * np.pi)
    season = swing * np.sin(angle + phase) + 0.3 * swing * np.sin(2 * angle + rng.uniform(0, 2 * np.pi))
    middle = BURN_IN + (DAYS - BURN_IN) / 2
    return np.asarray(np.exp(np.log1p(yearly) * (day - middle) / 365.25 + wander + season))


def _closing(kind: str, rng: np.random.Generator) -> Floats:
    """Factor on wins: more at the end of the quarter in half of the companies, and a season of its own."""
    days = pd.date_range(calendar_day(0), periods=DAYS)
    quarter = days.to_period("Q")
    part = (days - quarter.start_time).days / 91.0
    rush = rng.uniform(0.5, 1.5) if rng.random() < 0.5 else 0.0
    shape = 1 + rush * (np.clip((part - 0.75) / 0.25, 0, 1) - 0.125)
    swing = rng.uniform(0.1, 0.25) if kind == "seasonal" else rng.uniform(0.0, 0.05)
    season = np.exp(swing * np.sin(2 * np.pi * np.asarray(days.day_of_year) / 365.25 + rng.uniform(0, 2 * np.pi)))
    return np.asarray(shape * season, dtype=float)


def _events_of(kind: str, rng: np.random.Generator) -> tuple[Event, ...]:
    """Good or bad news at some day of the second or third year, for one quarter, two, or for good."""
    if kind != "shock":
        return ()
    start = BURN_IN + int(rng.integers(450, 1000))
    length = int(rng.choice([91, 182, 2000]))
    arrivals = float(rng.choice([rng.uniform(0.45, 0.7), rng.uniform(1.4, 1.9)]))
    return (Event(start, start + length, arrivals, float(rng.uniform(0.75, 1.2))),)


def _moves(rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Chances a day to move up and to be lost: the pace by company and segment, the way up by quality."""
    cycle = float(np.exp(rng.normal(0, 0.25)))
    stay = 15.0 * cycle * np.array([1.0, 1.6])[:, None, None] * np.array([0.8, 1.0, 1.1, 1.1])[None, None, :]
    ease = rng.normal(0, 0.2) + np.array([0.1, -0.15])[:, None, None]
    odds = _PASS / (1 - _PASS)
    passing = 1 / (1 + np.exp(-ease) / odds[None, :, None])
    return passing / stay, (1 - passing) / stay * np.ones((1, QUALITIES, 1))


def _prior(reps: int, rng: np.random.Generator) -> Floats:
    skill = rng.normal(0, 0.3, reps)[:, None, None]
    weight = _QUALITY * np.exp(skill * np.array([-1.0, 0.0, 1.0])) * np.ones((1, len(SEGMENTS), 1))
    return np.asarray(weight / weight.sum(axis=2, keepdims=True))
