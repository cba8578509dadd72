"""The accuracy report of the revenue forecast: can it be trusted, how far off was it, do its ranges hold?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.reports import accuracy_tables as tables
from spm_models.reports.parts import (
    Part,
    bullets,
    chart,
    folded,
    heading,
    legend,
    paragraph,
    section,
    table,
    tile,
    tiles,
)
from spm_models.reports.reading import of_the_company, write_record
from spm_models.revenue_forecast.backtest_result import ForecastBacktest
from spm_models.revenue_forecast.submissions import HEALTHY
from spm_models.revenue_forecast.units import LEVELS as UNIT_LEVELS
from spm_models.translations import Translator

BLEND, SIMULATION = "blend", "simulation"
_OURS = (BLEND, SIMULATION)
_MIDDLE = 6
_EVEN = 0.01  # of revenue: a smaller bias is none
LEVELS = ("company", "region", "team", "rep")


class AccuracyReport:
    """Sections of the report; each shows itself in a notebook.

    Parameters
    ----------
    t : Translator
        The reader's language.
    found : ForecastBacktest
    environ : mapping, optional
        Where :meth:`finish` looks for ``SPM_RESULT``, instead of this process's environment.
    """

    SECTIONS = (
        "header", "verdict", "weeks", "ranges", "comparison", "people", "quarters", "weights", "limits", "provenance",
    )  # fmt: skip

    def __init__(self, t: Translator, found: ForecastBacktest, environ: Mapping[str, str] | None = None) -> None:
        self.t, self.found, self.facts, self.environ = t, found, found.facts, environ
        self.shown: list[str] = []

    @cached_property
    def _judged(self) -> bool:
        """Whether any quarter could be replayed."""
        return len(self.found["replay"]) > 0

    @cached_property
    def _ours(self) -> str:
        """The forecast that the report speaks of: ours, whichever form of it, even where a plain one is published."""
        return SIMULATION if self.facts["published"] == SIMULATION else BLEND

    @cached_property
    def _accuracy(self) -> pd.DataFrame:
        rows = self.found["accuracy"]
        return rows[rows["method"] == self._ours].sort_values("week")

    @property
    def header(self) -> Part:
        """Whose forecast, and when."""
        t = self.t
        eyebrow = t.html("accuracy.subtitle", company=self.facts["company"], day=pd.Timestamp(self.facts["as_of"]))
        return self._show("header", heading(eyebrow, t("accuracy.title")))

    @property
    def verdict(self) -> Part:
        """What to publish and why, in words, and four figures."""
        t, facts = self.t, self.facts
        plain = facts["published"] not in _OURS
        said = t("accuracy.verdict.baseline", baseline=self._named(facts["published"])) if plain else t(
            f"accuracy.verdict.{facts['published']}"
        )  # fmt: skip
        body = [paragraph(Markup("<strong>{}</strong>").format(said), "lede"), paragraph(self._why())]
        if self._judged:
            body.append(paragraph(t("accuracy.few", n=facts["quarters"])))
            body.append(tiles(self._tiles()))
            periods = t.list(t.period(label) for label in facts["replayed"])
            body.append(paragraph(t("accuracy.tested", periods=periods), "note"))
        return self._section("verdict", *body)

    def _why(self) -> str:
        facts = self.facts
        if facts["reason"] == "untested":
            return self.t("accuracy.why.untested")
        ours = facts["simulation_error"] if facts["published"] == SIMULATION else facts["error"]
        words = {"error": self._share(facts.get("compared_error", ours))}
        if "baseline_error" in facts:
            words |= {"baseline": self._named(facts["baseline"]), "other": self._share(facts["baseline_error"])}
        if facts["reason"] == "simulation_alone":
            if "baseline_error" not in facts:
                return self.t("accuracy.why.no_baseline", error=words["error"])
            return self.t("accuracy.why.simulation_alone", blend=self._share(facts["error"]), **words)
        return self.t(f"accuracy.why.{facts['reason']}", **words)

    def _tiles(self) -> Iterator[Markup]:
        t, facts = self.t, self.facts
        tone = "good" if facts["reason"] == "clearly_better" else ""
        yield tile(t("accuracy.tile.published"), self._named(facts["published"]), tone=tone)
        for week, key in ((0, "eve"), (_MIDDLE, "middle")):
            row = self._accuracy[self._accuracy["week"] == week]
            if len(row):
                other = tables.best_plain(self.found["accuracy"], week)
                note = t("accuracy.tile.best", error=self._share(other)) if other is not None else ""
                label = t(f"accuracy.tile.{key}") if week == 0 else t(f"accuracy.tile.{key}", week=t.number(week))
                yield tile(label, self._share(row["absolute_error"].iloc[0]), note)
        share = self._covered()
        tone = "" if abs(share - 0.8) <= 0.15 else "care"
        yield tile(t("accuracy.tile.hits"), t.percent(share), t("accuracy.tile.hits_note"), tone=tone)
        note = t("accuracy.tile.quarters_note", n=t.number(facts["forecasts"]))
        yield tile(t("accuracy.tile.quarters"), t.number(facts["quarters"]), note)

    def _covered(self) -> float:
        """Share of results of the company within the 80 % range."""
        return float(self._accuracy["coverage80"].mean())

    @property
    def weeks(self) -> Part:
        """Error and bias, week by week."""
        if not self._judged:
            return self._skip("weeks")
        from spm_models.charts.accuracy import bias_chart, error_chart

        t, rows = self.t, self._accuracy
        rivals = tables.rivals(self.found["accuracy"], self.facts["baseline"])
        methods = [self._ours, *rivals]
        first, last = rows.iloc[0], rows.iloc[-1]
        falls = t("accuracy.weeks.falls", first=self._share(first["absolute_error"]),
                  week=t.number(int(last["week"])), last=self._share(last["absolute_error"]))  # fmt: skip
        bias = float(rows["bias"].mean())
        key = "even" if abs(bias) < _EVEN else "high" if bias > 0 else "low"
        said = t(f"accuracy.bias.{key}", bias=self._share(abs(bias))) if key != "even" else t("accuracy.bias.even")
        marks = zip(("closed", "outside", "past"), map(self._named, methods), strict=False)
        shown = self.found["accuracy"]
        return self._section(
            "weeks", paragraph(falls),
            chart("error", t("accuracy.weeks.heading"), t("accuracy.weeks.alt"),
                  lambda width: error_chart(t, shown, methods, width=width),
                  legend([*marks, ("new", t("accuracy.weeks.band"))]), paragraph(t("accuracy.weeks.how"), "note"),
                  folded(t, rows, tables.week_columns(t), t("accuracy.weeks.heading"))),
            Markup("<h3>{}</h3>").format(t("accuracy.bias.title")), paragraph(said),
            chart("bias", t("accuracy.bias.title"), t("accuracy.bias.alt"),
                  lambda width: bias_chart(t, shown, self._ours, width=width)),
        )  # fmt: skip

    @property
    def ranges(self) -> Part:
        """Whether the ranges held what they promised: by week, by level, and where results fell."""
        if not self._judged:
            return self._skip("ranges")
        from spm_models.charts.accuracy import coverage_chart, fan_chart, placement_chart

        t, share = self.t, self._covered()
        key = "good" if 0.65 <= share <= 0.93 else "narrow" if share < 0.65 else "wide"
        rows = self.found["replay"].query("method == @self._ours")
        levels = tables.ordered_levels(self.found["levels"], self._ours, LEVELS)
        names = [t.name("levels", level) for level in levels["level"]]
        tenths = self.found["placement"].query("method == @self._ours and level == 'company'")
        fan = [("new", t("accuracy.chart.range")), ("said", t("accuracy.chart.said")),
               ("seen-full", t("accuracy.chart.inside")), ("outside", t("accuracy.chart.outside"))]  # fmt: skip
        return self._section(
            "ranges", paragraph(t(f"accuracy.ranges.{key}", share=t.percent(share))),
            chart("fan", t("accuracy.ranges.fan"), t("accuracy.ranges.fan_alt"),
                  lambda width: fan_chart(t, rows, width=width), legend(fan),
                  folded(t, self._accuracy, tables.range_columns(t), t("accuracy.ranges.fan"))),
            Markup("<h3>{}</h3>").format(t("accuracy.ranges.levels")),
            chart("levels", t("accuracy.ranges.levels"), t("accuracy.ranges.levels_alt"),
                  lambda width: coverage_chart(t, levels, names, width=width),
                  paragraph(t("accuracy.ranges.levels_how"), "note"),
                  folded(t, levels, tables.level_columns(t), t("accuracy.ranges.levels"))),
            Markup("<h3>{}</h3>").format(t("accuracy.ranges.place")),
            chart("placement", t("accuracy.ranges.place"), t("accuracy.ranges.place_alt"),
                  lambda width: placement_chart(t, tenths, width=width),
                  paragraph(t("accuracy.ranges.place_how"), "note"),
                  folded(t, tenths, tables.tenth_columns(t), t("accuracy.ranges.place"))),
        )  # fmt: skip

    @property
    def comparison(self) -> Part:
        """Every method beside the others."""
        if not self._judged:
            return self._skip("comparison")
        from spm_models.charts.accuracy import methods_chart

        t = self.t
        methods = tables.by_method(self.found["accuracy"])
        whole = methods[methods["quarters"] == methods["quarters"].max()]
        shown = methods.assign(label=methods["method"].map(self._named), ours=methods["method"] == self._ours)
        people = methods["method"].isin(["commit", "best_case"]).any()
        every = self.found["accuracy"].sort_values(["week", "absolute_error"])
        notes = [paragraph(t("accuracy.compare.people"), "note")] if people else []
        return self._section(
            "comparison", paragraph(t("accuracy.compare.best", method=self._named(whole["method"].iloc[0]))),
            paragraph(t("accuracy.compare.how"), "note"),
            chart("methods", t("accuracy.compare.heading"), t("accuracy.compare.alt"),
                  lambda width: methods_chart(t, shown, width=width)),
            table(methods, tables.method_columns(t, self._named), t("accuracy.compare.heading")),
            paragraph(t("accuracy.compare.measures"), "note"), *notes,
            folded(t, every, tables.method_columns(t, self._named, week=True), t("accuracy.compare.every")),
        )  # fmt: skip

    @property
    def people(self) -> Part:
        """What people submitted on each level: ratio to the result, bias and error, beside our forecast."""
        t, said = self.t, self.found.tables.get("submissions")
        if not self._judged or said is None or said.empty:
            return self._section("people", paragraph(t("accuracy.people.none")))
        low, high = (t.percent(end) for end in HEALTHY)
        means = tables.submitted_levels(said, UNIT_LEVELS)
        lines = []
        for row in means.to_dict("records"):
            ratio = row["ratio"]
            key = "healthy" if HEALTHY[0] <= ratio <= HEALTHY[1] else "low" if ratio < HEALTHY[0] else "high"
            key = "empty" if pd.isna(ratio) else key
            words = {"ratio": t.percent(ratio), "low": low, "high": high} if key != "empty" else {}
            lines.append(t(f"accuracy.people.{key}", level=t.name("levels", row["level"]), **words))
        title = t("accuracy.people.heading")
        return self._section(
            "people", bullets(lines), table(means, tables.submission_columns(t, low, high), title),
            paragraph(t("accuracy.people.how"), "note"),
            folded(t, said, tables.submission_columns(t, low, high, week=True), t("accuracy.people.every")),
        )  # fmt: skip

    @property
    def quarters(self) -> Part:
        """What was said on the eve of each quarter, and what came."""
        if not self._judged:
            return self._skip("quarters")
        from spm_models.charts.outlook import replay_chart

        t, rows = self.t, self.found["replay"]
        first = int(rows["week"].min())
        eves = rows[(rows["method"] == self._ours) & (rows["week"] == first)].sort_values("period")
        marks = [("new", t("common.range80")), ("seen-full", t("forecast.hit")), ("outside", t("forecast.missed"))]
        return self._section(
            "quarters", paragraph(t("accuracy.quarters.how"), "note"),
            chart("quarters", t("accuracy.quarters.heading"), t("accuracy.quarters.alt"),
                  lambda width: replay_chart(t, eves, width=width), legend(marks),
                  folded(t, eves, tables.quarter_columns(t), t("accuracy.quarters.heading"))),
            paragraph(t("accuracy.quarters.blend"), "note"),
        )  # fmt: skip

    @property
    def weights(self) -> Part:
        """How much each view counts at which week, from here on."""
        t, weights = self.t, self.found["weights"]
        if not self._judged or self._ours == SIMULATION:
            return self._section("weights", paragraph(t("accuracy.weights.none")))
        from spm_models.charts.accuracy import weights_chart

        members = tables.members(weights)
        first, last = weights.iloc[0], weights.iloc[-1]
        marks = zip(("closed", "open", "new", "past"), map(self._named, members), strict=False)
        lines = [
            t("accuracy.weights.shift", shift=t.percent(first["shift"], 1, signed=True)),
            t("accuracy.weights.scale", scale=t.number(first["scale"], 2), late=t.number(last["scale"], 2)),
        ]
        return self._section(
            "weights",
            paragraph(t("accuracy.weights.now", first=self._weighed(first, members), week=t.number(int(last["week"])),
                        last=self._weighed(last, members))),
            chart("weights", t("accuracy.weights.heading"), t("accuracy.weights.alt"),
                  lambda width: weights_chart(t, weights, members, width=width), legend(marks),
                  folded(t, weights, tables.weight_columns(t, members, self._named), t("accuracy.weights.heading"))),
            bullets(lines),
        )  # fmt: skip

    def _weighed(self, row: pd.Series, members: list[str]) -> str:
        t = self.t
        return t.list(
            t("common.list_of", label=self._named(member), value=t.percent(row[member]))
            for member in members if row[member] >= 0.005
        )  # fmt: skip

    @property
    def limits(self) -> Part:
        """What a reader must not read into it."""
        t = self.t
        lines = [t(f"accuracy.limits.{name}") for name in ("few", "known", "people", "change")]
        skipped = self.facts["skipped"]
        if skipped:
            lines.append(t("accuracy.limits.skipped", periods=t.list(t.period(label) for label in skipped)))
        return self._section("limits", bullets(lines))

    @property
    def provenance(self) -> Part:
        """Hashes, seed and packages: enough to make it again."""
        t, facts = self.t, self.facts
        packages = ", ".join(f"{name} {version}" for name, version in facts["versions"].items())
        lines = [
            t("accuracy.provenance.learned", draws=t.number(facts["draws"])),
            t("accuracy.provenance.timing" if facts["by_timing"] else "accuracy.provenance.no_timing"),
            t.html("accuracy.provenance.code", data=facts["data_hash"][:12], code=facts["code_hash"][:12],
                   seed=str(facts["seed"])),
            t.html("accuracy.provenance.packages", names=packages),
            Markup('{} <code dir="ltr">spm backtest forecast</code>').format(t("accuracy.provenance.again")),
        ]  # fmt: skip
        return self._section("provenance", bullets(lines, "facts"))

    def finish(self) -> None:
        """Write the result record: the report's own word that it came to its end."""
        missing = [name for name in self.SECTIONS if name not in self.shown]
        write_record(
            {"report": "forecast_accuracy", "about": "revenue_forecast", "as_of": self.facts["as_of"],
             "locale": self.t.locale, "sections": self.shown, "ok": not missing},
            self.environ,
        )  # fmt: skip

    def _named(self, method: Any) -> str:
        return self.t.name("methods", method)

    def _share(self, value: Any) -> str:
        return self.t.percent(float(value), 0 if abs(float(value)) >= 0.1 else 1)

    def _section(self, name: str, *content: object) -> Part:
        key = {"comparison": "compare"}.get(name, name)
        return self._show(name, section(name, self.t(f"accuracy.{key}.heading"), *content))

    def _skip(self, name: str) -> Part:
        """With nothing replayed there is nothing to show here, and nothing is missing."""
        return self._show(name, Part(""))

    def _show(self, name: str, part: Part) -> Part:
        if name not in self.shown:
            self.shown.append(name)
        return part


def forecast_accuracy(workspace: str, locale: str = "", *, environ: Mapping[str, str] | None = None) -> AccuracyReport:
    """The report of the last backtest of a workspace's forecast.

    Parameters
    ----------
    workspace : str
        Folder of the workspace; empty: found as usual.
    locale : str
        Language of the reader; empty: the company's.
    environ : mapping, optional
        Instead of this process's environment.

    Raises
    ------
    AccessDeniedError
        When the scope is not the whole company: the report shows all of it.
    NotEnoughDataError
        Before the first backtest.
    """
    opened, t = of_the_company("accuracy report", workspace, locale, environ)
    folder = opened.state / "backtest" / "revenue_forecast" / "result"
    return AccuracyReport(t, ForecastBacktest.read(folder), environ)
