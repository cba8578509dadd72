"""What the coaching review says to a rep: what went well, the one thing to work on, what the data could show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.reports import behind
from spm_models.reports.export import Column
from spm_models.reports.others import thanks
from spm_models.reports.parts import bullets, chart, folded, join, legend, paragraph
from spm_models.reports.reading import Reading
from spm_models.reports.words import account_of, example_value, signal_basis, signal_name, signal_value
from spm_models.translations import Translator

RECENT_DAYS = 30
SIGNALS = ("attainment", "coverage", "win_rate", "stage_conversion", "pipeline_creation", "activity", "trend",
           "follow_up", "focus", "deal_size", "price_kept", "cycle")  # fmt: skip


def ordered(findings: pd.DataFrame) -> pd.DataFrame:
    """Findings in the order in which people think of them: results first."""
    place = findings["signal"].map({signal: number for number, signal in enumerate(SIGNALS)}).fillna(len(SIGNALS))
    return (
        findings.assign(place=place).sort_values(["place", "signal", "part"], ignore_index=True).drop(columns="place")
    )


def praise(reading: Reading) -> Markup:
    """Signals above expectation, and deals won lately; an honest word where neither is there."""
    t, lines = reading.t, list(_strengths(reading))
    won = recent_wins(reading)
    if len(won):
        deals, amount = t("common.won_deals", n=len(won)), t.money(won["amount"].sum())
        lines.append(t.html("report.well.recent", days=t.days(RECENT_DAYS), deals=deals, amount=amount))
        best = won.iloc[0].to_dict()
        if not pd.isna(best["amount"]):
            lines.append(t.html("report.well.biggest", account=account_of(best), amount=t.money(best["amount"])))
    lines += thanks(reading)
    if not lines:
        return paragraph(t("report.well.nothing_yet"))
    return bullets(lines, "good") + paragraph(t("report.well.share_it"), "note")


def _strengths(reading: Reading) -> Iterator[Markup]:
    t = reading.t
    strong = reading["coaching_findings"].query("verdict == 'doing_well'")
    for row in ordered(strong).to_dict("records"):
        actual, expected = (signal_value(t, row["signal"], row[name]) for name in ("actual", "expected"))
        name = signal_name(t, row["signal"], row["part"])
        yield t.html("report.well.signal", signal=name, actual=actual, expected=expected)


def recent_wins(reading: Reading) -> pd.DataFrame:
    """Deals won in the past weeks, the largest first."""
    closed = reading["closed_deals"]
    since = reading.as_of - pd.Timedelta(days=RECENT_DAYS)
    won = closed[closed["won"] & (closed["closed_on"] > since)]
    return won.sort_values(["amount", "opportunity_id"], ascending=[False, True], ignore_index=True)


def verdict_of(reading: Reading) -> Mapping[Any, Any] | None:
    """The rep's row of ``coaching_verdicts``; None for who was not reviewed."""
    rows = reading["coaching_verdicts"]
    own = rows[rows["rep_id"] == reading.key].to_dict("records")
    return own[0] if own else None


def focus(reading: Reading) -> Markup:
    """The one thing to work on, or an honest word why there is none."""
    t, verdict = reading.t, verdict_of(reading)
    findings = reading["coaching_findings"]
    kind = verdict["verdict"] if verdict else "not_enough_data"
    if verdict and isinstance(verdict["topic"], str):
        part = verdict["topic_part"] if isinstance(verdict["topic_part"], str) else ""
        own = (findings["signal"] == verdict["topic"]) & (findings["part"] == part)
        topic = findings[own].to_dict("records")
        return _topic(reading, topic[0]) if topic else paragraph(t("report.focus.nothing"))
    said_of = ordered(findings[findings["verdict"] == kind])[["signal", "part"]]
    named = t.list(signal_name(t, *pair) for pair in said_of.itertuples(index=False))
    if kind in ("watch", "doing_well") and named:
        return paragraph(t.html(f"report.focus.{kind}", signals=named), "lede")
    if kind == "not_enough_data":
        closed = len(reading["closed_deals"])
        return paragraph(t("report.focus.too_little", n=closed), "lede")
    return paragraph(t("report.focus.nothing"), "lede")


def _topic(reading: Reading, row: Mapping[Any, Any]) -> Markup:
    t, signal = reading.t, row["signal"]
    values = {name: signal_value(t, signal, row[name]) for name in ("actual", "expected", "pooled", "low", "high")}
    lines = [
        paragraph(Markup("<strong>{}</strong>").format(
            t.html("report.focus.topic", topic=signal_name(t, signal, row["part"]))), "lede"),
        paragraph(t.html("report.focus.why_range", **values, basis=signal_basis(t, signal, row["n"]))),
    ]  # fmt: skip
    if row["money_at_stake"] > 0:
        lines.append(paragraph(t.html("report.focus.worth", amount=t.money(row["money_at_stake"])), "worth"))
    for name in ("question", "step"):
        if t.has(f"signals.{signal}.{name}"):
            lines.append(Markup("<h3>{}</h3>{}").format(
                t(f"report.focus.{name}"), paragraph(t(f"signals.{signal}.{name}"))
            ))  # fmt: skip
    lines += [behind.said(reading), _examples(reading, signal), behind.cause(reading), behind.plan(reading)]
    lines += [paragraph(t("report.focus.hypothesis"), "note"), paragraph(t("report.focus.unchanged"), "note")]
    return join(lines)


def _examples(reading: Reading, signal: str) -> Markup:
    t = reading.t
    rows = (
        reading["coaching_examples"].query("signal == @signal").sort_values(["kind", "rank"], ascending=[False, True])
    )
    known = reading["closed_deals"].set_index("opportunity_id")[["account_name", "closed_on", "won"]]
    rows = rows.join(known, on="opportunity_id")
    columns = []
    for kind, word in (("counter_example", "counter_examples"), ("example", "examples")):
        deals = rows[rows["kind"] == kind].to_dict("records")
        if deals:
            items = bullets(_example(t, signal, deal) for deal in deals)
            columns.append(Markup("<div><h3>{}</h3>{}</div>").format(t(f"report.focus.{word}"), items))
    if not columns:
        return paragraph(t("report.focus.no_examples"))
    return Markup('<div class="pair">{}</div>').format(join(reversed(columns)))


def _example(t: Translator, signal: str, deal: Mapping[Any, Any]) -> Markup:
    account, value = account_of(deal), example_value(t, signal, deal["value"])
    if pd.isna(deal["closed_on"]):
        return t.html("report.focus.example_plain", account=account, value=value)
    status = t("status.won" if deal["won"] else "status.lost")
    return t.html("report.focus.example_line", account=account, status=status, day=deal["closed_on"], value=value)


def detectable(reading: Reading) -> Markup:
    """Every signal with its range beside the expectation, and how large a difference the data could have shown."""
    t, findings, verdict = reading.t, ordered(reading["coaching_findings"]), verdict_of(reading)
    if findings.empty:
        return paragraph(t("report.detect.none"))
    closed = findings.loc[findings["signal"] == "win_rate", "n"]
    deals = signal_basis(t, "win_rate", closed.iloc[0] if len(closed) else 0)
    share = verdict["detectable"] if verdict else float("nan")
    said = (
        t.html("report.detect.nothing", deals=deals)
        if pd.isna(share)
        else t.html("report.detect.win_rate", deals=deals, share=t.percent(share))
    )
    return join([paragraph(said), _signals(t, findings)])


def _signals(t: Translator, findings: pd.DataFrame) -> Markup:
    from spm_models.charts.signals import signals_chart

    shown = findings.assign(
        name=[signal_name(t, *pair) for pair in zip(findings["signal"], findings["part"], strict=True)],
        basis=[signal_basis(t, *pair) for pair in zip(findings["signal"], findings["n"], strict=True)],
        reading=[t.name("verdicts", f"{verdict}.name") for verdict in findings["verdict"]],
    )
    for column in ("actual", "expected"):
        pairs = zip(findings["signal"], findings[column], strict=True)
        shown[column] = [signal_value(t, signal, value) for signal, value in pairs]
    spans = zip(findings["signal"], findings["low"], findings["high"], strict=True)
    shown["range"] = [t.range(signal_value(t, s, low), signal_value(t, s, high)) for s, low, high in spans]
    labels = {
        "name": "report.detect.signal", "actual": "coaching.actual", "expected": "coaching.expected",
        "range": "common.range80", "basis": "coaching.observations", "reading": "report.detect.verdict",
    }  # fmt: skip
    table = folded(t, shown, [Column(name, t(key)) for name, key in labels.items()], t("report.detect.chart"))
    marks = legend([("range", t("coaching.interval")), ("seen", t("coaching.actual")),
                    ("middle", t("coaching.expected"))])  # fmt: skip
    return chart(
        "signals", t("report.detect.chart"), t("report.detect.alt"),
        lambda width: signals_chart(t, findings, width=width), marks, table,
    )  # fmt: skip
