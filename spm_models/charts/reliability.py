"""The reliability diagram: does 70 % mean seven in ten?"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MultipleLocator

from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes, note
from spm_models.translations import Translator


def reliability_chart(t: Translator, table: pd.DataFrame, *, width: int) -> Figure:
    """What was predicted against what happened, with the 80 % band of what happened; on the diagonal all is well.

    Parameters
    ----------
    t : Translator
    table : DataFrame
        Published table ``reliability``: ``model, predicted, observed, n, low, high``, one row a bin. The model is
        drawn in full with its band; another one (the plain rate that it is compared with) as hollow diamonds.
    width : int
        In SVG units.

    Notes
    -----
    A. H. Murphy and R. L. Winkler, Journal of the Royal Statistical Society C 26 (1977). The area of a dot is in
    proportion to the deals in its bin.
    """
    shown = table.sort_values(["model", "predicted"])
    ours = "model" if (shown["model"] == "model").any() else str(shown["model"].iloc[0]) if len(shown) else ""
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, min(width, 440))
        axes.plot([0, 1], [0, 1], color=COLOURS["past"], lw=1.4, ls=(0, (4, 3)), zorder=1)
        most = float(shown["n"].max()) if len(shown) else 1.0
        for name, bins in shown.groupby("model", sort=True):
            (_main if name == ours else _other)(axes, bins, most, t.name("scored_by", name))
        top = float(np.clip(1.08 * shown[["predicted", "observed", "high"]].max().max(), 0.2, 1.0)) if len(shown) else 1
        axes.set(xlim=(0, top), ylim=(0, top), xlabel=t("reliability.predicted"), ylabel=t("reliability.observed"))
        _percent(t, axes, top)
        side = "right" if t.direction == "ltr" else "left"
        note(axes, t("reliability.perfect"), (0.93 * top, 0.93 * top), (-4 if side == "right" else 4, 4), ha=side,
             va="bottom", color="soft", size=SIZE - 1.5)  # fmt: skip
        if shown["model"].nunique() > 1:
            axes.legend(frameon=False, loc="upper left" if t.direction == "ltr" else "upper right", labelspacing=0.7)
        finish(t, axes)
        if t.direction == "rtl":
            axes.yaxis.set_label_position("right")
    return figure


def _main(axes: Axes, bins: pd.DataFrame, most: float, label: str) -> None:
    x = bins["predicted"]
    axes.fill_between(x, bins["low"], bins["high"], color=COLOURS["new"], alpha=0.55, lw=0, zorder=2)
    axes.vlines(x, bins["low"], bins["high"], color=COLOURS["open"], lw=1.4, zorder=3)
    axes.plot(x, bins["observed"], color=COLOURS["closed"], lw=1.8, zorder=4)
    axes.scatter(x, bins["observed"], s=_area(bins, most), color=COLOURS["closed"], edgecolor=COLOURS["card"],
                 zorder=5, label=label)  # fmt: skip


def _other(axes: Axes, bins: pd.DataFrame, most: float, label: str) -> None:
    axes.scatter(bins["predicted"], bins["observed"], s=0.6 * _area(bins, most), marker="D", facecolor="none",
                 edgecolor=COLOURS["quota"], lw=1.8, zorder=4, label=label)  # fmt: skip


def _area(bins: pd.DataFrame, most: float) -> pd.Series:
    return 28 + 62 * bins["n"] / most


def _percent(t: Translator, axes: Axes, top: float) -> None:
    step = 0.2 if top > 0.6 else 0.1 if top > 0.3 else 0.05
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MultipleLocator(step))
        axis.set_major_formatter(FuncFormatter(lambda value, _: t.percent(round(float(value), 4))))
    axes.grid(color=COLOURS["line"], lw=0.8)
    axes.set_axisbelow(True)
