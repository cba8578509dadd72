"""Overrides as a table: what people say about a deal's chance, beside what the model says, never instead of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from spm_models.journal.entry import Entry

#: One row an override of a win probability: who said what about which deal, why, when, and what the model said then.
OVERRIDES: dict[str, str] = {
    "opportunity_id": "str",
    "author": "str",
    "win_probability": "float64",
    "model": "float64",  # published when it was written; empty where nothing was
    "reason": "str",
    "written_at": "datetime64[s]",  # naive UTC
}


def standing(entries: Iterable[Entry], before: datetime | None = None) -> pd.DataFrame:
    """The newest override of each author and deal, unless he took it back.

    Parameters
    ----------
    entries : iterable of Entry
        As the journal gives them: in the order in which they were written.
    before : datetime, optional
        Look at the journal as it was at this instant (naive UTC).

    Returns
    -------
    DataFrame
        Columns of :data:`OVERRIDES`, sorted by ``opportunity_id`` and ``author``.

    Examples
    --------
    >>> said = {"field": "win_probability", "value": "0.35", "reason": "No budget this year.", "beside": "0.6"}
    >>> entry = Entry(1, datetime(2026, 7, 1), "m1", "opportunity", "o1", "r1", "override", said, None, "q1")
    >>> standing([entry])[["author", "win_probability", "model"]].values.tolist()
    [['m1', 0.35, 0.6]]
    """
    newest: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        if _is_chance(entry) and (before is None or entry.written_at < before):
            newest[entry.about_id, entry.author] = entry
    rows = [
        (deal, author, float(entry.body["value"]), float(entry.body.get("beside", "nan")), entry.body["reason"],
         entry.written_at)
        for (deal, author), entry in sorted(newest.items())
        if entry.body.get("value") is not None
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(OVERRIDES)).astype(OVERRIDES)


def fingerprint(entries: Iterable[Entry], before: datetime | None = None) -> str:
    """SHA-256 of the overrides that stand; empty text without any. Runs that show the same have the same."""
    table = standing(entries, before)
    if table.empty:
        return ""
    facts = json.loads(table.to_json(orient="values", date_format="iso"))
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()


def last_word(entries: Iterable[Entry], decided: pd.DataFrame) -> pd.DataFrame:
    """What stood when each deal was decided: the overrides that can be judged by now.

    Parameters
    ----------
    entries : iterable of Entry
    decided : DataFrame
        Columns ``opportunity_id``, ``won`` and ``known_at``: the instant (naive UTC) from which the outcome may have
        been known to whoever wrote.

    Returns
    -------
    DataFrame
        Columns of :data:`OVERRIDES` and ``won``; written before ``known_at``.
    """
    ends = decided.set_index("opportunity_id")["known_at"]
    early = [
        entry for entry in entries
        if _is_chance(entry) and entry.about_id in ends.index and entry.written_at < ends[entry.about_id]
    ]  # fmt: skip
    won = decided.set_index("opportunity_id")["won"]
    table = standing(early)
    return table.assign(won=table["opportunity_id"].map(won).astype(bool))


def _is_chance(entry: Entry) -> bool:
    return entry.kind == "override" and entry.about_kind == "opportunity" and entry.body["field"] == "win_probability"
