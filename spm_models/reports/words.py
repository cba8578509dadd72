"""Codes and numbers of published results in a reader's words: signals, next steps. Reasons are in ``why``."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from spm_models.translations import Translator

SILENT_DAYS = 21  #: without contact for so long, a deal deserves a word
MANY_PUSHES = 3
SOON_DAYS = 21

_SIGNALS: dict[str, tuple[Callable[[Translator, float], str], str]] = {
    "win_rate": (lambda t, value: t.percent(value), "common.closed_deals"),
    "activity": (lambda t, value: t("units.per_week", value=t.number(value, 1)), "common.workdays"),
    "pipeline_creation": (lambda t, value: t("units.per_month", value=t.number(value, 1)), "common.workdays"),
    "cycle": (lambda t, value: t("common.days", n=round(value)), "common.closed_deals"),
    "stage_conversion": (lambda t, value: t.percent(value), "common.deals"),
    "follow_up": (lambda t, value: t.percent(value), "common.closed_deals"),
    "focus": (lambda t, value: t.percent(value), "common.closed_deals"),
    "price_kept": (lambda t, value: t.percent(value), "common.won_deals"),
    "deal_size": (lambda t, value: t.money(value), "common.won_deals"),
    "trend": (lambda t, value: t.percent(value), "common.workdays"),
    "attainment": (lambda t, value: t.percent(value), "common.won_deals"),
    "coverage": (lambda t, value: t.number(value, 1), "common.open_deals"),
}


def signal_value(t: Translator, signal: str, value: float) -> str:
    """A signal's value in its unit; a dash where there is none."""
    if value != value:
        return t.number(None)
    return _SIGNALS[signal][0](t, float(value)) if signal in _SIGNALS else t.number(value, 2)


def signal_basis(t: Translator, signal: str, n: float) -> str:
    """What a signal rests on, such as the number of closed deals."""
    count = 0 if n != n else round(n)
    return t(_SIGNALS[signal][1], n=count) if signal in _SIGNALS else t.number(count)


def signal_name(t: Translator, signal: str, part: str = "") -> str:
    """A signal's name, with the stage that it is about.

    Examples
    --------
    >>> signal_name(Translator("en"), "stage_conversion", "Proposal")
    'Stage conversion (Proposal)'
    """
    name = t.name("signals", f"{signal}.name")
    return f"{name} ({t.name('stages', part)})" if part else name


def topic_of(t: Translator, verdict: Mapping[Any, Any]) -> str:
    """The name of a rep's topic."""
    part = verdict["topic_part"]
    return signal_name(t, verdict["topic"], part if isinstance(part, str) else "")


def example_value(t: Translator, signal: str, value: float) -> str:
    """What a deal of an example shows, in the unit in which the signal looks at deals."""
    if value != value:
        return t("deal.no_amount")
    if signal in ("cycle", "follow_up"):
        return t("common.days", n=round(value))
    if signal == "price_kept":
        return t.percent(value)
    if signal == "focus":
        return t("units.per_week", value=t.number(value, 1))
    return t("common.activities", n=round(value)) if signal in ("activity", "trend") else t.compact_money(value)


def attention(deal: Mapping[Any, Any]) -> str:
    """Why an open deal deserves a word now: overdue, undated, silent, pushed, unpriced; empty when nothing does."""
    due, as_of = deal["expected_close_on"], deal["as_of"]
    if not pd.isna(due) and due < as_of:
        return "overdue"
    if not pd.isna(deal["days_since_activity"]) and deal["days_since_activity"] >= SILENT_DAYS:
        return "silent"
    if not pd.isna(deal["push_count"]) and deal["push_count"] >= MANY_PUSHES:
        return "pushed"
    return "undated" if pd.isna(due) else "unpriced" if pd.isna(deal["amount"]) else ""


def next_step(t: Translator, deal: Mapping[Any, Any]) -> str:
    """A possible next step for an open deal, from what the data show of it."""
    why = attention(deal)
    if why == "silent":
        return t("report.deals.silent", days=t("common.days", n=round(deal["days_since_activity"])))
    days = math.nan if pd.isna(deal["expected_close_on"]) else (deal["expected_close_on"] - deal["as_of"]).days
    if not why and days <= SOON_DAYS:
        return t("report.deals.soon", days=t("common.days", n=int(days)))
    return t(f"report.deals.{why or 'steady'}")


def account_of(deal: Mapping[Any, Any]) -> str:
    """What a deal is called: its account's name, else its own identifier."""
    name = deal.get("account_name")
    return name if isinstance(name, str) and name.strip() else str(deal["opportunity_id"])


def pinned_words(t: Translator, parameters: Mapping[str, Any]) -> str:
    """That win probabilities come from an older model that somebody went back to; empty where they do not.

    Examples
    --------
    >>> pinned_words(Translator("en"), {"models": {}})
    ''
    >>> pinned_words(Translator("en"), {"models": {"win_probability": {"version": 3, "as_of": "2026-03-31"}}})[:55]
    'Win probabilities come from model version 3, learned fr'
    """
    pinned = parameters.get("models", {}).get("win_probability")
    if not pinned:
        return ""
    return t("page.how.pinned", version=str(pinned["version"]), day=date.fromisoformat(pinned["as_of"]))


def chance_words(t: Translator, probability: float) -> str:
    """A probability as a percentage that never claims certainty.

    Examples
    --------
    >>> [chance_words(Translator("en"), p) for p in (0.9995, 0.62, 0.001)]
    ['> 99%', '62%', '< 1%']
    """
    if probability > 0.99:
        return f"> {t.percent(0.99)}"
    return f"< {t.percent(0.01)}" if probability < 0.01 else t.percent(probability)
