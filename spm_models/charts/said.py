"""What is said of one total, by the forecast and by people: one line each on a common axis."""

from __future__ import annotations

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes
from spm_models.translations import Translator

_ROW = 44


def said_chart(t: Translator, rows: pd.DataFrame, *, width: int) -> Figure:
    """Ranges below each other: the forecast's as a band behind all, people's from commit to best case.

    Parameters
    ----------
    t : Translator
    rows : DataFrame
        ``label, kind`` (forecast first, then others), ``low, middle, high``.
    width : int
        In SVG units.
    """
    low, high = float(rows["low"].min()), float(rows["high"].max())
    room = 0.08 * (high - low) if high > low else max(0.5 * abs(high), 1.0)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 8 + _ROW * len(rows))
        axes.set(xlim=(low - room, high + room), ylim=(-0.5, len(rows) - 0.25))
        first = rows.iloc[0]
        axes.axvspan(first["low"], first["high"], color=COLOURS["new"], alpha=0.45, lw=0, zorder=0)
        near, far = (0.0, 1.0) if t.direction == "ltr" else (1.0, 0.0)
        where = axes.get_yaxis_transform()
        for place, row in enumerate(rows.to_dict("records")):
            y = float(len(rows) - 1 - place)
            mine = row["kind"] == "forecast"
            axes.hlines(
                y - 0.14, row["low"], row["high"], color=COLOURS["range"] if mine else COLOURS["quota"], lw=3, zorder=3
            )
            axes.plot(row["middle"], y - 0.14, "o" if mine else "D", ms=9, mec=COLOURS["card"], mew=1.4,
                      mfc=COLOURS["range"] if mine else COLOURS["quota"], zorder=4)  # fmt: skip
            amount = t.compact_money(row["middle"])
            axes.text(near, y + 0.16, row["label"], transform=where, ha="left" if near == 0 else "right", va="bottom",
                      size=SIZE - 0.5, weight="bold" if mine else "normal")  # fmt: skip
            axes.text(far, y + 0.16, amount, transform=where, ha="left" if far == 0 else "right", va="bottom",
                      size=SIZE - 0.5, weight="bold" if mine else "normal")  # fmt: skip
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines["bottom"].set_visible(False)
        finish(t, axes)
    return figure
