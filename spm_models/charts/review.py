"""One signal of a coaching review, all reps side by side, each against what his own context leads to expect."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes
from spm_models.translations import Translator

_COLOURS = {"coaching_suggestion": "quota", "doing_well": "closed"}
_ROOM = 26  # letters of a name


def review_chart(t: Translator, findings: pd.DataFrame, people: pd.DataFrame, *, signal: str, width: int) -> Figure:
    """One line a rep, by name: the plausible range of his own level, a dot for its middle, a tick for the expectation.

    Reps stand in the order of their names: this is no ranking, since each is measured against his own context.

    Parameters
    ----------
    t : Translator
    findings : DataFrame
        ``CoachingFindings.table``.
    people : DataFrame
        The organisation, for names.
    signal : str
        Such as ``win_rate``.
    width : int
        In SVG units.
    """
    names = people.set_index("rep_id")["name"]
    own = findings[findings["signal"] == signal]
    rows = own.assign(label=own["rep_id"].map(names).fillna(own["rep_id"])).sort_values("label", ignore_index=True)
    places = np.arange(len(rows))[::-1]
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 74 + 26 * max(len(rows), 1))
        colours = [COLOURS[_COLOURS.get(verdict, "past")] for verdict in rows["verdict"]]
        axes.hlines(places, rows["low"], rows["high"], color=colours, lw=5, alpha=0.45, zorder=2)
        axes.scatter(rows["pooled"], places, s=54, color=colours, edgecolor=COLOURS["card"], zorder=3)
        axes.vlines(rows["expected"], places - 0.34, places + 0.34, color=COLOURS["ink"], lw=1.8, zorder=4)
        axes.set_yticks(places, [_short(label) for label in rows["label"]], color=COLOURS["ink"], size=SIZE - 1)
        axes.set_ylim(-0.7, len(rows) - 0.3)
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: t.percent(value) if signal == "win_rate" else t.number(float(value)))
        )
        axes.grid(axis="x", color=COLOURS["line"], lw=0.8)
        axes.set_axisbelow(True)
        axes.set_xlabel(t.name("signals", f"{signal}.name"))
        _key(t, axes, set(rows["verdict"]))
        finish(t, axes)
    return figure


def _key(t: Translator, axes: mpl.axes.Axes, verdicts: set[str]) -> None:
    line = axes.vlines([], 0, 0, color=COLOURS["ink"], lw=1.8, label=t("coaching.expected"))
    marks = [line]
    for verdict, colour in {**_COLOURS, "": "past"}.items():
        if verdict in verdicts or not verdict:
            label = t.name("verdicts", f"{verdict}.name") if verdict else t("coaching.interval")
            marks.append(axes.hlines([], 0, 0, color=COLOURS[colour], lw=5, alpha=0.6, label=label))
    axes.legend(handles=marks, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(marks),
                borderaxespad=0.2, handlelength=1.2, fontsize=SIZE - 1.5)  # fmt: skip


def _short(label: str) -> str:
    return label if len(label) <= _ROOM else label[: _ROOM - 1].rstrip() + "…"
