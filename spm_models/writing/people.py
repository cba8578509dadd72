"""What people write about coaching: who may say what about whom, checked before the journal takes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta

import pandas as pd

from spm_models.access import find_person
from spm_models.coaching.people.actions import agreed_actions
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal import Entry
from spm_models.journal.people import KINDS, standing
from spm_models.published import Results
from spm_models.workspace import Workspace
from spm_models.writing.speaker import Speaker, known_speaker
from spm_models.writing.way import USUAL, Body, Writing, day_of, must_lead, opened, past_day, today_of, write


def note(
    workspace: Workspace, rep: str, text: str, how: Writing = USUAL, *, call: str = "", skill: str = "",
    mentor: str = "", on: str = "",
) -> Entry:  # fmt: skip
    """A note of whoever leads a rep; about a call that was listened to, or about a talk with a mentor.

    Parameters
    ----------
    workspace : Workspace
    rep : str
        Whom it is about, by id or e-mail. The rep himself may write about his talks with a mentor.
    text : str
    how : Writing
    call, skill : str
        Of a call review.
    mentor, on : str
        Of a talk with a mentor: who he is, and the day (empty: today).

    Raises
    ------
    AccessDeniedError
        When the person does not lead the rep.
    JournalError
        When a part is missing or not as it should be.
    """
    by = known_speaker(workspace, how.person, "note")
    whom = find_person(rep, by.people)
    if call and mentor:
        raise JournalError("A note is about a call or a mentor, not both", where="spm coaching note", found=call)
    for option, value, needed in (("--on", on, mentor), ("--skill", skill, call)):
        if value and not needed:
            raise JournalError(
                "This note has no such part", where=option, found=value,
                remedy="--on is the day of a talk with a --mentor, --skill what a --call was about.",
            )  # fmt: skip
    if mentor:
        body: Body = {"mentor_id": find_person(mentor, by.people), "text": text}
        body["held_on"] = past_day(workspace, on, how)
        if body["mentor_id"] == whom:
            raise JournalError("Nobody is his own mentor", where="--mentor", found=mentor)
        if whom != by.author:
            must_lead(by, whom, "write of a rep's mentoring, besides himself")
        return write(workspace, by, how, "mentoring", ("rep", whom), body)
    must_lead(by, whom, "write notes about a rep")
    if call:
        body = {"call_id": call, "text": text} | ({"skill": skill} if skill else {})
        return write(workspace, by, how, "call_review", ("rep", whom), body)
    return write(workspace, by, how, "note", ("rep", whom), {"text": text})


def observe(
    workspace: Workspace, rep: str, seen: Mapping[str, str], how: Writing = USUAL, *, of: str = "call", of_id: str = "",
    opportunity: str = "", on: str = "",
) -> Entry:  # fmt: skip
    """The observation form: a manager's scores of one call or meeting.

    Parameters
    ----------
    workspace : Workspace
    rep : str
    seen : mapping
        By skill (:data:`SKILLS`) a score from 1 to 5 and what was said or done, as ``"4: named the reason first"``.
    how : Writing
    of : {"call", "meeting"}
    of_id, opportunity : str
        Which call or activity, and for which deal.
    on : str
        Day; empty: today.
    """
    by = known_speaker(workspace, how.person, "observation")
    whom = find_person(rep, by.people)
    must_lead(by, whom, "score what they observed")
    body: Body = {"held_on": past_day(workspace, on, how), "of": of}
    body |= {skill: _seen(skill, said) for skill, said in seen.items() if said.strip()}
    body |= {name: value for name, value in (("of_id", of_id), ("opportunity_id", opportunity)) if value}
    return write(workspace, by, how, "observation", ("rep", whom), body)


def recognise(
    workspace: Workspace, rep: str, text: str, how: Writing = USUAL, *, signal: str = "", opportunity: str = ""
) -> Entry:
    """Say what went well, to the rep and on record."""
    by = known_speaker(workspace, how.person, "recognition")
    whom = find_person(rep, by.people)
    must_lead(by, whom, "recognise on record")
    body = {"text": text, "signal": signal or None, "opportunity_id": opportunity or None}
    return write(workspace, by, how, "recognition", ("rep", whom), body)


def cause(workspace: Workspace, rep: str, name: str, says: str, how: Writing = USUAL, *, text: str = "") -> Entry:
    """What a talk showed of one possible cause behind a suggestion: ``yes`` or ``no``.

    The last word on each cause holds: the next run orders causes by it, and plans follow.
    """
    by = known_speaker(workspace, how.person, "cause")
    whom = find_person(rep, by.people)
    must_lead(by, whom, "say what a talk showed")
    body = {"cause": name, "says": says, "text": text or None}
    return write(workspace, by, how, "cause", ("rep", whom), body)


def reply(workspace: Workspace, text: str, how: Writing = USUAL, *, signal: str = "") -> Entry:
    """A rep's own answer to a finding or to his report; it is shown beside it."""
    by = known_speaker(workspace, how.person, "reply")
    if by.author not in set(by.people["rep_id"]):
        raise AccessDeniedError(
            "Only a rep answers what is said about him", where="spm coaching reply", found=by.author,
            remedy="Whoever leads a rep writes a note: spm coaching note REP --text …",
        )  # fmt: skip
    body = {"text": text, "signal": signal or None}
    about = ("finding", signal) if signal else ("rep", by.author)
    return write(workspace, by, how, "reply", about, body, rep_id=by.author)


def agree(
    workspace: Workspace, rep: str, actions: Sequence[str], how: Writing = USUAL, *, session: str = "one_to_one",
    skill: str = "", on: str = "", due: str = "",
) -> Entry:  # fmt: skip
    """What manager and rep agreed in a session, one action a line; without a day it is due at the next one-to-one."""
    by = known_speaker(workspace, how.person, "agreement")
    whom = find_person(rep, by.people)
    must_lead(by, whom, "record what was agreed")
    held = past_day(workspace, on, how)
    due_on = (
        day_of(due, "--due")
        if due.strip()
        else held + timedelta(days=workspace.settings.coaching.one_to_one_every_days)
    )
    body = {"held_on": held, "session": session, "skill": skill or None, "due_on": due_on,
            "actions": "\n".join(line.strip() for line in actions if line.strip())}  # fmt: skip
    return write(workspace, by, how, "agreement", ("rep", whom), body)


def act(
    workspace: Workspace, session_id: str, state: str, how: Writing = USUAL, *, number: int | None = None,
    text: str = "",
) -> Entry:  # fmt: skip
    """Say what became of an action: done, dropped or open again, by the rep or whoever leads him.

    Raises
    ------
    JournalError
        When there is no such session or action among those that this person may see.
    """
    by = known_speaker(workspace, how.person, "word on an action")
    agreed = _agreed(workspace, by, how)
    mine = agreed[agreed["session_id"] == session_id.strip()]
    if mine.empty or (number is not None and number not in set(mine["number"])):
        raise JournalError(
            "There is no such action", where="spm coaching actions",
            found=session_id if number is None else f"{session_id}, number {number}",
            remedy="`spm coaching actions` lists those that you may see, with their session and number.",
        )  # fmt: skip
    whom = str(mine["rep_id"].iloc[0])
    if whom != by.author:
        must_lead(by, whom, "say what became of a rep's actions, besides himself")
    body = {"state": state, "number": number, "note": text or None}
    return write(workspace, by, how, "action", ("session", session_id.strip()), body, rep_id=whom)


def actions_of(workspace: Workspace, rep: str = "", how: Writing = USUAL) -> pd.DataFrame:
    """Actions that this person may see, with the last word on each: of one rep, or of all."""
    by = known_speaker(workspace, how.person, "list")
    agreed = _agreed(workspace, by, how)
    return agreed[agreed["rep_id"] == find_person(rep, by.people)] if rep.strip() else agreed


def withdraw(workspace: Workspace, number: int, how: Writing = USUAL) -> Entry:
    """Take an own entry back by a new one; the first stays in the history.

    Raises
    ------
    JournalError
        When it is nobody's, somebody else's, replaced already, or of a kind that is not taken back.
    """
    by = known_speaker(workspace, how.person, "entry")
    with closing(opened(workspace, by, how)) as journal:
        own = [*journal.entries(author=by.author), *journal.own_answers(by.author)]
        found = [entry for entry in standing(own) if entry.id == number]
        if not found or found[0].kind not in KINDS - {"agreement"}:
            raise JournalError(
                "There is no such entry of yours that can be taken back", where="spm coaching undo", found=number,
                remedy="`spm coaching history` lists them. A note, reply or agreement is replaced: --instead-of N.",
            )  # fmt: skip
        old = found[0]
        return journal.write(
            old.kind, by.author, (old.about_kind, old.about_id), old.body | {"withdrawn": True}, rep_id=old.rep_id,
            supersedes=old.id, request_id=how.request_id, dry_run=how.dry_run,
        )  # fmt: skip


def history(workspace: Workspace, rep: str = "", how: Writing = USUAL) -> list[Entry]:
    """Everything that was written about coaching and that this person may see, superseded entries among them."""
    by = known_speaker(workspace, how.person, "list")
    whom = find_person(rep, by.people) if rep.strip() else None
    if not workspace.has_journal:
        return []
    with closing(opened(workspace, by, how)) as journal:
        own = journal.own_answers(by.author)
        seen = [entry for entry in journal.entries() if entry.kind in KINDS | {"note", "reply"}]
    return sorted((e for e in [*own, *seen] if whom in (None, e.rep_id)), key=lambda entry: entry.id)


def action_named(text: str) -> tuple[str, int | None]:
    """A session, and the number of one of its actions, as people write them.

    Examples
    --------
    >>> action_named("journal-7:2"), action_named("K00010043")
    (('journal-7', 2), ('K00010043', None))
    """
    session, colon, number = text.strip().rpartition(":")
    if colon and number.isascii() and number.isdigit():
        return session, int(number)
    return text.strip(), None


def prompted(workspace: Workspace, rep: str = "", how: Writing = USUAL) -> dict[str, pd.DataFrame]:
    """The published prompts and calls to review that this person may see: of one rep, or of all."""
    by = known_speaker(workspace, how.person, "list")
    results = Results.open(workspace, scope=by.allowed)
    whom = find_person(rep, by.people) if rep.strip() else None
    tables = {name: results[name] for name in ("prompts", "calls_to_review")}
    return {name: rows[rows["rep_id"] == whom] if whom else rows for name, rows in tables.items()}


def _agreed(workspace: Workspace, by: Speaker, how: Writing) -> pd.DataFrame:
    results = Results.open(workspace, scope=by.allowed)
    with closing(opened(workspace, by, how)) as journal:
        written = journal.coaching_sessions()
        entries = [*journal.entries(kind="agreement"), *journal.entries(kind="action")]
    parts = [part for part in (results["coaching_sessions"], written) if len(part)] or [written]
    held = pd.concat(parts, ignore_index=True)
    gone = held["session_id"].str.startswith("journal-") & ~held["session_id"].isin(written["session_id"])
    held = held[~gone].drop_duplicates("session_id", keep="last")
    return agreed_actions(held, entries, max(results.manifest.as_of, today_of(workspace, how)))


def _seen(skill: str, said: str) -> Body:
    found = re.fullmatch(r"\s*([1-5])\s*[:,;. –-]\s*(\S.*)", said, re.DOTALL)
    if found is None:
        raise JournalError(
            "A skill is scored from 1 to 5, with what was said or done", where=skill, found=said[:80],
            remedy='Write it like "4: named the reason of the call first".',
        )  # fmt: skip
    return {"score": int(found[1]), "note": found[2]}
