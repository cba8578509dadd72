"""Who speaks when something is written into the journal from the command line."""

from __future__ import annotations

import os

from spm_models.access import Viewer, viewer_from_environment
from spm_models.access.viewer import VARIABLE
from spm_models.errors import AccessDeniedError
from spm_models.workspace import Workspace


def speaker(workspace: Workspace, person: str, what: str) -> Viewer:
    """The person this process was opened for, else the one named, else the one in the settings.

    Parameters
    ----------
    workspace : Workspace
    person : str
        By id or e-mail address; may be empty.
    what : str
        What is to be written, for messages.

    Raises
    ------
    AccessDeniedError
        When nobody is named, or somebody else than the process was opened for.
    """
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
