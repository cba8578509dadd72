"""A report has succeeded by evidence only: process, cells and the record of its last cell."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from spm_models.errors import ReportError
from spm_models.reports.execute import Executed, execute
from spm_models.reports.limits import Limits

USUAL = Limits(cell_seconds=60)
PARAMETERS = 'rep_id: str = "x"  # Rep\nweeks: int = 4  # Weeks back'
RECORD = """import json, os, pathlib
facts = {"ok": True, "rep_id": rep_id, "env": sorted(os.environ)}
pathlib.Path(os.environ["SPM_RESULT"]).write_text(json.dumps(facts))"""


def run(folder: Path, *cells: str, parameters: dict | None = None, limits: Limits = USUAL) -> Executed:
    code = [new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}), *map(new_code_cell, cells)]
    nbformat.write(new_notebook(cells=code), folder / "report.ipynb")
    given = {"rep_id": "0012"} if parameters is None else parameters
    return execute(folder / "report.ipynb", folder / "out" / "done.ipynb", given, {"SPM_SCOPE": "{}"}, limits=limits)


def test_a_good_report_brings_its_record_and_keeps_identifiers_as_text(tmp_path: Path) -> None:
    executed = run(tmp_path, RECORD)
    assert executed.record["rep_id"] == "0012"
    assert executed.notebook.is_file()


def test_the_kernel_knows_only_what_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://secret")
    known = run(tmp_path, RECORD).record["env"]
    assert "SPM_SCOPE" in known and "DATABASE_URL" not in known


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("import os; os.kill(os.getpid(), 9)", "DeadKernelError"),
        ("import sys; sys.exit(0)", "error"),
        ("1 / 0", "ZeroDivisionError"),
        ("import threading; threading.Thread(target=lambda: 1 / 0).start()", "no result record"),
        ("pass", "no result record"),
    ],
)
def test_what_looks_like_success_is_not_taken_for_it(tmp_path: Path, cell: str, found: str) -> None:
    with pytest.raises(ReportError, match=found):
        run(tmp_path, cell)
    assert (tmp_path / "out" / "done.ipynb").is_file()  # the evidence stays


def test_neither_the_folder_we_are_in_nor_the_home_gets_into_the_kernel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "statistics.py").write_text("raise SystemExit('shadow')", encoding="utf-8")
    startup = tmp_path / ".ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "00.py").write_text("stray = True", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    run(tmp_path, "import statistics; assert 'stray' not in globals()", RECORD)
    monkeypatch.setenv("HOME", "/proc/nobody")
    run(tmp_path, RECORD)


@pytest.mark.faults
def test_a_hanging_cell_is_ended(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="CellTimeoutError"):
        run(tmp_path, "import time; time.sleep(60)", RECORD, limits=Limits(cell_seconds=2))


def test_many_at_once_do_not_meet(tmp_path: Path) -> None:
    folders = [tmp_path / str(n) for n in range(6)]
    for folder in folders:
        folder.mkdir()
    before = set(Path.cwd().glob("kernel*"))
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda folder: run(folder, RECORD, parameters={"rep_id": folder.name}), folders))
    assert [executed.record["rep_id"] for executed in done] == [folder.name for folder in folders]
    assert set(Path.cwd().glob("kernel*")) == before  # no socket or connection file is left about


def test_an_old_record_is_not_taken_for_a_new_one(tmp_path: Path) -> None:
    run(tmp_path, RECORD)
    with pytest.raises(ReportError, match="no result record"):
        run(tmp_path, "pass")


@pytest.mark.parametrize(
    ("parameters", "found"),
    [({"rep": "1"}, "rep"), ({"rep_id": 12}, "12"), ({"weeks": "4"}, "'4'"), ({"weeks": True}, "True"),
     ({"x=1; import os; y": "1"}, "import os")],
)  # fmt: skip
def test_unknown_and_untyped_parameters_are_refused(tmp_path: Path, parameters: dict, found: str) -> None:
    with pytest.raises(ReportError, match=found):
        run(tmp_path, RECORD, parameters=parameters)
