"""Watches what reports take: wall time, processor time and memory of all that takes part, the warm parent included."""

from __future__ import annotations

import os
import threading
import time

import psutil

EARLY = 50  #: reports after which the memory of the process that runs them is noted first
_REAPED = 1.5  #: seconds until the last kernels have ended and their times are counted


class Watch:
    """From its making to :meth:`stop`; :meth:`done` is called after each report."""

    def __init__(self) -> None:
        self.ended, self.peak, self.reports = threading.Event(), 0.0, 0
        self.own, self.early = psutil.Process(), 0.0
        self.before = self._used()
        self.lock, self.began = threading.Lock(), time.perf_counter()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def done(self) -> None:
        """One report more is there."""
        with self.lock:
            self.reports += 1
            if self.reports == EARLY:
                self.early = self._memory()

    def stop(self) -> dict[str, float]:
        """What has been seen."""
        seconds = time.perf_counter() - self.began
        self.ended.set()
        self.thread.join()
        at_the_end = self._memory()
        time.sleep(_REAPED)
        after = self._used()
        return {
            "seconds": seconds,
            "cpu_seconds": sum(after.values()) - sum(self.before.get(pid, 0.0) for pid in after),
            "peak_mb": self.peak,
            "runner_mb_early": self.early or at_the_end,
            "runner_mb_end": at_the_end,
        }

    def _memory(self) -> float:
        return float(self.own.memory_info().rss) / 2**20

    def _watch(self) -> None:
        """Memory of all together; pages that several share are counted once (PSS)."""
        while not self.ended.wait(1.0):
            roots = [self.own, *_parents()]
            members = [*roots, *(child for root in roots for child in _children(root))]
            self.peak = max(self.peak, sum(map(_pss, members)) / 2**20)

    def _used(self) -> dict[int, float]:
        """Processor seconds, those of children that have ended included."""
        used = {}
        for process in (self.own, *_parents()):
            times = process.cpu_times()
            used[process.pid] = times.user + times.system + times.children_user + times.children_system
        return used


def _parents() -> list[psutil.Process]:
    """The warm parents that listen under this process's own ``XDG_RUNTIME_DIR``."""
    place = f"{os.environ['XDG_RUNTIME_DIR']}/"
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(part.startswith(place) and part.endswith(".sock") for part in process.info["cmdline"] or ())
    ]


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return list(process.children(recursive=True))
    except psutil.Error:
        return []


def _pss(process: psutil.Process) -> float:
    try:
        return float(process.memory_full_info().pss)
    except psutil.Error:
        return 0.0
