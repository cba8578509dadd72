"""Meetings, stage conversion, required coverage, velocity and tiers, worked by hand."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial, partialmethod

import pytest

from spm_models import kpis
from spm_models.errors import SpmError
from spm_models.periods import FiscalCalendar

AS_OF = date(2026, 6, 30)
QUARTER = FiscalCalendar().quarter(AS_OF)


def _deal(name, status, created, closed=None, amount=100, rep="r1", **more):
    return {"opportunity_id": name, "rep_id": rep, "status": status, "stage": status, "amount": amount,
            "created_on": created, "closed_on": closed, **more}  # fmt: skip


def _change(name, field, at, new, old=None):
    return {"opportunity_id": name, "changed_at": at, "field": field, "old": old, "new": new}


def _counted(run, method, backend, *args, **named):
    run.append(method.__name__)
    return method(backend, *args, **named)


def _values(tables, names, **how):
    found = kpis.compute(tables, names, as_of=AS_OF, **{"period": QUARTER} | how)
    return found.set_index(["kpi", *[c for c in found if c in kpis.DIMENSIONS]])["value"]


def test_meetings_count_up_to_the_close_and_lost_deals_cost_some_too(tables_of):
    meetings = [("won", 4), ("won", 5), ("won", 7), ("lost", 4), ("lost", 4), ("lost", 5), ("bare", None)]
    tables = tables_of({
        "reps": [{"rep_id": "r1"}],
        "opportunities": [
            _deal("won", "won", date(2026, 3, 1), date(2026, 6, 1)),
            _deal("lost", "lost", date(2026, 3, 1), date(2026, 6, 1)),
            _deal("bare", "won", date(2026, 3, 1), date(2026, 6, 1)),
        ],
        "activities": [
            {"activity_id": str(n), "rep_id": "r1", "opportunity_id": deal, "kind": "meeting",
             "happened_at": datetime(2026, month, 2) if month else None}
            for n, (deal, month) in enumerate(meetings)
        ],
    }, AS_OF)  # fmt: skip
    found = _values(tables, ["meetings_per_win", "win_rate_after_meeting", "first_contact_to_win"])
    assert found["meetings_per_win"] == 5 / 2  # the one of July came after the close, the planned one never
    assert found["win_rate_after_meeting"] == 1 / 2
    assert found["first_contact_to_win"] == 60  # 2 April to 1 June


def test_a_stage_is_left_upwards_or_lost_or_not_yet(tables_of):
    """Of the four that reached demo: a moved up on day 10, b was lost on day 20, c skipped it, d still stands there."""

    def rows(name, *moves):
        return [_change(name, "stage", datetime(2026, 4, day), stage) for day, stage in moves]

    tables = tables_of({
        "reps": [{"rep_id": "r1"}],
        "opportunities": [
            _deal("a", "open", date(2026, 4, 1)), _deal("b", "lost", date(2026, 4, 1), date(2026, 4, 25)),
            _deal("c", "won", date(2026, 4, 1), date(2026, 5, 25)), _deal("d", "open", date(2026, 4, 1)),
        ],
        "opportunity_history": [
            *rows("a", (1, "lead"), (5, "demo"), (15, "offer")), *rows("b", (1, "lead"), (5, "demo")),
            *rows("c", (1, "lead"), (8, "offer")), *rows("d", (1, "lead"), (9, "demo")),
        ],
    }, AS_OF, stages=("lead", "demo", "offer"))  # fmt: skip
    found = _values(tables, ["stage_conversion"], by="stage")
    assert found["stage_conversion", "lead"] == 1.0  # each of the four got on
    # c at once (1/4), a on day 10 (another 1/4), then b is lost while d is still there
    assert found["stage_conversion", "demo"] == pytest.approx(0.5)
    assert found["stage_conversion", "offer"] == 0.5  # c was won while a was still there
    sizes = kpis.compute(tables, ["stage_conversion"], by="stage", period=QUARTER, as_of=AS_OF)
    assert sizes.set_index("stage")["denominator"].to_dict() == {"lead": 4, "demo": 3, "offer": 1}


def test_without_known_stages_there_is_no_conversion(tables_of):
    tables = tables_of({
        "reps": [{"rep_id": "r1"}], "opportunities": [_deal("a", "open", date(2026, 4, 1))],
        "opportunity_history": [_change("a", "amount", datetime(2026, 4, 1, 9), "100")],
    }, AS_OF)  # fmt: skip
    found = kpis.levels(tables, QUARTER, as_of=AS_OF)
    assert "stage_conversion" not in set(found["kpi"]) and "open_deals" in set(found["kpi"])


def test_required_coverage_is_what_past_pipelines_were_worth_for_each_unit_won(tables_of):
    deals, changes = [], []
    # two quarters before: open on their eve and due in them, 400 and 600 of value; won of it in time 250
    for name, amount, due, status, closed in (
        ("a", 100, "2026-02-01", "won", date(2026, 2, 10)), ("b", 300, "2026-02-01", "lost", date(2026, 2, 10)),
        ("c", 150, "2025-11-01", "won", date(2025, 12, 10)), ("d", 450, "2025-11-01", "won", date(2026, 6, 1)),
        ("e", 999, "2026-08-01", "open", None),  # never due in a past quarter
    ):  # fmt: skip
        deals.append(_deal(name, status, date(2025, 9, 1), closed, amount))
        at = datetime(2025, 9, 1, 12)
        changes += [_change(name, "amount", at, str(amount)), _change(name, "expected_close_on", at, due),
                    _change(name, "stage", at, "demo"), _change(name, "rep_id", at, "r1")]  # fmt: skip
    tables = tables_of(
        {"reps": [{"rep_id": "r1"}], "opportunities": deals, "opportunity_history": changes}, AS_OF, stages=("demo",)
    )
    found = kpis.compute(tables, ["required_coverage"], period=QUARTER, as_of=AS_OF)
    assert found[["numerator", "denominator", "value"]].values.tolist() == [[1000, 250, 4.0]]
    ahead = kpis.compute(tables, ["required_coverage"], period=QUARTER.next(), as_of=AS_OF)
    assert ahead["value"].item() == 4.0  # known before the quarter begins
    far = kpis.levels(tables, FiscalCalendar().parse("2030-Q1"), as_of=AS_OF)  # of the last finished quarters
    assert far.loc[(far["kpi"] == "required_coverage") & (far["level"] == "company"), "value"].item() == 4.0


def test_velocity_multiplies_its_parts_and_their_uncertainties(tables_of):
    deals = [_deal(f"w{n}", "won", date(2026, 3, 1), date(2026, 5, 1 + n), 100) for n in range(6)]
    deals += [_deal(f"l{n}", "lost", date(2026, 3, 1), date(2026, 5, 20)) for n in range(6)]
    deals += [_deal(f"o{n}", "open", date(2026, 6, 1)) for n in range(4)]
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": deals}, AS_OF)
    names = ["pipeline_velocity", "open_deals", "win_rate", "average_deal_value", "sales_cycle"]
    table = kpis.compute(tables, names, period=QUARTER, as_of=AS_OF).set_index("kpi")
    value = table["value"]
    assert value["pipeline_velocity"] == pytest.approx(4 * 0.5 * 100 / value["sales_cycle"])
    row, rate = table.loc["pipeline_velocity"], table.loc["win_rate"]
    assert row["low"] / row["value"] <= rate["low"] / rate["value"] < 1 < row["high"] / row["value"]
    assert kpis.compute(tables, ["pipeline_velocity"], period=QUARTER, as_of=AS_OF)["kpi"].tolist() == [
        "pipeline_velocity"
    ]


def test_velocity_has_no_interval_where_a_part_has_none(tables_of):
    """One win: 1 open deal × 1 × 100 / 60 days; nobody knows how far its amount is from that of others."""
    deals = [_deal("w", "won", date(2026, 4, 1), date(2026, 5, 31)), _deal("o", "open", date(2026, 6, 1))]
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": deals}, AS_OF)
    row = kpis.compute(tables, ["pipeline_velocity"], period=QUARTER, as_of=AS_OF).iloc[0]
    assert row["value"] == pytest.approx(100 / 60)
    assert row[["low", "high"]].isna().all()


def test_each_tier_has_a_quota_and_a_deviation(tables_of):
    quotas = [
        {"owner_kind": "rep", "owner_id": "r1", "period_start": date(2026, 4, 1), "period_end": date(2026, 6, 30),
         "tier": tier, "amount": amount, "set_on": date(2026, 3, 1)}
        for tier, amount in (("minimum", 80), ("standard", 100), ("maximum", 125))
    ]  # fmt: skip
    won = [_deal("w", "won", date(2026, 4, 1), date(2026, 5, 1), 100)]
    found = _values(tables_of({"reps": [{"rep_id": "r1"}], "opportunities": won, "quotas": quotas}, AS_OF), None)
    assert found[["quota_minimum", "quota", "quota_maximum"]].tolist() == [80, 100, 125]
    deviations = ["deviation_from_minimum", "target_deviation", "deviation_from_maximum"]
    assert found[deviations].tolist() == pytest.approx([0.25, 0.0, -0.2])
    month = FiscalCalendar().month(date(2026, 5, 1))
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": won, "quotas": quotas}, AS_OF)
    monthly = _values(tables, ["quota", "target_deviation"], period=month)
    assert monthly["quota"] == pytest.approx(100 * 31 / 91)


def test_dimensions_cross_and_what_is_not_known_is_said(tables_of):
    tables = tables_of({
        "reps": [{"rep_id": "r1", "team": "A"}, {"rep_id": "r2", "team": "B"}],
        "accounts": [{"account_id": "a1", "segment": "small", "industry": "retail"},
                     {"account_id": "a2", "segment": "enterprise"}],
        "products": [{"product_id": "p1", "family": "core"}],
        "opportunities": [
            _deal("1", "won", date(2026, 4, 1), date(2026, 5, 1), 100, account_id="a1", product_id="p1"),
            _deal("2", "won", date(2026, 4, 1), date(2026, 5, 1), 300, account_id="a2", product_id="p9"),
            _deal("3", "won", date(2026, 4, 1), date(2026, 5, 1), 500, "r2", account_id="a2", product_id="p1"),
            _deal("4", "lost", date(2026, 4, 1), date(2026, 5, 1), 500, "r2"),
        ],
    }, AS_OF)  # fmt: skip
    found = _values(tables, ["average_deal_value", "win_rate"], by=["team", "segment"])
    assert found["average_deal_value", "A", "small"] == 100
    assert found["average_deal_value", "A", "enterprise"] == 300
    assert found["average_deal_value", "B", "enterprise"] == 500
    assert found["win_rate", "B", "unknown"] == 0
    families = _values(tables, ["average_deal_value"], by="family")
    assert families.to_dict() == {("average_deal_value", "core"): 300, ("average_deal_value", "unknown"): 300}
    crossed = _values(tables, ["average_deal_value"], by=["rep", "family"])["average_deal_value"]
    assert crossed.to_dict() == {("r1", "core"): 100, ("r1", "unknown"): 300, ("r2", "core"): 500}
    with pytest.raises(SpmError, match="cannot be told so"):
        kpis.compute(tables, ["revenue"], by="queue", period=QUARTER, as_of=AS_OF)


def test_facts_are_read_once_however_many_kpis_and_periods_are_asked(tables_of, monkeypatch):
    deals = [_deal(f"w{n}", "won", date(2026, 1, 1), date(2026, 1 + n, 15)) for n in range(6)]
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": deals}, AS_OF)
    run: list[str] = []
    for name in ("execute", "_create_cached_table"):  # what is fetched, and what is kept in the database
        counted = partial(_counted, run, getattr(type(tables.backend), name))
        monkeypatch.setattr(type(tables.backend), name, partialmethod(counted))

    def queries(names, period):
        run.clear()
        kpis.levels(tables, period, as_of=AS_OF, kpis=names)
        return len(run)

    names = ["revenue", "win_rate", "loss_rate", "deals_won", "deals_lost", "average_ticket", "deals_closed"]
    months = FiscalCalendar().periods("month", date(2026, 1, 1), AS_OF)
    once = queries(names[:1], QUARTER)
    assert once > 0
    assert queries(names, QUARTER) == once
    assert queries(names, months) == once
