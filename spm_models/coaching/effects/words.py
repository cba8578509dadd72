"""What the effect of coaching says in words."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from spm_models.translations import Translator, catalogue

_COUNTED = ("activity", "pipeline_creation")  # everything else is a share


def effect_sentence(t: Translator, row: Mapping[Hashable, Any]) -> str:
    """One row of ``coaching_effects`` as a sentence.

    Examples
    --------
    >>> row = {"skill": "value", "kind": "all", "outcome": "win_rate", "verdict": "no_effect_seen", "effect": 0.01,
    ...        "low": -0.03, "high": 0.05, "level": 0.9, "detectable": 0.06, "placebo": 0.0, "reps": 9, "controls": 31}
    >>> effect_sentence(Translator("en"), row)
    'Value proposition: no effect on win rate was seen; an effect smaller than 6.0 points could not have been seen.'
    """
    outcome = str(row["outcome"])
    amounts = {
        name: measure(t, outcome, row[name], signed=name in ("low", "high", "placebo"), size=name == "effect")
        for name in ("effect", "low", "high", "placebo", "detectable")
    }
    values = amounts | {
        "what": what(t, row), "outcome": t.name("effects.outcomes", outcome), "share": t.percent(row["level"]),
        "reps": t.number(int(row["reps"])), "controls": t.number(int(row["controls"])),
    }  # fmt: skip
    key = f"effects.{row['verdict']}"
    return t(key, **{name: value for name, value in values.items() if name in catalogue(t.locale)[key].placeholders})


def naive_sentence(t: Translator, row: Mapping[Hashable, Any]) -> str:
    """What before and after alone would have said, and how those moved who were not coached."""
    outcome = str(row["outcome"])
    return t(
        "effects.naive", naive=measure(t, outcome, row["naive"]), uncoached=measure(t, outcome, row["uncoached"])
    )  # fmt: skip


def what(t: Translator, row: Mapping[Hashable, Any]) -> str:
    """Name of a skill and kind of coaching; the company's own words stay as they are."""
    skill, kind = str(row["skill"]), str(row["kind"])
    if skill == "all" and kind == "all":
        return f"{t('effects.all_skills')} · {t('effects.all_kinds')}"
    names = [t.name("effects.skills", skill)] if skill != "all" else []
    return " · ".join(names + ([t.name("effects.kinds", kind)] if kind != "all" else []))


def measure(t: Translator, outcome: str, value: Any, *, signed: bool = True, size: bool = False) -> str:
    """A difference in the outcome's unit: points of a share, contacts a week, deals a month."""
    if value is None or value != value:
        return t.number(None)
    value = abs(value) if size else value
    if outcome in _COUNTED:
        return t(f"effects.units.{outcome}", value=t.number(value, 1, signed=signed))
    return t("effects.units.share", value=t.number(100 * value, 1, signed=signed))
