"""Plain rates, and the frequency score that an open-source CRM shows beside its leads."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

Floats = np.ndarray


@dataclass
class Rate:
    """Share won, of all rows or of each segment; one win and one loss are added to each (Laplace)."""

    segment: str | None = None
    common: float = 0.5
    rates: pd.Series = field(default_factory=lambda: pd.Series(dtype=float))

    def fit(self, X: pd.DataFrame, y: Floats, weight: Floats) -> Rate:
        self.common = float((weight @ y + 1) / (weight.sum() + 2))
        if self.segment is not None:
            rows = pd.DataFrame({"won": weight * y, "n": weight}).groupby(X[self.segment].fillna("").to_numpy()).sum()
            self.rates = (rows["won"] + 1) / (rows["n"] + 2)
        return self

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        p = np.full(len(X), self.common)
        if self.segment is not None:
            p = X[self.segment].fillna("").map(self.rates).fillna(self.common).to_numpy(dtype=float)
        return np.column_stack([1 - p, p])


@dataclass
class FrequencyScore:
    """Naive Bayes on how often each value was won and lost, counted for each team.

    As the predictive lead scoring of the open-source CRM Odoo does it: numbers are not looked at, 0.1 is added to every
    count, a value that was never seen and a missing one say nothing, teams do not learn from each other, and the result
    is rounded to hundredths of a per cent within 0.01 and 99.99. A team without a win or a loss is scored by
    everybody's counts.
    """

    team: str | None = None
    extra: float = 0.1
    tables: dict[str, tuple[float, float, dict[str, pd.DataFrame]]] = field(default_factory=dict)

    def fit(self, X: pd.DataFrame, y: Floats, weight: Floats) -> FrequencyScore:
        words = _words(X)
        self.tables[""] = self._count(words, y, weight)
        if self.team is not None:
            for team, rows in words.groupby(self.team).indices.items():
                if 0 < y[rows].sum() < len(rows):
                    self.tables[str(team)] = self._count(words.iloc[rows], y[rows], weight[rows])
        return self

    def predict_proba(self, X: pd.DataFrame) -> Floats:
        words = _words(X)
        team = words[self.team].where(words[self.team].isin(list(self.tables)), "") if self.team else None
        p = np.empty(len(X))
        keys = pd.Series("", index=words.index) if team is None else team.fillna("")
        for name, rows in keys.groupby(keys).indices.items():
            won, lost, counts = self.tables[str(name)]
            odds = np.full(len(rows), np.log(won / lost))
            for column, table in counts.items():
                seen = table.reindex(words[column].iloc[rows]).to_numpy()
                odds += np.nan_to_num(np.log(seen[:, 0] / won) - np.log(seen[:, 1] / lost))
            p[rows] = np.clip(np.round(1 / (1 + np.exp(-np.clip(odds, -30, 30))), 4), 0.0001, 0.9999)
        return np.column_stack([1 - p, p])

    def _count(self, words: pd.DataFrame, y: Floats, weight: Floats) -> tuple[float, float, dict[str, pd.DataFrame]]:
        rows = pd.DataFrame({"won": weight * y, "lost": weight * (1 - y)})
        counts = {
            name: rows.groupby(words[name].to_numpy()).sum() + self.extra
            for name in words if name != self.team and words[name].notna().any()
        }  # fmt: skip
        return float(rows["won"].sum() + self.extra), float(rows["lost"].sum() + self.extra), counts


def _words(X: pd.DataFrame) -> pd.DataFrame:
    return X.select_dtypes("str").reset_index(drop=True)
