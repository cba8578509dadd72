"""The figures of the revenue outlook: picked, added up and changed by the what-if as they should be."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from spm_models.access import Scope, Viewer, scope
from spm_models.apps.outlook import likelihood, outlook, top_deals
from spm_models.apps.outlook_headline import hero
from spm_models.apps.outlook_sections import months_section
from spm_models.apps.outlook_view import Page, revenue_outlook
from spm_models.apps.session import Session
from spm_models.apps.what_if import CONTROLS, assumptions, chances
from spm_models.errors import NotEnoughDataError
from spm_models.published import Manifest, publish
from spm_models.published.freshness import Stale
from spm_models.published.schemas import TABLES
from spm_models.settings import Settings
from spm_models.translations import Translator
from spm_models.workspace import Workspace

FRESH = SimpleNamespace(stale=None)


def within(company, allowed):
    return {name: allowed.filter(frame, TABLES[name].scoped_by) for name, frame in company.items()}


def test_the_company_row_is_shown_as_published(company):
    picked = outlook(company, "company", "")
    published = company["forecast"].query("level == 'company' and part == 'total'").iloc[0]
    assert picked.total("mean") == published["mean"]
    assert picked.days_left == 47
    assert picked.period == "2026-Q3"
    assert list(picked.chances.index) == ["minimum", "standard", "maximum"]


def test_the_headline_says_what_the_parts_add_up_to(company):
    picked, t = outlook(company, "company", ""), Translator("en", currency="USD", time_zone="UTC")
    picked.parts.loc["total", "p50"] *= 0.9  # what lies in the middle is not what is expected
    headline = hero(
        SimpleNamespace(
            t=t, outlook=picked, unit="Northwind", absent=lambda: (), session=FRESH, tables=company, units=frozenset()
        )
    )
    assert t.html("page.outlook.headline", period=t.period(picked.period),
                  expected=t.compact_money(picked.parts["mean"].drop("total").sum())) in headline  # fmt: skip


def test_without_a_row_of_its_own_a_unit_is_the_sum_of_its_reps_draws(company):
    """A manager of managers: his reps were drawn together, so their sum is his forecast, quantiles included."""
    own = outlook(company, "company", "")
    summed = outlook(company, "manager", "above-everyone")
    np.testing.assert_allclose(summed.draws.to_numpy(), own.draws.to_numpy(), rtol=1e-9)
    for what in ("p10", "p50", "p90", "mean"):
        assert summed.total(what) == pytest.approx(own.total(what), rel=1e-9)
    assert summed.history["revenue"].tolist() == pytest.approx(own.history["revenue"].tolist())


def test_a_manager_sees_his_line_and_nothing_of_others(company):
    allowed = scope(Viewer("m1"), company["reps"])
    picked = outlook(within(company, allowed), "manager", "m1")
    assert set(picked.units["label"]) == {"Ayşe Yılmaz", "Can Öztürk", "Field West"}
    assert set(top_deals(within(company, allowed), picked.period_end, 99)["rep_id"]) == {"r1", "r2"}


def test_a_rep_sees_himself(company):
    picked = outlook(within(company, Scope.of_rep("r3")), "rep", "r3")
    assert picked.units.empty and picked.total("p50") > 0


def test_an_unknown_period_or_an_empty_forecast_is_said_so(company):
    with pytest.raises(NotEnoughDataError):
        outlook(company, "company", "", "1999-Q1")
    empty = {name: frame.iloc[:0] for name, frame in company.items()}
    with pytest.raises(NotEnoughDataError):
        outlook(empty, "company", "")


def test_deals_come_by_expected_value_and_those_without_amount_last(company):
    tables = dict(company)
    deals = company["deal_scores"].copy()
    deals.loc[deals.index[0], ["amount", "expected_amount"]] = np.nan
    tables["deal_scores"] = deals
    ordered = top_deals(tables, pd.Timestamp("2026-09-30"), n=len(deals))
    assert ordered["expected_value"].dropna().is_monotonic_decreasing
    assert ordered["opportunity_id"].iloc[-1] == "D000"


def test_the_chances_of_the_quotas_follow_the_parts(company):
    o = outlook(company, "company", "")
    quotas = {"standard": float(o.draws["total"].median())}
    assert chances(o.draws, o.parts, o.parts, quotas)["standard"] == pytest.approx(0.5, abs=0.01)
    more = o.parts.copy()
    more.loc[["open", "not_yet_created"], "mean"] *= 1.3
    assert chances(o.draws, o.parts, more, quotas)["standard"] > 0.5
    less = o.parts.copy()
    less.loc[[part for part in less.index if part != "closed"], "mean"] = 0.0
    assert chances(o.draws, o.parts, less, quotas)["standard"] == 0.0


def test_controls_speak_as_factors_days_and_people():
    values = {"win_rate": -10, "slip_days": 14, "new_business": 20, "hires": 2, "price": 5}
    assert assumptions(values) == {"win_rate": 0.9, "slip_days": 14.0, "new_business": 1.2, "hires": 2.0, "price": 1.05}
    assert assumptions({name: start for name, (start, *_) in CONTROLS.items()}) == {
        "win_rate": 1.0, "slip_days": 0.0, "new_business": 1.0, "hires": 0.0, "price": 1.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("probability", "word"),
    [(0.9, "very_likely"), (0.7, "likely"), (0.5, "even"), (0.2, "unlikely"), (0.0, "very_unlikely")],
)
def test_a_probability_has_one_word(probability, word):
    assert likelihood(probability) == word


def test_the_months_of_a_period_add_up_to_it(company):
    t = Translator("tr", currency="USD", time_zone="UTC")
    page = Page(SimpleNamespace(), t, company, outlook(company, "company", ""))
    months = page.months()
    assert months["period"].tolist() == ["2026-07", "2026-08", "2026-09"]
    assert months["mean"].sum() == pytest.approx(page.outlook.total("mean"))
    assert months["closed"].sum() == pytest.approx(page.outlook.closed)
    shown = str(months_section(page))
    assert all(t.period(month) in shown for month in months["period"])
    none = replace(page, tables=company | {"forecast_quantiles": company["forecast_quantiles"].iloc[:0]})
    assert months_section(none) == "" and "months" in none.absent()


def test_a_page_whose_data_are_out_of_date_says_so_first(company, tmp_path):
    picked, t = outlook(company, "company", ""), Translator("tr", currency="USD", time_zone="UTC")
    old = SimpleNamespace(stale=Stale(date(2026, 6, 30), 104))
    page = SimpleNamespace(
        t=t, outlook=picked, unit="Northwind", absent=lambda: (), session=old, tables=company, units=frozenset()
    )
    assert hero(page).startswith('<aside class="stale" role="note">') and "104" in hero(page)
    settings = Settings.model_validate({"freshness": {"max_age_days": 3}})
    manifest = Manifest("r", date(2026, 6, 30), "d", "c")
    opened = Session(Workspace(tmp_path, settings), None, SimpleNamespace(manifest=manifest))
    assert opened.stale is not None and opened.stale.last_day == date(2026, 6, 30)  # by today's date
    fresh = Session(Workspace(tmp_path, Settings()), None, SimpleNamespace(manifest=manifest))
    assert fresh.stale is None


def test_the_unit_in_the_address_is_shown_with_its_own_deals_only_where_it_is_in_scope(company, tmp_path):
    (tmp_path / "spm.toml").write_text('[company]\ncurrency = "USD"\n', encoding="utf-8")
    publish(Workspace.open(tmp_path), company, Manifest("run", date(2026, 8, 14), "0" * 64, "c" * 64))

    def shown(viewer, **asked):
        environ = {"SPM_WORKSPACE": str(tmp_path), "SPM_VIEWER": viewer, "SPM_ASKED": json.dumps(asked)}
        page = revenue_outlook(Session.open(environ)).page
        assert page is not None
        return page

    whole, mine = shown("m1"), shown("m1", unit="rep:r1")
    assert (mine.outlook.level, mine.outlook.key) == ("rep", "r1") and ("rep", "r1") in whole.units
    assert set(mine.tables["deal_scores"]["rep_id"]) <= {"r1"} < set(whole.tables["deal_scores"]["rep_id"])
    for foreign in ("rep:r3", "company:", "team:nobody", "rep", "x"):
        page = shown("m1", unit=foreign)
        assert (page.outlook.level, page.outlook.key) == ("manager", "m1")
    assert shown("m1", period="1999-Q1").outlook.period == whole.outlook.period
    assert whole.may_submit and not mine.may_submit and shown("r1").may_submit
