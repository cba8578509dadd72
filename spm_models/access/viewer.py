"""Who asks. The viewer reaches a process through ``SPM_VIEWER``, which only the page server and the runner set."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import pandas as pd

from spm_models.errors import AccessDeniedError

Role = Literal["rep", "manager", "executive", "analyst"]
VARIABLE = "SPM_VIEWER"


@dataclass(frozen=True)
class Viewer:
    """A person who was signed in by somebody we trust.

    Parameters
    ----------
    id : str
        Id, or login, as the sign-in gave it.
    role : {"rep", "manager", "executive", "analyst"}, optional
        Without it the organisation's own record decides.

    Raises
    ------
    AccessDeniedError
        When the id is empty or the role unknown.
    """

    id: str
    role: Role | None = None

    def __post_init__(self) -> None:
        if not self.id.strip():
            raise AccessDeniedError("Nobody is signed in", remedy="Open the pages with `spm pages`.")
        if self.role is not None and self.role not in get_args(Role):
            raise AccessDeniedError("This role does not exist", found=self.role, remedy=f"Use {get_args(Role)}.")

    def to_environment(self) -> str:
        """Value of ``SPM_VIEWER``."""
        return json.dumps({"id": self.id, "role": self.role}, ensure_ascii=False)


def viewer_from_environment(environ: Mapping[str, str] | None = None) -> Viewer:
    """The viewer whom the page server or the runner named; there is no other way to become one.

    Raises
    ------
    AccessDeniedError
        When none is named.

    Examples
    --------
    >>> viewer_from_environment({"SPM_VIEWER": "r1"})
    Viewer(id='r1', role=None)
    >>> viewer_from_environment({"SPM_VIEWER": Viewer("m1", "manager").to_environment()})
    Viewer(id='m1', role='manager')
    """
    text = (os.environ if environ is None else environ).get(VARIABLE, "")
    if not text.lstrip().startswith("{"):
        return Viewer(text.strip())
    try:
        named = json.loads(text)
        return Viewer(str(named["id"]), named["role"])
    except (ValueError, KeyError, TypeError) as error:
        raise AccessDeniedError("The viewer cannot be read", where=VARIABLE) from error


def same_login(one: str, other: str) -> bool:
    """Whether two logins differ in nothing but case, by English or by Turkish rules, and Unicode form.

    ``I`` is the capital of ``i`` in one language and of ``ı`` in the other, so it may stand for both; ``ı`` and ``i``
    themselves are different letters and stay different people.

    Examples
    --------
    >>> same_login("AYILDIZ", "ayildiz"), same_login("IŞIK", "ışık"), same_login("ışık", "işik")
    (True, True, False)
    """
    return bool(_foldings(one) & _foldings(other))


def find_person(login: str, organisation: pd.DataFrame) -> str:
    """Id of the one person of the organisation with this id or e-mail address.

    An exact id wins; then ids, then addresses, are compared without case (:func:`same_login`). A manager who is
    only named by others is a person too.

    Raises
    ------
    AccessDeniedError
        When nobody matches, or several do: then nobody can tell who asks.
    """
    matches = matching_people(login, organisation)
    if len(matches) != 1:
        raise AccessDeniedError(
            "Several people have this login" if matches else "This person is not in the organisation", found=login,
            remedy="Check the spelling against rep_id or email in reps.",
        )  # fmt: skip
    return matches.pop()


def matching_people(login: str, organisation: pd.DataFrame) -> set[str]:
    """Ids of everyone whom a login could mean; an exact id means that person only."""
    ids = set(organisation.rep_id.dropna()) | set(organisation.manager_id.dropna())
    if login in ids:
        return {login}
    matches = {str(person) for person in ids if same_login(person, login)}
    if matches or "email" not in organisation:
        return matches
    known = organisation[organisation.email.notna()]
    pairs = zip(known.rep_id, known.email, strict=True)
    return {str(person) for person, address in pairs if same_login(str(address), login)}


def _foldings(login: str) -> set[str]:
    text = unicodedata.normalize("NFKC", login.strip()).replace("İ", "i")
    return {unicodedata.normalize("NFKC", form.casefold()) for form in (text, text.replace("I", "ı"))}
