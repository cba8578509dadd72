"""The executive report: where the quarter goes, where the gap is, what coaching can do and does, how sure that is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from spm_models.access import Scope
from spm_models.published import Results
from spm_models.reports import standing
from spm_models.reports.coached import causes_counted, measured
from spm_models.reports.company_gap import gap_by_unit, in_figures, in_short
from spm_models.reports.export import Column
from spm_models.reports.month import Month
from spm_models.reports.month_parts import figures, headline, months_picture
from spm_models.reports.outlook import Outlook
from spm_models.reports.parts import (
    Part,
    bullets,
    chart,
    folded,
    heading,
    join,
    legend,
    paragraph,
    section,
    tile,
    tiles,
)
from spm_models.reports.quarter import Quarter
from spm_models.reports.reading import Reading, of_the_company, write_record
from spm_models.reports.strategy import strategy
from spm_models.reports.words import pinned_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WINDOW = "four_weeks"
_UNITS = ("manager", "region")


class ExecutiveReport:
    """Sections of the company's report; each shows itself in a notebook.

    Parameters
    ----------
    reading : Reading
        Results of the whole company.
    environ : mapping, optional
        Where :meth:`finish` looks for ``SPM_RESULT``, instead of this process's environment.
    """

    KIND = "executive_report"
    SECTIONS: tuple[str, ...] = (
        "header",
        "outlook",
        "movement",
        "gap",
        "coaching",
        "health",
        "strategy",
        "units",
        "data",
    )

    def __init__(self, reading: Reading, environ: Mapping[str, str] | None = None) -> None:
        self.reading, self.t, self.environ = reading, reading.t, environ
        self.shown: list[str] = []
        self._month = Month(reading)

    @cached_property
    def _outlook(self) -> Outlook | None:
        return self.reading.outlook()

    @property
    def header(self) -> Part:
        """Which company, and when."""
        t, name = self.t, self.reading.workspace.settings.company.name
        period = t.period(self._label)
        eyebrow = t.html("digest.subtitle", period=period, day=self.reading.as_of)
        return self._show("header", heading(eyebrow, t.html("executive.title", name=name)))

    @property
    def _label(self) -> str:
        return self._outlook.period if self._outlook else self._month.label

    @property
    def quarter(self) -> Part:
        """The last whole quarter: what it brought beside quota, forecast, the quarter before and a year ago."""
        t, quarter = self.t, Quarter(self.reading)
        lines = []
        if quarter.quota:
            share = float(quarter.now["amount"]) / quarter.quota
            lines.append(t("quarterly.quota", share=t.percent(share), quota=t.compact_money(quarter.quota)))
        if quarter.a_year_ago:
            change = float(quarter.now["amount"]) / quarter.a_year_ago - 1
            lines.append(t(f"quarterly.{'more' if change >= 0 else 'less'}", change=t.percent(abs(change)),
                           amount=t.compact_money(quarter.a_year_ago)))  # fmt: skip
        return self._section("quarter", headline(t, quarter), *(paragraph(line) for line in lines),
                             figures(t, quarter), months_picture(t, quarter))  # fmt: skip

    @property
    def outlook(self) -> Part:
        """Where the quarter goes, with its range and the chance of each quota tier."""
        t, o = self.t, self._outlook
        if o is None:
            return self._section("outlook", paragraph(t("executive.no_forecast")))
        return self._section(
            "outlook", standing.headline(t, o), standing.figures(t, o), standing.picture(t, o, "range")
        )

    @property
    def movement(self) -> Part:
        """The last month, and what moved in the pipeline."""
        t, month = self.t, self._month
        return self._section("movement", headline(t, month), figures(t, month), months_picture(t, month), self._moved())

    def _moved(self) -> Markup:
        t, rows = self.t, self.reading["pipeline_movement"]
        own = rows[(rows["level"] == "company") & (rows["window"] == _WINDOW) & (rows["period"] == "")]
        if own.empty:
            return Markup("")
        steps = own.sort_values("place").assign(label=lambda rows: [t.name("bridge_steps", s) for s in rows["step"]])
        first, last = (t.compact_money(steps["amount"].iloc[place]) for place in (0, -1))
        columns = [
            Column("label", t("outlook.change.step")), Column("amount", t("common.amount"), t.money, number=True),
            Column("moved", t("outlook.movement.deals"), lambda n: t.number(int(n)), number=True),
        ]  # fmt: skip
        said = t("outlook.movement.finding", before=first, day=steps["from_on"].iloc[0].date(), after=last)
        table = folded(t, steps, columns, t("outlook.movement.four_weeks"))
        drawn = chart(
            "movement", t("outlook.movement.title"), said, lambda width: _waterfall(self.reading, steps, width), table
        )
        return Markup("<h3>{}</h3>{}{}").format(t("outlook.movement.four_weeks"), paragraph(said), drawn)

    @property
    def gap(self) -> Part:
        """Where sales lie beside typical colleagues, in money: what coaching can reach, the place, and chance."""
        t = self.t
        by_team = gap_by_unit(self.reading, "team")
        if by_team.empty:
            return self._section("gap", paragraph(t("gap.none")))
        marks = legend([("closed", t("executive.work")), ("outline", t("executive.hollow"))])
        drawn = chart(
            "gap", t("executive.gap_chart"), t("executive.gap_alt"), lambda width: _gaps(self.reading, by_team, width),
            marks, in_figures(t, by_team, t("executive.team")),
            in_figures(t, gap_by_unit(self.reading, "region"), t("executive.region")),
        )  # fmt: skip
        return self._section("gap", in_short(t, by_team), drawn, paragraph(t("gap.not_yours"), "note"))

    @property
    def coaching(self) -> Part:
        """Whether there is room for coaching, what it is about, and what it measurably brings."""
        t, rows = self.t, self.reading["coaching_cadence"]
        totals = rows[["reps", "due", "held", "actions", "closed", "overdue"]].sum().astype(int)
        counts = self.reading["coaching_verdicts"]["verdict"].value_counts()
        of = {whole: t.number(int(totals[whole])) for whole in totals.index}
        items = [
            tile(t("managers.talks_held"), t("common.share_of", part=of["held"], whole=of["due"])),
            tile(t("managers.actions_closed"), t("common.share_of", part=of["closed"], whole=of["actions"]),
                 t("managers.past_day", n=int(totals["overdue"]))),
            tile(t("executive.suggestions"), t.number(int(counts.get("coaching_suggestion", 0))), t.list(
                t("common.list_of", label=t(f"verdicts.{name}.name"), value=t.number(int(counts.get(name, 0))))
                for name in ("doing_well", "not_enough_data"))),
        ]  # fmt: skip
        said = [Markup("<h3>{}</h3>{}").format(t("executive.effect"), measured(self.reading)),
                Markup("<h3>{}</h3>{}").format(t("monthly.causes"), causes_counted(self.reading))]  # fmt: skip
        return self._section("coaching", tiles(items), *said)

    @property
    def health(self) -> Part:
        """How well the pipeline stands and how far the figures can be trusted."""
        return self._section("health", bullets(self._health()))

    def _health(self) -> Iterator[object]:
        t, reading = self.t, self.reading
        scores, stuck = reading["deal_scores"], reading["stuck_deals"]
        yield t.html("executive.pipeline", deals=t("common.open_deals", n=len(scores)),
                     amount=t.compact_money(scores["amount"].sum()), stuck=t.number(len(stuck)),
                     worth=t.compact_money(stuck["amount"].sum()))  # fmt: skip
        narrow = reading["pipeline_bottlenecks"].query(
            "level == 'company' and segment == '' and verdict == 'bottleneck'"
        )
        names = sorted(narrow["stage"].unique())
        yield (
            t.html("executive.bottlenecks", stages=t.list(t.name("stages", name) for name in names))
            if names
            else t("executive.no_bottleneck")
        )
        replay = reading["forecast_replay"].query("method == 'blend'").dropna(subset="hit")
        if len(replay):
            yield t.html("executive.held", part=t.number(int(replay["hit"].sum())), whole=t.number(len(replay)))
        unsure = int((reading["coaching_verdicts"]["verdict"] == "not_enough_data").sum())
        if unsure:
            yield t("digest.not_enough_data", n=unsure)
        if "missing: opportunity_history" in reading.notes("data"):
            yield t("report.data.no_history")

    @property
    def strategy(self) -> Part:
        """What the figures suggest, as questions."""
        return self._show("strategy", section("strategy", self.t("strategy.heading"), strategy(self.reading)))

    @property
    def units(self) -> Part:
        """Teams and regions beside their quotas, in alphabetical order; nobody is ranked."""
        t, o = self.t, self._outlook
        parts = [] if o is None else [self._table(o, level) for level in _UNITS if (o.units["level"] == level).any()]
        return self._section("units", *(parts or [paragraph(t("executive.no_forecast"))]))

    def _table(self, o: Outlook, level: str) -> Markup:
        t = self.t
        rows = o.units[o.units["level"] == level].sort_values("label", key=lambda names: names.str.casefold())
        columns = [
            Column("label", t.name("levels", level)), Column("closed", t("parts.closed"), t.money, number=True),
            *(Column(name, t(f"forecast.{name}"), t.money, number=True) for name in ("mean", "p10", "p90")),
            Column("quota", t("forecast.quota"), t.money, number=True),
            Column("probability", t("forecast.probability"), t.percent, number=True),
        ]  # fmt: skip
        title = t.name("levels", level)
        drawn = chart(
            f"units-{level}", title, t("digest.outlook.alt"), lambda width: _units(self.reading, rows, width),
            folded(t, rows, columns, title),
        )  # fmt: skip
        return Markup("<h3>{}</h3>{}").format(title, drawn)

    @property
    def data(self) -> Part:
        """Which data, and what is not in them."""
        t, reading = self.t, self.reading
        lines = [t("report.data.as_of", day=reading.as_of), t("monthly.of_owners"), t("coaching.context_adjusted"),
                 t("report.data.not_used")]  # fmt: skip
        pinned = pinned_words(t, reading.results.manifest.parameters)
        lines += [pinned] if pinned else []
        return self._show("data", section("data", t("report.data.provenance"), bullets(lines, "facts")))

    def finish(self) -> None:
        """Write the result record: the report's own word that it came to its end."""
        missing = [name for name in self.SECTIONS if name not in self.shown]
        write_record(
            {"report": self.KIND, "about": "company", "run_id": self.reading.results.manifest.run_id,
             "as_of": self.reading.results.manifest.as_of.isoformat(), "locale": self.t.locale,
             "sections": self.shown, "ok": not missing},
            self.environ,
        )  # fmt: skip

    def _section(self, name: str, *content: object) -> Part:
        return self._show(name, section(name, self.t(f"executive.{name}"), join(content)))

    def _show(self, name: str, part: Part) -> Part:
        if name not in self.shown:
            self.shown.append(name)
        return part


class QuarterlyReport(ExecutiveReport):
    """The executive report after a quarter's end: the quarter first, then all that the monthly one has."""

    KIND = "executive_quarterly"
    SECTIONS = ("header", "quarter", *ExecutiveReport.SECTIONS[1:])

    @property
    def _label(self) -> str:
        return Quarter(self.reading).label


def _waterfall(reading: Reading, steps: pd.DataFrame, width: int) -> Figure:
    from spm_models.charts.waterfall import waterfall_chart

    return waterfall_chart(reading.t, steps.assign(value=steps["amount"])[["label", "value"]], width=width)


def _gaps(reading: Reading, gaps: pd.DataFrame, width: int) -> Figure:
    from spm_models.charts.month import gap_chart

    return gap_chart(reading.t, gaps, width=width)


def _units(reading: Reading, rows: pd.DataFrame, width: int) -> Figure:
    from spm_models.charts.outlook import units_chart

    return units_chart(reading.t, rows, width=width)


def executive_report(
    workspace: str, locale: str = "", run_id: str = "", *, environ: Mapping[str, str] | None = None
) -> ExecutiveReport:
    """The company's report for executives.

    Parameters
    ----------
    workspace : str
        Folder of the workspace; empty: found as usual.
    locale : str
        Language; empty: the company's.
    run_id : str
        Published run; empty: the current one.
    environ : mapping, optional
        Holds ``SPM_SCOPE`` and ``SPM_RESULT``; this process's environment without it.

    Raises
    ------
    AccessDeniedError
        When the scope is not the whole company.
    PublishedError
        When nothing was published yet.
    """
    return ExecutiveReport(_reading(workspace, locale, run_id, environ), environ)


def executive_quarterly(
    workspace: str, locale: str = "", run_id: str = "", *, environ: Mapping[str, str] | None = None
) -> QuarterlyReport:
    """The company's report for executives after a quarter's end; parameters and errors as :func:`executive_report`."""
    return QuarterlyReport(_reading(workspace, locale, run_id, environ), environ)


def _reading(workspace: str, locale: str, run_id: str, environ: Mapping[str, str] | None) -> Reading:
    opened, t = of_the_company("executive report", workspace, locale, environ)
    results = Results.open(opened, scope=Scope.of_company(), run_id=run_id or None)
    return Reading(opened, results, "company", "", t)
