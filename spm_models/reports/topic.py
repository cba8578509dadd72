"""The one thing to work on: in short for the first page, and what stands behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.reports import behind
from spm_models.reports.early_warning import hints
from spm_models.reports.findings import ordered, verdict_of
from spm_models.reports.parts import bullets, join, paragraph
from spm_models.reports.reading import Reading
from spm_models.reports.talks import answers
from spm_models.reports.words import account_of, example_value, signal_basis, signal_name, signal_value
from spm_models.translations import Translator

EXAMPLES = 2  #: deals of each kind on the first page


def in_short(reading: Reading) -> Markup:
    """The topic with its worth, examples and a first action, or an honest word why there is none; then the answer."""
    row = topic(reading)
    said = [_nothing(reading)] if row is None else list(_said(reading, row))
    return join([*said, *(paragraph(line) for line in hints(reading)), *answers(reading, reading.key)])


def in_detail(reading: Reading) -> Markup:
    """Question, first step, what deals show, possible causes and the plan; empty where there is no topic."""
    t, row = reading.t, topic(reading)
    if row is None:
        return Markup("")
    asked = [
        Markup("<h3>{}</h3>{}").format(t(f"report.focus.{name}"), paragraph(t(f"signals.{row['signal']}.{name}")))
        for name in ("question", "step") if t.has(f"signals.{row['signal']}.{name}")
    ]  # fmt: skip
    known = paragraph(t("report.focus.own_reasons"), "intro")
    return join([known, *asked, behind.said(reading), behind.cause(reading), behind.plan(reading)])


def topic(reading: Reading) -> Mapping[Any, Any] | None:
    """The finding that the rep's topic is about; None without a topic."""
    verdict, findings = verdict_of(reading), reading["coaching_findings"]
    if verdict is None or not isinstance(verdict["topic"], str):
        return None
    part = verdict["topic_part"] if isinstance(verdict["topic_part"], str) else ""
    own = (findings["signal"] == verdict["topic"]) & (findings["part"] == part)
    rows = findings[own].to_dict("records")
    return rows[0] if rows else None


def _nothing(reading: Reading) -> Markup:
    t, verdict = reading.t, verdict_of(reading)
    kind = verdict["verdict"] if verdict else "not_enough_data"
    findings = reading["coaching_findings"]
    said_of = ordered(findings[findings["verdict"] == kind])[["signal", "part"]]
    named = t.list(signal_name(t, *pair) for pair in said_of.itertuples(index=False))
    if kind in ("watch", "doing_well") and named:
        return paragraph(t.html(f"report.focus.{kind}", signals=named), "lede")
    if kind == "not_enough_data":
        return paragraph(t("report.focus.too_little", n=len(reading["closed_deals"])), "lede")
    return paragraph(t("report.focus.nothing"), "lede")


def _said(reading: Reading, row: Mapping[Any, Any]) -> Iterator[Markup]:
    t, signal = reading.t, row["signal"]
    values = {name: signal_value(t, signal, row[name]) for name in ("actual", "expected", "pooled", "low", "high")}
    name = t.html("report.focus.topic", topic=signal_name(t, signal, row["part"]))
    yield paragraph(Markup("<strong>{}</strong>").format(name), "lede")
    if row["money_at_stake"] > 0:
        yield paragraph(t.html("report.focus.worth", amount=t.money(row["money_at_stake"])), "worth")
    yield paragraph(t.html("report.focus.why_range", **values, basis=signal_basis(t, signal, row["n"])))
    yield _examples(reading, signal)
    if action := behind.first_action(reading):
        yield paragraph(t.html("report.focus.first_action", action=action))
    yield paragraph(Markup("{} {}").format(t("report.focus.hypothesis"), t("report.focus.unchanged")), "note")


def _examples(reading: Reading, signal: str) -> Markup:
    t = reading.t
    rows = reading["coaching_examples"].query("signal == @signal").sort_values("rank")
    known = reading["closed_deals"].set_index("opportunity_id")[["account_name", "closed_on", "won"]]
    rows = rows.join(known, on="opportunity_id")
    columns = []
    for kind, word in (("example", "examples"), ("counter_example", "counter_examples")):
        deals = rows[rows["kind"] == kind].head(EXAMPLES).to_dict("records")
        if deals:
            items = bullets(_example(t, signal, deal) for deal in deals)
            columns.append(Markup("<div><h3>{}</h3>{}</div>").format(t(f"report.focus.{word}"), items))
    if not columns:
        return paragraph(t("report.focus.no_examples"))
    return Markup('<div class="pair">{}</div>').format(join(columns))


def _example(t: Translator, signal: str, deal: Mapping[Any, Any]) -> Markup:
    account, value = account_of(deal), example_value(t, signal, deal["value"])
    if pd.isna(deal["closed_on"]):
        return t.html("report.focus.example_plain", account=account, value=value)
    status = t("status.won" if deal["won"] else "status.lost")
    return t.html("report.focus.example_line", account=account, status=status, day=deal["closed_on"], value=value)
