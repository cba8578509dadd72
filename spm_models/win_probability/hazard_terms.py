"""Terms of the hazards of winning and losing: bands of what the snapshot shows, and of what moves with time."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar
from spm_models.win_probability.person_periods import BINS, MIDDLES

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]

#: Bands of what is measured in the snapshot; an empty value has a band of its own, the last.
MEASURES: dict[str, tuple[float, ...]] = {
    "days_to_expected_close": (-60.0, -30.0, -14.0, 0.0, 14.0, 30.0, 60.0, 120.0),
    "days_in_stage": (7.0, 14.0, 30.0, 60.0, 120.0),
    "days_since_activity": (3.0, 7.0, 14.0, 30.0, 60.0),
    "activities_30d": (0.0, 1.0, 3.0, 6.0, 10.0),
    "meetings": (0.0, 1.0, 2.0, 3.0, 5.0),
    "contacts": (0.0, 1.0, 2.0, 3.0, 5.0),
    "push_count": (0.0, 1.0, 2.0, 4.0),
}
KINDS = ("stage", "kind")
#: Bands at the time of the hazard: days to the expected close, age, days to the end of the quarter.
DUE = np.array([-180, -90, -60, -30, -14, -7, 0, 7, 14, 30, 60, 90, 180], dtype=float)
AGE = np.array(
    [3, 7, 10, 14, 21, *range(30, 121, 10), 135, 150, 180, 210, 240, 300, 365, 545, 730], dtype=float
)  # fmt: skip
QUARTER = np.array([4, 8, 15, 30, 45, 60], dtype=float)
#: Stretches of time: what the snapshot showed matters most for what comes soon.
PERIODS: Codes = np.searchsorted([14.0, 42.0, 91.0], MIDDLES, side="right").astype(np.int64)
_PERIODS = int(PERIODS.max()) + 1
NONE = -1  # no column of the term
_FAR = 2  # the period from which an expected close date is far ahead
_LEAST_ROWS, _MOST_LEVELS = 20, 30
_YEARS_AHEAD = 3
_REACH = 2000


@dataclass(frozen=True)
class Term:
    """A set of 0/1 columns, of which each stretch has one (or none)."""

    name: str
    size: int
    ordered: bool  # neighbours are drawn together
    kind: str  # base | level | deviation; the last column of an ordered level stands for an empty value


@dataclass
class Terms:
    """The terms: categories and quarter ends that were learned, and the columns that rows fall into.

    The hazard of a stretch is the sum of the effects of its bin; of what the snapshot shows, which may be another
    soon than later; and of what is known to move with time: days to the expected close, age, days to the quarter's end.
    """

    levels: dict[str, list[str]] = field(default_factory=dict)
    quarter_ends: list[int] = field(default_factory=list)

    def fit(self, rows: pd.DataFrame, as_of: date, calendar: FiscalCalendar) -> Terms:
        """Learn the categories (rare ones join the others) and the quarters to come."""
        for name in KINDS:
            size = rows[name].value_counts()
            self.levels[name] = sorted(str(level) for level in size.index[size >= _LEAST_ROWS][:_MOST_LEVELS])
        first = rows.as_of.min().date()
        last = (pd.Timestamp(as_of) + pd.DateOffset(years=_YEARS_AHEAD)).date()
        self.quarter_ends = [quarter.end.toordinal() for quarter in calendar.quarters(first, last)]
        return self

    @property
    def static(self) -> list[Term]:
        """Terms of what the snapshot shows; each has its deviations by period after it."""
        found = [Term(name, len(edges) + 2, True, "level") for name, edges in MEASURES.items()]
        found += [Term(name, len(levels) + 1, False, "level") for name, levels in self.levels.items()]
        return found

    @property
    def all(self) -> list[Term]:
        """Every term in the order of the columns."""
        found = [Term("bin", BINS, True, "base")]
        for term in self.static:
            found += [term, Term(f"{term.name} by period", term.size * _PERIODS, False, "deviation")]
        moving = {"due": DUE, "age": AGE, "quarter": QUARTER}
        found += [Term(name, len(edges) + 2, True, "level") for name, edges in moving.items()]
        return [*found, Term("due far ahead", len(DUE) + 2, False, "deviation")]

    def codes(self, rows: pd.DataFrame) -> dict[str, Codes]:
        """Column of each row in each static term."""
        found: dict[str, Codes] = {name: banded(rows[name], np.array(edges)) for name, edges in MEASURES.items()}
        for name, levels in self.levels.items():
            place = {level: code for code, level in enumerate(levels)}
            found[name] = np.asarray(rows[name].map(place).fillna(len(levels)), dtype=np.int64)
        return found

    def columns(self, rows: pd.DataFrame, row: Codes, place: Codes) -> list[Codes]:
        """Column of each stretch (``row``, bin ``place``) in each term, in the order of :attr:`all`."""
        found = [place]
        for code in self.codes(rows).values():
            found += [code[row], code[row] * _PERIODS + PERIODS[place]]
        due = banded(rows.days_to_expected_close.to_numpy(dtype=float)[row] - MIDDLES[place], DUE)
        far = np.where(PERIODS[place] >= _FAR, due, NONE)
        age = banded(rows.age_days.to_numpy(dtype=float)[row] + MIDDLES[place], AGE)
        return [*found, due, age, self.to_quarter_end(rows.as_of)[row, place], far]

    def to_quarter_end(self, as_of: pd.Series) -> Codes:
        """Band of the days to the end of the quarter in the middle of each bin, shape (rows, bins)."""
        day, code = np.unique(as_of.to_numpy(dtype="datetime64[D]"), return_inverse=True)
        ordinal = day.astype(np.int64) + date(1970, 1, 1).toordinal()
        when = ordinal[:, None] + MIDDLES[None, :].astype(np.int64)
        ends = np.array(self.quarter_ends)
        end = ends[np.clip(np.searchsorted(ends, when), 0, len(ends) - 1)]
        left = np.where(end >= when, end - when, np.nan)
        return np.asarray(banded(left.astype(float), QUARTER)[code], dtype=np.int64)

    def log_hazards(self, rows: pd.DataFrame, effect: Floats) -> Floats:
        """Sum of the effects of all terms, shape (rows, bins)."""
        ends = np.cumsum([term.size for term in self.all])
        parts = dict(zip([term.name for term in self.all], np.split(effect, ends[:-1]), strict=True))
        total = np.broadcast_to(parts["bin"], (len(rows), BINS)).copy()
        for name, code in self.codes(rows).items():
            by_period = parts[f"{name} by period"].reshape(-1, _PERIODS) + parts[name][:, None]
            total += by_period[:, PERIODS][code]
        total += _moving(rows.days_to_expected_close, -1, parts["due"], DUE, np.ones(BINS, dtype=bool))
        total += _moving(rows.days_to_expected_close, -1, parts["due far ahead"], DUE, PERIODS >= _FAR)
        total += _moving(rows.age_days, 1, parts["age"], AGE, np.ones(BINS, dtype=bool))
        return np.asarray(total + parts["quarter"][self.to_quarter_end(rows.as_of)], dtype=float)


def banded(values: npt.ArrayLike, edges: Floats) -> Codes:
    """Band of each value; one more than the number of bands where it is empty."""
    array = np.asarray(values, dtype=float)
    return np.where(np.isnan(array), len(edges) + 1, np.searchsorted(edges, array, side="left")).astype(np.int64)


def _moving(values: pd.Series, step: int, effect: Floats, edges: Floats, where: npt.NDArray[np.bool_]) -> Floats:
    """Effect of a measure that changes by ``step`` a day, shape (rows, bins); whole days are looked up."""
    reach = np.arange(-_REACH, _REACH + 1, dtype=float)
    by_day = np.append(effect[banded(reach, edges)], effect[-1])
    array = values.to_numpy(dtype=float)
    start = np.where(np.isnan(array), 0, np.clip(np.nan_to_num(array), -_REACH, _REACH)).astype(np.int64)
    day = np.clip(start[:, None] + step * MIDDLES[None, :].astype(np.int64) + _REACH, 0, 2 * _REACH)
    day[np.isnan(array)] = len(by_day) - 1
    return np.asarray(by_day[day] * where, dtype=float)


def completed(rows: pd.DataFrame) -> pd.DataFrame:
    """Snapshots with every column that the terms look at; columns that are not there are empty."""
    kinds = dict.fromkeys((*MEASURES, "age_days"), "float64") | dict.fromkeys((*KINDS, "rep_id"), "str")
    kinds["expected_close_on"] = "datetime64[s]"
    absent = {name: pd.Series(index=rows.index, dtype=kind) for name, kind in kinds.items() if name not in rows}
    return rows.assign(**absent) if absent else rows
