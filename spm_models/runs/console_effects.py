"""What a terminal shows of the effect of coaching and of drawn orders."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spm_models.coaching.effects.randomised import LEAST_WEEKS
from spm_models.coaching.effects.result import FALSE_DISCOVERY_RATE
from spm_models.coaching.effects.windows import EASE_IN
from spm_models.coaching.effects.words import effect_sentence, measure, naive_sentence, what
from spm_models.journal import Entry
from spm_models.reports.export import Column, to_csv
from spm_models.runs.coaching_orders import order_of, order_table
from spm_models.translations import Translator

_out = Console(highlight=False)
_WIDTH = 21  # of the picture
_WIDE = 140  # terminals from which on the picture has room
_ROOM = ("picture", "placebo")
_STYLES = {"helped": "green", "did_harm": "red", "placebo_failed": "yellow", "not_enough_data": "dim"}


def show_effects(t: Translator, table: pd.DataFrame, *, as_json: bool = False, details: bool = False) -> None:
    """``spm coaching effects``: a table, a picture in signs, and what it says."""
    if as_json:
        _out.print_json(table.to_json(orient="records", double_precision=6), ensure_ascii=False)
        return
    if table.empty:
        _out.print(t("effects.none", weeks=EASE_IN + LEAST_WEEKS))
        return
    rows = table if details else table[table["skill"].eq("all") | table["kind"].eq("all")]
    _out.print(f"[bold]{escape(t('effects.title'))}[/]\n{escape(t('effects.how'))}\n", soft_wrap=True)
    _out.print(_grid(t, rows))
    _out.print()
    whole = rows["skill"].eq("all") & rows["kind"].eq("all")
    told = details | whole | rows["verdict"].ne("no_effect_seen")
    for row in rows[told & rows["verdict"].ne("not_enough_data")].to_dict("records"):
        _out.print(f"• {escape(effect_sentence(t, row))}", soft_wrap=True)
        if row["skill"] == "all" and row["kind"] == "all":
            _out.print(f"  [dim]{escape(naive_sentence(t, row))}[/]", soft_wrap=True)
        if row["design"] == "randomised":
            _out.print(f"  [dim]{escape(t('effects.by_lot'))}[/]", soft_wrap=True)
    _out.print(f"\n[dim]{escape(t('effects.several', share=t.percent(FALSE_DISCOVERY_RATE)))}[/]", soft_wrap=True)


def picture(low: float, value: float, high: float, reach: float) -> str:
    """A range as a line of signs: nil in the middle, the ends of the line are ``reach``.

    Examples
    --------
    >>> picture(0.02, 0.05, 0.08, 0.1)
    '          │ ├──●──┤  '
    """
    if value != value or reach <= 0:
        return ""

    def place(at: float) -> int:
        return round((max(-1.0, min(1.0, at / reach)) + 1) / 2 * (_WIDTH - 1))

    signs = [" "] * _WIDTH
    signs[place(low) : place(high) + 1] = "─" * (place(high) + 1 - place(low))
    signs[_WIDTH // 2] = "│" if signs[_WIDTH // 2] == " " else "┼"
    signs[place(low)], signs[place(high)] = "├", "┤"
    signs[place(value)] = "●"
    return "".join(signs)


def _grid(t: Translator, rows: pd.DataFrame) -> Table:
    share = t.percent(rows["level"].iloc[0])
    wide = _out.width >= _WIDE
    names = ["what", "outcome", "reps", "effect", "range", "picture", "naive", "placebo", "verdict"]
    table = Table()
    for name in names if wide else [name for name in names if name not in _ROOM]:
        number = name in ("reps", "effect", "range", "naive", "placebo")
        title = t(f"effects.columns.{name}", **({"share": share} if name == "range" else {}))
        table.add_column(title, justify="right" if number else "left", no_wrap=name in ("picture", "range"))
    reach = rows[["low", "high"]].abs().max(axis=1).groupby(rows["outcome"]).max()
    for row in rows.to_dict("records"):
        outcome = str(row["outcome"])
        ends = t.range(_bare(t, outcome, row["low"]), _bare(t, outcome, row["high"]))
        verdict = t.name("effects.verdicts", row["verdict"])
        drawn = picture(row["low"], row["effect"], row["high"], float(reach.get(outcome, 0.0)))
        cells = [
            escape(what(t, row)), t.name("effects.outcomes", outcome), f"{row['reps']} / {row['controls']}",
            measure(t, outcome, row["effect"]), "" if pd.isna(row["low"]) else ends, drawn,
            _bare(t, outcome, row["naive"]), _bare(t, outcome, row["placebo"]),
            f"[{_STYLES.get(row['verdict'], 'none')}]{escape(verdict)}[/]",
        ]  # fmt: skip
        table.add_row(*(cell for cell, name in zip(cells, names, strict=True) if wide or name not in _ROOM))
    return table


def _bare(t: Translator, outcome: str, value: float) -> str:
    scale = 1 if outcome in ("activity", "pipeline_creation") else 100
    return t.number(scale * value, 1, signed=True)


def show_order(t: Translator, entry: Entry, *, as_json: bool = False) -> None:
    """One drawn order: its waves, its seed, and what people are to be told."""
    if as_json:
        _out.print_json(json.dumps({"entry": entry.id, "author": entry.author} | entry.body, ensure_ascii=False))
        return
    order = order_of(entry)
    title = t(
        "effects.order.title", skill=t.name("effects.skills", order.skill), kind=t.name("effects.kinds", order.kind)
    )
    _out.print(f"[bold]{escape(title)}[/] [dim](#{entry.id}, {escape(entry.author)})[/]", soft_wrap=True)
    table = Table("", *(t(f"effects.order.{name}") for name in ("team", "rep", "need")))
    for row in order_table(entry).to_dict("records"):
        wave = int(row["wave"])
        when = t("effects.order.wave", number=t.number(wave), day=t.day(order.day(wave))) if wave else ""
        table.add_row(
            escape(when or t("effects.order.first")), escape(row["team"]), escape(row["rep_id"]),
            escape(t.name("verdicts", f"{row['need']}.name") if row["need"] else ""),
        )  # fmt: skip
    _out.print(table)
    for key in ("promise", "tell"):
        _out.print(t(f"effects.order.{key}"), soft_wrap=True)
    _out.print(t("effects.order.measured", weeks=EASE_IN + LEAST_WEEKS), soft_wrap=True)
    _out.print(f"[dim]{escape(t('effects.order.seed', seed=str(order.seed)))}[/]", soft_wrap=True)


def export_order(entry: Entry, path: Path) -> Path:
    """Write an order as CSV; cells that a spreadsheet would run are made harmless."""
    table = order_table(entry)
    to_csv(table, [Column(name, name) for name in table.columns], path)
    return path


def say_exported(path: Path) -> None:
    """After an export."""
    _out.print(escape(str(path)))


def say_no_orders(t: Translator) -> None:
    """When nobody has drawn an order."""
    _out.print(t("effects.order.none"))
