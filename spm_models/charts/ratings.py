"""Ratings on a scale, as several sides gave them: one line a dimension, one mark a side."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes, note
from spm_models.translations import Translator

#: Mark and colour of each side; the mark tells them apart without the colour.
SIDES = {"manager": ("D", "quota"), "peer": ("o", "closed"), "department": ("s", "slipped"), "customer": ("^", "range")}
LOWEST, HIGHEST = 1, 5
_LINE, _HEAD, _FOOT = 17, 30, 30


def ratings_chart(t: Translator, ratings: pd.DataFrame, *, width: int) -> Figure:
    """One block a dimension, in it a mark and its range for each side that has enough answers.

    Parameters
    ----------
    t : Translator
    ratings : DataFrame
        Rows of ``feedback_360`` that may be shown: given_by, dimension, mean, low, high (points from 1 to 5).
    width : int
        In SVG units.

    Returns
    -------
    Figure
    """
    blocks = list(ratings.groupby("dimension", sort=True))
    heights = [_HEAD + _LINE * len(rows) for _, rows in blocks]
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, _FOOT + sum(heights))
        axes.set(xlim=(LOWEST - 0.15, HIGHEST + 0.15), ylim=(-sum(heights), 0))
        top = 0.0
        for (dimension, rows), height in zip(blocks, heights, strict=True):
            start = "left" if t.direction == "ltr" else "right"
            edge = axes.get_xlim()[0]
            note(axes, t.name("people.skills", dimension), (edge, top - 15), (0, 0), ha=start, va="center",
                 weight="bold", size=SIZE - 0.5)  # fmt: skip
            for place, row in enumerate(_in_order(rows).to_dict("records")):
                mark, colour = SIDES[row["given_by"]]
                y = top - _HEAD - _LINE * place
                axes.hlines(y, row["low"], row["high"], color=COLOURS[colour], lw=4, alpha=0.4, zorder=2)
                axes.plot(row["mean"], y, mark, ms=8, mfc=COLOURS[colour], mec=COLOURS["card"], mew=1.2, zorder=3)
            top -= height
        axes.set_yticks([])
        axes.set_xticks(np.arange(LOWEST, HIGHEST + 1), [t.number(n) for n in range(LOWEST, HIGHEST + 1)])
        axes.grid(axis="x", color=COLOURS["line"], lw=0.8)
        axes.set_axisbelow(True)
        finish(t, axes)
    return figure


def _in_order(rows: pd.DataFrame) -> pd.DataFrame:
    place = {side: number for number, side in enumerate(SIDES)}
    return rows.sort_values("given_by", key=lambda sides: sides.map(place))
