"""Companies of which little or nothing is known: the run ends well and says what it cannot say."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from spm_models.access import Scope
from spm_models.errors import RunError
from spm_models.published import Results
from spm_models.runs import console
from spm_models.runs.request import WeeklyRequest
from spm_models.runs.summary import Summary
from spm_models.runs.weekly import weekly
from spm_models.workspace import Workspace

pytestmark = pytest.mark.slow
SETTINGS = """
[stages]
order = ["Proposal"]
status = { Won = "won", Lost = "lost", Proposal = "open" }
[models]
draws = 200
"""
HEAD = "opportunity_id,rep_id,created_on,expected_close_on,closed_on,stage,amount,currency"
BEGIN = date(2025, 1, 1)


def deal(n: int, stage: str, created: date, days: int = 30, amount: str = "1000") -> str:
    end = created + timedelta(days=days)
    closed = "" if stage == "Proposal" else end.isoformat()
    return f"o{n},r{n % 2 + 1},{created},{end},{closed},{stage},{amount},USD"


def run_of(folder: Path, deals: list[str], settings: str = SETTINGS) -> tuple[Summary, Results]:
    (folder / "tables").mkdir()
    (folder / "spm.toml").write_text(settings, encoding="utf-8")
    (folder / "tables" / "reps.csv").write_text("rep_id,name\nr1,Ann\nr2,Bob\n", encoding="utf-8")
    (folder / "tables" / "opportunities.csv").write_text("\n".join([HEAD, *deals]) + "\n", encoding="utf-8")
    workspace = Workspace.open(folder)
    summary = weekly(workspace, WeeklyRequest(reports=False))
    return summary, Results.open(workspace, scope=Scope.of_company())


@pytest.mark.parametrize(
    ("deals", "why"),
    [
        ([deal(1, "Proposal", BEGIN)], "Nothing has been won yet"),
        ([deal(n, "Lost", BEGIN + timedelta(days=3 * n)) for n in range(60)], "Nothing has been won yet"),
        ([deal(n, "Won", BEGIN + timedelta(days=3 * n), amount="") for n in range(60)], "No won deal has an amount"),
    ],
    ids=["one open deal", "all lost", "no amounts"],
)
def test_where_nothing_can_be_forecast_the_rest_is_published_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], deals: list[str], why: str
) -> None:
    summary, results = run_of(tmp_path, deals)
    assert summary.forecast == [] and why in summary.notes[0]
    assert len(results["forecast"]) == len(results["forecast_draws"]) == 0
    verdict = results["model_verdicts"].set_index("question").loc["revenue_forecast"]
    assert verdict["published"] == "not_enough_data" and why in verdict["reason"]
    assert set(results["coaching_verdicts"]["rep_id"]) == {"r1", "r2"}
    console.show_summary(summary)
    assert "none: not enough data" in capsys.readouterr().out


def test_open_deals_that_cannot_be_scored_are_counted_as_such(tmp_path: Path) -> None:
    summary, _ = run_of(tmp_path, [deal(n, "Proposal", BEGIN + timedelta(days=n)) for n in range(5)])
    assert (summary.deals, summary.unscored, summary.scored_by) == (0, 5, "")


def test_quarters_without_a_won_deal_do_not_stop_the_run(tmp_path: Path) -> None:
    """Errors of the replay have no scale then, means of the quarter no denominator."""
    old = [deal(n, "Won", BEGIN + timedelta(days=4 * n)) for n in range(80)]
    summary, results = run_of(tmp_path, [*old, *(deal(80 + n, "Lost", date(2027, 1, 4 + n)) for n in range(8))])
    assert [row["closed"] for row in summary.forecast] == [0.0, 0.0]
    assert results["kpis"]["level"].notna().all()
    assert "nothing was won" in results["model_verdicts"].set_index("question").loc["revenue_forecast", "reason"]


def test_a_day_before_the_first_deal_is_refused_and_the_first_day_is_not(tmp_path: Path) -> None:
    deals = [deal(n, "Won", BEGIN + timedelta(days=n)) for n in range(5)]
    run_of(tmp_path, deals)
    workspace = Workspace.open(tmp_path)
    with pytest.raises(RunError, match="before the first deal"):
        weekly(workspace, WeeklyRequest(reports=False, as_of=BEGIN - timedelta(days=1)))
    first = weekly(workspace, WeeklyRequest(reports=False, as_of=BEGIN))
    assert (first.forecast, first.not_enough_data, first.unscored) == ([], 2, 1)


def test_deals_without_any_day_of_creation_end_without_findings(tmp_path: Path) -> None:
    settings = f"[source]\nextracted_on = {BEGIN}\n{SETTINGS}"
    summary, _ = run_of(tmp_path, [f"o{n},r1,,,,Proposal,1000,USD" for n in range(3)], settings)
    assert (summary.unscored, summary.forecast, summary.not_enough_data) == (3, [], 2)
