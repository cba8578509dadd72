"""What a terminal shows at the end of a backtest: the verdict, why, and every forecast beside the others."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from spm_models.runs.backtest import BacktestSummary
from spm_models.win_probability.past_months import FORECASTS

_out = Console(highlight=False)
NAMES = {
    "model": "model", "base_rate": "base rate", "stage_rate": "stage rate", "rep_rate": "rep rate",
    "logistic": "logistic regression", "boosting": "gradient boosting",
}  # fmt: skip
SHOWN = ("log_loss", "brier", "auc", "calibration_error", "calibration_limit")
HEADS = ("log loss", "Brier", "AUC", "calibration error", "chance: up to")


def show_backtest(summary: BacktestSummary, *, as_json: bool) -> None:
    """Show a backtest in words and figures, or as one JSON object."""
    if as_json:
        print(json.dumps(summary.to_dict(), indent=2, ensure_ascii=False, default=str))  # noqa: T201
        return
    title = f"{summary.company}, {summary.as_of}: {_verdict(summary.facts)}"
    _out.print(Panel("\n".join(map(escape, _lines(summary))), title=escape(title), title_align="left"))
    if summary.measures:
        _out.print(_table(summary.measures))
    for note in summary.notes:
        _out.print(f"[dim]     note[/]  {escape(note)}", soft_wrap=True)
    for name, place in summary.places.items():
        _out.print(f"[dim]{name:>9}[/]  {escape(place)}", soft_wrap=True)


def _verdict(facts: dict[str, Any]) -> str:
    if facts["published"] is None:
        return "too little data for a backtest"
    if facts["published"] == "model":
        return "publish the model"
    return f"publish the baseline ({NAMES[facts['published']]})"


def _lines(summary: BacktestSummary) -> list[str]:
    facts = summary.facts
    kept = f", {summary.cached} of them kept from earlier" if summary.cached else ""
    lines = [f"{summary.months} past months replayed{kept}"]
    if facts["published"] is None:
        return [
            *lines,
            f"Too few past scores have an outcome yet ({facts.get('found') or 'none'}); 30 deals are needed.",
        ]
    lines.append(f"{facts['deals']:,} deals scored and decided since, {facts['won']:,} of them won")
    return [*lines, *_why(facts)]


def _why(facts: dict[str, Any]) -> list[str]:
    baseline = NAMES[facts["baseline"]]
    if facts["gain"] is None:
        return [f"There was too little to learn a model from; the {baseline} did best of the plain rates."]
    gain = (
        f"log loss against the {baseline}: {-facts['gain']:+.4f} "
        f"(90 % range {-facts['gain_high']:+.4f} to {-facts['gain_low']:+.4f}; less is better)"
    )
    why = {
        "better_than_baseline": "The model was better, by more than chance, and in no single stretch only.",
        "not_better_than_baseline": f"The model was not better than the {baseline} by more than chance.",
        "one_period_decides": "The model was better on the whole, but a single stretch of time decided it.",
    }[facts["reason"]]
    lines = [gain, why]
    if facts["published"] == "model" and not facts["tells_apart"]:
        lines.append("It follows the level of the win rate better, but does not tell one deal from another.")
    if facts["nothing_to_learn"]:
        lines.append(
            "Nothing in these data tells in advance which deals are won: none came reliably closer than the base rate."
        )
    if facts["drifting"]:
        lines.append("The win rate drifts: months differ from what was said by more than chance.")
    return lines


def _table(measures: dict[str, float]) -> Table:
    table = Table("", *HEADS, box=None, padding=(0, 2))
    for column in table.columns[1:]:
        column.justify = "right"
    for name in FORECASTS:
        if f"log_loss.{name}" in measures:
            table.add_row(NAMES[name], *(f"{measures[f'{measure}.{name}']:.4f}" for measure in SHOWN))
    return table
