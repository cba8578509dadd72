"""The last whole month of a unit: what was won, lost and created, beside what was expected of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from spm_models.published import Results
from spm_models.published.reader import past_runs
from spm_models.reports.reading import Reading

USUAL_MONTHS, LEAST_MONTHS = 12, 6
_NEAR = pd.Timedelta(days=8)  # so long after a month's first day, a run still tells what was expected of it
_OLD = pd.Timedelta(days=35)


def last_month(as_of: pd.Timestamp) -> pd.Period:
    """The last month that was over at the end of a day.

    Examples
    --------
    >>> [str(last_month(pd.Timestamp(day))) for day in ("2026-06-30", "2026-07-01", "2026-07-30")]
    ['2026-06', '2026-06', '2026-06']
    """
    own = as_of.to_period("M")
    return own if as_of.normalize() == own.end_time.normalize() else own - 1


@dataclass(frozen=True)
class Month:
    """Figures of the last whole month of a unit.

    Parameters
    ----------
    reading : Reading
        Narrowed to the unit.
    """

    reading: Reading
    words = "monthly"  #: section of the catalogues with its words; what one of them and several are called
    one, several = "common.month", "common.months"

    @cached_property
    def period(self) -> pd.Period:
        """The month."""
        return last_month(self.reading.as_of)

    @property
    def start(self) -> pd.Timestamp:
        """Its first day."""
        return self.period.start_time

    @property
    def label(self) -> str:
        """Its label, as published tables have it."""
        return str(self.period)

    @cached_property
    def by_month(self) -> pd.DataFrame:
        """Figures of each month with a closed or created deal up to this one, labels of months as the index.

        Columns: won, lost (number of closed deals), amount (won), win_rate, average, created, created_amount.
        """
        closed, scores = self.reading["closed_deals"], self.reading["deal_scores"]
        months = self._labels(closed["closed_on"])
        won = closed["won"].astype(bool)
        table = pd.DataFrame({
            "won": won.groupby(months).sum(), "lost": (~won).groupby(months).sum(),
            "amount": closed["amount"].where(won).groupby(months).sum(),
        })  # fmt: skip
        columns = ["opportunity_id", "created_on", "amount"]
        born = pd.concat([closed[columns], scores[columns]], ignore_index=True).drop_duplicates("opportunity_id")
        made = born.groupby(self._labels(born["created_on"]))["amount"].agg(["size", "sum"])
        table = table.join(made.set_axis(["created", "created_amount"], axis=1), how="outer")
        table = table.reindex(self._all_labels(min([*table.index, self.label]))).fillna(0.0)
        ended = table["won"] + table["lost"]
        table["win_rate"] = table["won"] / ended.where(ended > 0)
        table["average"] = table["amount"] / table["won"].where(table["won"] > 0)
        return table

    def _labels(self, days: pd.Series) -> pd.Series:
        labels: pd.Series = days.dt.to_period("M").astype("str")
        return labels

    def _all_labels(self, first: str) -> list[str]:
        """Every month from one to this one."""
        return [str(month) for month in pd.period_range(min(pd.Period(first, "M"), self.period), self.period, freq="M")]

    @property
    def now(self) -> pd.Series:
        """Figures of the month."""
        return self.by_month.iloc[-1]

    @property
    def before(self) -> pd.Series | None:
        """Figures of the month before; None where the data do not reach back so far."""
        return self.by_month.iloc[-2] if len(self.by_month) > 1 else None

    @cached_property
    def past(self) -> Results | None:
        """The run published last around the month's first day; None where none was kept."""
        reading = self.reading
        runs = past_runs(reading.workspace, before=min(self.start + _NEAR, reading.as_of).date())
        if not runs:
            return None
        found = Results.open(reading.workspace, scope=reading.results.scope, run_id=runs[-1])
        return found if pd.Timestamp(found.manifest.as_of) >= self.start - _OLD else None

    @property
    def expected(self) -> tuple[float, float, float] | None:
        """10 %, mean and 90 % of what was expected of the month around its first day."""
        return None if self.past is None else of_period(self.past["forecast_quantiles"], self.reading, self.label)

    @property
    def ahead(self) -> tuple[float, float, float] | None:
        """The same of the month to come."""
        return of_period(self.reading["forecast_quantiles"], self.reading, self.next_label)

    @property
    def next_label(self) -> str:
        """The label of the month that follows."""
        return str(self.period + 1)

    @property
    def usual(self) -> tuple[float, int] | None:
        """Median amount won in the months of the year before, and their number."""
        earlier = self.by_month["amount"].iloc[:-1].tail(USUAL_MONTHS)
        return (float(earlier.median()), len(earlier)) if len(earlier) >= LEAST_MONTHS else None


def of_period(quantiles: pd.DataFrame, reading: Reading, label: str) -> tuple[float, float, float] | None:
    """10 %, mean and 90 % of a unit's total in one month; None where it was not forecast."""
    rows = quantiles[
        (quantiles["period"] == label) & (quantiles["level"] == reading.level) & (quantiles["key"] == reading.key)
        & (quantiles["part"] == "total")
    ]  # fmt: skip
    if rows.empty:
        return None
    low, mean, high = (float(rows[name].iloc[0]) for name in ("p10", "mean", "p90"))
    return low, mean, high
