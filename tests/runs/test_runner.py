"""Reports are written each after those that it needs; a kernel that does not come up is tried again, nothing else."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date
from pathlib import Path

import psutil
import pytest

from spm_models.access import Scope
from spm_models.errors import KernelStartError, ReportError, RunError
from spm_models.published import Manifest
from spm_models.runs import one_report
from spm_models.runs.cadence import REP, TEAM
from spm_models.runs.ledger import Report
from spm_models.runs.order import Order
from spm_models.runs.runner import run_orders
from spm_models.settings import Settings
from spm_models.workspace import Workspace

MANIFEST = Manifest("2026-06-30-r", date(2026, 6, 30), "d" * 64, "c" * 64, {"settings": {"models": {"seed": 1}}})


def order(about: str, *needs: str, report: str = REP) -> Order:
    return Order(report, about, about, "en", Scope.of_rep(about), needs=frozenset((REP, need) for need in needs))


def row(order: Order) -> Report:
    return Report(report=order.report, about=order.about, status="done")


def test_a_managers_report_waits_for_those_of_his_people_and_for_no_others() -> None:
    slow, went_on = threading.Event(), threading.Event()

    def work(one: Order) -> Report:
        if one.about == "r1":
            assert slow.wait(10)
        if one.about == "m2":
            went_on.set()
        return row(one)

    orders = [order("m1", "r1", "r2", report=TEAM), order("m2", "r2", report=TEAM), order("r1"), order("r2")]
    ended = []
    with ThreadPoolExecutor(4) as pool:
        for one, _ in run_orders(orders, lambda one: pool.submit(work, one)):
            ended.append(one.about)
            if one.about == "m2":
                slow.set()
    assert went_on.is_set() and ended == ["r2", "m2", "r1", "m1"]


def test_one_that_fails_or_is_lost_does_not_keep_those_behind_it() -> None:
    def submit(one: Order) -> Future:
        done: Future = Future()
        if one.about == "r1":
            done.set_exception(ConnectionError("the worker went away"))
        else:
            done.set_result(row(one))
        return done

    rows = {one.about: got for one, got in run_orders([order("m1", "r1", report=TEAM), order("r1")], submit)}
    assert rows["r1"].status == "failed" and "the worker went away" in rows["r1"].error
    assert rows["m1"].status == "done"


def test_what_an_order_needs_and_nobody_asked_for_is_not_waited_for() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert [one.about for one, _ in run_orders([order("m1", "r9")], lambda one: pool.submit(row, one))] == ["m1"]


def test_orders_that_wait_for_each_other_are_refused() -> None:
    with pytest.raises(RunError, match="wait for each other"):
        list(run_orders([order("a", "b"), order("b", "a")], lambda one: pytest.fail("none may begin")))


def test_a_key_changes_with_everything_that_changes_a_report_and_survives_a_journey_as_text() -> None:
    own = order("r1").key(MANIFEST)
    assert own == order("r1").key(Manifest.from_json(MANIFEST.to_json()))
    others = [
        order("r2").key(MANIFEST), order("r1", report=TEAM).key(MANIFEST),
        Order(REP, "r1", "r1", "tr", Scope.of_rep("r1")).key(MANIFEST),
        Order(REP, "r1", "r1", "en", Scope.of_company()).key(MANIFEST),
        order("r1").key(Manifest("x", MANIFEST.as_of, "e" * 64, "c" * 64)),
        order("r1").key(Manifest("x", MANIFEST.as_of, "d" * 64, "e" * 64)),
    ]  # fmt: skip
    assert len({own, *others}) == 7


@pytest.mark.parametrize(("error", "tries"), [(KernelStartError("no kernel"), 3), (ReportError("a cell failed"), 1)])
def test_only_a_kernel_that_does_not_come_up_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: ReportError, tries: int
) -> None:
    begun = []

    def fail(*args: object, **kwargs: object) -> None:
        begun.append(args)
        raise error

    monkeypatch.setattr(one_report, "execute", fail)
    monkeypatch.setattr(one_report, "WAITS", (0.01, 0.01))
    got = one_report.write_one(Workspace(tmp_path, Settings()), MANIFEST, order("r1"), tmp_path)
    assert (got.status, got.attempts, len(begun)) == ("failed", tries, tries) and error.what in got.error


@pytest.mark.faults
def test_processes_that_set_type_go_with_a_killed_runner(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import os
        from pathlib import Path
        from spm_models.runs import runner
        from spm_models.settings import Settings
        from spm_models.workspace import Workspace
        if __name__ == "__main__":
            runner.lacking = lambda: ""
            with runner._setters(Workspace(Path({str(tmp_path)!r}), Settings()), 2) as pool:
                print(*{{pool.submit(os.getpid).result() for _ in range(20)}}, flush=True)
                os.kill(os.getpid(), 9)
    """)
    (tmp_path / "killed.py").write_text(code, encoding="utf-8")
    done = subprocess.run([sys.executable, str(tmp_path / "killed.py")], capture_output=True, text=True, check=False)
    setters = [int(pid) for pid in done.stdout.split()]
    assert done.returncode == -9 and setters, done.stderr
    ends = time.monotonic() + 10
    while any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in setters):
        assert time.monotonic() < ends
        time.sleep(0.1)
