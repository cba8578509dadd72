"""When answers that were given in confidence may be shown: in batches that nobody can take apart.

Whoever sees every weekly publication sees nothing but sums over whole batches, each of at least ``minimum`` new
answers of one side about one person on one dimension. Batches are made on fixed days (the last of each month), so that
the day on which an answer came changes nothing; what has been released is never counted anew, whatever is added,
corrected or deleted later; and answers wait for their batch for at most half a year, within which nobody is asked
twice, so that five answers are those of five people.

Notes
-----
That differences of published totals give single values away, across groups and over time, and that publishing in fixed
disjoint batches of a least size prevents it: Denning and Schlörer, "Inference controls for statistical databases",
IEEE Computer 16 (1983); Fung, Wang, Chen and Yu, "Privacy-preserving data publishing", ACM Computing Surveys 42 (2010),
on sequential releases.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pandas as pd

from spm_models.errors import StatisticsError
from spm_models.snapshots import month_ends

MINIMUM = 5
ROUND_DAYS = 183  # nobody is asked the same about the same person twice within this
KEY = ["about", "given_by", "dimension"]


@dataclass(frozen=True)
class Batch:
    """Answers that were released together: their sums, and of each the digest of its comment."""

    about: str
    given_by: str
    dimension: str
    released_on: date
    n: int
    total: float
    squares: float
    answers: dict[str, str]


@dataclass(frozen=True)
class Releases:
    """Everything that has been released so far, up to the release day ``through``.

    Examples
    --------
    >>> given = pd.DataFrame({"feedback_id": list("abcdef"), "about": "r1", "given_by": "peer", "dimension": "value",
    ...     "score": [3.0, 4, 4, 5, 4, 2], "comment": None, "given_on": pd.Timestamp("2026-06-10")})
    >>> done = Releases().go_on(given[:5], date(2026, 6, 30))
    >>> [(batch.n, batch.total) for batch in done.batches]
    [(5, 20.0)]
    >>> done.go_on(given, date(2026, 7, 31)).batches == done.batches  # the sixth waits for four more
    True
    """

    through: date | None = None
    batches: tuple[Batch, ...] = field(default=())

    def go_on(self, answers: pd.DataFrame, as_of: date, minimum: int = MINIMUM) -> Releases:
        """Make the batches of all release days after ``through`` up to ``as_of``.

        Parameters
        ----------
        answers : DataFrame
            ``feedback_id``, ``about``, ``given_by``, ``dimension``, ``score``, ``comment``, ``given_on``.
        as_of : datetime.date
        minimum : int
            Least number of new answers of a batch; five or more.

        Raises
        ------
        StatisticsError
            When fewer than five are asked for.
        """
        if minimum < MINIMUM:
            raise StatisticsError(
                "Feedback of so small a group would name those who gave it", where="minimum", found=minimum,
                remedy=f"Ask for at least {MINIMUM}.",
            )  # fmt: skip
        usable = answers[answers["score"].notna() & answers["given_on"].notna()].sort_values("feedback_id")
        covered = {name for batch in self.batches for name in batch.answers}
        through, found = self.through, list(self.batches)
        first = usable["given_on"].min().date() if len(usable) else as_of
        after = self.through + timedelta(days=1) if self.through else first
        for day in month_ends(after, as_of):
            low, high = pd.Timestamp(day - timedelta(days=ROUND_DAYS)), pd.Timestamp(day)
            waiting = usable[usable["given_on"].gt(low) & usable["given_on"].le(high)]
            waiting = waiting[~waiting["feedback_id"].isin(covered)]
            new = list(_batches(waiting, day, minimum))
            covered |= {name for batch in new for name in batch.answers}
            found, through = found + new, day
        return Releases(through, tuple(found))

    def until(self, as_of: date) -> Releases:
        """What had been released by a day."""
        return Releases(self.through, tuple(batch for batch in self.batches if batch.released_on <= as_of))

    def to_json(self) -> str:
        """To be kept from run to run: without it, what arrives late could change what was shown."""
        rows = [batch.__dict__ | {"released_on": batch.released_on.isoformat()} for batch in self.batches]
        through = self.through.isoformat() if self.through else None
        return json.dumps({"through": through, "batches": rows}, ensure_ascii=False, indent=0)

    @classmethod
    def from_json(cls, text: str) -> Releases:
        """Read what :meth:`to_json` wrote.

        Raises
        ------
        StatisticsError
            When it is anything else; to go on without it could give answers away.
        """
        try:
            raw: dict[str, Any] = json.loads(text)
            batches = tuple(
                Batch(**(row | {"released_on": date.fromisoformat(row["released_on"])})) for row in raw["batches"]
            )
            return cls(date.fromisoformat(raw["through"]) if raw["through"] else None, batches)
        except (ValueError, KeyError, TypeError) as error:
            raise StatisticsError(
                "What has been released of 360° feedback cannot be read", found=str(error)[:120],
                remedy="Put the file back from a backup: without it, late answers could be told by difference.",
            ) from error  # fmt: skip


def digest(comment: object) -> str:
    """Sixteen hexadecimal digits of a comment; empty without one. Shown is only what was released."""
    text = comment.strip() if isinstance(comment, str) else ""
    return hashlib.sha256(text.encode()).hexdigest()[:16] if text else ""


def _batches(waiting: pd.DataFrame, day: date, minimum: int) -> Iterator[Batch]:
    size = waiting.groupby(KEY)["feedback_id"].transform("size")
    for key, rows in waiting[size >= minimum].groupby(KEY):
        about, given_by, dimension = map(str, key)
        score = rows["score"].astype(float)
        comments = [digest(comment) for comment in rows["comment"]]
        yield Batch(
            about, given_by, dimension, day, len(rows), float(score.sum()), float((score**2).sum()),
            dict(zip(rows["feedback_id"].astype(str), comments, strict=True)),
        )  # fmt: skip
