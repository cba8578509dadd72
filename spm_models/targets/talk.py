"""Where the talk about a target stands: asked, answered, accepted, or to be accepted again after a revision."""

from __future__ import annotations

import numpy as np
import pandas as pd

COLUMNS = ["period", "rep_id", "quota", "state", "accepted_quota", "said_at", "open_questions"]


def acceptance(said: pd.DataFrame, targets: pd.DataFrame) -> pd.DataFrame:
    """State of the talk about each rep's standard target.

    Parameters
    ----------
    said : DataFrame
        Of :func:`spm_models.journal.targets.talk`, in the order in which it was written.
    targets : DataFrame
        ``period, level, key, tier, quota``: targets as they stand.

    Returns
    -------
    DataFrame
        Published as ``target_acceptance``: one row a rep and period: ``quota`` as it stands, ``state`` (``silent``:
        nothing was said; ``asked``: a question waits; ``answered``; ``accepted``; ``declined``; ``revised``: accepted,
        and revised since), ``accepted_quota``, ``said_at`` (naive UTC) and ``open_questions``.

    Examples
    --------
    >>> targets = pd.DataFrame([{"period": "2026-Q3", "level": "rep", "key": "a", "tier": "standard", "quota": 90.0}])
    >>> said = pd.DataFrame([{"period": "2026-Q3", "rep_id": "a", "says": "accept", "quota": 100.0,
    ...                       "written_at": pd.Timestamp("2026-07-01")}])
    >>> acceptance(said, targets)[["state", "accepted_quota"]].values.tolist()
    [['revised', 100.0]]
    """
    keys = ["period", "rep_id"]
    mine = targets[(targets["level"] == "rep") & (targets["tier"] == "standard")]
    table = mine.rename(columns={"key": "rep_id"})[[*keys, "quota"]]
    since = said.assign(answered=said["says"].eq("answer"))
    later = since[::-1].groupby(keys)["answered"].cumsum()[::-1] if len(said) else since["answered"]
    waits = since.assign(open=since["says"].eq("question") & (later == 0))
    newest = since.drop_duplicates(keys, keep="last")[[*keys, "says", "quota", "written_at"]]
    table = table.merge(newest.rename(columns={"quota": "said_quota", "written_at": "said_at"}), on=keys, how="left")
    open_ones = waits.groupby(keys)["open"].sum().rename("open_questions").reset_index()
    table = table.merge(open_ones, on=keys, how="left")
    table["open_questions"] = table["open_questions"].fillna(0).astype("int64")
    kept = table["said_quota"].round(2) == table["quota"].round(2)
    says = table["says"].fillna("")
    table["state"] = np.select(
        [table["open_questions"] > 0, (says == "accept") & kept, says == "accept", says == "answer", says == "decline"],
        ["asked", "accepted", "revised", "answered", "declined"], "silent",
    )  # fmt: skip
    table["accepted_quota"] = table["said_quota"].where(says == "accept")
    return table[COLUMNS].sort_values(keys, ignore_index=True)
