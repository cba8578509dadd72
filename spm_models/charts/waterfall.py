"""From one figure to another in steps: each step begins where the one above ended."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes, note
from spm_models.translations import Translator

ROW, HEAD = 40, 6
UP, DOWN = "closed", "quota"


def waterfall_chart(t: Translator, steps: pd.DataFrame, *, width: int) -> Figure:
    """One row a step, its name and amount above its bar; the first and the last row are where it begins and ends.

    Parameters
    ----------
    t : Translator
    steps : DataFrame
        In order: ``label``, ``value`` (of the first and last row the amount itself, of the others the change), and
        optionally ``pale`` (True: drawn hollow, such as a step that chance explains).
    width : int
        In SVG units.

    Notes
    -----
    Rising steps point to the end of the line and have a plus sign, falling ones the other way and a minus, so that
    colour says nothing alone. The axis shows the part that moves; both ends are marks, not bars, because a bar that
    does not begin at zero would lie.
    """
    value = steps["value"].to_numpy(dtype=float)
    pale = steps["pale"].to_numpy(dtype=bool) if "pale" in steps else np.zeros(len(steps), dtype=bool)
    after = np.concatenate([[value[0]], value[0] + np.cumsum(value[1:-1]), [value[-1]]])
    before = np.concatenate([[value[0]], after[:-2], [value[-1]]])
    low, high = min(before.min(), after.min()), max(before.max(), after.max())
    room = 0.06 * (high - low) if high > low else max(abs(high), 1.0) * 0.5
    rows = np.arange(len(steps))[::-1].astype(float)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, HEAD + ROW * len(steps))
        axes.set(xlim=(low - room, high + room), ylim=(-0.45, len(steps) - 0.3))
        for place, row in enumerate(rows):
            end = place in (0, len(steps) - 1)
            _name(t, axes, str(steps["label"].iloc[place]), value[place], row, end)
            if end:
                axes.plot(value[place], row - 0.12, marker="D", ms=9, color=COLOURS["range"], clip_on=False, zorder=4)
                continue
            colour = COLOURS[UP if value[place] >= 0 else DOWN]
            look = {"color": "none", "ls": (0, (2, 1.5))} if pale[place] else {"color": colour}
            axes.barh(
                row - 0.12, value[place], left=before[place], height=0.34, edgecolor=colour, lw=1.4, zorder=3, **look
            )
        for upper in range(len(steps) - 1):
            axes.plot(
                [after[upper]] * 2,
                [rows[upper] - 0.12, rows[upper + 1] - 0.12],
                color=COLOURS["line"],
                lw=1.2,
                zorder=1,
            )
        axes.set_xticks([])
        axes.set_yticks([])
        axes.spines["bottom"].set_visible(False)
        finish(t, axes)
    return figure


def _name(t: Translator, axes: Axes, label: str, value: float, row: float, end: bool) -> None:
    """Name at the start of the line, amount at its end, above the row's bar."""
    near, far = (0.0, 1.0) if t.direction == "ltr" else (1.0, 0.0)
    amount = t.compact_money(value) if end else t.compact_money(value, signed=True)
    where = axes.get_yaxis_transform()
    weight = "bold" if end else "normal"
    axes.text(near, row + 0.2, label, transform=where, ha="left" if near == 0 else "right", va="bottom",
              size=SIZE - 0.5, weight=weight)  # fmt: skip
    axes.text(far, row + 0.2, amount, transform=where, ha="left" if far == 0 else "right", va="bottom", size=SIZE - 0.5,
              weight=weight)  # fmt: skip


def pacing_chart(t: Translator, pacing: pd.DataFrame, quotas: dict[str, float], *, width: int) -> Figure:
    """Revenue week by week: this quarter as a strong line, past ones as thin ones, quota tiers across.

    ``pacing`` has the columns ``period, kind, week, revenue`` of one unit; ``quotas`` the amount of each tier.
    """
    now = pacing[pacing["kind"] == "this"].sort_values("week")
    past = pacing[pacing["kind"] == "past"]
    top = max([float(pacing["revenue"].max()), *quotas.values(), 1.0])
    last = int(pacing["week"].max())
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 260)
        for _, rows in past.sort_values("week").groupby("period"):
            axes.plot([0, *rows["week"]], [0, *rows["revenue"]], color=COLOURS["past"], lw=1.2, alpha=0.75, zorder=2)
        for tier, quota in quotas.items():
            axes.axhline(quota, color=COLOURS["quota"], lw=1.5, ls=(0, (4, 3)), zorder=1)
            words = f"{t.name('tiers', tier)}  {t.compact_money(quota)}"
            note(axes, words, (0, quota), (4 if t.direction == "ltr" else -4, 3), color="quota",
                 ha="left" if t.direction == "ltr" else "right", va="bottom", size=SIZE - 1.5)  # fmt: skip
        axes.plot([0, *now["week"]], [0, *now["revenue"]], color=COLOURS["closed"], lw=3, zorder=4)
        if len(now):
            end = now.iloc[-1]
            axes.plot(
                end["week"], end["revenue"], "o", ms=9, mfc=COLOURS["closed"], mec=COLOURS["card"], mew=1.6, zorder=5
            )
            at = float(end["week"]), float(end["revenue"])
            note(axes, t.compact_money(end["revenue"]), at, (0, 9), ha="center", va="bottom", weight="bold")
        axes.set(xlim=(0, last), ylim=(0, 1.12 * top))
        axes.set_xticks([week for week in (1, 3, 5, 7, 9, 11, 13) if week <= last])
        axes.set_xlabel(t("outlook.pace.week"))
        axes.set_yticks([])
        finish(t, axes)
    return figure
