"""How others see a rep: thanks, 360° feedback of groups, what managers observed. It enters no finding."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from spm_models.reports.export import Column
from spm_models.reports.parts import bullets, chart, folded, join, legend, paragraph
from spm_models.reports.reading import Reading
from spm_models.translations import Translator

THANKS_DAYS, COMMENTS, THANKS = 90, 4, 3


def thanks(reading: Reading) -> list[Markup]:
    """What colleagues and managers thanked for in the last quarter, the newest first."""
    t, since = reading.t, reading.as_of - pd.Timedelta(days=THANKS_DAYS)
    people = reading["reps"].dropna(subset="name").set_index("rep_id")["name"]
    led = reading["reps"].dropna(subset="manager_name").drop_duplicates("manager_id").set_index("manager_id")
    names = {**led["manager_name"], **people}
    said = [entry for entry in reading.recognitions(reading.key) if entry.written_at >= since.to_pydatetime()]
    return [
        t.html("others.thanks", author=names.get(entry.author, entry.author), day=entry.written_at.date(),
               text=entry.body["text"])
        for entry in said[::-1][:THANKS]
    ]  # fmt: skip


def others(reading: Reading) -> Markup:
    """Figures of 360° feedback from the least group size on, comments of nobody in particular, observations."""
    t = reading.t
    parts = [*_feedback(reading), *_observed(reading)]
    return join([*parts, paragraph(t("others.note"), "note")]) if parts else paragraph(t("others.none"))


def _feedback(reading: Reading) -> Iterator[Markup]:
    from spm_models.charts.ratings import SIDES, ratings_chart

    t = reading.t
    rows = reading["feedback_360"].query("rep_id == @reading.key and state == 'shown'")
    if rows.empty:
        return
    sides = [side for side in SIDES if side in set(rows["given_by"])]
    marks = legend((f"side-{side}", t(f"people.sides.{side}")) for side in sides)
    yield chart("ratings", t("others.chart"), t("others.alt"), lambda width: ratings_chart(t, rows, width=width),
                marks, _ratings(t, rows))  # fmt: skip
    said = reading["feedback_360_comments"].query("rep_id == @reading.key").sort_values("rank").head(COMMENTS)
    if len(said):
        items = [
            t.html("others.comment", side=t(f"people.sides.{side}"), comment=comment)
            for side, comment in said[["given_by", "comment"]].itertuples(index=False)
        ]
        yield Markup("<h3>{}</h3>{}").format(t("others.comments"), bullets(items))


def _ratings(t: Translator, rows: pd.DataFrame) -> Markup:
    points = [t.number(value, 1) for value in rows["mean"]]
    spans = [t.range(t.number(low, 1), t.number(high, 1)) for low, high in zip(rows["low"], rows["high"], strict=True)]
    shown = rows.assign(
        dimension=[t.name("people.skills", name) for name in rows["dimension"]],
        given_by=[t(f"people.sides.{side}") for side in rows["given_by"]],
        mean=points, span=spans, n=[t("people.answers", n=n) for n in rows["n"]],
    )  # fmt: skip
    columns = [
        Column("dimension", t("people.columns.skill")), Column("given_by", t("others.side")),
        Column("mean", t("people.columns.mean")), Column("span", t("common.range80")), Column("n", t("others.answers")),
    ]  # fmt: skip
    return folded(t, shown, columns, t("others.chart"))


def _observed(reading: Reading) -> Iterator[Markup]:
    t, rows = reading.t, reading["observations"].query("rep_id == @reading.key")
    if rows.empty:
        return
    items = []
    for row in rows.sort_values("skill").to_dict("records"):
        skill = t.name("people.skills", row["skill"])
        line = t.html("others.seen", skill=skill, points=t.number(row["latest"]), day=row["latest_on"])
        items.append(line + Markup('<br><small class="note"><bdi>{}</bdi></small>').format(row["note"]))
    yield Markup("<h3>{}</h3>{}").format(t("others.observed"), bullets(items))
