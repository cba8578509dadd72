"""The model card of a backtest as HTML and PDF: a notebook that is run like every report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from spm_models.access import Scope
from spm_models.errors import ReportError
from spm_models.reports.execute import execute
from spm_models.reports.render import render_html, render_pdf
from spm_models.runs.reporting import MODEL_CARD
from spm_models.shipped import shipped
from spm_models.translations import Translator
from spm_models.win_probability import Backtest
from spm_models.workspace import Workspace


@dataclass(frozen=True)
class Card:
    """Files of a model card; ``error`` says why there is no PDF."""

    html: Path
    pdf: Path | None = None
    error: str = ""


def write_card(workspace: Workspace, found: Backtest, locale: str = "") -> Card:
    """Run the notebook on the result of the last backtest and render it.

    Parameters
    ----------
    workspace : Workspace
    found : Backtest
        What was just saved; gives the provenance in the file's head.
    locale : str
        Language of the reader; empty: the one for reports, else the company's.

    Raises
    ------
    ReportError
        When the notebook does not run to its end.
    """
    company = workspace.settings.company
    language = locale or workspace.settings.reports.locale or company.locale
    folder = workspace.reports_dir / MODEL_CARD
    name = f"win_probability.{language}"
    executed = execute(
        shipped(f"notebooks/reports/{MODEL_CARD}.ipynb"), folder / "evidence" / f"{name}.ipynb",
        {"workspace": str(workspace.root), "locale": language}, {"SPM_SCOPE": Scope.of_company().to_json()},
    )  # fmt: skip
    words = Translator(language, currency=company.currency, time_zone=company.time_zone)
    facts = {key: str(found.facts[key])[:12] for key in ("as_of", "data_hash", "code_hash", "seed")}
    html = render_html(
        executed.notebook, folder / f"{name}.html", translator=words, title=f"{words('card.title')} – {company.name}",
        provenance=facts | {"again": "spm backtest win"},
    )  # fmt: skip
    if not workspace.settings.reports.pdf:
        return Card(html)
    try:
        return Card(html, render_pdf(html, html.with_suffix(".pdf")))
    except ReportError as error:
        html.with_suffix(".pdf").unlink(missing_ok=True)  # an old one would tell other figures
        return Card(html, None, str(error))
