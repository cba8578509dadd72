"""Which rows a viewer may see: a rep himself, a manager his reporting line, executives and analysts the company.

A total is shown only to those who may see everyone in it: the total of a team or region needs all its members in
scope, the company's needs the whole company. Otherwise what one may not see could be had by subtraction.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args

import pandas as pd

from spm_models.access.viewer import Role, Viewer, find_person, matching_people
from spm_models.crm.organisation import reporting_line
from spm_models.errors import AccessDeniedError

Level = Literal["company", "line", "rep"]
VARIABLE = "SPM_SCOPE"
_NOBODY: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scope:
    """The people and units whose figures may be shown.

    Parameters
    ----------
    level : {"company", "line", "rep"}
        The whole company, a reporting line, or one person.
    rep_ids, manager_ids, teams, regions : frozenset of str
        Whose own rows, and whose totals, may be shown. With ``company`` they are not asked.

    Examples
    --------
    >>> mine = Scope.of_rep("r1")
    >>> mine.allows("rep", "r1"), mine.allows("rep", "r2"), mine.allows("company", "")
    (True, False, False)
    >>> mine.filter(pd.DataFrame({"rep_id": ["r1", "r2"], "amount": [1, 2]}), "rep_id").amount.tolist()
    [1]
    """

    level: Level
    rep_ids: frozenset[str] = _NOBODY
    manager_ids: frozenset[str] = _NOBODY
    teams: frozenset[str] = _NOBODY
    regions: frozenset[str] = _NOBODY

    def __post_init__(self) -> None:
        if self.level not in get_args(Level):
            raise AccessDeniedError("This scope does not exist", found=self.level, remedy=f"Use {get_args(Level)}.")

    @classmethod
    def of_rep(cls, rep_id: str) -> Scope:
        """One person: what a report run gets."""
        return cls("rep", frozenset({rep_id}))

    @classmethod
    def of_company(cls) -> Scope:
        """Everything: for the weekly job itself."""
        return cls("company")

    @property
    def whole_company(self) -> bool:
        """Whether nothing is held back."""
        return self.level == "company"

    def allows(self, level: str, key: str) -> bool:
        """Whether a row of this level and unit may be shown."""
        if level not in _UNITS:
            return False
        return self.whole_company or (level != "company" and key in self._units(level))

    def filter(self, frame: pd.DataFrame, scoped_by: str | None) -> pd.DataFrame:
        """Only the rows that may be shown.

        Parameters
        ----------
        frame : DataFrame
            A published table.
        scoped_by : str, optional
            ``rep_id``; ``level`` for the pair level and key; ``company`` for what only the whole company may see;
            None for what concerns no one.

        Raises
        ------
        AccessDeniedError
            When the table does not say whose rows they are.
        """
        if scoped_by is None:
            return frame
        needed = {"rep_id": {"rep_id"}, "level": {"level", "key"}, "company": set()}.get(scoped_by)
        if needed is None or not needed <= set(frame.columns):
            raise AccessDeniedError("Nobody can tell whose rows these are", found=scoped_by)
        if self.whole_company:
            return frame
        if scoped_by == "company":
            return frame.iloc[:0]
        if scoped_by == "rep_id":
            return frame[frame.rep_id.isin(self.rep_ids)]
        allowed = pd.Series(False, frame.index)
        for level in _UNITS:
            allowed |= (frame.level == level) & frame.key.isin(self._units(level))
        return frame[allowed]

    def to_json(self) -> str:
        """Value of ``SPM_SCOPE``; the same scope gives the same text."""
        fields = {name: sorted(getattr(self, name)) for name in _SETS}
        return json.dumps({"level": self.level} | fields, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Scope:
        """Read what :meth:`to_json` wrote; anything else is refused."""
        try:
            raw = json.loads(text)
            if not isinstance(raw, dict) or set(raw) != {"level", *_SETS}:
                raise ValueError("other fields than expected")
            if any(not isinstance(raw[name], list) or not all(isinstance(i, str) for i in raw[name]) for name in _SETS):
                raise ValueError("ids must be lists of text")
            return cls(raw["level"], **{name: frozenset(raw[name]) for name in _SETS})
        except (ValueError, TypeError) as error:
            raise AccessDeniedError("The scope cannot be read", where=VARIABLE, found=str(error)) from error

    def _units(self, level: str) -> frozenset[str]:
        name = _UNITS[level]
        return getattr(self, name) if name else _NOBODY


_SETS = ("rep_ids", "manager_ids", "teams", "regions")
_UNITS = {"company": None, "region": "regions", "team": "teams", "manager": "manager_ids", "rep": "rep_ids"}


def scope(viewer: Viewer, organisation: pd.DataFrame) -> Scope:
    """What a viewer may see.

    Parameters
    ----------
    viewer : Viewer
        His role, where the sign-in gave none, is the one of the organisation's record; a manager who is only named
        by others is a manager.
    organisation : DataFrame
        Of :func:`spm_models.crm.organisation.organisation`, or the published table ``reps``.

    Raises
    ------
    AccessDeniedError
        When the person is not known (executives and analysts named by the sign-in need not be), or has left.
    """
    trusted = viewer.role in ("executive", "analyst")
    if trusted and not matching_people(viewer.id, organisation):
        return Scope.of_company()
    person = find_person(viewer.id, organisation)
    record = organisation[organisation.rep_id == person]
    if record.left_on.notna().any():
        raise AccessDeniedError("This person has left the company", found=viewer.id)
    role = role_of(viewer, organisation)
    if role in ("executive", "analyst"):
        return Scope("company", frozenset(organisation.rep_id))
    if role == "rep":
        return Scope.of_rep(person)
    line = frozenset(reporting_line(organisation, person) | {person})
    return Scope(
        "line", line, _complete(organisation, "manager_id", line), _complete(organisation, "team", line),
        _complete(organisation, "region", line),
    )  # fmt: skip


def role_of(viewer: Viewer, organisation: pd.DataFrame) -> Role:
    """A viewer's role: the sign-in's, else that of the organisation's record; who is only named by others manages.

    Raises
    ------
    AccessDeniedError
        When the sign-in gave no role and the person is not known.

    Examples
    --------
    >>> people = pd.DataFrame({"rep_id": ["r1"], "manager_id": ["m1"], "role": ["rep"]})
    >>> role_of(Viewer("r1"), people), role_of(Viewer("m1"), people), role_of(Viewer("x", "analyst"), people)
    ('rep', 'manager', 'analyst')
    """
    if viewer.role is not None:
        return viewer.role
    record = organisation[organisation.rep_id == find_person(viewer.id, organisation)]
    stated = _role(record.role.iloc[0]) if len(record) else "manager"
    return cast(Role, stated) if stated in get_args(Role) else "manager"


def scope_from_environment(environ: Mapping[str, str] | None = None) -> Scope:
    """The scope that the runner gave to this process; without one nothing may be seen."""
    text = (os.environ if environ is None else environ).get(VARIABLE)
    if not text:
        raise AccessDeniedError("No scope was given", where=VARIABLE, remedy="Run the report with `spm run`.")
    return Scope.from_json(text)


def _role(value: object) -> str:
    return str(value) if isinstance(value, str) and value else "rep"


def _complete(organisation: pd.DataFrame, column: str, line: Iterable[str]) -> frozenset[str]:
    """Units whose present reps and managers are all in the line. Who has left does not bar a unit from its manager."""
    sellers = organisation[organisation.left_on.isna() & ~organisation.role.isin(["executive", "analyst"])]
    complete = sellers.rep_id.isin(list(line)).groupby(sellers[column]).all()
    return frozenset(complete.index[complete])
