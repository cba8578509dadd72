"""The three catalogues say the same things, in every form of each language, in words that we use."""

import ast
import json
import re
from pathlib import Path

import pytest

from spm_models import errors
from spm_models.translations import LOCALES, catalogue
from spm_models.translations.locales import cldr

PROJECT = Path(__file__).parents[2]
#: The same in two languages on purpose.
SHARED = {
    "common.range", "common.list_of", "deal.reason_line", "levels.team", "others.comment", "reasons.compared",
    "outlook.unit_of", "answers.talked", "coaching_page.topic_of",
}  # fmt: skip
FORBIDDEN = {
    "en": ["underperform", "laggard", r"\bweak", "lagging", "poor performer", r"\bpunish", r"\bluck"],
    "tr": ["düşük performans", "geride kal", "zayıf", "boru hatt", "reddetme oran", "güven aralığ", "ceza", r"\bşans",
           "ortalama fiş", "referans müşteri", "sadakat oran", r"\bsen(in)?\b"],
    "ar": ["ضعيف", "متأخر", "مقصّر", "مقصر", "فترة الثقة", "خط الأنابيب", r"\bالتوجيه(?! البيعي)", r"\bحظ", "عقوب",
           r"الحصة(?! البيعية)", r"\b(اضغط|انقر|اختر|راجع|افتح|حاول|اتفق|اسأل|أرسل|قم)\b", "معدل الرفض"],
}  # fmt: skip


def texts(locale):
    for key, message in catalogue(locale).items():
        for form, pieces in message.forms.items():
            yield key, form, "".join(text + ("{}" if name else "") for text, name in pieces)


@pytest.mark.parametrize("locale", LOCALES)
def test_keys_and_placeholders_are_the_same_as_in_english(locale):
    english, other = catalogue("en"), catalogue(locale)
    assert sorted(set(english) ^ set(other)) == [], "keys in one of the two only"
    wrong = [key for key in english if english[key].placeholders != other[key].placeholders]
    assert wrong == [], "placeholders differ"
    assert [key for key in english if english[key].plural != other[key].plural] == []


@pytest.mark.parametrize("locale", LOCALES)
def test_counted_messages_have_every_form_of_the_language(locale):
    needed = set(cldr(locale).plural_form.tags) | {"other"}
    wrong = [key for key, message in catalogue(locale).items() if message.plural and set(message.forms) != needed]
    assert wrong == [], f"{locale} needs {sorted(needed)}"


@pytest.mark.parametrize("locale", LOCALES)
def test_words_we_do_not_use_do_not_occur(locale):
    pattern = re.compile("|".join(FORBIDDEN[locale]), re.IGNORECASE)
    assert [(key, text) for key, _, text in texts(locale) if pattern.search(text.replace("İ", "i"))] == []


def test_turkish_puts_no_ending_on_inserted_values_and_the_percent_sign_first():
    wrong = [(key, text) for key, _, text in texts("tr") if re.search(r"\}['’\w]|\d\s?%|\{\}\s?%", text)]
    assert wrong == []


def test_arabic_attaches_nothing_to_inserted_values_and_uses_its_percent_sign():
    assert [(key, text) for key, _, text in texts("ar") if re.search(r"\w\{|\}\w|%", text)] == []


def test_arabic_is_arabic_and_turkish_is_not_english():
    no_arabic = [key for key, _, text in texts("ar") if not re.search(r"[\u0621-\u064a]", text) and key not in SHARED]
    english = {(key, form): text for key, form, text in texts("en")}
    untranslated = [key for key, form, text in texts("tr") if english.get((key, form)) == text and key not in SHARED]
    assert no_arabic == [] and untranslated == []


@pytest.mark.parametrize("locale", LOCALES)
def test_texts_are_tidy(locale):
    wrong = [(key, text) for key, _, text in texts(locale) if text != text.strip() or "  " in text or not text]
    assert wrong == []


def test_every_error_has_words():
    codes = {
        kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.SpmError)
    }
    assert sorted(f"errors.{code}" for code in codes if f"errors.{code}" not in catalogue("en")) == []


def sources():
    for folder in ("spm_models", "notebooks"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            yield path, path.read_text(encoding="utf-8")
        for path in sorted((PROJECT / folder).rglob("*.ipynb")):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            yield path, "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def used_keys(source):
    """Literal keys of t("…"), self.t("…"), t.html("…"), and the literal beginning of f-string keys."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        called = node.func.value if isinstance(node.func, ast.Attribute) and node.func.attr == "html" else node.func
        name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", None)
        if name not in ("t", "translator", "_t"):
            continue
        key = node.args[0]
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, True
        elif isinstance(key, ast.JoinedStr) and isinstance(key.values[0], ast.Constant):
            yield str(key.values[0].value), False


def test_the_search_for_keys_finds_them():
    code = 't("a.b", n=1); self.t("c"); t.html("d"); t(f"e.{x}"); print("no"); frame.t.sum()'
    assert set(used_keys(code)) == {("a.b", True), ("c", True), ("d", True), ("e.", False)}


def test_every_key_used_in_code_exists():
    known = set(catalogue("en"))
    missing = [
        f"{path.relative_to(PROJECT)}: {key}"
        for path, source in sources()
        for key, whole in used_keys(source)
        if not (key in known if whole else any(have.startswith(key) for have in known))
    ]
    assert missing == [], "add them to the same file of en, tr and ar"
