"""Customers: what they cost, bring, renew and buy besides, worked by hand and by a textbook's example."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import pytest

from spm_models import kpis
from spm_models.kpis import customers
from spm_models.periods import FiscalCalendar

AS_OF = date(2026, 6, 30)
QUARTER = FiscalCalendar().quarter(AS_OF)


def _deal(name, account, closed, amount=100, product="p1", kind="new", status="won"):
    return {"opportunity_id": name, "rep_id": "r1", "account_id": account, "product_id": product, "kind": kind,
            "status": status, "stage": status, "amount": amount, "created_on": date(2024, 1, 1),
            "closed_on": closed}  # fmt: skip


def _contract(name, account, start, end, value=100, deal=None):
    return {"contract_id": name, "account_id": account, "started_on": start, "ended_on": end, "annual_value": value,
            "opportunity_id": deal}  # fmt: skip


def _of(tables, names=None, **how):
    return kpis.compute(tables, names, **{"period": QUARTER, "as_of": AS_OF} | how).set_index("kpi")


@pytest.fixture
def tables(tables_of):
    spring, old = date(2026, 5, 4), date(2025, 5, 4)
    return tables_of({
        "reps": [{"rep_id": "r1"}],
        "accounts": [{"account_id": "old", "segment": "big"}, {"account_id": "friend", "referred_by_account_id": "old"},
                     {"account_id": "stranger", "referred_by_account_id": "nobody"}],
        "opportunities": [
            _deal("1", "old", old, 100), _deal("2", "old", spring, 300, "p2"),  # another product
            _deal("3", "friend", spring, 50), _deal("4", "stranger", spring, 70),
            _deal("5", "loyal", old, 200), _deal("6", "loyal", spring, 200),  # the same again
            _deal("7", "grown", old, 10), _deal("8", "grown", spring, 20, kind="upsell"),
            _deal("9", "lost", spring, status="lost"), _deal("10", "july", date(2026, 7, 2)),
        ],
        "costs": [{"month": date(2026, month, 1), "category": name, "amount": amount}
                  for month, name, amount in ((4, "salaries", 500), (5, "marketing", 90), (6, "travel", 10),
                                              (3, "salaries", 999), (7, "salaries", 999))],
    }, AS_OF)  # fmt: skip


def test_new_customers_and_what_they_cost(tables):
    found = _of(tables)["value"]
    assert found["new_customers"] == 2 and found["referral_customers"] == 1
    assert found["acquisition_cost"] == 600 / 2
    with pytest.raises(Exception, match="cannot be told so"):
        _of(tables, ["acquisition_cost"], period=FiscalCalendar().week(AS_OF))


def test_lifetime_revenue_is_all_that_was_sold(tables):
    found = _of(tables, ["lifetime_revenue"])
    assert found["value"].item() == (400 + 50 + 70 + 400 + 30) / 5
    first = _of(tables, ["lifetime_revenue"], period=FiscalCalendar().parse("2025-Q2"))
    assert first["value"].item() == (100 + 200 + 10) / 3
    by = kpis.compute(tables, ["lifetime_revenue"], by="segment", period=QUARTER, as_of=AS_OF).set_index("segment")
    assert by["value"]["big"] == 400


def test_customers_at_the_start_who_bought_something_else_or_more(tables):
    found = _of(tables)
    assert found.loc["cross_sell_rate", ["numerator", "denominator"]].tolist() == [1, 3]
    assert found.loc["upsell_rate", ["numerator", "denominator"]].tolist() == [1, 3]


def test_what_follows_a_contract_is_kept_gross_and_net(tables_of):
    end = date(2026, 4, 30)
    tables = tables_of({
        "reps": [{"rep_id": "r1"}], "opportunities": [_deal("x", "grows", date(2025, 4, 30))],
        "contracts": [
            _contract("a1", "grows", date(2025, 5, 1), end), _contract("a2", "grows", date(2026, 5, 1), None, 150, "x"),
            _contract("b1", "shrinks", date(2025, 5, 1), end), _contract("b2", "shrinks", date(2026, 4, 15), None, 60),
            _contract("c1", "leaves", date(2025, 4, 1), date(2026, 3, 31)),  # in the quarter before
            _contract("d1", "gone", date(2025, 4, 2), date(2026, 4, 1), 40),
            _contract("e1", "stays with another", date(2025, 5, 1), end, 30),
            _contract("e2", "stays with another", date(2024, 5, 1), None, 70),
            _contract("f1", "undecided", date(2025, 6, 1), date(2026, 5, 31), 500),
            _contract("g1", "quick", date(2025, 6, 1), date(2026, 5, 31), 500),
            _contract("g2", "quick", date(2026, 7, 1), None, 500),
        ],
    }, AS_OF)  # fmt: skip
    found = _of(tables, as_of=date(2026, 7, 29))
    # 90 days are over: grows, shrinks, stays with another, gone; not over: undecided, and quick though he has renewed
    assert found.loc["customer_retention", ["numerator", "denominator"]].tolist() == [3, 4]
    assert found.loc["gross_revenue_retention", ["numerator", "denominator"]].tolist() == [100 + 60, 270]
    assert found.loc["net_revenue_retention", "value"] == pytest.approx((150 + 60) / 270)
    # running on 30 June: a2 150, b2 60, e2 70
    assert found.loc["annual_contract_value", "value"] == pytest.approx(280 / 3)
    assert found.loc["annual_value_per_customer", "value"] == pytest.approx(280 / 3)
    expected = 0.7 * 280 / 3 * sum((0.75 / 1.1) ** year for year in range(1, 6))
    assert found.loc["expected_lifetime_value", "value"] == pytest.approx(expected)
    assert found.loc["upsell_rate", "numerator"] == 1  # grows: 150 after 100


def test_a_textbook_example_of_expected_lifetime_value(monkeypatch):
    """Gupta and Lehmann: at 90 % retention and 12 % discount a margin is worth 4.09 times itself, without an end."""
    monkeypatch.setattr(customers, "MARGIN", 1.0)
    monkeypatch.setattr(customers, "DISCOUNT", 0.12)
    monkeypatch.setattr(customers, "HORIZON", 400)
    value = customers._expected({"customer_retention": 0.9, "annual_value_per_customer": 1.0})
    assert value == pytest.approx(0.9 / (1 + 0.12 - 0.9), abs=1e-6)
    assert value == pytest.approx(4.09, abs=0.005)


def test_retention_of_a_quarter_is_not_only_that_of_those_who_renew_at_once(tables_of):
    """Seven of ten renew on the next day: the others, who might still, must not be left out alone."""
    contracts = []
    for n in range(300):
        end = date(2026, 4, 1) + timedelta(days=n * 91 // 300)
        contracts.append(_contract(f"a{n}", f"c{n}", date(2025, 5, 1), end))
        if n % 10 < 7:
            contracts.append(_contract(f"b{n}", f"c{n}", end + timedelta(days=1), None))
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": [_deal("x", "x", None, status="open")],
                        "contracts": contracts}, AS_OF)  # fmt: skip
    for day, known in ((date(2026, 7, 31), 0.3), (date(2026, 9, 28), 1.0)):
        found = _of(tables, ["customer_retention", "net_revenue_retention"], as_of=day)
        assert found.loc["customer_retention", "denominator"] >= known * 300
        assert found["value"].tolist() == pytest.approx([0.7, 0.7], abs=0.025)


def test_contracts_that_follow_one_another_count_once(tables_of):
    months = [date(2026, month, 1) for month in range(1, 13)]
    monthly = [_contract(f"m{n}", "monthly", day, following - timedelta(days=1))
               for n, (day, following) in enumerate(pairwise(months))]  # fmt: skip
    chain = [_contract("a", "chain", date(2025, 4, 11), date(2026, 4, 10)),
             _contract("b", "chain", date(2026, 4, 11), date(2026, 6, 20)),
             _contract("c", "chain", date(2026, 6, 21), None)]  # fmt: skip
    both = [_contract("p", "both", date(2025, 4, 11), date(2026, 4, 10), 30),  # side by side: both are due
            _contract("q", "both", date(2025, 6, 1), date(2026, 5, 31), 70),
            _contract("r", "both", date(2026, 6, 1), None, 90)]  # fmt: skip
    tables = tables_of({"reps": [{"rep_id": "r1"}], "opportunities": [_deal("x", "x", None, status="open")],
                        "contracts": [*monthly, *chain, *both]}, date(2026, 11, 30))  # fmt: skip
    found = _of(tables, ["gross_revenue_retention", "net_revenue_retention"], as_of=date(2026, 11, 30))
    assert found["numerator"].tolist() == [290, 290] and found["denominator"].tolist() == [300, 300]
    may = _of(tables, ["net_revenue_retention"], period=FiscalCalendar().parse("2026-05"), as_of=date(2026, 11, 30))
    assert may[["numerator", "denominator"]].values.tolist() == [[100 + 90, 100 + 70]]


def test_what_the_source_does_not_say_is_not_counted_as_nothing(tables_of):
    tables = tables_of({
        "reps": [{"rep_id": "r1"}],
        "accounts": [{"account_id": "a", "referred_by_account_id": "a"}],  # by itself
        "opportunities": [_deal("1", "a", date(2026, 5, 10))],
        "contracts": [_contract("c", "a", date(2026, 5, 1), None, 100, "1"),  # signed before the deal was closed
                      _contract("d", "b", date(2025, 5, 1), None, None)],
        "costs": [{"month": date(2025, 1, 1), "category": "salaries", "amount": 900}],  # nothing booked since
    }, AS_OF)  # fmt: skip
    found = _of(tables)["value"]
    assert found["referral_customers"] == 0
    assert found["annual_value_per_customer"] == found["annual_contract_value"] == 100
    assert "acquisition_cost" not in found
    assert _of(tables, ["new_customers"], by="rep").set_index("rep")["value"].to_dict() == {"r1": 1}
