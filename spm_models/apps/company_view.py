"""Company: where the quarter goes, by unit, what moves it, what coaching brings, and how sure all that is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from markupsafe import Markup

from spm_models.apps.pages import link
from spm_models.apps.parts import cards, go, lede, state, top
from spm_models.apps.pieces import Pieces
from spm_models.apps.reading import PageReading, of_company
from spm_models.apps.session import Session
from spm_models.reports import standing
from spm_models.reports.per_company import QuarterlyReport


class Company:
    """The page in parts; its sections are those of the executives' reports."""

    def __init__(self, session: Session) -> None:
        self.session, self.t = session, session.reader.translator

    @cached_property
    def reading(self) -> PageReading | None:
        """Results of the whole company; None for whoever may not see it."""
        return of_company(self.session) if self.session.reader.scope.whole_company else None

    @cached_property
    def report(self) -> QuarterlyReport:
        """The sections that the reports have as well."""
        assert self.reading is not None
        return QuarterlyReport(self.reading, {})

    @property
    def headline(self) -> Pieces:
        """Expected revenue against the quota tiers."""
        return Pieces(self._headline)

    @property
    def quarter(self) -> Pieces:
        """The forecast, the last quarter, and what moves the pipeline."""
        return Pieces(lambda: self._cards(("outlook", "movement"), ("strategy", "quarter")))

    @property
    def people(self) -> Pieces:
        """Units beside their quotas, the gap in money, what coaching brings, how far figures can be trusted."""
        return Pieces(lambda: self._cards(("units", "health"), ("gap", "coaching", "data")))

    def _headline(self) -> Iterator[Markup]:
        t, o = self.t, self.reading.outlook() if self.reading else None
        if self.reading is None or o is None:
            yield state(t("pages.titles.company"), t("page.state.empty"), t("page.state.no_results_remedy"))
            return
        company = self.session.workspace.settings.company.name
        eyebrow = Markup("<bdi>{}</bdi> · {}").format(company, t("common.data_as_of", day=o.as_of))
        title = t.html("page.outlook.headline", period=t.period(o.period), expected=t.compact_money(o.total("mean")))
        low, high = t.compact_money(o.total("p10")), t.compact_money(o.total("p90"))
        line = lede(t.html("page.outlook.headline_range", low=low, high=high))
        yield top(self.session, eyebrow, title, line, standing.figures(t, o),
                  go(link("revenue-outlook"), t("my_team.to_forecast")))  # fmt: skip

    def _cards(self, *columns: tuple[str, ...]) -> Iterator[Markup]:
        if self.reading is not None:
            yield cards(*([getattr(self.report, name) for name in column] for column in columns))


def company(session: Session) -> Company:
    """The page of executives and analysts about the whole company.

    Parameters
    ----------
    session : Session
        Who looks, and the published results within what he may see.
    """
    return Company(session)
