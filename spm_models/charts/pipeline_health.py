"""Charts of a pipeline review: how long deals stay in each stage, and which activities go together with winning."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes
from spm_models.translations import Translator

_RATIOS = (0.25, 0.5, 0.8, 1.0, 1.25, 2.0, 4.0)


def stages_chart(t: Translator, stages: pd.DataFrame, *, width: int) -> Figure:
    """One line a stage, first on top: the Kaplan–Meier median of days with its 80 % range, a tick for the plain one.

    Parameters
    ----------
    t : Translator
    stages : DataFrame
        Rows of one unit and segment of ``stage_table``; stages without a median stand there without a mark.
    width : int
        In SVG units.
    """
    rows = stages.sort_values("place", ignore_index=True)
    places = np.arange(len(rows))[::-1]
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 80 + 30 * max(len(rows), 1))
        reach = axes.hlines(places, rows["low"], rows["high"], color=COLOURS["open"], lw=6, alpha=0.5, zorder=2,
                            label=t("common.range80"))  # fmt: skip
        dots = axes.scatter(rows["km_median_days"], places, s=54, color=COLOURS["closed"], edgecolor=COLOURS["card"],
                            zorder=4, label=t("relation.charts.median"))  # fmt: skip
        plain = axes.vlines(rows["median_days"], places - 0.3, places + 0.3, color=COLOURS["ink"], lw=1.6, zorder=3,
                            label=t("relation.charts.finished_only"))  # fmt: skip
        axes.set_xlim(left=0)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: t.number(float(value))))
        axes.set_xlabel(t("relation.charts.days"))
        axes.legend(handles=[dots, reach, plain], frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3,
                    borderaxespad=0.2, handlelength=1.2, fontsize=SIZE - 1.5)  # fmt: skip
        _lines(t, axes, [str(stage) for stage in rows["stage"]], places)
    return figure


def relation_chart(t: Translator, relation: pd.DataFrame, *, width: int) -> Figure:
    """One line a kind of activity: adjusted odds ratio with its 80 % range, the raw one as a hollow dot.

    Parameters
    ----------
    t : Translator
    relation : DataFrame
        ``activity_relation``; kinds without an estimate are left out.
    width : int
        In SVG units.
    """
    rows = relation[relation["odds_ratio"].notna()].sort_values("odds_ratio", ascending=False, ignore_index=True)
    places = np.arange(len(rows))[::-1]
    clear = rows["verdict"].isin(["wins_more", "wins_less"])
    colours = [COLOURS["closed" if sure else "past"] for sure in clear]
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 80 + 30 * max(len(rows), 1))
        axes.set_xscale("log")
        axes.axvline(1, color=COLOURS["soft"], lw=1.2, zorder=1)
        axes.hlines(places, rows["low"], rows["high"], color=colours, lw=6, alpha=0.5, zorder=2)
        own = axes.scatter(rows["odds_ratio"], places, s=54, color=colours, edgecolor=COLOURS["card"], zorder=4,
                           label=t("relation.charts.adjusted"))  # fmt: skip
        raw = axes.scatter(rows["raw_odds_ratio"], places, s=44, facecolor=COLOURS["card"], edgecolor=COLOURS["soft"],
                           zorder=3, label=t("relation.charts.raw"))  # fmt: skip
        ends = rows[["low", "high", "raw_odds_ratio"]].to_numpy(dtype=float)
        widest = float(np.nanmax(np.abs(np.log(ends)), initial=np.log(1.3)))
        axes.set_xlim(np.exp(-1.1 * widest), np.exp(1.1 * widest))
        axes.xaxis.set_major_locator(FixedLocator(_RATIOS))
        axes.xaxis.set_minor_locator(FixedLocator([]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: t.number(float(value), 2)))
        axes.set_xlabel(t("relation.charts.odds_ratio"))
        axes.legend(handles=[own, raw], frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2,
                    borderaxespad=0.2, handlelength=1.2, fontsize=SIZE - 1.5)  # fmt: skip
        _lines(t, axes, [t.name("activity_kinds", str(kind)) for kind in rows["kind"]], places)
    return figure


def _lines(t: Translator, axes: Axes, names: list[str], places: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    axes.set_yticks(places, names, color=COLOURS["ink"], size=SIZE - 1)
    axes.set_ylim(-0.7, max(len(places), 1) - 0.3)
    axes.grid(axis="x", color=COLOURS["line"], lw=0.8)
    axes.set_axisbelow(True)
    finish(t, axes)
