"""What people use: plain forecasts of a quarter's revenue from what was known on a day in its course.

All take the same past: revenue of finished quarters, what was closed by the same week of them, and the pipeline then.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar, Period

Floats = npt.NDArray[np.float64]
SIMPLE = ("stage_weighted", "coverage_history", "linearity", "run_rate", "last_value", "seasonal_naive", "ets")
_PAST = 8  # quarters looked back at for ratios; the last four count twice


@dataclass(frozen=True, eq=False)
class Past:
    """The same week of past quarters, oldest first, and this one.

    ``closed`` was won by then, ``total`` in the whole quarter; ``open`` and ``due`` are amounts of deals open then,
    and of those expected to close in the quarter. The last places of ``closed``, ``open`` and ``due`` are now.
    """

    total: Floats
    closed: Floats
    open: Floats
    due: Floats
    stage_weighted: float
    left: float  # share of the quarter's days left
    pace: float  # revenue a quarter of the last 365 days


def past(snapshots: pd.DataFrame, outcomes: pd.DataFrame, day: date, quarter: Period) -> Past:
    """From snapshots that hold the day and the same day of past quarters (others may be among them)."""
    calendar = quarter.calendar or FiscalCalendar()
    into = (day - quarter.start).days
    won = outcomes[outcomes["won"]]
    quarters = [q for q in calendar.quarters(_first(outcomes, day), quarter.start) if q.start < quarter.start]
    if quarters and _first(outcomes, day) > quarters[0].start + timedelta(days=14):
        quarters = quarters[1:]
    ends = [min(q.start + timedelta(days=into), q.end) for q in quarters]
    total = np.array([_between(won, q.start, q.end) for q in quarters])
    closed = np.array([_between(won, q.start, end) for q, end in zip(quarters, ends, strict=True)])
    sums = [_pipeline(snapshots, end, q) for q, end in [*zip(quarters, ends, strict=True), (quarter, day)]]
    now = _between(won, quarter.start, day)
    days = min(365, (day - _first(outcomes, day)).days + 1)
    pace = _between(won, day - timedelta(days=days - 1), day) / days * quarter.days
    return Past(
        total, np.append(closed, now), np.array([s[0] for s in sums]), np.array([s[1] for s in sums]),
        now + _stage_weighted(snapshots, outcomes, day, quarter), quarter.remaining_days(day) / quarter.days, pace,
    )  # fmt: skip


def simple(known: Past) -> dict[str, float]:
    """Every plain forecast of the quarter's total that the record allows."""
    total, closed, now = known.total, known.closed[:-1], float(known.closed[-1])
    rest = total - closed
    found = {"stage_weighted": known.stage_weighted, "run_rate": now + known.pace * known.left}
    if len(total):
        found["last_value"] = now + float(rest[-1])
        found["linearity"] = _by_linearity(total, closed, now)
        ratio = _ratio(rest, known.open[:-1])
        if np.isfinite(ratio):
            found["coverage_history"] = now + ratio * float(known.open[-1])
    if len(total) >= 4:
        found["seasonal_naive"] = now + float(rest[-4])
    smooth = smoothed(rest)
    if np.isfinite(smooth):
        found["ets"] = now + smooth
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _by_linearity(total: Floats, closed: Floats, now: float) -> float:
    """Closed so far over the share of a quarter that was usually closed by this week; early, the mean of the past."""
    share = 1 / _ratio(total, closed) if closed[-_PAST:].sum() > 0 else 0.0
    usual = float(total[-4:].mean())
    # what is closed tells as much as its share of the quarter
    return share * (now / share) + (1 - share) * usual if share > 0 else usual


def _ratio(over: Floats, under: Floats) -> float:
    weight = np.where(np.arange(len(over)) >= len(over) - 4, 2.0, 1.0)[-_PAST:]
    below = float(weight @ under[-_PAST:])
    return float(weight @ over[-_PAST:]) / below if below > 0 else np.nan


def smoothed(values: Floats) -> float:
    """Exponential smoothing with damped trend; additive seasons once three years are known."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing

    if len(values) < 5 or (values <= 0).any():
        return float(values.mean()) if len(values) else np.nan
    seasons = {"seasonal": "add", "seasonal_periods": 4} if len(values) >= 12 else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = ExponentialSmoothing(
            np.log(values), trend="add", damped_trend=True, initialization_method="estimated", **seasons
        )
        ahead = float(np.asarray(model.fit().forecast(1))[0])
    return float(np.exp(np.clip(ahead, np.log(values.min() / 3), np.log(values.max() * 3))))


def _stage_weighted(snapshots: pd.DataFrame, outcomes: pd.DataFrame, day: date, quarter: Period) -> float:
    """Open deals due in the quarter, each amount times the share won of decided deals seen in its stage."""
    decided = outcomes[["opportunity_id", "won"]]
    earlier = snapshots[snapshots["as_of"] < pd.Timestamp(day)].merge(decided, on="opportunity_id")
    by_stage = earlier.groupby("stage")["won"].agg(["sum", "size"])
    common = float(outcomes["won"].mean()) if len(outcomes) else 0.0
    rates = (by_stage["sum"] + 2 * common) / (by_stage["size"] + 2)
    rows = snapshots[snapshots["as_of"] == pd.Timestamp(day)]
    rows = rows[rows["expected_close_on"].isna() | (rows["expected_close_on"] <= pd.Timestamp(quarter.end))]
    worth = rows["amount"].fillna(float(outcomes.loc[outcomes["won"], "amount"].mean()))
    return float((worth * rows["stage"].map(rates).astype(float).fillna(common)).sum())


def _pipeline(snapshots: pd.DataFrame, day: date, quarter: Period) -> tuple[float, float]:
    rows = snapshots[snapshots["as_of"] == pd.Timestamp(day)]
    due = rows["expected_close_on"] <= pd.Timestamp(quarter.end)
    return float(rows["amount"].sum()), float(rows.loc[due, "amount"].sum())


def _between(won: pd.DataFrame, first: date, last: date) -> float:
    return float(won.loc[won["closed_on"].between(pd.Timestamp(first), pd.Timestamp(last)), "amount"].sum())


def _first(outcomes: pd.DataFrame, day: date) -> date:
    return outcomes["closed_on"].min().date() if len(outcomes) else day
