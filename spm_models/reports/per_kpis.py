"""The KPI scorecard as a report: what stands out, the chosen KPIs over the periods, the company, its teams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from spm_models.access import Scope
from spm_models.errors import NotEnoughDataError
from spm_models.kpis import KPIS
from spm_models.kpis.packs import Choice, of_company
from spm_models.published import Results
from spm_models.reports.export import Column
from spm_models.reports.parts import Part, bullets, chart, heading, paragraph, section, table
from spm_models.reports.reading import of_the_company, write_record
from spm_models.translations import Translator

DRAWN, ACROSS, MOVED = 6, 6, 6  #: KPIs that have a chart, columns of the table of teams, changes that are told
_TO_95 = NormalDist().inv_cdf(0.975) / NormalDist().inv_cdf(0.9)
_GRAIN = "quarter"
_OUTSIDE = ("missed", "below", "above")


class KpiReport:
    """Sections of the report; each shows itself in a notebook.

    Parameters
    ----------
    t : Translator
        The reader's language.
    table : DataFrame
        Published ``kpi_periods``.
    choice : Choice
        What the company chose, with its bands and targets.
    facts : mapping
        ``company``, ``as_of`` and ``run_id``.
    environ : mapping, optional
        Where :meth:`finish` looks for ``SPM_RESULT``, instead of this process's environment.
    """

    SECTIONS = ("header", "noticed", "trends", "company", "teams", "data")

    def __init__(
        self, t: Translator, table: pd.DataFrame, choice: Choice, facts: Mapping[str, str],
        environ: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.t, self.choice, self.facts, self.environ = t, choice, facts, environ
        self.rows = table[table["grain"] == _GRAIN].sort_values(["period_start", "level", "key"])
        self.shown: list[str] = []

    @cached_property
    def periods(self) -> list[str]:
        """Labels of the quarters, oldest first."""
        return list(self.rows["period"].unique())

    @cached_property
    def now(self) -> pd.DataFrame:
        """The company's KPIs of the newest quarter, in the order of the choice."""
        rows = self.rows[(self.rows["level"] == "company") & (self.rows["period"] == self.periods[-1])]
        order = {name: place for place, name in enumerate(self.choice.kpis)}
        return rows.sort_values("kpi", key=lambda names: names.map(order), ignore_index=True)

    @property
    def header(self) -> Part:
        """Whose scorecard, and when."""
        t = self.t
        eyebrow = t.html("accuracy.subtitle", company=self.facts["company"], day=pd.Timestamp(self.facts["as_of"]))
        return self._show("header", heading(eyebrow, f"{t('scorecard.title')}: {t.period(self.periods[-1])}"))

    @property
    def noticed(self) -> Part:
        """What lies outside its band or short of its target, and what changed by more than chance explains."""
        t = self.t
        outside = [self._outside(row) for row in self.now[self.now["verdict"].isin(_OUTSIDE)].to_dict("records")]
        moved = [self._moved(row) for row in self._changed().to_dict("records")]
        body: list[object] = [bullets(outside)] if outside else [paragraph(t("scorecard.report.nothing"))]
        if moved:
            body += [Markup("<h3>{}</h3>").format(t("scorecard.report.changed")), bullets(moved)]
        body.append(paragraph(t("scorecard.report.context"), "note"))
        return self._section("noticed", *body)

    def _outside(self, row: Mapping[Any, Any]) -> str:
        from spm_models.charts.kpis import band_word, verdict_word

        t, unit = self.t, str(row["unit"])
        against = band_word(t, self.choice, row)
        if row["verdict"] == "missed":
            against = self._short(row["target"], unit)
        return t("scorecard.report.outside", kpi=t.name("kpi", row["kpi"]), value=self._short(row["value"], unit),
                 verdict=verdict_word(t, row), band=against)  # fmt: skip

    def _changed(self) -> pd.DataFrame:
        """KPIs that differ from the quarter before by more than both their ranges explain, the clearest first.

        Ranges of 80 % are widened to 95 %, and add up as independent ones do. Left out are KPIs without a better side
        (lateness is never a finding), cohorts that still mature, and what rests on few events.
        """
        if len(self.periods) < 2:
            return self.now.iloc[:0]
        told = [KPIS[name].direction != "context" and not KPIS[name].matures for name in self.now["kpi"]]
        now = self.now[told]
        now = now[now["verdict"] != "too_few"]
        past = self.rows[(self.rows["level"] == "company") & (self.rows["period"] == self.periods[-2])]
        both = now.merge(past[["kpi", "value", "low", "high"]], on="kpi", suffixes=("", "_past"))
        rises = both["value"] > both["value_past"]
        near = np.where(rises, both["value"] - both["low"], both["high"] - both["value"])
        far = np.where(rises, both["high_past"] - both["value_past"], both["value_past"] - both["low_past"])
        both["strength"] = (both["value"] - both["value_past"]).abs() / np.hypot(near, far)
        clear: pd.DataFrame = both[both["strength"] > _TO_95]
        return clear.sort_values("strength", ascending=False, kind="stable").head(MOVED)

    def _moved(self, row: Mapping[Any, Any]) -> str:
        unit, t = str(row["unit"]), self.t
        values = {name: self._short(row[name], unit) for name in ("previous", "value", "low", "high")}
        span = t.range(values.pop("low"), values.pop("high"))
        return t("scorecard.report.moved", kpi=t.name("kpi", row["kpi"]), range=span, **values)

    def _short(self, value: Any, unit: str) -> str:
        """A value in its unit, amounts in thousands or millions."""
        from spm_models.charts.kpis import kpi_value

        if unit not in ("money", "money_per_day") or pd.isna(value):
            return kpi_value(self.t, value, unit)
        amount = self.t.compact_money(float(value))
        return amount if unit == "money" else self.t("units.per_day", value=amount)

    @property
    def trends(self) -> Part:
        """The first chosen KPIs with a range, over the quarters."""
        from spm_models.charts.kpis import kpi_chart

        t, rows = self.t, self.rows[self.rows["level"] == "company"]
        names = [name for name in self.now.loc[self.now["low"].notna(), "kpi"] if not KPIS[name].matures][:DRAWN]
        if len(self.periods) < 2 or not names:
            return self._show("trends", Part(""))
        last = rows["period"] == self.periods[-1]
        rows = rows.assign(running=last & (pd.Timestamp(self.facts["as_of"]) < self._end()))

        def draw(name: str) -> Markup:
            history = rows[rows["kpi"] == name]
            title = t.name("kpi", name)
            drawn = chart(
                f"kpi-{name.replace('_', '-')}",
                title,
                title,
                lambda width: kpi_chart(t, history, self.choice, width=width),
            )
            return Markup("<h3>{}</h3>{}").format(title, drawn)

        return self._section("trends", *(draw(name) for name in names), paragraph(t("scorecard.report.band"), "note"))

    def _end(self) -> pd.Timestamp:
        starts = self.rows.drop_duplicates("period").set_index("period")["period_start"]
        return pd.Timestamp(starts[self.periods[-1]]) + pd.DateOffset(months=3, days=-1)

    @property
    def company(self) -> Part:
        """Every chosen KPI of the company."""
        t = self.t
        lines = pd.DataFrame([self._line(row) for row in self.now.to_dict("records")])
        kept = [name for name in ("value", "range", "previous", "target", "band") if (lines[name] != "").any()]
        columns = [
            Column("kpi", t("scorecard.kpi"), str),
            *(Column(name, t(f"scorecard.{name}"), str, number=True) for name in kept),
            Column("verdict", t("scorecard.verdict"), str),
        ]
        return self._section("company", table(lines, columns, t("scorecard.title")))

    def _line(self, row: Mapping[Any, Any]) -> dict[str, str]:
        from spm_models.charts.kpis import line_of

        unit, words = str(row["unit"]), line_of(self.t, row, self.choice, ())
        short = {name: self._short(row[name], unit) for name in ("value", "previous", "target") if words[name]}
        if words["range"]:
            short["range"] = self.t.range(self._short(row["low"], unit), self._short(row["high"], unit))
        return words | short

    @property
    def teams(self) -> Part:
        """The first chosen KPIs that teams have, team by team."""
        t = self.t
        rows = self.rows[(self.rows["level"] == "team") & (self.rows["period"] == self.periods[-1])]
        rows = rows[rows["value"].notna()]
        names = [name for name in self.now["kpi"] if name in set(rows["kpi"])][:ACROSS]
        if rows["key"].nunique() < 2 or not names:
            return self._show("teams", Part(""))
        told = rows[rows["kpi"].isin(names)]
        told = told.assign(text=[self._short(v, u) for v, u in zip(told["value"], told["unit"], strict=True)])
        wide = told.pivot(index="key", columns="kpi", values="text").fillna("–").sort_index().reset_index()
        columns = [
            Column("key", t("levels.team"), str),
            *(Column(name, t.name("kpi", name), str, number=True) for name in names),
        ]
        body = table(wide, columns, t("scorecard.by", unit=t("levels.team")))
        return self._section("teams", body, paragraph(t("scorecard.report.fair"), "note"))

    @property
    def data(self) -> Part:
        """Where it comes from, and how to make it again."""
        return self._section("data", bullets(self._sources()))

    def _sources(self) -> Iterator[str]:
        t = self.t
        yield t("scorecard.report.definitions")
        yield t("scorecard.report.run", run_id=self.facts["run_id"], day=pd.Timestamp(self.facts["as_of"]))

    def finish(self) -> None:
        """Write the result record: the report's own word that it came to its end."""
        missing = [name for name in self.SECTIONS if name not in self.shown]
        write_record(
            {"report": "kpi_scorecard", "about": "company", "run_id": self.facts["run_id"],
             "as_of": self.facts["as_of"], "locale": self.t.locale, "sections": self.shown, "ok": not missing},
            self.environ,
        )  # fmt: skip

    def _section(self, name: str, *content: object) -> Part:
        return self._show(name, section(name, self.t(f"scorecard.report.{name}"), *content))

    def _show(self, name: str, part: Part) -> Part:
        if name not in self.shown:
            self.shown.append(name)
        return part


def kpi_scorecard(workspace: str, locale: str = "", *, environ: Mapping[str, str] | None = None) -> KpiReport:
    """The scorecard of the published results of a workspace.

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
        When no KPI was published.
    """
    opened, t = of_the_company("KPI scorecard", workspace, locale, environ)
    results = Results.open(opened, scope=Scope.of_company())
    table = results["kpi_periods"]
    if table.empty:
        raise NotEnoughDataError(
            "No KPI has been published", where="kpi_periods", found=0,
            remedy="Run `spm run weekly`; `spm kpis list --json` says which tables each KPI needs.",
        )  # fmt: skip
    facts = {
        "company": opened.settings.company.name,
        "as_of": results.manifest.as_of.isoformat(),
        "run_id": results.manifest.run_id,
    }
    return KpiReport(t, table, of_company(opened.settings.kpis), facts, environ)
