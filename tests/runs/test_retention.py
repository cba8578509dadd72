"""Old runs go; the newest of each schedule, what readers see, and the last good report of everybody stay."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from spm_models.published import Manifest, current_run, publish
from spm_models.runs.ledger import Ledger, Report
from spm_models.runs.outbox import WAITING, Mail, Outbox
from spm_models.runs.retention import clear_old
from spm_models.settings import Settings
from spm_models.workspace import Workspace


def run(workspace: Workspace, ledger: Ledger, day: str, kind: str, reports: dict[str, str]) -> str:
    """A run on record with its results and its reports, ``person: status``."""
    run_id = f"{day}-{kind}"
    publish(workspace, {}, Manifest(run_id, date.fromisoformat(day), "d" * 64, "c" * 64))
    ledger.begin(run_id, kind, run_id)
    for about, status in reports.items():
        html = workspace.reports_dir / run_id / "coaching_report" / f"{about}.html"
        row = Report(run_id=run_id, report="coaching_report", about=about, status=status, html=None, pdf=None)
        if status == "done":
            html.parent.mkdir(parents=True, exist_ok=True)
            (html.parent.parent / "index.html").write_text("index")
            html.write_text(f"{run_id} {about}")
            row.html = str(html)
        ledger.report(row)
    ledger.finish(run_id, {})
    return run_id


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_daily_runs_do_not_push_out_weekly_ones(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, Settings.model_validate({"reports": {"keep_runs": 2}}))
    ledger = Ledger(tmp_path / "ledger.db")
    run(workspace, ledger, "2026-06-22", "weekly", {"r1": "done"})
    run(workspace, ledger, "2026-06-29", "weekly", {"r1": "done"})
    for day in ("2026-06-30", "2026-07-01", "2026-07-02", "2026-07-03"):
        run(workspace, ledger, day, "daily", {})
    clear_old(workspace, ledger)
    kept = ["2026-06-22-weekly", "2026-06-29-weekly", "2026-07-02-daily", "2026-07-03-daily"]
    assert names(workspace.published_dir / "runs") == kept and names(workspace.reports_dir) == kept[:2]


def test_the_last_good_report_of_somebody_is_never_removed(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, Settings.model_validate({"reports": {"keep_runs": 1}}))
    ledger = Ledger(tmp_path / "ledger.db")
    first = run(workspace, ledger, "2026-06-15", "weekly", {"r1": "done", "r2": "done"})
    for day in ("2026-06-22", "2026-06-29"):
        run(workspace, ledger, day, "weekly", {"r1": "done", "r2": "failed"})
        clear_old(workspace, ledger)
    clear_old(workspace, ledger)
    kept = [path for path in (workspace.reports_dir / first).rglob("*") if path.is_file()]
    assert [(path.name, path.read_text()) for path in kept] == [("r2.html", f"{first} r2")]
    assert names(workspace.reports_dir) == [first, "2026-06-29-weekly"]
    run(workspace, ledger, "2026-07-06", "weekly", {"r1": "done", "r2": "done"})
    clear_old(workspace, ledger)
    assert names(workspace.reports_dir) == ["2026-07-06-weekly"]


def test_cards_and_what_readers_see_stay(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, Settings.model_validate({"reports": {"keep_runs": 1}}))
    ledger = Ledger(tmp_path / "ledger.db")
    for kind in ("model_card", "forecast_accuracy", "kpi_scorecard"):
        (workspace.reports_dir / kind).mkdir(parents=True)
    run(workspace, ledger, "2026-06-29", "weekly", {"r1": "done"})
    shown = run(workspace, ledger, "2026-05-29", "weekly", {"r1": "done"})  # somebody went back to an earlier day
    run_after = run(workspace, ledger, "2026-07-06", "weekly", {"r1": "done"})
    from spm_models.published.writer import point_to

    point_to(workspace, shown)
    clear_old(workspace, ledger)
    assert current_run(workspace) == shown and names(workspace.published_dir / "runs") == [shown, run_after]
    assert set(names(workspace.reports_dir)) == {"model_card", "forecast_accuracy", "kpi_scorecard", shown, run_after}


def test_what_a_mail_that_was_not_sent_yet_needs_stays(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path, Settings.model_validate({"reports": {"keep_runs": 1}}))
    ledger = Ledger(tmp_path / "ledger.db")
    first = run(workspace, ledger, "2026-06-22", "weekly", {"r1": "done"})
    outbox, html = Outbox(ledger), workspace.reports_dir / first / "coaching_report" / "r1.html"
    with ledger.session() as session:
        session.add(Mail(
            report="coaching_report", about="r1", role="manager", period="2026-W26", run_id=first, as_of="2026-06-22",
            person="m1", reader="M", name="R", address="m@acme.example", locale="en", html=str(html), message_id="<1>",
            state=WAITING, attempts=0, changed_at="2026-06-22",
        ))  # fmt: skip
    run(workspace, ledger, "2026-06-29", "weekly", {"r1": "done"})
    clear_old(workspace, ledger)
    assert html.is_file() and not (html.parent.parent / "index.html").exists()
    outbox.drop(outbox.rows()[0], "somebody")
    clear_old(workspace, ledger)
    assert not html.exists()
