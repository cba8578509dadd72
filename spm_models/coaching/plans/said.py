"""One sentence of feedback before it is put into words, and the deals it may draw on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

import pandas as pd

from spm_models.coaching.features import Evidence

FEWEST = 5  #: deals about which something is said in numbers
RECENT_DAYS = 182
NAMED = 3  #: deals named in one sentence
#: Columns of deals that sentences look at; ``alike`` numbers segment and kind of business.
_COLUMNS = ["opportunity_id", "rep_id", "won", "amount", "days", "activities", "closed_on", "price_kept",
            "longest_silence"]  # fmt: skip


@dataclass(frozen=True)
class Said:
    """Key of a sentence, its numbers, the deals it is about."""

    sentence: str
    values: dict[str, float | int | str]
    deals: tuple[str, ...] = ()
    signal: str = ""
    part: str = ""


@dataclass(frozen=True)
class Rows:
    """What is known of one rep, and of everybody.

    Parameters
    ----------
    deals : DataFrame
        Everybody's deals, of :func:`comparable`.
    own : DataFrame
        The rep's.
    stages : DataFrame
        His rows of ``Evidence.stages``; empty without history.
    finding : Series
        The row of ``coaching_findings`` about which something is said.
    """

    evidence: Evidence
    rep_id: str
    deals: pd.DataFrame
    own: pd.DataFrame
    stages: pd.DataFrame
    finding: pd.Series = field(default_factory=lambda: pd.Series(dtype=object))

    def recent(self, rows: pd.DataFrame, *, fewest: int = FEWEST) -> pd.DataFrame:
        """Rows closed in the last half year where there are enough of them, else all of the window."""
        since = pd.Timestamp(self.evidence.as_of - timedelta(days=RECENT_DAYS))
        late = rows[rows["closed_on"] > since]
        return late if len(late) >= fewest else rows

    def since(self, rows: pd.DataFrame) -> str:
        """Day of the first close among the rows, as it is published."""
        return str(rows["closed_on"].min().date())

    def won_of_this_kind(self, like: pd.DataFrame) -> pd.DataFrame:
        """Everybody's won deals of the same segments and kinds of business."""
        return self.deals[self.deals["won"] & self.deals["alike"].isin(like["alike"].unique())]


def comparable(deals: pd.DataFrame) -> pd.DataFrame:
    """Deals with what sentences look at."""
    return deals[_COLUMNS].assign(alike=deals.groupby(["segment", "kind"], sort=True).ngroup())


def largest(rows: pd.DataFrame) -> tuple[str, ...]:
    """Up to three deals, the largest first."""
    rows = rows.sort_values(["amount", "opportunity_id"], ascending=[False, True])
    return tuple(rows["opportunity_id"].head(NAMED))
