"""Agreed words in texts: folding, word boundaries, the forms of a word, phrases; counts worked by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from spm_models.kpis.terms import agreed, fold, mentions


def _times(text, *words, language="tr"):
    return mentions(pd.Series([text]), {"x": {language: words}})["x"].item()


@pytest.mark.parametrize(
    "written", ["İNDİRİM", "indirim", "INDIRIM", "ındırım", "İndirim", "i\u0307ndirim", "I\u0307ndirim"]
)
def test_the_four_letters_i_are_one(written):
    assert _times(written, "indirim") == 1
    assert _times("indirim", written) == 1  # also in the list of agreed words


def test_casing_of_the_unicode_standard():
    """SpecialCasing.txt: İ is the capital of i and I that of ı in Turkish; elsewhere I is that of i."""
    assert fold(pd.Series(["İ", "i", "I", "ı", "FIYAT", "PRICING"])).tolist() == ["i"] * 4 + ["fiyat", "pricing"]
    assert _times("PRICING", "pricing", language="en") == 1
    assert _times("TOPLANTI", "toplantı") == _times("toplantı", "TOPLANTI") == 1
    assert _times("BÜTÇE GÖRÜŞÜLDÜ", "bütçe") == 1
    assert _times("bütc\u0327e", "bütçe") == 1  # ç in two characters


@pytest.mark.parametrize(
    "form",
    [
        "fiyat",
        "fiyatı",
        "fiyata",
        "fiyatlar",
        "fiyatlarınızdan",
        "fiyatımız",
        "fiyattaki",
        "FİYATI",
        "fiyatsız",
        "fiyatmış",
    ],
)
def test_turkish_suffixes_may_follow_a_stem(form):
    assert _times(f"Bu {form}, değil mi?", "fiyat") == 1


def test_forms_of_textbooks_of_turkish():
    """As every grammar declines them (G. Lewis, Turkish Grammar, chapter II): number, person, case; softened stems."""
    assert _times("ev evler evlerim evlerimde evlerimizden", "ev") == 5
    assert _times("kitap kitabı kitaplar, ayak ayağı, ağaç ağaca", "kitap", "ayak", "ağaç") == 7


def test_what_is_no_form_of_a_turkish_word():
    assert _times("fiyasko fiyatokrasi afiyat", "fiyat") == 0
    assert _times("kitab", "kitap") == 0  # softened before a vowel only
    assert _times("aratıyoruz", "ara") == 0 and _times("aratıyoruz", "ara*") == 1
    assert _times("CRM'in indirim'den", "indirim") == 1  # an apostrophe ends the word


def test_english_words_have_boundaries_and_plurals():
    assert _times("Price, prices; PRICE's pricey reprice", "price", language="en") == 3
    assert _times("We don’t need it. We don't need it.", "don't need", language="en") == 2


@pytest.mark.parametrize(
    "written", ["خصم", "الخصم", "والخصم", "بالخصم", "للخصم", "وخصم", "خصمكم", "خَصْمٌ", "خـصـم", "خصماً"]
)
def test_arabic_prefixes_endings_diacritics_and_tatweel(written):
    assert _times(f"نريد {written} الآن", "خصم", language="ar") == 1


@pytest.mark.parametrize(("written", "word"), [
    ("أسعار", "اسعار"), ("إسعار", "أسعار"), ("آخر", "اخر"), ("ٱجتماع", "اجتماع"),  # shapes of alef
    ("تكلفه", "تكلفة"), ("تكلفتنا", "تكلفة"), ("خطوات", "خطوة"), ("الخطوتين", "خطوة"),  # ta marbuta
    ("أخرى", "أخري"), ("غالى", "غالي"), ("ﺳﻌﺮ", "سعر"), ("سعر", "السعر"),  # alef maqsura, shapes of print, article
])  # fmt: skip
def test_arabic_letters_are_normalised(written, word):
    assert _times(written, word, language="ar") == 1


def test_affixes_of_a_published_arabic_stemmer():
    """Larkey, Ballesteros and Connell (2002), light10: ال وال بال كال فال لل و, and ها ان ات ون ين يه ية ه ة ي."""
    before = ["ال", "وال", "بال", "كال", "فال", "لل", "و"]
    after = ["ها", "ان", "ات", "ون", "ين", "يه", "ية", "ه", "ة", "ي"]
    words = [f"{one}منافس" for one in before] + [f"منافس{one}" for one in after]
    assert _times(" ".join(words), "منافس", language="ar") == len(words) == 17
    assert _times("يتنافسون تنافس", "منافس", language="ar") == 0


def test_phrases_follow_each_other_within_one_text():
    texts = pd.Series(["sonraki adımımız", "sonraki. Adım", "adım sonraki", "sonraki", "adım"])
    assert mentions(texts, {"next": {"tr": ["sonraki adım"]}})["next"].tolist() == [1, 1, 0, 0, 0]


def test_a_word_within_a_longer_phrase_is_counted_once():
    terms = {"price": {"en": ["price", "price list"]}, "list": {"en": ["list"]}}
    found = mentions(pd.Series(["The price list, please. And the price?", ""]), terms)
    assert found.values.tolist() == [[2, 1], [0, 0]]


def test_the_index_of_the_texts_is_kept_and_equal_texts_count_alike():
    found = mentions(pd.Series(["fiyat", "", "fiyat fiyatı"] * 2, index=list("abcdef")), {"price": {"tr": ["fiyat"]}})
    assert found["price"].to_dict() == {"a": 1, "b": 0, "c": 2, "d": 1, "e": 0, "f": 2}
    assert mentions(pd.Series([], dtype="str"), {"price": {"tr": ["fiyat"]}}).shape == (0, 1)


def test_every_shipped_term_finds_itself_in_every_language():
    terms = agreed()
    assert set(terms) >= {"objection", "price", "discount", "competitor", "budget", "decision_maker", "next_step"}
    for term, languages in terms.items():
        assert set(languages) == {"tr", "en", "ar"}
        for words in languages.values():
            for word in words:
                text = word.replace("*", "")
                assert mentions(pd.Series([text, text.upper()]), terms)[term].tolist() == [1, 1], word
