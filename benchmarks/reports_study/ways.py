"""One way to run reports in a process of its own: ``python -m reports_study.ways WAY NUMBER FOLDER [WORKSPACE]``.

Prints JSON: wall seconds, processor seconds of everything that took part (kernels, their parent, this process, those
that set type), the peak of their memory together, and this process's own memory early on and at the end. The warm
parent is the one whose socket lies under ``XDG_RUNTIME_DIR``, so that others on the machine count for nothing.
"""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import papermill

from reports_study.watch import Watch
from spm_models.access import Scope
from spm_models.published import Results
from spm_models.runs.order import REP, Order, orders_of
from spm_models.runs.runner import WORKERS, on_this_machine
from spm_models.shipped import shipped
from spm_models.workspace import Workspace

STATED = Path(__file__).parent / "stated.ipynb"


def main(way: str, number: int, folder: Path, workspace: str) -> dict[str, float]:
    watch = Watch()
    if way == "papermill":
        _loop(number, folder, watch)
    elif way == "papermill_two":
        _loop(number, folder, watch, workers=2)
    elif way == "warm":
        _loop(number, folder, watch, workers=WORKERS, kernel_name="spm", request_save_on_cell_execute=False)
    elif way == "real_papermill":
        _real_in_a_loop(number, folder, Workspace.open(workspace), watch)
    elif way in ("real_warm", "real_warm_pdf"):
        _real(number, folder, Workspace.open(workspace), watch, pdf=way == "real_warm_pdf")
    else:
        raise SystemExit(f"no such way: {way}")
    return {"reports": number, **watch.stop()}


def _loop(number: int, folder: Path, watch: Watch, *, workers: int = 1, **how: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)

    def one(place: int) -> None:
        papermill.execute_notebook(
            STATED, folder / f"{place}.ipynb", parameters={"number": place}, progress_bar=False,
            **{"kernel_name": "python3", **how},
        )  # fmt: skip
        watch.done()

    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(one, range(number)))


def _real(number: int, folder: Path, workspace: Workspace, watch: Watch, *, pdf: bool) -> None:
    """Coaching reports of the workspace as the runner writes them: HTML, or HTML and PDF."""
    run_id, orders = _orders(workspace, number)
    manifest = Results.open(workspace, scope=Scope.of_company()).manifest
    reports = workspace.settings.reports.model_copy(update={"pdf": pdf})
    workspace = replace(workspace, settings=workspace.settings.model_copy(update={"reports": reports}))
    with on_this_machine(workspace, manifest, folder, number) as submit:
        futures = [submit(order) for order in orders]
        for future in futures:
            future.add_done_callback(lambda _: watch.done())
        rows = [future.result() for future in futures]
    assert all(row.status == "done" and (row.pdf or not pdf) for row in rows), (run_id, rows)


def _real_in_a_loop(number: int, folder: Path, workspace: Workspace, watch: Watch) -> None:
    """The same notebooks in papermill's loop, which leaves it at the notebook: no HTML."""
    run_id, orders = _orders(workspace, number)
    folder.mkdir(parents=True, exist_ok=True)
    for place, order in enumerate(orders):
        os.environ["SPM_SCOPE"] = order.scope.to_json()
        papermill.execute_notebook(
            shipped("notebooks/reports/coaching_report.ipynb"), folder / f"{place}.ipynb",
            parameters={"workspace": str(workspace.root), "rep_id": order.about, "locale": order.locale,
                        "run_id": run_id},
            kernel_name="python3", progress_bar=False,
        )  # fmt: skip
        watch.done()


def _orders(workspace: Workspace, number: int) -> tuple[str, list[Order]]:
    """So many coaching reports; whoever comes twice is written in another language."""
    run_id = Results.open(workspace, scope=Scope.of_company()).manifest.run_id
    reps = [order for order in orders_of(workspace, run_id) if order.report == REP]
    locales = ("en", "tr", "ar")
    return run_id, [
        replace(reps[place % len(reps)], locale=locales[(place // len(reps) + locales.index(reps[0].locale)) % 3])
        for place in range(number)
    ]


if __name__ == "__main__":
    way, number, folder, *rest = sys.argv[1:]
    print(json.dumps(main(way, int(number), Path(folder), rest[0] if rest else "")))
