"""Charts of monthly reports: months beside each other, things counted one by one, parts of a gap by unit."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from spm_models.charts.style import COLOURS, LETTER, SIZE, STYLE, finish, new_axes, note
from spm_models.translations import Translator

_ROW, _SIDE = 46, 0.62
#: Parts of a gap with their colours, from top to bottom of a unit; hollow ones are no part of the work.
GAP_PARTS = {"work": "closed", "place": "past", "luck": "past"}


def months_chart(t: Translator, months: pd.DataFrame, expected: Sequence[float] | None, *, width: int) -> Figure:
    """Amount won in each month, the last one strong, with what was expected of it as a range.

    Parameters
    ----------
    t : Translator
    months : DataFrame
        In order: period (label such as ``2026-06``) and amount.
    expected : sequence of float, optional
        Low end, mean and high end of what was expected of the last month.
    width : int
        In SVG units.
    """
    shown = months.tail(12 if width > 450 else 6)
    places = np.arange(len(shown))
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 230)
        colours = [COLOURS["past"]] * (len(shown) - 1) + [COLOURS["closed"]]
        axes.bar(places, shown["amount"], width=0.64, color=colours)
        tops = shown["amount"].to_numpy(dtype=float).copy()
        if expected is not None:
            low, mean, high = expected
            axes.vlines(places[-1], low, high, color=COLOURS["range"], lw=4)
            axes.plot(places[-1], mean, "o", ms=9, color=COLOURS["range"], mec=COLOURS["card"], mew=1.5)
            tops[-1] = max(tops[-1], high)
        for place, amount, top in zip(places, shown["amount"], tops, strict=True):
            last = place == places[-1]
            if not last and 0.78 * LETTER * len(t.compact_money(amount)) > width / len(shown):
                continue  # the table has it; two that run into each other nobody can read
            note(axes, t.compact_money(amount), (float(place), float(top)), (0, 5), ha="center", va="bottom",
                 weight="bold" if last else "normal", size=SIZE - (1 if last else 3.5))  # fmt: skip
        axes.set_xticks(places, [_short(t, label) for label in shown["period"]], size=SIZE - 1)
        axes.set_ylim(0, 1.16 * max(float(tops.max()), 1.0))
        axes.set_yticks([])
        finish(t, axes)
    return figure


def _short(t: Translator, label: str) -> str:
    """A month as its number; a quarter with its year."""
    if "Q" not in label:
        return str(int(label[-2:]))
    return t("quarterly.short", n=label[-1], year=label[2:4])


def counts_chart(t: Translator, counts: pd.DataFrame, *, width: int) -> Figure:
    """One row a kind, one square for each thing counted, and the number after them.

    Parameters
    ----------
    t : Translator
    counts : DataFrame
        In order from top to bottom: label, n, and optionally ``pale`` (hollow squares).
    width : int
        In SVG units.
    """
    pale = counts["pale"].to_numpy(dtype=bool) if "pale" in counts else np.zeros(len(counts), dtype=bool)
    reach = max(int(counts["n"].max()), width // 34)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 8 + _ROW * len(counts))
        axes.set(xlim=(0, reach + 1.5), ylim=(-0.4, len(counts) - 0.1))
        start = "left" if t.direction == "ltr" else "right"
        for place, (label, n) in enumerate(zip(counts["label"], counts["n"], strict=True)):
            row = len(counts) - 1 - place
            note(axes, str(label), (0.0, row + 0.42), (0, 0), ha=start, va="center", size=SIZE - 0.5)
            for step in range(int(n)):
                axes.add_patch(Rectangle(
                    (step + 0.08, row - 0.2), 0.78, 0.4, edgecolor=COLOURS["closed"], lw=1.3,
                    facecolor="none" if pale[place] else COLOURS["closed"],
                ))  # fmt: skip
            note(axes, t.number(int(n)), (float(n) + 0.25, float(row)), (0, 0), ha=start, va="center", weight="bold")
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines["bottom"].set_visible(False)
        finish(t, axes)
    return figure


def gap_chart(t: Translator, gaps: pd.DataFrame, *, width: int) -> Figure:
    """Each unit's distance to typical colleagues in three bars: the work itself, the place, chance (both hollow).

    Parameters
    ----------
    t : Translator
    gaps : DataFrame
        In order from top to bottom: label, and amounts ``work``, ``place`` and ``luck``.
    width : int
        In SVG units.
    """
    reach = max(float(gaps[list(GAP_PARTS)].abs().to_numpy().max()), 1.0)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 12 + 82 * len(gaps))
        axes.set(xlim=(-1.45 * reach, 1.45 * reach), ylim=(-0.5, len(gaps) - 0.3))
        axes.axvline(0, color=COLOURS["soft"], lw=1.2, zorder=1)
        edge = axes.get_xlim()[0]
        start = "left" if t.direction == "ltr" else "right"
        for place, unit in enumerate(gaps.to_dict("records")):
            row = len(gaps) - 1 - place
            note(axes, str(unit["label"]), (edge, row + 0.42), (0, 0), ha=start, va="center", weight="bold",
                 size=SIZE - 0.5)  # fmt: skip
            for number, (part, colour) in enumerate(GAP_PARTS.items()):
                _bar(t, axes, float(unit[part]), row + 0.18 - 0.24 * number, COLOURS[colour], pale=number > 0)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines["bottom"].set_visible(False)
        finish(t, axes)
    return figure


def _bar(t: Translator, axes: mpl.axes.Axes, value: float, row: float, colour: str, *, pale: bool) -> None:
    look = {"color": "none", "ls": (0, (2, 1.5))} if pale else {"color": colour}
    axes.barh(row, value, height=0.17, edgecolor=colour, lw=1.3, zorder=3, **look)
    after = (value >= 0) == (t.direction == "ltr")
    note(axes, t.compact_money(value, signed=True), (value, row), (6 if after else -6, 0),
         ha="left" if after else "right", va="center", size=SIZE - 2.5)  # fmt: skip
