"""The coaching review: signals of every rep against what was to be expected in the same context, pooled and flagged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from spm_models.coaching import beside_peers
from spm_models.coaching.beside_peers import Compared
from spm_models.coaching.context import ContextEffects
from spm_models.coaching.detectable import detectable_delay, detectable_rate, detectable_shortfall
from spm_models.coaching.features import Evidence
from spm_models.coaching.money import at_stake
from spm_models.coaching.persistence import quarters_below
from spm_models.coaching.result import CoachingFindings, Posterior, empty_table
from spm_models.coaching.signals import COMPARED, MARGIN, ORDER, RESULTS, SIGNALS, Cells, Signal
from spm_models.coaching.verdicts import by_rep, judge
from spm_models.errors import ModelError
from spm_models.inference import beta_binomial, gamma_poisson, normal_normal

LEVEL = 0.8
TAILS = 0.1  #: share of reps who may differ much more than the others do
WEEKS_OF_MONTH = 365.25 / 12 / 7
_SHOWN = ["actual", "expected", "pooled", "low", "high"]
Key = tuple[str, str]  #: signal and part


class CoachingReview:
    """Partial pooling of each behaviour per rep, within context, with flags that mean something.

    Parameters
    ----------
    seed : int
        Kept for a common interface; nothing is drawn at random.
    false_discovery_rate : float
        Share of the suggestions that may be wrong, over reps × signals and over reps.
    margin : float
        Relative shortfall from which on a difference matters (of a kept price: a third of it).
    ramp_days : int
        Reps who are newer are not judged.

    References
    ----------
    Jones, Ohlssen and Spiegelhalter (2008), Use of the false discovery rate when comparing multiple health care
    providers, J. Clin. Epidemiol. 61; Efron (2010), Large-Scale Inference.

    Examples
    --------
    >>> review = CoachingReview(false_discovery_rate=0.05)
    >>> review.false_discovery_rate, review.margin
    (0.05, 0.15)
    """

    def __init__(
        self, seed: int = 20260101, false_discovery_rate: float = 0.10, *, margin: float = MARGIN, ramp_days: int = 90
    ) -> None:
        self.seed, self.false_discovery_rate, self.margin = seed, false_discovery_rate, margin
        self.ramp_days = ramp_days

    def fit(self, evidence: Evidence) -> CoachingReview:
        """Learn what is typical in each context, how noisy each signal is, and what a won deal is worth.

        Signals without a single event are left out.
        """
        self.contexts_: dict[Key, ContextEffects] = {}
        for signal in SIGNALS.values():
            for part, cells in signal.cells(evidence):
                model = ContextEffects(signal.family, signal.context)
                self.contexts_[signal.name, part] = model.fit(cells.rows, cells.y, cells.size, cells.within)
        deals = evidence.deals
        self.average_won_ = float(deals.loc[deals["won"], "amount"].mean()) if len(deals) else float("nan")
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
        posteriors = self._posteriors(evidence)
        table = self._table(posteriors, reps, evidence)
        if table.empty:
            nobody = _nobody(reps["rep_id"].sort_values())
            return self._findings(empty_table("coaching_findings"), nobody, posteriors, evidence)
        started = table["rep_id"].map(reps.set_index("rep_id")["start_on"])
        table["enough"] &= (today - started).dt.days >= self.ramp_days
        table["verdict"] = judge(table, self.false_discovery_rate)
        money = at_stake(table, posteriors.get(("win_rate", "")), self.average_won_, evidence.quarters)
        table["money_at_stake"] = money.where(table["enough"]).round(2)
        weeks = {"activity": 1.0, "pipeline_creation": WEEKS_OF_MONTH}
        table[_SHOWN] = table[_SHOWN].mul(table["signal"].map(weeks).mul(evidence.working_week).fillna(1.0), axis=0)
        verdicts = by_rep(table).merge(_detectable(table), on="rep_id", how="left")
        absent = reps.loc[~reps["rep_id"].isin(verdicts["rep_id"]), "rep_id"]
        verdicts = pd.concat([verdicts, _nobody(absent)], ignore_index=True)
        return self._findings(table, verdicts, posteriors, evidence)

    def _posteriors(self, evidence: Evidence) -> dict[Key, Posterior]:
        found: dict[Key, Posterior] = {}
        for signal in SIGNALS.values():
            for part, cells in signal.cells(evidence):
                if (model := self.contexts_.get((signal.name, part))) is not None:
                    found[signal.name, part] = self._pooled(signal, part, model, cells)
        for name in (*COMPARED, *RESULTS):
            compared = getattr(beside_peers, name)(evidence)
            if compared is not None:
                found[name, ""] = self._beside(name, compared)
        return found

    def _table(self, posteriors: dict[Key, Posterior], reps: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
        if not posteriors or reps.empty:
            return pd.DataFrame()
        table = pd.concat([one.frame(LEVEL) for one in posteriors.values()], ignore_index=True)
        table = table[table["rep_id"].isin(reps["rep_id"])]
        below = quarters_below(posteriors, evidence)
        table = table.merge(below, on=["rep_id", "signal", "part"], how="left").fillna({"quarters_below": 0})
        place = table["signal"].map({name: number for number, name in enumerate(ORDER)})
        return table.assign(place=place).sort_values(["rep_id", "place", "part"], ignore_index=True)

    def _pooled(self, signal: Signal, part: str, model: ContextEffects, cells: Cells) -> Posterior:
        margin = signal.margin * self.margin / MARGIN
        rows = cells.rows.assign(y=cells.y, size=cells.size, expected=model.expected(cells.rows))
        total = rows["y"] * rows["size"] if signal.family == "normal" else rows["y"]
        sums = rows.assign(total=total, awaited=rows["expected"] * rows["size"]).groupby("rep_id", sort=True)
        reps = sums[["total", "size", "awaited"]].sum().reset_index()
        size = reps["size"].to_numpy(dtype=float)
        actual, expected = reps["total"].to_numpy() / size, reps["awaited"].to_numpy() / size
        tested: dict[str, Any] = {"reps": len(reps), "false_discovery_rate": self.false_discovery_rate}
        if signal.family == "binomial":
            expected = expected.clip(1e-3, 1 - 1e-3)
            pooled = beta_binomial(reps["total"], size, expected, level=LEVEL, spread=signal.spread, tails=TAILS)
            detectable = detectable_shortfall(size, expected, **tested)
            relative_error = np.sqrt((1 - expected) / (expected * size))
        elif signal.family == "poisson":
            noise = model.dispersion_
            pooled = gamma_poisson(
                reps["total"], size, expected, dispersion=noise, level=LEVEL, spread=signal.spread, tails=TAILS
            )
            detectable = detectable_rate(reps["awaited"], noise, **tested)
            relative_error = np.sqrt(noise / reps["awaited"].to_numpy(dtype=float))
        else:
            error = np.sqrt(model.dispersion_ / size)
            spread = np.log1p(signal.spread) if signal.log else signal.spread * float(np.abs(expected).mean())
            pooled = normal_normal(actual, error, expected, level=LEVEL, spread=spread, tails=TAILS)
            relative = 1.0 if signal.log else expected**2
            detectable = detectable_delay(size, model.dispersion_ / relative, **tested)
            relative_error = error / np.sqrt(relative)
        doubt = model.doubt_.reindex(reps["rep_id"]).fillna(model.doubt_.max()).to_numpy(dtype=float)
        if signal.family == "binomial":
            doubt = doubt * (1 - expected)  # of the log odds, told of the share
        elif signal.family == "normal" and not signal.log:
            doubt = doubt / np.maximum(np.abs(expected), 1e-9)
        return Posterior(
            signal.name, part, reps["rep_id"], actual, expected, pooled, size, detectable, margin,
            log=signal.log, lower_is_better=signal.lower_is_better, days=signal.name == "cycle", rows=rows,
            doubt=doubt, own=1.0 if "territory" in model.effects_ else 1.0 - signal.place,
            error=relative_error,
        )  # fmt: skip

    def _beside(self, name: str, compared: Compared) -> Posterior:
        log = name == "trend"
        spread = np.log1p(0.3) if log else 0.3 * float(np.abs(compared.expected).mean())
        pooled = normal_normal(
            compared.value, compared.error, compared.expected, level=LEVEL, spread=spread, tails=TAILS
        )
        relative = compared.error if log else compared.error / np.maximum(np.abs(compared.expected), 1e-9)
        detectable = detectable_delay(
            np.ones(len(relative)), relative**2, reps=len(relative), false_discovery_rate=self.false_discovery_rate
        )
        return Posterior(
            name, "", compared.rep_id, compared.value, compared.expected, pooled, compared.n, detectable, self.margin,
            log=log, error=relative,
        )  # fmt: skip

    def _findings(
        self, table: pd.DataFrame, verdicts: pd.DataFrame, posteriors: dict[Key, Posterior], evidence: Evidence
    ) -> CoachingFindings:
        published = {
            "coaching_findings": table,
            "coaching_verdicts": verdicts.assign(cause="", cause_probability=np.nan),
        }
        for name, rows in published.items():
            schema = empty_table(name)
            rows = rows.assign(as_of=pd.Timestamp(evidence.as_of))
            published[name] = rows[list(schema)].astype(schema.dtypes.to_dict())
        inseparable = {column for model in self.contexts_.values() for column in model.inseparable_}
        return CoachingFindings(
            published["coaching_findings"],
            published["coaching_verdicts"].sort_values("rep_id", ignore_index=True),
            self.margin,
            self.false_discovery_rate,
            tuple(sorted(inseparable)),
            posteriors,
        )


def _detectable(table: pd.DataFrame) -> pd.DataFrame:
    """The smallest shortfall in win rate that each rep's data could show."""
    return table.loc[table["signal"] == "win_rate", ["rep_id", "detectable"]]


def _nobody(rep_ids: pd.Series) -> pd.DataFrame:
    """Verdicts of reps about whom there is no evidence at all."""
    return pd.DataFrame(
        {"rep_id": rep_ids.to_numpy(), "verdict": "not_enough_data", "topic": None, "topic_part": None,
         "strength": None, "strength_part": None, "money_at_stake": np.nan, "detectable": np.nan}
    )  # fmt: skip
