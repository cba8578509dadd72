"""The whole job on a real CRM export, held against figures computed straight from its CSV files."""

from __future__ import annotations

import csv
import shutil
from collections import Counter, defaultdict
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.published import Results
from spm_models.runs.request import WeeklyRequest
from spm_models.runs.status import status
from spm_models.runs.weekly import weekly
from spm_models.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT.parent / "shared" / "data" / "maven_crm"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("maven"),
    pytest.mark.skipif(not SOURCE.is_dir(), reason="../shared/data/maven_crm is not beside the project"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("maven") / "workspace"
    shutil.copytree(ROOT / "data" / "examples" / "maven", folder)
    workspace = Workspace.open(folder, source=SOURCE)
    summary = weekly(workspace, WeeklyRequest(as_of="2017-12-31"))
    return workspace, summary, Results.open(workspace, scope=Scope.of_company())


@pytest.fixture(scope="module")
def export():
    def rows(name: str) -> list[dict[str, str]]:
        with (SOURCE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return rows


@pytest.fixture(scope="module")
def deals(export):
    return export("sales_pipeline")


@pytest.fixture(scope="module")
def teams(export):
    return {row["sales_agent"]: row for row in export("sales_teams")}


def test_every_open_deal_is_scored(run, deals):
    open_ids = {row["opportunity_id"] for row in deals if row["deal_stage"] in ("Engaging", "Prospecting")}
    scores = run[2]["deal_scores"]
    assert len(open_ids) == 2089
    assert set(scores["opportunity_id"]) == open_ids
    assert scores["win_probability"].between(0, 1).all()
    assert (scores["low"] <= scores["win_probability"]).all() and (scores["win_probability"] <= scores["high"]).all()


def test_where_outcomes_are_chance_the_baseline_is_published(run, deals):
    verdict = run[2]["model_verdicts"].set_index("question").loc["win_probability"]
    assert verdict["published"] != "model"
    stages = Counter(row["deal_stage"] for row in deals)
    rate = stages["Won"] / (stages["Won"] + stages["Lost"])
    assert run[2]["deal_scores"]["win_probability"].mean() == pytest.approx(rate, abs=0.06)


def test_reasons_add_up_to_the_score(run):
    scores, reasons = run[2]["deal_scores"], run[2]["deal_reasons"]
    log_odds = reasons.groupby("opportunity_id")["contribution"].sum()
    said = 1 / (1 + (-log_odds).map(lambda x: 2.718281828459045**x))
    assert said.reindex(scores["opportunity_id"]).to_numpy() == pytest.approx(scores["win_probability"], abs=2e-5)


def test_revenue_of_every_quarter_office_manager_and_rep_is_the_export_s(run, deals, teams):
    revenue: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in deals:
        if row["deal_stage"] == "Won":
            day = datetime.strptime(row["close_date"], "%d-%m-%y").date()
            quarter, rep = f"{day.year}-Q{(day.month + 2) // 3}", row["sales_agent"]
            for level, key in (("company", ""), ("rep", rep), ("region", teams[rep]["regional_office"]),
                               ("manager", teams[rep]["manager"])):  # fmt: skip
                revenue[level, key, quarter] += float(row["close_value"])
    history = run[2]["revenue_history"]
    found = {(row.level, row.key, row.period): row.revenue for row in history.itertuples() if row.revenue}
    assert {key: value for key, value in found.items() if key[0] != "team"} == pytest.approx(dict(revenue))


def test_2018_q1_is_forecast_for_every_office_and_manager_and_adds_up(run, teams):
    forecast = run[2]["forecast"]
    quarter = forecast[forecast["period"] == "2018-Q1"]
    for level, column in (("region", "regional_office"), ("manager", "manager"), ("rep", "sales_agent")):
        rows = quarter[(quarter["level"] == level) & (quarter["part"] == "total")]
        named = {row[column] for row in teams.values()}
        assert named >= set(rows["key"]) - {"unassigned"}
        if level != "rep":
            assert set(rows["key"]) >= named
        company = quarter[(quarter["level"] == "company") & (quarter["part"] == "total")].iloc[0]
        assert rows["mean"].sum() == pytest.approx(company["mean"], abs=0.005 * len(rows))
        assert company["p10"] < company["p50"] < company["p90"]


def test_draws_of_the_levels_agree_to_the_cent(run):
    draws = run[2]["forecast_draws"]
    draws = draws[draws["period"] == "2018-Q1"].assign(cents=lambda d: (d["total"] * 100).round().astype("int64"))
    sums = draws.groupby(["level", "draw"])["cents"].sum().unstack("level")
    for level in ("region", "manager", "rep"):
        assert (sums[level] == sums["company"]).all()


def test_every_rep_is_judged_and_nobody_flagged_for_chance(run, teams):
    verdicts, findings = run[2]["coaching_verdicts"], run[2]["coaching_findings"]
    assert set(verdicts["rep_id"]) == set(teams)
    flagged = findings[findings["verdict"] == "coaching_suggestion"]
    assert "win_rate" not in set(flagged["signal"])
    assert set(verdicts["verdict"]) <= {"coaching_suggestion", "watch", "fine", "doing_well", "not_enough_data"}


def test_win_rates_are_the_export_s(run, deals):
    won, closed = Counter(), Counter()
    for row in deals:
        if row["deal_stage"] in ("Won", "Lost"):
            closed[row["sales_agent"]] += 1
            won[row["sales_agent"]] += row["deal_stage"] == "Won"
    quarter = [
        row
        for row in deals
        if row["close_date"] and datetime.strptime(row["close_date"], "%d-%m-%y").date() >= date(2017, 10, 1)
    ]
    wins = sum(row["deal_stage"] == "Won" for row in quarter)
    kpis = run[2]["kpis"]
    company = kpis[(kpis["kpi"] == "win_rate") & (kpis["level"] == "company") & (kpis["period"] == "2017-Q4")].iloc[0]
    assert (company["numerator"], company["denominator"]) == (wins, len(quarter))
    assert len(won) == 30


def test_a_report_for_each_rep_and_team(run, teams):
    workspace, summary, _ = run
    managers = {row["manager"] for row in teams.values()}
    monthly = len(managers) + 2  # each team's month, and the executive reports on month and quarter: both ended
    assert (summary.reports, summary.reports_failed) == (len(teams) + len(managers) + monthly, 0)
    folder = workspace.reports_dir / summary.run_id
    assert len(list((folder / "coaching_report").glob("*.html"))) == len(teams)
    assert (folder / "index.html").is_file()


def test_a_report_names_no_colleague_but_a_proposed_mentor(run, teams):
    workspace, summary, results = run
    mentors = results["coaching_plan"].groupby("rep_id")["with_id"].agg(set)
    from spm_models.runs.status import ledger_of

    for row in ledger_of(workspace).reports(summary.run_id):
        if row.report == "coaching_report":
            text = Path(row.html).read_text(encoding="utf-8")
            assert row.about in text
            assert {rep for rep in teams if rep != row.about and rep in text} <= mentors.get(row.about, set())


def test_the_second_run_has_nothing_to_do(run):
    workspace, summary, _ = run
    again = weekly(workspace, WeeklyRequest(as_of="2017-12-31"))
    assert again.unchanged and again.run_id == summary.run_id
    assert status(workspace)["published"]["deals"] == 2089


def test_the_summary_counts_what_was_published(run):
    _, summary, results = run
    assert summary.deals == len(results["deal_scores"])
    assert summary.rows == 8800 + 35 + 7 + 85
    assert isinstance(results["forecast"], pd.DataFrame) and summary.forecast[0]["period"] == "2018-Q1"
