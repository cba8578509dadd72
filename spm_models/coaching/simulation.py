"""Simulated evidence with known truth, for tests and benchmarks of the review: no database, one company in no time."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from spm_models.coaching.features import DEAL_CONTEXT, TIME_CONTEXT, Evidence

PERIODS = ("2025-Q3", "2025-Q4", "2026-Q1", "2026-Q2")
REGION_EFFECT = {"north": 1.0, "south": 0.6, "east": 1.3}


def _context(random: np.random.Generator, rows: int, columns: tuple[str, ...]) -> pd.DataFrame:
    levels = {
        "segment": ["small", "mid_market", "enterprise"], "industry": ["retail", "health"], "kind": ["new", "upsell"],
        "source": ["inbound", "outbound", "partner"], "family": ["a", "b"], "tenure": ["settled"], "period": PERIODS,
    }  # fmt: skip
    return pd.DataFrame({c: random.choice(levels[c], rows) for c in columns if c in levels})


def simulate_evidence(
    seed: int, *, reps: int = 40, deals: float = 150.0, factors: dict[str, dict[str, float]] | None = None,
    spread: float = 0.0, clusters: float = 3.0, win_rate: float = 0.25, context: float = 1.0,
) -> tuple[Evidence, pd.DataFrame]:  # fmt: skip
    """Evidence of a company, and how each rep truly performs relative to a typical one.

    Parameters
    ----------
    seed : int
    reps : int
    deals : float
        Mean number of closed deals a rep.
    factors : dict, optional
        ``factors[signal][rep_id]``: performance of a rep relative to a typical one (2 is twice as good; a cycle is
        half as long).
    spread : float
        Standard deviation of the logarithm of all other reps' performance; 0: nobody differs.
    clusters : float
        Activities come in clusters of this size.
    win_rate : float
        Of a typical rep in a typical context.
    context : float
        Exponent of what regions and segments do; 0: all are alike.

    Returns
    -------
    tuple of Evidence and DataFrame
        The truth has one row a rep and one column a signal.

    Examples
    --------
    >>> found, truth = simulate_evidence(1, reps=3, factors={"win_rate": {"r001": 0.5}})
    >>> float(truth.loc["r001", "win_rate"]), sorted(found.work)
    (0.5, ['activity', 'pipeline_creation'])
    """
    random = np.random.default_rng(seed)
    ids = [f"r{i:03d}" for i in range(reps)]
    region = random.choice(list(REGION_EFFECT), reps)
    truth = pd.DataFrame({s: np.exp(spread * random.standard_normal(reps)) for s in
                          ("win_rate", "cycle", "pipeline_creation", "activity")}, index=ids)  # fmt: skip
    for signal, given in (factors or {}).items():
        truth.loc[list(given), signal] = list(given.values())
    start = pd.Timestamp("2022-01-01")
    people = pd.DataFrame({"rep_id": ids, "region": region, "territory": region, "hired_on": start, "left_on": pd.NaT,
                           "start_on": start}).astype({"left_on": "datetime64[s]"})  # fmt: skip
    owner = np.repeat(np.arange(reps), random.poisson(deals, reps))
    facts = _context(random, len(owner), DEAL_CONTEXT)
    facts["region"] = facts["territory"] = region[owner]
    where = facts["region"].map(REGION_EFFECT) * facts["segment"].map(
        {"small": 1.2, "mid_market": 1, "enterprise": 0.7}
    )
    chance = np.clip(win_rate * where**context * truth["win_rate"].to_numpy()[owner], 0.01, 0.95)
    days = np.exp(np.log(60) - np.log(truth["cycle"].to_numpy()[owner]) + 0.6 * random.standard_normal(len(owner)))
    closed = facts.assign(
        opportunity_id=[f"o{i:06d}" for i in range(len(owner))], rep_id=np.asarray(ids)[owner],
        won=random.random(len(owner)) < chance, amount=np.exp(9 + random.standard_normal(len(owner))),
        days=np.round(days), activities=random.poisson(8, len(owner)).astype(float),
    )  # fmt: skip
    work = {}
    for signal, rate, cluster in (("pipeline_creation", 0.7, 1.0), ("activity", 8.0, clusters)):
        rows = pd.DataFrame({"rep_id": np.repeat(ids, 4), "period": np.tile(PERIODS, reps), "days": 63.0})
        rows["tenure"] = "settled"
        rows["region"] = rows["territory"] = np.repeat(region, 4)
        mean = rate * 63 * rows["region"].map(REGION_EFFECT) ** context * np.repeat(truth[signal].to_numpy(), 4)
        rows["count"] = cluster * random.poisson(mean / cluster)
        work[signal] = rows[["rep_id", "count", "days", *TIME_CONTEXT]].astype({"count": float})
    return Evidence(date(2026, 6, 30), date(2025, 7, 1), people, closed, work), truth


def truly_short(truth: pd.DataFrame, margin: float = 0.15) -> set[tuple[str, str]]:
    """Pairs of rep and signal that lie the margin or more below the company's mean (cycles: above the median)."""
    relative = truth / truth.mean()
    relative["cycle"] = truth["cycle"] / float(np.exp(np.log(truth["cycle"]).mean()))
    limit = pd.Series({signal: 1 / (1 + margin) if signal == "cycle" else 1 - margin for signal in relative})
    short = (relative < limit).stack()
    return {(str(rep), str(signal)) for rep, signal in short.index[short.to_numpy()]}
