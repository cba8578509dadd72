"""The accuracy report says in three languages what a backtest found, and nothing that it did not find."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError, NotEnoughDataError
from spm_models.reports.execute import execute
from spm_models.reports.per_forecast import AccuracyReport, forecast_accuracy
from spm_models.reports.render import render_html
from spm_models.revenue_forecast.accuracy import QUANTILES, accuracy, level_coverage, placement, verdict
from spm_models.revenue_forecast.backtest_result import ForecastBacktest
from spm_models.revenue_forecast.blend import learn_blend
from spm_models.revenue_forecast.submissions import submissions_by_level
from spm_models.shipped import shipped
from spm_models.translations import Translator

HOSTILE = "<img src=x onerror=alert(1)>"
FACTS = {
    "company": HOSTILE, "as_of": "2026-06-30", "skipped": [], "forecasts": 52, "by_timing": True, "draws": 500,
    "data_hash": "d" * 64, "code_hash": "c" * 64, "seed": 1, "versions": {"numpy": "2"},
}  # fmt: skip
COMPANY = {"SPM_SCOPE": Scope.of_company().to_json()}


def backtest(
    *, blend: float = 6.0, plain: float = 20.0, width: float = 25.0, quarters: int = 4, ratio: float = 1.3
) -> ForecastBacktest:
    """Quarters with errors of these sizes, in percent, and ranges of this half-width."""
    rng = np.random.default_rng(3)
    rows, units, learned = [], [], []
    for number in range(quarters):
        period, actual = f"202{5 + number // 4}-Q{number % 4 + 1}", 1e6
        for week in range(13):
            left = 1 - week / 13
            facts = {"period": period, "week": week, "as_of": pd.Timestamp("2026-01-01"), "actual": actual}
            sizes = {"blend": blend, "simulation": 1.2 * blend, "last_value": plain, "linearity": 1.3 * plain}
            for method, size in sizes.items():
                if method == "linearity" and week < 2:
                    continue
                mean = actual * (1 + size / 100 * left * (1 if number % 2 else -1))
                ends = {name: mean * (1 + width / 40 * (p - 0.5) * left) for name, p in QUANTILES.items()}
                hit = ends["p10"] <= actual <= ends["p90"]
                rows.append(facts | ends | {"method": method, "mean": mean, "error": mean - actual, "hit": hit})
            for method in ("blend", "simulation"):
                for level in ("company", "region", "team", "rep"):
                    place = float(rng.random())
                    units.append(facts | ends | {"method": method, "level": level, "key": "k", "below": place,
                                                 "upto": place})  # fmt: skip
            learned.append({"period": period, "week": week, "simulation": 1.07e6, "spread": 1e5, "actual": actual,
                            "series": 9e5, "linearity": 1.01e6})  # fmt: skip
    table = pd.DataFrame(
        rows, columns=["period", "week", "as_of", "actual", *QUANTILES, "method", "mean", "error", "hit"]
    )
    unit_rows = pd.DataFrame(units, columns=["period", "week", "as_of", "actual", *QUANTILES, "method", "level", "key",
                                             "below", "upto"])  # fmt: skip
    stood = table[table["method"] == "blend"].rename(columns={"mean": "forecast"})
    stood = stood.assign(level="rep", commit=ratio * stood["actual"])
    weights = learn_blend(pd.DataFrame(learned, columns=["period", "week", "simulation", "spread", "actual"] if not
                                       learned else None)).table  # fmt: skip
    tables = {"replay": table, "accuracy": accuracy(table), "levels": level_coverage(unit_rows), "weights": weights,
              "placement": placement(unit_rows), "submissions": submissions_by_level(stood)}  # fmt: skip
    return ForecastBacktest(verdict(table) | FACTS | {"replayed": sorted(table["period"].unique())}, tables)


@pytest.fixture(scope="module")
def telling() -> ForecastBacktest:
    return backtest()


def text(part: Any) -> str:
    return BeautifulSoup(str(part), "html.parser").get_text(" ", strip=True)


@pytest.mark.parametrize("locale", ["tr", "en", "ar"])
def test_every_section_speaks_the_readers_language(telling: ForecastBacktest, locale: str, tmp_path: Path) -> None:
    report = AccuracyReport(Translator(locale, currency="TRY"), telling, {"SPM_RESULT": str(tmp_path / "record.json")})
    parts = [getattr(report, name) for name in report.SECTIONS]
    whole = " ".join(text(part) for part in parts)
    assert not re.search(r"accuracy\.\w+|\{\w+\}|\bnan\b|None", whole)
    assert HOSTILE not in "".join(parts) and "&lt;img" in "".join(parts)
    report.finish()
    assert '"ok": true' in (tmp_path / "record.json").read_text()


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({}, "Chance does not explain the lead."),
        ({"blend": 20.0, "plain": 20.0}, "no larger than chance explains"),
        ({"blend": 30.0, "plain": 4.0}, "Publish a simple figure instead: Last quarter."),
        ({"quarters": 1}, "Too few finished quarters"),
    ],
)
def test_the_verdict_is_told_in_words(sizes: dict[str, Any], said: str) -> None:
    assert said in text(AccuracyReport(Translator("en"), backtest(**sizes)).verdict)


def test_the_figures_are_those_of_the_backtest(telling: ForecastBacktest) -> None:
    report = AccuracyReport(Translator("en"), telling)
    soup = BeautifulSoup(report.comparison, "html.parser")
    body = soup.find_all("tbody")[0]
    rows = {row.th.get_text(): [cell.get_text() for cell in row.find_all("td")] for row in body.find_all("tr")}
    rows_of = telling["accuracy"].query("method == 'blend' and week >= 2")
    assert rows["Our forecast"][0] == f"{rows_of.absolute_error.mean():.1%}"
    assert "Closest to the results over all weeks: Our forecast." in text(soup)
    assert len(rows) == 4 and text(report.weeks).startswith("How far off")
    assert "6.0%" in text(report.weeks) and len(re.findall(r'role="img"', report.ranges)) == 6


@pytest.mark.parametrize(
    ("ratio", "said"), [(1.3, "above the healthy 85% to 115%"), (0.9, "within the healthy"), (0.5, "below the healthy")]
)
def test_submissions_are_held_against_the_healthy_ratio(ratio: float, said: str) -> None:
    found = backtest(ratio=ratio)
    part = text(AccuracyReport(Translator("en"), found).people)
    assert f"Rep: {ratio:.0%} of the result was submitted, {said}" in part
    del found.tables["submissions"]
    assert "Nobody had submitted" in text(AccuracyReport(Translator("en"), found).people)


@pytest.mark.parametrize(("width", "said"), [(25.0, "lay within the 80% range"), (1.0, "too narrow"), (90.0, "wide")])
def test_ranges_are_called_what_they_are(width: float, said: str) -> None:
    assert said in text(AccuracyReport(Translator("en"), backtest(width=width)).ranges)


@pytest.mark.parametrize("locale", ["tr", "en", "ar"])
def test_a_company_without_a_finished_quarter_gets_a_report_that_says_so(locale: str) -> None:
    t = Translator(locale)
    report = AccuracyReport(t, backtest(quarters=0))
    parts = {name: getattr(report, name) for name in report.SECTIONS}
    assert t("accuracy.why.untested") in parts["verdict"] and t("accuracy.weights.none") in parts["weights"]
    assert [name for name, part in parts.items() if not part] == ["weeks", "ranges", "comparison", "quarters"]


def test_it_is_for_those_who_may_see_the_whole_company(workspace: Any) -> None:
    with pytest.raises(AccessDeniedError):
        forecast_accuracy(str(workspace.root), environ={"SPM_SCOPE": Scope.of_rep("r1").to_json()})
    with pytest.raises(NotEnoughDataError, match="spm backtest forecast"):
        forecast_accuracy(str(workspace.root), environ=COMPANY)


def test_the_notebook_ends_with_its_record_and_renders(
    telling: ForecastBacktest, workspace: Any, tmp_path: Path
) -> None:
    telling.save(workspace.state / "backtest" / "revenue_forecast" / "result")
    done = execute(
        shipped("notebooks/reports/forecast_accuracy.ipynb"), tmp_path / "report.ipynb",
        {"workspace": str(workspace.root), "locale": "ar"}, COMPANY,
    )  # fmt: skip
    assert done.record["ok"] and done.record["report"] == "forecast_accuracy" and done.record["locale"] == "ar"
    page = render_html(done.notebook, tmp_path / "a.html", translator=Translator("ar"), title="a", provenance={})
    html = page.read_text(encoding="utf-8")
    assert 'dir="rtl"' in html and html.count("<h2") == 9 and "<script" not in html
