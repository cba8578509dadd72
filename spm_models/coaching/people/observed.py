"""What managers saw in calls and meetings: the newest score of each skill, its mean and its trend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import numpy as np
import pandas as pd
from scipy import special

from spm_models.journal import Entry
from spm_models.journal.coaching_bodies import SKILLS
from spm_models.journal.people import standing

_QUARTER = 365.25 / 4
_LEAST = 4  # observations on several days, for a trend
SEEN: dict[str, str] = {
    "rep_id": "str", "skill": "str", "held_on": "datetime64[s]", "entry": "int64", "score": "float64", "note": "str",
    "author": "str",
}  # fmt: skip


def observed(entries: Sequence[Entry], as_of: date, before: datetime | None = None) -> pd.DataFrame:
    """One row an observation and skill, in the order of the talks: columns of :data:`SEEN`."""
    known = [e for e in entries if e.kind == "observation" and (before is None or e.written_at < before)]
    rows = [
        (entry.rep_id, skill, entry.body["held_on"], entry.id, entry.body[skill]["score"], entry.body[skill]["note"],
         entry.author)
        for entry in standing(known) for skill in SKILLS if skill in entry.body
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(SEEN))
    table = table.assign(held_on=pd.to_datetime(table["held_on"])).astype(SEEN)
    table = table[table["held_on"] <= pd.Timestamp(as_of)]
    return table.sort_values(["rep_id", "skill", "held_on", "entry"], ignore_index=True)


def observations(entries: Sequence[Entry], as_of: date, before: datetime | None = None) -> pd.DataFrame:
    """Latest score, mean and trend of each rep and skill.

    Parameters
    ----------
    entries : sequence of Entry
        Of the journal; other kinds, and what was taken back, are passed over.
    as_of : datetime.date
    before : datetime, optional
        Look at the journal as it was at this instant (naive UTC).

    Returns
    -------
    DataFrame
        ``rep_id, skill, n, latest, latest_on, note, mean, low, high, trend, trend_low, trend_high``. Points from 1 to
        5; ``trend`` in points a quarter by least squares over all observations, from four on; ranges are 80 %, by
        Student's t, empty where they cannot be known.

    Examples
    --------
    >>> def seen(day, score):
    ...     body = {"held_on": day, "of": "call", "value": {"score": score, "note": "Named the saving."}}
    ...     return Entry(int(day[5:7]), datetime(2026, 6, 1), "m1", "rep", "r1", "r1", "observation", body, None, day)
    >>> found = observations([seen("2026-01-10", 2), seen("2026-02-10", 3), seen("2026-03-10", 3),
    ...                       seen("2026-04-10", 4)], date(2026, 6, 30))
    >>> found[["n", "latest", "mean", "trend"]].round(1).values.tolist()
    [[4.0, 4.0, 3.0, 1.9]]
    """
    seen = observed(entries, as_of, before)
    groups = seen.groupby(["rep_id", "skill"])
    table = groups.agg(
        n=("score", "size"), latest=("score", "last"), latest_on=("held_on", "last"), note=("note", "last"),
        mean=("score", "mean"), spread=("score", "std"),
    ).reset_index()  # fmt: skip
    half = _t(table["n"] - 1) * table["spread"] / np.sqrt(table["n"])
    table["low"], table["high"] = (table["mean"] - half).clip(1, 5), (table["mean"] + half).clip(1, 5)
    table = table.join(_trend(seen), on=["rep_id", "skill"]).drop(columns="spread")
    order = pd.Categorical(table["skill"], SKILLS, ordered=True)
    table = table.assign(place=order.codes).sort_values(["rep_id", "place"], ignore_index=True).drop(columns="place")
    kinds = {"n": "int64", "latest_on": "datetime64[s]", "rep_id": "str", "skill": "str", "note": "str"}
    return table.astype({name: kinds.get(str(name), "float64") for name in table})


def _trend(seen: pd.DataFrame) -> pd.DataFrame:
    keys = [seen["rep_id"], seen["skill"]]
    x = (seen["held_on"] - pd.Timestamp("2000-01-01")).dt.days / _QUARTER
    x, y = x - x.groupby(keys).transform("mean"), seen["score"] - seen["score"].groupby(keys).transform("mean")
    sums = pd.DataFrame({"xx": x * x, "xy": x * y, "yy": y * y, "n": 1.0}).groupby(keys).sum()
    sums = sums[(sums["n"] >= _LEAST) & (sums["xx"] > 0)]
    slope = sums["xy"] / sums["xx"]
    left = (sums["yy"] - slope * sums["xy"]).clip(lower=0)
    half = _t(sums["n"] - 2) * np.sqrt(left / (sums["n"] - 2) / sums["xx"])
    return pd.DataFrame({"trend": slope, "trend_low": slope - half, "trend_high": slope + half})


def _t(freedom: pd.Series) -> pd.Series:
    found = special.stdtrit(freedom.clip(lower=1).to_numpy(dtype=float), 0.9)
    return pd.Series(found, index=freedom.index).where(freedom >= 1)
