"""Were people's own probabilities better than the model's? Asked of deals that have been decided since."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from spm_models.evaluation.probability import brier
from spm_models.inference import bootstrap

LEAST = 10  #: decided deals with an override; fewer tell nothing


@dataclass(frozen=True)
class PeopleBesideModel:
    """Brier scores of overrides and of the model on the same decided deals (lower is better).

    ``gain`` is the model's score minus the people's: above zero people were better. ``low`` and ``high`` are its
    80 % interval, whole deals resampled. ``better`` is ``people``, ``model``, or empty where the interval holds zero.
    """

    n: int
    people: float
    model: float
    gain: float
    low: float
    high: float

    @property
    def better(self) -> str:
        """Who was better, if that can be told."""
        return "people" if self.low > 0 else "model" if self.high < 0 else ""


def people_beside_model(overrides: pd.DataFrame, *, least: int = LEAST, seed: int = 0) -> PeopleBesideModel | None:
    """Judge overrides by what became of the deals.

    Parameters
    ----------
    overrides : DataFrame
        One row an override of a decided deal: ``opportunity_id``, ``win_probability`` (the person's), ``model`` (the
        probability published when he wrote), ``won``. Rows without a ``model`` are left out.
    least : int
        Decided deals below which nothing is said.
    seed : int
        Of the bootstrap.

    Returns
    -------
    PeopleBesideModel or None
        None where there are too few.

    Notes
    -----
    Brier score: G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78
    (1950). People override the deals of which they know something, so this says how good overrides were, not how good
    the same people would be on all deals.

    Examples
    --------
    >>> said = pd.DataFrame({"opportunity_id": [f"o{k}" for k in range(12)], "win_probability": [0.9, 0.1] * 6,
    ...                      "model": 0.5, "won": [True, False] * 6})
    >>> found = people_beside_model(said)
    >>> found.n, round(found.people, 2), round(found.model, 2), found.better
    (12, 0.01, 0.25, 'people')
    """
    both = overrides.dropna(subset=["win_probability", "model"])
    if both["opportunity_id"].nunique() < least:
        return None
    won = both["won"].to_numpy(dtype=float)
    said, scored = (both[name].to_numpy(dtype=float) for name in ("win_probability", "model"))
    gain = bootstrap((scored - won) ** 2 - (said - won) ** 2, groups=both["opportunity_id"].to_numpy(), seed=seed)
    deals = int(both["opportunity_id"].nunique())
    return PeopleBesideModel(deals, brier(won, said), brier(won, scored), gain.value, gain.low, gain.high)
