"""Reasons read as sentences in three languages: the fact, what won deals show, the points; and nothing else leaks."""

from __future__ import annotations

import re
from html import unescape

import pandas as pd
import pytest

from spm_models.reports.aloud import reading
from spm_models.reports.beside import (
    UNSAID,
    Beside,
    methods_note,
    own_views_html,
    reasons_html,
    trend_html,
    trend_words,
)
from spm_models.reports.why import KINDS, Reason, clause, compared, fact_words, points, sentence
from spm_models.translations import LOCALES, Translator, catalogue
from spm_models.win_probability.facts import FACTS
from spm_models.win_probability.features import REASON_COLUMNS
from spm_models.win_probability.reasons import OTHERS, START

HOSTILE = "<img src=x onerror=alert(1)>"
MARKS = dict.fromkeys([0x2066, 0x2067, 0x2068, 0x2069, 0x200E, 0x200F])
NUMBERS = ("-12", "0", "1", "2", "3", "11", "100", "0.5", "2.04")


@pytest.fixture(params=list(LOCALES))
def t(request):
    return Translator(request.param, currency="EUR")


def read(text):
    """What the eye reads."""
    return text.translate(MARKS).replace("\u00a0", " ")


def values_of(fact):
    kind = KINDS[fact]
    if kind in ("text", "kinds", "sources", "categories"):
        return ("Web", "renewal", "inbound", "small", "small / retail")
    return ("first/0", "0/0", "1/1", "2/5") if kind == "record" else NUMBERS


def test_every_reason_has_a_name_and_every_fact_has_words(t):
    names = {*REASON_COLUMNS, *FACTS, START, OTHERS}
    assert [name for name in sorted(names) if f"reasons.names.{name}" not in catalogue(t.locale)] == []
    told = {fact for group in REASON_COLUMNS for fact in FACTS.get(group, (group,))}
    assert told - set(KINDS) == set()


@pytest.mark.parametrize("group", sorted(REASON_COLUMNS))
def test_every_reason_of_every_group_is_a_clean_sentence(t, group):
    for fact in (*FACTS.get(group, (group,)), ""):
        for value in values_of(fact) if fact else ("",):
            for typical in ("", "0", "4"):
                for side in (0.4, -0.4):
                    said = read(sentence(t, Reason(group, fact, value, typical, side, side / 10)))
                    assert re.search(r"[+−]4", said), said
                    assert not re.search(r"[_{}]|\bnan\b|None|: :|  |^[,;،؛]", said), said


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("en", "Quiet for 24 days, twice as long as won deals at this stage: −11 points"),
        ("tr", "24 gündür temas yok, bu aşamada kazanılan fırsatlardaki sürenin iki katı: −11 puan"),
        ("ar", "لا تواصل منذ 24 يومًا، ضعف المعتاد في الفرص المكسوبة في هذه المرحلة: −11 نقطة"),
    ],
)
def test_silence_is_told_against_what_won_deals_show(locale, expected):
    reason = Reason("activity_recency", "days_since_activity", "24", "12", -0.5, -0.11)
    assert read(sentence(Translator(locale), reason)) == expected


def test_silence_that_speaks_for_a_deal_is_told_as_contact():
    reason = Reason("activity_recency", "days_since_activity", "3", "12", 0.3, 0.05)
    assert (
        sentence(Translator("en"), reason)
        == "Last contact 3 days ago, usually 12 days in won deals at this stage: +5 points"
    )
    assert sentence(Translator("tr"), Reason("source", "source", "inbound_call", "", 0.2, 0.02)).startswith(
        "Inbound call "
    )


@pytest.mark.parametrize(
    ("value", "typical", "word"),
    [
        ("3", "10", "less than half as long as"), ("5", "10", "half as long as"), ("7", "10", "shorter than"),
        ("10", "10", "about as long as"), ("12", "10", "about as long as"), ("15", "10", "longer than"),
        ("20", "10", "twice as long as"), ("30", "10", "three times as long as"), ("40", "10", "more than three times"),
    ],
)  # fmt: skip
def test_lengths_are_compared_in_words(value, typical, word):
    said = compared(Translator("en"), "days_in_stage", value, typical, at_stage=False)
    assert said.startswith(word) and said.endswith("won deals")


@pytest.mark.parametrize(
    ("fact", "value", "en", "tr", "ar"),
    [
        ("source", "existing_customer", "Came from an existing customer", "Mevcut müşteriden geldi",
         "جاءت من عميل حالي"),
        ("source", "Fuar 2026", "Source Fuar 2026", "Fuar 2026 kaynaklı", "المصدر Fuar 2026"),
        ("segment", "mid_market", "Customer segment mid-market", "Müşteri segmenti orta ölçekli işletme",
         "شريحة العميل منشأة متوسطة"),
        ("customer", "small / food", "Customers of this kind (small business / food)",
         "Bu tür müşteriler (küçük işletme / gıda)", "عملاء من هذا النوع (منشأة صغيرة / الأغذية)"),
        ("customer", "small / toy_shops", "Customers of this kind (small business / toy shops)",
         "Bu tür müşteriler (küçük işletme / toy shops)", "عملاء من هذا النوع (منشأة صغيرة / toy shops)"),
    ],
)  # fmt: skip
def test_values_that_most_companies_name_alike_are_told_in_the_readers_words(fact, value, en, tr, ar):
    for locale, expected in (("en", en), ("tr", tr), ("ar", ar)):
        assert read(fact_words(Translator(locale), fact, value)) == expected


@pytest.mark.parametrize(
    ("size", "expected"), [(0.01, "+1 نقطة"), (0.02, "نقطتان (+2)"), (0.05, "+5 نقاط"), (0.11, "+11 نقطة")]
)
def test_arabic_counts_points_by_its_own_forms(size, expected):
    assert read(points(Translator("ar"), size)) == expected


def test_counts_stand_beside_the_usual_count_and_nothing_is_compared_with_the_unknown():
    t = Translator("en")
    assert compared(t, "contacts", "1", "3") == "usually 3 in won deals at this stage"
    assert compared(t, "contacts", "3", "3.2") == "as usual in won deals at this stage"
    assert compared(t, "contacts", "3", "") == "" == compared(t, "contacts", "0", "0")
    assert compared(t, "meetings", "0", "0.3") == "" == compared(t, "meetings", "1", "1.4")
    assert compared(t, "push_count", "3", "0", at_stage=False) == "which is rare in won deals"
    assert compared(t, "push_count", "3", "1", at_stage=False) == "usually once in won deals"
    assert compared(t, "days_to_expected_close", "40", "-3") == "usually -3 days in won deals at this stage"


def test_plurals_are_those_of_the_language():
    arabic = Translator("ar")
    told = {n: read(clause(arabic, Reason("pushes", "push_count", str(n), "", -0.3, -0.03))) for n in (1, 2, 3, 11)}
    assert list(told.values()) == [
        "أُجِّل موعد الإغلاق مرة واحدة", "أُجِّل موعد الإغلاق مرتين", "أُجِّل موعد الإغلاق 3 مرات", "أُجِّل موعد الإغلاق 11 مرة",
    ]  # fmt: skip
    digits = Translator("ar", digits="arab")
    assert "٢٤" in sentence(digits, Reason("activity_recency", "days_since_activity", "24", "12", -0.5, -0.11))
    assert read(points(Translator("tr"), 0.11)) == "+11 puan" and points(Translator("en"), -0.004) == "−1 point"
    assert points(Translator("en"), 0.001, least=0) == "0 points"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (Reason("amount", "amount_ratio", "0.5", "", -0.3, -0.03), "Amount cut to half of the first one: −3 points"),
        (Reason("people", "decision_makers", "0", "2", -0.3, -0.05),
         "No decision maker involved, usually 2 in won deals at this stage: −5 points"),
        (Reason("account_history", "account_record", "first/0", "", -0.2, -0.04),
         "First deal with this account, new accounts are won less often: −4 points"),
        (Reason("account_history", "account_record", "2/5", "", 0.2, 0.04),
         "Won 2 of 5 earlier deals with this account: +4 points"),
        (Reason("close_date", "days_to_expected_close", "", "", -0.2, -0.04),
         "No expected close date on record: −4 points"),
        (Reason("field_partner", "field_partner", "True", "", 0.2, 0.04),
         "Partner: Yes, won more often than similar deals: +4 points"),
        (Reason("field_review", "field_review", "2026-07-01", "", 0.2, 0.04),
         "Review: Jul 1, 2026, won more often than similar deals: +4 points"),
        (Reason(START, points=0.27), "A usual deal: 27%"),
        (Reason(OTHERS, contribution=0.1, points=0.02), "Everything else: +2 points"),
        (Reason("something_new", "x_past", "3", "", 0.2, 0.04), "Everything else overall: +4 points"),
    ],
)  # fmt: skip
def test_facts_that_sellers_know_read_as_they_say_them(reason, expected):
    assert sentence(Translator("en"), reason) == expected


def deal(**facts):
    return {"opportunity_id": "o1", "stage": "Offer", "win_probability": 0.42, "scored_by": "model"} | facts


def beside(rows=(), trend=(), views=()):
    names = ["opportunity_id", "rank", "feature", "fact", "value", "typical", "contribution", "points"]
    return Beside(
        pd.DataFrame([("o1", *row) for row in rows], columns=names),
        pd.DataFrame(
            [("o1", pd.Timestamp(day), p) for day, p in trend], columns=["opportunity_id", "as_of", "win_probability"]
        ),
        pd.DataFrame(
            views, columns=["opportunity_id", "author", "author_name", "win_probability", "reason", "written_at"]
        ),
    )


ROWS = [
    (0, START, "", "", "", -0.85, 0.30),
    (1, "source", "source", HOSTILE, "", 0.9, 0.21),
    (2, "rep_history", "", "", "", -0.6, -0.13),
    (3, "activity_recency", "days_since_activity", "24", "12", -0.3, -0.07),
    (4, OTHERS, "", "", "", 0.2, 0.11),
]


def test_what_is_shown_adds_up_and_text_from_data_is_escaped(t):
    html = str(reasons_html(t, beside(ROWS), deal()))
    assert "<img" not in html and "&lt;img" in html
    line = read(re.search(r'<p class="sum">(.*?)</p>', html).group(1)).translate(str.maketrans("−٪", "-%"))
    start, rest, end = (int(n) for n in re.findall(r"[+-]?\d+", line))
    assert (start, end) == (30, 42) and start + 21 - 7 + rest == end


def test_what_is_about_the_owner_is_not_said(t):
    html = str(reasons_html(t, beside(ROWS), deal()))
    assert all(t(f"reasons.names.{name}") not in re.sub(r'<p class="sum">.*', "", html) for name in UNSAID)
    assert reasons_html(t, beside(), deal()) == ""


@pytest.mark.parametrize(
    ("values", "weeks", "expected"),
    [
        ((0.41, 0.50), 4, "up 9 points in 4 weeks"), ((0.5, 0.49), 1, "down 1 point in one week"),
        ((0.5, 0.5), 3, "unchanged for 3 weeks"), ((0.2, 0.5), 9, "unchanged for one week"),
    ],
)  # fmt: skip
def test_the_past_weeks_are_told_in_words(values, weeks, expected):
    last = pd.Timestamp("2026-06-30")
    past = pd.Series(values, index=[last - pd.Timedelta(weeks=weeks), last])
    assert trend_words(Translator("en"), past) == expected


def test_a_trend_is_drawn_with_its_words_and_a_new_deal_has_none(t):
    days = [("2026-06-16", 0.3), ("2026-06-23", 0.35), ("2026-06-30", 0.42)]
    html = str(trend_html(t, beside(trend=days), deal()))
    assert html.count("<svg") == 1 and "polyline" in html and "12" in html
    x = [float(spot.split(",")[0]) for spot in re.search(r'points="([^"]+)"', html).group(1).split()]
    assert x == sorted(x, reverse=t.direction == "rtl") and 0 <= min(x) <= max(x) <= 100
    assert trend_html(t, beside(trend=days[:1]), deal()) == ""


def test_a_persons_view_stands_beside_the_score_as_a_persons(t):
    when = pd.Timestamp("2026-06-20 08:00")
    views = [("o1", "m1", f"Elif {HOSTILE}", 0.7, "<b>signed</b>", when), ("o2", "m1", "Elif", 0.2, "no", when)]
    html = str(own_views_html(t, beside(views=views), deal()))
    assert t("chance.own") in unescape(html) and "70" in html and "<b>signed" not in html and "<img" not in html
    assert own_views_html(t, beside(), deal()) == ""


def test_a_plain_rate_says_that_it_is_one(t):
    told = methods_note(t, pd.DataFrame({"scored_by": ["stage_rate", "base_rate", "base_rate", "model"]}))
    assert told == f"{t('chance.base_rate')} {t('chance.stage_rate')}"
    assert methods_note(t, pd.DataFrame({"scored_by": ["model"]})) == ""


def test_ten_deals_are_read_from_the_likeliest_to_the_least_likely(t):
    count = 25
    scores = pd.DataFrame(
        {
            "opportunity_id": [f"o{k}" for k in range(count)], "account_name": "Acme", "stage": "Offer",
            "win_probability": [k / 30 + 0.01 for k in range(count)], "low": 0.01, "high": 0.9, "amount": 1000.0,
            "scored_by": "model",
        }
    )  # fmt: skip
    names = ["rank", "feature", "fact", "value", "typical", "contribution", "points"]
    why = scores[["opportunity_id"]].merge(pd.DataFrame(ROWS, columns=names), how="cross")
    told = reading({"deal_scores": scores, "deal_reasons": why}, t.locale, currency="EUR")
    blocks = read(told).split("\n\n")
    assert len(blocks) == 10 and not re.search(r"[{}]", told)
    shares = [int(re.search(r"(\d+)[%٪]|%(\d+)", block.split("Offer")[1]).group().strip("%٪")) for block in blocks]
    assert shares == sorted(shares, reverse=True) and shares[0] > 75 and shares[-1] == 1
    few = reading({"deal_scores": scores.assign(scored_by="base_rate").head(1), "deal_reasons": why.head(0)}, t.locale)
    assert few.endswith(t("chance.base_rate"))
