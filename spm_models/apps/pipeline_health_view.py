"""Pipeline health: where deals stay, where they are held up beyond chance, which are stuck, and why deals are lost."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import pandas as pd
from markupsafe import Markup

from spm_models.apps.choose import chooser, reps_of, unit_of
from spm_models.apps.outlook import unit_label
from spm_models.apps.pages import link
from spm_models.apps.parts import Column, behind, cards, drawn, go, lede, section, state, top
from spm_models.apps.pieces import Pieces
from spm_models.apps.session import Session
from spm_models.apps.stuck import named, stuck_list
from spm_models.charts.pipeline_health import relation_chart, stages_chart
from spm_models.reports.parts import bullets, paragraph, tile, tiles

STUCK, LOSSES = 6, 6


class PipelineHealth:
    """The page in parts, of the viewer's own unit or of one that the address names."""

    def __init__(self, session: Session) -> None:
        self.session, self.t = session, session.reader.translator

    @property
    def headline(self) -> Pieces:
        """The finding: which stage holds deals up, or that none does beyond chance."""
        return Pieces(self._headline)

    @property
    def stages(self) -> Pieces:
        """How long deals stay, and those that are stuck."""
        return Pieces(self._stages)

    @property
    def reasons(self) -> Pieces:
        """Why deals are lost, and what goes together with winning."""
        return Pieces(self._reasons)

    @cached_property
    def _units(self) -> set[tuple[str, str]]:
        table = self.session.results["pipeline_stages"]
        return set(zip(table["level"], table["key"], strict=True))

    @cached_property
    def _unit(self) -> tuple[str, str]:
        usual = self.session.reader.unit
        known = sorted(self._units)
        first = usual if usual in self._units or not known else known[0]
        return unit_of(self.session.asked.get("unit", ""), self._units, first)

    def _of_unit(self, name: str) -> pd.DataFrame:
        table = self.session.results[name]
        return table[(table["level"] == self._unit[0]) & (table["key"] == self._unit[1])]

    @cached_property
    def _stuck(self) -> pd.DataFrame:
        results = self.session.results
        rows, reps = results["stuck_deals"], reps_of(self._unit, results["reps"])
        rows = rows if reps is None else rows[rows["rep_id"].isin(reps)]
        return named(rows, results["deal_scores"], results["reps"])

    def _headline(self) -> Iterator[Markup]:
        t = self.t
        stages = self._of_unit("pipeline_stages")
        stages = stages[stages["segment"] == ""]
        if stages.empty and self._stuck.empty:
            yield state(t("pages.titles.pipeline_health"), t("page.state.empty"), t("page.state.no_results_remedy"))
            return
        found = self._of_unit("pipeline_bottlenecks")
        found = found[(found["verdict"] == "bottleneck") & (found["segment"] == "")].sort_values("q_value")
        names = list(dict.fromkeys(found["stage"]))
        title = (
            t.html("executive.bottlenecks", stages=t.list(t.name("stages", name) for name in names))
            if names
            else t("executive.no_bottleneck")
        )
        worth = t.compact_money(float(self._stuck["amount"].sum()))
        items = [
            tile(t("pipeline_page.open"), t.number(int(stages["deals"].sum())),
                 t.compact_money(float(stages["amount"].sum()))),
            tile(t("pipeline_page.stuck"), t.number(len(self._stuck)), worth,
                 tone="care" if len(self._stuck) else ""),
        ]  # fmt: skip
        day = t("common.data_as_of", day=self.session.results.manifest.as_of)
        yield top(self.session, day, title, lede(t("pipeline_page.intro")), tiles(items), self._choice())

    def _choice(self) -> Markup:
        t, people = self.t, self.session.results["reps"]
        order = ("company", "region", "team", "manager", "rep")
        options = [
            (f"{level}:{key}", t("common.company") if level == "company"
             else t("outlook.unit_of", level=t(f"levels.{level}"), name=unit_label(people, level, key)))
            for level, key in sorted(self._units, key=lambda unit: (order.index(unit[0]), unit[1]))
        ]  # fmt: skip
        chosen = f"{self._unit[0]}:{self._unit[1]}"
        return chooser(t, "pipeline-health", {"unit": (t("page.outlook.choose_unit"), options, chosen)})

    def _stages(self) -> Iterator[Markup]:
        t = self.t
        stages = self._of_unit("pipeline_stages")
        stages = stages[stages["segment"] == ""].sort_values("place")
        body = paragraph(t("pipeline_page.no_stages"))
        if len(stages):
            columns = [
                Column("stage", t("deal.stage"), lambda stage: t.name("stages", stage)),
                Column("deals", t("pipeline_page.open"), t.number, number=True),
                Column("amount", t("deal.amount"), t.money, number=True),
                Column("km_median_days", t("pipeline_page.median"), t.number, number=True),
                Column("mean_days", t("pipeline_page.mean"), lambda days: t.number(days, 1), number=True),
                Column("conversion", t("pipeline_page.conversion"), t.percent, number=True),
            ]
            body = drawn("stages", t("pipeline_page.stages_alt"), lambda width: stages_chart(t, stages, width=width))
            body += behind(t, stages, columns, t("pipeline_page.stages"), "stages")
        stuck = (
            stuck_list(t, self._stuck.head(STUCK), self.session.results["stuck_reasons"])
            if len(self._stuck)
            else paragraph(t("my_team.no_deals"))
        )
        yield cards(
            [section("stages", t("pipeline_page.stages"), body, intro=t("pipeline_page.stages_intro"))],
            [section("stuck", t("pipeline_page.stuck"), stuck, go(link("deals", view="stuck"), t("my_team.to_deals")))],
        )

    def _reasons(self) -> Iterator[Markup]:
        yield cards([self._losses(), self._competitors()], [self._relation()])

    def _losses(self) -> Markup:
        t, rows = self.t, self._of_unit("loss_reasons").sort_values("share", ascending=False)
        if rows.empty:
            return Markup("")
        lines = [
            t.html("pipeline_page.loss", reason=t.name("loss_reasons", row["reason"]), share=t.percent(row["share"]),
                   lost=t.number(int(row["lost"])), worth=t.compact_money(row["amount"]))
            for row in rows.head(LOSSES).to_dict("records")
        ]  # fmt: skip
        columns = [
            Column("reason", t("pipeline_page.reason"), lambda reason: t.name("loss_reasons", reason)),
            Column("lost", t("pipeline_page.lost"), t.number, number=True),
            *(Column(name, t(f"pipeline_page.{name}"), t.percent, number=True) for name in ("share", "low", "high")),
            Column("share_before", t("pipeline_page.before"), t.percent, number=True),
            Column("amount", t("deal.amount"), t.money, number=True),
        ]
        table = behind(t, rows, columns, t("pipeline_page.losses"), "loss-reasons")
        return section(
            "losses", t("pipeline_page.losses"), bullets(lines), table, intro=t("pipeline_page.losses_intro")
        )

    def _competitors(self) -> Markup:
        t, rows = self.t, self.session.results["competitors"]
        rows = rows[rows["competitor"] != ""].sort_values("deals", ascending=False)
        if rows.empty:
            return Markup("")
        columns = [
            Column("competitor", t("pipeline_page.competitor")),
            Column("deals", t("pipeline_page.deals"), t.number, number=True),
            *(Column(name, t(f"pipeline_page.{word}"), t.percent, number=True)
              for name, word in (("win_rate", "win_rate"), ("low", "low"), ("high", "high"))),
        ]  # fmt: skip
        lines = [
            t.html("pipeline_page.against", name=row["competitor"], won=t.number(int(row["won"])),
                   deals=t.number(int(row["deals"])))
            for row in rows.head(LOSSES).to_dict("records")
        ]  # fmt: skip
        return section("competitors", t("pipeline_page.competitors"), bullets(lines),
                       behind(t, rows, columns, t("pipeline_page.competitors"), "competitors"))  # fmt: skip

    def _relation(self) -> Markup:
        t, rows = self.t, self.session.results["activity_relation"]
        if rows.empty:
            return Markup("")
        columns = [
            Column("kind", t("pipeline_page.kind"), lambda kind: t.name("activity_kinds", kind)),
            Column("deals", t("pipeline_page.deals"), t.number, number=True),
            *(Column(name, t(f"pipeline_page.{name}"), lambda ratio: t.number(ratio, 2), number=True)
              for name in ("raw_odds_ratio", "odds_ratio")),
        ]  # fmt: skip
        chart = drawn("relation", t("relation.association"), lambda width: relation_chart(t, rows, width=width))
        why = ("buyer_interest", "choice_of_deals", "skill", "recording")
        return section(
            "relation", t("pipeline_page.relation"), chart, paragraph(t("relation.association"), "note"),
            bullets((t(f"relation.confounders.{name}") for name in why), "facts"),
            behind(t, rows, columns, t("pipeline_page.relation"), "activity-relation"),
        )  # fmt: skip


def pipeline_health(session: Session) -> PipelineHealth:
    """The page about how deals move through the pipeline.

    Parameters
    ----------
    session : Session
        Who looks, the published results within what he may see, and the unit that the address names.
    """
    return PipelineHealth(session)
