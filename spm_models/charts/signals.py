"""Chart of a coaching review: what was seen of one rep, beside what the context leads to expect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter

from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes, note
from spm_models.translations import Translator

#: Colour of a verdict; its word always stands beside it.
VERDICTS = {"coaching_suggestion": "quota", "doing_well": "closed"}
_ROW, _FOOT = 62, 34
_WIDEST = 1.0  #: at most from nothing to twice what was expected


def signals_chart(t: Translator, findings: pd.DataFrame, *, width: int) -> Figure:
    """One line a signal: the plausible range of the rep's own level, and a mark for what is expected in his context.

    Every signal is drawn relative to its own expectation, so that shares, days and counts stand side by side. The
    hollow dot is what was seen; the full one what remains of it once chance is allowed for. The word of the verdict
    stands at the end of each line; a signal without enough data has no range, and says so.

    Parameters
    ----------
    t : Translator
    findings : DataFrame
        Rows of one rep with the columns signal, part, actual, expected, pooled, low, high, verdict; one line each,
        in order from top to bottom.
    width : int
        In SVG units.

    Returns
    -------
    Figure
    """
    relative = (
        findings[["actual", "pooled", "low", "high"]].div(findings["expected"].where(findings["expected"] > 0), axis=0)
        - 1
    )
    reach = _reach(relative)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, _FOOT + _ROW * len(findings))
        axes.set(xlim=(-1.08 * reach, 1.08 * reach), ylim=(-0.45, len(findings) - 0.18))
        axes.axvline(0, color=COLOURS["soft"], lw=1.2, zorder=1)
        for place, (finding, shown) in enumerate(
            zip(findings[::-1].to_dict("records"), relative[::-1].to_dict("records"), strict=True)
        ):
            _words(t, axes, finding, place)
            _line(axes, {name: float(np.clip(value, -reach, reach)) for name, value in shown.items()}, place,
                  VERDICTS.get(finding["verdict"], "range"))  # fmt: skip
        axes.set_yticks([])
        axes.xaxis.set_major_locator(FixedLocator([-reach, -reach / 2, 0, reach / 2, reach]))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: t.percent(value, signed=True)))
        axes.tick_params(labelsize=SIZE - 1.5)
        finish(t, axes)
    return figure


def _reach(relative: pd.DataFrame) -> float:
    """Half the width of the axis: everything fits, in whole fifths, never wider than twice the expectation."""
    furthest = np.nanmax(np.abs(relative.to_numpy(dtype=float)), initial=0.0)
    return float(np.clip(np.ceil(5 * furthest) / 5, 0.2, _WIDEST))


def _words(t: Translator, axes: Axes, finding: Mapping[Any, Any], place: int) -> None:
    low, high = axes.get_xlim()
    start, end = ("left", "right") if t.direction == "ltr" else ("right", "left")
    verdict = str(finding["verdict"])
    name, part = t.name("signals", f"{finding['signal']}.name"), finding.get("part")
    title = f"{name} ({t.name('stages', part)})" if part else name
    note(axes, title, (low, place), (0, 20), ha=start, va="center", weight="bold")
    note(axes, t.name("verdicts", f"{verdict}.name"), (high, place), (0, 20), ha=end, va="center",
         color=VERDICTS.get(verdict, "soft"), size=SIZE - 1)  # fmt: skip


def _line(axes: Axes, shown: Mapping[Any, float], place: int, colour: str) -> None:
    axes.hlines(place, *axes.get_xlim(), color=COLOURS["line"], lw=1, zorder=0)
    axes.hlines(place, shown["low"], shown["high"], color=COLOURS[colour], lw=5, alpha=0.45, zorder=2)
    axes.plot(shown["actual"], place, "o", ms=8, mfc=COLOURS["card"], mec=COLOURS[colour], mew=1.6, zorder=3)
    axes.plot(shown["pooled"], place, "o", ms=9, mfc=COLOURS[colour], mec=COLOURS["card"], mew=1.4, zorder=4)
