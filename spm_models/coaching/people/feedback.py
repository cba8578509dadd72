"""360° feedback and the forms about managers: figures of groups, comments of nobody in particular."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
from scipy import special

from spm_models.coaching.people.releases import KEY, MINIMUM, Batch, Releases, digest
from spm_models.journal.coaching_bodies import COACHING_SKILLS, SIDES

LOW, HIGH = 1.0, 5.0
_LONGEST = 1000  # characters of a comment
_ROUNDED = 1 / 12  # variance that is lost when whole points are given


@dataclass(frozen=True)
class Feedback360:
    """What may be shown of 360° feedback, and what has been released by then."""

    table: pd.DataFrame
    comments: pd.DataFrame
    releases: Releases


def feedback_360(
    answers: pd.DataFrame, people: pd.DataFrame, as_of: date, *, before: Releases | None = None, seed: int = 0,
    minimum: int = MINIMUM,
) -> Feedback360:  # fmt: skip
    """Figures of each side about each rep on each dimension, from a least group size on, and comments above it.

    Parameters
    ----------
    answers : DataFrame
        Columns of the CRM table ``feedback_360``; answers of the journal among them.
    people : DataFrame
        ``rep_id`` of everybody who gets a row.
    as_of : datetime.date
    before : Releases, optional
        What earlier runs have released.
    seed : int
        Of the order of comments, which depends on nothing else but their words.
    minimum : int
        Least number of new answers that are shown together.

    Returns
    -------
    Feedback360
        ``table`` and ``comments`` as published; a side with too few answers has no figures, not even their number.
        Mean and 80 % range (Student's t; whole points are taken as rounded) have one digit after the point.

    Examples
    --------
    >>> given = pd.DataFrame({"feedback_id": list("abcde"), "about_rep_id": "r1", "given_by": "peer",
    ...     "dimension": "listening", "score": [3.0, 4, 4, 5, 4], "comment": ["Hears us out."] + [None] * 4,
    ...     "given_on": pd.Timestamp("2026-06-10")})
    >>> found = feedback_360(given, pd.DataFrame({"rep_id": ["r1"]}), date(2026, 6, 30))
    >>> found.table.set_index("given_by").loc[["peer", "customer"], ["n", "mean", "low", "high"]].values.tolist()
    [[5.0, 4.0, 3.5, 4.5], [0.0, nan, nan, nan]]
    >>> found.comments["comment"].tolist()
    ['Hears us out.']
    """
    given = answers.rename(columns={"about_rep_id": "about"})
    everything = (before or Releases()).go_on(given, as_of, minimum)
    shown = everything.until(as_of)
    known = sorted({str(person) for person in people["rep_id"].dropna()})
    due = given["given_on"].le(pd.Timestamp(min(everything.through or as_of, as_of))) & (everything.through is not None)
    asked = sorted(set(given.loc[due, "dimension"].dropna()) | {batch.dimension for batch in shown.batches})
    index = pd.MultiIndex.from_product([known, SIDES, asked], names=["rep_id", "given_by", "dimension"])
    return Feedback360(
        _grid(shown.batches, index), _comments(given, [b for b in shown.batches if b.about in known], seed), everything
    )


def manager_skills(
    forms: pd.DataFrame, managers: list[str], as_of: date, *, before: Releases | None = None, minimum: int = MINIMUM
) -> tuple[pd.DataFrame, Releases]:
    """How managers coach, by skill: what each says of himself and, released like 360° feedback, what his people say.

    Parameters
    ----------
    forms : DataFrame
        Of :func:`spm_models.journal.people.form_rows`.
    managers : list of str
    as_of : datetime.date
    before : Releases, optional
    minimum : int

    Returns
    -------
    table : DataFrame
        One row a manager and skill; ``own`` is the newest score he gave himself.
    releases : Releases
    """
    given = forms.rename(columns={"about_rep_id": "about"})
    own = given[(given["given_by"] == "self") & given["given_on"].le(pd.Timestamp(as_of))]
    newest = own.sort_values(["given_on", "feedback_id"]).groupby(["about", "dimension"])["score"].last()
    everything = (before or Releases()).go_on(given[given["given_by"] == "rep"], as_of, minimum)
    index = pd.MultiIndex.from_product([sorted(managers), ["rep"], COACHING_SKILLS], names=KEY)
    table = _grid(everything.until(as_of).batches, index).drop(columns="given_by")
    pairs = pd.MultiIndex.from_frame(table[["about", "dimension"]])
    table = table.assign(own=newest.reindex(pairs).astype("float64").to_numpy(), level="manager")
    table = table.rename(columns={"about": "key", "dimension": "skill"})
    return table[["level", "key", "skill", "own", "n", "mean", "low", "high", "state"]], everything


def _grid(batches: tuple[Batch, ...], index: pd.MultiIndex) -> pd.DataFrame:
    rows = [(b.about, b.given_by, b.dimension, b.n, b.total, b.squares) for b in batches]
    sums = pd.DataFrame(rows, columns=[*index.names, "n", "total", "squares"]).groupby(index.names).sum().reindex(index)
    n = sums["n"].where(sums["n"] > 0).to_numpy(dtype=float)
    mean = (sums["total"] / n).to_numpy(dtype=float)
    around = (sums["squares"] - n * mean**2).clip(lower=0).to_numpy(dtype=float)
    variance = around / (n - 1) + _ROUNDED
    half = special.stdtrit(n - 1, 0.9) * np.sqrt(variance / n)
    table = index.to_frame(index=False).astype("str")
    table["n"] = np.nan_to_num(n).astype("int64")
    table["mean"] = mean.round(1)
    table["low"] = np.clip(mean - half, LOW, HIGH).round(1)
    table["high"] = np.clip(mean + half, LOW, HIGH).round(1)
    table["state"] = pd.Series(np.where(table["n"] > 0, "shown", "too_few"), dtype="str")
    return table


def _comments(given: pd.DataFrame, batches: list[Batch], seed: int) -> pd.DataFrame:
    """Comments as they were when their batch was released, by a digest of their words: no day, no dimension, no id."""
    then = pd.DataFrame(
        [(name, b.about, b.given_by, said) for b in batches for name, said in b.answers.items() if said],
        columns=["feedback_id", "rep_id", "given_by", "digest"],
    )  # fmt: skip
    now = given.loc[given["comment"].notna(), ["feedback_id", "comment"]]
    rows = then.merge(now, on="feedback_id")
    rows = rows[rows["digest"] == rows["comment"].map(digest)]
    rows["comment"] = rows["comment"].str.split().str.join(" ").str.slice(0, _LONGEST)
    rows = rows.drop_duplicates(["rep_id", "given_by", "comment"])  # said twice, said once
    facts = zip(rows["rep_id"], rows["given_by"], rows["comment"], strict=True)
    rows["order"] = [hashlib.sha256("\x1f".join([str(seed), *fact]).encode()).hexdigest() for fact in facts]
    rows = rows.sort_values(["rep_id", "order"], ignore_index=True)
    rows["rank"] = rows.groupby("rep_id").cumcount() + 1
    columns = {"rep_id": "str", "rank": "int64", "given_by": "str", "comment": "str"}
    return rows[list(columns)].astype(columns)
