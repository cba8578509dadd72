"""How the market stands week by week: steady, or turning, so that win rates and the mix of deals drift."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spm_models.sample_company.draws import Draws, Floats

SOURCES = np.array([0.30, 0.40, 0.15, 0.15])  #: of new business: inbound, outbound, partner, event
PRODUCTS = np.array([20.0, 16, 7, 16, 10, 15, 9, 7])
_SOURCES_IN_DEMAND = np.array([0.55, 0.15, 0.20, 0.10])  # people ask us instead of being asked
_PRODUCTS_IN_DEMAND = np.array([8.0, 24, 16, 6, 18, 6, 16, 6])
_WORST, _BEST = -0.35, 1.0
_ROUGH = 0.05  # standard deviation of the level's own moves, a week
_MOOD, _BUDGETS = 0.10, 0.22  # what a level of 1 adds to the ceiling of conviction, and to log budgets


@dataclass(frozen=True)
class Climate:
    """Level of the market in each week, 0 where it is as usual.

    Parameters
    ----------
    level : array, shape (weeks,)
        Negative in bad times. Everything below follows from it.
    """

    level: Floats

    @classmethod
    def of(cls, draws: Draws, past: int, ahead: int, drift: float) -> Climate:
        """A market that gets worse, turns in the second half of the records, and then gets better, by ``drift``.

        With a negative ``drift`` it gets better first. After the records it stays as it stands on their last day, so
        that true chances have one answer.
        """
        if drift == 0:
            return cls(np.zeros(past + ahead))
        key = draws.keys("climate")
        turn = past * (0.5 + 0.2 * float(draws.uniform("turn", key)[0]))
        week = np.arange(past, dtype=np.float64)
        path = np.interp(week, [0.0, turn, turn + 0.6 * (past - turn)], [0.0, _WORST, _BEST])
        rough = _ROUGH * draws.normal("rough", draws.keys("climate", np.arange(past)))
        path = path + np.convolve(rough, 0.9 ** np.arange(26))[:past]
        return cls(drift * np.concatenate([path, np.full(ahead, path[-1])]))

    def mood(self, week: int) -> float:
        """What is added to the conviction that buyers can reach."""
        return _MOOD * float(self.level[week])

    def budgets(self, week: int) -> float:
        """Factor on what buyers can pay."""
        return float(np.exp(_BUDGETS * self.level[week]))

    def sources(self, week: int) -> Floats:
        """Weights of the sources of new business."""
        return self._moved(SOURCES, _SOURCES_IN_DEMAND, week)

    def products(self, week: int) -> Floats:
        """Weights of the products that buyers ask for."""
        return self._moved(PRODUCTS, _PRODUCTS_IN_DEMAND, week)

    def _moved(self, usual: Floats, in_demand: Floats, week: int) -> Floats:
        share = min(max(float(self.level[week]), 0.0), 1.0)
        return usual if share == 0 else usual + share * (in_demand / in_demand.sum() * usual.sum() - usual)
