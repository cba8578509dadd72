"""The learned model: past rates, deal features, the classifier, and what won deals show."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.classifier.classifier import WinClassifier
from spm_models.win_probability.classifier.contributions import Contributions
from spm_models.win_probability.features import deal_features, groups_of, learnable
from spm_models.win_probability.past_rates import PastRates
from spm_models.win_probability.typical import Typical

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class DealModel:
    """From rows of a pipeline to log-odds, intervals and contributions.

    Parameters
    ----------
    rates : PastRates
        What is known of reps, accounts, products … from decided deals.
    columns : list of str
        Features that were learned from.
    classifier : WinClassifier
    typical : Typical
        What won deals show at each stage, for sentences.
    """

    rates: PastRates
    columns: list[str]
    classifier: WinClassifier
    typical: Typical

    @classmethod
    def fit(
        cls, rows: pd.DataFrame, snapshots: pd.DataFrame, closed: pd.DataFrame, *, level: float, seed: int
    ) -> DealModel:
        """Learn from a learning set.

        Parameters
        ----------
        rows : DataFrame
            :func:`~spm_models.win_probability.training.learning_set`: ``won``, ``closed_on`` and ``weight`` beside
            the snapshot.
        snapshots : DataFrame
            All snapshots until then; those of deals still open show which columns give a decision away.
        closed : DataFrame
            :func:`~spm_models.win_probability.past_rates.closed_with_keys`.
        level : float
            Of intervals.
        seed : int
        """
        rates = PastRates().fit(closed, snapshots[snapshots["as_of"] <= rows["closed_on"].max()])
        features = deal_features(rows, rates)
        columns = learnable(features, deal_features(_undecided(snapshots, closed), rates))
        classifier = WinClassifier(level=level, random_state=seed).fit(
            features[columns], rows["won"].to_numpy(bool), time=rows["as_of"].to_numpy(),
            matured=rows["closed_on"].to_numpy(), groups=rows["opportunity_id"].to_numpy(),
            sample_weight=rows["weight"].to_numpy(),
        )  # fmt: skip
        return cls(rates, columns, classifier, Typical().fit(features, rows["won"], rows["opportunity_id"]))

    def features(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Features of rows of a pipeline, those that were learned from and those that can be told."""
        return deal_features(rows, self.rates)

    def log_odds(self, features: pd.DataFrame) -> Floats:
        """Log-odds, shape (rows,)."""
        return np.asarray(self.classifier.decision_function(features[self.columns]))

    def interval(self, features: pd.DataFrame) -> Floats:
        """Bounds of the probability, shape (rows, 2)."""
        return np.asarray(self.classifier.interval(features[self.columns]))

    def contributions(self, features: pd.DataFrame) -> Contributions:
        """Log-odds taken apart into the reasons that a seller understands."""
        return self.classifier.contributions(features[self.columns], groups_of(self.columns))

    def state(self) -> dict[str, Any]:
        """Everything that predictions need, for ``published.models.save``."""
        return {
            "rates": asdict(self.rates), "columns": self.columns, "classifier": self.classifier.state(),
            "typical": self.typical.state(),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> DealModel:
        """The model that :meth:`state` described."""
        return cls(
            PastRates(**state["rates"]), list(state["columns"]), WinClassifier.from_state(state["classifier"]),
            Typical.from_state(state["typical"]),
        )  # fmt: skip


def _undecided(snapshots: pd.DataFrame, closed: pd.DataFrame) -> pd.DataFrame:
    """The latest snapshots in which deals stood that nobody has decided yet."""
    still_open = snapshots[~snapshots["opportunity_id"].isin(closed["opportunity_id"])]
    last: pd.Timestamp = still_open["as_of"].max()
    return still_open.loc[still_open["as_of"] == last]
