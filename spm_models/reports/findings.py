"""What the coaching review says to a rep: what went well, and what the data could show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.reports.export import Column
from spm_models.reports.others import thanks
from spm_models.reports.parts import bullets, chart, folded, join, legend, paragraph
from spm_models.reports.reading import Reading
from spm_models.reports.words import account_of, signal_basis, signal_name, signal_value
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
