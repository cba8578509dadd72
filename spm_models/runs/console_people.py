"""What a terminal shows of what people write about coaching, and of what deserves a word."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spm_models.journal import Entry
from spm_models.journal.coaching_bodies import CONFIDENTIAL, SKILLS
from spm_models.reports.today import prompt_line
from spm_models.translations import Translator
from spm_models.workspace import Workspace

_out = Console(highlight=False)


def say_written(workspace: Workspace, entries: Sequence[Entry], locale: str = "", *, as_json: bool = False) -> None:
    """After anything was written: its number, or that it would have been taken."""
    t = _words(workspace, locale)
    if as_json:
        _print_json([_facts(entry) for entry in entries])
        return
    for entry in entries:
        values = {"kind": t(f"people.kinds.{entry.kind}"), "whom": entry.rep_id or entry.about_id}
        said = t("people.written", n=entry.id, **values) if entry.id else t("people.tried", **values)
        _out.print(escape(said), soft_wrap=True)
    if any(entry.kind in CONFIDENTIAL and entry.body.get("given_by") != "self" for entry in entries):
        _out.print(escape(t("people.in_confidence")), soft_wrap=True)
    if any(entry.id for entry in entries):
        _out.print(f"[dim]{escape(t('people.shown_after'))}[/]", soft_wrap=True)


def show_actions(
    workspace: Workspace, table: pd.DataFrame, locale: str = "", *, everything: bool = False, as_json: bool = False
) -> None:
    """``spm coaching actions``."""
    t = _words(workspace, locale)
    rows = table if everything else table[table["state"] == "open"]
    if as_json:
        _print_json(json.loads(rows.to_json(orient="records", date_format="iso")))
        return
    if rows.empty:
        _out.print(t("people.no_actions"))
        return
    grid = _grid(t, ["whom", "session", "action", "held_on", "due_on", "state"])
    for row in rows.to_dict("records"):
        due = "" if pd.isna(row["due_on"]) else t.day(row["due_on"])
        said = "" if pd.isna(row["note"]) else f" – {row['note']}"
        grid.add_row(
            escape(row["rep_id"]), escape(f"{row['session_id']}:{row['number']}"), escape(row["action"]),
            t.day(row["held_on"]), due, escape(t(f"people.states.{row['state']}") + said),
        )  # fmt: skip
    _out.print(grid)


def show_history(workspace: Workspace, entries: Sequence[Entry], locale: str = "", *, as_json: bool = False) -> None:
    """``spm coaching history``: what was replaced or taken back is shown so."""
    t = _words(workspace, locale)
    if as_json:
        _print_json([_facts(entry) for entry in entries])
        return
    if not entries:
        _out.print(t("people.no_history"))
        return
    newer = {entry.supersedes: entry.id for entry in entries if entry.supersedes is not None}
    zone = ZoneInfo(workspace.settings.company.time_zone)
    grid = _grid(t, ["number", "written", "author", "whom", "kind", "text"])
    for entry in entries:
        mark = t("people.replaced", n=newer[entry.id]) if entry.id in newer else ""
        mark = t("people.withdrawn") if entry.body.get("withdrawn") else mark
        day = entry.written_at.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date()
        text = _in_words(t, entry) + (f" ({mark})" if mark else "")
        grid.add_row(
            str(entry.id), t.day(day), escape(entry.author), escape(entry.rep_id or entry.about_id),
            t(f"people.kinds.{entry.kind}"), escape(text), style="dim" if mark else "",
        )  # fmt: skip
    _out.print(grid)


def show_prompts(
    workspace: Workspace, tables: Mapping[str, pd.DataFrame], locale: str = "", *, as_json: bool = False
) -> None:
    """``spm coaching prompts``: what happened, and calls to listen to."""
    t = _words(workspace, locale)
    if as_json:
        found = {name: json.loads(rows.to_json(orient="records", date_format="iso")) for name, rows in tables.items()}
        _out.print_json(json.dumps(found, ensure_ascii=False), ensure_ascii=False)
        return
    events = [(row["rep_id"], prompt_line(t, row).striptags()) for row in tables["prompts"].to_dict("records")]
    calls = [(row["rep_id"], call_line(t, row)) for row in tables["calls_to_review"].to_dict("records")]
    _list(t("people.prompts_title"), events, t("people.no_prompts"))
    _list(t("people.calls_title"), calls, t("people.no_calls"))


def call_line(t: Translator, row: Mapping[Any, Any]) -> str:
    """Why a call is worth listening to, how long it was, and which it is."""
    length = t("people.calls.length", minutes=t.number(row["value"], 0), usual=t.number(row["beside"], 0))
    return f"{row['call_id']} – {t('people.calls.' + str(row['reason']))} ({length})"


def _in_words(t: Translator, entry: Entry) -> str:
    body = entry.body
    if entry.kind == "observation":
        seen = [f"{t('people.skills.' + name)} {body[name]['score']}: {body[name]['note']}"
                for name in SKILLS if name in body]  # fmt: skip
        return "; ".join(seen)
    if entry.kind == "feedback_360":
        return f"{body['dimension']} {body['score']} {body.get('comment', '')}".strip()
    if entry.kind == "manager_form":
        return ", ".join(f"{t('people.skills.' + name)} {score}" for name, score in body.items()
                         if t.has(f"people.skills.{name}"))  # fmt: skip
    if entry.kind == "cause":
        words = t("cause_words.confirmed" if body["says"] == "yes" else "cause_words.refused",
                  cause=t.name("causes", body["cause"]))  # fmt: skip
        return f"{words} {body.get('text', '')}".strip()
    if entry.kind == "action":
        number = f":{body['number']}" if "number" in body else ""
        state = t("people.states." + body["state"])
        return f"{entry.about_id}{number} {state} {body.get('note', '')}".strip()
    return str(body.get("text") or body.get("actions") or "")


def _list(title: str, lines: Sequence[tuple[str, str]], nothing: str) -> None:
    _out.print(f"[bold]{escape(title)}[/]")
    for rep_id, line in lines:
        _out.print(f"• {escape(rep_id)}: {escape(line)}", soft_wrap=True)
    if not lines:
        _out.print(escape(nothing))


def _grid(t: Translator, names: Sequence[str]) -> Table:
    table = Table()
    for name in names:
        table.add_column(t(f"people.columns.{name}"), overflow="fold")
    return table


def _facts(entry: Entry) -> dict[str, object]:
    return {
        "number": entry.id or None, "written_at": f"{entry.written_at:%Y-%m-%dT%H:%M:%S}Z", "author": entry.author,
        "kind": entry.kind, "about": [entry.about_kind, entry.about_id], "rep_id": entry.rep_id, "body": entry.body,
        "supersedes": entry.supersedes,
    }  # fmt: skip


def _print_json(rows: object) -> None:
    _out.print_json(json.dumps(rows, ensure_ascii=False), ensure_ascii=False)


def _words(workspace: Workspace, locale: str) -> Translator:
    company = workspace.settings.company
    return Translator(locale or company.locale, currency=company.currency, time_zone=company.time_zone)
