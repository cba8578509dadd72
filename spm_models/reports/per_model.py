"""The model card of the win probability: what it is for, whether it can be trusted, and for whom that holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from spm_models.reports import card_groups, card_time
from spm_models.reports.export import Column
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
from spm_models.translations import Translator
from spm_models.win_probability import Backtest

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class ModelCard:
    """Sections of the card; each shows itself in a notebook.

    Parameters
    ----------
    t : Translator
        The reader's language.
    found : Backtest
        With the facts that the run added about data and code.
    environ : mapping, optional
        Where :meth:`finish` looks for ``SPM_RESULT``, instead of this process's environment.
    """

    SECTIONS = (
        "header", "verdict", "use", "calibration", "comparison", "over_time", "changes", "groups", "intervals", "data",
        "limits", "provenance",
    )  # fmt: skip

    def __init__(self, t: Translator, found: Backtest, environ: Mapping[str, str] | None = None) -> None:
        self.t, self.found, self.facts, self.environ = t, found, found.facts, environ
        self.shown: list[str] = []

    @cached_property
    def _judged(self) -> bool:
        """Whether there were enough outcomes for anything to be said."""
        return self.facts["published"] is not None

    def _named(self, forecast: str) -> str:
        return self.t.name("card.forecasts", forecast)

    @property
    def header(self) -> Part:
        """Whose model, and when."""
        t = self.t
        eyebrow = t.html("card.subtitle", company=self.facts["company"], day=pd.Timestamp(self.facts["as_of"]))
        return self._show("header", heading(eyebrow, t("card.title")))

    @property
    def verdict(self) -> Part:
        """What to publish and why, in words, and four figures."""
        t, facts = self.t, self.facts
        if not self._judged:
            body = [paragraph(Markup("<strong>{}</strong>").format(t("card.verdict.none")), "lede"),
                    paragraph(t("card.why.too_few_outcomes"))]  # fmt: skip
            return self._section("verdict", *body)
        model = facts["published"] == "model"
        said = t("card.verdict.model") if model else t("card.verdict.plain", baseline=self._named(facts["published"]))
        body = [paragraph(Markup("<strong>{}</strong>").format(said), "lede"), *map(paragraph, self._why()),
                tiles(self._tiles()),
                paragraph(t("card.tested", months=facts["months"], first=pd.Timestamp(facts["first"]),
                            last=pd.Timestamp(facts["last"])), "note")]  # fmt: skip
        return self._section("verdict", *body)

    def _why(self) -> Iterator[str]:
        t, facts = self.t, self.facts
        if facts["nothing_to_learn"]:
            yield t("card.why.nothing")
        if facts["reason"] == "better_than_baseline":
            yield t("card.why.better_than_baseline", baseline=self._named(facts["baseline"]))
            if not facts["tells_apart"]:
                yield t("card.why.level_only")
        elif not facts["nothing_to_learn"] or facts["reason"] == "one_period_decides":
            yield t(f"card.why.{facts['reason']}")

    def _tiles(self) -> list[Markup]:
        t, facts, name = self.t, self.facts, self.facts["published"]
        items = [tile(t("card.tile.published"), self._named(name), tone="good" if name == "model" else "")]
        if facts["gain"] is not None:
            row = self.found["gains"].set_index("model").loc["model"]
            note = t("card.tile.gain_note", low=self._change(row["high"]), high=self._change(row["low"]))
            items.append(tile(t("card.tile.gain"), self._change(row["share"]), note))
        items.append(tile(t("card.tile.deals"), t.number(facts["deals"]),
                          t("card.tile.deals_note", won=t.number(facts["won"]))))  # fmt: skip
        gap, limit = self._value(name, "calibration_error"), self._value(name, "calibration_limit")
        note = t("card.tile.gap_note", limit=self._points(limit))
        items.append(tile(t("card.tile.gap"), self._points(gap), note, tone="" if gap <= limit else "care"))
        return items

    def _value(self, forecast: str, measure: str) -> float:
        value: float = self.found.value(forecast, measure)
        return value

    def _change(self, gain: float) -> str:
        """A gain as a change of the error: less is minus."""
        return self.t.percent(-float(gain), 0 if abs(gain) >= 0.1 else 1, signed=True)

    def _points(self, share: float) -> str:
        value = round(100 * float(share), 1)
        return self.t("common.points", value=self.t.number(value, 1), n=value)

    @property
    def use(self) -> Part:
        """What it is for and not for."""
        t = self.t
        made = bullets([t(f"card.use.for_{name}") for name in ("attention", "sum", "talk")], "good")
        not_made = bullets([t(f"card.use.not_{name}") for name in ("people", "automatic", "promise")])
        pair = Markup('<div class="pair"><div><h3>{}</h3>{}</div><div><h3>{}</h3>{}</div></div>').format(
            t("card.use.for"), made, t("card.use.not"), not_made
        )
        return self._section("use", pair)

    @property
    def calibration(self) -> Part:
        """The reliability diagram with the band of chance, and how often each probability was given."""
        if not self._judged:
            return self._skip("calibration")
        t, name = self.t, self.facts["shown"]
        bins = self.found["reliability"].query("model == @name")
        good = self._value(name, "calibration_error") <= self._value(name, "calibration_limit")
        words = {"said": t.percent(self.facts["mean_said"]), "happened": t.percent(self.facts["win_rate"])}
        said = t("card.calibration.good" if good else "card.calibration.bad", **words)
        columns = [
            Column("predicted", t("card.chart.said"), t.percent, number=True),
            Column("observed", t("card.chart.happened"), t.percent, number=True),
            Column("chance_low", t("card.time.chance"), t.percent, number=True),
            Column("chance_high", t("card.compare.limit"), t.percent, number=True),
            Column("n", t("card.time.probabilities"), t.number, number=True),
        ]
        body = [
            paragraph(said), paragraph(t("card.calibration.of", forecast=self._named(name)), "note"),
            chart("calibration", t("card.calibration.title"), t("card.calibration.alt"), self._drawn(bins),
                  self._marks(), paragraph(t("card.calibration.how"), "note"),
                  folded(t, bins, columns, t("card.calibration.title"))),
        ]  # fmt: skip
        return self._section("calibration", *body)

    def _drawn(self, bins: pd.DataFrame) -> Callable[[int], Figure]:
        from spm_models.charts.backtest import calibration_chart

        return lambda width: calibration_chart(self.t, bins, self.found["histogram"], width=min(width, 480))

    def _marks(self) -> Markup:
        t = self.t
        return legend([("seen-full", t("card.chart.happened")), ("outside", t("card.chart.outside")),
                       ("new", t("card.chart.band"))])  # fmt: skip

    @property
    def comparison(self) -> Part:
        """Every method beside the others."""
        if not self._judged:
            return self._skip("comparison")
        t, gains = self.t, self.found["gains"]
        from spm_models.charts.backtest import gains_chart

        wide = self.found["scores"].pivot(index="model", columns="measure", values="value")
        figures = wide.loc[gains["model"]].reset_index()
        columns = [
            Column("model", t("card.compare.method"), self._named),
            Column("log_loss", t("card.compare.log_loss"), self._three, number=True),
            Column("brier", t("card.compare.brier"), self._three, number=True),
            Column("auc", t("card.compare.auc"), t.percent, number=True),
            Column("calibration_error", t("card.compare.gap"), lambda v: t.percent(v, 1), number=True),
            Column("calibration_noise", t("card.compare.noise"), lambda v: t.percent(v, 1), number=True),
            Column("calibration_limit", t("card.compare.limit"), lambda v: t.percent(v, 1), number=True),
        ]
        best = self._named(str(gains.loc[gains["log_loss"].idxmin(), "model"]))
        first = [] if self.facts["nothing_to_learn"] else [paragraph(t("card.compare.best", forecast=best))]
        name = self.facts["shown"]
        parts = t("card.compare.parts", **{m: self._three(self._value(name, m))
                  for m in ("brier", "reliability", "resolution", "uncertainty")})  # fmt: skip
        body = [
            *first, paragraph(t("card.compare.how"), "note"),
            chart("comparison", t("card.compare.title"), t("card.compare.alt"),
                  lambda width: gains_chart(t, gains, width=width)),
            table(figures, columns, t("card.compare.heading")),
            paragraph(t("card.compare.measures"), "note"), *([paragraph(parts, "note")] if name == "model" else []),
        ]  # fmt: skip
        return self._section("comparison", *body)

    def _three(self, value: float) -> str:
        return self.t.number(value, 3)

    @property
    def over_time(self) -> Part:
        """Month by month, and the test for drift."""
        if not self._judged:
            return self._skip("over_time")
        return self._section("over_time", *card_time.over_time(self.t, self.found))

    @property
    def changes(self) -> Part:
        """Facts about deals that have changed."""
        return self._section("changes", *card_time.changes(self.t, self.found))

    @property
    def groups(self) -> Part:
        """By stage, segment, product, region, kind and the owner's time in the job."""
        if not self._judged:
            return self._skip("groups")
        return self._section("groups", *card_groups.groups(self.t, self.found))

    @property
    def intervals(self) -> Part:
        """How intervals are made, and what they mean."""
        t, width = self.t, self.facts.get("width")
        if width is None:
            return self._section("intervals", paragraph(t("card.intervals.none")))
        lines = [t("card.intervals.width", width=self._points(width)), t("card.intervals.meaning"),
                 t("card.intervals.made")]  # fmt: skip
        return self._section("intervals", *map(paragraph, lines))

    @property
    def data(self) -> Part:
        """What it was learned from, and what is missing."""
        t, facts = self.t, self.facts
        closed = (
            t("card.data.closed", n=t.number(facts["closed_deals"]), day=pd.Timestamp(facts["first_deal"]))
            if facts["first_deal"]
            else t("card.data.closed_none")
        )
        lines = [closed, t("card.data.open", n=t.number(facts["open_deals"])),
                 t("card.data.snapshots", n=t.number(facts["snapshots"]))]  # fmt: skip
        if self._judged:
            lines.append(t("card.data.scored", **{name: t.number(facts[name]) for name in ("scored", "rows", "deals")}))
        lines.append(t("card.data.rows", read=t.number(facts["rows_read"]), rejected=t.number(facts["rows_rejected"])))
        if "opportunity_history" in facts["missing_tables"]:
            lines.append(t("card.data.no_history"))
        missing = t.list(facts["missing_tables"]) if facts["missing_tables"] else ""
        lines.append(t.html("card.data.missing", names=missing) if missing else t("card.data.complete"))
        if facts["custom_fields"]:
            names = t.list(name.removeprefix("field_") for name in facts["custom_fields"])
            lines.append(t.html("card.data.custom", names=names))
        return self._section("data", bullets(lines))

    @property
    def limits(self) -> Part:
        """What a reader must not read into it."""
        t = self.t
        lines = [t(f"card.limits.{name}") for name in ("decided", "past", "recorded", "people", "answer")]
        return self._section(
            "limits", bullets([*lines, t("card.limits.repeat", day=pd.Timestamp(self.facts["as_of"]))])
        )

    @property
    def provenance(self) -> Part:
        """Version, hashes, parameters, seed: enough to make it again."""
        t, facts = self.t, self.facts
        version = (
            t.html("card.provenance.version", number=str(facts["version"]), hash=facts["version_hash"][:12])
            if facts["version"]
            else t("card.provenance.no_version")
        )
        code = t.html("card.provenance.code", code=facts["code_hash"][:12], data=facts["data_hash"][:12],
                      seed=str(facts["seed"]))  # fmt: skip
        packages = t.html("card.provenance.packages", names=", ".join(f"{n} {v}" for n, v in facts["versions"].items()))
        again = Markup('{} <code dir="ltr">spm backtest win</code>').format(t("card.provenance.again"))
        learned = t("card.provenance.learned", months=t.number(len(facts["replayed"])))
        return self._section("provenance", bullets([version, code, learned, packages, again], "facts"))

    def finish(self) -> None:
        """Write the result record: the card's own word that it came to its end."""
        missing = [name for name in self.SECTIONS if name not in self.shown]
        write_record(
            {"report": "model_card", "about": "win_probability", "as_of": self.facts["as_of"],
             "locale": self.t.locale, "sections": self.shown, "ok": not missing},
            self.environ,
        )  # fmt: skip

    def _section(self, name: str, *content: object) -> Part:
        keys = {"comparison": "compare", "over_time": "time", "changes": "changed"}
        title = self.t(f"card.{keys.get(name, name)}.heading")
        return self._show(name, section(name.replace("_", "-"), title, *content))

    def _skip(self, name: str) -> Part:
        """With too little data there is nothing to show here, and nothing is missing."""
        return self._show(name, Part(""))

    def _show(self, name: str, part: Part) -> Part:
        if name not in self.shown:
            self.shown.append(name)
        return part


def model_card(workspace: str, locale: str = "", *, environ: Mapping[str, str] | None = None) -> ModelCard:
    """The card of the last backtest of a workspace.

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
        When the scope is not the whole company: the card shows all of it.
    NotEnoughDataError
        Before the first backtest.
    """
    opened, t = of_the_company("model card", workspace, locale, environ)
    return ModelCard(t, Backtest.read(opened.state / "backtest" / "win_probability" / "result"), environ)
