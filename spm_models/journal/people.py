"""What people write about each other's development, as rows of the tables that sources have too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

import pandas as pd

from spm_models.crm.schemas import TABLES
from spm_models.journal.coaching_bodies import COACHING_BODIES
from spm_models.journal.entry import Entry

KINDS = frozenset({"agreement", *COACHING_BODIES})


def standing(entries: Iterable[Entry]) -> list[Entry]:
    """Entries that nothing supersedes and nobody took back, in the order in which they were written."""
    known = list(entries)
    replaced = {entry.supersedes for entry in known}
    return [entry for entry in known if entry.id not in replaced and not entry.body.get("withdrawn")]


def session_rows(agreed: Sequence[Entry]) -> pd.DataFrame:
    """Agreements that stand, as rows of the table ``coaching_sessions``.

    Examples
    --------
    >>> said = {"held_on": "2026-06-29", "session": "one_to_one", "actions": "Review two calls."}
    >>> entry = Entry(7, pd.Timestamp("2026-06-29 12:00"), "m1", "rep", "r1", "r1", "agreement", said, None, "q1")
    >>> session_rows([entry])[["session_id", "rep_id", "manager_id", "kind"]].values.tolist()
    [['journal-7', 'r1', 'm1', 'one_to_one']]
    """
    rows = [
        entry.body | {"session_id": f"journal-{entry.id}", "rep_id": entry.rep_id, "manager_id": entry.author,
                      "kind": entry.body["session"]}
        for entry in agreed if entry.rep_id is not None
    ]  # fmt: skip
    return _of_schema("coaching_sessions", rows)


def cause_rows(said: Iterable[Entry]) -> pd.DataFrame:
    """The last word on each possible cause: ``rep_id``, ``cause``, ``confirmed`` (yes or no).

    Examples
    --------
    >>> words = [Entry(n, pd.Timestamp("2026-06-29"), "m1", "rep", "r1", "r1", "cause",
    ...                {"cause": "direction", "says": says}, None, str(n)) for n, says in ((1, "no"), (2, "yes"))]
    >>> cause_rows(words).values.tolist()
    [['r1', 'direction', 'yes']]
    """
    rows = [
        (entry.rep_id, entry.body["cause"], entry.body["says"]) for entry in standing(said) if entry.kind == "cause"
    ]
    found = pd.DataFrame(rows, columns=["rep_id", "cause", "confirmed"], dtype="str")
    return found.drop_duplicates(["rep_id", "cause"], keep="last", ignore_index=True)


def feedback_rows(answers: Iterable[Entry], time_zone: str) -> pd.DataFrame:
    """360° answers as rows of the table ``feedback_360``: nobody's name, and the day on which they were written.

    An answer that its author wrote anew keeps the identifier of the first one, so that it is never counted twice.

    Parameters
    ----------
    answers : iterable of Entry
        Of :meth:`spm_models.journal.Journal.answers`.
    time_zone : str
        Of the company, for the day.

    Examples
    --------
    >>> said = {"given_by": "peer", "dimension": "listening", "score": 4}
    >>> first = Entry(1, pd.Timestamp("2026-06-30 22:00"), "r2", "rep", "r1", "r1", "feedback_360", said, None, "q1")
    >>> again = Entry(2, pd.Timestamp("2026-07-01 08:00"), "r2", "rep", "r1", "r1", "feedback_360",
    ...               said | {"score": 5}, 1, "q2")
    >>> rows = feedback_rows([first, again], "Europe/Istanbul")
    >>> rows[["feedback_id", "about_rep_id", "score"]].values.tolist(), str(rows["given_on"].item())
    ([['journal-1', 'r1', 5.0]], '2026-07-01 00:00:00')
    """
    known = [entry for entry in answers if entry.kind == "feedback_360"]
    first = _first_of(known)
    rows = [
        entry.body | {"feedback_id": f"journal-{first[entry.id]}", "about_rep_id": entry.rep_id,
                      "given_on": _local_day(entry, time_zone)}
        for entry in standing(known)
    ]  # fmt: skip
    return _of_schema("feedback_360", rows)


def form_rows(answers: Iterable[Entry], time_zone: str) -> pd.DataFrame:
    """Scores of managers, one row a form and skill: columns of ``feedback_360``, about the manager."""
    known = [entry for entry in answers if entry.kind == "manager_form"]
    first = _first_of(known)
    rows = [
        {"feedback_id": f"journal-{first[entry.id]}-{skill}", "about_rep_id": entry.about_id,
         "given_by": entry.body["given_by"], "dimension": skill, "score": score,
         "given_on": _local_day(entry, time_zone)}
        for entry in standing(known) for skill, score in entry.body.items() if isinstance(score, int)
        if not isinstance(score, bool)
    ]  # fmt: skip
    columns = list(TABLES["feedback_360"].columns)
    return _typed("feedback_360", pd.DataFrame(rows, columns=columns, dtype=object))


def fingerprint(entries: Iterable[Entry]) -> str:
    """SHA-256 of what people wrote about development; empty text without any."""
    facts = [[entry.id, entry.kind, entry.body] for entry in entries if entry.kind in KINDS]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode()).hexdigest() if facts else ""


def _first_of(known: Sequence[Entry]) -> dict[int, int]:
    """The id of the first of each chain of entries that supersede each other."""
    first: dict[int, int] = {}
    for entry in known:
        first[entry.id] = first.get(entry.supersedes or entry.id, entry.id)
    return first


def _local_day(entry: Entry, time_zone: str) -> str:
    return entry.written_at.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date().isoformat()


def _of_schema(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(TABLES[name].columns), dtype=object)
    validated: pd.DataFrame = TABLES[name].frame.validate(_typed(name, frame))
    return validated


def _typed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    kinds = {"date": "datetime64[s]", "number": "Float64"}
    schema = TABLES[name]
    return frame.astype({column: kinds.get(schema.facts(column)["kind"], "str") for column in schema.columns})
