"""Charts straight from a forecast or a replay, for those who have just made one: analysts in notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from matplotlib.figure import Figure

from spm_models.charts.outlook import history_chart, range_chart, replay_chart, units_chart
from spm_models.errors import NotEnoughDataError
from spm_models.translations import Translator

if TYPE_CHECKING:
    from spm_models.revenue_forecast import Replay, RevenueForecast

TIERS = ("minimum", "standard", "maximum")


def forecast_chart(
    t: Translator, forecast: RevenueForecast, quotas: pd.DataFrame | None = None, *, width: int
) -> Figure:
    """The company's total: its parts, the 80 % range, and the quota tiers with their probabilities.

    Parameters
    ----------
    t : Translator
    forecast : RevenueForecast
    quotas : DataFrame, optional
        The ledger of quotas; no tiers without it.
    width : int
        In SVG units.
    """
    return range_chart(t, forecast.summary(), _chances(forecast, quotas), width=width)


def quarters_chart(
    t: Translator, forecast: RevenueForecast, history: pd.DataFrame, quotas: pd.DataFrame | None = None, *, width: int
) -> Figure:
    """The company's past quarters (``revenue_history``), then the one that was forecast."""
    past = history[(history["level"] == "company") & (history["period_start"] < pd.Timestamp(forecast.period.start))]
    parts = forecast.summary()
    now = parts.loc["total", ["mean", "p10", "p90"]]
    now["closed"] = parts.loc["closed", "mean"]
    now["quota"] = _chances(forecast, quotas)["quota"].get("standard", float("nan"))
    return history_chart(t, past.sort_values("period_start"), now, forecast.period.label, width=width)


def levels_chart(
    t: Translator,
    forecast: RevenueForecast,
    people: pd.DataFrame,
    *,
    level: str,
    width: int,
    quotas: pd.DataFrame | None = None,
) -> Figure:
    """Every unit of a level: closed, middle and range of the forecast, standard quota; the largest on top.

    Parameters
    ----------
    people : DataFrame
        The organisation, for names (``crm.organisation``).
    level : {"region", "team", "manager", "rep"}
    """
    rows = forecast.table[forecast.table["level"] == level]
    total = rows[rows["part"] == "total"].set_index("key")[["mean", "p10", "p90"]]
    if total.empty:
        raise NotEnoughDataError("There is no unit at this level", where="levels_chart", found=level,
                                 remedy="Choose region, team, manager or rep.")  # fmt: skip
    chances = forecast.quota_chances(quotas)
    standard = chances[(chances["level"] == level) & (chances["tier"] == "standard")].set_index("key")["quota"]
    closed = rows[rows["part"] == "closed"].set_index("key")["mean"]
    units = total.assign(closed=closed, quota=standard, label=_labels(people, level, total.index))
    return units_chart(t, units.sort_values("mean", ascending=False), width=width)


def past_forecasts_chart(t: Translator, replay: Replay, *, width: int, method: str = "blend") -> Figure:
    """What one method forecast for each replayed quarter on its eve, and what came.

    Raises
    ------
    NotEnoughDataError
        When no quarter could be replayed by that method.
    """
    rows = replay.table[(replay.table["method"] == method) & (replay.table["week"] == 0)]
    if rows.empty:
        raise NotEnoughDataError(
            "No quarter could be replayed", where="past_forecasts_chart", found=method,
            remedy="Load a longer record, or choose one of the methods in replay.table.",
        )  # fmt: skip
    return replay_chart(t, rows, width=width)


def _chances(forecast: RevenueForecast, quotas: pd.DataFrame | None) -> pd.DataFrame:
    chances: pd.DataFrame = forecast.quota_chances(quotas)
    company: pd.DataFrame = chances[chances["level"] == "company"].set_index("tier")
    kept: pd.DataFrame = company.loc[[tier for tier in TIERS if tier in company.index]].dropna(subset=["quota"])
    return kept


def _labels(people: pd.DataFrame, level: str, keys: pd.Index) -> pd.Series:
    columns = {"rep": ("rep_id", "name"), "manager": ("manager_id", "manager_name")}.get(level)
    own = keys.to_series().astype("str")
    if columns is None:
        return own
    names = people.dropna(subset=[columns[0]]).drop_duplicates(columns[0]).set_index(columns[0])[columns[1]]
    return own.map(names).fillna(own)
