"""Revisions of targets as rows of the table ``quotas``, and what is said about targets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from spm_models.journal.entry import Entry

#: One row a revision, in the order in which they were written; the first eight columns are those of ``quotas``.
REVISIONS: dict[str, str] = {
    "owner_kind": "str",
    "owner_id": "str",  # empty for the company
    "period_start": "datetime64[s]",
    "period_end": "datetime64[s]",
    "tier": "str",
    "amount": "float64",  # in the company's currency
    "set_on": "datetime64[s]",
    "entry": "int64",
    "cause": "str",  # quarterly | ad_hoc | undo
    "reason": "str",
    "author": "str",
    "before": "float64",  # what the target was until then; empty where there was none
}
#: One row a thing said about a rep's target of a period.
TALK: dict[str, str] = {
    "entry": "int64",
    "period": "str",
    "rep_id": "str",
    "says": "str",  # question | answer | accept | decline
    "author": "str",
    "written_at": "datetime64[s]",  # naive UTC
    "quota": "float64",  # the standard target that stood then
    "text": "str",
}


def revisions(entries: Iterable[Entry], before: datetime | None = None) -> pd.DataFrame:
    """Every revision ever written.

    Parameters
    ----------
    entries : iterable of Entry
        As the journal gives them: in the order in which they were written.
    before : datetime, optional
        Look at the journal as it was at this instant (naive UTC).

    Returns
    -------
    DataFrame
        Columns of :data:`REVISIONS`.

    Examples
    --------
    >>> said = {"tier": "standard", "period_start": "2026-04-01", "period_end": "2026-06-30", "amount": "90",
    ...         "set_on": "2026-05-04", "cause": "ad_hoc", "reason": "Two accounts moved.", "beside": "100"}
    >>> entry = Entry(1, datetime(2026, 5, 4), "m1", "rep", "r1", "r1", "quota_revision", said, None, "q1")
    >>> revisions([entry])[["owner_id", "amount", "before"]].values.tolist()
    [['r1', 90.0, 100.0]]
    """
    rows = [
        (entry.about_kind, entry.about_id, body["period_start"], body["period_end"], body["tier"],
         float(body["amount"]), body["set_on"], entry.id, body["cause"], body["reason"], entry.author,
         float(body.get("beside", "nan")))
        for entry in _known(entries, "quota_revision", before)
        for body in [entry.body]
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(REVISIONS))
    days = {name: pd.to_datetime(table[name]) for name in ("period_start", "period_end", "set_on")}
    return table.assign(**days).astype(REVISIONS)


def talk(entries: Iterable[Entry], before: datetime | None = None) -> pd.DataFrame:
    """Everything said about targets of reps, columns of :data:`TALK`, in the order in which it was written."""
    rows = [
        (entry.id, entry.body["period"], entry.rep_id, entry.body["says"], entry.author, entry.written_at,
         float(entry.body["quota"]), entry.body.get("text"))
        for entry in _known(entries, "target", before)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(TALK)).astype(TALK)


def fingerprint(entries: Iterable[Entry], before: datetime | None = None) -> str:
    """SHA-256 of all revisions and all that was said; empty text without any."""
    known = list(entries)
    facts = [
        json.loads(table.to_json(orient="values", date_format="iso"))
        for table in (revisions(known, before), talk(known, before))
    ]
    return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest() if any(facts) else ""


def _known(entries: Iterable[Entry], kind: str, before: datetime | None) -> list[Entry]:
    return [entry for entry in entries if entry.kind == kind and (before is None or entry.written_at < before)]
