"""K36: how near forecasts came, those of people and those of the model."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from spm_models.kpis.definition import Kpi
from spm_models.kpis.source import Source
from spm_models.periods import Period

WEEK = 6  #: forecasts are judged as they stood at the end of this week: early enough to act on
PAST_FORECASTS = ("period", "level", "key", "who", "forecast", "actual")
WHO = {"people": "Submitted commits", "model": "Forecast of the model"}


def _rows(who: str, *, absolute: bool) -> Callable[[Source, Period], pd.DataFrame]:
    def rows(source: Source, period: Period) -> pd.DataFrame:
        assert source.past_forecasts is not None
        known = source.past_forecasts
        known = known if period.end <= source.as_of else known.iloc[:0]  # what came is not known before the end
        mine = known[(known["who"] == who) & (known["period"] == period.label) & known["actual"].notna()]
        missed = (mine["forecast"] - mine["actual"]).abs() if absolute else mine["forecast"]
        found = mine.assign(numerator=missed).groupby(["level", "key"], as_index=False)
        return found.agg(numerator=("numerator", "sum"), denominator=("actual", "sum"))

    return rows


KPIS = tuple(
    kpi
    for who, words in WHO.items()
    for kpi in (
        Kpi(
            f"forecast_ratio_of_{who}", "K36", "ratio", "context",
            f"{words} as they stood at the end of week {WEEK} / actual revenue of the finished quarter: 1 is right, "
            "more is too much, and what is above or below 1 is the bias.",
            rows=_rows(who, absolute=False), needs_forecasts=True, grains=("quarter",), healthy=(0.85, 1.15),
        ),
        Kpi(
            f"forecast_error_of_{who}", "K36", "share", "lower",
            f"{words} at the end of week {WEEK}: absolute difference from the actual revenue / actual revenue.",
            rows=_rows(who, absolute=True), needs_forecasts=True, grains=("quarter",),
            source="Hyndman and Koehler (2006), ratio of sums",
        ),
    )
)  # fmt: skip
