"""The KPI scorecard as a report: what stands out is said, the rest is shown, and nothing is claimed of few events."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd
import pytest

from spm_models import kpis
from spm_models.access import Scope
from spm_models.errors import AccessDeniedError
from spm_models.kpis.packs import Choice
from spm_models.periods import FiscalCalendar
from spm_models.reports.per_kpis import KpiReport, kpi_scorecard
from spm_models.translations import Translator

AS_OF = date(2026, 6, 30)
QUARTERS = FiscalCalendar().quarters(date(2026, 1, 1), AS_OF)
CHOICE = Choice("", ("revenue", "win_rate", "loss_rate", "average_deal_value", "late_shifts"),
                {"win_rate": (0.2, 0.3)}, {"revenue": 90_000.0})  # fmt: skip
FACTS = {"company": "Nord & <b>Söhne</b>", "as_of": AS_OF.isoformat(), "run_id": "2026-06-30-abc"}


@pytest.fixture
def published(tables_of):
    """Of 200 deals a quarter 40 % were won at 500 in the first, 60 % at about 500 in the second."""
    deals = [
        {"opportunity_id": f"{q}-{n}", "rep_id": f"r{n % 4}", "status": "won" if n < won else "lost", "stage": "x",
         "amount": 490 + n % 20, "created_on": date(2026, 1, 1), "closed_on": day}
        for q, (won, day) in enumerate(((80, date(2026, 2, 1)), (120, date(2026, 5, 1)))) for n in range(200)
    ]  # fmt: skip
    reps = [{"rep_id": f"r{n}", "team": "North" if n < 2 else "South"} for n in range(4)]
    found = kpis.levels(tables_of({"reps": reps, "opportunities": deals}, AS_OF), QUARTERS, as_of=AS_OF,
                        kpis=list(CHOICE.kpis[:4]), targets=CHOICE.targets, bands=CHOICE.bands)  # fmt: skip
    starts = {one.label: pd.Timestamp(one.start) for one in QUARTERS}
    return found.assign(grain="quarter", period_start=found["period"].map(starts))


@pytest.fixture
def report(published, tmp_path):
    t = Translator("en", currency="EUR", time_zone="UTC")
    return KpiReport(t, published, CHOICE, FACTS, {"SPM_RESULT": str(tmp_path / "result.json")})


def test_what_lies_outside_and_what_changed_is_said(report):
    said = str(report.noticed)
    assert "Win rate: 60%. Above the healthy band (20% – 30%)." in said
    assert "Revenue: €59.9K. Target not reached (€90K)." in said
    assert "Win rate: 60% after 40%." in said and "Loss rate: 40% after 60%." in said
    assert "Average deal value:" not in said  # the same as before, but for chance


def test_few_events_and_lateness_are_never_a_finding(report, published):
    few = published.assign(verdict=published["verdict"].where(published["kpi"] != "win_rate", "too_few"))
    late = few[few["kpi"] == "loss_rate"].assign(kpi="late_shifts")
    said = KpiReport(report.t, pd.concat([few, late]), CHOICE, FACTS)
    assert "Win rate" not in str(said.noticed) and "late" not in str(said.noticed)


def test_sections_tables_and_record(report, tmp_path):
    parts = {name: str(getattr(report, name)) for name in report.SECTIONS}
    assert "Nord &amp; &lt;b&gt;Söhne&lt;/b&gt;" in parts["header"] and "Q2 2026" in parts["header"]
    assert parts["trends"].count("<figure") == 3  # revenue is a sum and has no range
    assert parts["company"].count('<th scope="row">') == 4
    assert "North" in parts["teams"] and "South" in parts["teams"]
    report.finish()
    record = json.loads((tmp_path / "result.json").read_text())
    assert record["ok"] and record["sections"] == list(report.SECTIONS)


@pytest.mark.parametrize("locale", ["tr", "ar"])
def test_the_figures_are_the_same_in_every_language(published, locale):
    other = KpiReport(Translator(locale, currency="EUR", time_zone="UTC"), published, CHOICE, FACTS)
    assert str(other.company).count('<th scope="row">') == 4
    digits = "60" if locale == "tr" else other.t.number(60)
    assert digits in str(other.company)


def test_only_who_may_see_the_company_may_have_it():
    with pytest.raises(AccessDeniedError):
        kpi_scorecard("", environ={"SPM_SCOPE": Scope.of_rep("r1").to_json()})
