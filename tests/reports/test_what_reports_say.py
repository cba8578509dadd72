"""Reports: sections in order, the same figures in every language, honest words where there is nothing."""

from __future__ import annotations

import json
import re
from datetime import date
from html import unescape

import nbformat
import pypdf
import pytest

from spm_models.access import Scope
from spm_models.published import Manifest, publish
from spm_models.published.schemas import TABLES
from spm_models.published.writer import empty
from spm_models.reports import coaching_report, team_digest
from spm_models.reports.render import render_html, render_pdf
from spm_models.translations import LOCALES, Translator
from spm_models.workspace import Workspace

REP_TEXTS = ("where", "well", "deals", "focus", "agreements", "data", "detect", "used")
TEAM_TEXTS = ("outlook", "well", "talks", "deals", "coverage", "reps")


@pytest.fixture
def bare_company(tmp_path, published_tables):
    """People, and nothing else: no deals, no quotas, no findings, no forecast."""
    (tmp_path / "spm.toml").write_text('[company]\nname = "Bare"\ncurrency = "TRY"\n')
    tables = {name: empty(schema) for name, schema in TABLES.items()} | {"reps": published_tables["reps"]}
    opened = Workspace.open(tmp_path)
    publish(opened, tables, Manifest("bare", date(2026, 8, 14), "d" * 64, "c" * 64))
    return opened


def whole(report):
    return "".join(str(getattr(report, name)) for name in report.SECTIONS)


def words(html):
    """What a reader reads: no drawing, no tags, no direction marks."""
    plain = re.sub(r"<svg.*?</svg>|<[^>]+>", " ", html, flags=re.S)
    return re.sub(r"[\u2066-\u2069\u200e\u200f\u061c]", "", unescape(plain))


@pytest.mark.parametrize("locale", LOCALES)
def test_the_sections_of_a_reps_report_stand_in_order(rep_report, locale):
    t, text = Translator(locale), words(whole(rep_report("r1", locale)))
    places = [text.index(t(f"report.{name}.heading")) for name in REP_TEXTS]
    assert places == sorted(places)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_sections_of_a_digest_stand_in_order(digest, locale):
    t, text = Translator(locale), words(whole(digest("m1", locale)))
    places = [text.index(t(f"digest.{name}.heading")) for name in TEAM_TEXTS]
    assert places == sorted(places)


def _shares(html):
    return sorted(re.findall(r"\b\d{1,3}(?=%|٪)|(?<=%)\d{1,3}\b", words(html)), key=int)


@pytest.mark.parametrize(("which", "key"), [("rep_report", "r1"), ("rep_report", "r4"), ("digest", "m1")])
def test_all_languages_show_the_same_shares(which, key, request):
    make = request.getfixturevalue(which)
    english, turkish, arabic = (_shares(whole(make(key, locale))) for locale in ("en", "tr", "ar"))
    assert len(english) > 15 and english == turkish == arabic


@pytest.mark.parametrize("locale", LOCALES)
def test_a_company_with_nothing_gets_reports_that_say_so(bare_company, locale):
    t, environ = Translator(locale), {"SPM_SCOPE": Scope.of_company().to_json()}
    text = words(whole(coaching_report(str(bare_company.root), "r1", locale, environ=environ)))
    for name in ("where.no_forecast", "well.nothing_yet", "deals.none", "detect.none", "agreements.none"):
        assert words(t(f"report.{name}")) in text, name
    text = words(whole(team_digest(str(bare_company.root), "m1", locale, environ=environ)))
    for name in ("outlook.none", "well.none", "deals.none", "talks.none"):
        assert words(t(f"digest.{name}")) in text, name


def test_a_report_is_the_same_every_time(rep_report, digest):
    assert whole(rep_report("r1", "ar")) == whole(rep_report("r1", "ar"))
    assert whole(digest("m1", "tr")) == whole(digest("m1", "tr"))


def test_an_answer_stands_in_the_report_once_it_was_given_before_its_day(journal, rep_report):
    for day, text in ((13, "Two <i>tenders</i>"), (16, "too late")):
        mine = journal(Scope.of_rep("r5"), date(2026, 8, day))
        mine.write("reply", "r5", ("finding", "win_rate"), {"text": text}, rep_id="r5")
    for said in (str(rep_report("r5").one_thing), str(rep_report("r5").record)):  # beside the topic, and in full
        assert "Two &lt;i&gt;tenders&lt;/i&gt;" in said and "too late" not in said
    assert "tenders" not in whole(rep_report("r1"))


def test_the_record_says_ok_only_when_every_section_was_shown(workspace, tmp_path):
    path = tmp_path / "record.json"
    environ = {"SPM_SCOPE": Scope.of_rep("r1").to_json(), "SPM_RESULT": str(path)}
    report = coaching_report(str(workspace.root), "r1", "en", environ=environ)
    str(report.header)
    report.finish()
    assert json.loads(path.read_text())["ok"] is False
    whole(report)
    report.finish()
    record = json.loads(path.read_text())
    assert record["ok"] and record["about"] == "r1" and record["sections"] == list(report.SECTIONS)
    assert record["run_id"] == "2026-08-14-test" and record["as_of"] == "2026-08-14"


def test_a_digest_names_at_most_three_people_and_five_deals(digest):
    for manager in ("m1", "m2", "m3"):
        report = digest(manager)
        assert str(report.talks).count("<li>") <= 3 and str(report.deals).count('class="deal"') <= 5


def on_paper(report, folder, locale):
    """The words of each page of a report as PDF."""
    shown = [nbformat.v4.new_output("execute_result", {"text/html": whole(report)}, execution_count=1)]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=shown, id="a")])
    nbformat.write(book, folder / "r.ipynb")
    html = render_html(folder / "r.ipynb", folder / "r.html", translator=Translator(locale), title="تقرير",
                       provenance={})  # fmt: skip
    return pypdf.PdfReader(render_pdf(html, folder / "r.pdf"))


@pytest.mark.parametrize("locale", ["en", "tr"])
def test_what_is_read_in_three_minutes_is_one_sheet(rep_report, tmp_path, locale):
    t = Translator(locale)
    first, second, *_ = (
        words(page.extract_text()) for page in on_paper(rep_report("r1", locale), tmp_path, locale).pages
    )
    for name in ("where", "focus", "agreements", "data"):
        assert t(f"report.{name}.heading") in first, name
    assert t("report.data.reply").split()[-1] in first and second.startswith(t("report.deals.detail"))


def test_an_arabic_pdf_holds_arabic_words_and_latin_names(rep_report, tmp_path):
    pdf = on_paper(rep_report("r1", "ar"), tmp_path, "ar")
    text = "".join(page.extract_text() for page in pdf.pages)
    assert len(set(re.findall("[\u0621-\u064a]", text))) > 20
    assert "Quick" in text and pdf.metadata.title == "تقرير" and pdf.trailer["/Root"]["/Lang"].startswith("ar")
