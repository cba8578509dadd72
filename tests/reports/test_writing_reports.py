"""Reports of a run: several at a time, type set by other processes; what goes wrong with one is told in its row."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import pypdf
import pytest

from spm_models.published import Manifest
from spm_models.reports.render import lacking, render_pdf
from spm_models.runs import one_report, reporting
from spm_models.runs.ledger import Ledger
from spm_models.runs.order import REP, orders_of

MANIFEST = Manifest(
    "2026-08-14-test", date(2026, 8, 14), "d" * 64, "c" * 64, parameters={"settings": {"models": {"seed": 1}}}
)
pytestmark = pytest.mark.skipif(bool(lacking()), reason="The libraries that set type are not installed")


@pytest.fixture
def orders(workspace):
    return orders_of(workspace, MANIFEST.run_id, due={REP})[:3]


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
