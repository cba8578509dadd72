"""By when open deals are won, lost, or still open."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError
from spm_models.win_probability.person_periods import EDGES

Floats = npt.NDArray[np.float64]
Day = date | str | float

#: Columns of the published table ``deal_timing``.
TIMING: dict[str, str] = {
    "opportunity_id": "str", "rep_id": "str", "day": "datetime64[s]", "won_by": "float64", "lost_by": "float64",
}  # fmt: skip
_WEEKS, _QUARTERS = 26, 3


@dataclass(frozen=True, eq=False)
class DealTiming:
    """Cumulative incidences of winning and losing of open deals.

    Parameters
    ----------
    deals : DataFrame
        ``as_of, opportunity_id, rep_id, expected_close_on``; one row a deal.
    won, lost : arrays of shape (deals, edges)
        Probability that the deal is won (lost) by each of :data:`~.person_periods.EDGES` days after ``as_of``.
        Both rise, and never add up to more than one; the rest is still open. Linear between the edges; nothing is
        told of the time after the last one (two years).
    quarter_ends : sequence of int
        Last days of quarters (proleptic ordinals), for :attr:`table`.

    Examples
    --------
    >>> deals = pd.DataFrame({"as_of": pd.to_datetime(["2026-06-30"]), "opportunity_id": ["o1"], "rep_id": ["r1"],
    ...                       "expected_close_on": pd.to_datetime(["2026-07-14"])})
    >>> share = np.minimum(EDGES / 28, 1.0)[None, :]
    >>> timing = DealTiming(deals, 0.6 * share, 0.3 * share)
    >>> timing.by("2026-07-14")
      opportunity_id  won_by  lost_by  open
    0             o1     0.3     0.15  0.55
    >>> timing.slip().round(2).tolist()
    [0.55]
    """

    deals: pd.DataFrame
    won: Floats
    lost: Floats
    quarter_ends: tuple[int, ...] = field(default=(), repr=False)

    def by(self, when: Day) -> pd.DataFrame:
        """Probability that each deal is won, lost or still open at the end of a day.

        Parameters
        ----------
        when : date, ISO text, or number
            A day, or a number of days after the snapshot.

        Returns
        -------
        DataFrame
            ``opportunity_id, won_by, lost_by, open``; the three sum to one. Both incidences are 0 on the day of the
            snapshot and before it.

        Raises
        ------
        ModelError
            When ``when`` is no day.
        """
        won, lost = self._at(self._days(when))
        found = {"won_by": won, "lost_by": lost, "open": 1 - won - lost}
        return pd.DataFrame({"opportunity_id": self.deals["opportunity_id"].to_numpy(), **found})

    def slip(self) -> pd.Series:
        """Probability that each deal is still open after its expected close date, by ``opportunity_id``.

        One where that day has passed; empty where it is unknown. Slip is no way to end: the deal goes on, with
        another date.
        """
        days = _days_between(self.deals["as_of"], self.deals["expected_close_on"])
        won, lost = self._at(np.nan_to_num(days))
        still = np.where(np.isnan(days), np.nan, 1 - won - lost)
        return pd.Series(still, index=pd.Index(self.deals["opportunity_id"]), name="slip")

    @property
    def ever_closed(self) -> Floats:
        """Probability that each deal is closed at all, within two years."""
        return np.asarray(self.won[:, -1] + self.lost[:, -1], dtype=float)

    @property
    def table(self) -> pd.DataFrame:
        """The published table ``deal_timing``: 26 weeks, the ends of this and the next two quarters, and the expected
        close date, one row a deal and day."""
        deals = self.deals.reset_index(drop=True)
        weeks = [np.full(len(deals), 7.0 * week) for week in range(1, _WEEKS + 1)]
        due = _days_between(deals["as_of"], deals["expected_close_on"])
        grid = np.column_stack([*weeks, self._quarter_days(), np.where(due > 0, due, np.nan)])
        place, column = np.nonzero((grid > 0) & (grid <= EDGES[-1]))
        days = grid[place, column]
        won, lost = self._at(days, place)
        rows = pd.DataFrame({
            "opportunity_id": deals["opportunity_id"].to_numpy()[place],
            "rep_id": deals["rep_id"].to_numpy()[place],
            "day": (deals["as_of"].to_numpy()[place] + days.astype("timedelta64[D]")),
            "won_by": won, "lost_by": lost,
        })  # fmt: skip
        return rows.drop_duplicates(["opportunity_id", "day"]).sort_values(
            ["opportunity_id", "day"], ignore_index=True
        )[list(TIMING)].astype(TIMING)  # fmt: skip

    def _days(self, when: Day) -> Floats:
        if isinstance(when, int | float) and not isinstance(when, bool):
            return np.full(len(self.deals), float(when))
        try:
            day = pd.Timestamp(when)
        except (ValueError, TypeError) as error:
            raise ModelError(
                "This is no day", where="by", found=when, remedy="Give a day such as 2026-09-30, or a number of days."
            ) from error
        if pd.isna(day):
            raise ModelError("This is no day", where="by", found=when, remedy="Give a day such as 2026-09-30.")
        return _days_between(self.deals["as_of"], pd.Series(day, index=self.deals.index))

    def _at(self, days: Floats, rows: npt.NDArray[np.intp] | None = None) -> tuple[Floats, Floats]:
        """Incidences of each deal (or of some ``rows``) after its number of days."""
        row = np.arange(len(self.deals)) if rows is None else rows
        when = np.clip(days, 0.0, EDGES[-1])
        place = np.clip(np.searchsorted(EDGES, when, side="right") - 1, 0, len(EDGES) - 2)
        part = (when - EDGES[place]) / (EDGES[place + 1] - EDGES[place])
        won, lost = (table[row, place] * (1 - part) + table[row, place + 1] * part for table in (self.won, self.lost))
        return won, lost

    def _quarter_days(self) -> Floats:
        """Days to the end of the running quarter and the next two, shape (deals, 3); empty where unknown."""
        ends = np.sort(np.array(self.quarter_ends, dtype=np.int64)) - date(1970, 1, 1).toordinal()
        day = self.deals["as_of"].to_numpy(dtype="datetime64[D]").astype(np.int64)
        place = np.searchsorted(ends, day, side="right")[:, None] + np.arange(_QUARTERS)
        known = np.append(ends.astype(float), np.nan)
        return np.asarray(known[np.minimum(place, len(ends))] - day[:, None], dtype=float)


def _days_between(first: pd.Series, second: pd.Series) -> Floats:
    return np.asarray((second - first).dt.days.to_numpy(dtype=float), dtype=float)
