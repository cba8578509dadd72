"""Small companies as plain tables whose true probabilities are known, each won or lost by another mechanism."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

SEGMENTS = ("small", "mid_market", "enterprise")
SOURCES = ("inbound", "outbound", "partner", "event", "referral")
DAYS = 730
TESTED = 150  # deals of each company whose probabilities are asked


@dataclass(frozen=True, eq=False)
class TabularCompany:
    """Deals that were decided, and deals that are open when they have been learned.

    Parameters
    ----------
    X, X_open : DataFrame
        The same columns; ``day`` is when a deal was seen.
    y : ndarray of float
    p_open : ndarray
        True probability of each open deal, given everything that stands in its row and the company it is of.
    """

    mechanism: str
    X: pd.DataFrame
    y: np.ndarray
    X_open: pd.DataFrame
    p_open: np.ndarray


Mechanism = Callable[[pd.DataFrame, np.random.Generator], np.ndarray]


def _nothing(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    return np.zeros(len(rows))


def _additive(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Several moderate effects, none of them bent."""
    strength = rng.normal(0, 0.35, 4)
    numbers = [
        rows["quiet_days"] / 15 - 1,
        np.log(rows["amount"]) - 10,
        rows["meetings"] - 2,
        rows["age_days"] / 45 - 1,
    ]
    eta = sum(s * n.to_numpy() for s, n in zip(strength, numbers, strict=True))
    by_source = dict(zip(SOURCES, rng.normal(0, 0.4, len(SOURCES)), strict=True))
    return np.asarray(eta + rows["source"].map(by_source).to_numpy(float))


def _steps(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Nothing happens until a threshold is passed."""
    quiet, met = rng.uniform(10, 30), rng.integers(1, 4)
    cold = -rng.uniform(0.6, 1.6) * (rows["quiet_days"] > quiet)
    return np.asarray(cold + rng.uniform(0.4, 1.2) * (rows["meetings"] >= met), dtype=float)


def _valley(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Best at a middle age: a smooth curve up and down."""
    best = rng.uniform(20, 70)
    return np.asarray(0.8 - rng.uniform(0.8, 1.6) * np.abs(np.log((rows["age_days"] + 5) / (best + 5))))


def _interaction(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Silence matters in one segment only, meetings in the others."""
    one = rows["segment"] == SEGMENTS[rng.integers(3)]
    silence, meetings = rows["quiet_days"] / 15 - 1, rows["meetings"] - 2
    return np.asarray(np.where(one, -rng.uniform(0.6, 1.2) * silence, rng.uniform(0.3, 0.7) * meetings), dtype=float)


def _people(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """Reps differ; what a deal looks like tells little."""
    reps = np.sort(rows["rep"].unique())
    by_rep = pd.Series(rng.normal(0, rng.uniform(0.3, 0.9), len(reps)), reps)
    return np.asarray(rows["rep"].map(by_rep).to_numpy(float) - 0.2 * (rows["quiet_days"] / 15 - 1))


def _one_strong(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """A single field all but decides; the others are noise."""
    return np.asarray(rng.choice([-1, 1]) * rng.uniform(1.0, 2.0) * (rows["score"].to_numpy() - 0.5) * 3)


def _gaps(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """That nobody filled in a budget says more than the budget."""
    empty, told = rng.uniform(0.5, 1.5), rng.normal(0, 0.3)
    return np.asarray(np.where(rows["budget"].isna(), -empty, told * (np.log(rows["budget"].fillna(1.0)) - 10)))


def _drift(rows: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
    """The market moves all deals slowly, and silence matters throughout."""
    path = np.cumsum(rng.normal(0, 0.035, DAYS + 31) * (rng.random(DAYS + 31) < 0.5))
    return np.asarray(path[rows["day"].to_numpy(int)] - 0.4 * (rows["quiet_days"] / 15 - 1))


MECHANISMS: dict[str, Mechanism] = {
    "nothing_to_learn": _nothing, "additive": _additive, "steps": _steps, "valley": _valley,
    "interaction": _interaction, "people": _people, "one_strong": _one_strong, "gaps": _gaps, "drift": _drift,
}  # fmt: skip


def company(number: int, seed: int = 0) -> TabularCompany:
    """Company ``number`` of a seed: mechanisms in turn, 40 to 1,200 decided deals, win rates from 10 to 60 %."""
    rng = np.random.default_rng([seed, number])
    mechanism = list(MECHANISMS)[number % len(MECHANISMS)]
    deals = int(np.exp(rng.uniform(np.log(40), np.log(1200))))
    rows = _deals(rng, deals)
    eta = MECHANISMS[mechanism](rows, rng)
    p = expit(eta + _level(eta, rng.uniform(0.10, 0.60)))
    won = (rng.random(len(rows)) < p).astype(float)
    if len(set(won[:deals])) == 1:  # a company without a win or a loss has nothing to learn from
        return company(number + 100_003 * len(MECHANISMS), seed)
    parts = rows.iloc[:deals], rows.iloc[deals:].reset_index(drop=True)
    return TabularCompany(mechanism, parts[0], won[:deals], parts[1], p[deals:])


def _deals(rng: np.random.Generator, decided: int) -> pd.DataFrame:
    n = decided + TESTED
    day = np.concatenate([np.sort(rng.uniform(0, DAYS, decided)), rng.uniform(DAYS, DAYS + 30, TESTED)])
    budget = np.exp(rng.normal(10, 0.8, n))
    return pd.DataFrame({
        "day": np.floor(day),
        "segment": rng.choice(SEGMENTS, n, p=(0.5, 0.35, 0.15)),
        "source": rng.choice(SOURCES, n),
        "rep": [f"R{i:02d}" for i in rng.integers(0, rng.integers(3, 25), n)],
        "amount": np.exp(rng.normal(10, 0.9, n)),
        "quiet_days": np.floor(rng.exponential(15, n)),
        "age_days": np.floor(rng.exponential(45, n)),
        "meetings": rng.poisson(2, n).astype(float),
        "score": rng.random(n),
        "budget": np.where(rng.random(n) < 0.4, np.nan, budget),
    })  # fmt: skip


def _level(eta: np.ndarray, rate: float) -> float:
    """What to add to log-odds so that the mean probability is the rate."""
    low, high = -12.0, 12.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if expit(eta + middle).mean() < rate else (low, middle)
    return middle
