"""Submissions as a table: what people commit to, and what they expect at best, each with all that they said before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from spm_models.journal.entry import LEVELS, Entry

#: One row a submission, in the order in which they were written. ``standing``: the newest of its author, unit, period.
SUBMISSIONS: dict[str, str] = {
    "entry": "int64",
    "period": "str",
    "level": "str",
    "key": "str",
    "author": "str",
    "submitted_at": "datetime64[s]",  # naive UTC
    "commit": "float64",
    "best_case": "float64",  # empty where only a commit was given
    "note": "str",
    "forecast": "float64",  # published when it was written; empty where nothing was
    "standing": "bool",
}
_WHOSE = ["author", "level", "key", "period"]


def submissions(entries: Iterable[Entry], before: datetime | None = None) -> pd.DataFrame:
    """Every submission ever written; the newest of each author, unit and period stands.

    Parameters
    ----------
    entries : iterable of Entry
        As the journal gives them: in the order in which they were written.
    before : datetime, optional
        Look at the journal as it was at this instant (naive UTC).

    Returns
    -------
    DataFrame
        Columns of :data:`SUBMISSIONS`.

    Examples
    --------
    >>> said = {"period": "2026-Q3", "commit": "120", "best_case": "150"}
    >>> first = Entry(1, datetime(2026, 7, 1), "r1", "rep", "r1", "r1", "submission", said, None, "q1")
    >>> again = Entry(2, datetime(2026, 7, 8), "r1", "rep", "r1", "r1", "submission", said | {"commit": "130"}, 1, "q2")
    >>> submissions([first, again])[["commit", "best_case", "standing"]].values.tolist()
    [[120.0, 150.0, False], [130.0, 150.0, True]]
    """
    rows = [
        (entry.id, entry.body["period"], entry.about_kind, entry.about_id, entry.author, entry.written_at,
         entry.body["commit"], entry.body.get("best_case"), entry.body.get("comment"), entry.body.get("beside"), True)
        for entry in entries
        if entry.kind == "submission" and entry.about_kind in LEVELS and (before is None or entry.written_at < before)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(SUBMISSIONS))
    for name in ("commit", "best_case", "forecast"):  # amounts are text in the journal
        table[name] = pd.to_numeric(table[name])
    table = table.astype(SUBMISSIONS)
    return table.assign(standing=~table.duplicated(_WHOSE, keep="last"))


def fingerprint(entries: Iterable[Entry], before: datetime | None = None) -> str:
    """SHA-256 of all submissions; empty text without any. Runs that show the same have the same."""
    table = submissions(entries, before)
    if table.empty:
        return ""
    facts = json.loads(table.to_json(orient="values", date_format="iso"))
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()
