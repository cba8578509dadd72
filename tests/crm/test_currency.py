"""Amounts in the company's currency: exact, by the rate of the day, or rejected."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spm_models import crm

HEADER = "opportunity_id,rep_id,created_on,closed_on,status,amount,currency\n"
RATES = "day,currency,rate\n2026-01-01,EUR,1.1\n2026-02-01,EUR,1.2\n2026-01-10,TRY,0.03\n"


def test_the_rate_of_the_closing_day_else_of_creation(load):
    rows = (
        "o1,r1,2026-01-05,2026-01-31,won,100,EUR\n"
        "o2,r1,2026-01-05,2026-02-01,won,100,eur\n"
        "o3,r1,2026-01-05,,open,100,EUR\n"
        "o4,r1,2026-01-05,,open,100,USD\n"
        "o5,r1,2026-01-05,,open,100,\n"
        "o6,r1,,,open,100,EUR\n"
    )
    result = load(opportunities=HEADER + rows, exchange_rates=RATES)
    assert result.column("amount_company") == [Decimal(text) for text in ("110", "120", "110", "100", "100", "120")]


def test_large_amounts_and_rates_do_not_overflow(load):
    rates = "day,currency,rate\n2026-01-01,EUR,41.3588\n"
    result = load(opportunities=HEADER + "o1,r1,2026-01-05,,open,99999999999,EUR\n", exchange_rates=rates)
    assert result.column("amount_company") == [Decimal("4135879999958.6412")]


def test_an_amount_without_a_rate_is_rejected(load):
    rows = "o1,r1,2026-01-05,,open,100,TRY\no2,r1,2026-01-12,,open,100,TRY\no3,r1,2026-01-12,,open,,GBP\n"
    result = load(opportunities=HEADER + rows + "o4,r1,2026-01-12,,open,1,dollars\n", exchange_rates=RATES)
    assert result.column("amount_company") == [Decimal("3"), None]
    assert result.found() == {
        ("currency", "currency_without_rate", "error", 1),
        ("currency", "not_accepted", "error", 1),
    }


def test_without_rates_only_the_company_s_currency_is_taken(load):
    result = load(opportunities=HEADER + "o1,r1,2026-01-05,,open,100,EUR\no2,r1,2026-01-05,,open,7,USD\n")
    assert result.column("opportunity_id") == ["o2"]


def test_quotas_costs_and_list_prices_are_converted_too(load):
    quotas = (
        "owner_kind,owner_id,period_start,period_end,tier,amount,currency,set_on\n"
        "rep,r1,2026-01-01,2026-03-31,standard,1000,EUR,2025-12-01\n"
    )
    products = "product_id,list_price,currency\np1,10,EUR\np2,10,GBP\n"
    result = load(quotas=quotas, products=products, exchange_rates=RATES)
    assert result.column("amount_company", "quotas") == [Decimal("1100")]
    assert result.column("list_price_company", "products") == [Decimal("12"), None]
    assert result.found("products") == {("currency", "currency_without_rate", "warning", 1)}


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.decimals(0, 10**9, places=4), min_size=1, max_size=5), st.decimals("0.0001", 1000, places=6))
def test_conversion_is_exact(company, amounts, rate):
    rows = "".join(f"o{i},r1,2026-01-05,,open,{amount:f},EUR\n" for i, amount in enumerate(amounts))
    workspace = company(opportunities=HEADER + rows, exchange_rates=f"day,currency,rate\n2026-01-01,EUR,{rate:f}\n")
    con = crm.load(workspace, run_id="t").tables.backend.con
    found = [row[0] for row in con.execute("SELECT amount_company FROM opportunities").fetchall()]
    exact = [(amount * rate) for amount in amounts]
    assert all(abs(a - b) <= Decimal("0.00005") for a, b in zip(found, exact, strict=True))
    assert date(2026, 1, 5) == con.execute("SELECT created_on FROM opportunities").fetchone()[0]
