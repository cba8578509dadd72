"""Every model asked about a cut in a process of its own, so that its processor time is its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from revenue.series_data import Cut
from revenue.series_peers import STATSFORECAST

ROOT = Path(__file__).resolve().parents[2]
PEERS_PYTHON = ROOT / ".venv-benchmark-series" / "bin" / "python"
OURS = "series_forecaster"
ASKED = ("seasonal_naive", "statsmodels_ets", "statsmodels_theta", *STATSFORECAST)
MEANS = {
    "mean_of_four": tuple(STATSFORECAST),
    "mean_ets_theta": ("auto_ets", "dynamic_theta"),
    "statsmodels_mean": ("statsmodels_ets", "statsmodels_theta"),
}
ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMBA")}


class PeerMissingError(Exception):
    """A model whose environment or package is not on this machine."""


class PeerFailedError(Exception):
    """A model's process that ended without an answer."""


@dataclass(frozen=True)
class Answer:
    """What a model said of a cut.

    Parameters
    ----------
    forecasts : DataFrame
        ``unique_id``, ``ds``, ``mean``, ``lo-80``, ``hi-80``, ``lo-95``, ``hi-95``.
    cpu_seconds : float
        Processor time of the whole process and its children, without what starting cost.
    start_seconds : float
        Processor time of imports and of a first forecast of a made-up series.
    wall_seconds : float
    failed, ranges_failed : int
        Series without a usable answer, or without usable ranges, which got those of seasonal naive.
    """

    forecasts: pd.DataFrame
    cpu_seconds: float
    start_seconds: float
    wall_seconds: float
    failed: int = 0
    ranges_failed: int = 0


def ask(
    name: str, cut: Cut, *, kept: Path | None = None, python: Path | None = None, only_kept: bool = False
) -> Answer:
    """A model's answer; a peer's is taken from the kept where it is there, ours is always made anew.

    Parameters
    ----------
    kept : Path, optional
        The folder in which peers' answers are kept.
    python : Path, optional
        Of the environment with statsforecast; that of ``make benchmark-series`` without it.
    only_kept : bool
        Ask nobody: raise :class:`PeerMissingError` about an answer that is not kept.
    """
    if name in MEANS:
        return mean_of([ask(one, cut, kept=kept, python=python, only_kept=only_kept) for one in MEANS[name]])
    folder = None if kept is None or name == OURS else kept / f"{cut.name}.{name}.{cut.fingerprint}"
    if folder is not None and (folder / "cost.json").is_file():
        return Answer(pd.read_parquet(folder / "answer.parquet"), **json.loads((folder / "cost.json").read_text()))
    if only_kept:
        raise PeerMissingError(f"no answer of {name} about {cut.name} is kept in {kept}")
    answer = _asked(name, cut, python)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        answer.forecasts.to_parquet(folder / "answer.parquet", index=False)
        cost = {key: value for key, value in vars(answer).items() if key != "forecasts"}
        (folder / "cost.json").write_text(json.dumps(cost))
    return answer


def mean_of(answers: list[Answer]) -> Answer:
    """Means of forecasts and of ranges' ends; it costs what its members cost."""
    keys, first = ["unique_id", "ds"], answers[0].forecasts
    rows = pd.concat([answer.forecasts for answer in answers]).groupby(keys, sort=True).mean().reset_index()
    totals = {
        name: sum(getattr(answer, name) for answer in answers)
        for name in ("cpu_seconds", "start_seconds", "wall_seconds", "failed", "ranges_failed")
    }
    return Answer(rows[list(first.columns)], **totals)


def _asked(name: str, cut: Cut, python: Path | None) -> Answer:
    runs = sys.executable if name not in STATSFORECAST else str(python or PEERS_PYTHON)
    if not Path(runs).is_file():
        raise PeerMissingError(f"the environment of statsforecast is not here ({runs}): make benchmark-series")
    with tempfile.TemporaryDirectory() as folder:
        series, answer, log = Path(folder, "series.parquet"), Path(folder, "answer.parquet"), Path(folder, "log")
        cut.train.to_parquet(series, index=False)
        script = Path(__file__).with_name("series_peers.py")
        command = [runs, str(script), name, str(series), str(answer), "--season", str(cut.season),
                   "--horizon", str(cut.horizon)]  # fmt: skip
        began = time.perf_counter()
        with log.open("wb") as told:
            child = subprocess.Popen(command, env=os.environ | ONE_THREAD, stdout=told, stderr=told)
            _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        if child.returncode:
            _refuse(name, cut, log.read_text(errors="replace"))
        facts = json.loads(answer.with_suffix(".json").read_text())
        start = facts.pop("start_seconds")
        return Answer(pd.read_parquet(answer), used.ru_utime + used.ru_stime - start, start, wall, **facts)


def _refuse(name: str, cut: Cut, told: str) -> None:
    last = told.strip().splitlines()[-1:] or ["no word"]
    if "ModuleNotFoundError" in last[0] or "has no attribute 'SeriesForecaster'" in last[0]:
        raise PeerMissingError(f"{name}: {last[0]}")
    raise PeerFailedError(f"{name} ended without an answer on {cut.name}:\n{told[-2000:]}")
