"""The revenue outlook: what the period will bring, where, how sure, and the deals that decide it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps.choose import reps_of, unit_of
from spm_models.apps.outlook import Outlook, outlook, unit_label
from spm_models.apps.outlook_headline import hero
from spm_models.apps.parts import state
from spm_models.apps.pieces import Pieces
from spm_models.apps.session import Session
from spm_models.errors import NotEnoughDataError
from spm_models.translations import Translator
from spm_models.writing.submissions import units_of

_TABLES = (
    "reps", "forecast", "forecast_quantiles", "forecast_draws", "quota_chances", "revenue_history", "forecast_replay",
    "deal_scores", "deal_reasons", "deal_trend", "deal_overrides", "model_verdicts", "forecast_bridge",
    "forecast_bridge_deals",
    "pacing", "pacing_position", "quota_pace", "pipeline_movement", "pipeline_moves", "forecast_categories",
    "forecast_submissions", "submission_accuracy", "forecast_input_people",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """What one page shows, for one viewer."""

    session: Session
    t: Translator
    tables: dict[str, pd.DataFrame]
    outlook: Outlook
    units: frozenset[tuple[str, str]] = frozenset()  #: that may be chosen

    @property
    def may_submit(self) -> bool:
        """Whether the viewer says what he expects of this unit."""
        reader, people = self.session.reader, self.session.results["reps"]
        mine = units_of(reader.viewer, reader.person, people, reader.scope)
        return (self.outlook.level, self.outlook.key) in mine

    @property
    def unit(self) -> str:
        """Name of the unit in the middle of the page."""
        if self.outlook.level == "company":
            return self.session.workspace.settings.company.name
        return unit_label(self.tables["reps"], self.outlook.level, self.outlook.key)

    def of_unit(self, table: str, period: str | None = None) -> pd.DataFrame:
        """Rows of a published table about the unit in the middle of the page, of one period if it is named."""
        rows = self.tables[table]
        rows = rows[(rows["level"] == self.outlook.level) & (rows["key"] == self.outlook.key)]
        return (rows if period is None else rows[rows["period"] == period]).reset_index(drop=True)

    def of_reps(self, table: str, period: str) -> pd.DataFrame:
        """Rows of a published table about the deals in scope, of one period."""
        rows = self.tables[table]
        return rows[rows["period"] == period].reset_index(drop=True)

    def months(self) -> pd.DataFrame:
        """Months of the period: ``period``, ``mean``, ``p10``, ``p90``, ``closed`` of the unit; means add up to it."""
        rows = self.of_unit("forecast_quantiles")
        rows = rows[(rows["quarter"] == self.outlook.period) & (rows["period"] != rows["quarter"])]
        closed = rows[rows["part"] == "closed"].set_index("period")["mean"]
        total = rows[rows["part"] == "total"].sort_values("period_start")
        return total.assign(closed=total["period"].map(closed))[["period", "mean", "p10", "p90", "closed"]]

    def absent(self) -> list[str]:
        """Sections that have nothing to show."""
        period = self.outlook.period
        kinds = self.of_unit("forecast_bridge", period)["kind"].value_counts()
        said = {*self.of_unit("forecast_categories", period)["category"]} & {"commit", "best_case"}
        inputs = self.tables["forecast_input_people"]
        empty = {
            "what-if": not (inputs["period"] == period).any(),
            "units": self.outlook.units.empty,
            "months": self.months().empty,
            "change": kinds.get("change", 0) < 2,
            "target": kinds.get("target", 0) < 2,
            "pace": self.of_unit("pacing").empty or self.of_unit("pacing_position").empty,
            "people": not said and self.of_unit("forecast_submissions", period).empty and not self.may_submit,
            "movement": self.of_unit("pipeline_movement", period="").empty,
        }
        return [name for name, nothing in empty.items() if nothing]

    def rep_name(self, rep_id: object) -> str:
        """A rep's name; his id where nobody has it."""
        return str(self._names.get(rep_id, rep_id))

    @cached_property
    def _names(self) -> dict[object, object]:
        people = self.tables["reps"]
        return dict(zip(people["rep_id"], people["name"], strict=True))


class RevenueOutlook:
    """The page in parts, so that the finding is on the screen and the control alive while the rest is being drawn."""

    def __init__(self, session: Session, period: str = "") -> None:
        self.session, self.period = session, period

    @property
    def headline(self) -> Pieces:
        """The finding in a sentence, and the figures that matter."""
        return Pieces(self._headline)

    @property
    def first_charts(self) -> Pieces:
        """Where the period is heading."""
        return Pieces(lambda: self._drawn("FIRST"))

    @property
    def what_if(self) -> Pieces:
        """The live control: early, so that it comes alive while the rest is drawn."""
        return Pieces(self._live)

    @property
    def change(self) -> Pieces:
        """What has changed since last week."""
        return Pieces(lambda: self._drawn("CHANGE"))

    @property
    def charts(self) -> Pieces:
        """What stands beside it: what people say, months, the target, the past."""
        return Pieces(lambda: self._drawn("LEFT", "RIGHT"))

    @property
    def units(self) -> Pieces:
        """Where: regions, teams, managers, reps."""
        return Pieces(lambda: self._drawn("WHOLE"))

    @property
    def details(self) -> Pieces:
        """Everything below: the deals, how good and how made."""
        return Pieces(self._details)

    @cached_property
    def page(self) -> Page | None:
        """What is shown; None when nothing was forecast for anyone in scope."""
        tables = {name: self.session.results[name] for name in _TABLES}
        reader, forecast = self.session.reader, tables["forecast"]
        known = set(zip(forecast["level"], forecast["key"], strict=True))
        unit = unit_of(self.session.asked.get("unit", ""), known, reader.unit)
        if unit != reader.unit:
            tables = _narrowed(tables, reps_of(unit, tables["reps"]))
        period = self.period or self.session.asked.get("period", "")
        try:
            picked = outlook(tables, *unit, period if period in set(forecast["period"]) else self.period)
        except NotEnoughDataError:
            return None
        return Page(self.session, reader.translator, tables, picked, frozenset(known | {reader.unit}))

    def _headline(self) -> Iterator[Markup]:
        t = self.session.reader.translator
        if self.page is None:
            yield state(t("page.outlook.title"), t("page.state.empty"), t("page.state.no_results_remedy"))
        else:
            yield hero(self.page)

    def _drawn(self, *groups: str) -> Iterator[Markup]:
        from spm_models.apps import outlook_sections

        if self.page is not None:
            yield _columns(self.page, *(getattr(outlook_sections, group) for group in groups))

    def _live(self) -> Iterator[Any]:
        from spm_models.apps import outlook_sections

        if self.page is not None:
            yield from outlook_sections.live(self.page)

    def _details(self) -> Iterator[Any]:
        from spm_models.apps import outlook_deals, outlook_sections

        if self.page is not None:
            yield _columns(self.page, (*outlook_deals.SECTIONS, *outlook_sections.LAST))


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


def _narrowed(tables: dict[str, pd.DataFrame], reps: set[str] | None) -> dict[str, pd.DataFrame]:
    """Tables about deals, of these reps only; all others as they are, for their rows name their unit."""
    if reps is None:
        return tables
    return {
        name: table[table["rep_id"].isin(reps)] if "rep_id" in table and name != "reps" else table
        for name, table in tables.items()
    }


def _columns(page: Page, *groups: Iterable[Callable[[Page], Markup]]) -> Markup:
    """Sections two in a row; two groups stand in two columns that are about equally long."""
    made = [[part for part in (make(page) for make in group) if part] for group in groups]
    if len(made) == 2 and all(made):
        inner = Markup("").join(Markup('<div class="column">{}</div>').format(Markup("").join(part)) for part in made)
    else:
        inner = Markup("").join(part for group in made for part in group)
    return Markup('<div class="page">{}</div>').format(inner)
