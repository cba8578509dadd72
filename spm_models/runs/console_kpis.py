"""What a terminal shows of the KPIs' definitions."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spm_models.kpis import KPIS
from spm_models.kpis.listing import band, listing
from spm_models.kpis.packs import Choice, of_company
from spm_models.workspace import Workspace

_out = Console(highlight=False)


def definitions(workspace: Workspace | None, locale: str) -> list[dict[str, Any]]:
    """What ``spm kpis list`` shows: all KPIs, or those of a workspace in its order, with what they are held against.

    Parameters
    ----------
    workspace : Workspace, optional
    locale : str
        Empty: the workspace's, else English.
    """
    if workspace is None:
        return listing(locale=locale or "en")
    choice = of_company(workspace.settings.kpis)
    rows = {row["name"]: row for row in listing(locale=locale or workspace.settings.company.locale)}
    return [rows[name] | _held(choice, name) for name in choice.kpis]


def _held(choice: Choice, name: str) -> dict[str, Any]:
    found = choice.band(name)
    source = choice.sources.get(name, KPIS[name].source if found else "")
    return {"healthy": list(found) if found else None, "target": choice.targets.get(name), "held_source": source}


def show_definitions(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """``spm kpis list``."""
    if as_json:
        _out.print_json(json.dumps(rows, ensure_ascii=False))
        return
    held = any("target" in row for row in rows)
    table = Table("id", "name", "title", "definition", "healthy", *(["target"] if held else []))
    for row in rows:
        target = [] if not held else ["" if row["target"] is None else f"{row['target']:g}"]
        table.add_row(
            row["id"], escape(row["name"]), escape(row["title"]), escape(row["definition"]),
            band(row["healthy"], row["unit"]), *target,
        )  # fmt: skip
    _out.print(table)
