"""What was agreed in sessions, one row an action, and what became of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime

import pandas as pd

from spm_models.journal import Entry
from spm_models.journal.people import standing

ACTIONS: dict[str, str] = {
    "rep_id": "str", "session_id": "str", "number": "int64", "manager_id": "str", "held_on": "datetime64[s]",
    "action": "str", "due_on": "datetime64[s]", "state": "str", "said_by": "str", "said_on": "datetime64[s]",
    "note": "str",
}  # fmt: skip
_MARK = re.compile(r"^\s*(?:[-*•·–]|\d{1,2}[.)])\s+")


def agreed_actions(
    sessions: pd.DataFrame, entries: Sequence[Entry], as_of: date, before: datetime | None = None
) -> pd.DataFrame:
    """Every action agreed by ``as_of``, with the last word on it.

    Parameters
    ----------
    sessions : DataFrame
        Columns of the CRM table ``coaching_sessions``; each line of ``actions`` is an action.
    entries : sequence of Entry
        Of the journal: entries of kind ``action`` about ``("session", session_id)``; and agreements, so that what was
        said of one holds after it was written anew.
    as_of : datetime.date
    before : datetime, optional
        Look at the journal as it was at this instant (naive UTC).

    Returns
    -------
    DataFrame
        Columns of :data:`ACTIONS`, newest session first within each rep. ``state``: open, done or dropped; the newest
        word holds, whoever of the two said it, and without one an action is open.

    Examples
    --------
    >>> held = pd.DataFrame({"session_id": ["s1"], "rep_id": ["r1"], "manager_id": ["m1"],
    ...     "held_on": [pd.Timestamp("2026-06-15")], "kind": ["one_to_one"], "skill": [None],
    ...     "actions": ["- Review two calls.\\n- Ask for the decision."], "due_on": [pd.Timestamp("2026-06-29")]})
    >>> said = Entry(9, datetime(2026, 6, 20), "r1", "session", "s1", "r1", "action", {"state": "done", "number": 2},
    ...              None, "q1")
    >>> agreed_actions(held, [said], date(2026, 6, 30))[["number", "action", "state"]].values.tolist()
    [[1, 'Review two calls.', 'open'], [2, 'Ask for the decision.', 'done']]
    """
    held = sessions[sessions["held_on"].le(pd.Timestamp(as_of)) & sessions["actions"].notna()]
    rows = held.assign(action=held["actions"].str.split("\n")).explode("action")
    rows = rows.assign(action=rows["action"].astype("str").str.replace(_MARK, "", regex=True).str.strip())
    rows = rows[rows["action"].fillna("") != ""]
    rows = rows.assign(number=rows.groupby("session_id").cumcount() + 1)
    rows = rows.reset_index(drop=True).join(_last_words(rows.reset_index(drop=True), entries, before))
    rows["state"] = rows["state"].fillna("open")
    rows = rows.reindex(columns=list(ACTIONS)).astype(ACTIONS)
    order = ["rep_id", "held_on", "session_id", "number"]
    return rows.sort_values(order, ascending=[True, False, False, True], ignore_index=True)


def _last_words(rows: pd.DataFrame, entries: Sequence[Entry], before: datetime | None) -> pd.DataFrame:
    known = [e for e in entries if e.kind == "action" and (before is None or e.written_at < before)]
    newest = _newest_of(entries)
    words = pd.DataFrame(
        [(newest.get(e.about_id, e.about_id), e.rep_id, e.body.get("number"), e.id, e.body["state"], e.author,
          e.written_at, e.body.get("note")) for e in standing(known)],
        columns=["session_id", "rep_id", "which", "entry", "state", "said_by", "said_on", "note"],
    ).astype({"session_id": "str", "rep_id": "str", "which": "float64"})  # fmt: skip
    pairs = rows.reset_index()[["index", "session_id", "rep_id", "number"]].merge(words, on=["session_id", "rep_id"])
    pairs = pairs[pairs["which"].isna() | (pairs["which"] == pairs["number"])]
    last = pairs.sort_values("entry").groupby("index").last(numeric_only=False)
    return last[["state", "said_by", "said_on", "note"]]


def _newest_of(entries: Sequence[Entry]) -> dict[str, str]:
    """The session that stands for each that was written anew."""
    newest: dict[str, str] = {}
    for entry in sorted((e for e in entries if e.kind == "agreement" and e.supersedes), key=lambda e: -e.id):
        name = f"journal-{entry.id}"
        newest[f"journal-{entry.supersedes}"] = newest.get(name, name)
    return newest
