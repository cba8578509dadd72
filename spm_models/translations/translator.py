"""Messages, numbers, money and dates in one reader's language."""

from __future__ import annotations

import copy
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd
from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_compact_decimal, get_currency_symbol
from markupsafe import Markup, escape

from spm_models.errors import SpmError, TranslationError
from spm_models.translations.catalogue import Message, Pieces, catalogue
from spm_models.translations.locales import ARABIC_INDIC, LRM, RLM, Direction, Formatted, cldr, facts, isolate

DayStyle = Literal["medium", "long", "short", "weekday", "month", "month_name"]
_SKELETONS = {"medium": "yMMMd", "short": "MMMd", "weekday": "yMMMEd", "month": "yMMMM", "month_name": "MMM"}
_LETTER_BEFORE_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)")
_PERIOD = re.compile(r"(?P<year>\d{4})(?:-(?P<mark>[QWP]?)(?P<number>\d{1,2})(?:-(?P<day>\d{2}))?)?")


@dataclass(frozen=True)
class Translator:
    r"""Everything that a reader sees in words, in his language.

    Parameters
    ----------
    locale : {"en", "tr", "ar"}
        Language of the reader.
    digits : {"latn", "arab"}, optional
        Numbering system; Arabic-Indic digits (``arab``) only with ``ar``, where Western digits are the default.
    currency : str, optional
        ISO 4217 code that :meth:`money` uses when it is given none.
    time_zone : str
        Zone in which instants are shown.

    Raises
    ------
    TranslationError
        When the language or numbering system is not offered; by calls, when a key does not exist or a
        placeholder is missing or too many.

    Examples
    --------
    >>> t = Translator("tr", currency="TRY")
    >>> t.percent(0.62), t.money(1234567), t.compact_money(1234567), t.day(date(2026, 6, 30))
    ('%62', '₺1.234.567', '₺1,2\xa0Mn', '30 Haz 2026')
    >>> t("common.deals", n=3), t.direction
    ('3 fırsat', 'ltr')
    """

    locale: str = "en"
    digits: str = "latn"
    currency: str | None = None
    time_zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.digits not in facts(self.locale).digits:
            raise TranslationError(
                "This numbering system is not used in this language", where=self.locale, found=self.digits,
                remedy=f"Use {' or '.join(facts(self.locale).digits)}.",
            )  # fmt: skip

    # -- messages ---------------------------------------------------------------------------------------------------
    def __call__(self, key: str, /, **values: Any) -> str:
        """The message as plain text.

        Numbers and days among the values are formatted; text is inserted as it is, isolated where its direction
        could differ. Escape the result before it enters HTML, or use :meth:`html`.
        """
        pieces = self._choose(key, values)
        return "".join(
            self._literal(text) + ("" if name is None else isolate(self._plain(values[name], key), self.direction))
            for text, name in pieces
        )

    def html(self, key: str, /, **values: Any) -> Markup:
        """The message as HTML: everything is escaped, each value stands in its own ``<bdi>``.

        A value that is :class:`markupsafe.Markup` already is inserted as it is.

        Examples
        --------
        >>> Translator("en").html("report.title", name="<img onerror=x>")
        Markup('Coaching report: <bdi>&lt;img onerror=x&gt;</bdi>')
        """
        out = Markup()
        for text, name in self._choose(key, values):
            out += escape(self._literal(text))
            if name is not None:
                value = values[name]
                out += Markup("<bdi>{}</bdi>").format(value if hasattr(value, "__html__") else self._plain(value, key))
        return out

    def has(self, key: str) -> bool:
        """Whether there is such a message (for names that come from data, such as a feature's)."""
        return key in catalogue(self.locale)

    def name(self, group: str, word: object) -> str:
        """The reader's word for a code such as a verdict; the code itself where the catalogue has none.

        Examples
        --------
        >>> Translator("en").name("levels", "region"), Translator("en").name("stages", "Engaging")
        ('Region', 'Engaging')
        """
        key = f"{group}.{word}"
        return self(key) if self.has(key) else self._plain(word, key)

    def error(self, error: SpmError) -> str:
        """What to tell the reader about an error; facts for the log stay in the error itself."""
        key = f"errors.{error.code}"
        return self(key if self.has(key) else "errors.error")

    @property
    def direction(self) -> Direction:
        """``ltr`` or ``rtl``."""
        return facts(self.locale).direction

    # -- numbers ----------------------------------------------------------------------------------------------------
    def number(self, value: Any, decimals: int | None = None, *, signed: bool = False) -> str:
        """A number; whole numbers without decimals, others with at most one unless told. Missing: a dash."""
        if _missing(value):
            return self._none()
        places = (0, 0 if isinstance(value, Integral) else 1) if decimals is None else (decimals, decimals)
        return self._sign(self._pattern("decimal", value, places), value, signed)

    def percent(self, share: Any, decimals: int = 0, *, signed: bool = False) -> str:
        """A share (0.62) as a percentage (62%, %62)."""
        if _missing(share):
            return self._none()
        return self._sign(self._pattern("percent", share, (decimals, decimals)), share, signed)

    def money(self, amount: Any, currency: str | None = None, decimals: int = 0, *, signed: bool = False) -> str:
        """An amount with its currency; whole units unless told, as forecasts deserve no more."""
        if _missing(amount):
            return self._none()
        text = self._pattern("standard", amount, (decimals, decimals), self._currency(currency))
        return self._sign(_LETTER_BEFORE_DIGIT.sub("\u00a0", text), amount, signed)

    def compact_money(
        self, amount: Any, currency: str | None = None, decimals: int = 1, *, signed: bool = False
    ) -> str:
        """A short amount for charts and tiles: ``₺1,2 Mn``, ``$1.2M``; below a thousand in whole units."""
        if _missing(amount):
            return self._none()
        amount = round(amount) if abs(amount) < 1000 else amount
        symbol = get_currency_symbol(self._currency(currency), locale=cldr(self.locale))
        number = format_compact_decimal(
            abs(_decimal(amount)), locale=cldr(self.locale), fraction_digits=decimals, numbering_system=self.digits
        )
        text = facts(self.locale).compact_money.format(symbol=symbol, number=number)
        minus = facts(self.locale).minus if amount < 0 else ""
        return self._sign(self._localised(_LETTER_BEFORE_DIGIT.sub("\u00a0", minus + text)), amount, signed)

    def range(self, low: str, high: str) -> str:
        """A formatted range: both ends as they come from the methods above."""
        return Formatted(self("common.range", low=low, high=high))

    # -- dates ------------------------------------------------------------------------------------------------------
    def day(self, day: Any, style: DayStyle = "medium") -> str:
        """A day: medium ``30 Haz 2026``, long ``30 Haziran 2026``, short ``30 Haz``, weekday, or its month."""
        if _missing(day):
            return self._none()
        locale = cldr(self.locale)
        if style == "long":
            return self._localised(format_date(day, "long", locale=locale))
        return self._localised(format_skeleton(_SKELETONS[style], day, locale=locale))

    def instant(self, when: datetime) -> str:
        """Day and time of an instant (naive means UTC) in the translator's time zone."""
        if _missing(when):
            return self._none()
        local = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(ZoneInfo(self.time_zone))
        return Formatted(f"{self.day(local.date())} {self._localised(f'{local:%H:%M}')}")

    def days(self, n: int) -> str:
        """A number of days."""
        return self("common.days", n=n)

    def period(self, label: str) -> str:
        """The reader's form of a period's label: ``2026-Q2`` → ``Q2 2026``.

        Examples
        --------
        >>> [Translator("tr").period(label) for label in ("2026-Q2", "2026-05", "2026", "2026-05-20")]
        ['2026 2. çeyrek', 'Mayıs 2026', '2026', '20 May 2026']
        """
        match = _PERIOD.fullmatch(label)
        if match is None:
            return label
        if match["day"] is not None:
            return self.day(date.fromisoformat(label)) if match["mark"] == "" else label
        year, mark, number = self._localised(match["year"]), match["mark"], match["number"]
        if number is None:
            return year
        if mark == "":
            return self.day(date(int(match["year"]), int(number), 1), "month")
        if mark == "Q":
            return Formatted(self(f"common.quarter_{number}", year=year))
        key = "common.week_of_year" if mark == "W" else "common.period_of_year"
        return Formatted(self(key, number=self._localised(str(int(number))), year=year))

    def list(self, words: Iterable[str]) -> str:
        """Words in a row, with the language's "and"."""
        return Formatted(format_list([isolate(word, self.direction) for word in words], locale=cldr(self.locale)))

    # -- how --------------------------------------------------------------------------------------------------------
    def _choose(self, key: str, values: dict[str, Any]) -> Pieces:
        message = catalogue(self.locale).get(key)
        if message is None:
            raise TranslationError(
                "There is no such message", where=f"{self.locale}.toml", found=key,
                remedy="Add it to the same file of en, tr and ar in spm_models/translations.",
            )  # fmt: skip
        if set(values) != message.placeholders:
            raise TranslationError(
                "The values do not fit the message's placeholders", where=f"{self.locale}.toml [{key}]",
                found=sorted(values), remedy=f"Give exactly {sorted(message.placeholders)}.",
            )  # fmt: skip
        return message.forms[self._form(message, values, key)]

    def _form(self, message: Message, values: dict[str, Any], key: str) -> str:
        if not message.plural:
            return "other"
        if not isinstance(values["n"], Real | Decimal) or _missing(values["n"]):
            raise TranslationError(
                "A plural is chosen by a number", where=f"{self.locale}.toml [{key}]", found=values["n"],
                remedy="Give n as a number, not as text.",
            )  # fmt: skip
        n = abs(_decimal(values["n"]))
        form = cldr(self.locale).plural_form(int(n) if n == n.to_integral_value() else n)  # 1.0 is shown as 1
        return form if form in message.forms else "other"

    def _plain(self, value: Any, key: str) -> str:
        if isinstance(value, str):
            return value
        if _missing(value):
            return self._none()
        if isinstance(value, Real | Decimal):
            return self.number(value)
        if isinstance(value, date):
            return self.day(value)
        raise TranslationError(
            "This kind of value cannot be inserted", where=key, found=type(value).__name__,
            remedy="Give text, a number or a day.",
        )  # fmt: skip

    def _pattern(self, kind: str, value: Any, places: tuple[int, int], currency: str | None = None) -> str:
        locale = cldr(self.locale)
        patterns = {"decimal": locale.decimal_formats.get(None), "percent": locale.percent_formats.get(None)}
        pattern = copy.copy(patterns.get(kind) or locale.currency_formats[kind])
        pattern.frac_prec = places
        exact = _decimal(value)
        if round(exact, places[1] + (2 if kind == "percent" else 0)) == 0:
            exact = Decimal(0)  # never "-0"
        text = pattern.apply(exact, locale, currency=currency, currency_digits=False, numbering_system=self.digits)
        return self._literal(text.replace("-", facts(self.locale).minus).replace("%", facts(self.locale).percent_sign))

    def _sign(self, text: str, value: Any, signed: bool) -> str:
        plus = facts(self.locale).minus.replace("-", "+")
        positive = value > 0 and any(char.isdigit() and char not in "0٠" for char in text)
        text = plus + text if signed and positive else text
        if self.direction == "rtl" and text.startswith(LRM) and any(char.isalpha() for char in text):
            text = RLM + text  # the mark of the sign would turn the words after it round
        return Formatted(text)

    def _currency(self, currency: str | None) -> str:
        code = currency or self.currency
        if code is None:
            raise TranslationError(
                "An amount needs its currency", remedy="Give money(amount, currency) or Translator(…, currency=…)."
            )
        return code

    def _literal(self, text: str) -> str:
        return text.translate(ARABIC_INDIC) if self.digits == "arab" else text

    def _localised(self, text: str) -> str:
        return Formatted(self._literal(str(text)))

    def _none(self) -> str:
        return Formatted("–")


def _missing(value: Any) -> bool:
    return value is None or value is pd.NaT or value is pd.NA or (isinstance(value, Real) and math.isnan(value))


def _decimal(value: Any) -> Decimal:
    """Exactly what a float is written as, so that 0.285 rounds as 0.285 does."""
    exact = value if isinstance(value, Decimal) else Decimal(str(value))
    if not exact.is_finite():
        raise TranslationError("This number cannot be written", found=value, remedy="Show a dash for what is unknown.")
    return exact
