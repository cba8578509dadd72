from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spm_models.errors import MoneyError
from spm_models.money import Rates, allocate, minor_units, money, rounded, to_company

RATES = Rates.of(
    [(date(2026, 6, 1), "EUR", "45.5"), (date(2026, 1, 1), "EUR", "40.1"), (date(2026, 1, 1), "USD", "36")], "TRY"
)
cents = st.decimals(Decimal("-1e12"), Decimal("1e12"), places=2)
weights = st.lists(st.integers(0, 10**6) | st.floats(0, 1e6), min_size=1, max_size=12).filter(lambda w: sum(w) > 0)


@given(cents, weights)
def test_shares_sum_to_the_cent_and_lie_next_to_their_ideal(total, by):
    shares = allocate(total, by)
    assert sum(shares) == total
    whole = sum(money(weight) for weight in by)
    for share, weight in zip(shares, by, strict=True):
        assert abs(share - total * money(weight) / whole) < Decimal("0.0100001")
        assert share == 0 if weight == 0 else share * total >= 0


@given(cents, weights, st.integers(1, 50))
def test_shares_do_not_depend_on_the_unit_of_the_weights(total, by, factor):
    assert allocate(total, [money(weight) * factor for weight in by]) == allocate(total, by)


def test_odd_cents_go_to_the_largest_remainder_then_to_the_first():
    assert allocate(money("0.05"), [1, 1]) == [Decimal("0.03"), Decimal("0.02")]
    assert allocate(money("-10.00"), [0, 1, 2]) == [Decimal("0.00"), Decimal("-3.33"), Decimal("-6.67")]
    assert allocate(money(100), [1, 1, 1], places=0) == [34, 33, 33]


@pytest.mark.parametrize(
    ("total", "by"), [("1.00", []), ("1.00", [0, 0]), ("1.00", [1, -1]), ("1.001", [1]), ("1", [float("nan")])]
)
def test_what_cannot_be_shared_is_refused(total, by):
    with pytest.raises(MoneyError):
        allocate(money(total), by)


def test_rates_hold_until_the_next_one():
    days = [date(2026, 1, 1), date(2026, 5, 31), date(2026, 6, 1), date(2030, 1, 1)]
    assert [RATES.rate("EUR", day) for day in days] == [Decimal("40.1")] * 2 + [Decimal("45.5")] * 2
    assert RATES.rate("TRY", date(1990, 1, 1)) == 1
    assert rounded(RATES.convert(money(72), "EUR", date(2026, 7, 1), to="USD")) == money(91)


@pytest.mark.parametrize(("currency", "day"), [("EUR", date(2025, 12, 31)), ("GBP", date(2026, 6, 1))])
def test_without_a_rate_there_is_no_amount(currency, day):
    with pytest.raises(MoneyError, match=f"no rate from {currency} to TRY") as caught:
        RATES.convert(money(1), currency, day)
    assert caught.value.values["currency"] == currency


def test_rates_may_grow_too_old():
    rates = Rates(RATES.currency, RATES.dated, timedelta(days=30))
    assert rates.rate("USD", date(2026, 1, 31)) == 36
    with pytest.raises(MoneyError):
        rates.rate("USD", date(2026, 2, 1))


@pytest.mark.parametrize(
    "rows", [[("EUR", 0)], [("EUR", -1)], [("EUR", "x")], [("EUR", 1), ("EUR", 2)], [("EUR", float("inf"))]]
)
def test_rates_that_cannot_be_are_refused(rows):
    with pytest.raises(MoneyError):
        Rates.of([(date(2026, 1, 1), *row) for row in rows], "TRY")


def test_columns_are_converted_exactly_and_keep_their_index():
    deals = pd.DataFrame(
        {"amount": [Decimal("0.1"), 100, None, 3.3], "currency": ["EUR", None, "EUR", "USD"],
         "closed_on": pd.to_datetime(["2026-06-01", None, "2026-06-01", "2026-03-01"])},
        index=[5, 6, 7, 8],
    )  # fmt: skip
    converted = to_company(deals, RATES, amount="amount", currency="currency", day="closed_on")
    assert converted.tolist() == [Decimal("4.5500"), Decimal("100.0000"), None, Decimal("118.8000")]
    assert converted.index.tolist() == [5, 6, 7, 8]


def test_a_foreign_amount_without_a_day_is_refused():
    frame = pd.DataFrame({"a": [1.0], "c": ["EUR"], "d": pd.to_datetime([None])})
    with pytest.raises(MoneyError, match="without a day"):
        to_company(frame, RATES, amount="a", currency="c", day="d")


@pytest.mark.parametrize(("currency", "day"), [("GBP", "2026-06-01"), ("EUR", "2025-01-01")])
def test_a_column_with_an_amount_without_rate_is_refused(currency, day):
    frame = pd.DataFrame({"a": [1.0], "c": [currency], "d": pd.to_datetime([day])})
    with pytest.raises(MoneyError, match=currency):
        to_company(frame, RATES, amount="a", currency="c", day="d")


def test_rounding_is_commercial_and_currencies_know_their_decimals():
    assert [str(rounded(money(text))) for text in ("0.125", "0.135", "-0.125")] == ["0.13", "0.14", "-0.13"]
    assert rounded(money("123456789012345678.9"), 4) == money("123456789012345678.9")
    assert [minor_units(code) for code in ("TRY", "JPY", "KWD")] == [2, 0, 3]


@pytest.mark.parametrize("value", ["", "1.234,50", "nan", float("inf"), "abc"])
def test_what_is_no_amount_is_refused(value):
    with pytest.raises(MoneyError):
        money(value)
