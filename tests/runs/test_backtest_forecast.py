"""`spm backtest forecast`: it ends with a verdict and a report, and a killed run loses the week at work only."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from filelock import FileLock

from spm_models.errors import RunError
from spm_models.revenue_forecast import replay
from spm_models.revenue_forecast.quarter_weeks import FEW_WEEKS
from spm_models.runs.backtest_forecast import backtest_forecast, folder_of
from spm_models.runs.kept import KeptWeeks
from spm_models.runs.known import Known, weeks_of
from spm_models.runs.request import ForecastBacktestRequest
from spm_models.runs.retention import remove_reports
from spm_models.workspace import Workspace

SPM = str(Path(sys.executable).with_name("spm"))


@pytest.fixture
def plain(company: Workspace) -> Workspace:
    """Without PDF."""
    file = company.root / "spm.toml"
    text = file.read_text(encoding="utf-8")
    section = "\n[reports]\n"
    text = text if section in text else f"{text}{section}"
    file.write_text(text.replace(section, f"{section}pdf = false\n"), encoding="utf-8")
    return Workspace.open(company.root)


def kept(workspace: Workspace) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in weeks_of(workspace).glob("*.parquet")}


def test_it_replays_judges_writes_the_report_and_does_nothing_twice(plain: Workspace) -> None:
    told: list[tuple[str, int, int]] = []
    request = ForecastBacktestRequest(quarters=1)
    found = backtest_forecast(plain, request, progress=lambda *step: told.append(step))
    assert found.weeks == 13 and found.cached == 0 and len(kept(plain)) == 13
    assert ("past weeks", 13, 13) in told
    html = Path(found.places["report"]).read_text(encoding="utf-8")
    assert "<svg" in html and found.facts["as_of"] in html and 'name="spm.data_hash"' in html
    assert remove_reports(plain, set(), set()) == [] and Path(found.places["report"]).is_file()
    before = kept(plain)
    again = backtest_forecast(plain, request)
    assert again.cached == 13 and again.measures == found.measures and kept(plain) == before
    known = Known.of(plain.root)
    few, how = known.past(FEW_WEEKS), {"calendar": known.calendar, "quarters": 1, "seed": known.seed}
    taken = replay(few, known.as_of, learn=known.learn, keep=KeptWeeks(weeks_of(plain)), **how)
    assert taken.kept == len(FEW_WEEKS), "the weekly run takes what a backtest has kept"
    alone = replay(few, known.as_of, learn=known.learn, **how)
    assert alone.kept == 0
    pd.testing.assert_frame_equal(alone.table, taken.table)


def test_a_damaged_week_is_done_again(tmp_path: Path) -> None:
    keep = KeptWeeks(tmp_path / "weeks")
    assert keep.get("2026-Q1-w00", "a") is None
    frame = pd.DataFrame({"x": [1]})
    frame.attrs = {"week": 0}
    keep.put("2026-Q1-w00", "a", frame)
    found = keep.get("2026-Q1-w00", "a")
    assert found is not None and found.attrs == {"week": 0} and keep.get("2026-Q1-w00", "b") is None
    keep.put("2026-Q1-w00", "b", frame)
    files = list((tmp_path / "weeks").iterdir())
    assert len(files) == 1, "another state of things replaces what was said before"
    files[0].write_bytes(b"PAR1 and then the disk was full")
    assert keep.get("2026-Q1-w00", "b") is None


@pytest.mark.slow
def test_a_killed_run_loses_the_week_at_work_only(plain: Workspace) -> None:
    command = [SPM, "backtest", "forecast", "--workspace", str(plain.root), "--quarters", "2"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 400
    while len(kept(plain)) < 3 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = kept(plain)
    assert 3 <= len(before) < 26, "it was stopped on the way"
    assert not (folder_of(plain) / "result").exists()
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    after = kept(plain)
    assert found["cached"] == len(before) and found["weeks"] == len(after)
    assert all(after[name] == when for name, when in before.items()), "kept weeks were not touched"
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "past weeks replayed" in shown and "within 80" in shown


def test_another_run_at_work_is_not_disturbed(plain: Workspace) -> None:
    folder_of(plain).mkdir(parents=True)
    with FileLock(folder_of(plain) / "run.lock"), pytest.raises(RunError, match="at work"):
        backtest_forecast(plain, ForecastBacktestRequest(quarters=1))


@pytest.mark.parametrize("words", [{"quarters": 0}, {"quarters": "many"}, {"locale": "fr"}, {"months": 2}])
def test_what_it_does_not_understand_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(RunError):
        ForecastBacktestRequest.read(**words)
