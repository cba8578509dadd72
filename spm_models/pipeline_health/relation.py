"""Which activities go together with winning: a landmark analysis, raw and adjusted. An association, not an effect."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import StratifiedTable
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationError, PerfectSeparationWarning
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from spm_models.crm.schemas.deals import ACTIVITY_KINDS
from spm_models.inference import benjamini_hochberg
from spm_models.pipeline_health.facts import CONTEXT, PipelineFacts
from spm_models.pipeline_health.flow import adjusted

LANDMARK, LEVEL = 30, 0.8
FEWEST, FEWEST_EVENTS = 60, 20
_MOST_LEVELS = 8
COLUMNS = (
    "kind", "landmark_days", "horizon_days", "deals", "won", "with_any", "mean_count", "raw_odds_ratio", "raw_low",
    "raw_high", "odds_ratio", "low", "high", "difference", "difference_low", "difference_high", "p_value", "q_value",
    "adjusted_by", "verdict",
)  # fmt: skip
#: What is not in the data and could explain a relation; their words stand under ``relation.confounders``.
CONFOUNDERS = ("buyer_interest", "choice_of_deals", "skill", "recording")
Floats = NDArray[np.float64]


def activity_relation(facts: PipelineFacts, rate: float = 0.1, *, landmark: int = LANDMARK) -> pd.DataFrame:
    """Odds of winning for one more activity of each kind in a deal's first days.

    Parameters
    ----------
    facts : PipelineFacts
    rate : float
        False-discovery rate over the kinds of activity.
    landmark : int
        Activities of a deal's first so many days are counted; only deals still open at their end are looked at.

    Returns
    -------
    DataFrame
        One row a kind of activity, sorted by kind. ``odds_ratio`` of one more activity (counts above the 95th
        percentile are cut there) with its 80 % interval, adjusted for amount, segment, kind of deal, source, quarter
        of creation and other activities; ``difference``: the same as average difference of the chance to win within
        the horizon; ``raw_*``: adjusted for nothing. ``adjusted_by``: logistic, or stratified where the regression did
        not converge (the odds ratio of any against none, within segment, by Mantel and Haenszel). ``verdict``:
        wins_more | wins_less | no_clear_relation | not_enough_data. Empty without activities.

    Notes
    -----
    Deals that live longer gather more activities: counting all of them would make losing quickly look like the
    consequence of few. So counts stop at the landmark, deals decided before it are left out, and each deal is given
    the same time after it (``horizon_days``, in which nine of ten won deals are decided); deals too young for that are
    left out. What else could explain the relation stands in ``CONFOUNDERS``: buyers who are interested grant
    meetings, and reps give their time to deals they believe in. Errors are clustered by rep.

    References
    ----------
    Anderson, Cain and Gelber (1983), Analysis of survival by tumor response, J. Clin. Oncol. 1 (landmarks).
    """
    if facts.touches.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    deals, horizon = _at_landmark(facts, landmark)
    if deals.empty:
        return pd.DataFrame(columns=list(COLUMNS))
    counts = _counts(facts, deals, landmark)
    with threadpool_limits(1):  # small problems: more threads only wait for each other
        rows = [_row(kind, deals, counts, landmark, horizon) for kind in sorted(map(str, counts))]
    table = pd.DataFrame(rows, columns=[*COLUMNS])
    found = benjamini_hochberg(table["p_value"].astype(float), rate)
    table["q_value"] = adjusted(table["p_value"].to_numpy(dtype=float))
    sign = np.where(table["odds_ratio"].astype(float) > 1, "wins_more", "wins_less")
    rest = np.where(table["p_value"].isna(), "not_enough_data", "no_clear_relation")
    return table.assign(verdict=np.where(found, sign, rest))


def _at_landmark(facts: PipelineFacts, landmark: int) -> tuple[pd.DataFrame, int]:
    """Deals open at their landmark that could be followed long enough, with ``won`` within the horizon."""
    day = pd.Timestamp(facts.as_of)
    deals = facts.deals.assign(life=(facts.deals["closed_on"] - facts.deals["created_on"]).dt.days)
    won = deals.loc[(deals["status"] == "won") & (deals["life"] > landmark), "life"] - landmark
    horizon = int(np.ceil(won.quantile(0.9))) if len(won) else 180
    since = facts.touches["at"].min().normalize()
    followed = (deals["created_on"] >= since) & (deals["created_on"] <= day - pd.Timedelta(days=landmark + horizon))
    alive = deals["life"].isna() | (deals["life"] > landmark)
    found = deals[followed & alive].copy()
    found["won"] = (found["status"] == "won") & (found["life"] <= landmark + horizon)
    found["quarter"] = found["created_on"].dt.to_period("Q").astype(str)
    return found.reset_index(drop=True), horizon


def _counts(facts: PipelineFacts, deals: pd.DataFrame, landmark: int) -> pd.DataFrame:
    """Activities of each kind in each deal's first days, high counts cut."""
    created = deals.set_index("opportunity_id")["created_on"]
    touches = facts.touches[facts.touches["opportunity_id"].isin(created.index)]
    begun = touches["opportunity_id"].map(created)
    early = touches[(touches["at"] >= begun) & (touches["at"] < begun + pd.Timedelta(days=landmark))]
    counts = early.groupby(["opportunity_id", "kind"]).size().unstack(fill_value=0)
    counts = counts.reindex(index=created.index, columns=list(ACTIVITY_KINDS), fill_value=0).astype(float)
    counts = counts.loc[:, counts.nunique() > 1].reset_index(drop=True)
    return counts.clip(upper=counts.quantile(0.95).clip(lower=1.0), axis=1)


def _row(kind: str, deals: pd.DataFrame, counts: pd.DataFrame, landmark: int, horizon: int) -> dict[str, Any]:
    x, won = counts[kind].to_numpy(dtype=float), deals["won"].to_numpy(dtype=float)
    row: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan) | {
        "kind": kind, "landmark_days": landmark, "horizon_days": horizon, "deals": len(deals), "won": int(won.sum()),
        "with_any": float(np.mean(x > 0)), "mean_count": float(x.mean()), "adjusted_by": "",
    }  # fmt: skip
    events = min(won.sum(), len(won) - won.sum())
    if len(deals) < FEWEST or events < FEWEST_EVENTS or min((x > 0).sum(), (x == 0).sum() + (x > 1).sum()) < 10:
        return row
    reps = pd.factorize(deals["rep_id"])[0]
    raw = _logistic(won, x[:, None], reps)
    if raw is not None:
        row |= dict(zip(("raw_odds_ratio", "raw_low", "raw_high"), np.exp(raw["ends"]), strict=True))
    others = np.log1p(counts.drop(columns=kind).sum(axis=1).to_numpy(dtype=float))
    fitted = _logistic(won, np.column_stack([x, others, _context(deals)]), reps)
    if fitted is None:
        return row | _stratified(x > 0, won, deals["segment"])
    difference = fitted["ends"] * fitted["slope"]
    return row | {
        **dict(zip(("odds_ratio", "low", "high"), np.exp(fitted["ends"]), strict=True)),
        **dict(zip(("difference", "difference_low", "difference_high"), difference, strict=True)),
        "p_value": fitted["p"], "adjusted_by": "logistic",
    }  # fmt: skip


def _context(deals: pd.DataFrame) -> Floats:
    """Amount and what was settled at creation, as columns; rare values together."""
    amount = deals["amount"].fillna(deals["amount"].median()).fillna(0.0)
    parts = [np.log1p(amount.to_numpy(dtype=float))[:, None], deals["amount"].isna().to_numpy(dtype=float)[:, None]]
    for name in (*CONTEXT, "quarter"):
        common = deals[name].value_counts().index[: _MOST_LEVELS if name != "quarter" else 40]
        dummies = pd.get_dummies(deals[name].where(deals[name].isin(common), "other"), drop_first=True)
        parts.append(dummies.to_numpy(dtype=float))
    found = np.column_stack(parts)
    return np.asarray(found[:, found.std(axis=0) > 0], dtype=np.float64)


def _logistic(won: Floats, x: Floats, reps: NDArray[np.intp]) -> dict[str, Any] | None:
    """Coefficient of the first column with its interval; None where the fit cannot be trusted."""
    design = sm.add_constant((x - x.mean(axis=0)) / np.where(x.std(axis=0) > 0, x.std(axis=0), 1.0))
    if np.linalg.matrix_rank(design) < design.shape[1]:
        return None
    clustered = len(np.unique(reps)) >= 10  # fewer clusters say too little about their own spread
    options = {"cov_type": "cluster", "cov_kwds": {"groups": reps}} if clustered else {"cov_type": "HC1"}
    try:
        with warnings.catch_warnings():
            for kind in (ConvergenceWarning, PerfectSeparationWarning, RuntimeWarning):
                warnings.simplefilter("error", kind)
            fit = sm.Logit(won, design).fit(disp=0, maxiter=100, **options)
            ends = np.array([fit.params[1], *fit.conf_int(alpha=1 - LEVEL)[1]]) / x[:, 0].std()
    except (
        ConvergenceWarning,
        PerfectSeparationWarning,
        PerfectSeparationError,
        RuntimeWarning,
        np.linalg.LinAlgError,
    ):
        return None
    if not np.isfinite(ends).all() or np.abs(ends).max() > 5:
        return None
    chance = fit.predict()
    return {"ends": ends, "p": float(fit.pvalues[1]), "slope": float(np.mean(chance * (1 - chance)))}


def _stratified(any_: NDArray[np.bool_], won: Floats, strata: pd.Series) -> dict[str, Any]:
    """Mantel–Haenszel odds ratio of any against none, within strata."""
    cells = pd.crosstab(
        [strata], [pd.Categorical(any_, [True, False]), pd.Categorical(won > 0, [True, False])], dropna=False
    )
    tables = cells.to_numpy(dtype=float).reshape(-1, 2, 2)
    tables = tables[(tables.sum(axis=1) > 0).all(axis=1) & (tables.sum(axis=2) > 0).all(axis=1)]
    if not len(tables):
        return {}
    pooled = StratifiedTable(np.moveaxis(tables, 0, -1))
    low, high = pooled.oddsratio_pooled_confint(alpha=1 - LEVEL)
    ends = (float(pooled.oddsratio_pooled), float(low), float(high))
    if not np.isfinite(ends).all():
        return {}
    test = pooled.test_null_odds(correction=True)
    names = ("odds_ratio", "low", "high")
    return dict(zip(names, ends, strict=True)) | {"p_value": float(test.pvalue), "adjusted_by": "stratified"}
