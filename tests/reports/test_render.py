"""A rendered report needs nothing but itself, says its language, and is the same every time."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pandas as pd
import pypdf
import pytest

from spm_models.errors import ReportError
from spm_models.reports import parts
from spm_models.reports.render import render_html, render_pdf
from spm_models.translations import Translator

FINDING = pd.DataFrame(
    [("win_rate", 0.3, 0.4, 0.35, 0.3, 0.4, "watch")],
    columns=["signal", "actual", "expected", "pooled", "low", "high", "verdict"],
)
PROVENANCE = {"run_id": '2026-06-30-"x"', "as_of": "2026-06-30"}
NAME = "</style><script>alert(1)</script>"


def notebook(folder: Path, *pieces: object, error: str = "") -> Path:
    cells = []
    for number, piece in enumerate(pieces):
        data = {"text/html": str(piece), "text/plain": "Part(…)"}
        shown = nbformat.v4.new_output("execute_result", data, execution_count=1)
        cells.append(nbformat.v4.new_code_cell("secret_code()", outputs=[shown], id=f"c{number}"))
    if error:
        failed = nbformat.v4.new_output("error", ename="ValueError", evalue=error, traceback=[])
        cells.append(nbformat.v4.new_code_cell("x", outputs=[failed], id="failed"))
    path = folder / "report.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def sections(t: Translator) -> list[object]:
    from spm_models.charts.signals import signals_chart

    drawn = parts.chart("s", t("coaching.title"), "…", lambda width: signals_chart(t, FINDING, width=width),
                        parts.folded(t, FINDING, [parts.Column("signal", "S")], "All"))  # fmt: skip
    bar = parts.chance_bar(t, t("deal.win_probability"), 0.6, 0.5, 0.7)
    return [
        parts.section("a", t("report.where.heading"), bar, intro=NAME),
        parts.section("b", t("coaching.title"), drawn),
    ]


@pytest.fixture(params=["en", "tr", "ar"])
def t(request: pytest.FixtureRequest) -> Translator:
    return Translator(request.param, currency="TRY")


@pytest.fixture
def html(tmp_path: Path, t: Translator) -> Path:
    return render_html(
        notebook(tmp_path, *sections(t)), tmp_path / "r.html", translator=t, title=f"{t('coaching.title')} {NAME}",
        provenance=PROVENANCE,
    )  # fmt: skip


def test_it_asks_nobody_for_anything(html: Path) -> None:
    text = html.read_text(encoding="utf-8")
    assert re.findall(r"<(?:script|link|iframe|img|object|embed)\b", text) == []
    asked = re.findall(r"(?:src|href|url)\s*[=(]\s*[\"']?([^\"')\s>]+)", text)
    assert [place for place in asked if not place.startswith(("data:", "#"))] == []
    assert "default-src 'none'" in text and "@import" not in text


def test_code_stays_behind_and_hostile_names_show_as_text(html: Path) -> None:
    text = html.read_text(encoding="utf-8")
    assert "secret_code" not in text and "Part(…)" not in text
    assert text.count("</style>") == 1 and "&lt;/style&gt;&lt;script&gt;alert(1)" in text


def test_language_direction_and_fonts_are_those_of_the_reader(html: Path, t: Translator) -> None:
    text = html.read_text(encoding="utf-8")
    root = re.search(r"<html[^>]*>", text)
    assert root and f'lang="{t.locale}"' in root[0] and f'dir="{t.direction}"' in root[0]
    assert text.count("data:font/woff2;base64,") == (4 if t.locale == "ar" else 2)


def test_an_arabic_name_brings_its_font_into_an_english_report(tmp_path: Path) -> None:
    page = render_html(notebook(tmp_path, parts.paragraph("سارة")), tmp_path / "r.html", translator=Translator("en"),
                       title="R", provenance={})  # fmt: skip
    assert page.read_text(encoding="utf-8").count("data:font/woff2;base64,") == 4


def test_what_it_was_made_from_is_in_its_head(html: Path) -> None:
    text = html.read_text(encoding="utf-8")
    assert re.search(r'content=.2026-06-30-(&quot;|")x(&quot;|"). name="spm.run_id"', text)


def test_the_same_notebook_gives_the_same_bytes(html: Path, tmp_path: Path, t: Translator) -> None:
    pdf = render_pdf(html, tmp_path / "r.pdf").read_bytes()
    again = render_html(tmp_path / "report.ipynb", tmp_path / "again.html", translator=t,
                        title=f"{t('coaching.title')} {NAME}", provenance=PROVENANCE)  # fmt: skip
    assert again.read_bytes() == html.read_bytes()
    assert render_pdf(again, tmp_path / "again.pdf").read_bytes() == pdf


def test_the_pdf_is_tagged_and_says_its_language_and_title(html: Path, tmp_path: Path, t: Translator) -> None:
    pdf = pypdf.PdfReader(render_pdf(html, tmp_path / "r.pdf"))
    root = pdf.trailer["/Root"]
    assert root["/Lang"].startswith(t.locale) and root["/MarkInfo"]["/Marked"]
    assert b"pdfuaid" in pdf.trailer["/Root"]["/Metadata"].get_data()
    assert pdf.metadata and str(pdf.metadata.title).startswith(t("coaching.title"))
    fonts = {str(font.get_object()["/BaseFont"]) for page in pdf.pages for font in page["/Resources"]["/Font"].values()}
    assert fonts and all("SPM" in font for font in fonts)
    if t.locale != "ar":
        words = "".join(page.extract_text() for page in pdf.pages)
        assert t("report.where.heading")[:12] in words and "alert(1)" in words


def test_a_failed_or_empty_notebook_is_no_report(tmp_path: Path) -> None:
    failed = notebook(tmp_path, parts.paragraph("x"), error="no such table")
    with pytest.raises(ReportError, match="no such table"):
        render_html(failed, tmp_path / "r.html", translator=Translator("en"), title="R", provenance={})
    with pytest.raises(ReportError, match="nothing was displayed"):
        render_html(notebook(tmp_path), tmp_path / "r.html", translator=Translator("en"), title="R", provenance={})
    assert not (tmp_path / "r.html").exists()


def test_without_the_type_setting_libraries_every_thread_is_told_what_to_install(tmp_path: Path) -> None:
    code = f"""
        import cffi, pathlib
        from concurrent.futures import ThreadPoolExecutor
        from spm_models.errors import ReportError
        from spm_models.reports.render import render_pdf

        def missing(self, name, *flags):
            raise OSError("cannot load library 'libpango-1.0-0'")

        def told(n):
            try:
                render_pdf(page, page.with_suffix(f".{{n}}.pdf"))
            except ReportError as error:
                return str(error)

        cffi.FFI.dlopen = missing
        page = pathlib.Path({str(tmp_path)!r}) / "r.html"
        page.write_text("<p>x")
        with ThreadPoolExecutor(8) as pool:
            print(set(pool.map(told, range(16))))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    (told,) = ast.literal_eval(done.stdout.strip().splitlines()[-1])
    assert "apt-get install libpango" in told
    assert list(tmp_path.glob("*.pdf")) == []


def test_a_pdf_takes_nothing_from_outside(tmp_path: Path) -> None:
    page = tmp_path / "r.html"
    page.write_text(f'<html lang="en"><title>x</title><p>x<img alt="x" src="file://{tmp_path}/secret.png"></html>')
    (tmp_path / "secret.png").write_bytes(b"secret")
    images = [image for sheet in pypdf.PdfReader(render_pdf(page, tmp_path / "r.pdf")).pages for image in sheet.images]
    assert images == []
