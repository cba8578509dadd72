"""Reports of a run: several at a time, type set by other processes; what goes wrong with one is told in its row."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import nbformat
import pypdf
import pytest
from distributed import Client
from nbformat.v4 import new_code_cell, new_notebook

from spm_models.errors import RunError
from spm_models.published import Manifest
from spm_models.reports.limits import Limits
from spm_models.reports.render import lacking, render_pdf
from spm_models.runs import one_report, reporting
from spm_models.runs.cadence import REP
from spm_models.runs.ledger import Ledger
from spm_models.runs.order import orders_of
from spm_models.workspace import Workspace

MANIFEST = Manifest(
    "2026-08-14-test", date(2026, 8, 14), "d" * 64, "c" * 64, parameters={"settings": {"models": {"seed": 1}}}
)
pytestmark = pytest.mark.skipif(bool(lacking()), reason="The libraries that set type are not installed")


@pytest.fixture
def orders(workspace):
    return orders_of(workspace, MANIFEST.run_id, kinds={REP})[:3]


def test_type_is_set_by_other_processes_and_comes_out_the_same(workspace, orders, tmp_path, monkeypatch):
    monkeypatch.setattr(one_report, "render_pdf", _elsewhere)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.begin(MANIFEST.run_id, "weekly", "k")
    written = reporting.write_reports(workspace, MANIFEST, ledger, orders, lambda *told: None)
    assert (written.done, written.failed, written.notes) == (3, 0, ())
    for row in ledger.reports(MANIFEST.run_id):
        assert len(pypdf.PdfReader(row.pdf).pages) > 1
        again = render_pdf(Path(row.html), tmp_path / "again.pdf")
        assert Path(row.pdf).read_bytes() == again.read_bytes()
    setters = {int(path.read_text()) for path in workspace.reports_dir.rglob("*.setter")}
    assert setters and os.getpid() not in setters


def _elsewhere(html, out):
    out.with_suffix(".setter").write_text(str(os.getpid()))
    return render_pdf(html, out)


@pytest.mark.faults
def test_a_report_whose_type_setter_dies_is_still_a_report(workspace, orders, tmp_path):
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        with pytest.raises(BrokenProcessPool):
            pool.submit(os._exit, 9).result()
        row = one_report.write_one(workspace, MANIFEST, orders[0], tmp_path, pool)
    assert row.status == "done" and row.pdf is None and "process pool" in row.error
    assert (tmp_path / row.html).is_file()


def test_without_a_pdf_none_is_made(workspace, orders, tmp_path):
    row = one_report.write_one(workspace, MANIFEST, orders[0], tmp_path, pdf=False)
    assert (row.status, row.pdf, row.error) == ("done", None, None) and list(tmp_path.rglob("*.pdf")) == []


@pytest.fixture
def own(workspace, tmp_path):
    """The same workspace in a folder of its own: its published results, and nothing written."""
    shutil.copytree(workspace.root, tmp_path / "own", ignore=shutil.ignore_patterns("reports", "*.db", "*.lock"))
    settings = workspace.settings.model_copy(
        update={"reports": workspace.settings.reports.model_copy(update={"pdf": False})}
    )
    return Workspace(tmp_path / "own", settings)


@pytest.fixture
def ledger(own):
    ledger = Ledger(own.ledger_url)
    ledger.begin(MANIFEST.run_id, "weekly", "k")
    return ledger


def write(own, ledger, orders, **how):
    return reporting.write_reports(own, MANIFEST, ledger, orders, lambda *told: None, **how)


def files(own, ledger):
    return {row.about: (Path(row.html).stat().st_mtime_ns, row.sha256) for row in ledger.reports(MANIFEST.run_id)}


@pytest.mark.faults
def test_a_killed_run_goes_on_where_it_was(own, ledger, orders):
    killed = textwrap.dedent(f"""
        import os, sys
        from pathlib import Path
        from spm_models.workspace import Workspace
        from tests_of_reports import MANIFEST, orders_of, reporting, REP, Ledger
        own = Workspace.open({str(own.root)!r})
        def note(ledger, row, final, real=reporting._note):
            real(ledger, row, final)
            if len(ledger.reports(MANIFEST.run_id)) == 2:
                os.kill(os.getpid(), 9)
        reporting._note = note
        orders = orders_of(own, MANIFEST.run_id, kinds={{REP}})[:3]
        reporting.write_reports(own, MANIFEST, Ledger(own.ledger_url), orders, print)
    """)
    (own.root / "spm.toml").write_text('[company]\nname = "Acme"\ncurrency = "TRY"\n[reports]\npdf = false\n')
    shutil.copy(__file__, own.root / "tests_of_reports.py")
    done = subprocess.run([sys.executable, "-c", killed], env=os.environ | {"PYTHONPATH": str(own.root)}, check=False)
    assert done.returncode == -9
    assert not (own.reports_dir / MANIFEST.run_id).exists()
    building = own.reports_dir / f".{MANIFEST.run_id}.building"
    before = {path.name: path.stat().st_mtime_ns for path in building.glob("*/*.html")}
    known = {Path(row.html).name for row in ledger.reports(MANIFEST.run_id)}
    own = Workspace.open(own.root)
    written = write(own, ledger, orders)
    assert (written.done, written.failed) == (3, 0) and len(known) == 2
    final = own.reports_dir / MANIFEST.run_id
    assert {name: (final / "coaching_report" / name).stat().st_mtime_ns for name in known} == {
        name: before[name] for name in known
    }
    assert not building.exists() and written.index == final / "index.html"


def test_what_is_there_stays_and_what_is_damaged_or_asked_for_is_written_once_more(own, ledger, orders):
    write(own, ledger, orders)
    before = files(own, ledger)
    spoiled, asked, kept = (order.about for order in orders)
    row = next(row for row in ledger.reports(MANIFEST.run_id) if row.about == spoiled)
    Path(row.html).write_text("somebody wrote here")
    write(own, ledger, orders, anew=frozenset({("coaching_report", asked)}))
    after = files(own, ledger)
    assert after[kept] == before[kept]
    assert after[spoiled][0] != before[spoiled][0] and after[asked][0] != before[asked][0]
    assert {about: sha for about, (_, sha) in after.items()} == {about: sha for about, (_, sha) in before.items()}


@pytest.mark.faults
def test_a_kill_between_the_old_folder_and_the_new_one_loses_neither(own, ledger, orders):
    write(own, ledger, orders)
    final, old = own.reports_dir / MANIFEST.run_id, own.reports_dir / f".{MANIFEST.run_id}.old"
    before = files(own, ledger)
    final.rename(old)  # here it was killed
    write(own, ledger, orders)
    assert files(own, ledger) == before and not old.exists()


def test_each_manager_has_an_index_of_his_people_alone(own, ledger):
    orders = orders_of(own, MANIFEST.run_id)
    few = [o for o in orders if o.report == "team_digest"][:2]
    few += [o for o in orders if any(o.wanted in digest.needs for digest in few)]
    write(own, ledger, few)
    for digest in (o for o in few if o.report == "team_digest"):
        text = (own.reports_dir / MANIFEST.run_id / "managers" / f"{digest.file}.html").read_text(encoding="utf-8")
        for other in few:
            assert (f"../{other.report}/{other.file}.html" in text) == (other is digest or other.wanted in digest.needs)


@pytest.mark.faults
def test_reports_that_a_lost_worker_had_begun_are_written_by_another(own, ledger, orders):
    (own.root / "spm.toml").write_text('[company]\nname = "Acme"\ncurrency = "TRY"\n[reports]\npdf = false\n')
    own = Workspace.open(own.root)
    orders = orders_of(own, MANIFEST.run_id, kinds={REP})[:6]
    here = {row.about: row.sha256 for row in _written_here(own, ledger, orders)}
    shutil.rmtree(own.reports_dir)
    ledger.begin(MANIFEST.run_id, "weekly", "k")
    with _cluster(own.root) as (address, workers):
        killed = threading.Event()

        def tell(what, done, total):
            if done >= 1 and not killed.is_set():
                workers[0].kill()
                killed.set()

        written = reporting.write_reports(own, MANIFEST, ledger, orders, tell, scheduler=address)
    assert killed.is_set() and (written.done, written.failed) == (6, 0)
    assert {row.about: row.sha256 for row in ledger.reports(MANIFEST.run_id)} == here


def _written_here(own, ledger, orders):
    write(own, ledger, orders)
    return ledger.reports(MANIFEST.run_id)


@contextmanager
def _cluster(folder):
    """A Dask scheduler and two workers of one thread, each a process of its own."""
    begun = []

    def start(name, *arguments):
        with (folder / f"{name}.log").open("wb") as log:
            command = [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:]]
            begun.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=folder))
        return begun[-1]

    try:
        start("scheduler", "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(folder / "where.json"))
        for number in (1, 2):
            start(f"worker{number}", "worker", "--scheduler-file", str(folder / "where.json"), "--nthreads", "1",
                  "--no-nanny", "--no-dashboard", "--local-directory", str(folder))  # fmt: skip
        for _ in range(300):
            if (folder / "where.json").is_file() and "address" in (told := (folder / "where.json").read_text()):
                break
            time.sleep(0.1)
        address = json.loads(told)["address"]
        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, begun[1:]
    finally:
        for process in begun:
            process.kill()
            process.wait()


def test_a_scheduler_that_does_not_answer_is_told(own, ledger, orders, monkeypatch):
    monkeypatch.setattr("spm_models.runs.cluster._CONNECT_SECONDS", 2)
    with pytest.raises(RunError, match="scheduler does not answer"):
        write(own, ledger, orders, scheduler="tcp://127.0.0.1:9")


def test_a_failure_leads_to_its_evidence(own, ledger, orders, monkeypatch):
    monkeypatch.setattr(one_report, "Limits", lambda *most: Limits(seconds=900, cell_seconds=1, memory_mb=2048))
    monkeypatch.setattr(one_report, "shipped", lambda path: own.root / "slow.ipynb")
    nbformat.write(_slow(), own.root / "slow.ipynb")
    written = write(own, ledger, orders[:1])
    assert written.failed == 1 and "CellTimeoutError" in written.errors[0][2]
    evidence = Path(re.search(r"See (\S+\.ipynb)", written.errors[0][2])[1])
    assert evidence.is_file() and ".building" not in str(evidence)
    row = ledger.reports(MANIFEST.run_id)[0]
    assert (row.status, row.attempts, row.name) == ("failed", 1, orders[0].name) and str(evidence) in row.error


def _slow():
    parameters = "workspace: str = ''\nrun_id: str = ''\nlocale: str = ''\nrep_id: str = ''"
    cells = [new_code_cell(parameters, metadata={"tags": ["parameters"]}), new_code_cell("import time; time.sleep(60)")]
    return new_notebook(cells=cells)
