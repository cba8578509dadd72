"""Places and badges in companies of which the truth is known: do all ranges hold, and how often is chance celebrated.

Alone: ``PYTHONPATH=benchmarks python -m coaching_study.team [COMPANIES]``.
"""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace

import numpy as np
import pandas as pd

from coaching_study.flags import review
from spm_models.coaching import Evidence, simulate_evidence
from spm_models.coaching.simulation import LAST
from spm_models.coaching.team.change import whole_quarters
from spm_models.coaching.team.improvement import improvements
from spm_models.coaching.team.leaderboard import leaderboard
from spm_models.periods import FiscalCalendar

MEASURES = ("win_rate", "deal_size", "price_kept", "follow_up", "pipeline_creation")
SPREADS = (0.0, 0.2)
WON_MORE = (0.4, 0.6)  #: of the deals lost in the later half-year, won by the one who improved
QUARTERS = whole_quarters(pd.Timestamp(LAST), FiscalCalendar())


def study(companies: int, workers: int = 2) -> dict[str, float]:
    """All figures, for companies of 12 reps.

    ``team_ranges_hold_together``: share of boards on which no range of places misses the true one (90 % is stated),
    ``_like`` where nobody differs; ``team_tied``: share of colleagues who cannot be told apart from somebody where
    reps differ; ``team_single_ranges_hold``: the same boards read as if each pair had been compared alone.
    ``team_badges_by_chance``: share of companies in which nobody changes that see any badge for improvement;
    ``team_badge_seen_64``: share of reps with a badge whose win rate rose from 40 % to about 64 %, ``_76``: to 76 %;
    ``team_badge_false``: share of such companies in which a colleague, who did not change, has one too.
    """
    with ProcessPoolExecutor(workers) as pool:
        boards = pd.concat(pool.map(places, range(companies)), ignore_index=True)
        earned = pd.DataFrame(pool.map(celebrated, range(companies)))
    like = boards["spread"] == 0
    return {
        "team_ranges_hold_together": float(boards.loc[~like, "held"].mean()),
        "team_ranges_hold_together_like": float(boards.loc[like, "held"].mean()),
        "team_single_ranges_hold": float(boards["held_alone"].mean()),
        "team_tied": float(boards.loc[~like, "tied"].mean()),
        "team_badges_by_chance": float(earned["chance"].mean()),
        "team_badge_seen_64": float(earned.loc[earned["more"] == WON_MORE[0], "seen"].mean()),
        "team_badge_seen_76": float(earned.loc[earned["more"] == WON_MORE[1], "seen"].mean()),
        "team_badge_false": float(earned["false"].mean()),
    }


def places(seed: int, reps: int = 12) -> pd.DataFrame:
    """One row a measure: whether every range holds the true place."""
    spread = SPREADS[seed % len(SPREADS)]
    evidence, truth = simulate_evidence(7000 + seed, reps=reps, spread=spread)
    board = leaderboard(review(evidence), MEASURES, seed=seed)
    found = []
    for measure, rows in board.groupby("measure"):
        true = truth.relative[str(measure), ""].reindex(rows["rep_id"]).to_numpy(dtype=float)
        apart = (true[None, :] - true[:, None]) / np.maximum(true[None, :], 1e-9)
        first, last = 1 + (apart > 1e-9).sum(axis=1), len(true) - (apart < -1e-9).sum(axis=1)
        held = rows["rank_low"].le(first) & rows["rank_high"].ge(last)
        found.append({
            "measure": measure, "spread": spread, "held": bool(held.all()), "held_alone": _alone(rows, first, last),
            "tied": float((rows["tied_with"] / (rows["reps"] - 1)).mean()),
        })  # fmt: skip
    return pd.DataFrame(found)


def _alone(rows: pd.DataFrame, first: pd.Series, last: pd.Series) -> bool:
    """Whether ranges would hold that compare each pair by itself at 90 %: value ranges of 80 % that do not overlap."""
    low, high = rows["low"].to_numpy(), rows["high"].to_numpy()
    above = low[:, None] > high[None, :]
    return bool(((1 + above.sum(axis=0) <= first) & (len(rows) - above.sum(axis=1) >= last)).all())


def celebrated(seed: int, reps: int = 12) -> dict[str, float]:
    """Badges for improvement where nobody changes, and where one rep wins far more than before."""
    evidence, _ = simulate_evidence(5000 + seed, reps=reps, spread=SPREADS[seed % len(SPREADS)])
    plain = improvements(review(evidence).posteriors, evidence, QUARTERS)
    one = evidence.reps["rep_id"].iloc[seed % reps]
    more = WON_MORE[seed // 2 % len(WON_MORE)]
    better = improved(evidence, str(one), more, seed)
    given = improvements(review(better).posteriors, better, QUARTERS)
    return {"more": more, "chance": float(len(plain) > 0), "seen": float(one in set(given["rep_id"])),
            "false": float(given["rep_id"].ne(one).any())}  # fmt: skip


def improved(evidence: Evidence, rep: str, more: float, seed: int) -> Evidence:
    """The same company in which a rep won some of the deals that he lost in the later half-year."""
    later = [period.label for period in QUARTERS[2:]]
    deals = evidence.deals.copy()
    chosen = deals["rep_id"].eq(rep) & deals["period"].isin(later) & ~deals["won"]
    chosen &= np.random.default_rng(seed).random(len(deals)) < more
    deals.loc[chosen, "won"] = True
    assert evidence.stages is not None
    further = evidence.stages["opportunity_id"].isin(set(deals.loc[chosen, "opportunity_id"]))
    return replace(evidence, deals=deals, stages=evidence.stages.assign(advanced=evidence.stages["advanced"] | further))


if __name__ == "__main__":
    for name, value in study(int(sys.argv[1]) if len(sys.argv) > 1 else 200).items():
        print(f"{name:<34}{value:>8.3f}")
