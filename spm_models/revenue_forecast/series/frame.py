"""A long frame of series, checked and laid on each series' own even grid of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

import numpy as np
import pandas as pd

from spm_models.errors import StatisticsError

COLUMNS = ("unique_id", "ds", "y")
LONGEST = 2000  # moments kept: more would not be looked at
MONTHS = {1: 12, 2: 6, 4: 3, 12: 1}  # months between observations, by how many make a year


@dataclass(frozen=True)
class Grid:
    """Even steps of time: integers, months (from the first day, the last day or any other) or days.

    Parameters
    ----------
    kind : str
        ``integer``, ``month``, ``month_end`` or ``day``.
    step : int
        How many of them from one observation to the next.
    """

    kind: str
    step: int

    def after(self, last: Any, h: int) -> np.ndarray | pd.DatetimeIndex:
        """The next h moments after the last."""
        if self.kind == "integer":
            return np.asarray(int(last) + self.step * np.arange(1, h + 1), dtype=np.int64)
        last = pd.Timestamp(last)
        if self.kind == "day":
            return pd.DatetimeIndex([last + pd.Timedelta(days=self.step * k) for k in range(1, h + 1)])
        ahead = [last + pd.DateOffset(months=self.step * k) for k in range(1, h + 1)]
        if self.kind == "month_end":
            ahead = [day + pd.offsets.MonthEnd(0) for day in ahead]
        return pd.DatetimeIndex(ahead)

    def places(self, ds: pd.Series) -> np.ndarray:
        """Whole steps since the first moment."""
        units = _units(ds, self.kind)
        return np.asarray((units - units[0]) // self.step)


@dataclass(frozen=True)
class History:
    """One series on its grid; where a moment or a value was missing, y is NaN."""

    key: Any
    y: np.ndarray
    last: Any
    grid: Grid


def histories(frame: pd.DataFrame, season_length: int) -> list[History]:
    """The series of a long frame, by key.

    Parameters
    ----------
    frame : DataFrame
        ``unique_id``; ``ds``, days or integers in any order; ``y``, numbers, NaN where unknown.
    season_length : int
        Tells the step where the moments do not (a single observation).

    Raises
    ------
    StatisticsError
        If a column is missing, ``ds`` is neither days nor integers, a moment comes twice in a series, a value is
        text or infinite, or the frame has no known value.

    Examples
    --------
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": [3, 1, 4], "y": [30.0, 10.0, 40.0]})
    >>> histories(frame, 4)[0].y
    array([10., nan, 30., 40.])
    """
    rows = _checked(frame)
    kind = _kind(rows["ds"])
    groups = [(key, part.sort_values("ds")) for key, part in rows.groupby("unique_id", sort=True)]
    usual = _step([part["ds"] for _, part in groups], kind, season_length)
    found = []
    for key, part in groups:
        own = _step([part["ds"]], kind, season_length) if len(part) > 2 else usual
        grid = Grid(kind, own)
        places = grid.places(part["ds"])
        places -= max(int(places[-1]) + 1 - LONGEST, 0)
        y = np.full(int(places[-1]) + 1, np.nan)
        y[places[places >= 0]] = part["y"].to_numpy()[places >= 0]
        known = np.flatnonzero(~np.isnan(y))
        found.append(History(key, y[known[0] :] if len(known) else np.zeros(0), part["ds"].iloc[-1], grid))
    return found


def _checked(frame: pd.DataFrame) -> pd.DataFrame:
    missing = [name for name in COLUMNS if name not in frame.columns]
    if missing:
        raise StatisticsError("The frame of series lacks columns", where=", ".join(missing), found=list(frame.columns),
                              remedy="Give a long frame with unique_id, ds and y")  # fmt: skip
    rows = frame[list(COLUMNS)].reset_index(drop=True)
    if rows.empty:
        raise StatisticsError("The frame of series has no rows", remedy="Give at least one observation")
    if rows["unique_id"].isna().any() or rows["ds"].isna().any():
        raise StatisticsError("A row names no series or no moment", where="columns unique_id and ds",
                              remedy="Drop these rows, or say what they belong to")  # fmt: skip
    rows["ds"] = _moments(rows["ds"])
    rows["y"] = _values(rows["y"])
    twice = rows.duplicated(["unique_id", "ds"])
    if twice.any():
        one = rows[twice].iloc[0]
        raise StatisticsError("A moment comes twice in a series", where=f"unique_id {one['unique_id']!r}",
                              found=str(one["ds"]), remedy="Sum or drop the repeated rows before fitting")  # fmt: skip
    return rows


def _moments(ds: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(ds):
        raise _strange(ds)
    if pd.api.types.is_integer_dtype(ds):
        return ds.astype("int64")
    if isinstance(ds.dtype, pd.DatetimeTZDtype):
        ds = ds.dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(ds):
        return pd.to_datetime(ds).dt.normalize()
    if ds.dtype == object and ds.map(lambda value: isinstance(value, date)).all():
        return pd.to_datetime(ds).dt.normalize()
    raise _strange(ds)


def _strange(ds: pd.Series) -> StatisticsError:
    return StatisticsError("The moments are neither days nor whole numbers", where="column ds", found=ds.iloc[0],
                           remedy="Turn them into days with pandas.to_datetime, or number them 1, 2, 3 …")  # fmt: skip


def _values(y: pd.Series) -> pd.Series:
    if not pd.api.types.is_numeric_dtype(y) and not y.isna().all():
        text = y.map(lambda value: isinstance(value, str))
        if text.any():
            raise StatisticsError("The values are not numbers", where="column y", found=y[text].iloc[0],
                                  remedy="Turn them into numbers with pandas.to_numeric")  # fmt: skip
    values = pd.to_numeric(y.astype(object) if y.dtype == object else y).astype(float)
    if np.isinf(values).any():
        raise StatisticsError("A value is infinite", where="column y", remedy="Give NaN where a value is unknown")
    return values


def _kind(ds: pd.Series) -> str:
    if pd.api.types.is_integer_dtype(ds):
        return "integer"
    if ds.dt.is_month_end.all():
        return "month_end"
    return "month" if ds.dt.day.nunique() == 1 and ds.dt.day.iloc[0] <= 28 else "day"


def _step(moments: list[pd.Series], kind: str, season_length: int) -> int:
    gaps = np.concatenate([np.diff(_units(ds, kind)) for ds in moments])
    usual = MONTHS.get(season_length, 1) if kind.startswith("month") else 1
    common = int(reduce(np.gcd, gaps)) if len(gaps) else usual
    return usual if kind.startswith("month") and common % usual == 0 else common


def _units(ds: pd.Series, kind: str) -> np.ndarray:
    if kind == "integer":
        return ds.to_numpy(dtype=np.int64)
    if kind == "day":
        return (ds.to_numpy().astype("datetime64[D]")).astype(np.int64)
    return np.asarray(ds.dt.year * 12 + ds.dt.month, dtype=np.int64)
