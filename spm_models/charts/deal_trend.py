"""How one deal's win probability came about, week by week."""

from __future__ import annotations

from datetime import date, timedelta

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from spm_models.charts.style import COLOURS, STYLE, finish, new_axes
from spm_models.translations import Translator


def trend_chart(t: Translator, trend: pd.DataFrame, *, width: int) -> Figure:
    """Win probability by day with its 80 % range.

    Parameters
    ----------
    t : Translator
    trend : DataFrame
        ``as_of``, ``win_probability`` and, where known, ``low`` and ``high``; one row a day.
    width : int
        In SVG units.

    Examples
    --------
    >>> days = pd.date_range("2026-06-02", periods=4, freq="7D")
    >>> rows = pd.DataFrame({"as_of": days, "win_probability": [0.2, 0.3, 0.5, 0.4], "low": 0.1, "high": 0.6})
    >>> len(trend_chart(Translator("en"), rows, width=400).axes)
    1
    """
    rows = trend.dropna(subset="win_probability").sort_values("as_of")
    days = rows["as_of"].to_numpy()
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, min(width // 2, 240))
        if {"low", "high"} <= set(rows):
            low, high = (rows[name].to_numpy(dtype=float) for name in ("low", "high"))
            axes.fill_between(days, low, high, color=COLOURS["new"], alpha=0.55, lw=0, zorder=2)
            axes.vlines(days, low, high, color=COLOURS["open"], lw=1.2, zorder=3)
        axes.plot(days, rows["win_probability"], color=COLOURS["closed"], lw=1.8, marker="o", ms=5, zorder=4)
        axes.set(ylim=(0, 1), ylabel=t("deal.win_probability"))
        axes.yaxis.set_major_locator(MultipleLocator(0.25))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: t.percent(round(float(value), 4))))
        axes.set_xticks(days[:: max(1, int(np.ceil(len(days) / 5)))])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: t.day(day_of(value))))
        axes.grid(axis="y", color=COLOURS["line"], lw=0.8)
        axes.set_axisbelow(True)
        finish(t, axes)
        if t.direction == "rtl":
            axes.yaxis.set_label_position("right")
    return figure


def day_of(number: float) -> date:
    """The day that stands at a place of the axis: matplotlib counts days from 1970."""
    return date(1970, 1, 1) + timedelta(days=round(number))
