"""`spm backtest win`: it ends with a verdict and a card, and a killed run loses the month at work only."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import date
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from spm_models.errors import RunError
from spm_models.runs import backtest
from spm_models.runs.backtest import BacktestSummary, backtest_win, folder_of
from spm_models.runs.kept import read_kept
from spm_models.runs.request import BacktestRequest
from spm_models.runs.retention import remove_reports
from spm_models.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
SPM = str(Path(sys.executable).with_name("spm"))
MONTHS = BacktestRequest(months=2)


def without_pdf(workspace: Workspace) -> Workspace:
    file = workspace.root / "spm.toml"
    text = file.read_text(encoding="utf-8")
    section = "\n[reports]\n"
    with_section = text if section in text else f"{text}{section}"
    file.write_text(with_section.replace(section, f"{section}pdf = false\n"), encoding="utf-8")
    return Workspace.open(workspace.root)


def kept(workspace: Workspace) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (folder_of(workspace) / "months").glob("*.parquet")}


def spm(*words: str, expect: int = 0) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "110", "NO_COLOR": "1"}
    done = subprocess.run([SPM, *words], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == expect, done.stderr
    return done


def test_it_replays_judges_and_writes_the_card(company: Workspace) -> None:
    company = without_pdf(company)
    told: list[tuple[str, int, int]] = []
    found = backtest_win(company, MONTHS, progress=lambda *step: told.append(step))
    assert found.months == 2 and found.cached == 0 and len(kept(company)) == 2
    assert ("past months", 2, 2) in told
    html = Path(found.places["card"]).read_text(encoding="utf-8")
    assert ("pdf" not in found.places and "<svg" in html) or found.facts["published"] is None
    assert found.facts["as_of"] in html and 'name="spm.data_hash"' in html
    assert remove_reports(company, set(), set()) == [] and Path(found.places["card"]).is_file()
    again = backtest_win(company, MONTHS)
    assert again.cached == 2 and again.measures == found.measures and again.facts == found.facts


def code_as_it_is_now(folder: Path) -> dict[str, str]:
    """An environment whose processes run a copy of the code: kept months are named by it, and it may be edited."""
    for name in ("spm_models", "templates", "notebooks"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    return {**os.environ, "COLUMNS": "110", "NO_COLOR": "1", "PYTHONPATH": str(folder)}


@pytest.mark.slow
def test_a_killed_run_loses_the_month_at_work_only(company: Workspace, tmp_path: Path) -> None:
    without_pdf(company)
    env = code_as_it_is_now(tmp_path / "code")
    ask = [sys.executable, "-c", "import spm_models; print(spm_models.__file__)"]
    where = subprocess.run(ask, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert where.stdout.startswith(str(tmp_path)), "the copy is what runs"
    command = [SPM, "backtest", "win", "--workspace", str(company.root), "--months", "3"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=env)
    deadline = time.monotonic() + 300
    while not kept(company) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    before = kept(company)
    assert 1 <= len(before) < 3, "it was stopped on the way"
    assert not (folder_of(company) / "result").exists()
    again = subprocess.run([*command, "--json"], env=env, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    found = json.loads(again.stdout)
    after = kept(company)
    assert found["cached"] == len(before) and len(after) == 3
    assert all(after[name] == when for name, when in before.items()), "kept months were not touched"


@pytest.mark.slow
def test_later_outcomes_change_no_kept_month(company: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    company = without_pdf(company)
    monkeypatch.setattr(backtest, "write_card", lambda *_: backtest.Card(company.root))
    backtest_win(company, MONTHS)
    before = kept(company)
    file = company.source_dir / "opportunities.csv"
    deals = pd.read_csv(file, dtype=str, keep_default_na=False)
    later = (deals["closed_on"] > f"{max(before)[:7]}-31") & (deals["status"] == "lost")
    assert later.sum() > 3, "some deals were lost after the last month"
    deals.loc[later, ["stage", "status"]] = ["Closed Won", "won"]
    deals.to_csv(file, index=False)
    found = backtest_win(company, MONTHS)
    assert found.cached == 2 and kept(company) == before


def test_from_and_months_choose_the_months(company: Workspace) -> None:
    known = backtest.Known.of(company.root)
    last = known.as_of
    every = backtest._days(known, BacktestRequest(months=120))
    assert every[-1] < last and all(day < after for day, after in pairwise(every))
    assert backtest._days(known, BacktestRequest()) == every[-12:]
    chosen = BacktestRequest.read(first=f"{every[-6]:%Y-%m}", months=2)
    assert backtest._days(known, chosen) == every[-6:-4]
    assert backtest._days(known, BacktestRequest(first=every[-6])) == every[-6:]
    for month in ("1999-01", "2099-01"):
        with pytest.raises(RunError, match="no such month"):
            backtest._days(known, BacktestRequest.read(first=month))


@pytest.mark.parametrize("words", [{"first": "May"}, {"first": 5}, {"months": 0}, {"locale": "fr"}, {"year": 2026}])
def test_what_it_does_not_understand_is_refused(words: dict[str, object]) -> None:
    with pytest.raises(RunError) as refused:
        BacktestRequest.read(**words)
    assert "spm backtest win --help" in str(refused.value)


def test_a_damaged_month_is_replayed_again(tmp_path: Path) -> None:
    file = tmp_path / "2026-01-0.parquet"
    assert read_kept(file) is None
    pd.DataFrame({"p": [0.5]}).to_parquet(file)
    found = read_kept(file)
    assert found is not None and found["p"].tolist() == [0.5]
    whole = file.read_bytes()
    for damaged in (b"", whole[:100], whole[:-50], whole[:20] + bytes(60) + whole[80:]):
        file.write_bytes(damaged)
        assert read_kept(file) is None


def test_a_second_backtest_at_the_same_time_is_refused(company: Workspace) -> None:
    folder = folder_of(company)
    folder.mkdir(parents=True)
    with backtest.FileLock(folder / "run.lock").acquire(timeout=0), pytest.raises(RunError, match="Another backtest"):
        backtest_win(company, MONTHS)


def test_a_company_of_one_month_gets_a_card_that_says_so(tmp_path: Path) -> None:
    spm("init", str(tmp_path))
    (tmp_path / "tables/reps.csv").write_text("rep_id,name\nr1,Ayşe\n")
    (tmp_path / "tables/opportunities.csv").write_text(
        "opportunity_id,rep_id,created_on,closed_on,stage,status,amount\n"
        "o1,r1,2026-01-03,,Offer,open,10\no2,r1,2026-01-03,2026-02-01,Won,won,10\no3,r1,2026-01-05,2026-02-20,Lost,lost,1\n"
    )
    done = spm("backtest", "win", "--workspace", str(tmp_path))
    assert "too little data" in done.stdout
    card = (tmp_path / "state/reports/model_card/win_probability.en.html").read_text(encoding="utf-8")
    assert "There is too little data for a verdict yet." in card and "30 deals" in card


def test_the_summary_is_plain_values() -> None:
    summary = BacktestSummary("A", date(2026, 6, 30).isoformat(), 1, 0, {"published": None}, {"auc.model": 0.5})
    assert json.loads(json.dumps(summary.to_dict()))["measures"] == {"auc.model": 0.5}
