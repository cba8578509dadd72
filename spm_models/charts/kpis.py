"""KPI scorecards for the eye: values in words, the table, and one KPI over the periods with its 80 % range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from pandas.io.formats.style import Styler

from spm_models.charts.style import COLOURS, SIZE, STYLE, finish, new_axes
from spm_models.kpis.definition import MINIMUM_GROUP
from spm_models.kpis.dimensions import LEVELS, UNKNOWN
from spm_models.kpis.packs import Choice
from spm_models.kpis.registry import KPIS
from spm_models.translations import Translator

#: catalogue group of the codes that a dimension may hold
_CODES = {"source": "sources", "kind": "kinds", "segment": "segments", "industry": "industries",
          "activity": "activity_kinds"}  # fmt: skip
_NUMBERS = ("value", "range", "previous", "peers", "target", "band")

#: A table that is wider than the screen scrolls by itself, from the side on which its language begins, and keeps its
#: first column in sight.
_FRAME: Any = [
    {"selector": "", "props": "display: block; overflow-x: auto; max-width: 100%"},
    {"selector": "caption", "props": "text-align: start; caption-side: top; font-weight: bold"},
    {
        "selector": "td:first-child, th:first-child",
        "props": "position: sticky; inset-inline-start: 0; min-width: 7.5em",
    },
    {"selector": "td:first-child", "props": "background: inherit"},
    {"selector": "th:first-child", "props": "background: var(--jp-layout-color0, Canvas)"},
]


def kpi_value(t: Translator, value: Any, unit: str) -> str:
    """A value with its unit, in the reader's form; a dash where there is none.

    Examples
    --------
    >>> t = Translator("en", currency="EUR")
    >>> [kpi_value(t, v, unit) for v, unit in ((0.25, "share"), (3.456, "ratio"), (12.0, "count"), (41.5, "days"))]
    ['25%', '3.46', '12', '41.5 days']
    >>> kpi_value(t, 1250.4, "money"), kpi_value(t, 2.5, "per_week"), kpi_value(t, float("nan"), "days")
    ('€1,250', '2.5 per week', '–')
    """
    if pd.isna(value):
        return t.number(None)
    number = float(value)
    if unit == "share":
        return t.percent(number, 0 if abs(number) >= 0.1 or round(number * 100, 1) == round(number * 100) else 1)
    if unit in ("money", "money_per_day"):
        amount = t.money(number)
        return amount if unit == "money" else t("units.per_day", value=amount)
    if unit in ("days", "hours", "minutes", "seconds"):
        whole = round(number, 1)
        return t(f"{'common' if unit == 'days' else 'units'}.{unit}", n=int(whole) if whole == int(whole) else whole)
    if unit in ("per_week", "per_call"):
        return t("units.weekly" if unit == "per_week" else "units.per_call", value=t.number(number))
    return t.number(number, 2) if unit == "ratio" else t.number(number)


def dimension_word(t: Translator, name: str) -> str:
    """What a dimension is called."""
    return t.name("levels" if name in LEVELS else "dimensions", name)


def unit_word(t: Translator, row: Mapping[str, Any], by: Sequence[str]) -> str:
    """What a row's unit is called: names and codes of its dimensions, the company without any."""
    words = []
    for name in by:
        value = str(row.get(f"{name}_name", row[name]))
        words.append(t("common.unknown") if value == UNKNOWN else t.name(_CODES.get(name, "dimensions.none"), value))
    return " · ".join(words) or t("levels.company")


def verdict_word(t: Translator, row: Mapping[str, Any]) -> str:
    """A verdict in words; a target of a period that still runs is not missed yet."""
    verdict = str(row["verdict"])
    if not verdict:
        return ""
    return t("kpi_verdicts.not_yet" if verdict == "missed" and row.get("running", False) else f"kpi_verdicts.{verdict}")


def band_word(t: Translator, choice: Choice, row: Mapping[str, Any]) -> str:
    """The healthy band that a value is read against; empty where there is none."""
    held = choice.band(str(row["kpi"]))
    unit = str(row["unit"])
    return "" if held is None else t.range(kpi_value(t, held[0], unit), kpi_value(t, held[1], unit))


def scorecard_table(t: Translator, rows: pd.DataFrame, choice: Choice, *, by: Sequence[str] = ()) -> Styler:
    """A scorecard: one line a KPI and unit, with range, period before, peers, target, band and verdict in words.

    Parameters
    ----------
    t : Translator
        Language and direction of the table.
    rows : DataFrame
        Rows of :class:`~spm_models.kpis.scorecard.Scorecard`.
    choice : Choice
        Whose bands stand beside the values.
    by : sequence of str
        Dimensions of the rows; without any they are of the company.

    Notes
    -----
    KPI, unit and period stand in the caption where all lines share them, and in a column where they differ. Columns
    that are empty in every line are left out.
    """
    lines = [line_of(t, row, choice, by) for row in rows.to_dict("records")]
    names = ["kpi", "unit", "period", "value", "range", "previous", "peers", "target", "band", "verdict"]
    table = pd.DataFrame(lines, columns=names)
    shared = [name for name in ("kpi", "unit", "period") if len(table) and table[name].nunique() == 1]
    columns = [name for name in names if name not in shared and (name == "value" or (table[name] != "").any())]
    heads = {name: t("common.period" if name == "period" else f"scorecard.{name}") for name in names}
    heads["unit"] = " · ".join(dimension_word(t, name) for name in by) or heads["unit"]
    caption = " · ".join(str(table[name].iloc[0]) for name in shared)
    styled = _styled(t, table[columns].rename(columns=heads), heads)
    return styled.set_caption(escape(caption)) if shared else styled


def _escaped(value: object) -> str:
    return escape(str(value))


def line_of(t: Translator, row: Mapping[Any, Any], choice: Choice, by: Sequence[str]) -> dict[str, str]:
    """A row of a scorecard in words: ``kpi``, ``unit``, ``period``, ``value``, ``range`` … ``verdict``."""
    unit = str(row["unit"])

    def told(name: str) -> str:
        return "" if pd.isna(row[name]) else kpi_value(t, row[name], unit)

    span = "" if pd.isna(row["low"]) or pd.isna(row["high"]) else _span(t, row)
    return {
        "kpi": t.name("kpi", row["kpi"]), "unit": unit_word(t, row, by), "period": t.period(row["period"]),
        "value": kpi_value(t, row["value"], unit), "range": span, "previous": told("previous"), "peers": told("peers"),
        "target": told("target"), "band": band_word(t, choice, row), "verdict": verdict_word(t, row),
    }  # fmt: skip


def kpi_table(t: Translator, rows: pd.DataFrame) -> Styler:
    """KPIs of one unit in one period: title, value and 80 % range, and the exact definition beside them.

    Parameters
    ----------
    t : Translator
    rows : DataFrame
        As :func:`spm_models.kpis.compute` gives it.
    """
    told = [
        {"kpi": t.name("kpi", row["kpi"]), "value": kpi_value(t, row["value"], row["unit"]),
         "range": "" if pd.isna(row["low"]) else _span(t, row), "definition": KPIS[row["kpi"]].definition}
        for row in rows.to_dict("records")
    ]  # fmt: skip
    names = ["kpi", "value", "range", "definition"]
    heads = {name: t(f"scorecard.{name}") for name in names}
    return _styled(t, pd.DataFrame(told, columns=names).rename(columns=heads), heads)


def _span(t: Translator, row: Mapping[Any, Any]) -> str:
    return t.range(kpi_value(t, row["low"], row["unit"]), kpi_value(t, row["high"], row["unit"]))


def _styled(t: Translator, shown: pd.DataFrame, heads: Mapping[str, str]) -> Styler:
    """The table as it is shown: numbers at the end of their cells and unbroken, in the language's direction."""
    start, end = ("right", "left") if t.direction == "rtl" else ("left", "right")
    numbers = [heads[name] for name in _NUMBERS if heads.get(name) in shown]
    sides: Any = {
        name: [{"selector": "", "props": f"text-align: {end if name in numbers else start}"}] for name in shown
    }
    nowrap: Any = [*numbers, *(name for name in (heads.get("verdict"),) if name in shown)]
    styler = (
        shown.style.format(_escaped)
        .hide(axis="index")
        .set_table_styles(sides)
        .set_table_styles(_FRAME, overwrite=False)
    )
    styler = styler.set_properties(subset=nowrap, **{"white-space": "nowrap"})
    return styler.set_table_attributes(f'dir="{t.direction}" lang="{t.locale}"')


def peers_note(t: Translator) -> str:
    """What stands under a table with peers."""
    return t("scorecard.peers_note", n=MINIMUM_GROUP)


def kpi_chart(t: Translator, rows: pd.DataFrame, choice: Choice, *, width: int) -> Figure:
    """One KPI of one unit over the periods: value with its 80 % range, target and healthy band.

    Parameters
    ----------
    t : Translator
    rows : DataFrame
        Rows of one KPI and unit, oldest first; the last may still run and is then hollow.
    choice : Choice
        Whose band is shaded.
    width : int
        In SVG units.
    """
    rows = rows.reset_index(drop=True)
    places = np.arange(len(rows))
    values = rows[["value", "low", "high", "target"]].to_numpy(dtype=float)
    unit = str(rows["unit"].iloc[0]) if len(rows) else "count"
    held = choice.band(str(rows["kpi"].iloc[0])) if len(rows) else None
    with mpl.rc_context(STYLE):
        figure, axes = new_axes(width, 300)
        handles: list[Artist] = []
        if held is not None:
            handles.append(axes.axhspan(*held, color=COLOURS["renewals"], alpha=0.25, lw=0, zorder=0,
                                        label=t("scorecard.band")))  # fmt: skip
        known = ~np.isnan(values[:, 1])
        if known.any():
            reach = axes.vlines(places[known], values[known, 1], values[known, 2], color=COLOURS["open"], lw=7,
                                alpha=0.5, zorder=2, label=t("scorecard.range"))  # fmt: skip
            handles.append(reach)
        (line,) = axes.plot(places, values[:, 0], color=COLOURS["closed"], lw=1.8, zorder=3, label=t("scorecard.value"))
        running = rows["running"].to_numpy(dtype=bool)
        axes.scatter(places, values[:, 0], s=46, zorder=4, edgecolor=COLOURS["closed"], linewidth=1.6,
                     facecolor=np.where(running, COLOURS["card"], COLOURS["closed"]))  # fmt: skip
        handles.insert(0, line)
        if not np.isnan(values[:, 3]).all():
            handles += axes.plot(places, values[:, 3], color=COLOURS["quota"], lw=1.4, ls=(0, (4, 3)), zorder=3,
                                 label=t("scorecard.target"))  # fmt: skip
        _axes_of_periods(t, axes, rows, unit, width)
        axes.legend(handles=handles, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=4, borderaxespad=0.2,
                    handlelength=1.4, fontsize=SIZE - 1.5)  # fmt: skip
    return figure


def _axes_of_periods(t: Translator, axes: Any, rows: pd.DataFrame, unit: str, width: int) -> None:
    step = max(1, int(np.ceil(len(rows) * 95 / max(width - 110, 1))))  # labels that fit side by side
    shown = [place for place in range(len(rows)) if (len(rows) - 1 - place) % step == 0]
    axes.set_xticks(shown, [t.period(str(rows["period"].iloc[place])) for place in shown], size=SIZE - 2)
    axes.set_xlim(-0.5, max(len(rows), 1) - 0.5)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=unit == "count"))

    def short(value: float, _: object) -> str:
        return t.compact_money(value) if unit == "money" else kpi_value(t, value, unit)

    axes.yaxis.set_major_formatter(FuncFormatter(short))
    axes.grid(axis="y", color=COLOURS["line"], lw=0.8)
    axes.set_axisbelow(True)
    finish(t, axes)
