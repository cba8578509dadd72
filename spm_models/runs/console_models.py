"""What a terminal shows of stored models, of overrides and of submissions."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spm_models.journal import Entry
from spm_models.runs.model_versions import scores_table

_out = Console(highlight=False)


def show_versions(found: list[dict[str, Any]], question: str, *, as_json: bool) -> None:
    """``spm models list``."""
    if as_json:
        _json(found)
        return
    if not found:
        _out.print(f"No version of {escape(question)} is stored yet. [bold]spm run weekly[/] stores one.")
        return
    table = Table("version", "data up to", "published", "deals", "log loss", "", title=escape(_words(question)))
    for name in ("version", "deals", "log loss"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for row in found:
        deals = "" if row["deals"] is None else f"{row['deals']:,}"
        loss = "" if row["log_loss"] is None else f"{row['log_loss']:.3f}"
        table.add_row(
            str(row["version"]), row["as_of"] or "", escape(_words(row["published"] or "")), deals, loss, _state(row),
            style="bold" if row["in_use"] else "",
        )  # fmt: skip
    _out.print(table)
    if any(row["pinned"] for row in found):
        _out.print("The pinned version is used until [bold]spm models rollback --latest[/].", soft_wrap=True)
    for row in found:
        if row["damaged"]:
            _out.print(f"Version {row['version']}: {escape(row['damaged'])}", soft_wrap=True)


def show_version(found: dict[str, Any], *, as_json: bool) -> None:
    """``spm models show``."""
    if as_json:
        _json(found)
        return
    rows = {
        "version": f"{found['version']} of {_words(found['question'])} {_plain_state(found)}",
        "learned from": f"{found['deals'] or 0:,} decided deals, data up to {found['as_of']}",
        "data": found["data_hash"][:12],
        "published": _words(found["published"] or "") + _because(found["verdict"]),
        "seed": str(found["seed"]),
        "code": found["code_hash"][:12],
        "file": f"sha256 {found['sha256'][:12]}",
        "packages": ", ".join(f"{name} {version}" for name, version in sorted(found["packages"].items())),
    }
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", justify="right")
    grid.add_column()
    for label, value in rows.items():
        grid.add_row(label, escape(value))
    _out.print(grid)
    _show_scores(found["scores"])
    _show_people(found["overrides"])


def say_rolled_back(row: dict[str, Any]) -> None:
    """After ``spm models rollback VERSION``."""
    _out.print(
        f"Version {row['version']} of {escape(_words(row['question']))}, learned from data up to {row['as_of']}, is "
        "[bold]pinned[/]. The next [bold]spm run weekly[/] scores with it, and so do all after it, until "
        "[bold]spm models rollback --latest[/]. What is published now stays as it is.",
        soft_wrap=True,
    )  # fmt: skip


def say_released(row: dict[str, Any]) -> None:
    """After ``spm models rollback --latest``."""
    newest = "there is no other" if row["version"] is None else f"the newest is version {row['version']}"
    _out.print(
        f"No version of {escape(_words(row['question']))} is pinned any more; {newest}. "
        "The next [bold]spm run weekly[/] scores with what it learns.",
        soft_wrap=True,
    )  # fmt: skip


def say_override(entry: Entry) -> None:
    """After ``spm override``."""
    deal, author = escape(entry.about_id), escape(entry.author)
    if entry.body.get("value") is None:
        text = f"{author} took back the override of {deal}."
    else:
        beside = f", beside the score of {float(entry.body['beside']):.0%}" if entry.body.get("beside") else ""
        text = f"{author} gives {deal} a chance of {float(entry.body['value']):.0%}{beside}."
    _out.print(f"{text} Pages and reports show it after the next [bold]spm run weekly[/]; no score changes.")


def say_submission(entry: Entry, currency: str) -> None:
    """After ``spm submit``."""
    body, author = entry.body, escape(entry.author)
    unit = escape(f"{entry.about_kind} {entry.about_id}".strip())
    best = f", at best {float(body['best_case']):,.2f}" if body.get("best_case") else ""
    beside = f" The published forecast is {float(body['beside']):,.2f}." if body.get("beside") else ""
    _out.print(
        f"{author} commits to {float(body['commit']):,.2f} {currency} for {escape(body['period'])} ({unit}){best}."
        f"{beside} Pages show it after the next [bold]spm run weekly[/].",
        soft_wrap=True,
    )


def _show_scores(scores: list[dict[str, Any]]) -> None:
    wide = scores_table(scores)
    if wide.empty:
        _out.print("No test: too few deals were decided.")
        return
    ends = sorted({str(row[name])[:10] for row in scores for name in ("test_start", "test_end") if row[name]})
    table = Table("model", *(_words(name) for name in wide.columns), title=f"Test on deals from {' to '.join(ends)}")
    for name, values in wide.iterrows():
        table.add_row(
            escape(_words(str(name))), *("" if value != value else f"{value:.3f}" for value in values.astype(float))
        )
    _out.print(table)


def _show_people(found: dict[str, Any] | None) -> None:
    if found is None:
        return
    verdict = {"people": "people were better", "model": "the scores were better", "": "no difference can be told"}
    _out.print(
        f"Overrides: {found['n']} deals decided since; Brier score of people {found['people']:.3f}, of the scores "
        f"{found['model']:.3f} (gain {found['gain']:+.3f}, 80 % range {found['low']:+.3f} to {found['high']:+.3f}): "
        f"{verdict[found['better']]}.",
        soft_wrap=True,
    )


def _state(row: dict[str, Any]) -> str:
    state = "in use, [bold red]pinned[/]" if row["pinned"] else "in use" if row["in_use"] else ""
    return ", ".join(filter(None, [state, "[bold red]damaged[/]" if row["damaged"] else ""]))


def _plain_state(row: dict[str, Any]) -> str:
    return "(in use, pinned)" if row["pinned"] else "(in use)" if row["in_use"] else ""


def _because(verdict: dict[str, Any]) -> str:
    return f" ({_words(str(verdict['reason']))})" if verdict.get("reason") else ""


def _words(code: str) -> str:
    return code.replace("_", " ")


def _json(found: Any) -> None:
    print(json.dumps(found, indent=2, ensure_ascii=False, default=str))  # noqa: T201
