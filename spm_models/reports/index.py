"""The indexes of a run's reports: one page that leads to each report, and one for each manager."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup

from spm_models.published import Manifest
from spm_models.published.freshness import NOTE, Stale
from spm_models.reports.parts import heading, join, paragraph, section
from spm_models.reports.render import stylesheet
from spm_models.reports.stale import banner
from spm_models.shipped import shipped
from spm_models.translations import Translator

FILE = "index.html"
MANAGERS = "managers"
Row = tuple[str, str, str | None, str | None, str | None]  #: report, name, HTML, PDF (relative to the folder), error
Card = tuple[str, str, date]


def write_index(
    folder: Path, rows: Sequence[Row], translator: Translator, manifest: Manifest, company: str,
    cards: Sequence[Card] = (),
) -> Path:  # fmt: skip
    """Write ``index.html`` into the folder of a run's reports.

    Parameters
    ----------
    folder : Path
    rows : sequence of (report, name, html, pdf, error)
        Kind of report (``coaching_report``, ``team_digest``, …), whom it is about, its files relative to the folder,
        and why it (or its PDF) could not be made.
    translator : Translator
    manifest : Manifest
        Of the run.
    company : str
        Name of the company.
    cards : sequence of (title, html, day)
        What the last backtests told: no part of the run, and perhaps older than it, hence with the day of their data.

    Returns
    -------
    Path
    """
    return _write(folder / FILE, rows, translator, manifest, company, cards)


def write_managers(
    folder: Path, file: str, rows: Sequence[Row], translator: Translator, manifest: Manifest, name: str
) -> Path:
    """Write the index of one manager: what was written for him and for his people, and nothing of anybody else.

    Parameters
    ----------
    folder : Path
        Of a run's reports.
    file : str
        Name without ending.
    rows : sequence of (report, name, html, pdf, error)
    translator : Translator
        In his language.
    manifest : Manifest
    name : str
        His own.

    Returns
    -------
    Path
        ``managers/<file>.html`` in the folder.
    """
    up = [(kind, who, html and f"../{html}", pdf and f"../{pdf}", error) for kind, who, html, pdf, error in rows]
    return _write(folder / MANAGERS / f"{file}.html", up, translator, manifest, name, ())


def _write(
    path: Path, rows: Sequence[Row], t: Translator, manifest: Manifest, whose: str, cards: Sequence[Card]
) -> Path:
    title = heading(Markup("<bdi>{}</bdi> · {}").format(whose, t("common.data_as_of", day=manifest.as_of)),
                    t("index.title"))  # fmt: skip
    groups = [("executive_quarterly", t("quarterly.name")), ("executive_report", t("executive.name")),
              ("team_monthly", t("monthly.name")),
              ("team_digest", t("index.teams")), ("coaching_report", t("index.reps"))]  # fmt: skip
    lists = [_group(t, kind, label, rows) for kind, label in groups]
    lists.append(_cards(t, cards))
    said = banner(t, Stale.of_note(manifest.notes.get(NOTE)))
    body = join([said, title, *(part for part in lists if part)]) if rows else said + title + paragraph(t("index.none"))
    foot = paragraph(t.html("report.data.run", run_id=manifest.run_id), "note")
    text = _environment().get_template("plain.html.j2").render(
        lang=t.locale, direction=t.direction, title=f"{t('index.title')} · {whose}", body=body + foot,
        style=Markup(stylesheet(arabic=True)),
    )  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _group(t: Translator, kind: str, label: str, rows: Iterable[Row]) -> Markup:
    own = sorted((row for row in rows if row[0] == kind), key=lambda row: (row[1].casefold(), row[2] or ""))
    if not own:
        return Markup("")
    failed = any(html is None for _, _, html, _, _ in own)
    note = paragraph(t("index.failed_note"), "note") if failed else ""
    lines = join(_line(t, name, html, pdf) for _, name, html, pdf, _ in own)
    return section(kind.replace("_", "-"), label, Markup('<ul class="index">{}</ul>').format(lines), note)


def _cards(t: Translator, cards: Sequence[Card]) -> Markup:
    lines = join(
        Markup('<li><a href="{}">{}</a><span>{}</span></li>').format(html, title, t("common.data_as_of", day=day))
        for title, html, day in cards
    )
    return Markup('<ul class="index">{}</ul>').format(lines) if cards else Markup("")


def _line(t: Translator, name: str, html: str | None, pdf: str | None) -> Markup:
    if html is None:
        state = Markup('<span class="care">{}</span>').format(t("index.failed"))
        return Markup("<li><span><bdi>{}</bdi></span>{}</li>").format(name, state)
    paper = Markup('<a href="{}">{}</a>').format(pdf, t("index.pdf")) if pdf else Markup("")
    ready = Markup('<span class="good">{}</span>').format(t("index.done"))
    return Markup('<li><a href="{}"><bdi>{}</bdi></a><span>{}</span>{}</li>').format(html, name, paper, ready)


@cache
def _environment() -> Environment:
    return Environment(loader=FileSystemLoader(shipped("templates/reports")), autoescape=True)
