"""The signals of a coaching review: what each one counts, in which context, and what a shortfall of it is.

Behaviours can be coached. Results (attainment, coverage) are told beside them, but a result is nobody's behaviour:
quotas and territories are in it, so it never becomes a suggestion.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from spm_models.coaching.context import Family
from spm_models.coaching.features import DEAL_CONTEXT, TIME_CONTEXT, Evidence
from spm_models.kpis.working_time import UNKNOWN

MARGIN = 0.15  #: relative shortfall from which on a difference matters
SILENT_DAYS = 21  #: a deal without a contact for longer than this was not followed up
_LENGTHS = (14, 30, 60, 90, 150)
_OFTEN = 20  # won deals from which on a product is a context of its own
_BANDS = 8  # of the chance that deals had when they were new
PROSPECT_CONTEXT = (*DEAL_CONTEXT, "prospect")


@dataclass(frozen=True)
class Cells:
    """Observations of one signal (of one stage, where it has parts), by rep and context.

    Parameters
    ----------
    rows : DataFrame
        ``rep_id`` and the context columns.
    y, size : Series
        Successes and trials, counts and exposure, or means and numbers of values.
    within : float
        Sum of squares of single values around the means of their rows (normal signals).
    """

    rows: pd.DataFrame
    y: pd.Series
    size: pd.Series
    within: float = 0.0


@dataclass(frozen=True)
class Signal:
    """One thing that a rep does, and how it is compared.

    Parameters
    ----------
    name : str
    family : {"binomial", "poisson", "normal"}
    context : tuple of str
        Columns within which reps are compared.
    cells : callable
        Evidence → ``(part, Cells)`` pairs; nothing where the evidence lacks it.
    margin : float
        Relative shortfall that matters.
    log : bool
        Values are logarithms (of days + 1, or of amounts): differences are ratios.
    lower_is_better : bool
    spread : float
        Scale of the prior on how much reps differ, relative to what is expected.
    place : float
        Share of the differences between reps that are their territories', where each has one of his own and the two
        cannot be told apart. Assumed, not estimated: half of how much is there to be found and how large it is.
    """

    name: str
    family: Family
    context: tuple[str, ...]
    cells: Callable[[Evidence], Iterator[tuple[str, Cells]]]
    margin: float = MARGIN
    log: bool = False
    lower_is_better: bool = False
    spread: float = 0.3
    place: float = 0.0


def _shares(rows: pd.DataFrame, success: pd.Series, context: tuple[str, ...]) -> Cells:
    keys = ["rep_id", *context]
    cells = rows.assign(y=success.astype(float), n=1.0).groupby(keys, as_index=False, sort=True)[["y", "n"]].sum()
    return Cells(cells[keys], cells["y"], cells["n"])


def _means(rows: pd.DataFrame, values: pd.Series, context: tuple[str, ...]) -> Cells:
    keys = ["rep_id", *context]
    rows = rows.assign(y=values.astype(float), n=1.0, square=values.astype(float) ** 2)
    cells = rows.groupby(keys, as_index=False, sort=True)[["y", "n", "square"]].sum()
    mean = cells["y"] / cells["n"]
    within = float((cells["square"] - cells["n"] * mean**2).sum())
    return Cells(cells[keys], mean, cells["n"], max(within, 0.0))


def _win_rate(evidence: Evidence) -> Iterator[tuple[str, Cells]]:
    if len(evidence.deals):
        rows = evidence.deals.assign(prospect=evidence.deals["opportunity_id"].map(prospects(evidence)))
        yield "", _shares(rows, rows["won"], PROSPECT_CONTEXT)


def _stage_conversion(evidence: Evidence) -> Iterator[tuple[str, Cells]]:
    if evidence.stages is None:
        return
    every = evidence.stages.assign(prospect=evidence.stages["opportunity_id"].map(prospects(evidence)))
    for _, rows in every.groupby("place", sort=True):
        if 0 < rows["advanced"].sum() < len(rows):  # a stage that nobody or everybody leaves tells nothing
            yield str(rows["stage"].iloc[0]), _shares(rows, rows["advanced"], PROSPECT_CONTEXT)


def prospects(evidence: Evidence) -> pd.Series:
    """By deal, the band of its chance when it was new: somebody who gets poor deals is compared with others who do."""
    deals = evidence.deals.drop_duplicates("opportunity_id").set_index("opportunity_id")
    if "chance" not in deals or deals["chance"].notna().sum() < _BANDS * _OFTEN:
        return pd.Series(UNKNOWN, index=deals.index, dtype="str")
    edges = deals["chance"].quantile(np.arange(1, _BANDS) / _BANDS).to_numpy()
    band = pd.Series(edges.searchsorted(deals["chance"].to_numpy()), index=deals.index).astype("str")
    return band.where(deals["chance"].notna(), UNKNOWN)


def _follow_up(evidence: Evidence) -> Iterator[tuple[str, Cells]]:
    known = evidence.deals[evidence.deals["longest_silence"].notna() & evidence.deals["days"].gt(SILENT_DAYS)]
    if len(known):
        length = np.asarray(_LENGTHS).searchsorted(known["days"].to_numpy())
        rows = known.assign(length=pd.Series(length, index=known.index).astype("str"))
        yield "", _shares(rows, rows["longest_silence"] <= SILENT_DAYS, (*DEAL_CONTEXT, "length"))


def _deal_size(evidence: Evidence) -> Iterator[tuple[str, Cells]]:
    """Beside what deals of the same product bring: which products somebody sells is often not his choice."""
    won = evidence.deals[evidence.deals["won"] & evidence.deals["amount"].gt(0)]
    if _several(won):
        often = won["product"].map(won["product"].value_counts()) >= _OFTEN
        rows = won.assign(product=won["product"].where(often, "other"))
        yield "", _means(rows, np.log(rows["amount"]), (*DEAL_CONTEXT, "product"))


def _price_kept(evidence: Evidence) -> Iterator[tuple[str, Cells]]:
    won = evidence.deals[evidence.deals["won"] & evidence.deals["price_kept"].notna()]
    if _several(won) and won["price_kept"].nunique() > 1:
        yield "", _means(won, won["price_kept"], DEAL_CONTEXT)


def _cycle(evidence: Evidence) -> Iterator[tuple[str, Cells]]:
    """Days of won and lost deals alike: those of won ones alone would praise whoever gives up slow deals."""
    deals = evidence.deals[evidence.deals["days"].ge(0)]
    if _several(deals):
        rows = deals.assign(outcome=deals["won"].astype("str"))
        yield "", _means(rows, np.log1p(rows["days"]), (*DEAL_CONTEXT, "outcome"))


def _counts(name: str) -> Callable[[Evidence], Iterator[tuple[str, Cells]]]:
    def cells(evidence: Evidence) -> Iterator[tuple[str, Cells]]:
        rows = evidence.work.get(name)
        if rows is not None and rows["count"].sum() > 0:
            yield "", Cells(rows[["rep_id", *TIME_CONTEXT]], rows["count"], rows["days"])

    return cells


def _several(rows: pd.DataFrame) -> bool:
    """Whether there are more values than reps, so that chance can be told from difference."""
    return bool(len(rows) > rows["rep_id"].nunique() + 3)


SIGNALS: dict[str, Signal] = {
    signal.name: signal
    for signal in (
        Signal("pipeline_creation", "poisson", TIME_CONTEXT, _counts("pipeline_creation"), place=0.5),
        Signal("activity", "poisson", TIME_CONTEXT, _counts("activity")),
        Signal("stage_conversion", "binomial", PROSPECT_CONTEXT, _stage_conversion, place=0.2),
        Signal("win_rate", "binomial", PROSPECT_CONTEXT, _win_rate, place=0.2),
        Signal("deal_size", "normal", (*DEAL_CONTEXT, "product"), _deal_size, log=True, place=0.5),
        Signal("price_kept", "normal", DEAL_CONTEXT, _price_kept, margin=0.05, spread=0.1),
        Signal("cycle", "normal", (*DEAL_CONTEXT, "outcome"), _cycle, log=True, lower_is_better=True),
        Signal("follow_up", "binomial", (*DEAL_CONTEXT, "length"), _follow_up),
    )
}
#: Signals that are compared rep by rep, without cells (:mod:`spm_models.coaching.own_pace`, ``focus``).
COMPARED = ("focus", "trend")
RESULTS = ("attainment", "coverage")
ORDER = ("attainment", "coverage", "pipeline_creation", "activity", "trend", "follow_up", "focus", "stage_conversion",
         "win_rate", "deal_size", "price_kept", "cycle")  # fmt: skip
