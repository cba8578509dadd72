"""When deals are decided: won, lost and still open as competing risks, in agreement with the win probability.

References
----------
Tutz and Schmid (2016), Modeling Discrete Time-to-Event Data, chapter 8. Kalbfleisch and Prentice (2002), The
Statistical Analysis of Failure Time Data, chapter 8. Larson and Dinse (1985), A mixture model for the regression
analysis of competing risks data, Applied Statistics 34: how a deal ends, and when it does given how. Fine and Gray
(1999), JASA 94: what is told is the cumulative incidence, not one minus a Kaplan-Meier curve.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError, NotEnoughDataError
from spm_models.periods import FiscalCalendar
from spm_models.win_probability.deal_timing import DealTiming
from spm_models.win_probability.hazard_terms import Terms, completed
from spm_models.win_probability.hazards import fit_effects, hazards, incidences
from spm_models.win_probability.person_periods import OPEN, landmarks, person_periods

Floats = npt.NDArray[np.float64]
LEAST_CLOSED = 5
_CHUNK = 10_000  # rows at a time: what is in the processor's cache is quick


class Timing:
    """Time from a snapshot to the end of a deal, won or lost.

    Parameters
    ----------
    seed : int
        Of the sample that a large company is learned from.

    Attributes
    ----------
    closed_ : int
        Closed deals that were learned from.

    Notes
    -----
    The hazards of winning and of losing in the next days and weeks are a multinomial logistic model of what the
    snapshot shows (stage, kind, due date, recency and volume of activities, time in stage, pushes) and of what is known
    to move with time (days to the expected close date, age, days to the quarter's end), learned from snapshots of all
    deals, those still open censored (:mod:`.hazard_terms`, :mod:`.hazards`). They give how the time until a win, and
    until a loss, is spread; how likely each is comes from the win probability ``p`` ("won, once decided"): the
    incidence of winning is scaled to end at ``p`` times the chance of ever closing, that of losing at ``1 - p`` times
    it. So the incidences and those still open sum to one, and rise with time.

    Examples
    --------
    >>> seen = pd.date_range("2025-01-05", periods=40, freq="7D")
    >>> deals = pd.DataFrame({"as_of": seen, "opportunity_id": [f"o{n:02}" for n in range(40)], "age_days": 0.0})
    >>> days = pd.to_timedelta(np.arange(40) % 4 * 7 + 7, unit="D")
    >>> closed = deals[["opportunity_id"]].assign(closed_on=seen + days, won=np.arange(40) % 2 == 0)
    >>> timing = Timing().fit(deals, closed)
    >>> now = pd.DataFrame({"as_of": pd.to_datetime(["2025-12-31"]), "opportunity_id": ["new"], "age_days": [0.0]})
    >>> found = timing.predict(now, [0.8])
    >>> found.by(30)[["won_by", "lost_by", "open"]].round(1).to_numpy().tolist()
    [[0.8, 0.2, 0.0]]
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(
        self,
        snapshots: pd.DataFrame,
        outcomes: pd.DataFrame,
        as_of: date | str | None = None,
        calendar: FiscalCalendar | None = None,
    ) -> Timing:
        """Learn from everything known at the end of ``as_of``.

        Parameters
        ----------
        snapshots : DataFrame
            Pipelines of regular days, weekly or monthly; all open deals, not only those decided since.
        outcomes : DataFrame
            Closed deals; those closed after ``as_of`` are ignored.
        as_of : date or ISO text, optional
            The last day in the data without it.
        calendar : FiscalCalendar, optional
            Calendar quarters without it.

        Raises
        ------
        NotEnoughDataError
            When fewer than five deals were seen open and then closed.
        """
        days = [pd.Timestamp(as_of)] if as_of is not None else [snapshots["as_of"].max(), outcomes["closed_on"].max()]
        end = max((day for day in days if pd.notna(day)), default=pd.Timestamp(0))
        rows = landmarks(completed(snapshots), outcomes, end)
        self.closed_ = int(rows.loc[rows["event"] != OPEN, "opportunity_id"].nunique())
        if self.closed_ < LEAST_CLOSED:
            raise NotEnoughDataError(
                "Too few deals were seen open and then closed", where="Timing.fit", found=self.closed_,
                remedy=f"Times can be learned from {LEAST_CLOSED} on; give snapshots of earlier days.",
            )  # fmt: skip
        periods = person_periods(rows, self.seed)
        self.terms_ = Terms().fit(rows, end.date(), calendar or FiscalCalendar())
        columns = self.terms_.columns(rows, periods.row, periods.bin)
        self.effects_ = fit_effects(periods, columns, self.terms_.all)
        return self

    def predict(self, pipeline: pd.DataFrame, win_probability: npt.ArrayLike) -> DealTiming:
        """Incidences of open deals.

        Parameters
        ----------
        pipeline : DataFrame
            A snapshot.
        win_probability : array-like, shape (rows,)
            Chance that each deal is won once it is decided; where it is empty, that of the hazards themselves is used.
        """
        rows = completed(pipeline)
        won, lost = agreeing(self.incidences(rows), np.asarray(win_probability, dtype=float))
        deals = rows[["as_of", "opportunity_id", "rep_id", "expected_close_on"]].reset_index(drop=True)
        return DealTiming(deals, won, lost, tuple(self.terms_.quarter_ends))

    def incidences(self, rows: pd.DataFrame) -> Floats:
        """Cumulative incidences by the hazards alone, shape (2, rows, edges): won, lost."""
        if not hasattr(self, "effects_"):
            raise ModelError("The model was not fitted", where="Timing", remedy="Call fit first.")
        rows = completed(rows)
        parts = [
            incidences(hazards(np.stack([self.terms_.log_hazards(part, effect) for effect in self.effects_])))
            for part in (rows.iloc[start : start + _CHUNK] for start in range(0, max(len(rows), 1), _CHUNK))
        ]
        return np.concatenate(parts, axis=1)

    def state(self) -> dict[str, Any]:
        """Everything that predictions need, as plain values and arrays."""
        if not hasattr(self, "effects_"):
            raise ModelError("The model was not fitted", where="Timing", remedy="Call fit first.")
        return {"seed": self.seed, "closed": self.closed_, "terms": asdict(self.terms_), "effects": self.effects_}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Timing:
        """The model that :meth:`state` described: it predicts the same."""
        timing = cls(state["seed"])
        timing.closed_, timing.terms_, timing.effects_ = state["closed"], Terms(**state["terms"]), state["effects"]
        return timing


def agreeing(found: Floats, win_probability: Floats) -> Floats:
    """Incidences whose ends agree with the win probability, shape (2, rows, edges).

    How likely a deal is to close at all, and how the times of wins and of losses are spread, stay as they are (Larson
    and Dinse 1985). This is Bayes' rule if what moved the probability tells nothing of the time.
    """
    ends = found[:, :, -1]
    closed = ends.sum(axis=0)
    own = np.divide(ends[0], closed, out=np.full(len(closed), 0.5), where=closed > 0)
    p = np.where(np.isnan(win_probability), own, np.clip(win_probability, 0.0, 1.0))
    scale = np.divide(np.stack([p, 1 - p]) * closed, ends, out=np.zeros_like(ends), where=ends > 0)
    return np.asarray(found * scale[:, :, None], dtype=float)
