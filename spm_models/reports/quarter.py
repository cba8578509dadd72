"""The last whole fiscal quarter of a unit: what was won, lost and created, beside what was expected of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from spm_models.periods import FiscalCalendar, Period
from spm_models.reports.month import Month

USUAL_QUARTERS, LEAST_QUARTERS = 8, 3


@dataclass(frozen=True)
class Quarter(Month):
    """Figures of the last whole fiscal quarter of a unit; reads like :class:`Month`.

    Parameters
    ----------
    reading : Reading
        Narrowed to the unit.
    """

    words = "quarterly"
    one, several = "quarterly.one", "quarterly.several"

    @cached_property
    def _calendar(self) -> FiscalCalendar:
        return FiscalCalendar.of(self.reading.workspace.settings.calendar)

    @cached_property
    def whole(self) -> Period:
        """The quarter."""
        day = self.reading.as_of.date()
        own = self._calendar.quarter(day)
        return own if own.end == day else own.previous()

    @property
    def start(self) -> pd.Timestamp:
        """Its first day."""
        return pd.Timestamp(self.whole.start)

    @property
    def label(self) -> str:
        """Its label, as published tables have it."""
        return self.whole.label

    @property
    def next_label(self) -> str:
        """The label of the quarter that follows."""
        return self.whole.next().label

    def _labels(self, days: pd.Series) -> pd.Series:
        return self._calendar.quarter_labels(days)

    def _all_labels(self, first: str) -> list[str]:
        """Every quarter from one to this one."""
        labels: list[str] = []
        period = self.whole
        while not labels or labels[-1] > first:
            labels.append(period.label)
            period = period.previous()
        return labels[::-1]

    @cached_property
    def by_month(self) -> pd.DataFrame:
        """Figures of each quarter up to this one, labels as the index; columns as in :class:`Month`, and quota.

        Amounts, won deals and quotas reach back as far as the revenue does; the other columns hold nothing for quarters
        of which not all closed deals are published.
        """
        table, history = super().by_month, self.reading["revenue_history"]
        own = history[(history["level"] == self.reading.level) & (history["key"] == self.reading.key)]
        own = own[own["period"] <= self.label].set_index("period").sort_index()
        first = self.reading["closed_deals"]["closed_on"].min()
        starts = own["period_start"].reindex(table.index)
        table = table.where(starts.isna() | (starts >= first)).reindex(own.index.union(table.index[-1:]))
        for column, known in (("amount", "revenue"), ("won", "deals")):
            table[column] = own[known].astype(float).reindex(table.index).fillna(table[column]).fillna(0.0)
        table["average"] = table["amount"] / table["won"].where(table["won"] > 0)
        return table.assign(quota=own["quota"].reindex(table.index))

    @property
    def usual(self) -> tuple[float, int] | None:
        """Median amount won in the quarters of the two years before, and their number."""
        earlier = self.by_month["amount"].iloc[:-1].tail(USUAL_QUARTERS)
        return (float(earlier.median()), len(earlier)) if len(earlier) >= LEAST_QUARTERS else None

    @property
    def a_year_ago(self) -> float | None:
        """Amount won in the same quarter of the year before; None where the data do not reach back so far."""
        table = self.by_month
        return float(table["amount"].iloc[-5]) if len(table) > 4 else None

    @property
    def quota(self) -> float | None:
        """The standard quota of the quarter; None without one."""
        quota = self.now["quota"]
        return float(quota) if pd.notna(quota) and quota > 0 else None
