"""Why a deal has its probability: contributions that add up exactly, each with the fact that says it best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from spm_models.win_probability.facts import best_facts, with_derived
from spm_models.win_probability.result import REASONS

Floats = npt.NDArray[np.float64]
Texts = npt.NDArray[np.object_]
SHOWN = 10  # the rest is one reason, "other"
START, OTHERS = "typical_deal", "other"


class TypicalOfWon(Protocol):
    """What won deals of the same kind and stage show."""

    def of(self, features: pd.DataFrame, column: str) -> Floats:
        """Typical value of a column for each row; NaN where none is known."""


def reasons(
    rows: pd.DataFrame,
    start: float,
    parts: Mapping[str, Floats] | pd.DataFrame,
    *,
    features: pd.DataFrame | None = None,
    learned: Iterable[str] | None = None,
    typical: TypicalOfWon | None = None,
) -> pd.DataFrame:
    """Long table of contributions, the largest first, the small ones summed up as ``other``.

    Parameters
    ----------
    rows : DataFrame, shape (deals, …)
        Snapshot of the scored deals.
    start : float
        Log-odds from which all deals start.
    parts : mapping of str to ndarray, or DataFrame, shape (deals, groups)
        Contribution of each group of features in log-odds.
    features : DataFrame, shape (deals, …), optional
        Features of the same deals in the same order: facts are taken from there first, then from ``rows``.
    learned : iterable of str, optional
        Columns that the model looked at; a fact that it did not look at is no reason. Without it, all of them.
    typical : TypicalOfWon, optional
        What won deals show; without it nothing is compared.

    Returns
    -------
    DataFrame
        Columns of :data:`~spm_models.win_probability.result.REASONS`. Per deal the contributions sum to its log-odds
        and the points to its probability.

    Notes
    -----
    Points share the way from the starting probability to the deal's own among the contributions: the Aumann-Shapley
    value of the logistic function along the straight line of log-odds (Aumann and Shapley, Values of Non-Atomic
    Games, 1974; Sundararajan, Taly and Yan, ICML 2017). Along a straight line it has a closed form: each contribution
    counts with the slope of the chord, ``(p - p0) / (l - l0)``, so that points have the contribution's sign and add
    up to the difference exactly, whatever the order.

    Examples
    --------
    >>> deals = pd.DataFrame({"opportunity_id": ["o1"], "rep_id": ["r"], "push_count": [3.0]})
    >>> told = reasons(deals, 0.0, {"pushes": np.array([-1.0])})
    >>> told[["feature", "fact", "value"]].values.tolist(), told["points"].round(3).tolist()
    ([['typical_deal', '', ''], ['pushes', 'push_count', '3']], [0.5, -0.231])
    """
    if rows.empty:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in REASONS.items()})
    names, values = _by_name(parts, len(rows))
    order = np.argsort(-np.abs(values), axis=1, kind="stable")[:, :SHOWN]
    shown = np.take_along_axis(values, order, axis=1)
    first = np.full((len(rows), 1), start)
    rest = values.sum(axis=1, keepdims=True) - shown.sum(axis=1, keepdims=True)
    contribution = np.concatenate([first, shown, *([rest] if len(names) > SHOWN else [])], axis=1)
    deals, width = contribution.shape
    said = {name: np.full((deals, width), "", dtype=object) for name in ("feature", "fact", "value", "typical")}
    said["feature"][:] = OTHERS
    said["feature"][:, 0] = START
    _tell(said, names, order, values, _facts(rows, features, learned), typical)
    long: dict[str, Any] = {
        "opportunity_id": np.repeat(rows["opportunity_id"].to_numpy(), width),
        "rep_id": np.repeat(rows["rep_id"].to_numpy(), width),
        "rank": np.tile(np.arange(width), deals),
        **{name: text.ravel() for name, text in said.items()},
        "contribution": contribution.ravel(),
        "points": _points(contribution).ravel(),
    }
    return pd.DataFrame(long).astype(REASONS)[list(REASONS)]


def _by_name(parts: Mapping[str, Floats] | pd.DataFrame, deals: int) -> tuple[Texts, Floats]:
    """Names of the groups, sorted, and their contributions, shape (deals, groups)."""
    names = np.array([*sorted(map(str, parts))], dtype=object)
    if not len(names):
        return names, np.empty((deals, 0))
    return names, np.column_stack([np.asarray(parts[name], dtype=np.float64) for name in names])


def _facts(rows: pd.DataFrame, features: pd.DataFrame | None, learned: Iterable[str] | None) -> pd.DataFrame:
    """Everything that could be said: the features, and what else stood in the snapshot."""
    facts = rows.reset_index(drop=True)
    if features is not None:
        own = [name for name in features if str(name).startswith("field_")]  # the snapshot has them as declared
        seen = features.drop(columns=own).reset_index(drop=True)
        facts = pd.concat([seen, facts[[name for name in facts if name not in seen]]], axis=1)
    if features is not None and learned is not None:
        unseen = set(features) - set(learned) - {"stage", "kind"}  # by which won deals are looked up
        facts = facts.drop(columns=[name for name in facts if name in unseen])
    return with_derived(facts)


def _points(contribution: Floats) -> Floats:
    """Share of each contribution in the way from the starting probability to the deal's own."""
    begin, end = contribution[:, :1], contribution.sum(axis=1, keepdims=True)
    low, high, way = expit(begin), expit(end), end - begin
    near = np.abs(way) < 1e-9
    slope = np.where(near, low * (1 - low), (high - low) / np.where(near, 1.0, way))
    return np.concatenate([low, contribution[:, 1:] * slope], axis=1)


def _tell(
    said: dict[str, Texts], names: Texts, order: npt.NDArray[np.intp], values: Floats, facts: pd.DataFrame,
    typical: TypicalOfWon | None,
) -> None:  # fmt: skip
    """Fill in group, fact, value and typical value of every shown reason."""
    for place, name in enumerate(names):
        row, column = np.nonzero(order == place)
        said["feature"][row, column + 1] = name
        told = best_facts(str(name), facts, values[:, place], typical, rows=row)
        for part in ("fact", "value", "typical"):
            said[part][row, column + 1] = told[part].to_numpy(dtype=object)
