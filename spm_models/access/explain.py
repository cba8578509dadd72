"""Why somebody sees what he sees: who he is found as, his role and where it comes from, and whose figures follow."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from spm_models.access.scope import Scope, role_of, scope
from spm_models.access.viewer import Role, Viewer, matching_people


@dataclass(frozen=True)
class Explanation:
    """What a viewer may see, and why.

    Parameters
    ----------
    login, person, role : str
        As he is called, as he is found in the data, and his role.
    role_from : str
        Where the role comes from, in a sentence.
    scope : Scope
        Whose figures he may see.
    """

    login: str
    person: str
    role: Role
    role_from: str
    scope: Scope

    def why(self, rep_id: str, organisation: pd.DataFrame) -> str:
        """Why he may see a rep's figures, or may not, in a sentence.

        Parameters
        ----------
        rep_id : str
        organisation : DataFrame
            The published table ``reps``.
        """
        if not (organisation["rep_id"] == rep_id).any():
            return f"{rep_id} is not in the published organisation: nobody sees anything of him."
        if self.scope.whole_company:
            return f"He may: as {self.role} he sees the whole company."
        if rep_id == self.person:
            return "He may: these are his own figures."
        chain = managers_of(organisation, rep_id)
        line = f"{rep_id} reports to {' → '.join(chain)}" if chain else f"{rep_id} reports to nobody"
        if self.scope.allows("rep", rep_id):
            return f"He may: {line}."
        return f"He may not: {line}, and {self.person} is not among them."


def explain(viewer: Viewer, organisation: pd.DataFrame) -> Explanation:
    """What a viewer may see.

    Raises
    ------
    AccessDeniedError
        When the person is not known, several are meant, or he has left: then he sees nothing.

    Examples
    --------
    >>> people = pd.DataFrame({"rep_id": ["r1", "r2"], "manager_id": ["m1", "m2"], "role": ["rep", "rep"],
    ...     "team": ["A", "B"], "region": ["N", "N"], "left_on": [pd.NaT, pd.NaT]})
    >>> found = explain(Viewer("m1"), people)
    >>> found.role, sorted(found.scope.rep_ids)
    ('manager', ['m1', 'r1'])
    >>> found.why("r2", people)
    'He may not: r2 reports to m2, and m1 is not among them.'
    """
    allowed = scope(viewer, organisation)
    found = matching_people(viewer.id, organisation)
    person = found.pop() if len(found) == 1 else viewer.id
    if viewer.role is not None:
        source = "spm.toml gives it to him ([pages].role or [pages.roles])"
    elif (organisation["rep_id"] == person).any():
        source = "his record in reps gives it to him"
    else:
        source = "he has no record in reps, and others name him as their manager"
    return Explanation(viewer.id, person, role_of(viewer, organisation), source, allowed)


def managers_of(organisation: pd.DataFrame, rep_id: str) -> list[str]:
    """The managers above a person, the nearest first; a cycle ends where it began.

    Examples
    --------
    >>> people = pd.DataFrame({"rep_id": ["a", "b", "c"], "manager_id": ["b", "c", "a"]})
    >>> managers_of(people, "a")
    ['b', 'c']
    """
    above = dict(zip(organisation["rep_id"], organisation["manager_id"], strict=True))
    chain: list[str] = []
    person = above.get(rep_id)
    while isinstance(person, str) and person not in (rep_id, *chain):
        chain.append(person)
        person = above.get(person)
    return chain
