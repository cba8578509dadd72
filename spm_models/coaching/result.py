"""What a coaching review found: one row a rep and signal, one row a rep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy import special

from spm_models.inference.pooling import Pooled
from spm_models.published.schemas import TABLES

VERDICTS = ("coaching_suggestion", "watch", "doing_well", "fine", "not_enough_data")
Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
#: Seven points and weights of a standard normal distribution (Gauss and Hermite).
_POINTS, _WEIGHTS = np.polynomial.hermite.hermgauss(7)


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known about one signal (one part of it) of every rep.

    Parameters
    ----------
    signal, part : str
    rep_id : Series
    actual, expected : ndarray, shape (reps,)
        Seen, and typical in the same context; logarithms where ``log``.
    pooled : Pooled
        What is known after chance is allowed for, on the same scale.
    n, detectable : ndarray
        Observations, and the smallest relative shortfall that they could show (missing: none).
    margin : float
        Relative shortfall that matters.
    log, lower_is_better, days : bool
        Values are logarithms; less is better; logarithms of days + 1.
    rows : DataFrame, optional
        Rows behind it: ``rep_id``, context, ``y``, ``size``, ``expected``.
    doubt : ndarray or float
        Standard deviation of the relative performance that comes from not knowing the context's effect better.
    error : ndarray or float
        Standard error of what was seen, relative to what is expected.
    own : float
        Share of the differences that are the reps' own where their territories cannot be told apart from them.
    """

    signal: str
    part: str
    rep_id: pd.Series
    actual: Floats
    expected: Floats
    pooled: Pooled
    n: Floats
    detectable: Floats
    margin: float
    log: bool = False
    lower_is_better: bool = False
    days: bool = False
    rows: pd.DataFrame | None = None
    doubt: Floats | float = 0.0
    own: float = 1.0
    error: Floats | float = float("inf")

    @property
    def normal(self) -> bool:
        """Whether rows hold means, not counts."""
        return self.pooled.family == "normal"

    def probabilities(self) -> tuple[Floats, Floats]:
        """Posterior probability of a shortfall, and of an advantage, of at least the margin."""
        less, more = np.log1p(-self.margin), np.log1p(self.margin)
        if self.lower_is_better:
            less, more = -np.log1p(self.margin), np.log1p(self.margin)
        return self.below(np.exp(less)), 1 - self.below(np.exp(more))

    def below(self, share: float) -> Floats:
        """Posterior probability that performance beside a typical colleague is at most ``share``.

        What is expected is itself an estimate: the probability is averaged over how far it may be off. Of a difference
        that may be the territory's, only a share is the rep's.
        """
        total = np.zeros(len(self.expected))
        for point, weight in zip(_POINTS, _WEIGHTS, strict=True):
            shift = np.sqrt(2) * point * self._unknown
            total += weight / np.sqrt(np.pi) * self._below((np.log(share) + shift) / self.own)
        return np.clip(total, 0.0, 1.0)

    @property
    def _unknown(self) -> Floats:
        """Standard deviation of what is neither the rep's nor chance (log)."""
        between = self.pooled.spread
        if self.normal and not self.log:
            between = between / max(float(np.abs(self.expected).mean()), 1e-9)
        return np.asarray(np.hypot(self.own * np.asarray(self.doubt), np.sqrt(self.own * (1 - self.own)) * between))

    def _below(self, logged: Floats | float) -> Floats:
        if self.lower_is_better:
            return 1 - self.pooled.below(self.expected - logged)
        return self.pooled.below(self.expected + logged if self.log else self.expected * np.exp(logged))

    def seen(self) -> pd.DataFrame:
        """Log of performance beside a typical colleague as seen, chance included: ``value`` and its ``error``."""
        beside = self.actual - self.expected
        if not self.log:
            beside = np.log(np.maximum(self.actual, 0.1 * self.expected) / self.expected)
        index = pd.Index(self.rep_id, name="rep_id")
        error = np.broadcast_to(np.hypot(self.error, self.doubt), beside.shape)
        return pd.DataFrame({"value": -beside if self.lower_is_better else beside, "error": error}, index=index)

    def relative(self) -> pd.DataFrame:
        """Performance beside a typical colleague (1 is typical, less is a shortfall): ``mean``, ``low``, ``high``."""
        values = np.column_stack([self.pooled.mean, self.pooled.low, self.pooled.high])
        beside = (
            values - self.expected[:, None] if self.log else np.log(np.maximum(values, 1e-12) / self.expected[:, None])
        )
        if self.lower_is_better:
            beside = -beside[:, [0, 2, 1]]
        beside = beside * self.own
        reach = special.ndtri((1 + self.pooled.level) / 2) * self._unknown
        for column, side in ((1, -1), (2, 1)):
            beside[:, column] = beside[:, 0] + side * np.hypot(beside[:, column] - beside[:, 0], reach)
        index = pd.Index(self.rep_id, name="rep_id")
        return pd.DataFrame(np.exp(beside), index=index, columns=["mean", "low", "high"])

    def relative_draws(self, random: np.random.Generator, number: int) -> Floats:
        """Performance beside a typical colleague drawn from what is known, shape (number, reps)."""
        values = self.pooled.draws(random, number)
        beside = values - self.expected if self.log else np.log(np.maximum(values, 1e-12) / self.expected)
        if self.lower_is_better:
            beside = -beside
        unknown = self._unknown * random.standard_normal((number, len(self.expected)))
        return np.asarray(np.exp(beside * self.own + unknown))

    def frame(self, level: float) -> pd.DataFrame:
        """Rows of ``coaching_findings``, in the signal's unit."""
        below, above = self.probabilities()
        table = pd.DataFrame(
            {
                "rep_id": self.rep_id.to_numpy(), "signal": self.signal, "part": self.part, "actual": self.actual,
                "expected": self.expected, "pooled": self.pooled.mean, "low": self.pooled.low,
                "high": self.pooled.high, "n": self.n, "margin": self.margin, "detectable": self.detectable,
                "probability_below": below, "probability_above": above, "enough": ~np.isnan(self.detectable),
            }
        )  # fmt: skip
        shown = ["actual", "expected", "pooled", "low", "high"]
        if self.days:
            table[shown] = np.maximum(np.exp(table[shown]) - 1, 0.0)
        elif self.log:
            table[shown] = np.exp(table[shown])
        return table


@dataclass(frozen=True, eq=False)
class CoachingFindings:
    """Findings of one review.

    Parameters
    ----------
    table : DataFrame
        Published as ``coaching_findings``: one row a rep and signal. ``actual``, ``expected`` (a typical colleague in
        the same context), ``pooled`` with ``low`` and ``high`` (80 % range) are in the signal's unit: a share for
        ``win_rate``, ``stage_conversion`` (of the stage in ``part``), ``follow_up``, ``price_kept`` and ``focus``;
        contacts per working week for ``activity``; new deals per month of full presence for ``pipeline_creation`` (in
        average deals: one of twice the usual size counts 2); days for ``cycle``; company currency for ``deal_size``
        (geometric mean); ratios for ``trend`` (pace now over pace before), ``attainment`` and ``coverage``.
        ``n`` is deals, days worked, or wins.
        ``probability_below`` is the posterior probability of a shortfall of at least the margin.
    verdicts : DataFrame
        Published as ``coaching_verdicts``: one row a rep. ``topic`` is the one thing to talk about, ``strength``
        what went best, ``detectable`` the smallest relative shortfall in win rate that the rep's data could show.
    margin, false_discovery_rate : float
        What counts as a shortfall, and the share of suggestions that may be wrong.
    inseparable : tuple of str
        Context that could not be told apart from the reps (one rep per territory), so that a suggestion may be
        about the context instead.
    posteriors : mapping
        What is known by ``(signal, part)``, for whatever is computed from the findings.
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    margin: float
    false_discovery_rate: float
    inseparable: tuple[str, ...] = ()
    posteriors: Mapping[tuple[str, str], Posterior] = field(default_factory=dict)

    def summary(self) -> pd.DataFrame:
        """Reps by verdict and signal; the row ``rep`` counts whole reps. Also the expected false suggestions."""
        counts = self.table.groupby(["signal", "verdict"]).size().unstack(fill_value=0)
        counts.loc["rep"] = self.verdicts["verdict"].value_counts()
        counts = counts.reindex(columns=list(VERDICTS)).fillna(0).astype(int).rename_axis("signal")
        flagged = self.table[self.table["verdict"] == "coaching_suggestion"]
        wrong = (1 - flagged["probability_below"]).groupby(flagged["signal"]).sum()
        by_rep = (1 - flagged["probability_below"]).groupby(flagged["rep_id"]).min().sum()
        counts["expected_false"] = wrong.reindex(counts.index).fillna(0.0).round(2)
        counts.loc["rep", "expected_false"] = round(float(by_rep), 2)
        counts.columns.name = None
        return counts.reset_index()

    def of(self, rep_id: str) -> pd.DataFrame:
        """Findings of one rep, in the order of the review."""
        return self.table[self.table["rep_id"] == rep_id].reset_index(drop=True)

    def most_urgent(self) -> str:
        """The rep to open first: the suggestion with the most money at stake, else the clearest shortfall."""
        order = {verdict: place for place, verdict in enumerate(VERDICTS)}
        clearest = self.table.groupby("rep_id")["probability_below"].max()
        ranked = self.verdicts.assign(
            place=self.verdicts["verdict"].map(order), clearest=self.verdicts["rep_id"].map(clearest)
        ).sort_values(["place", "money_at_stake", "clearest", "rep_id"], ascending=[True, False, False, True])
        return str(ranked["rep_id"].iloc[0]) if len(ranked) else ""

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))


def empty_table(name: str) -> pd.DataFrame:
    """A published table of this question without rows."""
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in TABLES[name].columns.items()})
