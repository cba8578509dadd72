"""Targets and goals in sentences, in the reader's language."""

from __future__ import annotations

import pandas as pd

from spm_models.translations import Translator, catalogue


def check_sentence(t: Translator, reason: str, found: str = "", instead: str = "") -> str:
    """What is to be said of one field of a goal, and what to write instead.

    Examples
    --------
    >>> check_sentence(Translator("en"), "no_due_day", instead="2026-06-30")
    'No due day. Write one, such as 2026-06-30.'
    """
    key = f"targets.checks.{reason}"
    values = {"found": found, "instead": instead}
    return t(key, **{name: values[name] for name in catalogue(t.locale)[key].placeholders})


def why_sentences(t: Translator, reasons: pd.DataFrame) -> list[str]:
    """The parts of one rep's target in sentences, in order; parts that are nothing are left out, the plan never.

    Parameters
    ----------
    t : Translator
    reasons : DataFrame
        Rows of ``target_reasons`` of one rep and period.

    Examples
    --------
    >>> rows = pd.DataFrame({"part": ["last_year", "plan"], "place": [0, 3], "value": [100.0, 20.0]})
    >>> why_sentences(Translator("en", currency="EUR"), rows)
    ['A year ago you won €100 in the same quarter.', "What the company's plan adds to that: €20."]
    """
    said = []
    for row in reasons.sort_values("place").to_dict("records"):
        part, value = str(row["part"]), float(row["value"])
        if value == 0 and part in ("territory", "market"):
            continue
        values = {"amount": t.money(value)}
        if part == "market":
            values["trend"] = t.percent(float(row["basis"]) - 1)
        said.append(t(f"targets.parts.{part}", **values))
    return said


def goal_table(t: Translator, goals: pd.DataFrame, checks: pd.DataFrame) -> pd.DataFrame:
    """Every field of every goal that can be put better, in words.

    Parameters
    ----------
    t : Translator
    goals, checks : DataFrame
        Published ``goals`` and ``goal_checks``.

    Returns
    -------
    DataFrame
        ``goal_id, key_result, field, verdict, sentence``.
    """
    rows = checks[checks["verdict"] != "ok"].merge(goals[["goal_id", "key_result"]], on="goal_id", how="left")
    rows = rows.fillna({"found": "", "instead": "", "key_result": ""})
    told = [check_sentence(t, *row) for row in rows[["reason", "found", "instead"]].itertuples(index=False)]
    return pd.DataFrame({
        "goal_id": rows["goal_id"], "key_result": rows["key_result"],
        "field": [t.name("targets.fields", field) for field in rows["field"]],
        "verdict": [t.name("targets.check_verdicts", verdict) for verdict in rows["verdict"]],
        "sentence": pd.Series(told, dtype="str"),
    })  # fmt: skip
