"""What a backtest or the KPIs tell, as HTML and PDF: a notebook that is run like every report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from spm_models.access import Scope
from spm_models.errors import ReportError
from spm_models.published.freshness import company_day, staleness
from spm_models.reports.execute import execute
from spm_models.reports.render import render_html, render_pdf
from spm_models.runs.order import FORECAST_ACCURACY, KPI_SCORECARD, MODEL_CARD
from spm_models.shipped import shipped
from spm_models.translations import Translator
from spm_models.workspace import Workspace


@dataclass(frozen=True)
class Card:
    """Files of a card; ``error`` says why there is no PDF."""

    html: Path
    pdf: Path | None = None
    error: str = ""


@dataclass(frozen=True)
class Kind:
    """What tells one card from another: notebook and folder, name of the files, title, command that makes it again."""

    notebook: str
    about: str
    title: str
    again: str


WIN_CARD = Kind(MODEL_CARD, "win_probability", "card.title", "spm backtest win")
SCORECARD = Kind(KPI_SCORECARD, "company", "scorecard.title", "spm kpis report")
ACCURACY = Kind(FORECAST_ACCURACY, "revenue_forecast", "accuracy.title", "spm backtest forecast")


def write_card(workspace: Workspace, kind: Kind, facts: Mapping[str, Any], locale: str = "") -> Card:
    """Run the notebook on what was saved last and render it.

    Parameters
    ----------
    workspace : Workspace
    kind : Kind
    facts : mapping
        Of what was just saved: ``as_of``, ``data_hash``, ``code_hash`` and ``seed`` go into the file's head. Where the
        data of ``as_of`` are out of date today, the card says so.
    locale : str
        Language of the reader; empty: the one for reports, else the company's.

    Raises
    ------
    ReportError
        When the notebook does not run to its end.
    """
    company = workspace.settings.company
    language = locale or workspace.settings.reports.locale or company.locale
    folder = workspace.reports_dir / kind.notebook
    name = f"{kind.about}.{language}"
    executed = execute(
        shipped(f"notebooks/reports/{kind.notebook}.ipynb"), folder / "evidence" / f"{name}.ipynb",
        {"workspace": str(workspace.root), "locale": language}, {"SPM_SCOPE": Scope.of_company().to_json()},
    )  # fmt: skip
    words = Translator(language, currency=company.currency, time_zone=company.time_zone)
    as_of = date.fromisoformat(str(facts["as_of"])[:10])
    head = {key: str(facts[key])[:12] for key in ("as_of", "data_hash", "code_hash", "seed")}
    html = render_html(
        executed.notebook, folder / f"{name}.html", translator=words, title=f"{words(kind.title)} – {company.name}",
        provenance=head | {"again": kind.again},
        stale=staleness(workspace.settings, as_of, company_day(workspace.settings)),
    )  # fmt: skip
    if not workspace.settings.reports.pdf:
        return Card(html)
    try:
        return Card(html, render_pdf(html, html.with_suffix(".pdf")))
    except ReportError as error:
        html.with_suffix(".pdf").unlink(missing_ok=True)  # an old one would tell other figures
        return Card(html, None, str(error))
