"""One report: its notebook run, its page written, its type set; whatever goes wrong is told in its row."""

from __future__ import annotations

import hashlib
import random
import shlex
import time
from concurrent.futures import BrokenExecutor, Executor
from pathlib import Path

from spm_models.errors import KernelStartError, ReportError, SpmError
from spm_models.published import Manifest
from spm_models.published.freshness import NOTE, Stale
from spm_models.reports.execute import Executed, execute
from spm_models.reports.limits import Limits
from spm_models.reports.render import render_html, render_pdf
from spm_models.runs.cadence import EXECUTIVE, EXECUTIVE_QUARTER, REP, TEAM, TEAM_MONTH
from spm_models.runs.ledger import Report
from spm_models.runs.order import Order
from spm_models.shipped import shipped
from spm_models.translations import Translator
from spm_models.workspace import Workspace

#: Seconds to wait before another try where a kernel did not come up; nothing else passes by itself.
WAITS = (1.0, 4.0)
_ID = {REP: "rep_id", TEAM: "manager_id", TEAM_MONTH: "manager_id"}
_TITLES = {REP: "report.coaching_report", TEAM: "report.team_digest", TEAM_MONTH: "monthly.name",
           EXECUTIVE: "executive.name", EXECUTIVE_QUARTER: "quarterly.name"}  # fmt: skip


def write_one(
    workspace: Workspace, manifest: Manifest, order: Order, folder: Path, setters: Executor | None = None,
    *, pdf: bool = True,
) -> Report:  # fmt: skip
    """Write one report.

    Parameters
    ----------
    workspace : Workspace
    manifest : Manifest
    order : Order
    folder : Path
        Its files are named relative to this one, and each is there whole or not at all.
    setters : Executor, optional
        Processes that set type; without them this one does.
    pdf : bool
        Without it none is made, whatever the settings say.
    """
    target = Path(order.report) / order.file
    row = Report(
        run_id=manifest.run_id, report=order.report, about=order.about, status="failed", html=None, pdf=None,
        sha256=None, seconds=None, error=None, key=order.key(manifest), period=order.period, name=order.name,
        attempts=0,
    )  # fmt: skip
    try:
        executed = _executed(workspace, manifest, order, folder / "evidence" / target.with_suffix(".ipynb"), row)
        words = Translator(order.locale, currency=workspace.settings.company.currency)
        title = f"{words(_TITLES[order.report])} – {order.name}"
        html = folder / target.with_suffix(".html")
        html.parent.mkdir(parents=True, exist_ok=True)
        render_html(executed.notebook, html, translator=words, title=title, provenance=provenance(manifest, order),
                    stale=Stale.of_note(manifest.notes.get(NOTE)))  # fmt: skip
        row.html, row.sha256 = str(html.relative_to(folder)), hashlib.sha256(html.read_bytes()).hexdigest()
        row.status, row.seconds = "done", executed.seconds
        if pdf and workspace.settings.reports.pdf:
            _add_pdf(row, html, folder, setters)
    except SpmError as error:
        row.error = str(error)
    except Exception as error:  # noqa: BLE001 – whatever is wrong with one report must not stop the others
        row.error = f"{type(error).__name__}: {error}"
    return row


def _executed(workspace: Workspace, manifest: Manifest, order: Order, evidence: Path, row: Report) -> Executed:
    """Run the notebook; where its kernel does not come up, wait a little and try again."""
    most = workspace.settings.reports
    limits = Limits(most.seconds_each, most.seconds_per_cell, most.memory_mb_each)
    for wait in (*WAITS, None):
        row.attempts = (row.attempts or 0) + 1
        try:
            return execute(
                shipped(f"notebooks/reports/{order.report}.ipynb"),
                evidence,
                {
                    "workspace": str(workspace.root), "run_id": manifest.run_id, "locale": order.locale,
                    **({_ID[order.report]: order.about} if order.report in _ID else {}),
                },
                {"SPM_SCOPE": order.scope.to_json()},
                limits=limits,
            )  # fmt: skip
        except KernelStartError:
            if wait is None:
                raise
            time.sleep(wait * random.uniform(0.5, 1.5))  # not all of them at the same moment again
    raise AssertionError("unreachable")


def _add_pdf(row: Report, html: Path, folder: Path, setters: Executor | None) -> None:
    """A report without its PDF is still a report: say why there is none."""
    out = html.with_suffix(".pdf")
    try:
        made = setters.submit(render_pdf, html, out).result() if setters else render_pdf(html, out)
        row.pdf = str(made.relative_to(folder))
    except (ReportError, BrokenExecutor) as error:
        row.error = str(error)


def provenance(manifest: Manifest, order: Order) -> dict[str, str]:
    """What a report was made from, and the command that makes it again, byte for byte, from the same data."""
    return {
        "as_of": manifest.as_of.isoformat(), "run_id": manifest.run_id, "data": manifest.data_hash[:12],
        "code": manifest.code_hash[:12], "seed": str(manifest.parameters["settings"]["models"]["seed"]),
        "parameters": " ".join(f"{name}={value}" for name, value in sorted({
            "locale": order.locale, _ID.get(order.report, "about"): order.about}.items())),
        "again": f"spm runs retry {manifest.run_id} --report {order.report} --about {shlex.quote(order.about)}",
    }  # fmt: skip
