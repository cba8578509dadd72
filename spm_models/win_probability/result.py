"""What the model says about open deals."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from html import escape

import pandas as pd

from spm_models.errors import ModelError
from spm_models.win_probability.deal_timing import DealTiming

#: Columns of ``DealScores.table``: those of the published table ``deal_scores`` that the snapshot knows.
TABLE: dict[str, str] = {
    "as_of": "datetime64[s]",
    "opportunity_id": "str",
    "rep_id": "str",
    "account_id": "str",
    "product_id": "str",
    "stage": "str",
    "created_on": "datetime64[s]",
    "expected_close_on": "datetime64[s]",
    "amount": "float64",
    "expected_amount": "float64",
    "age_days": "float64",
    "days_since_activity": "float64",
    "push_count": "float64",
    "win_probability": "float64",
    "low": "float64",
    "high": "float64",
    "scored_by": "str",
}
#: Columns of ``DealScores.reasons``: the published table ``deal_reasons``.
REASONS: dict[str, str] = {
    "opportunity_id": "str",
    "rep_id": "str",
    "rank": "int64",
    "feature": "str",
    "fact": "str",
    "value": "str",
    "typical": "str",
    "contribution": "float64",
    "points": "float64",
}


@dataclass(frozen=True, eq=False)
class DealScores:
    """Win probabilities of open deals and the reasons for them.

    Parameters
    ----------
    table : DataFrame
        One row a deal, sorted by ``opportunity_id``. ``win_probability`` is the chance that the deal is won once it
        is decided, ``low`` and ``high`` its 80 % interval (how sure the probability itself is). ``expected_amount``
        is amount × probability, with the list price where there is no amount. ``scored_by`` names what gave the
        number: ``model``, ``stage_rate``, ``rep_rate``, ``base_rate``, or ``not_enough_data`` (probability empty).
    reasons : DataFrame
        One row a deal and reason: ``feature`` is the group of features, ``fact`` the column that says it best (empty
        where none does), ``value`` what stands there and ``typical`` what won deals show (texts; empty: unknown).
        ``contribution`` is in log-odds, those of a deal add up to its log-odds; ``points`` add up to its probability.
        Rank 0 is the starting point that all deals share.

    timing : DealTiming, optional
        By when each deal is won, lost or still open; None where times could not be learned.

    Examples
    --------
    >>> table = pd.DataFrame({"win_probability": [0.2, 0.6], "amount": [100.0, 50.0], "scored_by": "model"})
    >>> DealScores(table.assign(expected_amount=table.amount * table.win_probability), pd.DataFrame()).summary()
      scored_by  deals  mean_probability  amount  expected_amount
    0     model      2               0.4   150.0             50.0
    """

    table: pd.DataFrame
    reasons: pd.DataFrame
    timing: DealTiming | None = None

    def by(self, when: date | str | float) -> pd.DataFrame:
        """Probability that each deal is won, lost or still open by a day: :meth:`DealTiming.by`.

        Raises
        ------
        ModelError
            When times could not be learned: fewer than five deals were seen open and then closed.
        """
        return self._known_timing().by(when)

    def slip(self) -> pd.Series:
        """Probability that each deal is still open after its expected close date: :meth:`DealTiming.slip`."""
        return self._known_timing().slip()

    def _known_timing(self) -> DealTiming:
        if self.timing is None:
            raise ModelError(
                "When deals are decided is not known", where="DealScores.by",
                remedy="Fit with snapshots in which at least five deals were open that have closed since.",
            )  # fmt: skip
        return self.timing

    def summary(self) -> pd.DataFrame:
        """One row per ``scored_by``: deals, mean probability, amount, expected amount."""
        groups = self.table.groupby("scored_by", sort=True)
        return groups.agg(
            deals=("win_probability", "size"),
            mean_probability=("win_probability", "mean"),
            amount=("amount", "sum"),
            expected_amount=("expected_amount", "sum"),
        ).reset_index()

    def largest(self, number: int = 10) -> pd.DataFrame:
        """Deals with the most expected amount, the largest first; deals without an amount come last."""
        ordered = self.table.sort_values(["expected_amount", "opportunity_id"], ascending=[False, True])
        return ordered.head(number).reset_index(drop=True)

    def why(self, opportunity_id: str) -> pd.DataFrame:
        """Reasons of one deal, those that move its probability most first; rank 0 is where all deals start."""
        return self.reasons[self.reasons["opportunity_id"] == opportunity_id].sort_values("rank", ignore_index=True)

    def __repr__(self) -> str:
        return f"DealScores({len(self.table)} deals)\n{self.summary().to_string(index=False)}"

    def _repr_html_(self) -> str:
        head = self.table.head(10)[["opportunity_id", "win_probability", "low", "high", "amount", "scored_by"]]
        title = escape(f"{len(self.table)} open deals")
        return f"<p><b>{title}</b></p>{self.summary().to_html(index=False)}{head.to_html(index=False)}"
