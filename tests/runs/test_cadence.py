"""Who gets what how often: weekly ones in every run, the others once in their period, whatever days runs fall on."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from spm_models.errors import WorkspaceError
from spm_models.published import Manifest
from spm_models.runs.cadence import (
    EXECUTIVE,
    EXECUTIVE_QUARTER,
    REP,
    TEAM,
    TEAM_MONTH,
    due,
    fortnight_of,
    periods_of,
    quarter_of,
)
from spm_models.runs.ledger import Ledger, Report
from spm_models.runs.order import due_in
from spm_models.settings import Settings
from spm_models.workspace import Workspace


def settings(**schedule: object) -> Settings:
    return Settings.model_validate({"schedule": schedule})


def through(settings: Settings, days: list[date]) -> list[frozenset[str]]:
    """What runs on these days write, one after the other."""
    written: dict[str, set[str]] = {}
    found = []
    for day in days:
        kinds = due(settings, day, {kind: frozenset(labels) for kind, labels in written.items()})
        for kind in kinds:
            written.setdefault(kind, set()).add(periods_of(settings, day)[kind])
        found.append(kinds)
    return found


@given(some.dates(date(2024, 1, 1), date(2031, 1, 1)), some.lists(some.integers(1, 6), min_size=50, max_size=60))
def test_every_period_is_written_exactly_once_whatever_days_runs_fall_on(first: date, steps: list[int]) -> None:
    days = [first]
    for step in steps:
        days.append(days[-1] + timedelta(days=step))
    chosen = settings(reps="fortnightly", managers="weekly", teams="monthly", executives=["quarterly"])
    found = through(chosen, days)
    assert all(TEAM in kinds for kinds in found)
    assert not any(EXECUTIVE in kinds for kinds in found)
    for kind in (REP, TEAM_MONTH, EXECUTIVE_QUARTER):
        labels = [periods_of(chosen, day)[kind] for day, kinds in zip(days, found, strict=True) if kind in kinds]
        seen = [periods_of(chosen, day)[kind] for day in days]
        assert labels == list(dict.fromkeys(seen))  # once each, in order, none left out


def test_fortnights_go_on_over_a_year_of_53_weeks() -> None:
    mondays = [date(2026, 11, 30) + timedelta(weeks=n) for n in range(10)]
    labels = [fortnight_of(day) for day in mondays]
    assert all(labels.count(label) == 2 for label in labels) and len(set(labels)) == 5


def test_a_quarter_is_the_companys_own() -> None:
    february = Settings.model_validate({"calendar": {"fiscal_year_start_month": 2}})
    assert quarter_of(february, date(2026, 4, 30)) == "2027-Q1" and quarter_of(february, date(2026, 4, 29)) == "2026-Q4"
    weeks = Settings.model_validate({"calendar": {"pattern": "4-4-5"}})
    assert quarter_of(weeks, date(2026, 6, 30)) in ("2026-Q1", "2026-Q2")


def test_the_record_says_what_earlier_days_have_written_and_daily_runs_write_nothing(tmp_path: Path) -> None:
    workspace, ledger, new = Workspace(tmp_path, Settings()), Ledger(tmp_path / "ledger.db"), []
    for day in ("2026-07-24", "2026-07-31", "2026-08-03", "2026-08-07", "2026-09-04"):
        manifest = Manifest(f"{day}-r", date.fromisoformat(day), "d" * 64, "c" * 64)
        kinds = due_in(workspace, ledger, manifest)
        new.append(TEAM_MONTH in kinds)
        ledger.begin(manifest.run_id, "weekly", day)
        for kind in kinds if day != "2026-08-03" else ():
            ledger.report(Report(run_id=manifest.run_id, report=kind, about="x", status="done",
                                 period=periods_of(Settings(), manifest.as_of)[kind]))  # fmt: skip
        ledger.finish(manifest.run_id, {})
        assert due_in(workspace, ledger, manifest) == kinds  # done once more, it writes the same
    assert new == [True, True, False, False, True]
    assert TEAM_MONTH in due_in(workspace, ledger, manifest, monthly=True)
    assert due_in(workspace, ledger, manifest, monthly=False) == {REP, TEAM}


@pytest.mark.parametrize("line", ['daily = "6:30"', 'weekly = "05:00"', 'weekly = "moonday 05:00"', 'reps = "daily"'])
def test_a_schedule_that_cannot_be_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "spm.toml").write_text(f"[schedule]\n{line}\n", encoding="utf-8")
    with pytest.raises(WorkspaceError, match="schedule"):
        Workspace.open(tmp_path)
