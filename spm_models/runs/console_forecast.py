"""What a terminal shows at the end of a backtest of the forecast: the verdict, why, and every method by week."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from spm_models.runs.backtest_forecast import ForecastSummary

_out = Console(highlight=False)
SHOWN = (0, 3, 6, 9, 12)
OURS = ("blend", "simulation")


def show_forecast_backtest(summary: ForecastSummary, *, as_json: bool) -> None:
    """Show it in words and figures, or as one JSON object."""
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
    if facts["reason"] == "untested":
        return "too few finished quarters for a verdict"
    return f"publish the {facts['published']}" + ("" if facts["published"] in OURS else " (a plain baseline)")


def _lines(summary: ForecastSummary) -> list[str]:
    from spm_models.revenue_forecast.accuracy import in_words

    facts = summary.facts
    kept = f", {summary.cached} of them kept from earlier" if summary.cached else ""
    periods = ", ".join(facts["replayed"]) or "none"
    lines = [f"{summary.weeks} past weeks replayed{kept}; quarters: {periods}", in_words(facts)]
    if facts["skipped"]:
        lines.append(f"Too little was known in {', '.join(facts['skipped'])}.")
    levels = [(name.split(".")[1], share) for name, share in summary.measures.items() if name.count(".") == 1]
    if levels:
        held = ", ".join(f"{level} {share:.0%}" for level, share in levels)
        lines.append(f"Results within the 80 % range: {held}.")
    return lines


def _table(measures: dict[str, float]) -> Table:
    weeks = [week for week in SHOWN if f"absolute_error.blend.week{week}" in measures]
    heads = [f"week {week}" if week else "eve" for week in weeks]
    table = Table("error by weeks passed", *heads, "within 80 %", box=None, padding=(0, 2))
    for column in table.columns[1:]:
        column.justify = "right"
    methods = sorted({name.split(".")[1] for name in measures if name.startswith("absolute_error.")})
    found = {method: [measures.get(f"absolute_error.{method}.week{week}") for week in weeks] for method in methods}

    def order(method: str) -> tuple[bool, float]:
        known = [error for error in found[method] if error is not None]
        return method not in OURS, sum(known) / len(known) if known else 9.0

    for method in sorted(methods, key=order):
        cells = ["–" if error is None else f"{error:.1%}" for error in found[method]]
        hits = [value for name, value in measures.items() if name.startswith(f"coverage80.{method}.")]
        table.add_row(method.replace("_", " "), *cells, f"{sum(hits) / len(hits):.0%}" if hits else "–")
    return table
