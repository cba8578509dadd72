"""How often a rep's, an account's or a product's deals were won before: shrunk, and from the past only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

KEYS = ("rep_id", "account_id", "product_id", "territory", "manager_id")
LEAST_STRENGTH, MOST_STRENGTH = 5.0, 500.0


@dataclass
class PastRates:
    """Empirical-Bayes log-odds of winning per key, relative to everybody's.

    A key's deals are mixed with ``strength`` deals at the common rate (beta-binomial; Efron and Morris 1975). The
    difference to the common rate is used, not the rate itself: it does not drift with the calendar.
    """

    strength: dict[str, float] = field(default_factory=dict)
    counts: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    common: list[float] = field(default_factory=lambda: [0.0, 0.0])

    def __post_init__(self) -> None:
        self._closed: pd.DataFrame | None = None  # kept in memory only: a stored model scores from the counts

    def fit(self, closed: pd.DataFrame) -> PastRates:
        """Learn from closed deals: keys, ``closed_on``, ``won``."""
        self._closed = closed
        self.common = [float(closed["won"].sum()), float(len(closed))]
        for key in KEYS:
            table = closed.dropna(subset=[key]).groupby(key)["won"].agg(["sum", "size"]).sort_index()
            if len(table) >= 3:
                self.counts[key] = {str(k): [float(v.iloc[0]), float(v.iloc[1])] for k, v in table.iterrows()}
                self.strength[key] = _strength(table)
        return self

    def at(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Log-odds per row and key from deals closed by the row's ``as_of``; all learned ones after a reload."""
        return self.now(rows) if self._closed is None else self.then(rows, self._closed)

    def now(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Log-odds per row and key from all deals that were learned from."""
        found = {}
        all_won, all_n = self.common
        for key, counts in self.counts.items():
            table = pd.DataFrame.from_dict(counts, orient="index", columns=["won", "n"])
            values = table.reindex(rows[key].astype(object)).to_numpy()
            n_won, n = np.nan_to_num(values[:, 0]), np.nan_to_num(values[:, 1])
            found[f"{key}_past"] = self._log_odds(key, n_won, n, all_won, all_n, rows[key].notna().to_numpy())
        return pd.DataFrame(found, index=rows.index)

    def then(self, rows: pd.DataFrame, closed: pd.DataFrame) -> pd.DataFrame:
        """Log-odds per row and key from deals closed by the row's ``as_of``."""
        total_won, total = _until(rows, closed.assign(all="all"), "all", pd.Series("all", index=rows.index))
        found = {}
        for key in self.counts:
            n_won, n = _until(rows, closed.dropna(subset=[key]), key, rows[key])
            found[f"{key}_past"] = self._log_odds(key, n_won, n, total_won, total, rows[key].notna().to_numpy())
        return pd.DataFrame(found, index=rows.index)

    def _log_odds(self, key: str, won: Any, n: Any, all_won: Any, all_n: Any, known: np.ndarray) -> np.ndarray:
        base = (np.asarray(all_won) + 1) / (np.asarray(all_n) + 2)
        m = self.strength[key]
        odds = np.log(won + m * base) - np.log(n - won + m * (1 - base)) - np.log(base) + np.log1p(-base)
        return np.where(known, odds, np.nan)


def closed_with_keys(snapshots: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Closed deals with the keys of their last snapshot; the rep is the owner at the close."""
    others = [key for key in KEYS if key != "rep_id"]
    last = snapshots.sort_values("as_of").drop_duplicates("opportunity_id", keep="last")
    return outcomes[["opportunity_id", "rep_id", "closed_on", "won"]].merge(
        last[["opportunity_id", *others]], on="opportunity_id", how="left"
    )


def _strength(table: pd.DataFrame) -> float:
    """Deals at the common rate that one key is mixed with: many when keys hardly differ.

    The moment estimate of the beta-binomial's correlation within keys (Kleinman, JASA 68, 1973).
    """
    won, n = table["sum"].to_numpy(float), table["size"].to_numpy(float)
    total, keys = n.sum(), len(n)
    rate = float(np.clip(won.sum() / total, 0.02, 0.98))
    spread = (n * np.square(won / n - rate)).sum() / (rate * (1 - rate))
    free = total - np.square(n).sum() / total - (keys - 1)
    alike = (spread - (keys - 1)) / free if free > 0 else 0.0
    return float(np.clip(1 / alike - 1, LEAST_STRENGTH, MOST_STRENGTH)) if alike > 0 else MOST_STRENGTH


def _until(rows: pd.DataFrame, closed: pd.DataFrame, key: str, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Won and all deals of each row's key closed by its day."""
    events = closed.sort_values(["closed_on", "opportunity_id"])[[key, "closed_on", "won"]]
    events = events.assign(n_won=events.groupby(key)["won"].cumsum(), n=events.groupby(key).cumcount() + 1)
    left = pd.DataFrame({"day": rows["as_of"].to_numpy(), key: values.to_numpy(), "place": np.arange(len(rows))})
    left = left.dropna(subset=[key]).astype({key: "object"}).sort_values("day")
    joined = pd.merge_asof(
        left, events.astype({key: "object"}), left_on="day", right_on="closed_on", by=key
    )  # fmt: skip
    won, n = np.zeros(len(rows)), np.zeros(len(rows))
    won[joined["place"]], n[joined["place"]] = joined["n_won"].fillna(0), joined["n"].fillna(0)
    return won, n
