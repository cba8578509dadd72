"""The coaching review: signals of every rep against what was to be expected in the same context, pooled and flagged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from spm_models.coaching.context import ContextEffects
from spm_models.coaching.detectable import detectable_delay, detectable_rate, detectable_shortfall
from spm_models.coaching.features import DEAL_CONTEXT, TIME_CONTEXT, Evidence
from spm_models.coaching.money import at_stake
from spm_models.coaching.result import CoachingFindings, empty_table
from spm_models.coaching.verdicts import by_rep, judge
from spm_models.errors import ModelError
from spm_models.inference import beta_binomial, gamma_poisson, normal_normal
from spm_models.inference.pooling import Pooled

SPREAD = 0.3  #: scale of the prior on how much reps differ, relative to what is expected
LEVEL = 0.8
WEEKS_OF_MONTH = 365.25 / 12 / 7
_PLAIN: dict[str, dict[str, Any]] = {
    "coaching_findings": {"part": "", "margin": 0.15, "quarters_below": 0},
    "coaching_verdicts": {"topic_part": "", "strength_part": "", "cause": "", "cause_probability": np.nan},
}
_SHOWN = ["actual", "expected", "pooled", "low", "high"]


class CoachingReview:
    """Partial pooling of win rate, activity, pipeline creation and cycle per rep, with flags that mean something.

    Parameters
    ----------
    seed : int
        Kept for a common interface; nothing is drawn at random.
    false_discovery_rate : float
        Share of the suggestions that may be wrong, over reps × signals and over reps.
    margin : float
        Relative shortfall from which on a difference matters.
    ramp_days : int
        Reps who are newer are not judged.

    Examples
    --------
    >>> review = CoachingReview(false_discovery_rate=0.05)
    >>> review.false_discovery_rate, review.margin
    (0.05, 0.15)
    """

    def __init__(
        self, seed: int = 20260101, false_discovery_rate: float = 0.10, *, margin: float = 0.15, ramp_days: int = 90
    ) -> None:
        self.seed, self.false_discovery_rate, self.margin, self.ramp_days = (
            seed,
            false_discovery_rate,
            margin,
            ramp_days,
        )

    def fit(self, evidence: Evidence) -> CoachingReview:
        """Learn what is typical in each context, how noisy each signal is, and what a won deal is worth.

        Signals without a single event are left out.
        """
        self.contexts_: dict[str, ContextEffects] = {}
        deals = evidence.deals
        if len(deals):
            cells = _win_cells(deals)
            self.contexts_["win_rate"] = ContextEffects("binomial", DEAL_CONTEXT).fit(cells, cells["won"], cells["n"])
        cells, within = _cycle_cells(deals)
        if cells["n"].sum() > len(cells["rep_id"].unique()) + 3:
            model = ContextEffects("normal", DEAL_CONTEXT).fit(cells, cells["mean"], cells["n"], within)
            self.contexts_["cycle"] = model
        for signal, rows in evidence.work.items():
            if rows["count"].sum() > 0:
                model = ContextEffects("poisson", TIME_CONTEXT).fit(rows, rows["count"], rows["days"])
                self.contexts_[signal] = model
        self.average_won_ = float(deals.loc[deals["won"], "amount"].mean())
        workdays = pd.concat([rows["days"] for rows in evidence.work.values()]) if evidence.work else pd.Series([63.0])
        self.workdays_ = float(workdays.quantile(0.9)) if len(workdays) else 63.0
        return self

    def predict(self, evidence: Evidence) -> CoachingFindings:
        """Judge every rep who is in role at the end of the window.

        Parameters
        ----------
        evidence : Evidence
            Usually the evidence that the review was fitted to; how much reps differ is taken from this one.

        Returns
        -------
        CoachingFindings

        Raises
        ------
        ModelError
            Before ``fit``.
        """
        if not hasattr(self, "contexts_"):
            raise ModelError("The review was not fitted", where="CoachingReview", remedy="Call fit(evidence) first.")
        today = pd.Timestamp(evidence.as_of)
        reps = evidence.reps[evidence.reps["left_on"].isna() | (evidence.reps["left_on"] > today)]
        parts = [self._signal(signal, evidence) for signal in sorted(self.contexts_)]
        if not parts or reps.empty:
            return self._findings(empty_table("coaching_findings"), _nobody(reps["rep_id"]), evidence)
        table = pd.concat(parts, ignore_index=True)
        table = table[table["rep_id"].isin(reps["rep_id"])].sort_values(["rep_id", "signal"], ignore_index=True)
        started = table["rep_id"].map(reps.set_index("rep_id")["start_on"])
        table["enough"] &= (today - started).dt.days >= self.ramp_days
        table["verdict"] = judge(table, self.false_discovery_rate)
        money = at_stake(table, self.average_won_, evidence.quarters, self.workdays_)
        table["money_at_stake"] = money.where(table["enough"]).round(2)
        weeks = {"activity": 1.0, "pipeline_creation": WEEKS_OF_MONTH}
        table[_SHOWN] = table[_SHOWN].mul(table["signal"].map(weeks).mul(evidence.working_week).fillna(1.0), axis=0)
        verdicts = by_rep(table).merge(self._detectable(table), on="rep_id", how="left")
        absent = reps.loc[~reps["rep_id"].isin(verdicts["rep_id"]), "rep_id"]
        return self._findings(table, pd.concat([verdicts, _nobody(absent)], ignore_index=True), evidence)

    def _signal(self, signal: str, evidence: Evidence) -> pd.DataFrame:
        if signal == "win_rate":
            return self._win_rate(_win_cells(evidence.deals))
        if signal == "cycle":
            return self._cycle(_cycle_cells(evidence.deals)[0])
        rows = evidence.work.get(signal)
        return self._work(signal, rows) if rows is not None else pd.DataFrame()

    def _win_rate(self, cells: pd.DataFrame) -> pd.DataFrame:
        cells = cells.assign(expected=self.contexts_["win_rate"].expected(cells) * cells["n"])
        reps = cells.groupby("rep_id", as_index=False)[["n", "won", "expected"]].sum()
        expected = (reps["expected"] / reps["n"]).clip(1e-3, 1 - 1e-3).to_numpy()
        pooled = beta_binomial(reps["won"], reps["n"], expected, level=LEVEL, spread=SPREAD)
        enough = detectable_shortfall(reps["n"], expected, **self._test(reps))
        actual = (reps["won"] / reps["n"]).to_numpy()
        return self._rows("win_rate", reps["rep_id"], actual, expected, pooled, reps["n"], enough)

    def _work(self, signal: str, rows: pd.DataFrame) -> pd.DataFrame:
        model = self.contexts_[signal]
        rows = rows.assign(expected=model.expected(rows) * rows["days"])
        reps = rows.groupby("rep_id", as_index=False)[["count", "days", "expected"]].sum()
        expected = (reps["expected"] / reps["days"]).to_numpy()
        pooled = gamma_poisson(
            reps["count"], reps["days"], expected, dispersion=model.dispersion_, level=LEVEL, spread=SPREAD
        )
        enough = detectable_rate(reps["expected"], model.dispersion_, **self._test(reps))
        actual = (reps["count"] / reps["days"]).to_numpy()
        return self._rows(signal, reps["rep_id"], actual, expected, pooled, reps["days"], enough)

    def _cycle(self, cells: pd.DataFrame) -> pd.DataFrame:
        model = self.contexts_["cycle"]
        cells = cells.assign(expected=model.expected(cells) * cells["n"], total=cells["mean"] * cells["n"])
        reps = cells.groupby("rep_id", as_index=False)[["n", "total", "expected"]].sum()
        actual, expected = (reps["total"] / reps["n"]).to_numpy(), (reps["expected"] / reps["n"]).to_numpy()
        pooled = normal_normal(
            actual, np.sqrt(model.dispersion_ / reps["n"]), expected, level=LEVEL, spread=np.log1p(SPREAD)
        )
        enough = detectable_delay(reps["n"], model.dispersion_, **self._test(reps))
        table = self._rows("cycle", reps["rep_id"], actual, expected, pooled, reps["n"], enough)
        table["probability_below"] = 1 - pooled.below(expected + np.log1p(self.margin))
        table["probability_above"] = pooled.below(expected - np.log1p(self.margin))
        table[_SHOWN] = np.maximum(np.exp(table[_SHOWN]) - 1, 0.0)  # features are the logarithm of days + 1
        return table

    def _test(self, reps: pd.DataFrame) -> dict[str, Any]:
        return {"reps": len(reps), "false_discovery_rate": self.false_discovery_rate}

    def _rows(
        self, signal: str, rep_id: pd.Series, actual: np.ndarray, expected: np.ndarray, pooled: Pooled, n: pd.Series,
        detectable: np.ndarray,
    ) -> pd.DataFrame:  # fmt: skip
        return pd.DataFrame(
            {
                "rep_id": rep_id.to_numpy(), "signal": signal, "actual": actual, "expected": expected,
                "pooled": pooled.mean, "low": pooled.low, "high": pooled.high, "n": n.to_numpy(dtype=float),
                "probability_below": pooled.below((1 - self.margin) * expected),
                "probability_above": 1 - pooled.below((1 + self.margin) * expected),
                "enough": ~np.isnan(detectable), "detectable": detectable,
            }
        )  # fmt: skip

    def _detectable(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.loc[table["signal"] == "win_rate", ["rep_id", "detectable"]]

    def _findings(self, table: pd.DataFrame, verdicts: pd.DataFrame, evidence: Evidence) -> CoachingFindings:
        published = {"coaching_findings": table, "coaching_verdicts": verdicts}
        for name, rows in published.items():
            schema = empty_table(name)
            rows = rows.assign(as_of=pd.Timestamp(evidence.as_of), **_PLAIN[name])
            published[name] = rows[list(schema)].astype(schema.dtypes.to_dict())
        inseparable = {column for model in self.contexts_.values() for column in model.inseparable_}
        return CoachingFindings(
            published["coaching_findings"],
            published["coaching_verdicts"].sort_values("rep_id", ignore_index=True),
            self.margin,
            self.false_discovery_rate,
            tuple(sorted(inseparable)),
        )


def _win_cells(deals: pd.DataFrame) -> pd.DataFrame:
    cells = deals.groupby(["rep_id", *DEAL_CONTEXT], as_index=False, sort=True).agg(
        n=("won", "size"), won=("won", "sum")
    )
    return cells.astype({"n": float, "won": float})


def _cycle_cells(deals: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Mean of log(days + 1) of won deals by rep and context, and the squares around these means."""
    won = deals.loc[deals["won"] & deals["days"].ge(0), ["rep_id", "days", *DEAL_CONTEXT]]
    won = won.assign(log_days=np.log1p(won["days"]), square=np.log1p(won["days"]) ** 2)
    grouped = won.groupby(["rep_id", *DEAL_CONTEXT], as_index=False, sort=True)
    cells = grouped.agg(n=("log_days", "size"), mean=("log_days", "mean"), squares=("square", "sum"))
    cells = cells.astype({"n": float})
    within = float((cells["squares"] - cells["n"] * cells["mean"] ** 2).sum())
    return cells.drop(columns="squares"), max(within, 0.0)


def _nobody(rep_ids: pd.Series) -> pd.DataFrame:
    """Verdicts of reps about whom there is no evidence at all."""
    return pd.DataFrame(
        {"rep_id": rep_ids.to_numpy(), "verdict": "not_enough_data", "topic": None, "strength": None,
         "money_at_stake": np.nan, "detectable": np.nan}
    )  # fmt: skip
