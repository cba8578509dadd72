"""Who looks at a page, what they may see, and the published results within that."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from spm_models.access import Scope, Viewer, find_person, role_of, same_login, scope, viewer_from_environment
from spm_models.access.viewer import Role, matching_people
from spm_models.apps.pages import asked_of
from spm_models.errors import AccessDeniedError, PageError
from spm_models.published import Results
from spm_models.published.freshness import NOTE, Stale, company_day, staleness
from spm_models.settings import Settings
from spm_models.translations import LOCALES, Translator
from spm_models.workspace import Workspace

#: How the server tells a kernel what the address asks for, in which language, and who looked at the reader's figures.
ASKED, LOCALE, LOOKED = "SPM_ASKED", "SPM_LOCALE", "SPM_LOOKED"


@dataclass(frozen=True)
class Reader:
    """A viewer with his scope, his place in the organisation, his language and his role.

    ``person`` is his id in the data; that of the sign-in for executives and analysts who are not in them, who have no
    other ``name`` either.
    """

    viewer: Viewer
    scope: Scope
    unit: tuple[str, str]
    translator: Translator
    role: Role
    person: str
    name: str


@dataclass(frozen=True)
class Looked:
    """Somebody who opened a page about the reader: his name, the last day (ISO), and how often."""

    name: str
    last_on: str
    times: int


@dataclass(frozen=True)
class Session:
    """What a page knows: the workspace, who looks, the results within his scope, and what the address asks for."""

    workspace: Workspace
    reader: Reader
    results: Results
    asked: Mapping[str, str] = field(default_factory=dict)
    looked: tuple[Looked, ...] = ()

    @property
    def stale(self) -> Stale | None:
        """How old the data are, if too old today or when they were published: runs that stopped coming show as well."""
        settings, manifest = self.workspace.settings, self.results.manifest
        now = staleness(settings, manifest.as_of, company_day(settings))
        return now or Stale.of_note(manifest.notes.get(NOTE))

    @classmethod
    def open(cls, environ: Mapping[str, str] | None = None) -> Session:
        """Open the session that the server put into this kernel's environment.

        Raises
        ------
        AccessDeniedError
            When the environment names no viewer: pages are opened by the page server only.
        """
        viewer = viewer_from_environment(environ)
        workspace = Workspace.open(environ.get("SPM_WORKSPACE") if environ is not None else None)
        given = os.environ if environ is None else environ
        reader = reader_of(workspace, viewer, given.get(LOCALE, ""))
        results = Results.open(workspace, scope=reader.scope)
        looked = tuple(Looked(**one) for one in json.loads(given.get(LOOKED, "[]")))
        return cls(workspace, reader, results, asked_of(json.loads(given.get(ASKED, "{}"))), looked)


def reader_of(workspace: Workspace, viewer: Viewer, locale: str = "") -> Reader:
    """Find a viewer among the people of the published results.

    Parameters
    ----------
    workspace : Workspace
    viewer : Viewer
    locale : str
        The language he chose; empty or unknown: the one on his record, else the company's.

    Raises
    ------
    AccessDeniedError
        When the person is unknown or has left.
    PublishedError
        When nothing was published yet.
    """
    people = Results.open(workspace, scope=Scope.of_company())["reps"]
    allowed = scope(viewer, people)
    listed = not allowed.whole_company or len(matching_people(viewer.id, people)) == 1
    person = find_person(viewer.id, people) if listed else viewer.id
    unit = {"company": ("company", ""), "line": ("manager", person), "rep": ("rep", person)}[allowed.level]
    company = workspace.settings.company
    chosen = locale if locale in LOCALES else _locale(people, person) or company.locale
    spoken = Translator(chosen, currency=company.currency, time_zone=company.time_zone)
    return Reader(viewer, allowed, unit, spoken, role_of(viewer, people), person, name_of(people, person))


def named_viewer(workspace: Workspace, viewer_id: str | None = None) -> Viewer:
    """The viewer named on the command line, else the one of ``[pages]`` in spm.toml.

    Raises
    ------
    PageError
        When neither names anybody.
    """
    settings = workspace.settings.pages
    named = (viewer_id if viewer_id is not None else settings.viewer).strip()
    if not named:
        raise PageError(
            "Nobody is named for whom the pages are to be opened",
            where=f"{workspace.root / 'spm.toml'} [pages].viewer",
            remedy="Write there the rep_id or e-mail of a person in reps (with role = \"executive\" for somebody who "
            "sees the whole company and is not in the data), or give --viewer.",
        )  # fmt: skip
    return viewer_called(workspace.settings, named)


def checked_reader(workspace: Workspace, viewer: Viewer) -> Reader:
    """A reader, or an error that says which setting to mend."""
    try:
        return reader_of(workspace, viewer)
    except AccessDeniedError as error:
        raise PageError(
            f"The pages cannot be opened for this person: {error.what}",
            where=f"{workspace.root / 'spm.toml'} [pages].viewer", found=viewer.id,
            remedy="Name somebody who is in reps (rep_id, manager_id or e-mail) and has not left, or give a role in "
            "[pages.roles] to somebody who sees the whole company and is not in the data.",
        ) from error  # fmt: skip


def viewer_called(settings: Settings, person: str) -> Viewer:
    """A person whom the sign-in names, with the role that spm.toml gives him, where it gives one.

    Examples
    --------
    >>> settings = Settings.model_validate({"pages": {"roles": {"boss@example.com": "executive"}}})
    >>> viewer_called(settings, "Boss@example.com"), viewer_called(settings, "r1")
    (Viewer(id='Boss@example.com', role='executive'), Viewer(id='r1', role=None))
    """
    pages = settings.pages
    stated = {**pages.roles, pages.viewer.strip(): pages.role}
    role = next((role for name, role in stated.items() if name and role and same_login(name, person)), None)
    return Viewer(person, role)


def name_of(people: pd.DataFrame, person: str) -> str:
    """A person's name by the published table ``reps``, also where only others name him; else his id."""
    named = people.loc[people["rep_id"] == person, "name"].dropna().tolist()
    named = named or people.loc[people["manager_id"] == person, "manager_name"].dropna().tolist()
    return str(named[0]) if named else person


def _locale(people: pd.DataFrame, person: str) -> str | None:
    """Language on the person's record, where it is one of ours."""
    spoken = people.loc[people["rep_id"] == person, "locale"].dropna().tolist()
    return spoken[0] if spoken and spoken[0] in LOCALES else None
