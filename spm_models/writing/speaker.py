"""Who speaks when something is written into the journal: whoever signed in, or is named on the command line."""

from __future__ import annotations

import os
from dataclasses import dataclass

import pandas as pd

from spm_models.access import Scope, Viewer, find_person, scope, viewer_from_environment
from spm_models.access.viewer import VARIABLE, matching_people
from spm_models.errors import AccessDeniedError
from spm_models.published import Results
from spm_models.workspace import Workspace


@dataclass(frozen=True)
class Speaker:
    """Who speaks: his id, what he may see, his role, and the organisation as published."""

    author: str
    allowed: Scope
    role: str
    people: pd.DataFrame

    def leads(self, rep_id: str) -> bool:
        """Whether he is above this person; nobody is above himself."""
        return self.role in ("manager", "executive") and rep_id != self.author and self.allowed.allows("rep", rep_id)


def known_speaker(workspace: Workspace, person: str | Viewer, what: str) -> Speaker:
    """The person who speaks, as the published organisation knows him.

    Parameters
    ----------
    workspace : Workspace
    person : str or Viewer
        By id or e-mail address, which may be empty; or somebody whom the sign-in has already named.
    what : str
        What is to be written, for messages.

    Raises
    ------
    AccessDeniedError
        When he is not known, or has left.
    """
    people = Results.open(workspace, scope=Scope.of_company())["reps"]
    viewer = speaker(workspace, person, what)
    allowed = scope(viewer, people)
    author = viewer.id if not matching_people(viewer.id, people) else find_person(viewer.id, people)
    record = people.loc[people["rep_id"] == author, "role"].dropna()
    return Speaker(author, allowed, viewer.role or (str(record.iloc[0]) if len(record) else "manager"), people)


def speaker(workspace: Workspace, person: str | Viewer, what: str) -> Viewer:
    """The person this process was opened for, else the one named, else the one in the settings.

    Parameters
    ----------
    workspace : Workspace
    person : str or Viewer
        By id or e-mail address, which may be empty; or somebody whom the sign-in has already named.
    what : str
        What is to be written, for messages.

    Raises
    ------
    AccessDeniedError
        When nobody is named, or somebody else than the process was opened for.
    """
    if isinstance(person, Viewer):
        return person
    if os.environ.get(VARIABLE):
        opened = viewer_from_environment()
        if person and person != opened.id:
            raise AccessDeniedError("Nobody may speak for somebody else here", where=VARIABLE, found=person)
        return opened
    pages = workspace.settings.pages
    named = person.strip() or pages.viewer.strip()
    if not named:
        raise AccessDeniedError(
            f"Nobody is named whose {what} this is", where=f"{workspace.root / 'spm.toml'} [pages].viewer",
            remedy="Give --as PERSON (rep_id or e-mail of somebody in reps), or name yourself there.",
        )  # fmt: skip
    return Viewer(named, pages.role or None) if named == pages.viewer.strip() else Viewer(named)
