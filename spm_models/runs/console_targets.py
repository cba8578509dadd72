"""What a terminal shows of targets."""

from __future__ import annotations

from datetime import date

import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from spm_models.access import Scope
from spm_models.errors import JournalError
from spm_models.journal import Entry
from spm_models.periods import FiscalCalendar
from spm_models.published import Results
from spm_models.workspace import Workspace

_out = Console(highlight=False)


def history_of(workspace: Workspace, unit: str, period: str, on: str = "") -> pd.DataFrame:
    """Every published setting of a unit's targets of a period; ``held`` marks those that held on a day.

    Raises
    ------
    JournalError
        When there are none, or the day is no day.
    """
    results = Results.open(workspace, scope=Scope.of_company())
    chosen = FiscalCalendar.of(workspace.settings.calendar).parse(period.strip())
    level, _, key = unit.strip().partition(":")
    rows = results["target_revisions"]
    rows = rows[(rows["level"] == level.strip().lower()) & (rows["key"] == key.strip())]
    rows = rows[(rows["period_start"] == pd.Timestamp(chosen.start)) & (rows["period_end"] == pd.Timestamp(chosen.end))]
    if rows.empty:
        raise JournalError(
            "No target of this unit and period is published", where="spm quotas show", found=f"{unit} {chosen.label}",
            remedy="Write rep:ID, team:NAME, region:NAME or company; `spm run weekly` publishes new ones.",
        )  # fmt: skip
    try:
        day = date.fromisoformat(on) if on.strip() else results.manifest.as_of
    except ValueError as error:
        raise JournalError("This is not a day", where="--on", found=on, remedy="Write it like 2026-07-15.") from error
    known = rows["set_on"].isna() | (rows["set_on"] <= pd.Timestamp(day))
    last = rows[known].groupby("tier")["number"].transform("max")
    return rows.assign(held=(rows["number"] == last.reindex(rows.index)))


def show_history(rows: pd.DataFrame) -> None:
    """``spm quotas show``."""
    table = Table("tier", "set on", "target", "change", "cause", "by", "reason", "")
    for name in ("target", "change"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for row in rows.to_dict("records"):
        change = "" if pd.isna(row["change"]) else f"{row['change']:+,.0f}"
        table.add_row(
            row["tier"], "" if pd.isna(row["set_on"]) else f"{row['set_on']:%Y-%m-%d}", f"{row['quota']:,.0f}", change,
            row["cause"].replace("_", " "), escape(row["author"] or ""), escape(row["reason"] or ""),
            "held" if row["held"] else "", style="bold" if row["held"] else "",
        )  # fmt: skip
    _out.print(table)


def say_revision(entry: Entry) -> None:
    """After ``spm quotas revise`` and ``undo``."""
    body = entry.body
    unit = escape(f"{entry.about_kind} {entry.about_id}".strip())
    before = f" It was {float(body['beside']):,.2f} until then." if body.get("beside") else ""
    _out.print(
        f"The {body['tier']} target of {unit} is {float(body['amount']):,.2f} from {body['set_on']} on.{before} "
        f"Pages show it after a [bold]spm run weekly[/] over data of that day.",
        soft_wrap=True,
    )


def say_word(entry: Entry) -> None:
    """After ``spm quotas ask``, ``answer`` and ``accept``."""
    done = {"question": "asked about", "answer": "answered on", "accept": "accepted", "decline": "declined"}
    body, author = entry.body, escape(entry.author)
    _out.print(
        f"{author} {done[body['says']]} the target of {escape(entry.about_id)} for {escape(body['period'])}: "
        f"{float(body['quota']):,.2f}.",
        soft_wrap=True,
    )
