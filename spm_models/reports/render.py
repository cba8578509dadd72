"""An executed report notebook as one HTML file that needs nothing else, and as PDF.

The HTML holds its style and its fonts, asks nobody for anything, needs no script, and shows what the cells displayed,
never their code. The same notebook gives the same bytes.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from spm_models.errors import ReportError
from spm_models.published.freshness import Stale
from spm_models.reports.stale import banner
from spm_models.shipped import shipped
from spm_models.translations import Translator

_LOADING = Lock()
APT_LINE = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff]")
_ARABIC_RANGE = "U+0600-06FF, U+0750-077F, U+08A0-08FF, U+FB50-FDFF, U+FE70-FEFF"
_CHART_COLOUR = re.compile(r"var\(--chart-[\w-]+, (#[0-9a-fA-F]{3,8})\)")
_FOLDED = re.compile(r"<details\b[^>]*>.*?</details>", re.DOTALL)


def render_html(
    notebook: Path, out: Path, *, translator: Translator, title: str, provenance: Mapping[str, str],
    stale: Stale | None = None,
) -> Path:  # fmt: skip
    """Write the report that an executed notebook displays.

    Parameters
    ----------
    notebook : Path
        Executed; cells with an error are refused.
    out : Path
        The HTML file; replaced at once or not at all.
    translator : Translator
        Gives language and direction.
    title : str
        Title of the document, as plain text.
    provenance : mapping of str to str
        What the report was made from; kept in the file's head.
    stale : Stale, optional
        How old the data are, where they are too old: said above everything else.

    Raises
    ------
    ReportError
        When a cell of the notebook failed, or nothing was displayed.
    """
    book = _read(notebook)
    outputs = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    failed = [output for output in outputs if output.output_type == "error"]
    if failed or not any("text/html" in output.get("data", {}) for output in outputs):
        raise ReportError(
            "This notebook is no report", where=str(notebook),
            found=f"error: {failed[0].get('evalue', '')}" if failed else "nothing was displayed",
            remedy="Run it again; see the notebook's cells.",
        )  # fmt: skip
    body = "".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs)
    facts = {
        "lang": translator.locale, "direction": translator.direction, "title": title,
        "banner": banner(translator, stale),
        "provenance": dict(sorted(provenance.items())), "style": stylesheet(arabic=bool(_ARABIC.search(body + title))),
    }  # fmt: skip
    text, _ = _exporter().from_notebook_node(book, resources={"spm": facts})
    return _write(out, text.encode("utf-8"))


def render_pdf(html: Path, out: Path) -> Path:
    """Write an HTML report as tagged PDF (PDF/UA-1), with the fonts that it holds.

    Parameters
    ----------
    html : Path
        What :func:`render_html` wrote.
    out : Path

    Raises
    ------
    ReportError
        When the machine lacks the libraries that set the type; the HTML report is not affected.
    """
    missing = lacking()
    if missing:
        raise ReportError(
            "No PDF can be made on this machine", where="weasyprint", found=missing,
            remedy=f"As root: {APT_LINE}. Or set [reports].pdf = false in spm.toml.",
        )  # fmt: skip
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    text = _for_paper(html.read_text(encoding="utf-8"))
    pdf = HTML(string=text, url_fetcher=URLFetcher(allowed_protocols=("data",))).write_pdf(
        pdf_variant="pdf/ua-1", pdf_identifier=hashlib.sha256(text.encode()).digest()[:16]
    )
    return _write(out, pdf)


def lacking() -> str:
    """What keeps this machine from setting type, in one line; empty when nothing does."""
    with _LOADING:  # a second thread would find the package half imported
        return _try_to_load()


@cache
def _try_to_load() -> str:
    try:
        import weasyprint  # noqa: F401
    except OSError as error:
        return str(error).split(":")[0]
    return ""


def _for_paper(text: str) -> str:
    """What the type-setter understands: plain colours, no folded tables, isolates within each bdi."""
    plain = _FOLDED.sub("", _CHART_COLOUR.sub(r"\1", text))
    return plain.replace("<bdi>", "\u2068").replace("</bdi>", "\u2069")


def stylesheet(*, arabic: bool) -> str:
    """The style of reports with the fonts in it; the Arabic ones only where there is Arabic."""
    families = [("SPM Sans", "SPMSans", "")]
    families += [("SPM Sans Arabic", "SPMSansArabic", f" unicode-range: {_ARABIC_RANGE};")] if arabic else []
    faces = [
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; src: url("{_font(f"{file}-{name}.woff2")}") '
        f'format("woff2");{extent} }}'
        for family, file, extent in families
        for weight, name in ((400, "Regular"), (700, "Bold"))
    ]
    return "\n".join([*faces, shipped("templates/reports/report.css").read_text(encoding="utf-8")])


@cache
def _font(file: str) -> str:
    content = (shipped("templates/fonts") / file).read_bytes()
    return f"data:font/woff2;base64,{base64.b64encode(content).decode('ascii')}"


def _read(notebook: Path) -> Any:
    import nbformat

    return nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]


@cache
def _exporter() -> Any:
    """One exporter for all reports of a process: it reads its template once."""
    from nbconvert import HTMLExporter

    return HTMLExporter(  # type: ignore[no-untyped-call]
        template_name="spm", extra_template_basedirs=[str(shipped("templates/reports"))]
    )


def _write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")  # two machines may write the same one
    try:
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    return path
