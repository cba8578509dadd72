"""The reports of a run: written beside, kept where they are written already, seen all at once; and their indexes."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from spm_models.published import Manifest
from spm_models.reports.index import write_index, write_managers
from spm_models.reports.render import lacking
from spm_models.runs.cadence import TEAM, TEAM_MONTH
from spm_models.runs.cluster import on_a_cluster
from spm_models.runs.console import Report as Progress
from spm_models.runs.ledger import Ledger, Report
from spm_models.runs.order import MODEL_CARD, Order, Wanted
from spm_models.runs.runner import Submit, on_this_machine, run_orders
from spm_models.runs.status import has_hash
from spm_models.translations import Translator
from spm_models.workspace import Workspace


@dataclass(frozen=True)
class Written:
    """What became of the reports of a run."""

    done: int = 0
    failed: int = 0
    index: Path | None = None
    notes: tuple[str, ...] = ()
    errors: tuple[tuple[str, str, str], ...] = ()  # kind, name, why


def write_reports(
    workspace: Workspace, manifest: Manifest, ledger: Ledger, orders: Sequence[Order], tell: Progress, *,
    scheduler: str = "", anew: frozenset[Wanted] = frozenset(),
) -> Written:  # fmt: skip
    """Write the reports of a published run, several at a time, and their indexes.

    Parameters
    ----------
    workspace : Workspace
    manifest : Manifest
        Of the run whose results the reports show.
    ledger : Ledger
        Takes one row a report as soon as it is there. What it knows to be written, from the same data, code and
        parameters, and still lies there with the same bytes, is kept and not written once more.
    orders : sequence of Order
    tell : callable
        Told ``(what, done, total)``.
    scheduler : str
        Of the Dask cluster that does the work; empty: this machine.
    anew : frozenset of (report, about)
        What is written once more though it is there.

    Returns
    -------
    Written

    Notes
    -----
    A report that fails does not stop the others; its notebook, as far as it came, is the evidence. Each report is
    synced and renamed when it is whole, into a folder that nobody reads; that folder takes its place when all have
    ended. A run that is killed leaves the old folder as it was, and whoever resumes it finds what was written.
    """
    final = workspace.reports_dir / manifest.run_id
    building = workspace.reports_dir / f".{manifest.run_id}.building"
    _clear_unfinished(workspace, building)
    kept = dict(_kept(workspace, manifest, ledger, orders, anew, (building, final)))
    _keep_files(kept.values(), final, building)
    todo = [order for order in orders if order.wanted not in kept]
    rows = list(kept.values())
    tell("reports", len(rows), len(orders))
    if todo:
        with _where(workspace, manifest, building, len(todo), scheduler) as submit:
            for _, row in run_orders(todo, submit):
                row.run_id = manifest.run_id
                if row.error:  # what it says to look at will lie there
                    row.error = row.error.replace(str(building), str(final))
                _note(ledger, row, final)
                rows.append(row)
                tell("reports", len(rows), len(orders))
    index = _finish(workspace, manifest, orders, rows, building, final) if rows else None
    failed = [row for row in _sorted(rows) if row.status == "failed"]
    notes = tuple(sorted({row.error for row in rows if row.status == "done" and row.error}))
    errors = tuple((row.report, row.name or row.about, row.error or "") for row in failed)
    return Written(len(rows) - len(failed), len(failed), index, notes, errors)


def _where(
    workspace: Workspace, manifest: Manifest, building: Path, reports: int, scheduler: str
) -> AbstractContextManager[Submit]:
    if scheduler:
        return on_a_cluster(workspace, manifest, building, scheduler)
    return on_this_machine(workspace, manifest, building, reports)


def _kept(
    workspace: Workspace, manifest: Manifest, ledger: Ledger, orders: Sequence[Order], anew: frozenset[Wanted],
    folders: tuple[Path, Path],
) -> Iterator[tuple[Wanted, Report]]:  # fmt: skip
    """The rows of reports that need not be written again, with files named relative to the folder of reports."""
    known = {(row.report, row.about): row for row in ledger.reports(manifest.run_id)}
    pdf = workspace.settings.reports.pdf and not lacking()
    for order in orders:
        row = known.get(order.wanted)
        if row is None or order.wanted in anew or row.status != "done" or row.key != order.key(manifest):
            continue
        parts = [Path(*Path(path).parts[-2:]) for path in (row.html, row.pdf) if path]  # the workspace may have moved
        place = next((folder for folder in folders if all((folder / part).is_file() for part in parts)), None)
        if place and parts and has_hash(place / parts[0], row.sha256) and (row.pdf or not pdf):
            row.html, row.pdf = str(parts[0]), str(parts[1]) if len(parts) > 1 else None
            yield order.wanted, row


def _keep_files(rows: Iterable[Report], final: Path, building: Path) -> None:
    """What is kept of the folder that readers see becomes a part of the new one, without a copy where that goes."""
    for row in rows:
        page = Path(row.html or "")
        evidence = Path("evidence") / page.with_suffix(".ipynb")
        for part in filter(None, (row.html, row.pdf, *(str(evidence.with_suffix(end)) for end in (".ipynb", ".json")))):
            here, there = final / part, building / part
            if here.is_file() and not there.exists():
                there.parent.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(here, there)
                except OSError:
                    shutil.copy2(here, there)


def _note(ledger: Ledger, row: Report, final: Path) -> None:
    """A row as the ledger keeps it: with the places where readers will find the files."""
    facts = {column.name: getattr(row, column.name) for column in Report.__table__.columns}
    facts |= {name: str(final / facts[name]) if facts[name] else None for name in ("html", "pdf")}
    ledger.report(Report(**facts))


def _finish(
    workspace: Workspace, manifest: Manifest, orders: Sequence[Order], rows: Sequence[Report], building: Path,
    final: Path,
) -> Path:  # fmt: skip
    """Write the indexes, and let readers see the new folder instead of the old one."""
    company = workspace.settings.company
    names = {order.wanted: order.name for order in orders}
    words = Translator(workspace.settings.reports.locale or company.locale, currency=company.currency)
    lines = {(row.report, row.about): (row.report, names[row.report, row.about], row.html, row.pdf, row.error)
             for row in _sorted(rows)}  # fmt: skip
    index = write_index(building, list(lines.values()), words, manifest, company.name, _cards(workspace, words))
    for order in orders:
        if order.report == TEAM:
            own = [line for wanted, line in lines.items()
                   if wanted in order.needs or wanted in ((TEAM, order.about), (TEAM_MONTH, order.about))]  # fmt: skip
            write_managers(building, order.file, own, Translator(order.locale), manifest, order.name)
    _sync(building)
    old = workspace.reports_dir / f".{manifest.run_id}.old"
    if final.exists():
        final.rename(old)
    building.rename(final)
    _sync(workspace.reports_dir)
    shutil.rmtree(old, ignore_errors=True)
    return final / index.relative_to(building)


def _cards(workspace: Workspace, words: Translator) -> list[tuple[str, str, date]]:
    """The card of the last backtest in the language of the index, with the day of its data; a run makes none itself."""
    file = workspace.reports_dir / MODEL_CARD / f"win_probability.{words.locale}.html"
    if not file.is_file():
        return []
    dated = re.search(r'<meta content="?(\d{4}-\d\d-\d\d)"? name="spm\.as_of"', file.read_text(encoding="utf-8"))
    return [(words("card.title"), f"../{MODEL_CARD}/{file.name}", date.fromisoformat(dated[1]))] if dated else []


def _sorted(rows: Sequence[Report]) -> list[Report]:
    return sorted(rows, key=lambda row: (row.status != "failed", row.report != TEAM, row.about))


def _clear_unfinished(workspace: Workspace, building: Path) -> None:
    """Remove what killed runs left, but not what this one left; put back what one was about to replace."""
    for folder in workspace.reports_dir.glob(".*.old"):
        final = folder.with_name(folder.name[1:].removesuffix(".old"))
        if not final.exists():
            folder.rename(final)
    for folder in workspace.reports_dir.glob(".*"):
        if folder != building:
            shutil.rmtree(folder, ignore_errors=True)


def _sync(folder: Path) -> None:
    """Make a folder's names survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
