"""Reports of a run: per rep, per manager, monthly ones where a month has ended, an index; each by its own evidence."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd

from spm_models.access import Scope, Viewer, scope
from spm_models.errors import ReportError, SpmError
from spm_models.published import Manifest, Results
from spm_models.published.reader import past_runs, read_manifest
from spm_models.reports.execute import execute
from spm_models.reports.index import write_index
from spm_models.reports.month import last_month
from spm_models.reports.render import lacking, render_html, render_pdf
from spm_models.runs.console import Report as Progress
from spm_models.runs.ledger import Ledger, Report
from spm_models.shipped import shipped
from spm_models.translations import LOCALES, Translator
from spm_models.workspace import Workspace

REP, TEAM, MODEL_CARD, FORECAST_ACCURACY = "coaching_report", "team_digest", "model_card", "forecast_accuracy"
KPI_SCORECARD = "kpi_scorecard"
TEAM_MONTH, EXECUTIVE = "team_monthly", "executive_report"
WORKERS = 3 * (os.cpu_count() or 2) // 2 + 1  #: more than cores: half of the time a report waits
COMPANY = "company"  #: whom the executive report is for where nobody is an executive
_ID = {REP: "rep_id", TEAM: "manager_id", TEAM_MONTH: "manager_id"}
_TITLES = {REP: "report.coaching_report", TEAM: "report.team_digest", TEAM_MONTH: "monthly.name",
           EXECUTIVE: "executive.name"}  # fmt: skip


@dataclass(frozen=True)
class Order:
    """One report to be written: for whom, in which language, and what it may see."""

    report: str
    about: str
    name: str
    locale: str
    scope: Scope

    @property
    def file(self) -> str:
        """File name without ending; safe whatever the identifier holds, and different for each person."""
        plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in self.about)[:40]
        return f"{plain}-{hashlib.sha256(self.about.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Written:
    """What became of the reports of a run."""

    done: int = 0
    failed: int = 0
    index: Path | None = None
    notes: tuple[str, ...] = ()


def write_reports(
    workspace: Workspace, manifest: Manifest, ledger: Ledger, tell: Progress, *, monthly: bool | None = None
) -> Written:
    """Write all reports of a published run, several at a time, and an index.

    Parameters
    ----------
    workspace : Workspace
    manifest : Manifest
        Of the run whose results the reports show.
    ledger : Ledger
        Takes one row a report as soon as it is done.
    tell : callable
        Told ``(what, done, total)``.
    monthly : bool, optional
        Write the monthly reports of teams and the executive report; without it, as :func:`month_is_new` says.

    Returns
    -------
    Written

    Notes
    -----
    A report that fails does not stop the others; its notebook, as far as it came, is the evidence. Reports are written
    to a folder beside and renamed when all are done, so that a killed run leaves no half-filled folder behind.
    """
    final = workspace.reports_dir / manifest.run_id
    building = workspace.reports_dir / f".{manifest.run_id}.{os.getpid()}"
    _clear_unfinished(workspace)
    monthly = month_is_new(workspace, manifest) if monthly is None else monthly
    orders = orders_of(workspace, manifest.run_id, monthly=monthly)
    rows: list[Report] = []
    tell("reports", 0, len(orders))
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    with _setters(workspace, len(orders)) as setters:
        try:
            jobs = [pool.submit(write_one, workspace, manifest, order, building, setters) for order in orders]
            for done, job in enumerate(as_completed(jobs), start=1):
                rows.append(job.result())
                tell("reports", done, len(orders))
        finally:  # whoever stops the run does not wait for reports that have not begun
            pool.shutdown(cancel_futures=True)
    index = None
    if rows:
        company = workspace.settings.company
        names = {(order.report, order.about): order.name for order in orders}
        language = workspace.settings.reports.locale or company.locale
        words = Translator(language, currency=company.currency)
        index = write_index(
            building,
            [(row.report, names[row.report, row.about], row.html, row.pdf, row.error) for row in _sorted(rows)],
            words,
            manifest,
            company.name,
            _cards(workspace, words),
        )
        shutil.rmtree(final, ignore_errors=True)
        building.rename(final)
        index = final / index.relative_to(building)
    for row in _sorted(rows):
        row.html, row.pdf = (str(final / part) if part else None for part in (row.html, row.pdf))
        ledger.report(row)
    failed = sum(row.status == "failed" for row in rows)
    notes = tuple(sorted({row.error for row in rows if row.status == "done" and row.error}))
    return Written(len(rows) - failed, failed, index, notes)


def _cards(workspace: Workspace, words: Translator) -> list[tuple[str, str, date]]:
    """The card of the last backtest in the language of the index, with the day of its data; a run makes none itself."""
    file = workspace.reports_dir / MODEL_CARD / f"win_probability.{words.locale}.html"
    if not file.is_file():
        return []
    dated = re.search(r'<meta content="?(\d{4}-\d\d-\d\d)"? name="spm\.as_of"', file.read_text(encoding="utf-8"))
    return [(words("card.title"), f"../{MODEL_CARD}/{file.name}", date.fromisoformat(dated[1]))] if dated else []


def month_is_new(workspace: Workspace, manifest: Manifest) -> bool:
    """Whether no kept run of an earlier day has seen the end of the last whole month."""
    ended = last_month(pd.Timestamp(manifest.as_of)).end_time.date()
    earlier = past_runs(workspace, before=manifest.as_of)[-1:]
    return not earlier or read_manifest(workspace.published_dir / "runs" / earlier[0]).as_of < ended


def orders_of(workspace: Workspace, run_id: str, *, monthly: bool = False) -> list[Order]:
    """One report for each rep who is in role, one digest for each manager with somebody to lead.

    Parameters
    ----------
    workspace : Workspace
    run_id : str
    monthly : bool
        Also a monthly report for each of these managers, and one executive report for each executive, or one for
        the company where nobody has that role.
    """
    people = Results.open(workspace, scope=Scope.of_company(), run_id=run_id)["reps"]
    here = people[people["left_on"].isna()]
    reps = here[here["role"].isna() | (here["role"] == "rep")]
    orders = [
        Order(REP, row.rep_id, row.name, _locale(workspace, row), Scope.of_rep(row.rep_id)) for row in _rows(reps)
    ]
    listed = here.set_index("rep_id")
    for manager in sorted(reps["manager_id"].dropna().unique()):
        own = next(_rows(listed.loc[[manager]].reset_index()), None) if manager in listed.index else None
        name = str(reps.loc[reps["manager_id"] == manager, "manager_name"].iloc[0])
        seen = scope(Viewer(manager, "manager"), people)
        orders += [Order(kind, manager, name, _locale(workspace, own), seen)
                   for kind in ((TEAM, TEAM_MONTH) if monthly else (TEAM,))]  # fmt: skip
    return orders + (_of_the_company(workspace, here) if monthly else [])


def _of_the_company(workspace: Workspace, here: pd.DataFrame) -> list[Order]:
    whole = Scope.of_company()
    leads = [Order(EXECUTIVE, row.rep_id, row.name, _locale(workspace, row), whole)
             for row in _rows(here[here["role"] == "executive"].sort_values("rep_id"))]  # fmt: skip
    name = workspace.settings.company.name
    return leads or [Order(EXECUTIVE, COMPANY, name, _locale(workspace, None), whole)]


def remove_old(workspace: Workspace, keep: list[str]) -> list[str]:
    """Delete the reports of runs that are not in ``keep``; return their names. A model card belongs to no run."""
    kept = {*keep, MODEL_CARD, FORECAST_ACCURACY}
    gone = [folder for folder in sorted(workspace.reports_dir.glob("*")) if folder.is_dir() and folder.name not in kept]
    for folder in gone:
        shutil.rmtree(folder)
    return [folder.name for folder in gone]


@contextmanager
def _setters(workspace: Workspace, reports: int) -> Iterator[Executor | None]:
    """Processes that set type, which takes longer than all the rest of a report; None where no PDF is made."""
    if not workspace.settings.reports.pdf or lacking():
        yield None
        return
    pool = ProcessPoolExecutor(min(os.cpu_count() or 2, max(reports, 1)), mp_context=get_context("spawn"))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def write_one(
    workspace: Workspace, manifest: Manifest, order: Order, folder: Path, setters: Executor | None = None,
    *, pdf: bool = True,
) -> Report:  # fmt: skip
    """Write one report; whatever is wrong with it is told in its row.

    Parameters
    ----------
    workspace : Workspace
    manifest : Manifest
    order : Order
    folder : Path
        Its files are named relative to this one.
    setters : Executor, optional
        Processes that set type; without them this one does.
    pdf : bool
        Without it none is made, whatever the settings say.
    """
    target = Path(order.report) / order.file
    row = Report(
        run_id=manifest.run_id, report=order.report, about=order.about, status="failed", html=None, pdf=None,
        sha256=None, seconds=None, error=None,
    )  # fmt: skip
    try:
        executed = execute(
            shipped(f"notebooks/reports/{order.report}.ipynb"),
            folder / "evidence" / target.with_suffix(".ipynb"),
            {
                "workspace": str(workspace.root), "run_id": manifest.run_id, "locale": order.locale,
                **({_ID[order.report]: order.about} if order.report in _ID else {}),
            },
            {"SPM_SCOPE": order.scope.to_json()},
        )  # fmt: skip
        words = Translator(order.locale, currency=workspace.settings.company.currency)
        title = f"{words(_TITLES[order.report])} – {order.name}"
        html = folder / target.with_suffix(".html")
        html.parent.mkdir(parents=True, exist_ok=True)
        render_html(executed.notebook, html, translator=words, title=title, provenance=_provenance(manifest))
        row.html, row.sha256 = str(html.relative_to(folder)), hashlib.sha256(html.read_bytes()).hexdigest()
        row.status, row.seconds = "done", executed.seconds
        if pdf and workspace.settings.reports.pdf:
            _add_pdf(row, html, folder, setters)
    except SpmError as error:
        row.error = str(error)
    except Exception as error:  # noqa: BLE001 – whatever is wrong with one report must not stop the others
        row.error = f"{type(error).__name__}: {error}"
    return row


def _add_pdf(row: Report, html: Path, folder: Path, setters: Executor | None) -> None:
    """A report without its PDF is still a report: say why there is none."""
    out = html.with_suffix(".pdf")
    try:
        made = setters.submit(render_pdf, html, out).result() if setters else render_pdf(html, out)
        row.pdf = str(made.relative_to(folder))
    except (ReportError, BrokenExecutor) as error:
        row.error = str(error)


def _provenance(manifest: Manifest) -> dict[str, str]:
    return {
        "as_of": manifest.as_of.isoformat(), "run_id": manifest.run_id, "data": manifest.data_hash[:12],
        "code": manifest.code_hash[:12], "seed": str(manifest.parameters["settings"]["models"]["seed"]),
        "again": f"spm run weekly --as-of {manifest.as_of.isoformat()}",
    }  # fmt: skip


def _locale(workspace: Workspace, person: object) -> str:
    """The language set for reports, else the reader's own, else the company's."""
    settings = workspace.settings
    own = getattr(person, "locale", None)
    return settings.reports.locale or (own if own in LOCALES else settings.company.locale)


def _rows(people: pd.DataFrame) -> Iterator[Any]:
    return iter(people.itertuples(index=False))


def _sorted(rows: list[Report]) -> list[Report]:
    return sorted(rows, key=lambda row: (row.status != "failed", row.report != TEAM, row.about))


def _clear_unfinished(workspace: Workspace) -> None:
    for folder in workspace.reports_dir.glob(".*"):
        shutil.rmtree(folder, ignore_errors=True)
