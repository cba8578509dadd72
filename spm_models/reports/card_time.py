"""Part of the model card: does it hold over time, and do today's deals look like those it learned from?"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pandas as pd
from markupsafe import Markup

from spm_models.reports.export import Column
from spm_models.reports.parts import chart, folded, legend, paragraph
from spm_models.translations import Translator
from spm_models.win_probability import Backtest
from spm_models.win_probability.features import groups_of

CHANGES = 6
LATE = 0.6  # share of a month's scores with an outcome, below which the card says that the month is young


def over_time(t: Translator, found: Backtest) -> Iterator[Markup]:
    """Said and happened by month, the error by month, and the test for drift."""
    from spm_models.charts.backtest import losses_chart, months_chart

    facts, months = found.facts, found["months"]
    shown, baseline = "model" if "log_loss_model" in months else facts["published"], facts["baseline"]
    judged = months.dropna(subset=["said"])
    yield paragraph(_answer(t, facts, judged[judged["verdict"].isin(["won_more", "won_less"])]))
    marks = legend([("said", t("card.chart.said")), ("new", t("card.chart.band")),
                    ("seen-full", t("card.chart.happened")), ("outside", t("card.chart.outside"))])  # fmt: skip
    if len(judged) > 1:
        yield Markup("<h3>{}</h3>").format(t("card.time.said_title"))
        yield chart("months", t("card.time.said_title"), t("card.time.said_alt"),
                    lambda width: months_chart(t, months, width=width), marks)  # fmt: skip
        yield from _late(t, judged)
        if shown != baseline:
            names = {name: t.name("card.forecasts", name) for name in (shown, baseline)}
            title = t("card.time.loss_title", model=names[shown], baseline=names[baseline])
            yield Markup("<h3>{}</h3>").format(title)
            yield chart("losses", title, t("card.time.loss_alt"),
                        lambda width: losses_chart(t, months, shown, baseline, width=width),
                        legend([("closed", names[shown]), ("outside", names[baseline])]))  # fmt: skip
    yield folded(t, months, _columns(t, shown, baseline), t("card.time.said_title"))
    if len(found["blocks"]) > 1:
        yield folded(t, found["blocks"], _blocks(t), t("card.time.blocks"))


def _answer(t: Translator, facts: dict[str, object], outside: pd.DataFrame) -> str:
    if facts["drifting"]:
        return t("card.time.drifting")
    if len(outside):
        return t("card.time.outside", months=t.list(t.day(day, "month") for day in outside["as_of"]))
    return t("card.time.unknown" if facts["drift_p"] is None else "card.time.steady")


def _late(t: Translator, judged: pd.DataFrame) -> Iterator[Markup]:
    """The newest month is judged by the deals that were decided quickly."""
    last = judged.iloc[-1]
    if last["deals"] < LATE * last["scored"]:
        words = {"scored": t.number(int(last["scored"])), "decided": t.number(int(last["deals"]))}
        yield paragraph(t("card.time.late", month=t.day(last["as_of"], "month"), **words), "note")


def _columns(t: Translator, shown: str, baseline: str) -> list[Column]:
    def loss(value: float) -> str:
        return t.number(value, 3)

    columns = [
        Column("as_of", t("card.time.month"), lambda day: t.day(day)),
        Column("scored", t("card.time.scored"), t.number, number=True),
        Column("deals", t("card.time.decided"), _whole(t), number=True),
        Column("said", t("card.time.said"), t.percent, number=True),
        Column("happened", t("card.time.happened"), t.percent, number=True),
        Column("low", t("card.time.chance"), t.percent, number=True),
        Column("high", t("card.compare.limit"), t.percent, number=True),
        Column(f"log_loss_{shown}", t("card.time.model_loss"), loss, number=True),
        Column(f"log_loss_{baseline}", t("card.time.baseline_loss"), loss, number=True),
    ]
    return columns if shown != baseline else [*columns[:-2], columns[-1]]


def _blocks(t: Translator) -> list[Column]:
    return [
        Column("start", t("card.time.from"), lambda day: t.day(day)),
        Column("end", t("card.time.until"), lambda day: t.day(day)),
        Column("n", t("card.time.probabilities"), t.number, number=True),
        Column("expected", t("card.time.said"), t.percent, number=True),
        Column("rate", t("card.time.happened"), t.percent, number=True),
        Column("low", t("card.time.range"), t.percent, number=True),
        Column("high", t("card.compare.limit"), t.percent, number=True),
    ]


def _whole(t: Translator) -> Callable[[float], str]:
    return lambda n: t.number(None if pd.isna(n) else int(n))


def changes(t: Translator, found: Backtest) -> Iterator[Markup]:
    """Facts about open deals that have changed against the year before, most changed first."""
    columns = found.tables.get("columns", pd.DataFrame({"verdict": []}))
    changed = columns[columns["verdict"].isin(["moderate", "large"])]
    if changed.empty:
        yield paragraph(t("card.changed.none"))
        return
    reasons = groups_of(changed["column"])
    shown = changed.assign(
        fact=[_fact(t, reasons[name]) for name in changed["column"]],
        value=[_value(t, value) for value in changed["value"]],
    ).drop_duplicates("fact")  # fmt: skip
    yield paragraph(t("card.changed.some", names=t.list(shown["fact"].head(CHANGES))))
    form = [
        Column("fact", t("card.changed.fact")), Column("value", t("card.changed.value")),
        Column("share_then", t("card.changed.then"), t.percent, number=True),
        Column("share_now", t("card.changed.now"), t.percent, number=True),
        Column("index", t("card.changed.index"), lambda v: t.number(v, 2), number=True),
    ]  # fmt: skip
    yield folded(t, shown, form, t("card.changed.heading"))


def _fact(t: Translator, reason: str) -> str:
    if reason.startswith("field_"):
        return reason.removeprefix("field_")
    return t.name("reasons.names", reason)


def _value(t: Translator, value: str) -> str:
    """The reader's words for a bin: ``up to 12`` … ``12 to 30`` … ``above 30``, missing, other."""
    number = r"(-?[\d.]+(?:e[+-]?\d+)?)"
    if match := re.fullmatch(f"up to {number}", value):
        return t("card.changed.up_to", high=_number(t, match[1]))
    if match := re.fullmatch(f"above {number}", value):
        return t("card.changed.above", low=_number(t, match[1]))
    if match := re.fullmatch(f"{number} to {number}", value):
        return t.range(_number(t, match[1]), _number(t, match[2]))
    return t(f"card.changed.{value}") if value in ("missing", "other") else value


def _number(t: Translator, text: str) -> str:
    value = float(text)
    return t.number(int(value) if value == int(value) else value)
