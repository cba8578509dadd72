"""What the past says of a rep, an account, a product, and of a deal's pace: shrunk, and from the past only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.win_probability.typical import Typical

Floats = npt.NDArray[np.float64]
KEYS = ("rep_id", "account_id", "product_id", "territory", "manager_id")
LEAST_STRENGTH, MOST_STRENGTH = 5.0, 500.0
HALF_LIVES = (730.0, 365.0)  # days; tried beside one without end
FOREVER = 0.0
#: Columns that are compared with won deals of the same stage and kind.
PACE = ("age_days", "days_in_stage", "days_since_activity")
PACE_DAYS, LEAST_WON = 91, 20


@dataclass
class PastRates:
    """Empirical-Bayes log-odds of winning per key, relative to everybody's, and the pace of won deals.

    A key's deals are mixed with ``strength`` deals at the common rate (beta-binomial; Efron and Morris 1975). The
    difference to the common rate is used, not the rate itself: it does not drift with the calendar. Where telling the
    next outcome of a key from its earlier ones is clearly better so, older deals count less: half after ``half_life``
    days (0: all alike).

    Parameters
    ----------
    strength, half_life : dict of str to float
        By key.
    counts : dict
        Deals won and decided by key and value, as they count on ``learned_on``.
    common : list of float
        Deals won and decided in all.
    learned_on : str
        Day of the latest outcome.
    pace : list of dict
        What won deals showed (:class:`~spm_models.win_probability.typical.Typical`), by the day on which it was known.
    """

    strength: dict[str, float] = field(default_factory=dict)
    counts: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    common: list[float] = field(default_factory=lambda: [0.0, 0.0])
    half_life: dict[str, float] = field(default_factory=dict)
    learned_on: str = ""
    pace: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._closed: pd.DataFrame | None = None  # kept in memory only: a stored model scores from the counts

    def fit(self, closed: pd.DataFrame, snapshots: pd.DataFrame | None = None) -> PastRates:
        """Learn from closed deals (keys, ``closed_on``, ``won``); with ``snapshots`` of them also the pace of the won.

        See Also
        --------
        closed_with_keys : makes ``closed`` from snapshots and outcomes.
        """
        self._closed = closed
        self.common = [float(closed["won"].sum()), float(len(closed))]
        last = closed["closed_on"].max()
        self.learned_on = "" if pd.isna(last) else str(last.date())
        for key in KEYS:
            known = closed.dropna(subset=[key])
            table = known.groupby(key)["won"].agg(["sum", "size"]).sort_index()
            if len(table) >= 3:
                self.strength[key] = _strength(table)
                self.half_life[key] = self._best_half_life(key, known)
                heavy = _worth(known, self.half_life[key], last)
                sums = pd.DataFrame({"key": known[key], "won": heavy * known["won"], "n": heavy}).groupby("key").sum()
                self.counts[key] = dict(zip(map(str, sums.index), sums[["won", "n"]].to_numpy().tolist(), strict=True))
        if snapshots is not None:
            self.pace = _pace(snapshots, closed)
        return self

    def at(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Log-odds by deals closed by each row's ``as_of`` (after a reload: by all learned ones), and ratios of pace.

        Columns ``<key>_past``, and ``<column>_ratio`` where the pace was learned: the column beside the median of what
        deals won before that day showed at the same stage; 1 is usual.
        """
        found = self.now(rows) if self._closed is None else self.then(rows, self._closed)
        return found.assign(**self._ratios(rows))

    def now(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Log-odds per row and key from all deals that were learned from."""
        found = {}
        all_won, all_n = self.common
        for key, counts in self.counts.items():
            table = pd.DataFrame.from_dict(counts, orient="index", columns=["won", "n"])
            values = np.nan_to_num(table.reindex(rows[key].astype(object)).to_numpy())
            fading = self._fading(rows, key)
            known = rows[key].notna().to_numpy()
            found[f"{key}_past"] = self._log_odds(
                key, values[:, 0] * fading, values[:, 1] * fading, all_won, all_n, known
            )
        return pd.DataFrame(found, index=rows.index)

    def then(self, rows: pd.DataFrame, closed: pd.DataFrame) -> pd.DataFrame:
        """Log-odds per row and key from deals closed by the row's ``as_of``."""
        total_won, total = _until(rows, closed.assign(all="all"), "all", pd.Series("all", index=rows.index), FOREVER)
        found = {}
        for key in self.counts:
            life = self.half_life.get(key, FOREVER)
            n_won, n = _until(rows, closed.dropna(subset=[key]), key, rows[key], life)
            found[f"{key}_past"] = self._log_odds(key, n_won, n, total_won, total, rows[key].notna().to_numpy())
        return pd.DataFrame(found, index=rows.index)

    def _log_odds(self, key: str, won: Any, n: Any, all_won: Any, all_n: Any, known: np.ndarray) -> np.ndarray:
        base = (np.asarray(all_won) + 1) / (np.asarray(all_n) + 2)
        m = self.strength[key]
        odds = np.log(won + m * base) - np.log(np.maximum(n - won, 0) + m * (1 - base)) - np.log(base) + np.log1p(-base)
        return np.where(known, odds, np.nan)

    def _best_half_life(self, key: str, closed: pd.DataFrame) -> float:
        """One half-life is taken if it tells each next outcome better than none, by more than one standard error."""
        eve = closed.assign(as_of=closed["closed_on"] - pd.Timedelta(days=1))
        won = closed["won"].to_numpy(dtype=bool)
        total_won, total = _until(eve, closed.assign(all="all"), "all", pd.Series("all", index=eve.index), FOREVER)
        base = (total_won + 1) / (total + 2)
        m, losses = self.strength[key], {}
        for life in (FOREVER, *HALF_LIVES):
            n_won, n = _until(eve, closed, key, closed[key], life)
            p = (n_won + m * base) / (n + m)
            losses[life] = -np.log(np.where(won, p, 1 - p))
        best = min(HALF_LIVES, key=lambda life: float(losses[life].mean()))
        gain = losses[FOREVER] - losses[best]
        return best if gain.mean() > gain.std() / np.sqrt(len(gain)) else FOREVER

    def _fading(self, rows: pd.DataFrame, key: str) -> Floats | float:
        """How much of the counts is left on each row's day."""
        life = self.half_life.get(key, FOREVER)
        if not life or "as_of" not in rows or not self.learned_on:
            return 1.0
        late = (rows["as_of"] - pd.Timestamp(self.learned_on)).dt.days.to_numpy(dtype=np.float64)
        return np.asarray(np.exp2(-np.maximum(late, 0) / life))

    def _ratios(self, rows: pd.DataFrame) -> dict[str, Floats]:
        if not self.pace:
            return {}
        found = {name: np.full(len(rows), np.nan) for name in PACE}
        days = pd.to_datetime([past["known_on"] for past in self.pace])
        place = np.searchsorted(days.to_numpy(), rows["as_of"].to_numpy(), side="right") - 1
        for nth in np.unique(place[place >= 0]):
            here = place == nth
            usual = Typical.from_state(self.pace[nth])
            for name in PACE:
                median = usual.of(rows[here], name)
                found[name][here] = (rows[name].to_numpy(dtype=np.float64)[here] + 1) / (median + 1)
        return {f"{name}_ratio": values for name, values in found.items()}


def closed_with_keys(snapshots: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Closed deals with the keys of their last snapshot; the rep is the owner at the close."""
    others = [key for key in KEYS if key != "rep_id"]
    last = snapshots.sort_values("as_of").drop_duplicates("opportunity_id", keep="last")
    return outcomes[["opportunity_id", "rep_id", "closed_on", "won"]].merge(
        last[["opportunity_id", *others]], on="opportunity_id", how="left"
    )


def _pace(snapshots: pd.DataFrame, closed: pd.DataFrame) -> list[dict[str, Any]]:
    """What won deals showed, as known every quarter of a year."""
    won = closed.loc[closed["won"], ["opportunity_id", "closed_on"]].sort_values("closed_on")
    if len(won) < LEAST_WON:
        return []
    names = [name for name in ("stage", "kind", *PACE) if name in snapshots]
    rows = snapshots[["opportunity_id", *names]].merge(won, on="opportunity_id")
    first, last = won["closed_on"].iloc[LEAST_WON - 1], won["closed_on"].iloc[-1]
    made = []
    for day in pd.date_range(first, last, freq=f"{PACE_DAYS}D"):
        past = rows[rows["closed_on"] <= day]
        usual = Typical().fit(
            past, pd.Series(True, past.index), past["opportunity_id"], [c for c in PACE if c in names]
        )
        made.append(usual.state() | {"known_on": str(day.date())})
    return made


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


def _worth(closed: pd.DataFrame, life: float, day: pd.Timestamp) -> Floats:
    """How much each closed deal counts on a day."""
    if not life:
        return np.ones(len(closed))
    return np.asarray(np.exp2(-(day - closed["closed_on"]).dt.days.to_numpy(dtype=np.float64) / life))


def _until(rows: pd.DataFrame, closed: pd.DataFrame, key: str, values: pd.Series, life: float) -> tuple[Floats, Floats]:
    """Won and all deals of each row's key closed by its day, older ones counting less."""
    events = closed.sort_values(["closed_on", "opportunity_id"])[[key, "closed_on", "won"]]
    events = events.astype({"closed_on": "datetime64[s]"})
    last = events["closed_on"].max()
    heavy = pd.Series(_worth(events, life, last), index=events.index)
    by = events[key].to_numpy()
    events = events.assign(n_won=(heavy * events["won"]).groupby(by).cumsum(), n=heavy.groupby(by).cumsum())
    left = pd.DataFrame(
        {"day": rows["as_of"].to_numpy().astype("datetime64[s]"), key: values.to_numpy(), "place": np.arange(len(rows))}
    )
    left = left.dropna(subset=[key]).astype({key: "object"}).sort_values("day")
    joined = pd.merge_asof(left, events.astype({key: "object"}), left_on="day", right_on="closed_on", by=key)
    fading = np.exp2((last - joined["day"]).dt.days.to_numpy(dtype=np.float64) / life) if life else 1.0
    won, n = np.zeros(len(rows)), np.zeros(len(rows))
    won[joined["place"]] = joined["n_won"].fillna(0).to_numpy() * fading
    n[joined["place"]] = joined["n"].fillna(0).to_numpy() * fading
    return won, n
