"""What a terminal shows of KPI scorecards."""

from __future__ import annotations

import math

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spm_models.charts.kpis import dimension_word, line_of, peers_note, unit_word
from spm_models.kpis.decline import Decline
from spm_models.runs.scorecard import Scorecards
from spm_models.translations import Translator

_out = Console(highlight=False)


def show_scorecard(cards: Scorecards) -> None:
    """``spm kpis show``."""
    t, card = cards.t, cards.units
    if card.table.empty:
        _out.print(t("scorecard.none"))
        return
    heads = [t("scorecard.kpi"), *(dimension_word(t, name) for name in card.by)]
    heads += [t("common.period")] * (len(card.periods) > 1)
    table = Table(*heads, title=" · ".join([t("scorecard.title"), *(t.period(one.label) for one in card.periods[-1:])]))
    lines = [line_of(t, row, card.choice, card.by) for row in card.table.to_dict("records")]
    figures = [name for name in ("value", "range", "previous", "peers", "target") if any(line[name] for line in lines)]
    for name in figures:
        table.add_column(t(f"scorecard.{name}"), justify="right", no_wrap=True)
    table.add_column(t("scorecard.verdict"))
    for row, told in zip(card.table.to_dict("records"), lines, strict=True):
        units = [unit_word(t, {str(key): value for key, value in row.items()}, [name]) for name in card.by]
        period = [told["period"]] * (len(card.periods) > 1)
        cells = [told["kpi"], *units, *period, *(told[name] for name in figures), told["verdict"]]
        table.add_row(*(escape(_printable(cell)) for cell in cells))
    _out.print(table)
    if card.table["peers"].notna().any():
        _out.print(peers_note(t))


def _printable(text: str) -> str:
    """Without characters that would steer the terminal; a rep's name may hold anything."""
    return "".join(char for char in text if char.isprintable() or char in "\u2066\u2067\u2068\u2069\u200e\u200f")


def say_written(*paths: object, problem: str = "") -> None:
    """After ``spm kpis show --out`` and ``spm kpis report``: the files, and why one is missing."""
    for path in paths:
        _out.print(f"Written: {escape(str(path))}", soft_wrap=True)
    if problem:
        _out.print(f"No PDF: {escape(problem)}", soft_wrap=True)


def show_leads(t: Translator, found: Decline, period: str, idle: pd.DataFrame, most: int) -> None:
    """``spm kpis leads``: whether fewer leads come in, and whom nobody has touched for long."""
    _out.print(t("scorecard.leads.came", period=t.period(period), n=t.number(found.last)))
    if math.isnan(found.expected):
        _out.print(t("scorecard.leads.unknown"))
    else:
        said = "alarm" if found.alarm else "calm"
        words = {"expected": t.number(round(found.expected, 1)), "trend": t.percent(found.trend, signed=True)}
        _out.print(t(f"scorecard.leads.{said}", **words))
    if idle.empty:
        return
    heads = [t(f"scorecard.leads.{name}") for name in ("lead", "rep", "rating", "idle")]
    table = Table(*heads)
    for row in idle.head(most).to_dict("records"):
        rating = "" if pd.isna(row["rating"]) else t(f"scorecard.leads.{row['rating']}")
        told = [str(row["lead_id"]), "" if pd.isna(row["rep_id"]) else str(row["rep_id"]), rating]
        table.add_row(*(escape(_printable(cell)) for cell in (*told, t.days(round(float(row["idle_days"]))))))
    _out.print(t("scorecard.leads.title"))
    _out.print(table)
    if len(idle) > most:
        _out.print(t("outlook.units.more", n=len(idle) - most))
