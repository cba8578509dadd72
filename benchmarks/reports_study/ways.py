"""One way to run reports in a process of its own: ``python -m reports_study.ways WAY NUMBER FOLDER [WORKSPACE]``.

Prints JSON: wall seconds, processor seconds of everything that took part (kernels, their parent, this process), and the
peak of their memory together (PSS: shared pages are counted once).
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import papermill
import psutil

from spm_models.access import Scope
from spm_models.published import Results
from spm_models.runs import reporting
from spm_models.workspace import Workspace

STATED = Path(__file__).parent / "stated.ipynb"


def main(way: str, number: int, folder: Path, workspace: str) -> dict[str, float]:
    watch = Watch()
    began = time.perf_counter()
    if way == "papermill":
        _loop(number, folder, "python3", 1)
    elif way == "papermill_two":
        _loop(number, folder, "python3", 2)
    elif way == "warm":
        _loop(number, folder, "spm", reporting.WORKERS)
    elif way in ("real_papermill", "real_warm"):
        _real(number, folder, Workspace.open(workspace), warm=way == "real_warm")
    else:
        raise SystemExit(f"no such way: {way}")
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "reports": number, **watch.stop()}


def _loop(number: int, folder: Path, kernel: str, workers: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)

    def one(place: int) -> None:
        papermill.execute_notebook(
            STATED, folder / f"{place}.ipynb", parameters={"number": place}, kernel_name=kernel, progress_bar=False
        )

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, range(number)))


def _real(number: int, folder: Path, workspace: Workspace, *, warm: bool) -> None:
    """Coaching reports of the workspace, as HTML; in papermill's plain loop, or as the runner writes them."""
    manifest = Results.open(workspace, scope=Scope.of_company()).manifest
    orders = [o for o in reporting.orders_of(workspace, manifest.run_id) if o.report == reporting.REP]
    chosen = [orders[place % len(orders)] for place in range(number)]
    if warm:
        with ThreadPoolExecutor(reporting.WORKERS) as pool:
            rows = list(pool.map(lambda pair: reporting.write_one(
                workspace, manifest, pair[1], folder / str(pair[0]), pdf=False), enumerate(chosen)))  # fmt: skip
        assert all(row.status == "done" for row in rows), rows
        return
    folder.mkdir(parents=True, exist_ok=True)
    for place, order in enumerate(chosen):
        os.environ["SPM_SCOPE"] = order.scope.to_json()
        papermill.execute_notebook(
            reporting.shipped("notebooks/reports/coaching_report.ipynb"), folder / f"{place}.ipynb",
            parameters={"workspace": str(workspace.root), "rep_id": order.about, "locale": order.locale,
                        "run_id": manifest.run_id},
            kernel_name="python3", progress_bar=False,
        )  # fmt: skip


class Watch:
    """Processor time and memory of this process, its children, and the warm parent with its kernels."""

    def __init__(self) -> None:
        self.ended, self.peak, self.used = threading.Event(), 0.0, {}
        self.began = self._seen()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def stop(self) -> dict[str, float]:
        self.ended.set()
        self.thread.join()
        return {"cpu_seconds": sum(self._seen().values()) - sum(self.began.values()), "peak_mb": self.peak}

    def _watch(self) -> None:
        while not self.ended.wait(0.5):
            self.peak = max(self.peak, sum(map(_pss, self._members())) / 2**20)

    def _members(self) -> list[psutil.Process]:
        own = psutil.Process()
        roots = [own, *(p for p in psutil.process_iter() if _is_parent(p))]
        return [*roots, *(child for root in roots for child in root.children(recursive=True))]

    def _seen(self) -> dict[int, float]:
        """Processor seconds, those of children that have ended included, by process."""
        for process in [psutil.Process(), *(p for p in psutil.process_iter() if _is_parent(p))]:
            times = process.cpu_times()
            self.used[process.pid] = times.user + times.system + times.children_user + times.children_system
        return dict(self.used)


def _is_parent(process: psutil.Process) -> bool:
    try:
        return "spm_models.warm_kernels.parent" in process.cmdline() and process.ppid() != process.pid
    except psutil.Error:
        return False


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.Error:
        return 0.0


if __name__ == "__main__":
    way, number, folder, *rest = sys.argv[1:]
    print(json.dumps(main(way, int(number), Path(folder), rest[0] if rest else "")))
