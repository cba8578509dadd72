"""Amounts as people write them in three languages; what could mean two things is refused."""

from __future__ import annotations

from decimal import Decimal

import pytest

from spm_models.errors import MoneyError
from spm_models.money import parse_amount


@pytest.mark.parametrize(
    ("text", "locale", "currency", "amount"),
    [("1200000", "tr", "TRY", "1200000"), ("1.200.000", "tr", "TRY", "1200000"), ("1.200,5", "tr", "TRY", "1200.5"),
     ("₺1.200", "tr", "TRY", "1200"), ("1 200 TL", "tr", "TRY", "1200"), ("1,200,000.50", "en", "USD", "1200000.50"),
     ("$1,200", "en", "USD", "1200"), ("USD 1 200.00", "en", "USD", "1200.00"), ("1.200", "en", "KWD", "1.200"),
     ("١٢٠٠", "ar", "SAR", "1200"), ("1,200.5", "ar", "SAR", "1200.5"), ("\u200f1,200", "ar", "SAR", "1200"),
     ("-5", "en", "USD", "-5"), ("−5", "en", "USD", "-5"), ("5000", "en", "JPY", "5000")],
)  # fmt: skip
def test_understood(text: str, locale: str, currency: str, amount: str) -> None:
    assert parse_amount(text, locale, currency) == Decimal(amount)


@pytest.mark.parametrize(
    ("text", "locale", "currency"),
    [("1,200", "tr", "TRY"), ("1.200", "en", "USD"), ("1.234,56", "en", "USD"), ("12,00", "en", "USD"),
     ("1.2.3", "tr", "TRY"), ("1e6", "en", "USD"), ("", "en", "USD"), ("inf", "en", "USD"), ("5.5", "en", "JPY"),
     ("1,2000", "en", "USD"), ("--5", "en", "USD"), ("½", "en", "USD"), ("5 EUR", "en", "USD"), (".", "en", "USD")],
)  # fmt: skip
def test_refused(text: str, locale: str, currency: str) -> None:
    with pytest.raises(MoneyError):
        parse_amount(text, locale, currency)
