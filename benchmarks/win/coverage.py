"""Do 80 % intervals of a score cover the true probability? Asked of many small companies whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd

from spm_models.inference.intervals import wilson
from win.simulators import TabularCompany, company

LEVEL = 0.8
BANDS = np.arange(0, 1.01, 0.1)
LEAST_IN_BAND = 200  # deals, below which a band says nothing
Make = Callable[[], Any]


def win_classifier() -> Any:
    """The classifier with its own settings, not yet fitted."""
    from spm_models.win_probability import WinClassifier

    return WinClassifier(random_state=0)


def coverage(
    companies: int = 200, seed: int = 0, *, level: float = LEVEL, make: Make = win_classifier, jobs: int = 2
) -> pd.DataFrame:
    """Fit a classifier on each of many simulated companies, and hold its intervals to the true probabilities.

    Parameters
    ----------
    companies : int
        How many; they take turns in nine mechanisms (``simulators.MECHANISMS``).
    seed : int
        Another seed, other companies.
    make : callable
        Gives a classifier with ``fit(X, y, time=…)``, ``predict_proba`` and ``interval(X, level)``.
    jobs : int
        Processes side by side; 1 stays in this one.

    Returns
    -------
    DataFrame
        One row an open deal: ``company``, ``mechanism``, ``deals`` (learned from), ``true``, ``told``, ``low``,
        ``high``, ``covered``, and of the pooled rate's Wilson interval ``pooled``, ``pooled_low``, ``pooled_high``,
        ``pooled_covered``.

    Examples
    --------
    >>> from win.coverage import coverage, summary, by_band  # doctest: +SKIP
    >>> found = coverage(companies=30, seed=1)               # doctest: +SKIP
    >>> summary(found)["interval_coverage"]                  # doctest: +SKIP
    """
    one = partial(_asked, seed=seed, level=level, make=make)
    if jobs == 1:
        parts = [one(number) for number in range(companies)]
    else:
        with ProcessPoolExecutor(jobs, mp_context=get_context("fork")) as pool:
            parts = list(pool.map(one, range(companies), chunksize=1))
    return pd.concat(parts, ignore_index=True)


def _asked(number: int, seed: int, level: float, make: Make) -> pd.DataFrame:
    made = company(number, seed)
    classifier = make().fit(made.X, made.y, time="day")
    bounds = np.asarray(classifier.interval(made.X_open, level))
    return _rows(number, made, classifier.predict_proba(made.X_open)[:, 1], bounds, level)


def _rows(number: int, made: TabularCompany, told: np.ndarray, bounds: np.ndarray, level: float) -> pd.DataFrame:
    n, won = len(made.y), float(made.y.sum())
    low, high = wilson(np.array([won]), np.array([float(n)]), level)
    true = made.p_open
    return pd.DataFrame(
        {"company": number, "mechanism": made.mechanism, "deals": n, "true": true, "told": told,
         "low": bounds[:, 0], "high": bounds[:, 1], "covered": (bounds[:, 0] <= true) & (true <= bounds[:, 1]),
         "pooled": won / n, "pooled_low": low[0], "pooled_high": high[0],
         "pooled_covered": (low[0] <= true) & (true <= high[0])}
    )  # fmt: skip


def by_band(found: pd.DataFrame, column: str = "told") -> pd.DataFrame:
    """Coverage and widths by band of the score: 0–0.1, 0.1–0.2 … Its error is that of whole companies."""
    return _by(found, np.minimum((found[column] * 10).astype(int), 9) / 10)


def by_mechanism(found: pd.DataFrame) -> pd.DataFrame:
    """The same for each mechanism."""
    return _by(found, found["mechanism"])


def by_size(found: pd.DataFrame) -> pd.DataFrame:
    """The same for companies with few and many decided deals."""
    return _by(found, pd.cut(found["deals"], [0, 80, 160, 320, 640, 1_000_000]).astype(str))


def _by(found: pd.DataFrame, key: pd.Series) -> pd.DataFrame:
    rows = found.assign(
        width=found["high"] - found["low"], pooled_width=found["pooled_high"] - found["pooled_low"], group=key
    )
    table = rows.groupby("group").agg(
        deals=("covered", "size"), companies=("company", "nunique"), coverage=("covered", "mean"),
        width=("width", "mean"), pooled_coverage=("pooled_covered", "mean"), pooled_width=("pooled_width", "mean"),
    )  # fmt: skip
    each = rows.groupby(["group", "company"])["covered"].agg(["sum", "size"])
    off = each["sum"] - each["size"] * table["coverage"].reindex(each.index.get_level_values(0)).to_numpy()
    table["error"] = np.sqrt(np.square(off).groupby("group").sum()) / table["deals"]
    return table.reset_index()


def summary(found: pd.DataFrame) -> dict[str, float]:
    """Figures of the check: coverage on average and in the worst band that has enough deals, widths, errors."""
    bands = by_band(found)
    enough = bands[bands["deals"] >= LEAST_IN_BAND]
    per_company = found.groupby("company")["covered"].mean()
    return {
        "interval_coverage": float(found["covered"].mean()),
        "interval_coverage_error": float(per_company.std(ddof=1) / np.sqrt(len(per_company))),
        "interval_coverage_worst_band": float(enough["coverage"].min()),
        "interval_width": float((found["high"] - found["low"]).mean()),
        "pooled_interval_coverage": float(found["pooled_covered"].mean()),
        "pooled_interval_width": float((found["pooled_high"] - found["pooled_low"]).mean()),
        "interval_companies": float(found["company"].nunique()),
        "interval_truth_rmse": float(np.sqrt(np.mean((found["told"] - found["true"]) ** 2))),
        "pooled_truth_rmse": float(np.sqrt(np.mean((found["pooled"] - found["true"]) ** 2))),
    }
