"""What won deals usually show: the other half of a sentence such as "quiet for 24 days, twice as long as usual".

Quantiles are weighted so that each deal counts once per stage, however often it was seen there, and those of a stage
and kind with few won deals lean on those of all won deals.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
QUANTILES = (0.25, 0.5, 0.75)
PRIOR_DEALS = 20.0  # won deals of the wider group that a narrower one is mixed with
LEAST_DEALS = 5
_SEPARATOR = "\x1f"


@dataclass
class Typical:
    """Quartiles of each numeric column among won deals: of all, of a stage, of a stage and kind.

    A narrower group's quartile is mixed with that of the wider one as if the latter were 20 more deals (a shrinkage
    of quantiles towards a common value in the manner of Efron and Morris, JASA 70, 1975).

    Parameters
    ----------
    columns : list of str
        Numeric columns that were learned.
    groups : dict of str to list
        Quartiles by group, shape (columns, 3); the group of everybody is ``""``.

    Examples
    --------
    >>> seen = pd.DataFrame({"stage": ["Demo", "Demo", "Offer"] * 20, "days_since_activity": [2.0, 4.0, 9.0] * 20})
    >>> usual = Typical().fit(seen, pd.Series(True, seen.index), pd.Series(range(60)))
    >>> usual.of(seen.head(3), "days_since_activity").round(1).tolist()
    [3.3, 3.3, 6.5]
    """

    columns: list[str] = field(default_factory=list)
    groups: dict[str, list[list[float]]] = field(default_factory=dict)

    def fit(
        self, features: pd.DataFrame, won: pd.Series, deals: pd.Series, columns: Iterable[str] | None = None
    ) -> Typical:
        """Learn from the won rows of a learning set.

        Parameters
        ----------
        features : DataFrame, shape (rows, …)
            As of :func:`~spm_models.win_probability.features.deal_features`; ``stage`` and ``kind`` name the groups.
        won, deals : Series, shape (rows,)
            Outcome, and identifier of the deal, of each row.
        columns : iterable of str, optional
            Without it, all numeric columns.
        """
        kept = won.to_numpy(dtype=bool)
        rows = features[kept]
        names = list(columns) if columns is not None else list(rows.select_dtypes("number").columns)
        self.columns, self.groups = [str(name) for name in names], {}
        values, deal = rows[names].to_numpy(dtype=np.float64), pd.factorize(deals.to_numpy()[kept])[0]
        if not len(rows):
            return self
        self.groups[""] = _quantiles(values, deal).tolist()
        for keys in _levels(rows):
            for name, places in sorted(pd.Series(range(len(rows))).groupby(keys).indices.items()):
                found = _quantiles(values[places], deal[places])
                wider = np.asarray(self.groups[self._wider(str(name))])
                seen = np.isfinite(values[places])
                n = np.array([len(np.unique(deal[places][seen[:, k]])) for k in range(len(names))])[:, None]
                if len(np.unique(deal[places])) >= LEAST_DEALS:
                    mixed = (n * np.nan_to_num(found) + PRIOR_DEALS * wider) / (n + PRIOR_DEALS)
                    self.groups[str(name)] = np.where(np.isnan(wider), found, mixed).tolist()
        return self

    def of(self, features: pd.DataFrame, column: str, quantile: float = 0.5) -> Floats:
        """What won deals of each row's stage and kind show, shape (rows,); NaN for what was not learned.

        Parameters
        ----------
        features : DataFrame, shape (rows, …)
            With ``stage`` and, if it is known, ``kind``.
        column : str
        quantile : {0.25, 0.5, 0.75}
        """
        if column not in self.columns or not self.groups:
            return np.full(len(features), np.nan)
        place, rank = self.columns.index(column), QUANTILES.index(quantile)
        table = {name: rows[place][rank] for name, rows in self.groups.items()}
        found = np.full(len(features), table[""])
        for keys in _levels(features):
            own = keys.map(table).to_numpy(dtype=np.float64)
            found = np.where(np.isnan(own), found, own)
        return found

    def state(self) -> dict[str, Any]:
        """Everything :meth:`of` needs, as plain values."""
        return {"columns": list(self.columns), "groups": dict(self.groups)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Typical:
        """What :meth:`state` described."""
        return cls(list(state["columns"]), dict(state["groups"]))

    def _wider(self, name: str) -> str:
        stage = name.split(_SEPARATOR)[0]
        return stage if _SEPARATOR in name and stage in self.groups else ""


def _levels(rows: pd.DataFrame) -> list[pd.Series]:
    """Name of each row's stage, and of its stage and kind; empty where one is unknown."""
    if "stage" not in rows:
        return []
    stage = rows["stage"].astype(object).reset_index(drop=True)
    if "kind" not in rows:
        return [stage]
    kind = rows["kind"].astype(object).reset_index(drop=True)
    both = (stage.astype("str") + _SEPARATOR + kind.astype("str")).astype(object)
    return [stage, both.where(stage.notna() & kind.notna())]


def _quantiles(values: Floats, deal: npt.NDArray[Any]) -> Floats:
    """Weighted quartiles of each column, shape (columns, 3): each deal has weight 1 in all."""
    weight = 1 / np.bincount(deal)[deal]
    order = np.argsort(values, axis=0, kind="stable")
    ranked = np.take_along_axis(values, order, axis=0)
    heavy = np.where(np.isfinite(ranked), weight[order], 0.0)
    total = heavy.sum(axis=0)
    middle = (np.cumsum(heavy, axis=0) - heavy / 2) / np.where(total > 0, total, 1)
    found = np.full((values.shape[1], len(QUANTILES)), np.nan)
    for k in np.flatnonzero(total > 0):
        known = heavy[:, k] > 0
        found[k] = np.interp(QUANTILES, middle[known, k], ranked[known, k])
    return found
