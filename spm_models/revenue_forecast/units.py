"""Whose money it is: reps as the leaves of every level, with a place for what belongs to nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

UNASSIGNED = "unassigned"
LEVELS = ("company", "region", "team", "manager", "rep")
_COLUMNS = {"region": "region", "team": "team", "manager": "manager_id"}


@dataclass(frozen=True, eq=False)
class Units:
    """Leaves of the organisation on one day: one row a person, sorted by id, and a last one for unknown owners.

    ``table`` has the columns ``rep_id`` (empty in the last row), ``region, team, manager, rep`` (the key on each
    level), ``sells`` (new business is to be expected), ``since`` and ``until`` (first and last day at work, if
    known). The rep key of people who have left is :data:`UNASSIGNED`; their team, manager and region keep what they
    leave behind.
    """

    table: pd.DataFrame

    @classmethod
    def of(cls, organisation: pd.DataFrame, as_of: date) -> Units:
        """Build them from the table that :func:`spm_models.crm.organisation` gives.

        Examples
        --------
        >>> people = pd.DataFrame({"rep_id": ["b", "a"], "team": ["x", None], "left_on": ["2026-01-31", None]})
        >>> Units.of(people, date(2026, 6, 30)).table[["rep_id", "rep", "team"]].to_numpy().tolist()
        [['a', 'a', 'unassigned'], ['b', 'unassigned', 'x'], ['', 'unassigned', 'unassigned']]
        """
        people = organisation.sort_values("rep_id", ignore_index=True)
        nobody = pd.DataFrame({"rep_id": [""]})
        people = pd.concat([people[people.rep_id.notna()], nobody], ignore_index=True)
        table = pd.DataFrame({"rep_id": people.rep_id.astype("str")})
        for level, column in _COLUMNS.items():
            table[level] = _text(people, column).fillna(UNASSIGNED)
        left = _days(people, "left_on") <= pd.Timestamp(as_of)
        table["rep"] = table.rep_id.where(~left & (table.rep_id != ""), UNASSIGNED)
        table["sells"] = _text(people, "role").fillna("rep").eq("rep") & (table.rep != UNASSIGNED)
        table["since"] = _days(people, "hired_on")
        table["until"] = _days(people, "left_on").where(left)
        return cls(table)

    def __len__(self) -> int:
        return len(self.table)

    def leaf(self, owners: pd.Series) -> npt.NDArray[np.int64]:
        """Leaf of each owner; the last one where the owner is unknown."""
        at = pd.Index(self.table.rep_id[:-1]).get_indexer(pd.Index(owners))
        return np.where(at < 0, len(self) - 1, at).astype(np.int64)

    def keys(self, level: str) -> tuple[list[str], npt.NDArray[np.int64]]:
        """Sorted keys of a level, and the place of each leaf's key among them."""
        if level == "company":
            return [""], np.zeros(len(self), dtype=np.int64)
        codes, keys = pd.factorize(self.table[level], sort=True)
        return [str(key) for key in keys], np.asarray(codes, dtype=np.int64)


def _text(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame:
        return pd.Series(None, index=frame.index, dtype="str")
    text = frame[column].astype("str")
    return text.where(text.notna() & (text != ""), None)


def _days(frame: pd.DataFrame, column: str) -> pd.Series:
    if column not in frame:
        return pd.Series(pd.NaT, index=frame.index, dtype="datetime64[s]")
    return pd.to_datetime(frame[column]).astype("datetime64[s]")
