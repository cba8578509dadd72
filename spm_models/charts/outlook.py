"""Charts of the revenue outlook: where a period is heading, its past, its units, and how earlier forecasts did.

Each takes published figures and a translator and returns a figure as wide as the place it is drawn for (in SVG
units, which a page shows as pixels). In right-to-left languages the axes run from right to left.
"""

from __future__ import annotations

import re
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from spm_models.charts.style import COLOURS, LETTER, SIZE, STYLE, finish, new_axes, note
from spm_models.charts.style import inline_svg as inline_svg  # where pages look for it
from spm_models.translations import Translator
from spm_models.translations.locales import isolate

PARTS = {"closed": "closed", "open": "open", "slipped": "slipped", "renewals": "renewals", "not_yet_created": "new"}


def range_chart(t: Translator, parts: pd.DataFrame, chances: pd.DataFrame, *, width: int) -> Figure:
    """What is closed and what is to come, part by part, as one bar, the 80% range below it, the quota tiers across.

    ``parts`` has the index :data:`PARTS` and total and the columns mean, p10, p50, p90;
    ``chances`` the index tier and the columns quota and probability.
    """
    tiers = chances.dropna(subset="quota")
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 196 + 22 * len(tiers))
        total = parts.T["total"]
        top = max(float(total["p90"]), float(parts["mean"][list(PARTS)].sum()), *tiers["quota"].tolist())
        left = 0.0
        for part, colour in PARTS.items():
            amount = float(parts["mean"][part])
            axes.barh(1.0, amount, left=left, height=0.62, color=COLOURS[colour])
            left += amount
        _range(axes, total, 0.2, horizontal=True)
        for low, align in (("p10", "right"), ("p90", "left")):
            side = align if t.direction == "ltr" else {"right": "left", "left": "right"}[align]
            shift = (-7 if side == "right" else 7, 0)
            note(axes, t.compact_money(total[low]), (total[low], 0.2), shift, ha=side, va="center")
        note(axes, t.compact_money(total["mean"]), (total["mean"], 0.2), (0, -11), ha="center", va="top", weight="bold")
        for row, (tier, chance) in enumerate(tiers.iterrows()):
            _tier(t, axes, str(tier), chance, 1.62 + 0.42 * row, width * chance["quota"] / (1.14 * top))
        axes.set(xlim=(0, 1.14 * top), ylim=(-0.35, 1.5 + 0.42 * max(len(tiers), 1)))
        axes.set_yticks([])
        _money_axis(t, axes.xaxis, width, 1.14 * top)
        finish(t, axes)
    return figure


def _tier(t: Translator, axes: Axes, tier: str, chance: pd.Series, height: float, room: float) -> None:
    axes.plot([chance["quota"]] * 2, [0.62, height], color=COLOURS["quota"], lw=1.6, zorder=3)
    name = t.name("tiers", tier)
    amount, probability = (
        isolate(str(part), t.direction) for part in (t.compact_money(chance["quota"]), t.percent(chance["probability"]))
    )
    words = f"{name}  {amount}  ·  {probability}"
    if LETTER * len(words) > room:
        words = f"{name}  ·  {probability}"
    side, shift = ("right", -6) if t.direction == "ltr" else ("left", 6)
    note(axes, words, (chance["quota"], height), (shift, 0), ha=side, va="center", color="quota")


def history_chart(t: Translator, history: pd.DataFrame, now: pd.Series, label: str, *, width: int) -> Figure:
    """Revenue of past periods as bars with their quota, then what is closed and the range of the forecast.

    ``history`` has the columns period, revenue, quota in order; ``now`` closed, mean, p10, p90, quota.
    """
    label_width = LETTER * len(t.compact_money(now["p90"]))
    past = history.tail(int(np.clip(width / (label_width + 4) - 1, 3, 8)))
    places = np.arange(len(past) + 1)
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 260)
        axes.bar(places[:-1], past["revenue"], width=0.62, color=COLOURS["past"])
        axes.bar(places[-1], now["closed"], width=0.62, color=COLOURS["closed"])
        axes.bar(places[-1], now["mean"] - now["closed"], bottom=now["closed"], width=0.62, color=COLOURS["new"])
        _range(axes, now, float(places[-1]), horizontal=False)
        quotas = [*past["quota"], now["quota"]]
        axes.hlines(quotas, places - 0.38, places + 0.38, color=COLOURS["quota"], lw=2.2)
        values = [*past["revenue"], now["p90"]]
        for place, value in zip(places, values, strict=True):
            text = t.compact_money(value if place < len(past) else now["mean"])
            quota = quotas[place] if quotas[place] == quotas[place] else 0.0
            note(axes, text, (float(place), float(max(value, quota))), (0, 5), ha="center", va="bottom",
                  weight="bold" if place == len(past) else "normal", size=SIZE - 1.5)  # fmt: skip
        axes.set_xticks(places, [_short(t, period) for period in [*past["period"], label]], size=SIZE - 1.5)
        axes.set_ylim(0, 1.16 * max(v for v in [*values, *quotas] if v == v))
        axes.set_yticks([])
        finish(t, axes)
    return figure


def units_chart(t: Translator, units: pd.DataFrame, *, width: int) -> Figure:
    """One line a unit: closed revenue, what is expected, its 80% range, the standard quota.

    ``units`` has the columns label, closed, mean, p10, p90, quota.
    """
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 46 + 34 * len(units))
        rows = np.arange(len(units))[::-1]
        axes.barh(rows, units["closed"].fillna(0), height=0.5, color=COLOURS["new"])
        for row, unit in zip(rows, units.to_dict("records"), strict=True):
            _range(axes, pd.Series(unit), float(row), horizontal=True)
        known = units["quota"].notna().to_numpy()
        axes.vlines(units["quota"][known], rows[known] - 0.36, rows[known] + 0.36, color=COLOURS["quota"], lw=2.4)
        room = int(width / (13 if width > 450 else 21))
        axes.set_yticks(rows, [_cut(label, room) for label in units["label"]], color=COLOURS["ink"])
        axes.set_ylim(-0.6, len(units) - 0.4)
        top = np.nanmax([units["p90"].max(), units["quota"].max()])
        axes.set_xlim(0, 1.06 * top)
        _money_axis(t, axes.xaxis, 0.75 * width, 1.06 * top)
        finish(t, axes)
    return figure


def replay_chart(t: Translator, replay: pd.DataFrame, *, width: int) -> Figure:
    """Range of each earlier forecast and what came: a full dot within the range, a hollow diamond outside.

    ``replay`` has the columns period, p10, p50, p90, actual, hit, in order.
    """
    shown = replay.tail(10 if width > 450 else 6)
    places = np.arange(len(shown))
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 240)
        axes.vlines(places, shown["p10"], shown["p90"], color=COLOURS["new"], lw=15, zorder=1)
        axes.hlines(shown["p50"], places - 0.14, places + 0.14, color=COLOURS["closed"], lw=2.5, zorder=2)
        hit = shown["hit"].fillna(False).astype(bool).to_numpy()
        actual = shown["actual"].to_numpy()
        axes.scatter(places[hit], actual[hit], s=52, color=COLOURS["range"], zorder=3)
        axes.scatter(places[~hit], actual[~hit], s=58, marker="D", facecolor="none", edgecolor=COLOURS["quota"], lw=2,
                     zorder=3)  # fmt: skip
        axes.set_xticks(places, [_short(t, period) for period in shown["period"]], size=SIZE - 1.5)
        axes.set_xlim(-0.6, len(shown) - 0.4)
        low, high = np.nanmin([shown["p10"].min(), actual.min()]), np.nanmax([shown["p90"].max(), actual.max()])
        axes.set_ylim(low - 0.12 * (high - low), high + 0.12 * (high - low))
        _money_axis(t, axes.yaxis)
        finish(t, axes)
    return figure


def _range(axes: Axes, row: pd.Series, place: float, *, horizontal: bool) -> None:
    """The 80% range as a thick line with what is expected as a dot."""
    draw, dot = (axes.hlines, (row["mean"], place)) if horizontal else (axes.vlines, (place, row["mean"]))
    draw(place, row["p10"], row["p90"], color=COLOURS["range"], lw=3.2, zorder=4)
    axes.plot(*dot, "o", ms=9.5, mfc=COLOURS["range"], mec=COLOURS["card"], mew=1.6, zorder=5)


def _money_axis(t: Translator, axis: Any, width: float | None = None, top: float = 0.0) -> None:
    """Amounts along an axis; as many ticks as have room side by side (five on an upright axis)."""
    widest = LETTER * len(t.compact_money(top, decimals=0)) + 22
    ticks = 5 if width is None else int(np.clip(width / widest, 2, 5))
    axis.set_major_locator(MaxNLocator(ticks, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: t.compact_money(value, decimals=0 if _whole(value) else 1) if value else "0")
    )
    axis.grid(color=COLOURS["line"], lw=0.8)
    axis.axes.set_axisbelow(True)


def _short(t: Translator, period: str) -> str:
    """A period on an axis: year below quarter."""
    match = re.fullmatch(r"(\d{4})-Q([1-4])", period)
    return f"{t('outlook.short_quarter', number=match[2])}\n{match[1]}" if match else t.period(period)


def _cut(label: str, room: int) -> str:
    return label if len(label) <= room else label[: room - 1].rstrip() + "…"


def _whole(value: float) -> bool:
    """Whether an amount is whole in the unit in which it is written short: 2,000,000 is, 1,200,000 is not."""
    unit = 10 ** (3 * int(np.log10(max(abs(value), 1.0)) // 3))
    return bool(np.isclose(value / unit, round(value / unit)))
