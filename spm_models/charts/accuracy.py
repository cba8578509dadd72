"""Charts of replayed forecasts: error, ranges and weights by week of the quarter; methods side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, MultipleLocator

from spm_models.charts.style import COLOURS, STYLE, finish, new_axes
from spm_models.translations import Translator

#: Colour, dashes and marker of the forecast itself and of up to two others.
LINES = (("closed", "-", "o"), ("quota", (0, (4, 3)), "D"), ("past", (0, (1, 2)), "s"))
NOMINAL = {"50": 0.5, "80": 0.8, "95": 0.95}
PARTS = ("closed", "open", "new", "past")


def error_chart(t: Translator, accuracy: pd.DataFrame, methods: Sequence[str], *, width: int) -> Figure:
    """Absolute error by week: the first method with a band of one standard error over quarters, the others as lines.

    Parameters
    ----------
    t : Translator
    accuracy : DataFrame
        ``method, week, absolute_error, noise``.
    methods : sequence of str
        At most three.
    width : int
        In SVG units.
    """
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 260)
        for method, (colour, dashes, marker) in reversed(list(zip(methods, LINES, strict=False))):
            rows = accuracy[accuracy["method"] == method].sort_values("week")
            first = method == methods[0]
            if first:
                low, high = (rows["absolute_error"] + side * rows["noise"].fillna(0.0) for side in (-1, 1))
                axes.fill_between(rows["week"], low.clip(lower=0.0), high, color=COLOURS["new"], alpha=0.6, lw=0)
            axes.plot(rows["week"], rows["absolute_error"], color=COLOURS[colour], lw=2.4 if first else 1.7, ls=dashes,
                      marker=marker, ms=6.5, mec=COLOURS[colour], mew=1.5,
                      mfc=COLOURS[colour] if first else COLOURS["card"])  # fmt: skip
        axes.set_ylim(bottom=0)
        _weeks(t, axes, accuracy["week"])
        _shares(t, axes.yaxis)
        finish(t, axes)
    return figure


def bias_chart(t: Translator, accuracy: pd.DataFrame, method: str, *, width: int) -> Figure:
    """By how much too much (above zero) or too little was said, by week."""
    rows = accuracy[accuracy["method"] == method].sort_values("week")
    reach = max(1.25 * float(rows["bias"].abs().max()), 0.02)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 170)
        axes.bar(rows["week"], rows["bias"], width=0.62, color=COLOURS["open"])
        axes.axhline(0, color=COLOURS["soft"], lw=1.2)
        axes.set_ylim(-reach, reach)
        _weeks(t, axes, rows["week"])
        _shares(t, axes.yaxis, signed=True)
        finish(t, axes)
    return figure


def fan_chart(t: Translator, rows: pd.DataFrame, *, width: int) -> Figure:
    """Ranges relative to the middle of the forecast as a fan that narrows with the weeks, and what came as dots.

    Parameters
    ----------
    rows : DataFrame
        Of one method: ``period, week, p025 … p975, actual``.
    """
    middle = rows["p50"].where(rows["p50"] > 0)
    relative = rows[["p025", "p10", "p25", "p75", "p90", "p975", "actual"]].div(middle, axis=0) - 1.0
    fan = relative.assign(week=rows["week"]).groupby("week").mean()
    places = np.sort(rows["period"].unique())
    spread = 0.42 * (np.arange(len(places)) / max(len(places) - 1, 1) - 0.5)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 280)
        for (low, high), alpha in zip(
            (("p025", "p975"), ("p10", "p90"), ("p25", "p75")), (0.28, 0.5, 0.9), strict=True
        ):
            axes.fill_between(fan.index, fan[low], fan[high], color=COLOURS["new"], alpha=alpha, lw=0, zorder=1)
        axes.axhline(0, color=COLOURS["closed"], lw=1.6, zorder=2)
        at = rows["week"].to_numpy(float) + spread[np.searchsorted(places, rows["period"])]
        inside = rows["actual"].between(rows["p10"], rows["p90"]).to_numpy()
        came = relative["actual"].to_numpy(float)
        axes.scatter(at[inside], came[inside], s=34, color=COLOURS["range"], edgecolor=COLOURS["card"], zorder=4)
        axes.scatter(at[~inside], came[~inside], s=38, marker="D", facecolor=COLOURS["card"],
                     edgecolor=COLOURS["quota"], lw=1.8, zorder=4)  # fmt: skip
        _weeks(t, axes, rows["week"])
        _shares(t, axes.yaxis, signed=True)
        finish(t, axes)
    return figure


def coverage_chart(t: Translator, levels: pd.DataFrame, labels: Sequence[str], *, width: int) -> Figure:
    """How many results lay within the 50, 80 and 95 % range at each level, beside what was promised.

    Parameters
    ----------
    levels : DataFrame
        ``coverage50 … coverage95`` and ``noise50 … noise95``, from top to bottom.
    labels : sequence of str
    """
    shown = levels.iloc[::-1].reset_index(drop=True)
    places = np.arange(len(shown))
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 62 + 34 * len(shown))
        for (name, promised), colour in zip(NOMINAL.items(), ("past", "closed", "open"), strict=True):
            axes.axvline(promised, color=COLOURS[colour], lw=1.6, ls=(0, (4, 3)), zorder=1)
            found, noise = shown[f"coverage{name}"], shown[f"noise{name}"].fillna(0.0)
            axes.hlines(places, (found - noise).clip(0), (found + noise).clip(upper=1), color=COLOURS[colour], lw=2.6)
            axes.scatter(found, places, s=60, color=COLOURS[colour], edgecolor=COLOURS["card"], zorder=3)
        axes.set_yticks(places, list(labels)[::-1], color=COLOURS["ink"])
        axes.set(xlim=(0, 1.02), ylim=(-0.6, len(shown) - 0.4))
        axes.xaxis.set_major_locator(MultipleLocator(0.25 if width > 450 else 0.5))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: t.percent(round(float(value), 4))))
        axes.grid(axis="x", color=COLOURS["line"], lw=0.8)
        axes.set_axisbelow(True)
        finish(t, axes)
    return figure


def placement_chart(t: Translator, tenths: pd.DataFrame, *, width: int) -> Figure:
    """Share of results in each tenth of the range of draws; a right forecast has a tenth in each.

    Parameters
    ----------
    tenths : DataFrame
        ``start, end, share``.
    """
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 190)
        axes.bar(tenths["start"], tenths["share"], width=tenths["end"] - tenths["start"], align="edge",
                 color=COLOURS["open"], edgecolor=COLOURS["card"], lw=1.5)  # fmt: skip
        axes.axhline(1 / len(tenths), color=COLOURS["closed"], lw=1.6, ls=(0, (4, 3)))
        axes.set(xlim=(0, 1), ylim=(0, max(0.25, 1.15 * float(tenths["share"].max()))))
        axes.set_xticks([0.0, 1.0], [t("accuracy.chart.lowest"), t("accuracy.chart.highest")])
        first, last = axes.get_xticklabels()
        first.set_horizontalalignment("left" if t.direction == "ltr" else "right")
        last.set_horizontalalignment("right" if t.direction == "ltr" else "left")
        _shares(t, axes.yaxis)
        finish(t, axes)
    return figure


def methods_chart(t: Translator, methods: pd.DataFrame, *, width: int) -> Figure:
    """Error of every method, best on top.

    Parameters
    ----------
    methods : DataFrame
        ``label, absolute_error, ours``, best first.
    """
    shown = methods.iloc[::-1].reset_index(drop=True)
    places = np.arange(len(shown))
    ours = shown["ours"].to_numpy(bool)
    room = int(width / (15 if width > 450 else 19))
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 40 + 28 * len(shown))
        axes.barh(places, shown["absolute_error"], height=0.6, color=np.where(ours, COLOURS["closed"], COLOURS["past"]))
        axes.set_yticks(places, [_cut(label, room) for label in shown["label"]], color=COLOURS["ink"])
        axes.set(xlim=(0, 1.08 * float(shown["absolute_error"].max())), ylim=(-0.6, len(shown) - 0.4))
        axes.grid(axis="x", color=COLOURS["line"], lw=0.8)
        axes.set_axisbelow(True)
        axes.xaxis.set_major_locator(MaxNLocator(4 if width > 450 else 3))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: t.percent(round(float(value), 4))))
        finish(t, axes)
    return figure


def weights_chart(t: Translator, weights: pd.DataFrame, members: Sequence[str], *, width: int) -> Figure:
    """How much each member counts, by week of the quarter, stacked to 100 %.

    Parameters
    ----------
    weights : DataFrame
        ``week`` and a column for each member.
    members : sequence of str
        From bottom to top; at most four.
    """
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 200)
        bottom = np.zeros(len(weights))
        for member, colour in zip(members, PARTS, strict=False):
            axes.bar(weights["week"], weights[member], bottom=bottom, width=0.86, color=COLOURS[colour])
            bottom = bottom + weights[member].to_numpy(float)
        axes.set_ylim(0, 1)
        _weeks(t, axes, weights["week"])
        axes.yaxis.set_major_locator(MultipleLocator(0.5))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: t.percent(round(float(value), 4))))
        finish(t, axes)
    return figure


def _weeks(t: Translator, axes: Axes, weeks: pd.Series) -> None:
    ticks = np.sort(weeks.unique())
    axes.set_xticks(ticks, [t.number(int(week)) for week in ticks])
    axes.set_xlim(float(ticks.min()) - 0.6, float(ticks.max()) + 0.6)
    axes.set_xlabel(t("accuracy.chart.week"))
    axes.grid(axis="y", color=COLOURS["line"], lw=0.8)
    axes.set_axisbelow(True)


def _shares(t: Translator, axis: Any, *, signed: bool = False) -> None:
    axis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: t.percent(round(float(value), 4), 0, signed=signed)))


def _cut(label: str, room: int) -> str:
    return label if len(label) <= room else label[: room - 1].rstrip() + "…"
