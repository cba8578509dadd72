"""Writes a set of reports, each after those that it needs, as many at a time as the machines bear."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from spm_models.errors import RunError
from spm_models.published import Manifest
from spm_models.reports.limits import kill_all
from spm_models.reports.render import lacking
from spm_models.runs.ledger import Report
from spm_models.runs.one_report import write_one
from spm_models.runs.order import Order
from spm_models.workspace import Workspace

WORKERS = 3 * (os.cpu_count() or 2)  #: more than cores: two thirds of the time a report waits


class Future(Protocol):
    """What :mod:`concurrent.futures` and Dask have in common."""

    def result(self) -> Any:
        """What came of it, or its error."""

    def add_done_callback(self, told: Callable[[Any], object]) -> object:
        """Be told when it has ended."""


Submit = Callable[[Order], Future]


def run_orders(orders: Sequence[Order], submit: Submit) -> Iterator[tuple[Order, Report]]:
    """Submit each order once all that it needs has ended, well or not; yield each with its row as it ends.

    Parameters
    ----------
    orders : sequence of Order
        What they need and is not among them counts as done.
    submit : callable
        Gives the future of an order's row; its error, if it has one, is told in a row that failed.

    Examples
    --------
    >>> from concurrent.futures import Future as Done
    >>> from spm_models.access import Scope
    >>> first = Order("coaching_report", "r1", "Ada", "en", Scope.of_rep("r1"))
    >>> later = Order("team_digest", "m1", "Bo", "en", Scope.of_rep("m1"), needs=frozenset({first.wanted}))
    >>> def submit(order):
    ...     done = Done()
    ...     done.set_result(Report(report=order.report, about=order.about, status="done"))
    ...     return done
    >>> [order.about for order, row in run_orders([later, first], submit)]
    ['r1', 'm1']
    """
    ended: SimpleQueue[tuple[Order, Future]] = SimpleQueue()
    listed = {order.wanted for order in orders}
    waiting = {order: set(order.needs) & listed for order in orders}
    at_work = 0
    while waiting or at_work:
        for order in [order for order, needs in waiting.items() if not needs]:
            del waiting[order]
            submit(order).add_done_callback(lambda future, order=order: ended.put((order, future)))  # type: ignore[misc]
            at_work += 1
        if not at_work:
            raise RunError("These reports wait for each other", found=[order.wanted for order in waiting])
        order, future = ended.get()
        at_work -= 1
        yield order, _row(order, future)
        for needs in waiting.values():
            needs.discard(order.wanted)


def _row(order: Order, future: Future) -> Report:
    try:
        row: Report = future.result()
    except Exception as error:  # noqa: BLE001 – a machine that went away must not stop the others
        return Report(report=order.report, about=order.about, status="failed", html=None, pdf=None, sha256=None,
                      seconds=None, error=f"{type(error).__name__}: {error}"[:500], period=order.period,
                      name=order.name, attempts=None, key=None)  # fmt: skip
    return row


@contextmanager
def on_this_machine(workspace: Workspace, manifest: Manifest, folder: Path, reports: int) -> Iterator[Submit]:
    """Several reports at a time here, with processes that set type; whoever leaves with an error ends them all."""
    pool = ThreadPoolExecutor(max_workers=WORKERS)
    with _setters(workspace, reports) as setters:
        try:
            yield lambda order: pool.submit(write_one, workspace, manifest, order, folder, setters)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # what has not begun never does
            kill_all()  # and nobody waits for what has
            raise
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _setters(workspace: Workspace, reports: int) -> Iterator[Executor | None]:
    """Processes that set type, which takes longer than all the rest of a report; None where no PDF is made."""
    if not workspace.settings.reports.pdf or lacking():
        yield None
        return
    many, own = min(os.cpu_count() or 2, max(reports, 1)), os.getpid()
    pool = ProcessPoolExecutor(many, mp_context=get_context("spawn"), initializer=_go_with, initargs=(own,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _go_with(runner: int) -> None:
    """In a process that sets type: end when the runner has ended, even if it was killed."""

    def watch() -> None:
        while os.getppid() == runner:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="goes with the runner", daemon=True).start()
