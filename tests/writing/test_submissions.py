"""What people commit to: for whom they may speak, what stands, how good it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import AccessDeniedError, JournalError, MoneyError, PeriodError
from spm_models.journal.submissions import fingerprint, submissions
from spm_models.periods import FiscalCalendar
from spm_models.published import Manifest, publish
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform, empty
from spm_models.revenue_forecast.categories import category_totals
from spm_models.revenue_forecast.submissions import submission_accuracy, with_actuals
from spm_models.settings import Company, Settings
from spm_models.workspace import Workspace
from spm_models.writing.submissions import all_submissions, named, submit

PEOPLE = [
    ("r1", "Ayşe", "m1", "Deniz", "North", "West", "rep"), ("r2", "Can", "m1", "Deniz", "North", "West", "rep"),
    ("r3", "Ece", "m2", "Filiz", "South", "West", "rep"), ("m1", "Deniz", "boss", "Gül", "North", "West", "manager"),
    ("m2", "Filiz", "boss", "Gül", "South", "West", "manager"), ("boss", "Gül", None, None, None, "West", "manager"),
    ("chief", "Hale", None, None, None, None, "executive"), ("ana", "Ida", None, None, None, None, "analyst"),
]  # fmt: skip
Q3 = "2026-Q3"


def people() -> pd.DataFrame:
    names = ["rep_id", "name", "manager_id", "manager_name", "team", "region", "role"]
    blank = empty(TABLES["reps"]).reindex(range(len(PEOPLE)))
    filled = blank.assign(**{name: [row[place] for row in PEOPLE] for place, name in enumerate(names)})
    return conform(filled.assign(email=filled.rep_id + "@example.com"), TABLES["reps"])


def forecast() -> pd.DataFrame:
    rows = empty(TABLES["forecast"]).reindex(range(2))
    return conform(rows.assign(period=Q3, level=["rep", "team"], key=["r1", "North"], part="total",
                               mean=[900.25, 5000.0]), TABLES["forecast"])  # fmt: skip


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    settings = Settings(company=Company(locale="tr", currency="TRY"))
    opened = Workspace(tmp_path, settings)
    publish(opened, {"reps": people(), "forecast": forecast()}, Manifest("run", date(2026, 6, 30), "d", "c"))
    return opened


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPM_VIEWER", raising=False)


def at(day: str) -> Any:
    return lambda: datetime.fromisoformat(day).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("person", "of", "about"),
    [("r1", "", ("rep", "r1")), ("r1@example.com", "rep:r1", ("rep", "r1")), ("m1", "", ("manager", "m1")),
     ("m1", "team:north", ("team", "North")), ("boss", "region:West", ("region", "West")),
     ("chief", "", ("company", "")), ("chief", "company", ("company", "")), ("m1", "rep:m1", ("rep", "m1"))],
)  # fmt: skip
def test_one_submits_for_oneself_or_ones_own_people(workspace, person, of, about) -> None:
    entry = submit(workspace, Q3, "1.200.000,50", "1.500.000", of=of, person=person)
    assert (entry.about_kind, entry.about_id) == about
    assert entry.body["commit"] == "1200000.50" and entry.body["best_case"] == "1500000"
    beside = {("rep", "r1"): "900.25", ("team", "North"): "5000.00"}.get(about)
    assert entry.body.get("beside") == beside


@pytest.mark.parametrize(
    ("person", "of"),
    [("r1", "rep:r2"), ("r1", "team:North"), ("m1", "rep:r1"), ("m1", "team:South"), ("m1", "manager:m2"),
     ("m1", "region:West"), ("boss", "team:North"), ("boss", "manager:m1"), ("chief", "team:North"),
     ("chief", "rep:r1"), ("ana", ""), ("ana", "company"), ("m1", "company"), ("r1", "nonsense")],
)  # fmt: skip
def test_nobody_submits_for_others(workspace, person, of) -> None:
    with pytest.raises(AccessDeniedError):
        submit(workspace, Q3, "100", of=of, person=person)
    assert all_submissions(workspace) == []


def test_a_process_opened_for_somebody_submits_for_nobody_else(workspace, monkeypatch) -> None:
    monkeypatch.setenv("SPM_VIEWER", "r1")
    with pytest.raises(AccessDeniedError, match="somebody else"):
        submit(workspace, Q3, "100", person="m1")
    assert submit(workspace, Q3, "100").author == "r1"


@pytest.mark.parametrize(
    ("period", "commit", "best", "error"),
    [("2026-Q2", "100", "", JournalError), ("2026-Q9", "100", "", PeriodError), (Q3, "100", "99", JournalError),
     (Q3, "-5", "", JournalError), (Q3, "1,200,000", "", MoneyError), (Q3, "1,200", "", MoneyError),
     (Q3, "much", "", MoneyError), (Q3, "", "", MoneyError), (Q3, "1e6", "", MoneyError)],
)  # fmt: skip
def test_what_is_no_submission_is_refused(workspace, period, commit, best, error) -> None:
    with pytest.raises(error):
        submit(workspace, period, commit, best, person="r1")
    assert all_submissions(workspace) == []


def test_a_newer_one_stands_and_all_stay(workspace) -> None:
    first = submit(workspace, Q3, "100", person="r1", clock=at("2026-07-01"))
    second = submit(workspace, Q3, "120", "150", person="r1", note="Two tenders.", clock=at("2026-07-08"))
    submit(workspace, "2026-Q4", "70", person="r1", clock=at("2026-07-08"))
    submit(workspace, Q3, "300", of="team:North", person="m1", clock=at("2026-07-09"))
    assert second.supersedes == first.id
    entries = all_submissions(workspace)
    table = named(entries, people(), None)
    assert table.standing.tolist() == [False, True, True, True] and table.commit.tolist() == [100, 120, 70, 300]
    assert table.author_name.tolist() == ["Ayşe"] * 3 + ["Deniz"] and table.note[1] == "Two tenders."
    then = submissions(entries, datetime(2026, 7, 5))
    assert then.commit.tolist() == [100.0] and then.standing.tolist() == [True]
    assert fingerprint(entries) != fingerprint(entries, datetime(2026, 7, 5)) != "" == fingerprint([])


def ended() -> pd.DataFrame:
    rows = [
        ("r1", 80.0, "2026-08-01"),
        ("r2", 50.0, "2026-09-01"),
        ("r3", 40.0, "2026-09-01"),
        ("r1", 9.0, "2026-10-1"),
    ]
    table = pd.DataFrame(rows, columns=["rep_id", "amount", "closed_on"])
    return table.assign(closed_on=pd.to_datetime(table.closed_on), won=True)


def cutoff(day: date) -> datetime:
    return datetime(day.year, day.month, day.day) + timedelta(days=1)


def judged(workspace: Workspace, as_of: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    said = named(all_submissions(workspace), people(), None)
    known = with_actuals(said, ended(), people(), as_of=as_of, calendar=FiscalCalendar())
    return known, submission_accuracy(known, cutoff)


def test_accuracy_is_of_what_stood_at_the_end_of_each_week(workspace) -> None:
    submit(workspace, Q3, "100", "160", person="r1", clock=at("2026-07-06T10:00"))
    submit(workspace, Q3, "60", person="r1", clock=at("2026-07-20T10:00"))
    submit(workspace, Q3, "150", of="team:North", person="m1", clock=at("2026-10-02T10:00"))  # the quarter was over
    running, nothing = judged(workspace, date(2026, 9, 29))
    assert running.actual.isna().all() and nothing.empty
    known, accuracy = judged(workspace, date(2026, 9, 30))
    assert known.actual.tolist() == [80.0, 80.0, 130.0]
    assert set(accuracy.author) == {"r1"} and accuracy.week.tolist() == list(range(1, 14))
    week = accuracy.set_index("week")
    assert week.commit_error[[1, 2, 3, 13]].tolist() == [0.25, 0.25, 0.25, 0.25]
    assert week.commit_bias[[1, 2, 3, 13]].tolist() == [0.25, 0.25, -0.25, -0.25]
    assert week.best_case_bias[1] == 1.0 and np.isnan(week.best_case_bias[3])
    assert week.forecast_bias[1] == pytest.approx((900.25 - 80) / 80) and (week.forecasts == 1).all()


def test_a_period_that_brought_nothing_has_no_relative_error(workspace) -> None:
    submit(workspace, "2026-Q4", "50", person="r3", clock=at("2026-10-03"))
    known, accuracy = judged(workspace, date(2026, 12, 31))
    assert known.actual.tolist() == [0.0] and accuracy.commit_error.isna().all() and (accuracy.periods == 1).all()


def test_categories_add_up_on_every_level() -> None:
    due = pd.to_datetime(["2026-08-01", "2026-06-20", "2026-11-01", "2026-09-30", None])
    open_deals = pd.DataFrame(
        {"rep_id": ["r1", "r2", "r1", "r3", "r1"], "amount": [10.0, 20.0, 40.0, 80.0, 5.0], "expected_close_on": due,
         "forecast_category": ["closed", "best_case", "commit", None, "commit"]}
    )  # fmt: skip
    quarter = FiscalCalendar().parse(Q3)
    found = category_totals(open_deals, ended(), people(), quarter, as_of=date(2026, 8, 15))
    company = found[found.level == "company"].set_index("category")
    assert company.amount.to_dict() == {"closed": 170.0, "commit": 10.0, "best_case": 20.0, "none": 80.0}
    assert company.running.tolist() == [170.0, 180.0, 200.0, 280.0]
    for level in ("rep", "team", "manager", "region"):
        assert found[found.level == level].amount.sum() == 280.0


def test_the_command_line_says_what_stands_beside(workspace, monkeypatch, capsys) -> None:
    from typer.testing import CliRunner

    from spm_models.cli import app

    (workspace.root / "spm.toml").write_text('[company]\nlocale = "tr"\ncurrency = "TRY"\n', encoding="utf-8")
    said = CliRunner().invoke(
        app, ["submit", "--period", Q3, "--commit", "1.200", "--best-case", "1500", "--as", "r1",
              "--workspace", str(workspace.root)]
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    words = " ".join(said.output.split())
    assert "r1 commits to 1,200.00 TRY for 2026-Q3 (rep r1), at best 1,500.00" in words
    assert "The published forecast is 900.25" in words
