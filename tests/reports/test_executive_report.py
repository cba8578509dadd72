"""What executives read: the company's outlook, the gap by team in money that adds up, coaching, health, questions."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError
from spm_models.published import Manifest, publish
from spm_models.reports import executive_quarterly, executive_report
from spm_models.reports.company_gap import gap_by_unit
from spm_models.reports.execute import execute
from spm_models.reports.quarter import Quarter
from spm_models.runs import cadence, reporting
from spm_models.runs import order as ordering
from spm_models.runs.ledger import Ledger
from spm_models.settings import Calendar
from spm_models.shipped import shipped
from spm_models.translations import LOCALES
from spm_models.workspace import Workspace


def words(part) -> str:
    plain = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", str(part), flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"[\u2066-\u2069]", "", plain))


def whole(report) -> str:
    return "\n".join(str(getattr(report, name)) for name in report.SECTIONS)


def gap(rep, work, place, luck):
    """Steps of one rep from a typical colleague's 1,000."""
    steps = [
        ("start", "", 1_000.0), ("territory", "", place), ("effort", "", work / 2), ("conversion", "Demo", work / 2),
        ("luck", "", luck), ("end", "", 1_000.0 + work + place + luck),
    ]  # fmt: skip
    return [(rep, "peers", step, part, n, amount, amount, amount, step in ("effort", "conversion"))
            for n, (step, part, amount) in enumerate(steps)]  # fmt: skip


@pytest.fixture(scope="module")
def company(tmp_path_factory, workspace, published_tables):
    folder = tmp_path_factory.mktemp("executive")
    (folder / "spm.toml").write_text((workspace.root / "spm.toml").read_text(encoding="utf-8"), encoding="utf-8")
    opened = Workspace.open(folder)
    rows = [*gap("r1", -200.0, 50.0, 30.0), *gap("r2", 100.0, -40.0, -20.0), *gap("r3", -60.0, 0.0, -10.0)]
    columns = ["rep_id", "reference", "step", "part", "place", "amount", "low", "high", "coachable"]
    tables = dict(published_tables) | {"coaching_gap": pd.DataFrame(rows, columns=columns)}
    publish(opened, tables, Manifest("now", date(2026, 8, 14), "d" * 64, "c" * 64))
    return opened


def report(opened, locale="en", allowed=None):
    given = allowed or Scope.of_company()
    return executive_report(str(opened.root), locale, environ={"SPM_SCOPE": given.to_json()})


@pytest.mark.parametrize("locale", LOCALES)
def test_every_section_is_there_in_every_language(company, locale):
    shown = report(company, locale)
    html = whole(shown)
    assert html.count("<h1") == 1 and html.count("<h2") == len(shown.SECTIONS) - 1
    assert not re.search(r"\bnan\b|\bNaT\b|None|<NA>", words(html)) and "{" not in words(html)


def test_the_gap_adds_up_and_only_less_than_typical_work_is_within_reach(company):
    by = gap_by_unit(report(company).reading, "team")
    assert by[["typical", "work", "place", "luck"]].sum(axis=1).tolist() == pytest.approx(by["sold"].tolist())
    assert by["room"].sum() == 260 and by["work"].sum() == -160 and by["place"].sum() == 10 and by["luck"].sum() == 0
    assert by["label"].tolist() == sorted(by["label"], key=str.casefold)


def test_the_gap_says_what_coaching_can_reach_and_what_it_cannot(company):
    said = words(report(company).gap)
    assert "TRY 260" in said.replace("\xa0", " ") and "No matter for coaching" in said


def test_without_a_gap_it_says_so(company, published_tables, tmp_path):
    (tmp_path / "spm.toml").write_text((company.root / "spm.toml").read_text(encoding="utf-8"), encoding="utf-8")
    opened = Workspace.open(tmp_path)
    nothing = {"coaching_gap": published_tables["coaching_gap"].head(0)}
    publish(opened, dict(published_tables) | nothing, Manifest("n", date(2026, 8, 14), "d" * 64, "c" * 64))
    assert "too few sales" in words(report(opened).gap)


def test_no_person_is_named_below_the_managers_and_nobody_is_blamed(company, published_tables):
    html = whole(report(company))
    reps = published_tables["reps"]
    led = set(reps["manager_name"].dropna())
    assert [name for name in reps["name"].dropna() if name in html and name not in led] == []
    assert not re.search(r"\blag|underperform|\bweak|\bworst\b|\brank|bottom|\bfail", words(html).lower())


def test_it_is_for_who_may_see_the_whole_company(company):
    with pytest.raises(AccessDeniedError):
        report(company, allowed=Scope.of_rep("r1"))


def test_the_notebook_ends_with_its_record(company, tmp_path):
    given = {"workspace": str(company.root), "locale": "tr"}
    seen = {"SPM_SCOPE": Scope.of_company().to_json()}
    done = execute(shipped("notebooks/reports/executive_report.ipynb"), tmp_path / "e.ipynb", given, seen)
    assert done.record["ok"] and done.record["about"] == "company"


def test_monthly_reports_are_ordered_for_each_manager_and_for_the_company(company):
    weekly = ordering.orders_of(company, "now")
    orders = ordering.orders_of(company, "now", kinds=ordering.WEEKLY | ordering.MONTHLY)
    assert {order.report for order in weekly} == {cadence.REP, cadence.TEAM}
    led = [order.about for order in orders if order.report == cadence.TEAM]
    assert [order.about for order in orders if order.report == cadence.TEAM_MONTH] == led
    top = [order for order in orders if order.report in (cadence.EXECUTIVE, cadence.EXECUTIVE_QUARTER)]
    assert [(order.report, order.period) for order in top] == [
        ("executive_report", "2026-07"), ("executive_quarterly", "2026-Q2"),
    ]  # fmt: skip
    top = top[:1]
    assert [(order.about, order.name) for order in top] == [("company", "Acme")] and top[0].scope.whole_company


def test_every_executive_has_his_own_in_his_language(company, published_tables, tmp_path):
    (tmp_path / "spm.toml").write_text((company.root / "spm.toml").read_text(encoding="utf-8"), encoding="utf-8")
    opened, reps = Workspace.open(tmp_path), published_tables["reps"]
    boss = reps.head(1).assign(rep_id="e1", name="Boss", manager_id=None, manager_name=None, role="executive")
    boss["locale"] = "ar"
    more = {"reps": pd.concat([reps, boss], ignore_index=True)}
    publish(opened, dict(published_tables) | more, Manifest("b", date(2026, 8, 14), "d" * 64, "c" * 64))
    top = [
        order
        for order in ordering.orders_of(opened, "b", kinds=ordering.WEEKLY | ordering.MONTHLY)
        if order.report == cadence.EXECUTIVE
    ]
    assert [(order.about, order.locale) for order in top] == [("e1", "ar")]


def test_a_run_writes_them_when_asked_and_lists_them_first(company, tmp_path, monkeypatch):
    manifest = Manifest("now", date(2026, 8, 14), "d" * 64, "c" * 64, parameters={"settings": {"models": {"seed": 1}}})
    orders = ordering.orders_of(company, "now", kinds=ordering.MONTHLY)
    few = [next(o for o in orders if o.report == kind) for kind in (cadence.TEAM_MONTH, cadence.EXECUTIVE)]
    monkeypatch.setattr("spm_models.runs.runner.lacking", lambda: "what sets type")
    monkeypatch.setattr("spm_models.runs.one_report.render_pdf", lambda html, out: out)
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.begin("now", "weekly", "k")
    written = reporting.write_reports(company, manifest, ledger, few, lambda *told: None)
    assert (written.done, written.failed) == (2, 0) and written.index is not None
    text = written.index.read_text(encoding="utf-8")
    assert text.index("executive_report/") < text.index("team_monthly/")


@pytest.mark.parametrize("locale", LOCALES)
def test_after_a_quarter_its_figures_come_first(company, locale):
    found = executive_quarterly(str(company.root), locale, environ={"SPM_SCOPE": Scope.of_company().to_json()})
    quarter, history = Quarter(found.reading), found.reading["revenue_history"]
    own = history[(history["level"] == "company") & (history["period"] == "2026-Q2")].iloc[0]
    assert (quarter.label, quarter.now["won"], quarter.now["amount"]) == ("2026-Q2", own["deals"], own["revenue"])
    assert quarter.quota == own["quota"] and quarter.by_month.index.is_monotonic_increasing
    assert found.SECTIONS[:2] == ("header", "quarter")
    assert "quarterly-bars" in whole(found) and set(found.shown) == set(found.SECTIONS)


def test_a_quarter_is_the_companys_own(company):
    found = executive_quarterly(str(company.root), "en", environ={"SPM_SCOPE": Scope.of_company().to_json()})
    settings = company.settings.model_copy(update={"calendar": Calendar(fiscal_year_start_month=2)})
    reading = replace(found.reading, workspace=Workspace(company.root, settings))
    quarter = Quarter(reading)
    assert (quarter.label, str(quarter.start.date()), quarter.next_label) == ("2027-Q2", "2026-05-01", "2027-Q3")


def test_the_quarterly_notebook_ends_with_its_record(company, tmp_path):
    given = {"workspace": str(company.root), "locale": "ar"}
    seen = {"SPM_SCOPE": Scope.of_company().to_json()}
    done = execute(shipped("notebooks/reports/executive_quarterly.ipynb"), tmp_path / "e.ipynb", given, seen)
    assert done.record["ok"] and done.record["report"] == "executive_quarterly"


def test_a_quarter_of_which_not_all_closed_deals_are_published_has_no_win_rate(company):
    found = executive_quarterly(str(company.root), "en", environ={"SPM_SCOPE": Scope.of_company().to_json()})
    closed, table = found.reading["closed_deals"], Quarter(found.reading).by_month
    first = str(pd.Period(closed["closed_on"].min(), "Q")).replace("Q", "-Q")
    early = [label for label in table.index if label < first]
    assert early and table.loc[early, "lost"].isna().all() and table.loc[early, "amount"].notna().all()
    assert "–" in words(found.quarter)
