"""Charts of a backtest, for a reader with three minutes: said against happened, over time, by group, against others."""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from spm_models.charts.figure import Chart
from spm_models.charts.fonts import register
from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes
from spm_models.translations import Translator

OUTSIDE = ("won_more", "won_less")
MARKS = {"model": ("closed", "o"), "other": ("quota", "D")}


def calibration_chart(t: Translator, table: pd.DataFrame, scores: pd.DataFrame, *, width: int) -> Figure:
    """Said against happened, with the band in which chance alone would put the dots; below it, how often it was said.

    Parameters
    ----------
    t : Translator
    table : DataFrame
        ``reliability`` of a backtest, of one forecast: ``predicted, observed, n, chance_low, chance_high``.
    scores : DataFrame
        Its ``histogram``: ``start, end, n``.
    width : int
        In SVG units.

    Notes
    -----
    J. Bröcker and L. A. Smith, Weather and Forecasting 22 (2007).
    """
    bins = table.sort_values("predicted")
    with mpl.rc_context(STYLE):
        figure, (axes, below) = _stacked(width, min(width, 430) + 86)
        axes.plot([0, 1], [0, 1], color=COLOURS["past"], lw=1.4, ls=(0, (4, 3)), zorder=2)
        axes.fill_between(bins["predicted"], bins["chance_low"], bins["chance_high"], color=COLOURS["new"], alpha=0.6,
                          lw=0, zorder=1)  # fmt: skip
        axes.vlines(bins["predicted"], bins["chance_low"], bins["chance_high"], color=COLOURS["new"], lw=5, zorder=1)
        outside = ~bins["observed"].between(bins["chance_low"], bins["chance_high"])
        _dots(axes, bins["predicted"], bins["observed"], outside)
        axes.set(xlim=(0, 1), ylim=(0, 1), ylabel=t("reliability.observed"))
        _percent(t, axes.yaxis)
        axes.xaxis.set_major_locator(MultipleLocator(0.2))
        axes.tick_params(labelbottom=False)
        axes.grid(color=COLOURS["line"], lw=0.8)
        axes.set_axisbelow(True)
        below.bar(scores["start"], scores["n"], width=scores["end"] - scores["start"], align="edge",
                  color=COLOURS["open"], edgecolor=COLOURS["card"], lw=1)  # fmt: skip
        below.set(xlim=(0, 1), xlabel=t("reliability.predicted"), ylabel=t("card.chart.scores"))
        below.set_yticks([])
        _percent(t, below.xaxis)
        finish(t, axes)
        if t.direction == "rtl":  # the lower axis shares the upper one's direction
            below.yaxis.tick_right()
            below.tick_params(length=0, pad=6)
            for part in (axes, below):
                part.yaxis.set_label_position("right")
    return figure


def gains_chart(t: Translator, gains: pd.DataFrame, *, width: int) -> Figure:
    """By how much each forecast is better (away from zero) or worse than the base line, with its 90 % range.

    Parameters
    ----------
    gains : DataFrame
        ``model, share, low, high``, the baseline without a range.
    """
    shown = gains.iloc[::-1].reset_index(drop=True)
    places = np.arange(len(shown))
    reach = float(np.clip(1.1 * np.nanmax(np.abs(shown[["low", "high", "share"]].to_numpy())), 0.02, 0.5))
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 62 + 34 * len(shown))
        axes.axvspan(0, reach, color=COLOURS["new"], alpha=0.25, lw=0, zorder=0)
        axes.axvline(0, color=COLOURS["soft"], lw=1.2, zorder=1)
        ours = (shown["model"] == "model").to_numpy()
        colour = np.where(ours, COLOURS["closed"], COLOURS["past"])
        axes.hlines(places, shown["low"].clip(-reach, reach), shown["high"].clip(-reach, reach), color=colour, lw=3.2)
        inside = shown["share"].between(-reach, reach).to_numpy()
        axes.scatter(shown["share"][inside], places[inside], s=64, color=colour[inside], edgecolor=COLOURS["card"],
                     zorder=3)  # fmt: skip
        axes.set(xlim=(-reach, reach), ylim=(-0.6, len(shown) - 0.4))
        axes.set_yticks(places, [t.name("card.forecasts", name) for name in shown["model"]], color=COLOURS["ink"])
        axes.xaxis.set_major_locator(MaxNLocator(4 if width > 450 else 3, symmetric=True))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: t.percent(round(value, 4), _decimals(reach), signed=True))
        )
        axes.set_xlabel(t("card.chart.better"), loc="left" if t.direction == "rtl" else "right")
        axes.grid(axis="x", color=COLOURS["line"], lw=0.8)
        axes.set_axisbelow(True)
        finish(t, axes)
    return figure


def months_chart(t: Translator, months: pd.DataFrame, *, width: int) -> Figure:
    """Month by month: what was said (line with the band of chance) and what happened (dots).

    Parameters
    ----------
    months : DataFrame
        ``as_of, said, happened, low, high, verdict``; months without an outcome yet are left out.
    """
    shown = months.dropna(subset=["said"]).tail(24 if width > 450 else 12)
    places = np.arange(len(shown))
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 250)
        axes.fill_between(places, shown["low"], shown["high"], color=COLOURS["new"], alpha=0.6, lw=0, zorder=1)
        axes.plot(places, shown["said"], color=COLOURS["open"], lw=2, zorder=2)
        outside = shown["verdict"].isin(OUTSIDE)
        _dots(axes, pd.Series(places, index=shown.index), shown["happened"], outside)
        values = shown[["low", "high", "happened"]].to_numpy(float)
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        room = max(0.12 * (high - low), 0.04)
        axes.set_ylim(max(low - room, -0.01), min(high + room, 1.01))
        axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: t.percent(round(value, 4))))
        _month_axis(t, axes, shown["as_of"], width)
    return figure


def losses_chart(t: Translator, months: pd.DataFrame, ours: str, baseline: str, *, width: int) -> Figure:
    """Month by month: log loss of the model and of the plain rate it is compared with; lower is better."""
    shown = months.dropna(subset=[f"log_loss_{baseline}"]).tail(24 if width > 450 else 12)
    places = np.arange(len(shown))
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 220)
        for name, (colour, marker) in zip(dict.fromkeys((ours, baseline)), MARKS.values(), strict=False):
            fill = COLOURS["card"] if marker == "D" else COLOURS[colour]
            axes.plot(places, shown[f"log_loss_{name}"], color=COLOURS[colour], lw=1.8, marker=marker, ms=7,
                      mec=COLOURS[colour], mew=1.6, mfc=fill)  # fmt: skip
        axes.yaxis.set_major_locator(MaxNLocator(4))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: t.number(round(value, 4), 2)))
        axes.set_ylabel(t("card.chart.log_loss"))
        axes.margins(y=0.15)
        _month_axis(t, axes, shown["as_of"], width)
        if t.direction == "rtl":
            axes.yaxis.set_label_position("right")
    return figure


def groups_chart(t: Translator, groups: pd.DataFrame, labels: list[str], *, width: int) -> Figure:
    """One line a group: the band in which chance would put it if what was said is right, and what happened.

    Parameters
    ----------
    groups : DataFrame
        ``said, happened, low, high, verdict`` in order from top to bottom.
    labels : list of str
        How each group is called.
    """
    shown = groups.iloc[::-1].reset_index(drop=True)
    places = np.arange(len(shown))
    room = int(width / 15)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 46 + 30 * len(shown))
        axes.hlines(places, shown["low"], shown["high"], color=COLOURS["new"], lw=13, zorder=1)
        axes.vlines(shown["said"], places - 0.26, places + 0.26, color=COLOURS["open"], lw=2.2, zorder=2)
        _dots(axes, shown["happened"], pd.Series(places), shown["verdict"].isin(OUTSIDE))
        axes.set_yticks(places, [_cut(label, room) for label in labels[::-1]], color=COLOURS["ink"])
        top = float(np.nanmax(shown[["high", "happened"]].to_numpy(float)))
        axes.set(xlim=(0, min(1.04, top + 0.08)), ylim=(-0.6, len(shown) - 0.4))
        _percent(t, axes.xaxis, fine=top < 0.4)
        axes.grid(axis="x", color=COLOURS["line"], lw=0.8)
        axes.set_axisbelow(True)
        finish(t, axes)
    return figure


def _dots(axes: Axes, x: pd.Series, y: pd.Series, outside: pd.Series) -> None:
    """What happened: a full dot within chance, a hollow diamond beyond it."""
    inside = ~outside.to_numpy(bool)
    axes.scatter(x[inside], y[inside], s=52, color=COLOURS["range"], edgecolor=COLOURS["card"], zorder=5)
    axes.scatter(x[~inside], y[~inside], s=58, marker="D", facecolor=COLOURS["card"], edgecolor=COLOURS["quota"], lw=2,
                 zorder=5)  # fmt: skip


def _stacked(width: int, height: int) -> tuple[Figure, Any]:
    register()
    figure = Chart(figsize=(width / 72, height / 72), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=2 / 72, h_pad=2 / 72, hspace=0.02)
    pair = figure.subplots(2, 1, sharex=True, height_ratios=[5, 1])
    for axes in pair:
        for side in ("top", "left", "right"):
            axes.spines[side].set_visible(False)
        axes.tick_params(length=0, pad=6)
    return figure, pair


def _percent(t: Translator, axis: Any, *, fine: bool = False) -> None:
    axis.set_major_locator(MultipleLocator(0.1 if fine else 0.2))
    axis.set_major_formatter(FuncFormatter(lambda value, _: t.percent(round(float(value), 4))))


def _month_axis(t: Translator, axes: Axes, days: pd.Series, width: int) -> None:
    """Months below the axis, the year where it changes; as many labels as have room."""
    every = max(1, int(np.ceil(len(days) * 46 / width)))
    words, year = [], None
    for place, day in enumerate(days):
        if place % every:
            words.append("")
            continue
        name = t.day(day, "month_name")
        words.append(f"{name}\n{day.year}" if day.year != year else name)
        year = day.year
    axes.set_xticks(np.arange(len(days)), words, size=SIZE - 1.5)
    axes.set_xlim(-0.6, len(days) - 0.4)
    axes.grid(axis="y", color=COLOURS["line"], lw=0.8)
    axes.set_axisbelow(True)
    finish(t, axes)


def _decimals(reach: float) -> int:
    return 0 if reach > 0.04 else 1


def _cut(label: str, room: int) -> str:
    return label if len(label) <= room else label[: room - 1].rstrip() + "…"
