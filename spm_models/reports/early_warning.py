"""A heads-up in a report: what may have changed, since when, how often chance does that, and what to ask."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.reports.export import Column
from spm_models.reports.parts import bullets, chart, folded, join, legend, paragraph
from spm_models.reports.reading import Reading
from spm_models.translations import Translator

ORDER = ("wins", "pipeline_creation", "activity")


def early_warning(reading: Reading) -> Markup:
    """Hints of one rep, each with its chart; one sentence where there is none, nothing where nothing is watched."""
    t, rows = reading.t, reading["early_warnings"].query("rep_id == @reading.key")
    if rows.empty:
        return Markup("")
    told = rows[rows["signalled"]].sort_values("watch", key=lambda names: names.map(ORDER.index))
    head = Markup("<h3>{}</h3>").format(t("early_warning.heading"))
    if told.empty:
        return join([paragraph(t("early_warning.nothing"), "note"), *_limits(t, rows)])
    path = reading["early_warning_path"].query("rep_id == @reading.key")
    pieces = [head, paragraph(t("early_warning.intro"), "note")]
    pieces.append(bullets(hint(t, row) for row in told.to_dict("records")))
    pieces += [_picture(t, row, path[path["watch"] == row["watch"]]) for row in told.to_dict("records")]
    return join([*pieces, paragraph(t("early_warning.causes")), paragraph(_by_chance(t, rows), "note")])


def hints(reading: Reading) -> list[Markup]:
    """What may have changed of one rep, in a sentence each; none where nothing has."""
    t, rows = reading.t, reading["early_warnings"].query("rep_id == @reading.key and signalled")
    rows = rows.sort_values("watch", key=lambda names: names.map(ORDER.index))
    head = Markup("<b>{}</b>").format(t("early_warning.heading"))
    return [Markup("{}. {}").format(head, hint(t, row)) for row in rows.to_dict("records")]


def early_warnings_of_team(reading: Reading) -> Markup:
    """Hints about those whom the reader leads, by name and in no order of merit; nothing where there is none."""
    t, rows = reading.t, reading["early_warnings"]
    told = rows[rows["signalled"]]
    if told.empty:
        return Markup("")
    names = reading["reps"].dropna(subset="name").set_index("rep_id")["name"].to_dict()
    told = told.assign(name=[names.get(rep, rep) for rep in told["rep_id"]]).sort_values(["name", "rep_id", "watch"])
    lines = (Markup("<b><bdi>{}</bdi></b> {}").format(row["name"], hint(t, row)) for row in told.to_dict("records"))
    pieces = [Markup("<h3>{}</h3>").format(t("early_warning.heading")), paragraph(t("early_warning.intro"), "note")]
    return join([*pieces, bullets(lines), paragraph(t("early_warning.causes")), paragraph(_by_chance(t, rows), "note")])


def hint(t: Translator, row: Mapping[Any, Any]) -> Markup:
    """One hint as a sentence: what there was since when, beside what is usual."""
    figures = {"day": t.day(row["since"]), "observed": t.number(round(row["observed"])),
               "expected": t.number(round(float(row["expected"]), 1))}  # fmt: skip
    if row["watch"] == "wins":
        figures["n"] = t.number(round(row["n"]))
    return t.html(f"early_warning.{row['watch']}", **figures)


def _by_chance(t: Translator, rows: pd.DataFrame) -> Markup:
    """How many hints a year chance alone brings, over all watches of the company."""
    number = float(rows.groupby("watch")["false_alarms_a_year"].first().sum())
    return t.html("early_warning.by_chance", number=t.number(round(number, 1 if number < 2 else 0)))


def _limits(t: Translator, rows: pd.DataFrame) -> list[Markup]:
    """What could have been seen at all."""
    wins = rows.loc[rows["watch"] == "wins", "weeks_to_see_half"]
    if wins.empty:
        return []
    if pd.isna(wins.iloc[0]):
        return [paragraph(t("early_warning.not_in_a_year"), "note")]
    return [paragraph(t.html("early_warning.seen_after", weeks=t.number(round(wins.iloc[0]))), "note")]


def _picture(t: Translator, row: Mapping[Any, Any], path: pd.DataFrame) -> Markup:
    def draw(width: int) -> Any:
        from spm_models.charts.early_warning import early_warning_chart

        return early_warning_chart(t, path, row["since"], width=width)

    title = t(f"early_warning.titles.{row['watch']}")
    marks = legend([("closed", t("early_warning.legend.actual")), ("new", t("early_warning.legend.band")),
                    ("quota", t("early_warning.legend.since"))])  # fmt: skip
    name = f"early-{row['watch'].replace('_', '-')}"
    return chart(name, title, t("early_warning.chart_alt"), draw, paragraph(title, "note"), marks, _weeks(t, path))


def _weeks(t: Translator, path: pd.DataFrame) -> Markup:
    rows = path.sort_values("week")
    shown = pd.DataFrame({
        "week": [t.day(day) for day in rows["week"]],
        "observed": [t.number(round(value)) for value in rows["observed"]],
        "expected": [t.number(round(value, 1)) for value in rows["expected"]],
        "range": [t.range(t.number(round(low, 1)), t.number(round(high, 1)))
                  for low, high in zip(rows["low"], rows["high"], strict=True)],
    })  # fmt: skip
    columns = [Column(name, t(f"early_warning.{name}")) for name in ("week", "observed", "expected", "range")]
    return folded(t, shown, columns, t("early_warning.table"))
