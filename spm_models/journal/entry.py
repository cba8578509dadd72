"""One entry of the journal, checked before it is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from spm_models.errors import JournalError
from spm_models.journal.bodies import BODIES
from spm_models.journal.fields import Line

#: What an entry can be about: a level of the organisation (its scope rules hold), or a thing that belongs to one rep.
LEVELS = ("company", "region", "team", "manager", "rep")
ABOUT = (*LEVELS, "opportunity", "report", "finding", "session")


@dataclass(frozen=True)
class Entry:
    """What somebody wrote.

    ``written_at`` is naive UTC; ``rep_id`` is the rep whom it concerns, empty when it concerns a unit;
    ``supersedes`` is the id of the entry that this one replaces.
    """

    id: int
    written_at: datetime
    author: str
    about_kind: str
    about_id: str
    rep_id: str | None
    kind: str
    body: dict[str, Any]
    supersedes: int | None
    request_id: str


class _Envelope(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    author: Line
    about_id: Line | None
    rep_id: Line | None
    request_id: Line
    supersedes: int | None


def checked(
    kind: str, author: str, about: tuple[str, str], body: dict[str, Any] | BaseModel, rep_id: str | None,
    supersedes: int | None, request_id: str,
) -> dict[str, Any]:  # fmt: skip
    """Columns of an entry whose every part is as it should be.

    Raises
    ------
    JournalError
        Says which field is wrong and how.
    """
    about_kind, about_id = about
    if kind not in BODIES:
        raise JournalError("There is no such kind of entry", found=kind, remedy=f"Use {', '.join(BODIES)}.")
    if about_kind not in ABOUT:
        raise JournalError("An entry cannot be about this", found=about_kind, remedy=f"Use {', '.join(ABOUT)}.")
    concerns = about_id if about_kind == "rep" else rep_id
    if about_kind not in LEVELS and concerns is None:
        raise JournalError("The entry must say whom it concerns", where=about_kind, remedy="Give rep_id.")
    if about_kind == "rep" and rep_id not in (None, about_id):
        raise JournalError("The entry concerns another rep than it is about", where=about_id, found=rep_id)
    try:
        envelope = _Envelope(
            author=author, about_id=about_id if about_kind != "company" else None, rep_id=concerns,
            request_id=request_id, supersedes=supersedes,
        )  # fmt: skip
        fields = body.model_dump() if isinstance(body, BaseModel) else body
        content = BODIES[kind].model_validate(fields).model_dump(mode="json", exclude_none=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise JournalError(
            f"An entry cannot be taken: {_said(first)}", where=".".join([kind, *map(str, first["loc"])]),
            found=str(first.get("input"))[:80], remedy="Correct it and send it again; nothing was written.",
        ) from error  # fmt: skip
    return {
        "author": envelope.author, "about_kind": about_kind, "about_id": envelope.about_id or "",
        "rep_id": envelope.rep_id, "kind": kind, "body": content, "supersedes": envelope.supersedes,
        "request_id": envelope.request_id,
    }  # fmt: skip


def _said(error: Any) -> str:
    """What is wrong with a field; a text's length in words that fit a text."""
    if error["type"] == "too_short" and isinstance(error.get("input"), str):
        return "there is no text"
    if error["type"] == "too_long" and isinstance(error.get("input"), str):
        return f"the text has {error['ctx']['actual_length']:,} letters, and at most {error['ctx']['max_length']:,} fit"
    return str(error["msg"])
