"""Amounts that add up: exact decimals, rates of a day, and shares that sum to the cent.

Money is :class:`decimal.Decimal` here and DECIMAL(18, 4) in the warehouse; models work on floats, and nothing that
is shown to the cent comes from them.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

import numpy as np
import pandas as pd
from babel.numbers import get_currency_precision, get_currency_symbol

from spm_models.errors import MoneyError

_PRECISION = 50  # digits of intermediate results: amounts of 18 digits times rates of 18


def money(value: Decimal | int | float | str) -> Decimal:
    """An exact amount; a float counts as the digits it is written with.

    Raises
    ------
    MoneyError
        When it is no finite number.

    Examples
    --------
    >>> money(0.1) + money("0.2") == money("0.3")
    True
    """
    try:
        amount = value if isinstance(value, Decimal) else Decimal(str(value))
    except InvalidOperation as error:
        raise MoneyError("This is not an amount", found=value, remedy="Give digits with a decimal point.") from error
    if not amount.is_finite():
        raise MoneyError("This is not an amount", found=value, remedy="Leave unknown amounts empty.")
    return amount


def minor_units(currency: str) -> int:
    """Decimals of a currency (ISO 4217): 2 for TRY, 0 for JPY, 3 for KWD."""
    return int(get_currency_precision(currency))


def parse_amount(text: str, locale: str, currency: str) -> Decimal:
    """An amount as a person writes it in a language: ``1.200.000,50`` in Turkish, ``1,200,000.50`` in English.

    Digits of any script, the thousands separator of the language or a space, and the currency's code or symbol are
    understood; what could mean two amounts is refused.

    Raises
    ------
    MoneyError
        When it is no amount in this language, or has more decimals than the currency: ``1.200`` is no English amount
        of dollars.

    Examples
    --------
    >>> parse_amount("1.200.000,5 ₺", "tr", "TRY"), parse_amount("١٬٢٠٠٫٥٠", "ar", "SAR")
    (Decimal('1200000.5'), Decimal('1200.50'))
    """
    decimal, group = (",", ".") if locale == "tr" else (".", ",")
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    for known in (currency, *{get_currency_symbol(currency, locale=name) for name in (locale, "en")}, "TL"):
        plain = plain.removeprefix(known).removesuffix(known).strip()
    plain = plain.replace("٫", decimal).replace("٬", group).replace("−", "-")
    plain = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in plain)
    found = re.fullmatch(
        rf"(-?)(\d+|\d{{1,3}}(?:[{group}]\d{{3}})+|\d{{1,3}}(?:[ '’]\d{{3}})+)(?:[{decimal}](\d+))?", plain
    )
    if found is None:
        raise MoneyError(
            "This is not an amount", found=text,
            remedy=f"Write it like 1200000 or 1{group}200{group}000{decimal}50: thousands are set apart by {group!r}, "
            f"decimals by {decimal!r} in this language.",
        )  # fmt: skip
    decimals = found[3] or ""
    if len(decimals) > minor_units(currency):
        raise MoneyError(
            f"An amount of {currency} has no {len(decimals)} decimals", found=text,
            remedy=f"In this language {decimal!r} sets decimals apart and {group!r} thousands.",
        )  # fmt: skip
    whole = re.sub(r"\D", "", found[2])
    return Decimal(f"{found[1]}{whole}.{decimals}" if decimals else f"{found[1]}{whole}")


def rounded(amount: Decimal, places: int = 2) -> Decimal:
    """Commercial rounding, half away from zero (as Council Regulation (EC) 1103/97, article 5, has it).

    Examples
    --------
    >>> rounded(money("2.345")), rounded(money("-2.345"))
    (Decimal('2.35'), Decimal('-2.35'))
    """
    with localcontext(prec=_PRECISION):
        return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def allocate(total: Decimal, weights: Sequence[Decimal | int | float], places: int = 2) -> list[Decimal]:
    """Share an amount by weights so that the shares sum to it exactly (largest remainders; Hamilton's method).

    Parameters
    ----------
    total : Decimal
        With no more decimals than ``places``; a negative one is shared like its opposite.
    weights : sequence of numbers
        Not negative, not all zero.

    Returns
    -------
    list of Decimal
        In the order of the weights. Among equal remainders the earlier one gets the odd cent.

    Raises
    ------
    MoneyError
        When the weights share nothing, or the total cannot be paid in whole cents.

    Examples
    --------
    >>> [str(share) for share in allocate(money("100.00"), [1, 1, 1])]
    ['33.34', '33.33', '33.33']
    """
    with localcontext(prec=_PRECISION):
        exact = [money(weight) for weight in weights]
        cents = money(total).scaleb(places)
        if cents != cents.to_integral_value():
            raise MoneyError("The amount has more decimals than can be shared", found=total, remedy="Round it first.")
        if not exact or min(exact) < 0 or sum(exact) == 0:
            raise MoneyError("These weights share nothing", found=weights, remedy="Give weights ≥ 0, one of them > 0.")
        ideal = [abs(cents) * weight / sum(exact) for weight in exact]
        shares = [value.to_integral_value(ROUND_FLOOR) for value in ideal]
        left = int(abs(cents) - sum(shares))
        by_remainder = sorted(range(len(shares)), key=lambda n: (shares[n] - ideal[n], n))
        for n in by_remainder[:left]:
            shares[n] += 1
        return [share.copy_sign(cents if share else Decimal(1)).scaleb(-places) for share in shares]


@dataclass(frozen=True)
class Rates:
    """What one unit of a currency was worth in the company's currency, by day.

    Parameters
    ----------
    currency : str
        The company's currency.
    dated : dict
        Currency → list of (first day, rate), sorted; a rate holds until the next one.
    longest : datetime.timedelta, optional
        How long a rate may be used; without it until the next one comes.

    Examples
    --------
    >>> rates = Rates.of([(date(2026, 1, 1), "EUR", "40.10"), (date(2026, 6, 1), "EUR", "45")], "TRY")
    >>> rates.convert(money(100), "EUR", date(2026, 3, 1)), rates.convert(money(100), "TRY", date(2020, 1, 1))
    (Decimal('4010.00'), Decimal('100'))
    """

    currency: str
    dated: dict[str, list[tuple[date, Decimal]]] = field(default_factory=dict)
    longest: timedelta | None = None

    @classmethod
    def of(
        cls, rows: Iterable[tuple[date, str, Decimal | float | str]], currency: str, longest: timedelta | None = None
    ) -> Rates:
        """Collect rates from rows of day, currency and rate in any order.

        Raises
        ------
        MoneyError
            When a rate is not above zero, or a day has two different ones.
        """
        dated: dict[str, dict[date, Decimal]] = {}
        for day, code, value in rows:
            rate, days = money(value), dated.setdefault(code, {})
            if rate <= 0 or days.get(_day(day), rate) != rate:
                raise MoneyError(
                    "This exchange rate cannot be used", where=f"exchange_rates, {code} on {day}", found=str(value),
                    remedy="Keep one rate above zero for a currency and day.",
                )  # fmt: skip
            days[_day(day)] = rate
        return cls(currency, {code: sorted(days.items()) for code, days in dated.items()}, longest)

    def rate(self, currency: str, day: date) -> Decimal:
        """Company currency per unit on a day: the latest rate on or before it.

        Raises
        ------
        MoneyError
            When there is none, or it is older than ``longest``.
        """
        if currency == self.currency:
            return Decimal(1)
        known = self.dated.get(currency, [])
        at = bisect_right(known, _day(day), key=lambda pair: pair[0]) - 1
        if at < 0 or (self.longest is not None and _day(day) - known[at][0] > self.longest):
            raise MoneyError(
                f"There is no rate from {currency} to {self.currency}", where=f"exchange_rates, {day}",
                found=known[at][0].isoformat() if at >= 0 else None,
                remedy="Add a rate on or before that day.", currency=currency,
            )  # fmt: skip
        return known[at][1]

    def convert(self, amount: Decimal, currency: str, day: date, to: str | None = None) -> Decimal:
        """An amount in the company's currency (or another one, through the company's), not rounded."""
        with localcontext(prec=_PRECISION):
            company = amount * self.rate(currency, day)
            return company if to in (None, self.currency) else company / self.rate(str(to), day)


def to_company(
    frame: pd.DataFrame, rates: Rates, *, amount: str, currency: str, day: str, places: int = 4
) -> pd.Series:
    """Amounts of a frame in the company's currency, each by the rate of its own day.

    Parameters
    ----------
    frame : DataFrame
    rates : Rates
    amount, currency, day : str
        Names of the columns: numbers or Decimals; ISO 4217 codes, empty meaning the company's; datetime64.
    places : int
        Decimals kept.

    Returns
    -------
    Series of Decimal
        Missing where the amount is.

    Raises
    ------
    MoneyError
        When an amount has no rate on or before its day; it names the currency and the first such day.

    Examples
    --------
    >>> rates = Rates.of([(date(2026, 1, 1), "EUR", "40.10")], "TRY")
    >>> deals = pd.DataFrame({"a": [10.5, 7.0], "c": ["EUR", None], "d": pd.to_datetime(["2026-02-01", "2026-02-01"])})
    >>> [str(value) for value in to_company(deals, rates, amount="a", currency="c", day="d")]
    ['421.0500', '7.0000']
    """
    known = frame[amount].notna()
    codes = frame[currency].fillna(rates.currency)[known]
    days = pd.to_datetime(frame[day])[known]
    pairs = pd.DataFrame({"currency": codes, "day": days}).drop_duplicates().sort_values(["currency", "day"])
    looked_up = {(code, when): rates.rate(code, when) for code, when in zip(pairs.currency, pairs.day, strict=True)}
    factors = [looked_up[pair] for pair in zip(codes, days, strict=True)]
    exact = [money(value) for value in frame.loc[known, amount]]
    converted = np.full(len(frame), None, dtype=object)
    with localcontext(prec=_PRECISION):
        converted[known.to_numpy()] = [rounded(a * b, places) for a, b in zip(exact, factors, strict=True)]
    return pd.Series(converted, frame.index, dtype=object, name=f"{amount}_company")


def _day(value: date) -> date:
    if pd.isna(value):
        raise MoneyError("An amount without a day has no rate", remedy="Give the day on which it counts.")
    return value.date() if isinstance(value, datetime) else value
