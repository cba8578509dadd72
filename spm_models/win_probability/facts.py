"""Which fact says best why a group of features speaks for or against a deal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from spm_models.win_probability.reasons import TypicalOfWon

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

#: Facts of each group of features, the one that says it best first.
FACTS: dict[str, tuple[str, ...]] = {
    "stage": ("stage_regressions", "stage"),
    "age": ("age_days",),
    "time_in_stage": ("days_in_stage",),
    "close_date": ("days_to_expected_close", "closes_this_quarter"),
    "pushes": ("push_count", "slip_days", "days_since_push"),
    "amount": ("amount_ratio", "amount_cuts", "amount", "amount_changes"),
    "price": ("discount", "price_ratio", "list_price"),
    "activity_recency": ("days_since_activity", "days_since_meeting"),
    "activity_volume": ("activities_30d", "activities_14d", "activity_trend", "activities"),
    "activity_mix": (
        "meetings", "meetings_30d", "demos", "proposals", "calls", "emails", "content_shared", "overdue_activities",
    ),
    "response": ("unanswered_touches", "days_since_answer", "objections", "next_steps"),
    "people": ("decision_makers", "contacts", "contact_roles", "contributors", "active_reps_30d"),
    "rep_history": (),
    "account_history": ("account_record", "days_since_account_won"),
    "product": ("family", "term_months"),
    "segment": ("customer", "segment", "industry"),
    "territory": ("place", "territory", "region"),
    "tenure": ("rep_tenure_days",),
    "season": ("days_to_quarter_end",),
    "ownership": ("owner_changes",),
}  # fmt: skip
#: What more of it is commonly taken to mean: +1 speaks for a win, -1 against. Of all others, being like won deals
#: speaks for and being unlike them against.
MEANING: dict[str, int] = {
    "stage_regressions": -1, "age_days": -1, "days_in_stage": -1, "push_count": -1, "slip_days": -1,
    "days_since_push": 1, "amount_ratio": 1, "amount_cuts": -1, "days_since_activity": -1, "days_since_meeting": -1,
    "activities_30d": 1, "activities_14d": 1, "activity_trend": 1, "activities": 1, "meetings": 1, "meetings_30d": 1,
    "demos": 1, "proposals": 1, "calls": 1, "emails": 1, "content_shared": 1, "overdue_activities": -1,
    "unanswered_touches": -1, "days_since_answer": -1, "decision_makers": 1, "contacts": 1, "contact_roles": 1,
    "contributors": 1, "active_reps_30d": 1, "objections": -1, "next_steps": 1,
    "owner_changes": -1, "rep_tenure_days": 1, "days_since_account_won": -1,
}  # fmt: skip
#: Compared with none at all where nothing is known of won deals.
COUNTED = frozenset({
    "stage_regressions", "push_count", "slip_days", "amount_changes", "amount_cuts", "activities_30d",
    "activities_14d", "activity_trend", "activities", "meetings", "meetings_30d", "demos", "proposals", "calls",
    "emails", "content_shared", "overdue_activities", "unanswered_touches", "decision_makers", "contacts",
    "contact_roles", "contributors", "active_reps_30d", "objections", "next_steps", "owner_changes",
})  # fmt: skip
#: Worth a word only where it differs from this.
USUAL = {"stage_regressions": 0.0, "amount_ratio": 1.0, "amount_cuts": 0.0, "amount_changes": 0.0, "discount": 0.0}
_TOGETHER = {"customer": ("segment", "industry"), "place": ("region", "territory")}
ALIKE = 0.2  #: a value within 20 % of the typical one is like it


def best_facts(
    group: str,
    facts: pd.DataFrame,
    contribution: Floats,
    typical: TypicalOfWon | None = None,
    *,
    rows: npt.NDArray[np.intp] | None = None,
) -> pd.DataFrame:
    """The fact of each deal that says a group's contribution best.

    Parameters
    ----------
    group : str
        Group of features; a group without entry in :data:`FACTS` is its own fact.
    facts : DataFrame, shape (deals, …)
        Values of all columns that can be told.
    contribution : ndarray, shape (deals,)
        The group's contribution in log-odds; only its sign counts here.
    typical : TypicalOfWon, optional
        What won deals show.
    rows : ndarray of int, optional
        Places of the deals that are asked for; all of them without it.

    Returns
    -------
    DataFrame
        ``fact`` (column), ``value`` and ``typical`` (texts; empty: unknown, or not worth comparing), one row a deal
        that was asked for.
        Where every known fact would speak against the contribution, all three are empty: the group as a whole is then
        all that can be said honestly.

    Examples
    --------
    >>> deals = pd.DataFrame({"push_count": [0.0, 2.0]})
    >>> best_facts("pushes", deals, np.array([0.3, 0.3])).values.tolist()
    [['push_count', '0', ''], ['', '', '']]

    See Also
    --------
    with_derived : facts that stand in two columns.
    """
    columns = [column for column in FACTS.get(group, (group,)) if column in facts]
    if rows is not None:
        needed = dict.fromkeys([*columns, *(name for name in ("stage", "kind") if name in facts)])
        facts, contribution = facts[list(needed)].iloc[rows], contribution[rows]
    told = pd.DataFrame("", index=range(len(facts)), columns=["fact", "value", "typical"], dtype=object)
    found, compared = np.zeros(len(facts), dtype=bool), np.zeros(len(facts), dtype=bool)
    for column in columns:
        value = facts[column]
        usual = _usual(facts, column, value, typical)
        says, beside = _agreement(column, value, usual, contribution)
        take = says & ((beside & ~compared) | ~found)
        _say(
            told,
            take,
            column,
            as_text(value[take]),
            as_text(pd.Series(np.where(beside, _rounded(usual), np.nan)[take])),
        )
        found, compared = found | take, np.where(take, beside, compared)
    main = next((column for column in columns if column not in USUAL), "")
    _say(told, facts[columns].isna().all(axis=1).to_numpy() & bool(main), main)
    return told


def with_derived(facts: pd.DataFrame) -> pd.DataFrame:
    """Add what is told in one word but stands in several columns.

    ``account_record`` is deals won of those decided with the account, as ``2/5``, and ``first/0`` for an account
    with no other deal at all. ``customer`` is segment and industry, ``place`` region and territory: columns that make
    one contribution are told together, for nothing says which of them made it.
    """
    found = {name: _together(facts, *pair) for name, pair in _TOGETHER.items() if set(pair) <= set(facts)}
    if {"account_won", "account_lost"} <= set(facts):
        found["account_record"] = _account_record(facts)
    return facts.assign(**found)


def _together(facts: pd.DataFrame, first: str, second: str) -> pd.Series:
    known = facts[first].notna() & facts[second].notna() & (facts[first] != facts[second])
    return (as_text(facts[first]) + " / " + as_text(facts[second])).where(known).astype("str")


def _account_record(facts: pd.DataFrame) -> pd.Series:
    won, lost = (facts[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in ("account_won", "account_lost"))
    others = facts["account_open_deals"].to_numpy(dtype=np.float64) if "account_open_deals" in facts else np.nan
    text = np.char.add(np.char.add(_whole(won), "/"), _whole(won + lost)).astype(object)
    text = np.where((won + lost == 0) & (others == 0), "first/0", text)
    return pd.Series(text, index=facts.index).where(np.isfinite(won + lost)).astype("str")


def _whole(numbers: Floats) -> npt.NDArray[np.str_]:
    return np.nan_to_num(numbers).astype(np.int64).astype(np.str_)


def _say(
    told: pd.DataFrame, where: Flags, fact: str, value: pd.Series | str = "", typical: pd.Series | str = ""
) -> None:
    """Write what is told of the flagged deals; the texts have one entry for each of them."""
    for name, text in (("fact", fact), ("value", value), ("typical", typical)):
        words = told[name].to_numpy(dtype=object, copy=True)
        words[where] = text.to_numpy(dtype=object) if isinstance(text, pd.Series) else text
        told[name] = words


def _usual(facts: pd.DataFrame, column: str, value: pd.Series, typical: TypicalOfWon | None) -> Floats:
    if typical is None or not _countable(value):
        return np.full(len(facts), np.nan)
    return np.asarray(typical.of(facts, column), dtype=np.float64)


def _agreement(column: str, value: pd.Series, usual: Floats, contribution: Floats) -> tuple[Flags, Flags]:
    """Whether a fact may be said for each deal, and whether the comparison may stand beside it."""
    if column == "account_record":
        return _record_agrees(value, contribution), np.zeros(len(value), dtype=bool)
    if not _countable(value):
        return (as_text(value) != "").to_numpy(dtype=bool), np.zeros(len(value), dtype=bool)
    number = value.to_numpy(dtype=np.float64, na_value=np.nan)
    known, comparable = np.isfinite(number), np.isfinite(number) & np.isfinite(usual)
    gap = number - np.where(np.isfinite(usual), usual, 0.0)
    alike = comparable & (np.abs(gap) <= ALIKE * np.maximum(np.abs(usual), 0.5))
    direction, side = MEANING.get(column, 0), np.sign(contribution)
    meant = np.where(alike, 1.0, direction * np.sign(gap) if direction else -1.0)
    agrees = comparable & (meant * side >= 0)
    plain = ~comparable | alike  # nothing to compare with, or no difference: the fact alone
    if direction and column in COUNTED:
        plain &= np.where(number == 0, -direction, direction * np.sign(number)) * side >= 0
    elif direction:
        plain &= ~comparable
    if column in USUAL:
        known &= ~np.isclose(number, USUAL[column], atol=0.05)
    return known & (agrees | plain | (direction == 0)), agrees & ~(alike & (number == 0))


def _record_agrees(record: pd.Series, contribution: Floats) -> Flags:
    """All won must not speak against, none won must not speak for; a first deal may do either."""
    won, closed = (pd.to_numeric(record.str.split("/").str[part], errors="coerce") for part in (0, 1))
    odd = (closed > 0) & (((won == closed) & (contribution < 0)) | ((won == 0) & (contribution > 0)))
    return (record.notna() & ~odd).to_numpy(dtype=bool)


def _countable(value: pd.Series) -> bool:
    return bool(pd.api.types.is_numeric_dtype(value) and not pd.api.types.is_bool_dtype(value))


def _rounded(values: Floats) -> Floats:
    """Three digits that matter: medians are not known better."""
    size = np.floor(np.log10(np.maximum(np.abs(np.nan_to_num(values)), 1e-9)))
    step = 10.0 ** np.clip(size - 2, -2, None)
    return np.asarray(np.round(values / step) * step)


def as_text(column: pd.Series) -> pd.Series:
    """Short text without noise: 12 rather than 12.0, days without midnight, empty for unknown."""
    if pd.api.types.is_float_dtype(column):
        words = column.map(lambda number: f"{number:.10g}", na_action="ignore")
    elif pd.api.types.is_datetime64_any_dtype(column):
        words = column.dt.strftime("%Y-%m-%d")
    else:
        words = column.astype("str")
    return words.astype(object).where(column.notna(), "")
