"""Intervals of sample companies, through their files, the import, snapshots and features, beside true chances.

The true chance of a sample company's open deal knows the buyer's hidden conviction, which stands in no table. No score
can tell such deals apart, so that an interval around the score need not hold the hidden chance. What it has to hold is
the mean chance of deals that look the same; that is estimated over all companies by boosting, each company by what was
learned from the others.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GroupKFold, cross_val_predict

from spm_models.inference.intervals import wilson
from win.companies import learned_and_open, truth_of
from win.coverage import LEVEL, Make, win_classifier

DRAWS = 100  # futures from which a chance is counted
SMALL_EVERY = 6  # every sixth company is a small one, the others tiny


def table_coverage(
    companies: int = 24, seed: int = 0, *, level: float = LEVEL, make: Make = win_classifier, jobs: int = 2
) -> pd.DataFrame:
    """Score the open deals of sample companies, and hold the intervals to what is true of them.

    Returns
    -------
    DataFrame
        The columns of :func:`win.coverage.coverage`, with ``true`` the chance of deals that look the same, and
        ``hidden``, ``hidden_covered``: the chance of the very deal, counted over 100 futures.
    """
    one = partial(_asked, seed=seed, level=level, make=make)
    if jobs == 1:
        parts = [one(number) for number in range(companies)]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
            parts = list(pool.map(one, range(companies), chunksize=1))
    found = pd.concat([rows for rows, _ in parts], ignore_index=True)
    looks = pd.concat([X for _, X in parts], ignore_index=True).select_dtypes("number")
    found["true"] = seen_chance(looks.assign(told=_log_odds(found["told"])), found["hidden"], found["company"])
    for name in ("", "pooled_"):
        low, high = found[f"{name}low"], found[f"{name}high"]
        found[f"{name}covered"] = (low <= found["true"]) & (found["true"] <= high)
    found["hidden_covered"] = (found["low"] <= found["hidden"]) & (found["hidden"] <= found["high"])
    return found


def seen_chance(looks: pd.DataFrame, hidden: pd.Series, company: pd.Series) -> np.ndarray:
    """Mean hidden chance of deals that look the same, learned from other companies."""
    referee = HistGradientBoostingRegressor(max_iter=60, learning_rate=0.08, max_leaf_nodes=8, random_state=0)
    folds = GroupKFold(min(6, company.nunique()))
    return np.clip(cross_val_predict(referee, looks, hidden, groups=company, cv=folds), 0.001, 0.999)


def summary(found: pd.DataFrame) -> dict[str, float]:
    """Coverage and widths, as ``interval_coverage_tables…``."""
    return {
        "interval_coverage_tables": float(found["covered"].mean()),
        "interval_coverage_tables_hidden": float(found["hidden_covered"].mean()),
        "interval_width_tables": float((found["high"] - found["low"]).mean()),
        "pooled_interval_coverage_tables": float(found["pooled_covered"].mean()),
        "pooled_interval_width_tables": float((found["pooled_high"] - found["pooled_low"]).mean()),
        "interval_companies_tables": float(found["company"].nunique()),
        "told_tables": float(found["told"].mean()),
        "true_tables": float(found["hidden"].mean()),
    }


def _asked(number: int, seed: int, level: float, make: Make) -> tuple[pd.DataFrame, pd.DataFrame]:
    size = "small" if number % SMALL_EVERY == SMALL_EVERY - 1 else "tiny"
    snapshots, closed, truth = truth_of(size, 1000 * (seed + 1) + number, draws=DRAWS)
    X, train, X_open = learned_and_open(snapshots, closed)
    classifier = make().fit(
        X, train["won"].to_numpy(float), time=train["as_of"].to_numpy(), matured=train["closed_on"].to_numpy(),
        groups=train["opportunity_id"].to_numpy(), sample_weight=train["weight"].to_numpy(),
    )  # fmt: skip
    chance = truth.set_index("opportunity_id")["p_win"]
    looks = X_open[X_open.index.isin(chance.index)]
    bounds = np.asarray(classifier.interval(looks, level))
    n, won = float(len(closed)), float(closed["won"].sum())
    low, high = wilson(np.array([won]), np.array([n]), level)
    rows = pd.DataFrame({
        "company": number, "mechanism": f"sample company, {size}", "deals": len(closed),
        "hidden": chance.reindex(looks.index).to_numpy(), "told": classifier.predict_proba(looks)[:, 1],
        "low": bounds[:, 0], "high": bounds[:, 1], "pooled": won / n, "pooled_low": low[0], "pooled_high": high[0],
    })  # fmt: skip
    return rows, looks.reset_index(drop=True)


def _log_odds(p: pd.Series) -> np.ndarray:
    clipped = np.clip(p.to_numpy(float), 1e-4, 1 - 1e-4)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))
