"""Places with their ranges: a bar from the first to the last place that is possible."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes, note
from spm_models.translations import Translator

ROW, FOOT = 44, 26
_THICK = 9


def ranks_chart(t: Translator, rows: pd.DataFrame, *, width: int) -> Figure:
    """One line a row: its name, its places in figures, and a bar over all places that are possible.

    Parameters
    ----------
    t : Translator
    rows : DataFrame
        In order from top to bottom: ``label``, ``rank_low``, ``rank_high``, ``reps`` (how many places there are).
    width : int
        In SVG units.

    Returns
    -------
    Figure

    Notes
    -----
    The first place is where a line of text begins. There is no dot inside a bar: no place in it is likelier enough to
    be told. Lines of different length (measures with more or fewer people) are drawn to the same width.
    """
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, FOOT + ROW * len(rows))
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.4, len(rows) - 0.3))
        for place, row in enumerate(rows[::-1].to_dict("records")):
            last = max(int(row["reps"]) - 1, 1)
            low, high = (int(row["rank_low"]) - 1) / last, (int(row["rank_high"]) - 1) / last
            axes.hlines(place, 0, 1, color=COLOURS["line"], lw=_THICK, capstyle="round", zorder=1)
            axes.hlines(place, low, high, color=COLOURS["open"], lw=_THICK, capstyle="round", zorder=2)
            _words(t, axes, row, place)
        axes.set_yticks([])
        if rows["reps"].nunique() == 1:
            axes.set_xticks([0, 1], [t.number(1), t.number(rows["reps"].iloc[0])])
        else:  # lines of different length
            axes.set_xticks([])
        axes.tick_params(labelsize=SIZE - 1.5)
        axes.spines["bottom"].set_visible(False)
        finish(t, axes)
    return figure


def _words(t: Translator, axes: Axes, row: Mapping[Any, Any], place: int) -> None:
    start, end = ("left", "right") if t.direction == "ltr" else ("right", "left")
    note(axes, str(row["label"]), (-0.02, place), (0, 9), ha=start, va="bottom", size=SIZE - 0.5)
    low, high = t.number(row["rank_low"]), t.number(row["rank_high"])
    note(axes, low if low == high else t.range(low, high), (1.02, place), (0, 9), ha=end, va="bottom",
         size=SIZE - 0.5, color="soft")  # fmt: skip
