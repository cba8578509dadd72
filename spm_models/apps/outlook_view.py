"""The revenue outlook: what the period will bring, where, how sure, and the deals that decide it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps import outlook_deals, outlook_sections
from spm_models.apps.outlook import Outlook, outlook, unit_label
from spm_models.apps.parts import state
from spm_models.apps.session import Session
from spm_models.errors import NotEnoughDataError
from spm_models.translations import Translator


@dataclass(frozen=True)
class Page:
    """What one page shows, for one viewer."""

    session: Session
    t: Translator
    tables: dict[str, pd.DataFrame]
    outlook: Outlook

    @property
    def unit(self) -> str:
        """Name of the unit in the middle of the page."""
        if self.outlook.level == "company":
            return self.session.workspace.settings.company.name
        return unit_label(self.tables["reps"], self.outlook.level, self.outlook.key)


class RevenueOutlook:
    """The page as a notebook shows it: HTML first, the live control in its place, HTML again."""

    def __init__(self, session: Session, period: str = "") -> None:
        self.session, self.period = session, period

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        for piece in self.pieces():
            display(HTML(piece) if isinstance(piece, str) else piece)

    def pieces(self) -> Iterator[Any]:
        """Parts of the page in order; all are HTML but the live control."""
        t = self.session.reader.translator
        tables = {name: self.session.results[name] for name in _TABLES}
        level, key = self.session.reader.unit
        try:
            page = Page(self.session, t, tables, outlook(tables, level, key, self.period))
        except NotEnoughDataError:
            yield state(t("page.outlook.title"), t("page.state.empty"), t("page.state.no_results_remedy"))
            return
        yield outlook_sections.hero(page)
        yield Markup('<div class="page">') + _together(page, outlook_sections.SECTIONS) + Markup("</div>")
        yield from outlook_sections.live(page)
        rest = (*outlook_deals.SECTIONS, *outlook_sections.LAST)
        yield Markup('<div class="page">') + _together(page, rest) + Markup("</div>")


def revenue_outlook(session: Session, *, period: str = "") -> RevenueOutlook:
    """The revenue outlook for a session's viewer.

    Parameters
    ----------
    session : Session
        Who looks, and the published results within what he may see.
    period : str
        Label of the period, such as ``2026-Q3``; empty: the one that was forecast.
    """
    return RevenueOutlook(session, period)


def _together(page: Page, sections: tuple[Callable[[Page], Markup], ...]) -> Markup:
    return Markup("").join(make(page) for make in sections)


_TABLES = (
    "reps", "forecast", "forecast_draws", "quota_chances", "revenue_history", "forecast_replay", "deal_scores",
    "deal_reasons", "model_verdicts",
)  # fmt: skip
