"""Coaching programmes: sessions of one rep on one skill that belong together."""

from __future__ import annotations

import pandas as pd

GAP_DAYS = 42  #: sessions on one skill further apart than this belong to two programmes
_COLUMNS = ("rep_id", "skill", "kind", "started_on", "sessions")


def programmes(sessions: pd.DataFrame) -> pd.DataFrame:
    """Programmes in the order in which they began.

    One-to-ones are the ordinary cadence and no programme, whatever was spoken about.

    Parameters
    ----------
    sessions : DataFrame
        ``rep_id``, ``held_on``, ``kind``, ``skill``, as in the table ``coaching_sessions``.

    Returns
    -------
    DataFrame
        One row a programme: ``rep_id``, ``skill`` (empty: none was named), ``kind`` (that of most of its sessions, of
        equally many the first by name), ``started_on``, ``sessions``.

    Examples
    --------
    >>> held = pd.DataFrame({
    ...     "rep_id": "R1", "held_on": pd.to_datetime(["2026-01-05", "2026-01-19", "2026-06-01"]),
    ...     "kind": ["coaching", "role_play", "coaching"], "skill": "value",
    ... })
    >>> programmes(held)[["kind", "sessions"]].values.tolist()
    [['coaching', 2], ['coaching', 1]]
    """
    held = sessions[sessions["kind"].ne("one_to_one").fillna(True) & sessions["held_on"].notna()]
    held = held.assign(skill=held["skill"].astype("str").fillna(""), kind=held["kind"].astype("str").fillna("coaching"))
    held = held.sort_values(["rep_id", "skill", "held_on", "kind"], ignore_index=True)
    same = held[["rep_id", "skill"]].eq(held[["rep_id", "skill"]].shift()).all(axis=1)
    gap = held["held_on"].diff().dt.days
    number = (~same | gap.gt(GAP_DAYS)).cumsum().rename("programme")
    if held.empty:
        empty = {"rep_id": "str", "skill": "str", "kind": "str", "started_on": "datetime64[s]", "sessions": "int64"}
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in empty.items()})
    counts = held.groupby([number, "kind"], sort=True).size().rename("n").reset_index()
    kinds = counts.sort_values(["programme", "n", "kind"], ascending=[True, False, True]).drop_duplicates("programme")
    found = held.groupby(number).agg(
        rep_id=("rep_id", "first"), skill=("skill", "first"), started_on=("held_on", "min"), sessions=("skill", "size")
    )
    found["kind"] = kinds.set_index("programme")["kind"]
    return found[list(_COLUMNS)].sort_values(["started_on", "rep_id", "skill"], ignore_index=True)
