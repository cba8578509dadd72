"""What stands behind a suggestion: possible causes, what the deals show, what could be agreed, and the gap in money."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.coaching.plans.library import OWN_FOLDER, read_library
from spm_models.coaching.plans.words import action_sentences, feedback_sentences
from spm_models.reports.export import Column
from spm_models.reports.parts import bullets, chart, folded, join, paragraph
from spm_models.reports.reading import Reading
from spm_models.reports.words import chance_words, signal_name, signal_value
from spm_models.translations import Translator

_NEVER_COACHED = "gap.not_yours"


def cause(reading: Reading) -> Markup:
    """The cause that the figures speak for most, what speaks for and against it, and a question; never a label."""
    t, rows = reading.t, reading["coaching_causes"].query("rep_id == @reading.key").sort_values("place")
    if rows.empty:
        return Markup("")
    first = rows.iloc[0].to_dict()
    name = t.name("causes", first["cause"])
    lines = [Markup("<h3>{}</h3>").format(t("cause_words.heading")), paragraph(t("cause_words.intro"), "note")]
    if first["confirmed"] == "yes":
        lines.append(paragraph(t.html("cause_words.confirmed", cause=name)))
    elif first["stated"]:
        lines.append(paragraph(t.html("cause_words.leading", cause=name, share=chance_words(t, first["probability"]))))
    else:
        lines.append(paragraph(t("cause_words.open")))
        return join([*lines, _questions(t, rows["cause"].head(2))])
    told = reading["coaching_evidence"].query("rep_id == @reading.key and cause == @first['cause']").sort_values("rank")
    columns = []
    for stance, title in (("for", "speaks_for"), ("against", "speaks_against")):
        of = told[told["stance"] == stance].to_dict("records")
        if of:
            items = bullets(_reading(t, row) for row in of)
            columns.append(Markup("<div><h4>{}</h4>{}</div>").format(t(f"cause_words.{title}"), items))
    lines += [paragraph(t(f"cause_words.{first['cause']}.what"))]
    lines += [Markup('<div class="pair">{}</div>').format(join(columns))] if columns else []
    return join([*lines, _questions(t, [first["cause"]])])


def _questions(t: Translator, causes: Any) -> Markup:
    asked = bullets(t(f"cause_words.{one}.question") for one in causes)
    return Markup("<h4>{}</h4>{}").format(t("cause_words.question"), asked)


def _reading(t: Translator, row: Mapping[Any, Any]) -> Markup:
    figures = {name: signal_value(t, row["signal"], row[name]) for name in ("value", "beside")}
    name = signal_name(t, row["signal"], str(row["part"] or ""))
    return t.html(f"cause_words.{row['reading']}", signal=name, **figures)


def said(reading: Reading) -> Markup:
    """Sentences of feedback: what went well first, then what the deals show, with their names."""
    rows = reading["coaching_feedback"].query("rep_id == @reading.key")
    if rows.empty:
        return Markup("")
    pairs = feedback_sentences(reading.t, rows, names(reading))
    return Markup("<h3>{}</h3>{}").format(reading.t("report.focus.said"), bullets(line for _, line in pairs))


def plan(reading: Reading) -> Markup:
    """Two or three actions that could be agreed, with numbers that colleagues have reached."""
    t, rows = reading.t, reading["coaching_plan"].query("rep_id == @reading.key")
    if rows.empty:
        return Markup("")
    items = join(Markup("<li>{}</li>").format(line) for line in action_sentences(t, rows, names(reading)))
    return Markup("<h3>{}</h3><ol>{}</ol>{}{}").format(
        t("report.focus.plan"), items, paragraph(t("report.focus.plan_note"), "note"), _exercise(reading, rows)
    )


def first_action(reading: Reading) -> Markup | None:
    """The first of the actions that could be agreed."""
    rows = reading["coaching_plan"].query("rep_id == @reading.key").sort_values("rank").head(1)
    return next(iter(action_sentences(reading.t, rows, names(reading))), None)


def _exercise(reading: Reading, rows: pd.DataFrame) -> Markup:
    """The item of the coaching library that the plan is about, to be read and tried."""
    t, library = reading.t, read_library(reading.workspace.root / OWN_FOLDER)
    item = library.items.get(str(rows["item"].iloc[0]))
    if item is None:
        return Markup("")
    words = item.words(t.locale)
    body = t.html("plan.exercise", minutes=t("plan.minutes", n=item.minutes), exercise=words.exercise)
    return Markup('<aside class="exercise"><h4>{}</h4><p>{}</p><p>{}</p></aside>').format(words.title, words.text, body)


def names(reading: Reading) -> dict[str, str]:
    """Deals by their accounts, people by their names, as far as the reader may see them."""
    known: dict[str, str] = {}
    for table in ("closed_deals", "deal_scores"):
        rows = reading[table][["opportunity_id", "account_name"]].dropna()
        known |= dict(zip(rows["opportunity_id"], rows["account_name"], strict=True))
    people = reading["reps"][["rep_id", "name"]].dropna()
    return known | dict(zip(people["rep_id"], people["name"], strict=True))


def gap(reading: Reading) -> Markup:
    """From a typical colleague to what was sold, as a waterfall; what is no part of the work is hollow."""
    t = reading.t
    rows = reading["coaching_gap"].query("rep_id == @reading.key and reference == 'peers'").sort_values("place")
    if rows.empty:
        return paragraph(t("gap.none"))
    from spm_models.charts.gap import gap_chart, step_name

    named = rows.assign(label=[step_name(t, row) for row in rows.to_dict("records")])
    ends = t.money(rows["amount"].iloc[0]), t.money(rows["amount"].iloc[-1])
    title = t("gap.title", start=ends[0], end=ends[1])
    return join([
        chart("gap", title, t("gap.alt"), lambda width: gap_chart(t, rows, width=width), _figures(t, named)),
        *_target(reading), paragraph(t(_NEVER_COACHED), "note"),
    ])  # fmt: skip


def _target(reading: Reading) -> list[Markup]:
    t = reading.t
    rows = reading["coaching_gap"].query("rep_id == @reading.key and reference == 'target'").set_index("step")["amount"]
    if "target_setting" not in rows:
        return []
    asked = t.money(-rows["target_setting"], signed=True)
    return [paragraph(t.html("gap.to_target", quota=t.money(rows["start"]), amount=asked))]


def _figures(t: Translator, rows: pd.DataFrame) -> Markup:
    shown = rows.assign(
        amount=[t.money(value) for value in rows["amount"]],
        range=[t.range(t.money(low), t.money(high)) for low, high in zip(rows["low"], rows["high"], strict=True)],
    )
    columns = [Column("label", t("gap.step")), Column("amount", t("gap.amount")), Column("range", t("gap.range"))]
    return folded(t, shown, columns, t("gap.table"))
