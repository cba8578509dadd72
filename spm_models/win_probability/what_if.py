"""What would the score be if the deal stood otherwise? The same model, asked about a changed row of the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from numbers import Integral, Real
from typing import Any, Protocol

import numpy as np
import pandas as pd

from spm_models.errors import ModelError
from spm_models.snapshots.schema import PIPELINE
from spm_models.win_probability.reasons import OTHERS
from spm_models.win_probability.result import DealScores

#: Inputs that may be varied, and what each means. Nobody can change a deal's age, its history or its customer.
VARIABLE: dict[str, str] = {
    "stage": "another open stage",
    "amount": "another amount, in the company's currency",
    "expected_close_on": "another expected close date",
    "more_meetings": "so many meetings with the buyer on the day itself",
    "more_demos": "so many demos",
    "more_calls": "so many calls that were answered",
    "more_emails": "so many e-mails that were answered",
    "more_contacts": "so many more people known on the buyer's side",
}
CAUTION = (
    "Deals of the past that looked like this were won about so often. That is association, not cause: a meeting held "
    "to please the model, or a date moved by wish, does not make the deal such a deal."
)
#: Where no model is published, most inputs move nothing.
_PLAIN = {
    "base_rate": "The win rate of all deals is published: it looks at nothing about this deal, so no change moves it.",
    "stage_rate": "The win rate of the stage is published: it looks at the stage and nothing else.",
    "rep_rate": "The win rate of the owner is published: it looks at nothing that can be varied.",
    "not_enough_data": "Too few deals have been decided for any probability.",
}
MOST = 20  #: more touches, or people, in one step than this are a slip of the keyboard
FARTHEST = 5 * 366  #: days ahead that a close date may lie
_TOUCHES = {"more_meetings": "meetings", "more_demos": "demos", "more_calls": "calls", "more_emails": "emails"}
Changes = dict[str, Any]


class Scores(Protocol):
    """A fitted model of win probability."""

    def predict(self, open_deals: pd.DataFrame) -> DealScores:
        """Score deals of a pipeline snapshot."""


@dataclass(frozen=True, eq=False)
class WhatIf:
    """A deal as it is and as it might be, both scored by the same model.

    Parameters
    ----------
    asked : dict
        The changes that were asked for.
    row, changed : DataFrame, shape (1, …)
        The pipeline row as it is, and with the changes and all that follows from them.
    before, after : DealScores
        What the model says about both.
    """

    asked: Changes
    row: pd.DataFrame
    changed: pd.DataFrame
    before: DealScores
    after: DealScores

    @property
    def difference(self) -> float:
        """Change of the win probability; NaN where the deal has none."""
        return self._probability(self.after) - self._probability(self.before)

    @property
    def scores(self) -> pd.DataFrame:
        """Probability and its 80 % interval, before and after."""
        columns = ["win_probability", "low", "high", "scored_by"]
        both = pd.concat([self.before.table[columns], self.after.table[columns]], ignore_index=True)
        both.insert(0, "deal", ["as it is", "what if"])
        return both

    @property
    def inputs(self) -> pd.DataFrame:
        """Every column of the snapshot that differs: ``column``, ``before`` and ``after`` as text."""
        rows = [
            (name, _said(self.row[name].iloc[0]), _said(self.changed[name].iloc[0]))
            for name in self.row.columns
            if not _same(self.row[name].iloc[0], self.changed[name].iloc[0])
        ]
        return pd.DataFrame(rows, columns=["column", "before", "after"], dtype="str")

    @property
    def table(self) -> pd.DataFrame:
        """Reasons before and after, by group, the largest change first.

        ``before``, ``after`` and ``difference`` are log-odds, ``points`` the change of the probability. Reasons that
        are named on one side only, and the small ones, are summed up as ``other``: each column adds up exactly.
        """
        sides = [
            scores.reasons.set_index("feature")[["contribution", "points"]] for scores in (self.before, self.after)
        ]
        named = sides[0].index.intersection(sides[1].index).difference([OTHERS], sort=False)
        rows = [_other(side, named) for side in sides]
        found = pd.DataFrame({
            "before": rows[0]["contribution"], "after": rows[1]["contribution"],
            "difference": rows[1]["contribution"] - rows[0]["contribution"],
            "points": rows[1]["points"] - rows[0]["points"],
        })  # fmt: skip
        found = found.rename_axis("feature").reset_index()
        order = found["difference"].abs().sort_values(ascending=False, kind="stable").index
        return found.loc[order].reset_index(drop=True)

    @property
    def reasons(self) -> pd.DataFrame:
        """Reasons of the changed deal, as :attr:`DealScores.reasons` has them."""
        return self.after.reasons

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the reader must know: the caution, and what a plain rate does not look at."""
        method = str(self.after.table["scored_by"].iloc[0])
        return (_PLAIN[method], CAUTION) if method in _PLAIN else (CAUTION,)

    def __repr__(self) -> str:
        before, after = self._probability(self.before), self._probability(self.after)
        asked = ", ".join(f"{name}={_said(value)}" for name, value in self.asked.items()) or "nothing changed"
        head = f"{self.row['opportunity_id'].iloc[0]}: {before:.0%} as it is, {after:.0%} with {asked}."
        return " ".join([head, *self.remarks])

    def _repr_html_(self) -> str:
        said = " ".join(self.remarks)
        head = repr(self).removesuffix(f" {said}")
        inputs = "; ".join(f"{row.column}: {row.before} → {row.after}" for row in self.inputs.itertuples())
        return f"<p><b>{escape(head)}</b></p><p>{escape(inputs)}</p><p><i>{escape(said)}</i></p>"

    @staticmethod
    def _probability(scores: DealScores) -> float:
        return float(scores.table["win_probability"].iloc[0])


def what_if(model: Scores, deal_row: pd.DataFrame, *, stages: Sequence[str] = (), **changes: Any) -> WhatIf:
    """Score a deal as it is and as it might be.

    Parameters
    ----------
    model : WinProbability
        Fitted; neither it nor anything that is stored is changed.
    deal_row : DataFrame, shape (1, …)
        A row of a pipeline snapshot.
    stages : sequence of str
        Open stages in their order (``tables.stages``); needed to change the stage.
    **changes
        Any of :data:`VARIABLE`: ``stage``, ``amount``, ``expected_close_on``, ``more_meetings``, ``more_demos``,
        ``more_calls``, ``more_emails``, ``more_contacts``.

    Returns
    -------
    WhatIf

    Raises
    ------
    ModelError
        For an input that may not be varied, a value that cannot be (a close date in the past, a negative amount, a
        closed stage), or an input that the source does not record, of which the model has therefore learned nothing.

    Notes
    -----
    What follows from a change is changed with it: a later close date is one more push and so many more days of slip;
    another stage begins on the day itself, and is a step back if it lies before; a meeting ends the silence.
    The answer is a conditional expectation of the model, not the effect of an intervention (J. Pearl, *Causality*,
    2nd ed. 2009, section 1.3).

    Examples
    --------
    >>> from spm_models.win_probability import WinProbability
    >>> day = pd.Timestamp("2026-01-31")
    >>> deals = pd.DataFrame({"as_of": day, "opportunity_id": [f"o{k}" for k in range(40)], "rep_id": "r",
    ...                       "stage": ["Demo", "Offer"] * 20})
    >>> closed = pd.DataFrame({"opportunity_id": deals.opportunity_id, "rep_id": "r", "won": np.arange(40) % 2 == 1,
    ...                        "closed_on": pd.Timestamp("2026-03-01")})
    >>> model = WinProbability(method="stage_rate").fit(deals, closed)
    >>> found = what_if(model, deals.head(1), stages=("Demo", "Offer"), stage="Offer")
    >>> found.inputs[["column", "before", "after"]].values.tolist()[0], found.difference > 0.5
    (['stage', 'Demo', 'Offer'], True)
    """
    row = _one_row(deal_row)
    unknown = [name for name in changes if name not in VARIABLE]
    if unknown:
        raise ModelError(
            "This cannot be varied", where="what_if", found=unknown, remedy=f"What can: {', '.join(VARIABLE)}."
        )
    facts = row.iloc[0].to_dict()
    new: Changes = {}
    for name, value in changes.items():
        if value is not None:
            new |= _CHANGE[name](name, value, facts | new, stages)
    changed = row.assign(**new).astype({name: row[name].dtype for name in new})
    asked = {name: value for name, value in changes.items() if value is not None}
    return WhatIf(asked, row, changed, model.predict(row), model.predict(changed))


def _one_row(deal: pd.DataFrame) -> pd.DataFrame:
    if not isinstance(deal, pd.DataFrame) or len(deal) != 1:
        found = f"{len(deal)} rows" if isinstance(deal, pd.DataFrame) else type(deal).__name__
        raise ModelError(
            "A what-if is asked about one deal", where="what_if", found=found,
            remedy='Give one row of the pipeline: pipeline[pipeline.opportunity_id == "…"].',
        )  # fmt: skip
    absent = {name: pd.Series(index=deal.index, dtype=kind) for name, kind in PIPELINE.items() if name not in deal}
    return deal.assign(**absent).reset_index(drop=True)


def _stage(name: str, value: Any, facts: Mapping[Any, Any], stages: Sequence[str]) -> Changes:
    if value not in stages:
        raise _refused(name, value, f"Open stages are {', '.join(stages) or 'not given: pass stages='}.")
    if value == facts["stage"]:
        return {}
    order, old = float(list(stages).index(value)), facts["stage_order"]
    new: Changes = {"stage": value, "stage_order": order}
    new |= _known(facts, days_in_stage=lambda _: 0.0)
    if order < old:
        new |= _known(facts, stage_regressions=lambda count: count + 1)
    return new


def _amount(name: str, value: Any, facts: Mapping[Any, Any], _: Sequence[str]) -> Changes:
    amount = _number(name, value)
    if not 0 < amount < 1e12:
        raise _refused(name, value, "Give an amount above zero, in the company's currency.")
    old = facts["amount"]
    if amount == old:
        return {}
    new: Changes = {"amount": amount}
    if old > 0:
        new |= _known(facts, amount_ratio=lambda ratio: ratio * amount / old)
        new |= _known(facts, amount_changes=lambda count: count + 1)
        if amount < old:
            new |= _known(facts, amount_cuts=lambda count: count + 1)
    return new


def _close_date(name: str, value: Any, facts: Mapping[Any, Any], _: Sequence[str]) -> Changes:
    day = _day(name, value)
    ahead = (day - facts["as_of"]).days
    if not 0 <= ahead <= FARTHEST:
        raise _refused(name, value, f"Give a day from {facts['as_of']:%Y-%m-%d} on, at most five years ahead.")
    if day == facts["expected_close_on"]:
        return {}
    new: Changes = {"expected_close_on": day, "days_to_expected_close": float(ahead)}
    if not pd.isna(facts["expected_close_on"]):
        moved = (day - facts["expected_close_on"]).days
        new |= _known(facts, slip_days=lambda days: days + moved)
        if moved > 0 and not pd.isna(facts["push_count"]):
            new |= {"push_count": facts["push_count"] + 1, "days_since_push": 0.0}
    return new


def _more_touches(name: str, value: Any, facts: Mapping[Any, Any], _: Sequence[str]) -> Changes:
    n = _count(name, value)
    if pd.isna(facts["activities"]):
        raise _refused(name, value, "The source records no activities, so the model knows nothing of them.")
    if n == 0:
        return {}
    met = name in ("more_meetings", "more_demos")
    counts = ["activities", "activities_14d", "activities_30d", "answered_touches", _TOUCHES[name]]
    counts += ["meetings_30d"] if name == "more_meetings" else []
    new = _known(facts, **dict.fromkeys(counts, lambda count: count + n))
    new |= _known(facts, unanswered_touches=lambda _: 0.0, active_reps_30d=lambda reps: max(reps, 1.0))
    new["days_since_activity"] = 0.0
    if not pd.isna(facts["answered_touches"]):
        new["days_since_answer"] = 0.0
    return new | ({"days_since_meeting": 0.0} if met else {})


def _more_contacts(name: str, value: Any, facts: Mapping[Any, Any], _: Sequence[str]) -> Changes:
    n = _count(name, value)
    if pd.isna(facts["contacts"]):
        raise _refused(name, value, "The source records no contacts, so the model knows nothing of them.")
    return {"contacts": facts["contacts"] + n} if n else {}


_CHANGE: dict[str, Callable[[str, Any, Mapping[Any, Any], Sequence[str]], Changes]] = {
    "stage": _stage, "amount": _amount, "expected_close_on": _close_date, "more_contacts": _more_contacts,
    **dict.fromkeys(_TOUCHES, _more_touches),
}  # fmt: skip


def _known(facts: Mapping[Any, Any], **changes: Callable[[float], float]) -> Changes:
    """Changes of columns that hold a value; what the source does not record stays empty."""
    return {name: float(change(facts[name])) for name, change in changes.items() if not pd.isna(facts[name])}


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not np.isfinite(float(value)):
        raise _refused(name, value, "Give a number.")
    return float(value)


def _count(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral) or not 0 <= int(value) <= MOST:
        raise _refused(name, value, f"Give a whole number from 0 to {MOST}.")
    return int(value)


def _day(name: str, value: Any) -> pd.Timestamp:
    try:
        day = pd.Timestamp(date.fromisoformat(value) if isinstance(value, str) else value).normalize()
    except (TypeError, ValueError) as error:
        raise _refused(name, value, "Give a day such as 2026-06-30.") from error
    if pd.isna(day) or isinstance(value, int | float):
        raise _refused(name, value, "Give a day such as 2026-06-30.")
    return day


def _refused(name: str, value: Any, remedy: str) -> ModelError:
    return ModelError(f"The deal cannot have this {name}", where=f"what_if {name}", found=value, remedy=remedy)


def _other(side: pd.DataFrame, named: pd.Index) -> pd.DataFrame:
    """Reasons that both sides name, and the sum of all others."""
    rest = side[~side.index.isin(named)].sum().to_frame(OTHERS).T
    return pd.concat([side.loc[named], rest])


def _same(one: Any, other: Any) -> bool:
    return bool((pd.isna(one) and pd.isna(other)) or one == other)


def _said(value: Any) -> str:
    if pd.isna(value):
        return "–"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    return f"{value:,.10g}" if isinstance(value, float | int) else str(value)
