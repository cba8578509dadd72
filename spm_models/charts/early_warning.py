"""What there was beside what is usual, added up week by week: since when do the two part?"""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spm_models.charts.deal_trend import day_of
from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes, note
from spm_models.translations import Translator

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
_HEIGHT = 260
_APART = 0.09  # of the height: labels nearer than this are set apart


def early_warning_chart(t: Translator, path: pd.DataFrame, since: pd.Timestamp | None, *, width: int) -> Figure:
    """One watch of one rep: the actual as a strong line; from ``since`` on the usual as a thin one with its 80 % band.

    Parameters
    ----------
    t : Translator
    path : DataFrame
        ``week, observed, expected, low, high`` as published in ``early_warning_path``; one row a week.
    since : Timestamp, optional
        About when the two began to part; the band begins there, or in the first week where it is missing.
    width : int
        In SVG units.

    Examples
    --------
    >>> weeks = pd.date_range("2026-01-05", periods=3, freq="7D")
    >>> rows = pd.DataFrame({"week": weeks, "observed": [1.0, 0, 0], "expected": 1.0, "low": 0.0, "high": [2.0, 4, 5]})
    >>> len(early_warning_chart(Translator("en"), rows, weeks[1], width=344).axes)
    1
    """
    rows = path.sort_values("week")
    weeks = rows["week"].to_numpy()
    ends = np.concatenate([weeks[:1], weeks + np.timedelta64(7, "D")])
    actual = np.concatenate([[0.0], rows["observed"].cumsum()])
    begin = 0 if since is None or pd.isna(since) else min(int((rows["week"] < since).sum()), len(rows) - 1)
    usual, low, high = _usual(rows, float(actual[begin]), begin)
    top = 1.08 * max(float(high.max()), float(actual.max()), 1.0)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, _HEIGHT)
        axes.fill_between(ends[begin:], low, high, color=COLOURS["new"], alpha=0.55, lw=0, zorder=1)
        axes.plot(ends[begin:], usual, color=COLOURS["open"], lw=1.6, ls=(0, (5, 3)), zorder=3)
        axes.plot(ends, actual, color=COLOURS["closed"], lw=3, zorder=4)
        if since is not None and not pd.isna(since):
            axes.axvline(_place(since), color=COLOURS["quota"], lw=1.4, ls=(0, (4, 3)), zorder=2)
            early = since < weeks[0] + (weeks[-1] - weeks[0]) / 2
            _since(t, axes, since, top, early)
        room = (ends[-1] - ends[0]) * (0.36 if width < 500 else 0.2)
        axes.set(xlim=(ends[0], ends[-1] + room), ylim=(0, top))
        _ends(t, axes, ends[-1], {"actual": float(actual[-1]), "usual": float(usual[-1])}, top)
        axes.set_xticks(ends[:: max(1, int(np.ceil(len(ends) / (3 if width < 500 else 5))))])
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: t.day(day_of(value), "short")))
        axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: t.number(round(float(value)))))
        axes.grid(axis="y", color=COLOURS["line"], lw=0.8)
        axes.set_axisbelow(True)
        finish(t, axes)
    return figure


def _usual(rows: pd.DataFrame, base: float, begin: int) -> tuple[Floats, Floats, Floats]:
    """What would be usual from a week on, with its range: the published range, less what was before it."""
    total = np.concatenate([[0.0], rows["expected"].cumsum()])
    reach = np.concatenate([[0.0], rows["high"] - rows["expected"].cumsum()])[begin:]
    middle = base + total[begin:] - total[begin]
    reach = np.sqrt(np.maximum(reach**2 - reach[0] ** 2, 0.0))
    return middle, np.maximum(middle - reach, base), middle + reach


def _since(t: Translator, axes: Axes, since: pd.Timestamp, top: float, early: bool) -> None:
    """The words stand on the side of the mark that has more room."""
    after = early == (t.direction == "ltr")
    words = t("early_warning.chart_since", day=t.day(since, "short"))
    at = _place(since), 0.98 * top
    note(axes, words, at, (5 if after else -5, 0), color="quota", ha="left" if after else "right", va="top",
         size=SIZE - 1)  # fmt: skip


def _ends(t: Translator, axes: Axes, day: np.datetime64, ends: dict[str, float], top: float) -> None:
    """What both lines come to, at their ends, the higher one above."""
    place = dict(ends)
    between = _APART * top - abs(ends["actual"] - ends["usual"])
    if between > 0:
        lower = min(ends, key=lambda name: ends[name])
        for name in ends:
            place[name] += between / 2 * (-1 if name == lower else 1)
    for name, value in ends.items():
        words = t(f"early_warning.chart_{name}", value=t.number(round(value, 1)))
        note(axes, words, (_place(day), max(place[name], 0.04 * top)),
             (6 if t.direction == "ltr" else -6, 0), ha="left" if t.direction == "ltr" else "right", va="center",
             weight="bold" if name == "actual" else "normal", size=SIZE - 0.5)  # fmt: skip


def _place(day: pd.Timestamp | np.datetime64) -> float:
    """Where a day stands on the axis: matplotlib counts days from 1970."""
    return (pd.Timestamp(day) - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
