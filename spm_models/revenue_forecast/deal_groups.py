"""Groups of deals that close alike: nested, from all deals to those of one stage, kind, age and due date.

Segments, families of products and sizes have cycles of their own, and the largest deals usually take longest. Groups
that knew only stage and age would expect large deals as soon as small ones, and their amounts would make the forecast
of a period too high though the number of deals is right.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.features import (
    LOST,
    MAX_BANDS,
    OPEN,
    WON,
    Codes,
    age_band,
    age_edges,
    due_band,
    place_in_quarter,
    stage_band,
)

Floats = npt.NDArray[np.float64]
_WIDTH = MAX_BANDS + 1
_SIZES = (1 / 3, 2 / 3)
#: What deals may be told apart by, in the order of preference at the same evidence.
_KINDS = ("segment", "family", "amount")


class DealGroups:
    """Month of the quarter (where asked for), stage, kind, age, and days to the expected close date.

    The kind is the segment, the family of products, or the size (thirds of the amounts known in snapshots): that one
    by which the paces of winning and losing differ most at the same stage. How far to believe in the difference is
    left to whoever pools the groups. Unknown values are a band of their own; kinds beyond the eight most frequent ones
    are taken together.

    Attributes
    ----------
    kind_ : str or None
        ``segment``, ``family``, ``amount``, or None where no deal has any of them.
    """

    def fit(self, rows: pd.DataFrame, deals: pd.DataFrame, calendar: FiscalCalendar, *, by_month: bool) -> DealGroups:
        """Learn bands from landmarks (:func:`features.landmarks`) and creations."""
        self.edges_, self.calendar_, self.by_month_ = age_edges(deals), calendar, by_month
        self._bands = {name: bands for name in _KINDS if (bands := _bands_of(rows, name)) is not None}
        gains = {name: _gain(rows, bands(rows)) for name, bands in self._bands.items()}
        self.kind_ = max(gains, key=lambda name: gains[name], default=None)
        return self

    def levels(self, rows: pd.DataFrame) -> list[Codes]:
        """Code of each row on each level, from coarse to fine; rows alike on a level are alike on those before."""
        none = np.zeros(len(rows), dtype=np.int64)
        place = place_in_quarter(rows.as_of, self.calendar_)[0] if self.by_month_ else none
        kind = none if self.kind_ is None else self._bands[self.kind_](rows)
        codes = [place]
        for band in (stage_band(rows), kind, age_band(rows, self.edges_), due_band(rows)):
            codes.append(codes[-1] * _WIDTH + band)
        return codes


def _bands_of(rows: pd.DataFrame, name: str) -> Callable[[pd.DataFrame], Codes] | None:
    """How to tell the kind of deals by a column; None where the column tells nothing."""
    if name not in rows:
        return None
    known = rows[name].dropna()
    if name == "amount":
        cuts = np.unique(np.quantile(known, _SIZES)) if len(known) else np.empty(0)
        return (lambda now: _sizes(now, cuts)) if len(cuts) else None
    frequent = (
        known.value_counts().rename_axis(name).reset_index().sort_values(["count", name], ascending=[False, True])
    )
    values = pd.Index(frequent[name].head(MAX_BANDS - 1))
    return (lambda now: _values(now[name], values)) if len(frequent) else None


def _sizes(rows: pd.DataFrame, cuts: Floats) -> Codes:
    amount = rows.amount.to_numpy(dtype=float)
    return np.where(np.isnan(amount), MAX_BANDS, np.searchsorted(cuts, amount, side="left")).astype(np.int64)


def _values(column: pd.Series, values: pd.Index) -> Codes:
    place = values.get_indexer(pd.Index(column))
    place = np.where(place < 0, MAX_BANDS - 1, place)
    return np.where(column.isna(), MAX_BANDS, place).astype(np.int64)


def _gain(rows: pd.DataFrame, kind: Codes) -> float:
    """Evidence that paces of winning and losing differ by kind at the same stage, beyond chance.

    Poisson deviance of closes by stage, kind and cause, against time at risk times the pace of the stage, less its
    expectation by chance; a deal counts once, however many snapshots it is in.
    """
    cell = stage_band(rows) * _WIDTH + kind
    days, event = rows.days.to_numpy(dtype=float) + 0.5, rows.event.to_numpy()
    exposure = np.bincount(cell, days, minlength=_WIDTH**2).reshape(_WIDTH, _WIDTH)
    repeated = max(float((event != OPEN).sum()) / max(rows.opportunity_id[event != OPEN].nunique(), 1), 1.0)
    gain = 0.0
    for cause in (WON, LOST):
        seen = np.bincount(cell[event == cause], minlength=_WIDTH**2).reshape(_WIDTH, _WIDTH).astype(float)
        at_risk = exposure.sum(axis=1, keepdims=True)
        pace = np.divide(seen.sum(axis=1, keepdims=True), at_risk, out=np.zeros_like(at_risk), where=at_risk > 0)
        expected = exposure * pace
        used = expected > 0
        ratio = np.divide(seen, expected, out=np.ones_like(seen), where=used & (seen > 0))
        freedom = int(used.sum() - used.any(axis=1).sum())
        gain += float((2 * (seen * np.log(ratio) - (seen - expected)))[used].sum()) / repeated - 2.0 * freedom
    return gain
