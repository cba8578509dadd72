"""Reasons of a win probability as sentences: the fact, what won deals show, and the points it makes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.translations import Translator
from spm_models.translations.locales import Clause, Formatted, facts

START, OTHERS = "typical_deal", "other"  #: where all deals start, and the sum of what is small
OWN = "field_"  #: a column that only this company has
#: How the value of each fact reads; what is not here is told by its group's name.
KINDS: dict[str, str] = {
    **dict.fromkeys(
        ("age_days", "days_in_stage", "days_since_activity", "days_since_meeting", "days_since_answer",
         "days_since_push", "days_since_account_won", "days_to_expected_close", "days_to_quarter_end", "slip_days",
         "rep_tenure_days", "stage_regressions", "push_count", "amount_cuts", "amount_changes", "activities",
         "activities_14d", "activities_30d", "calls", "meetings", "meetings_30d", "emails", "demos", "proposals",
         "content_shared", "overdue_activities", "unanswered_touches", "decision_makers", "contacts", "contact_roles",
         "contributors", "active_reps_30d", "objections", "next_steps", "term_months", "owner_changes"), "count"),
    **dict.fromkeys(
        ("stage", "family", "competitor", "segment", "industry", "customer", "region", "territory",
         "place"), "text"),
    "amount": "money", "list_price": "money", "price_ratio": "percent", "discount": "percent",
    "kind": "kinds", "source": "sources", "forecast_category": "categories", "amount_ratio": "ratio",
    "account_record": "record", "closes_this_quarter": "sign", "activity_trend": "sign",
}  # fmt: skip
#: Facts compared in words ("twice as long as won deals"); the others are told beside the usual value.
_IN_WORDS = {
    **dict.fromkeys(
        ("age_days", "days_in_stage", "days_since_activity", "days_since_meeting", "days_since_answer",
         "rep_tenure_days"), "long"),
    "amount": "large", "list_price": "large",
}  # fmt: skip
_RATIOS = (
    (0.4, "less_than_half"), (0.6, "half"), (0.8, "less"), (1.25, "about"), (1.75, "more"), (2.5, "twice"),
    (3.5, "thrice"),
)  # fmt: skip
_UNCOMPARED = frozenset(
    {"days_since_push", "days_since_account_won", "slip_days", "activity_trend", "closes_this_quarter", "amount_ratio"}
)
#: Things that happen to a deal: counted in times.
_EVENTS = frozenset({
    "stage_regressions", "push_count", "amount_cuts", "amount_changes", "owner_changes", "next_steps"
})  # fmt: skip
_UNITS = {"age_days": "common.days", "term_months": "common.months"} | dict.fromkeys(_EVENTS, "compare.times")
ALIKE = 0.2  #: a count within 20 % of the usual one is like it
#: Values that most companies name alike, by groups of the catalogue; every other word stays as the company wrote it.
_NAMED = {"segment": ("segments",), "industry": ("industries",), "customer": ("segments", "industries")}
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_CODE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


@dataclass(frozen=True)
class Reason:
    """One row of ``deal_reasons``."""

    feature: str
    fact: str = ""
    value: str = ""
    typical: str = ""
    contribution: float = 0.0
    points: float = 0.0

    @classmethod
    def of(cls, row: Mapping[Any, Any]) -> Reason:
        """From a row; empty cells become empty text."""
        words = {name: "" if pd.isna(row[name]) else str(row[name]) for name in ("feature", "fact", "value", "typical")}
        return cls(**words, contribution=float(row["contribution"]), points=float(row["points"]))


def sentence(t: Translator, reason: Reason, *, at_stage: bool = True) -> str:
    """One reason as a sentence.

    Parameters
    ----------
    t : Translator
    reason : Reason
    at_stage : bool
        Whether won deals were looked at stage by stage.

    Examples
    --------
    >>> t = Translator("en", currency="EUR")
    >>> sentence(t, Reason("activity_recency", "days_since_activity", "24", "12", -0.5, -0.11))
    'Quiet for 24 days, twice as long as won deals at this stage: −11 points'
    >>> sentence(t, Reason("source", "source", "Referral", "", 0.2, 0.04))
    'Source Referral, won more often than similar deals: +4 points'
    >>> sentence(t, Reason("pushes", "", "", "", -0.2, -0.03))
    'Changes of the close date overall: −3 points'
    """
    said = Clause(clause(t, reason, at_stage=at_stage))
    size = t.percent(reason.points) if reason.feature == START else Clause(points(t, reason.points))
    return t("common.list_of", label=said, value=size)


def sentence_html(t: Translator, reason: Reason, *, at_stage: bool = True) -> Markup:
    """The sentence with its points in bold; what comes from data is escaped."""
    return Markup("{}: <b>{}</b>").format(clause(t, reason, at_stage=at_stage), points(t, reason.points))


def clause(t: Translator, reason: Reason, *, at_stage: bool = True) -> str:
    """The sentence without its points."""
    recent = reason.contribution > 0
    fact = fact_words(t, reason.fact, reason.value, recent=recent)
    if not fact:
        name = f"reasons.names.{reason.feature}"
        group = Clause(t(name if t.has(name) else "reasons.names.other"))
        return group if reason.feature in (START, OTHERS) else t("reasons.whole", name=group)
    comparison = compared(t, reason.fact, reason.value, reason.typical, at_stage=at_stage, recent=recent)
    if comparison:
        return t("reasons.compared", fact=Clause(fact), comparison=Clause(comparison))
    if _explains_itself(reason):
        return fact
    side = "for" if reason.contribution >= 0 else "against"
    own = f"facts.{reason.fact}.{side}"
    meaning = t(own) if t.has(own) else t(f"reasons.{side}")
    return t("reasons.compared", fact=Clause(fact), comparison=Clause(meaning))


def _explains_itself(reason: Reason) -> bool:
    """Whether everybody knows what a fact means for a deal: silence, pushes, meetings do, a source does not."""
    kind = KINDS.get(reason.fact, "")
    if not reason.value or kind == "ratio" or reason.fact == "activity_trend":
        return True
    if kind == "record":
        return not reason.value.endswith("/0")
    return kind == "count" and reason.fact not in ("days_to_quarter_end", "term_months", "days_to_expected_close")


def fact_words(t: Translator, fact: str, value: str, *, recent: bool = False) -> str:
    """A fact about a deal, empty where it has no words; ``recent``: a time since is told as good news.

    Examples
    --------
    >>> [fact_words(Translator("en"), "push_count", value) for value in ("0", "1", "3")]
    ['Close date never pushed', 'Close date pushed once', 'Close date pushed 3 times']
    >>> fact_words(Translator("en"), "field_lead_grade", "A"), fact_words(Translator("en"), "rep_id_past", "0.2")
    ('Lead grade: A', '')
    """
    if fact.startswith(OWN):
        label = _spaced(fact.removeprefix(OWN))
        return t("common.list_of", label=_capital(t, label), value=_own_value(t, value))
    kind = KINDS.get(fact, "")
    if not kind:
        return ""
    if not value:
        return t(f"facts.{fact}.missing") if t.has(f"facts.{fact}.missing") else ""
    if recent and t.has(f"facts.{fact}.recent") and round(float(value)) > 0:
        return t(f"facts.{fact}.recent", n=round(float(value)))
    said = _WORDS[kind](t, fact, value)
    return said[:1].upper() + said[1:]


def compared(
    t: Translator, fact: str, value: str, typical: str, *, at_stage: bool = True, recent: bool = False
) -> str:  # fmt: skip
    """What won deals show beside a fact, empty where nothing is known or worth saying.

    Examples
    --------
    >>> t = Translator("en", currency="EUR")
    >>> compared(t, "days_in_stage", "12", "24"), compared(t, "meetings", "2", "4", at_stage=False)
    ('half as long as won deals', 'usually 4 in won deals')
    """
    here, usual = _number(value), _number(typical)
    if math.isnan(here) or math.isnan(usual) or fact in _UNCOMPARED:
        return ""
    stage = "_at_stage" if at_stage and fact != "days_in_stage" else ""  # that fact says it already
    dimension = "" if recent and t.has(f"facts.{fact}.recent") else _IN_WORDS.get(fact)
    if dimension and usual >= 1 and here > 0:
        size = next((word for limit, word in _RATIOS if here / usual < limit), "many_times")
        return t(f"compare.{dimension}.{size}", won=Clause(t(f"compare.won{stage}")))
    if abs(here - usual) <= ALIKE * max(abs(usual), 0.5):
        return t(f"compare.alike{stage}") if here else ""
    if KINDS.get(fact) == "count" and round(usual) == round(here):
        return ""
    if round(usual) == 0 and KINDS.get(fact) == "count" and not fact.startswith("days_"):
        return t(f"compare.{'never' if fact in _EVENTS else 'none'}{stage}")
    return t(f"compare.usual{stage}", value=_usual(t, fact, usual))


def points(t: Translator, share: float, *, least: int = 1) -> str:
    """Percentage points with their sign and a real minus.

    Examples
    --------
    >>> points(Translator("en"), -0.112), points(Translator("tr"), 0.011), points(Translator("en"), 0.001)
    ('−11 points', '+1 puan', '+1 point')
    """
    n = max(least, math.floor(abs(share) * 100 + 0.5))
    sign = facts(t.locale).minus.replace("-", "−" if share < 0 else "+") if n else ""
    return t("common.points", n=n, value=Formatted(sign + t.number(n)))


def _usual(t: Translator, fact: str, usual: float) -> str:
    kind = KINDS.get(fact, "number")
    if kind == "money":
        return t.money(usual)
    if kind == "percent":
        return t.percent(usual)
    if fact in _UNITS or fact.startswith("days_"):
        return Clause(t(_UNITS.get(fact, "common.days"), n=round(usual)))
    return t.number(round(usual) if kind == "count" or usual == round(usual) else usual)


def _spaced(code: str) -> str:
    """A code such as existing_customer in words; text that people wrote stays as it is."""
    return " / ".join(part.replace("_", " ") if _CODE.fullmatch(part) else part for part in code.split(" / "))


def _named(t: Translator, fact: str, value: str) -> str:
    """Each part of a value such as small / food in the reader's words, where the catalogue has any."""
    keys = [[f"{group}.{part}" for group in _NAMED.get(fact, ())] for part in value.split(" / ")]
    named = [next((t(key) for key in of if t.has(key)), "") for of in keys]
    return " / ".join(word or _spaced(part) for word, part in zip(named, value.split(" / "), strict=True))


def _capital(t: Translator, label: str) -> str:
    first = "İ" if t.locale == "tr" and label[:1] == "i" else label[:1].upper()
    return first + label[1:]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _count(t: Translator, fact: str, value: str) -> str:
    n = round(float(value))
    if n == 0 and t.has(f"facts.{fact}.zero"):
        return t(f"facts.{fact}.zero")
    if n < 0 and t.has(f"facts.{fact}.below"):
        return t(f"facts.{fact}.below", n=-n)
    return t(f"facts.{fact}.said", n=n)


def _ratio(t: Translator, fact: str, value: str) -> str:
    share = float(value)
    if 0.45 <= share <= 0.55 or 1.9 <= share <= 2.1:
        return t(f"facts.{fact}.half") if share < 1 else t(f"facts.{fact}.twice")
    return t(f"facts.{fact}.{'said' if share > 1 else 'below'}", value=t.percent(share))


def _sign(t: Translator, fact: str, value: str) -> str:
    number = float(value)
    below = number < 0 and t.has(f"facts.{fact}.below")
    return t(f"facts.{fact}.{'said' if number > 0 else 'below' if below else 'zero'}")


def _record(t: Translator, fact: str, value: str) -> str:
    won, closed = value.split("/")
    if closed == "0":
        return t(f"facts.{fact}.{'first' if won == 'first' else 'zero'}")
    return t(f"facts.{fact}.said", won=t.number(int(won)), closed=t.number(int(closed)))


def _own_value(t: Translator, value: str) -> str:
    """Value of a company's own column: yes and no, a day, a number, or words."""
    if not value:
        return t("common.unknown")
    if value in ("True", "False"):
        return t("common.yes" if value == "True" else "common.no")
    if _DAY.fullmatch(value):
        return t.day(date.fromisoformat(value))
    number = _number(value)
    return _spaced(value) if math.isnan(number) or math.isinf(number) else t.number(number)


_WORDS: dict[str, Callable[[Translator, str, str], str]] = {
    "count": _count,
    "text": lambda t, fact, value: t(f"facts.{fact}.said", value=_named(t, fact, value)),
    "sources": lambda t, fact, value: (
        t(f"sources.{value}") if t.has(f"sources.{value}") else t(f"facts.{fact}.said", value=_spaced(value))
    ),
    "money": lambda t, fact, value: t(f"facts.{fact}.said", value=t.money(float(value))),
    "percent": lambda t, fact, value: t(f"facts.{fact}.said", value=t.percent(float(value))),
    "kinds": lambda t, fact, value: (
        t(f"kinds.{value}") if t.has(f"kinds.{value}") else t(f"facts.{fact}.said", value=value)
    ),
    "categories": lambda t, fact, value: t(f"facts.{fact}.said", value=t.name("categories", value)),
    "ratio": _ratio,
    "sign": _sign,
    "record": _record,
}
