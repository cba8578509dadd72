"""Sections of the revenue outlook: what it is made of, its past, its units, what if, how sure, how computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps.outlook import LEVELS, PARTS
from spm_models.apps.outlook_change import change_section, movement_section, target_section
from spm_models.apps.outlook_pace import pace_section, people_section
from spm_models.apps.parts import Column, behind, drawn, join, legend, section
from spm_models.apps.what_if import what_if
from spm_models.charts import outlook as charts
from spm_models.reports.words import pinned_words
from spm_models.revenue_forecast.units import UNASSIGNED

if TYPE_CHECKING:
    from spm_models.apps.outlook_view import Page

MODEL = ("blend",)
_UNITS_DRAWN = 12


def range_section(page: Page) -> Markup:
    """Closed, open and not yet created against the quota tiers."""
    t, o = page.t, page.outlook
    money = [t.compact_money(o.parts.at[part, "mean"]) for part in PARTS]
    alt = t("page.outlook.parts_alt", **dict(zip(PARTS, money, strict=True)))
    words = legend((part, t(f"parts.{part}"), amount) for part, amount in zip(PARTS, money, strict=True))
    frame = o.parts.reset_index(names="part")
    columns = [
        Column("part", t("outlook.part"), lambda part: t(f"parts.{part}")),
        *(Column(name, t(f"forecast.{name}"), t.money, number=True) for name in ("mean", "p10", "p50", "p90")),
    ]
    chart = drawn("range", alt, lambda width: charts.range_chart(t, o.parts, o.chances, width=width), words)
    table = behind(t, frame, columns, t("outlook.range.table"), f"forecast-{o.period}")
    return section("range", t("outlook.range.title"), chart, table, intro=t("outlook.range.intro"))


def history_section(page: Page) -> Markup:
    """Past periods with quota, and the forecast."""
    t, o = page.t, page.outlook
    now = pd.Series({what: o.total(what) for what in ("mean", "p10", "p90")})
    now["closed"], now["quota"] = o.closed, o.quota("standard")
    expected, low, high = (t.compact_money(now[what]) for what in ("mean", "p10", "p90"))
    alt = t("page.outlook.history_alt", period=t.period(o.period), expected=expected, low=low, high=high)
    swatches = {"past": "forecast.revenue", "closed": "parts.closed", "rest": "forecast.expected"}
    chart = drawn(
        "past", alt, lambda width: charts.history_chart(t, o.history, now, o.period, width=width),
        legend((swatch, t(word), "") for swatch, word in (swatches | _marks(page)).items()),
    )  # fmt: skip
    frame = o.history.assign(attainment=o.history["revenue"] / o.history["quota"])
    columns = [
        Column("period", t("common.period"), t.period),
        Column("revenue", t("forecast.revenue"), t.money, number=True),
        Column("quota", t("forecast.quota"), t.money, number=True),
        Column("attainment", t("forecast.attainment"), t.percent, number=True),
        Column("deals", t("kpi.deals_won"), t.number, number=True),
    ]
    table = behind(t, frame, columns, t("page.outlook.history"), "history")
    return section("history", t("page.outlook.history"), chart, table, intro=t("outlook.history.intro"))


def months_section(page: Page) -> Markup:
    """The months of the period: what is closed, what is expected; together they are the period."""
    t, months = page.t, page.months()
    if months.empty:
        return Markup("")
    shown = months.assign(label=[t.period(period) for period in months["period"]], quota=float("nan"))
    words = legend(
        (swatch, t(word), "") for swatch, word in {"rest": "parts.closed", "range": "common.range80"}.items()
    )
    alt = join(f"{row.label}: {t.compact_money(row.mean)}. " for row in shown.itertuples())
    chart = drawn("months", str(alt), lambda width: charts.units_chart(t, shown, width=width), words)
    columns = [
        Column("label", t("common.period")),
        *(Column(name, t(f"forecast.{name}"), t.money, number=True) for name in ("mean", "p10", "p90")),
        Column("closed", t("parts.closed"), t.money, number=True),
    ]
    table = behind(t, shown, columns, t("outlook.months.title"), f"months-{page.outlook.period}")
    return section("months", t("outlook.months.title"), chart, table, intro=t("outlook.months.intro"))


def units_section(page: Page) -> Markup:
    """Regions, teams, managers and reps in scope."""
    t, units = page.t, page.outlook.units
    units = units.assign(label=units["label"].where(units["key"] != UNASSIGNED, t("common.unassigned")))
    present = [level for level in LEVELS if (units["level"] == level).sum() > 1]
    if not present:
        return Markup("")
    columns = [
        Column("label", t("common.name")),
        *(Column(name, t(f"forecast.{name}"), t.money, number=True) for name in ("mean", "p10", "p90")),
        Column("closed", t("parts.closed"), t.money, number=True),
        Column("quota", t("forecast.quota"), t.money, number=True),
        Column("probability", t("forecast.probability"), t.percent, number=True),
    ]
    blocks = [_level(page, level, units[units["level"] == level], columns) for level in present]
    grid = Markup('<div class="levels">{}</div>').format(join(blocks))
    swatches = {"rest": "parts.closed"} | _marks(page)
    words = legend((swatch, t(word), "") for swatch, word in swatches.items())
    body = section("units", t("outlook.units.title"), words, grid, intro=t("outlook.units.intro"))
    return Markup('<div class="full">{}</div>').format(body)


def _level(page: Page, level: str, rows: pd.DataFrame, columns: list[Column]) -> Markup:
    t = page.t
    name = t(f"outlook.units.{level}")
    shown = rows.head(_UNITS_DRAWN)
    alt = t("outlook.units.alt", level=name)
    chart = drawn(f"units-{level}", alt, lambda width: charts.units_chart(t, shown, width=width))
    rest = len(rows) - len(shown)
    more = Markup('<p class="note">{}</p>').format(t("outlook.units.more", n=rest)) if rest else Markup("")
    table = behind(t, rows, columns, name, f"{level}-{page.outlook.period}")
    return Markup("<div><h3>{}</h3>{}{}{}</div>").format(name, chart, more, table)


def live(page: Page) -> Iterator[Any]:
    """The live control between the two halves of its section."""
    t = page.t
    if "what-if" in page.absent():
        return
    yield Markup(
        '<section id="what-if" class="card live" data-live="waiting" data-label="{}" aria-busy="true"'
        ' aria-labelledby="what-if-title">'
        '<h2 id="what-if-title">{}</h2><p class="intro">{}</p><p class="wait" role="status">{}</p>'
        '<p class="dead">{}</p>'
    ).format(*(t(f"outlook.what_if.{name}") for name in ("title", "title", "intro", "waiting", "dead")))
    yield what_if(page)
    yield Markup('<p class="note">{}</p></section>').format(t("outlook.what_if.note"))


def replay_section(page: Page) -> Markup:
    """How earlier forecasts did; amounts only for those who may see the company's."""
    t = page.t
    every = page.tables["forecast_replay"]
    every = every[every["week"] == 0]  # on the eve: the hardest day
    ours = every[every["method"].isin(MODEL)].sort_values("period", ignore_index=True)
    if ours.empty:
        note = Markup("<p>{}</p>").format(t("page.outlook.replay_none"))
        return section("replay", t("page.outlook.replay"), note)
    judged = ours.dropna(subset="hit")
    error = (ours["error"].abs() / ours["actual"].where(ours["actual"] > 0)).mean()
    hits, quarters = int(judged["hit"].sum()), len(judged)
    summary = t("page.outlook.replay_summary", hits=hits, quarters=quarters, error=t.percent(error))
    verdict = Markup('<p class="verdict">{}</p>').format(summary)
    relative = every["error"] / every["actual"].where(every["actual"] > 0)
    frame = every.assign(relative=relative).sort_values(["period", "method"], ascending=[False, False])
    whole = page.outlook.level == "company"
    chart: Markup | str = ""
    if whole:
        alt = t("outlook.replay.alt", summary=summary)
        words = legend((swatch, t(f"forecast.{swatch}"), "") for swatch in ("hit", "missed"))
        chart = drawn("replayed", alt, lambda width: charts.replay_chart(t, ours, width=width), words)
    note = Markup("") if whole else Markup('<p class="note">{}</p>').format(t("outlook.replay.company"))
    table = behind(t, frame, _replay_columns(page, whole), t("page.outlook.replay"), "replay")
    return section(
        "replay", t("page.outlook.replay"), verdict, chart, note, table, intro=t("page.outlook.replay_intro")
    )


def _replay_columns(page: Page, whole: bool) -> list[Column]:
    t = page.t
    amounts = [Column(name, t(f"forecast.{name}"), t.money, number=True) for name in ("p10", "p50", "p90", "actual")]

    def judged(hit: Any) -> str:
        return "–" if pd.isna(hit) else t("forecast.hit" if hit else "forecast.missed")

    return [
        Column("period", t("common.period"), t.period),
        Column("method", t("forecast.method"), lambda method: t.name("methods", method)),
        *(amounts if whole else []),
        Column("relative", t("forecast.error"), lambda share: t.percent(share, signed=True), number=True),
        Column("hit", t("common.range80"), judged),
    ]  # fmt: skip


def _marks(page: Page) -> dict[str, str]:
    quota = {"quota": "outlook.standard_quota"} if page.outlook.chances["quota"].notna().any() else {}
    return {"range": "common.range80"} | quota


def how_section(page: Page) -> Markup:
    """How the figures are made, from which data, and how to make them again."""
    t, o, manifest = page.t, page.outlook, page.session.results.manifest
    verdicts = page.tables["model_verdicts"].set_index("question")
    lines = [t("page.how.simulation"), t("page.how.range"), t("page.outlook.quantiles_note")]
    if "revenue_forecast" in verdicts.index and _baseline_won(verdicts):
        method = t.name("methods", verdicts.at["revenue_forecast", "published"])
        lines.append(t("page.how.baseline", method=method))
    pinned = pinned_words(t, manifest.parameters)
    lines += [pinned] if pinned else []
    if manifest.notes.get("history") is False:
        lines.append(t("page.how.no_history"))
    lines += [
        t("outlook.how.fresh", day=o.as_of, period=t.period(o.period)),
        t("outlook.how.pages", currency=page.session.workspace.settings.company.currency),
        t("page.how.run", run_id=manifest.run_id, day=manifest.as_of, version=manifest.code_hash[:12]),
    ]
    facts = join(Markup("<li>{}</li>").format(line) for line in lines)
    return section("how", t("page.how.heading"), Markup('<ul class="facts">{}</ul>').format(facts))


def _baseline_won(verdicts: pd.DataFrame) -> bool:
    return str(verdicts.at["revenue_forecast", "published"]) == str(verdicts.at["revenue_forecast", "baseline"])


Sections = tuple[Callable[[Any], Markup], ...]
FIRST: Sections = (range_section, pace_section)
CHANGE: Sections = (change_section,)
LEFT: Sections = (movement_section, people_section, months_section)  #: both columns are to end near each other
RIGHT: Sections = (target_section, history_section)
WHOLE: Sections = (units_section,)
LAST: Sections = (replay_section, how_section)
