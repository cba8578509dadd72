"""Who belonged where on a day: manager, team, region and territory of every person.

With a ``reporting_lines`` table the manager is the one of that day; without it the plain manager column of ``reps``
is taken as if it had always held, and ``frame.attrs["dated"]`` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pandas as pd

COLUMNS = (
    "rep_id", "name", "manager_id", "manager_name", "team", "region", "territory", "role", "hired_on", "left_on",
    "email", "locale",
)  # fmt: skip
_DAYS = ("hired_on", "left_on", "valid_from", "valid_to")


def organisation(tables: Mapping[str, Any], as_of: date) -> pd.DataFrame:
    """Everyone who had joined by the end of ``as_of``, and where they belonged then.

    Parameters
    ----------
    tables : Tables
        Needs ``reps``; uses ``reporting_lines`` and ``territories`` where they are.
    as_of : datetime.date
        A day on which someone left later is not known yet and stays empty. Who had left keeps ``left_on`` and the
        place he had on his last day.

    Returns
    -------
    DataFrame
        Sorted by ``rep_id``; columns as ``COLUMNS``, text as ``str``, days as ``datetime64[s]``. ``attrs`` holds what
        was found on the way, each as a sorted list: ``dated`` (bool), ``two_managers`` (reps with two lines at once;
        the later start holds), ``unknown_managers`` (ids that ``reps`` does not have; they are their own name),
        ``without_manager`` and ``cycles`` (people who report to each other in a ring).

    Examples
    --------
    >>> import ibis
    >>> reps = ibis.memtable({"rep_id": ["r1", "m1"], "name": ["Ayşe", "Deniz"], "manager_id": ["m1", None]})
    >>> organisation({"reps": reps}, date(2026, 6, 30))[["rep_id", "manager_name", "role"]].values.tolist()
    [['m1', nan, 'rep'], ['r1', 'Deniz', 'rep']]
    """
    day = pd.Timestamp(as_of).as_unit("s")
    listed = _read(tables, "reps", COLUMNS)
    people = listed[~(listed.hired_on > day)].sort_values("rep_id", ignore_index=True)
    people["left_on"] = people.left_on.where(people.left_on <= day)
    last_days = people.left_on.fillna(day).set_axis(people.rep_id)  # who left keeps the place of his last day
    dated = "reporting_lines" in tables
    two_managers: list[str] = []
    if dated:
        people["manager_id"], two_managers = _held(tables, "reporting_lines", "manager_id", last_days)
    if "territories" in tables:
        people["territory"], _ = _held(tables, "territories", "territory", last_days)
    else:
        people["territory"] = people.region
    people["manager_id"] = people.manager_id.where(people.manager_id != people.rep_id)
    names = listed.set_index("rep_id").name
    people["manager_name"] = people.manager_id.map(names).fillna(people.manager_id).astype("str")
    people["role"] = people.role.fillna("rep")
    people["name"] = people.name.fillna(people.rep_id)
    people = people[list(COLUMNS)]
    managers = people.manager_id.dropna()
    people.attrs = {
        "dated": dated,
        "two_managers": two_managers,
        "unknown_managers": sorted(set(managers) - set(names.index)),
        "without_manager": people.rep_id[people.manager_id.isna() & (people.role == "rep")].tolist(),
        "cycles": _cycles(
            dict(zip(people.rep_id, people.manager_id.where(people.manager_id.notna(), None), strict=True))
        ),
    }
    return people


def reporting_line(organisation: pd.DataFrame, manager_id: str) -> set[str]:
    """Everyone who reports to a manager, directly or through others; never the manager himself.

    Examples
    --------
    >>> people = pd.DataFrame({"rep_id": ["r1", "m1", "boss"], "manager_id": ["m1", "boss", None]})
    >>> sorted(reporting_line(people, "boss")), reporting_line(people, "r1")
    (['m1', 'r1'], set())
    """
    direct: dict[str, list[str]] = {}
    known = organisation[organisation.manager_id.notna()]
    for rep_id, manager in zip(known.rep_id, known.manager_id, strict=True):
        direct.setdefault(manager, []).append(rep_id)
    found: set[str] = set()
    waiting = [manager_id]
    while waiting:
        new = set(direct.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found - {manager_id}


def _read(tables: Mapping[str, Any], name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    from spm_models.database import frame  # loads a database engine, which whoever only asks for a line needs not

    rows = frame(tables[name])
    rows = rows.reindex(
        columns=[column for column in rows if column in columns] + [c for c in columns if c not in rows]
    )
    return rows.astype({c: "datetime64[s]" if c in _DAYS else "str" for c in columns})


def _held(tables: Mapping[str, Any], name: str, value: str, last_days: pd.Series) -> tuple[pd.Series, list[str]]:
    """What each person held on his own day, in the order of ``last_days``; and who held two things at once."""
    rows = _read(tables, name, ("rep_id", value, "valid_from", "valid_to"))
    rows = rows[rows.rep_id.isin(last_days.index) & rows[value].notna()]
    day = rows.rep_id.map(last_days)
    rows = rows[(rows.valid_from <= day) & ~(rows.valid_to < day)].sort_values(["rep_id", "valid_from", value])
    several = rows.groupby("rep_id")[value].nunique()
    newest = rows.drop_duplicates("rep_id", keep="last").set_index("rep_id")[value]
    held = newest.reindex(last_days.index).reset_index(drop=True).astype("str")
    return held, sorted(several.index[several > 1])


def _cycles(manager_of: dict[str, str | None]) -> list[tuple[str, ...]]:
    cycles: list[tuple[str, ...]] = []
    done: set[str] = set()
    for start in manager_of:
        path: dict[str, int] = {}
        person: str | None = start
        while person is not None and person not in done and person not in path:
            path[person] = len(path)
            person = manager_of.get(person)
        if person is not None and person in path:
            ring = list(path)[path[person] :]
            first = ring.index(min(ring))
            cycles.append(tuple(ring[first:] + ring[:first]))
        done |= set(path)
    return sorted(cycles)
