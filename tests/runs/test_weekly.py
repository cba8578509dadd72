"""The weekly run: everything once, nothing twice, and no half results whatever happens."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import pytest
from filelock import FileLock

from spm_models.access import Scope
from spm_models.errors import QualityGateError, RunError
from spm_models.published import Results, current_run
from spm_models.published.schemas import TABLES
from spm_models.reports.kernels import WARM, NativeKernels, kernel_environment
from spm_models.runs.request import WeeklyRequest
from spm_models.runs.status import ledger_of, published_is_whole, status
from spm_models.runs.weekly import weekly
from spm_models.warm_kernels.client import parent_of
from spm_models.workspace import Workspace

pytestmark = pytest.mark.slow
PUBLISH = WeeklyRequest(reports=False)


def bytes_of(workspace: Workspace, run_id: str) -> dict[str, bytes]:
    folder = workspace.published_dir / "runs" / run_id
    return {name: (folder / f"{name}.parquet").read_bytes() for name in TABLES}


def test_from_files_to_reports_and_a_second_run_does_nothing(company: Workspace) -> None:
    seen: list[tuple[str, int, int]] = []
    first = weekly(company, progress=lambda *step: seen.append(step))
    assert (first.unchanged, first.reports_failed, first.judged) == (False, 0, 3)
    assert first.reports >= 4  # three reps and at least one manager
    assert Path(first.places["reports"]).is_file()
    assert {what for what, done, total in seen if done == total} >= {"reports", "score, forecast, review"}
    written = {row.html: Path(row.html).stat().st_mtime_ns for row in ledger_of(company).reports(first.run_id)}

    again = weekly(company)
    assert again.unchanged and again.to_dict() == {**first.to_dict(), "unchanged": True}
    assert {html: Path(html).stat().st_mtime_ns for html in written} == written

    assert status(company)["published_whole"]

    spoiled = next(iter(written))
    Path(spoiled).write_text("somebody wrote here")
    third = weekly(company)
    assert not third.unchanged and "somebody wrote here" not in Path(spoiled).read_text()


def test_the_same_snapshot_code_and_seed_give_the_same_bytes(company: Workspace) -> None:
    first = weekly(company, PUBLISH)
    before = bytes_of(company, first.run_id)
    second = weekly(company, WeeklyRequest(reports=False, force=True))
    assert second.run_id == first.run_id
    assert [name for name, content in bytes_of(company, first.run_id).items() if content != before[name]] == []


def test_pdfs_that_could_not_be_made_are_made_once_they_can_be(
    company: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without:
        without.setattr("spm_models.reports.render.lacking", lambda: "cannot load library 'libpango'")
        without.setattr("spm_models.runs.weekly.lacking", lambda: "cannot load library 'libpango'")
        without.setattr("spm_models.runs.runner.lacking", lambda: "cannot load library 'libpango'")
        without.setattr("spm_models.runs.reporting.lacking", lambda: "cannot load library 'libpango'")
        first = weekly(company)
        assert first.reports_failed == 0 and any("apt-get install libpango" in note for note in first.notes)
        assert weekly(company).unchanged
    second = weekly(company)
    assert not second.unchanged
    assert all(row.pdf and Path(row.pdf).is_file() for row in ledger_of(company).reports(second.run_id))


def test_an_earlier_day_sees_nothing_later(company: Workspace) -> None:
    march = weekly(company, WeeklyRequest(reports=False, as_of="2026-03-31"))
    assert status(company)["published"]["run_id"] == status(company)["published_run"] == march.run_id
    results = Results.open(company, scope=Scope.of_company())
    scores, history = results["deal_scores"], results["revenue_history"]
    assert (scores["as_of"] == "2026-03-31").all() and (scores["created_on"] <= "2026-03-31").all()
    assert (history["period_start"] <= "2026-03-31").all()
    assert (results["coaching_sessions"]["held_on"] <= "2026-03-31").all()
    assert (results["closed_deals"]["closed_on"] <= "2026-03-31").all()


def test_a_day_after_the_data_is_refused(company: Workspace) -> None:
    with pytest.raises(RunError, match="after the last day of the data"):
        weekly(company, WeeklyRequest(as_of="2027-01-01"))


def test_two_runs_at_once_are_one_too_many(company: Workspace) -> None:
    company.state.mkdir()
    with FileLock(company.state / "run.lock"), pytest.raises(RunError, match="Another run"):
        weekly(company, PUBLISH)


def test_too_many_bad_rows_stop_the_run_and_the_old_results_stay(company: Workspace) -> None:
    first = weekly(company, PUBLISH)
    file = company.source_dir / "opportunities.csv"
    head, *rows = file.read_text(encoding="utf-8").splitlines()
    broken = [row.replace("2025-", "2025/") if i % 3 == 0 else row for i, row in enumerate(rows)]
    file.write_text("\n".join([head, *broken]) + "\n", encoding="utf-8")
    with pytest.raises(QualityGateError, match="were rejected"):
        weekly(company, PUBLISH)
    assert current_run(company) == first.run_id
    last = status(company)["last_run"]
    assert last["status"] == "failed" and "were rejected" in last["error"]
    assert status(company)["published"]["run_id"] == first.run_id


def test_a_killed_run_leaves_the_old_results_and_can_be_done_again(company: Workspace) -> None:
    first = weekly(company, WeeklyRequest(reports=False, as_of="2026-03-31"))
    code = f"""
        import os
        from spm_models.runs import publishing, weekly
        from spm_models.runs.request import WeeklyRequest
        from spm_models.workspace import Workspace
        publishing.publish = lambda *a: os.kill(os.getpid(), 9)
        weekly.weekly(Workspace.open({str(company.root)!r}), WeeklyRequest(reports=False))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert current_run(company) == first.run_id
    assert status(company)["last_run"]["status"] == "interrupted"
    second = weekly(company, PUBLISH)
    assert current_run(company) == second.run_id != first.run_id
    assert status(company)["last_run"]["status"] == "done"
    assert weekly(company, WeeklyRequest(reports=False, as_of="2026-03-31")).unchanged  # back to the earlier day
    assert status(company)["published"]["run_id"] == status(company)["published_run"] == first.run_id


def test_a_run_that_fails_says_why_in_the_ledger(company: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spm_models.runs.publishing.publish", full)
    with pytest.raises(OSError, match="No space left"):
        weekly(company, PUBLISH)
    last = status(company)["last_run"]
    assert last["status"] == "failed" and "No space left" in last["error"]


def test_who_stops_the_run_does_not_wait_for_reports_that_have_not_begun(
    company: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from spm_models.runs import runner

    begun: list[str] = []

    def slow(workspace, manifest, order, building, setters):
        begun.append(order.about)
        time.sleep(0.5)
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "write_one", slow)
    monkeypatch.setattr(runner, "WORKERS", 2)
    with pytest.raises(KeyboardInterrupt):
        weekly(company)
    assert len(begun) < 5
    assert status(company)["last_run"]["error"] == "Stopped by Ctrl+C."


@pytest.mark.parametrize("content", ["", "{", "{}", '{"tables": {"reps": {"sha256": "0"}}}'])
def test_damaged_results_are_not_taken_for_done(tmp_path: Path, content: str) -> None:
    assert not published_is_whole(tmp_path)
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    assert not published_is_whole(tmp_path)


def test_a_report_that_fails_does_not_stop_the_others(company: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    from spm_models.errors import ReportError
    from spm_models.runs import one_report

    real = one_report.execute

    def sometimes(notebook, output, parameters, environment, *, limits):
        if parameters.get("rep_id", "").endswith("1"):
            raise ReportError("The kernel died", where=str(notebook))
        return real(notebook, output, parameters, environment, limits=limits)

    monkeypatch.setattr(one_report, "execute", sometimes)
    summary = weekly(company)
    assert summary.reports_failed == 1 and summary.reports >= 3
    failed = status(company)["failed_reports"]
    assert [row["error"] for row in failed] == ["The kernel died (in " + failed[0]["error"].split("(in ")[1]]
    monkeypatch.setattr(one_report, "execute", real)
    assert weekly(company).reports_failed == 0  # a run with a failure is not taken for done


def test_old_runs_are_cleared_but_not_the_last(company: Workspace) -> None:
    settings = company.root / "spm.toml"
    settings.write_text(settings.read_text(encoding="utf-8") + "\n[reports]\nkeep_runs = 1\n", encoding="utf-8")
    workspace = Workspace.open(company.root)
    weekly(workspace, WeeklyRequest(reports=False, as_of="2026-03-31"))
    last = weekly(workspace, PUBLISH)
    assert [folder.name for folder in (workspace.published_dir / "runs").iterdir()] == [last.run_id]


def test_no_kernel_is_left_after_the_run(company: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tempfile.mkdtemp(prefix="w-", dir="/tmp")
    monkeypatch.setenv("XDG_RUNTIME_DIR", folder)  # a warm parent of its own
    weekly(company)
    spec = NativeKernels().get_kernel_spec(WARM)
    modules = spec.metadata["kernel_provisioner"]["config"]["modules"]
    warm = parent_of(modules, kernel_environment({}))
    assert warm is not None and warm["kernels"] == 0
    os.kill(warm["pid"], signal.SIGTERM)
    shutil.rmtree(folder)
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
    assert [pid for pid in children if "ipykernel" in Path(f"/proc/{pid}/cmdline").read_text()] == []
