"""What a terminal shows of the KPIs' definitions."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spm_models.kpis.listing import band

_out = Console(highlight=False)


def show_definitions(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    """``spm kpis list``."""
    if as_json:
        _out.print_json(json.dumps(rows, ensure_ascii=False))
        return
    table = Table("id", "name", "definition", "healthy")
    for row in rows:
        table.add_row(row["id"], escape(row["name"]), escape(row["definition"]), band(row["healthy"], row["unit"]))
    _out.print(table)
