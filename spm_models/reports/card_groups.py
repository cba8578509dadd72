"""Part of the model card: does it hold for every stage, segment, product, region, kind and time in the job?"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from spm_models.reports.export import Column
from spm_models.reports.parts import bullets, chart, folded, join, legend, paragraph
from spm_models.translations import Translator
from spm_models.win_probability import Backtest

SIDE = 400  # SVG units; two charts side by side


def groups(t: Translator, found: Backtest) -> Iterator[Markup]:
    """What stands out, and one chart a breakdown."""
    table = found["groups"]
    if not (table["verdict"] != "too_few").any():
        yield paragraph(t("card.groups.none"))
        return
    table = table.assign(label=[_label(t, row.dimension, row.group) for row in table.itertuples()])
    outside = table[table["verdict"].isin(["won_more", "won_less"])]
    if outside.empty:
        yield paragraph(t("card.groups.fine"))
    else:
        yield paragraph(t("card.groups.some"))
        yield bullets([_line(t, row) for row in outside.sort_values("p_value").to_dict("records")])
    yield legend([("said", t("card.chart.said")), ("new", t("card.chart.band")),
                  ("seen-full", t("card.chart.happened")), ("outside", t("card.chart.outside"))])  # fmt: skip
    yield Markup('<div class="breakdowns">{}</div>').format(
        join(_drawn(t, str(name), rows) for name, rows in table.groupby("dimension", sort=False))
    )
    yield paragraph(t("card.groups.how"), "note")
    yield folded(t, table.assign(name=[_full(t, row) for row in table.to_dict("records")]), _columns(t),
                 t("card.groups.heading"))  # fmt: skip


def _drawn(t: Translator, dimension: str, rows: pd.DataFrame) -> Markup:
    from spm_models.charts.backtest import groups_chart

    enough = rows[rows["verdict"] != "too_few"]
    if enough.empty:
        return Markup("")
    title = t.name("card.groups.dimensions", dimension)
    drawn = chart(f"groups-{dimension}", title, t("card.groups.alt"),
                  lambda width: groups_chart(t, enough, enough["label"].tolist(), width=min(width, SIDE)))  # fmt: skip
    return Markup('<div class="breakdown"><h3>{}</h3>{}</div>').format(title, drawn)


def _label(t: Translator, dimension: str, group: str) -> str:
    if group == "other" and dimension != "kind":
        return t("card.groups.other")
    if dimension == "tenure":
        return t.name("card.groups.tenures", group)
    return t.name("kinds", group) if dimension == "kind" else str(group)


def _line(t: Translator, row: dict[str, object]) -> Markup:
    return t.html(
        f"card.groups.{row['verdict']}", dimension=t.name("card.groups.dimensions", row["dimension"]),
        group=str(row["label"]), happened=t.percent(row["happened"]), said=t.percent(row["said"]),
    )  # fmt: skip


def _full(t: Translator, row: dict[str, object]) -> str:
    return t("common.list_of", label=t.name("card.groups.dimensions", row["dimension"]), value=str(row["label"]))


def _columns(t: Translator) -> list[Column]:
    def loss(value: float) -> str:
        return t.number(value, 3)

    return [
        Column("name", t("card.groups.group")),
        Column("deals", t("card.groups.deals"), t.number, number=True),
        Column("said", t("card.time.said"), t.percent, number=True),
        Column("happened", t("card.time.happened"), t.percent, number=True),
        Column("low", t("card.time.chance"), t.percent, number=True),
        Column("high", t("card.compare.limit"), t.percent, number=True),
        Column("log_loss_model", t("card.time.model_loss"), loss, number=True),
        Column("log_loss_baseline", t("card.time.baseline_loss"), loss, number=True),
        Column("verdict", t("card.groups.reading"), lambda code: t.name("card.groups.verdicts", code)),
    ]
