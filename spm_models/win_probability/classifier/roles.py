"""What each column of any table is: a number, a category, a date; and the table as numbers and codes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError
from spm_models.win_probability.classifier.drift import as_numbers

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]
NUMERIC_TEXT = 0.95  # share of a text column that must read as numbers
MOST_LEVELS = 5000
MISSING = 0  # code of a missing category; categories of the table follow; -1 was never seen
_ISO_DAY = r"^\d{4}-\d{2}-\d{2}([T ].*)?$"


class InputError(ModelError, ValueError):
    """A table or its labels cannot be used; also a ``ValueError``, as scikit-learn's callers expect."""


@dataclass(frozen=True, eq=False)
class Table:
    """Rows as numbers and codes.

    Parameters
    ----------
    numbers : ndarray, shape (n, numbers)
        NaN where missing.
    codes : ndarray of int, shape (n, categories)
        0 missing, from 1 the levels of the column, -1 a level that was not there when roles were learned.
    """

    numbers: Floats
    codes: Codes

    def __len__(self) -> int:
        return len(self.numbers)

    def rows(self, rows: Any) -> Table:
        """Some of the rows, by number, slice or mask."""
        return Table(self.numbers[rows], self.codes[rows])

    def muted(self, numbers: npt.NDArray[np.bool_], codes: npt.NDArray[np.bool_]) -> Table:
        """The same with some columns constant."""
        if not numbers.any() and not codes.any():
            return self
        return Table(np.where(numbers, 0.0, self.numbers), np.where(codes, np.int32(MISSING), self.codes))


@dataclass(frozen=True, eq=False)
class Roles:
    """How the columns of a table are read.

    Parameters
    ----------
    names : list of str
        All columns that a table to predict must have, in the order learned.
    kinds : list of str
        ``number``, ``date``, ``category``, ``time`` (orders rows, no feature) or ``constant`` (nothing to learn).
    levels : dict of column -> list of str
        Of categories, in the order of their codes from 1.
    time : str or None
        The column that dates are counted from.

    Examples
    --------
    >>> X = pd.DataFrame({"amount": ["10", "12.5", None], "source": ["web", "fair", "web"], "same": [1, 1, 1]})
    >>> roles = Roles.learn(X)
    >>> roles.kinds, roles.table(X).numbers[:, 0].tolist(), roles.table(X).codes[:, 0].tolist()
    (['number', 'category', 'constant'], [10.0, 12.5, nan], [2, 1, 2])
    """

    names: list[str]
    kinds: list[str]
    levels: dict[str, list[str]]
    time: str | None = None

    @classmethod
    def learn(cls, X: pd.DataFrame, time: str | None = None) -> Roles:
        """Find the role of each column."""
        check_names(X)
        kinds, levels = [], {}
        for name in X.columns:
            kind = "time" if str(name) == time else _kind(X[name])
            if kind == "category":
                found = _text(X[name]).value_counts()
                found = found.sort_index(kind="stable").sort_values(ascending=False, kind="stable")
                kept = sorted(str(value) for value in found.index[:MOST_LEVELS])
                levels[str(name)] = kept
                several = len(kept) + bool(X[name].isna().any()) > 1
                kind = "category" if several else "constant"
            kinds.append(kind)
        return cls([str(name) for name in X.columns], kinds, levels, time)

    @property
    def numbers(self) -> list[str]:
        """Columns of ``Table.numbers``."""
        return [name for name, kind in zip(self.names, self.kinds, strict=True) if kind in ("number", "date")]

    @property
    def categories(self) -> list[str]:
        """Columns of ``Table.codes``."""
        return [name for name, kind in zip(self.names, self.kinds, strict=True) if kind == "category"]

    @property
    def features(self) -> list[str]:
        """Columns that something is learned from: numbers, then categories."""
        return [*self.numbers, *self.categories]

    def table(self, X: pd.DataFrame) -> Table:
        """Read a table by these roles; columns are found by name, further ones are left out.

        Raises
        ------
        InputError
            When a column is missing.
        """
        check_names(X)
        held = {str(name): X[name] for name in X.columns}
        absent = [name for name in self.features if name not in held]
        if absent:
            raise InputError(
                "Columns that the model learned from are missing", where="X", found=absent,
                remedy="Give every column of the learning set; fill those that are unknown with missing values.",
            )  # fmt: skip
        numbers = np.full((len(X), len(self.numbers)), np.nan)
        reference = as_days(held[self.time]) if self.time in held and is_date(held[self.time]) else None
        kinds = dict(zip(self.names, self.kinds, strict=True))
        for place, name in enumerate(self.numbers):
            numbers[:, place] = _dates(held[name], reference) if kinds[name] == "date" else as_float(held[name])
        codes = np.zeros((len(X), len(self.categories)), dtype=np.int32)
        for place, name in enumerate(self.categories):
            codes[:, place] = _codes(held[name], self.levels[name])
        return Table(numbers, codes)


def check_names(X: pd.DataFrame) -> None:
    """Refuse columns that cannot be told apart.

    Raises
    ------
    InputError
        When two columns have one name.
    """
    names = [str(name) for name in X.columns]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise InputError("Two columns have the same name", where="X", found=twice, remedy="Rename or drop one of them.")


def as_float(column: pd.Series) -> Floats:
    """Numbers of a column; infinities are as large as numbers get, text that is no number is missing."""
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        values = pd.to_numeric(column.astype("object"), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.asarray(np.clip(values, -1e300, 1e300))


def as_days(column: pd.Series) -> Floats:
    """Dates as days since 1970, NaN where missing or not a date."""
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        column = pd.to_datetime(column.astype("object"), errors="coerce", utc=True, format="mixed")
    return as_numbers(column)


def _dates(column: pd.Series, reference: Floats | None) -> Floats:
    days = as_days(column)
    return days if reference is None else days - reference


def _kind(column: pd.Series) -> str:
    """Number, date, category or constant."""
    known = column.dropna()
    if not len(known):
        return "constant"
    if is_date(column):
        return "date" if as_days(known).std() > 0 or len(known) < len(column) else "constant"
    plain = pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_numeric_dtype(column.dtype)
    if pd.api.types.is_complex_dtype(column.dtype):
        raise InputError("Complex data not supported", where=f"column {column.name}")
    if plain or _is_numeric_text(known):
        several = len(np.unique(as_float(known))) > 1 or len(known) < len(column)
        return "number" if several else "constant"
    return "category"


def is_date(column: pd.Series) -> bool:
    """Whether a column is of dates, or of text that reads as days."""
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return True
    if not (pd.api.types.is_object_dtype(column.dtype) or pd.api.types.is_string_dtype(column.dtype)):
        return False
    known = column.dropna()
    some = known.iloc[:1000].astype(str)
    return len(some) > 0 and bool(some.str.match(_ISO_DAY).all()) and bool(np.isfinite(as_days(known)).mean() > 0.9)


def _is_numeric_text(known: pd.Series) -> bool:
    """Whether text reads as numbers; codes with leading zeros are names."""
    if isinstance(known.dtype, pd.CategoricalDtype):
        return False
    text = known.astype(str)
    if text.str.match(r"^0\d").any():
        return False
    return bool(pd.to_numeric(text, errors="coerce").notna().mean() >= NUMERIC_TEXT)


def _text(column: pd.Series) -> pd.Series:
    """Known values as text."""
    return column.dropna().astype("object").map(str).astype("object")


def _codes(column: pd.Series, levels: list[str]) -> Codes:
    place = {level: code for code, level in enumerate(levels, 1)}
    if not len(column):
        return np.zeros(0, dtype=np.int32)
    try:
        codes, uniques = pd.factorize(column, use_na_sentinel=True)
    except TypeError:  # lists and the like
        codes, uniques = pd.factorize(_text(column).reindex(column.index), use_na_sentinel=True)
    table = np.array([*(place.get(str(value), -1) for value in uniques), MISSING], dtype=np.int32)
    return table[codes]
