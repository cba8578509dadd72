from datetime import date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from spm_models.errors import AccessDeniedError, TranslationError
from spm_models.translations import LOCALES, Translator
from spm_models.translations.locales import FSI, LRM, PDI, RLM, isolate

tr, en, ar = (Translator(locale, currency="TRY") for locale in ("tr", "en", "ar"))
arab = Translator("ar", digits="arab", currency="SAR")
HIDDEN = dict.fromkeys(map(ord, "\u200e\u200f\u2068\u2069"))


def seen(text):
    """Without marks, and with plain spaces: what the eye reads."""
    return text.translate(HIDDEN).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (tr.percent(0.62), "%62"), (en.percent(0.625, 1), "62.5%"), (ar.percent(0.62), "62٪"),
        (arab.percent(0.62), "٦٢٪"),
        (tr.number(1234567.25), "1.234.567,2"), (en.number(1234567), "1,234,567"), (arab.number(1234.5), "١٬٢٣٤٫٥"),
        (tr.money(1234567.4), "₺1.234.567"), (seen(en.money(Decimal("1234.50"), decimals=2)), "TRY 1,234.50"),
        (en.money(-1234, "USD"), "-$1,234"), (seen(ar.money(1234, "TRY")), "1,234 TRY"),
        (seen(tr.compact_money(1_234_567)), "₺1,2 Mn"), (en.compact_money(1_234_567, "USD"), "$1.2M"),
        (seen(tr.compact_money(-12_345)), "-₺12,3 B"), (seen(ar.compact_money(1_234_567)), "1.2 مليون TRY"),
        (en.number(3, signed=True), "+3"), (en.number(-0.01), "0"), (en.percent(-0.001), "0%"),
        (en.number(0.01, signed=True), "0"),
        (tr.day(date(2026, 6, 30)), "30 Haz 2026"), (tr.day(date(2026, 6, 30), "long"), "30 Haziran 2026"),
        (en.day(pd.Timestamp("2026-06-30")), "Jun 30, 2026"), (ar.day(date(2026, 6, 30)), "30 يونيو 2026"),
        (arab.day(date(2026, 6, 30)), "٣٠ يونيو ٢٠٢٦"), (en.day(date(2026, 6, 30), "month"), "June 2026"),
        (seen(ar.period("2026-Q2")), "الربع الثاني 2026"), (tr.period("2026-W18"), "2026, 18. hafta"),
        (en.period("2026-P05"), "Period 5 of 2026"), (seen(arab.period("2026-Q4")), "الربع الرابع ٢٠٢٦"),
        (en.period("2026-05-20"), "May 20, 2026"), (seen(ar.period("2026-05-20")), "20 مايو 2026"),
        (en.period("2026-Q2-20"), "2026-Q2-20"), (en.period("next year"), "next year"),
        (tr.list(["a", "b", "c"]), "a, b ve c"),
        (Translator("tr", time_zone="Europe/Istanbul").instant(datetime(2026, 6, 30, 22, 5)), "1 Tem 2026 01:05"),
    ],
)  # fmt: skip
def test_numbers_money_and_dates_are_written_as_readers_write_them(text, expected):
    assert text == expected


@pytest.mark.parametrize("value", [None, float("nan"), np.nan, pd.NaT, pd.NA])
@pytest.mark.parametrize("how", ["number", "percent", "money", "compact_money", "day", "instant"])
def test_what_is_missing_is_a_dash(how, value):
    assert getattr(en, how)(value) == "–"


@pytest.mark.parametrize(
    ("n", "expected"),
    [(0, "0 يوم"), (1, "يوم واحد"), (2, "يومان"), (3, "3 أيام"), (10, "10 أيام"), (11, "11 يومًا"), (99, "99 يومًا"),
     (100, "100 يوم"), (103, "103 أيام"), (1.5, "1.5 يوم")],
)  # fmt: skip
def test_arabic_counts_in_six_forms(n, expected):
    assert seen(ar.days(n)) == expected


@pytest.mark.parametrize("one", [1, np.int64(1), Decimal(1), 1.0])
def test_english_counts_in_two_forms(one):
    assert (en.days(one), en.days(2), en.days(0)) == ("1 day", "2 days", "0 days")


def test_arabic_indic_digits_reach_numbers_inside_messages_and_the_messages_own():
    assert seen(arab("common.days", n=13)) == "١٣ يومًا"
    assert "٨٠" in arab("common.range80")


@pytest.mark.parametrize("values", [{}, {"name": "A", "surplus": 1}, {"nmae": "A"}])
def test_missing_or_surplus_values_are_errors(values):
    with pytest.raises(TranslationError, match="placeholders"):
        en("report.title", **values)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: en("no.such_message"), "no such message"), (lambda: Translator("de"), "no catalogue"),
        (lambda: Translator("en", digits="arab"), "numbering system"), (lambda: en("common.days", n="3"), "number"),
        (lambda: en("report.title", name=["a"]), "cannot be inserted"), (lambda: Translator("en").money(1), "currency"),
        (lambda: en.number(float("inf")), "cannot be written"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused(call, what):
    with pytest.raises(TranslationError, match=what):
        call()


def test_inserted_text_is_isolated_where_directions_meet():
    assert en("report.title", name="Ayşe") == "Coaching report: Ayşe"
    assert en("report.title", name="سارة") == f"Coaching report: {FSI}سارة{PDI}"
    assert ar("report.title", name="Acme (EMEA)").endswith(f"{FSI}Acme (EMEA){PDI}")
    assert ar.number(-5) == f"{LRM}-5"


@given(st.text(max_size=30), st.sampled_from(list(LOCALES)))
def test_text_from_data_cannot_turn_or_leave_its_place(name, locale):
    text = Translator(locale)("report.title", name=name)
    assert text.count(FSI) == text.count(PDI) <= 1
    assert not set(isolate(name, "ltr")) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u200f")


@given(st.text(max_size=30), st.sampled_from(list(LOCALES)))
def test_html_escapes_values_and_wraps_them(name, locale):
    html = Translator(locale).html("report.title", name=name)
    assert isinstance(html, Markup)
    inside = html.split("<bdi>", 1)[1].removesuffix("</bdi>")
    assert "<" not in inside and ">" not in inside and '"' not in inside


def test_html_takes_numbers_and_ready_markup():
    assert en.html("common.days", n=3) == "<bdi>3</bdi> days"
    assert en.html("report.title", name=Markup("<b>A</b>")) == "Coaching report: <bdi><b>A</b></bdi>"


def test_codes_without_a_word_stay_as_they_are():
    assert tr.name("tiers", "minimum") == "Asgari"
    assert tr.name("stages", "Prospecting") == "Prospecting"
    assert ar.has("errors.access_denied") and not ar.has("errors.nothing")


def test_errors_are_told_without_their_facts():
    text = tr.error(AccessDeniedError("No", where="rep r1", found="secret"))
    assert text == "Buna erişiminiz yok."


def test_an_arabic_amount_with_a_sign_keeps_its_words_after_the_number():
    for text in (ar.compact_money(5.6e6, signed=True), ar.compact_money(-5.6e6), ar.money(120, signed=True)):
        assert text.startswith(RLM + LRM)  # without the first mark the run would start from the left
    assert ar.percent(0.12, signed=True).startswith(LRM)
    assert not tr.compact_money(5.6e6, signed=True).startswith(RLM)


def test_directions():
    assert [Translator(locale).direction for locale in LOCALES] == ["ltr", "ltr", "rtl"]


def test_short_amounts_below_a_thousand_have_no_decimals():
    assert Translator("en", currency="USD").compact_money(666.92) == "$667"
    assert Translator("en", currency="USD").compact_money(-0.4) == "$0"
