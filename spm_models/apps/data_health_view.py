"""Data health: how old the data are, what is wrong in them, what is missing and what that costs, which model speaks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps.parts import Column, behind, cards, join, lede, section, top
from spm_models.apps.pieces import Pieces
from spm_models.apps.session import Session
from spm_models.journal import Journal
from spm_models.reports.parts import bullets, paragraph, tile, tiles


class DataHealth:
    """The page in parts."""

    def __init__(self, session: Session) -> None:
        self.session, self.t = session, session.reader.translator

    @property
    def headline(self) -> Pieces:
        """How old the data are, and how many rules they break."""
        return Pieces(self._headline)

    @property
    def details(self) -> Pieces:
        """Rules that are broken, remarks of the run, models, corrections that people asked for."""
        return Pieces(self._details)

    def _headline(self) -> Iterator[Markup]:
        t, manifest = self.t, self.session.results.manifest
        broken = self.session.results["data_quality"]
        rows = int(broken["rows"].sum()) if len(broken) else 0
        days = (pd.Timestamp.now(tz=self.session.workspace.settings.company.time_zone).date() - manifest.as_of).days
        title = t.html("data_health.headline", n=len(broken)) if len(broken) else t("data_health.all_well")
        items = [
            tile(t("data_health.as_of"), t.day(manifest.as_of), t("data_health.days_ago", n=max(0, days))),
            tile(t("data_health.rows"), t.number(rows)),
            tile(t("data_health.requests"), t.number(len(self._requests()))),
        ]
        yield top(self.session, self.session.workspace.settings.company.name, title,
                  lede(t("data_health.run", run=manifest.run_id)), tiles(items))  # fmt: skip

    def _details(self) -> Iterator[Markup]:
        t = self.t
        yield cards(
            [section("rules", t("data_health.rules"), self._rules()),
             section("requests", t("data_health.requests"), self._asked(), intro=t("data_health.requests_intro"))],
            [section("models", t("data_health.models"), self._models()),
             section("notes", t("data_health.notes"), self._notes(), intro=t("data_health.notes_intro"))],
        )  # fmt: skip

    def _rules(self) -> Markup:
        t, broken = self.t, self.session.results["data_quality"]
        if broken.empty:
            return paragraph(t("data_health.all_well"))
        broken = broken.assign(share=broken["rows"] / broken["of_rows"]).sort_values("rows", ascending=False)
        columns = [
            Column("table", t("data_health.table")), Column("rule", t("data_health.rule")),
            Column("severity", t("data_health.severity")), Column("rows", t("data_health.rows"), t.number, number=True),
            Column("share", t("data_health.share"), t.percent, number=True),
            Column("example", t("data_health.example")),
        ]  # fmt: skip
        lines = [
            t.html("data_health.line", table=row["table"], rule=row["rule"], n=int(row["rows"]))
            for row in broken.head(8).to_dict("records")
        ]
        return bullets(lines) + behind(t, broken, columns, t("data_health.rules"), "data-quality")

    def _models(self) -> Markup:
        t = self.t
        verdicts, scores = self.session.results["model_verdicts"], self.session.results["model_scores"]
        lines = [
            t.html("data_health.model", question=str(row["question"]), published=str(row["published"]))
            for row in verdicts.to_dict("records")
        ]
        columns = [
            Column("model", t("forecast.method")), Column("question", t("data_health.question")),
            Column("measure", t("data_health.measure")),
            Column("value", t("data_health.value"), lambda value: t.number(value, 3), number=True),
            Column("n", t("data_health.n"), t.number, number=True),
        ]  # fmt: skip
        table = behind(t, scores, columns, t("data_health.models"), "models") if len(scores) else Markup("")
        return (bullets(lines) if lines else paragraph(t("page.state.empty"))) + table

    def _notes(self) -> Markup:
        manifest = self.session.results.manifest
        lines = [
            Markup('<span lang="en" dir="ltr">{}</span>').format(note)
            for part in sorted(manifest.notes)
            for note in (manifest.notes[part] if isinstance(manifest.notes[part], list) else [])
        ]
        return bullets(lines, "facts") if lines else paragraph(self.t("data_health.no_notes"))

    def _requests(self) -> list[dict[str, Any]]:
        if not self.session.workspace.has_journal:
            return []
        journal = Journal(self.session.workspace, self.session.reader.scope)
        try:
            entries = journal.current(kind="correction")
        finally:
            journal.close()
        return [{"day": one.written_at.date(), "deal": one.about_id, **one.body} for one in reversed(entries)]

    def _asked(self) -> Markup:
        t, asked = self.t, self._requests()
        if not asked:
            return paragraph(t("data_health.no_requests"))
        lines = (
            Markup("<li><h3><bdi>{}</bdi></h3><p>{}</p><p class=\"soft\">{}</p></li>").format(
                one["deal"],
                t.html("data_health.asked", column=t(f"answers.columns.{one['column']}"), value=one["value"],
                       day=one["day"]),
                one["reason"],
            )
            for one in asked[:20]
        )  # fmt: skip
        return Markup('<ol class="people">{}</ol>').format(join(lines))


def data_health(session: Session) -> DataHealth:
    """The page of analysts about the data and the models.

    Parameters
    ----------
    session : Session
        Who looks, and the published results within what he may see.
    """
    return DataHealth(session)
