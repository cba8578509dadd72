"""Badges for improvement: somebody's own figures of the last half-year beside those of the half-year before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from spm_models.coaching.features import Evidence
from spm_models.coaching.model import WEEKS_OF_MONTH
from spm_models.coaching.result import Posterior
from spm_models.coaching.signals import SILENT_DAYS
from spm_models.coaching.team.change import change
from spm_models.inference import benjamini_hochberg
from spm_models.periods import Period

LEVEL = 0.9  #: of the range that must leave out "no change"
COLUMNS = ["rep_id", "badge", "part", "earned_on", "value", "beside", "n", "low", "high"]
_LENGTHS = (30, 60, 90, 150)  # days of a deal: long ones have longer silences


@dataclass(frozen=True)
class Improvement:
    """A badge for one signal: the name, and the fewest observations in each half-year."""

    badge: str
    least: int
    halved: bool = False


IMPROVEMENTS: dict[str, Improvement] = {
    "stage_conversion": Improvement("conversion_up", 20),
    "win_rate": Improvement("win_rate_up", 20),
    "follow_up": Improvement("follow_up_up", 15),
    "price_kept": Improvement("price_kept_up", 10),
    "pipeline_creation": Improvement("pipeline_up", 40),
    "silence": Improvement("silence_halved", 8, halved=True),
}


def improvements(
    posteriors: Mapping[tuple[str, str], Posterior],
    evidence: Evidence,
    quarters: Sequence[Period],
    *,
    rate: float = 0.1,
) -> pd.DataFrame:
    """Badges of all reps for figures that rose beyond chance.

    Parameters
    ----------
    posteriors : mapping
        Of :class:`.CoachingFindings`.
    evidence : Evidence
    quarters : sequence of Period
        The last four whole quarters; with fewer there is no half-year before.
    rate : float
        Share of these badges that may be chance.

    Returns
    -------
    DataFrame
        Columns :data:`COLUMNS`. ``value`` and ``beside`` are the later and the earlier half-year in the signal's unit;
        ``low`` to ``high`` is the 90 % range of the later over the earlier, each beside what was to be expected.

    Notes
    -----
    All reps and signals are tested together (Benjamini and Hochberg 1995), once a quarter, on whole quarters: a badge
    that needs no more than one good week would come to everybody in time. A range that leaves out 1 and a figure that
    rose as seen are both needed.
    """
    if len(quarters) < 4:
        return pd.DataFrame(columns=COLUMNS)
    before, now = ([one.label for one in part] for part in (quarters[:2], quarters[2:]))
    parts = []
    for (signal, part), posterior in posteriors.items():
        if signal in IMPROVEMENTS:
            rows = change(posterior, before, now)
            scale = WEEKS_OF_MONTH * evidence.working_week if signal == "pipeline_creation" else 1.0
            parts.append(rows.assign(signal=signal, part=part, now=rows["now"] * scale, before=rows["before"] * scale))
    parts.append(_silence(evidence.deals, before, now).assign(signal="silence", part=""))
    rows = pd.concat(parts).rename_axis("rep_id").reset_index()
    least = rows["signal"].map({name: one.least for name, one in IMPROVEMENTS.items()})
    rows = rows[rows[["n_now", "n_before"]].min(axis=1).ge(least) & rows["error"].gt(0)].reset_index(drop=True)
    return _earned(rows, rate, quarters[-1])


def _earned(rows: pd.DataFrame, rate: float, last: Period) -> pd.DataFrame:
    z = (rows["change"] / rows["error"]).to_numpy(dtype=float)
    chosen = benjamini_hochberg(special.ndtr(-z), rate)
    reach = float(special.ndtri((1 + LEVEL) / 2))
    less = rows["signal"].eq("silence")  # days of silence: fewer are better
    rose = np.where(less, rows["now"] < rows["before"], rows["now"] > rows["before"])
    halved = rows["signal"].map({name: one.halved for name, one in IMPROVEMENTS.items()}).astype(bool)
    half = (rows["change"] >= np.log(2.0)) & (rows["now"] <= rows["before"] / 2)
    rows = rows.assign(
        low=np.exp(rows["change"] - reach * rows["error"]), high=np.exp(rows["change"] + reach * rows["error"])
    )
    rows = rows[chosen & rose & (rows["low"] > 1) & (~halved | half)]
    return rows.assign(
        badge=rows["signal"].map({name: one.badge for name, one in IMPROVEMENTS.items()}), value=rows["now"],
        beside=rows["before"], earned_on=pd.Timestamp(last.end), n=rows["n_now"] + rows["n_before"],
    )[COLUMNS]  # fmt: skip


def _silence(deals: pd.DataFrame, before: Sequence[str], now: Sequence[str]) -> pd.DataFrame:
    """Longest silence of deals (geometric mean of days), beside what deals of that length have."""
    known = deals[deals["longest_silence"].notna() & deals["days"].gt(SILENT_DAYS)]
    band = np.asarray(_LENGTHS).searchsorted(known["days"].to_numpy())
    logged = np.log1p(known["longest_silence"])
    beside = logged - logged.groupby(band).transform("mean")
    found = []
    for span in (before, now):
        chosen = known["period"].isin(list(span))
        means = pd.DataFrame({"rep_id": known["rep_id"], "seen": logged, "beside": beside})[chosen].groupby("rep_id")
        half = means.mean().assign(n=means.size(), variance=means["beside"].var(ddof=1))
        found.append(half.assign(variance=half["variance"] / half["n"], seen=np.expm1(half["seen"])))
    both = found[0].add_suffix("_before").join(found[1].add_suffix("_now"), how="inner")
    return pd.DataFrame({
        "now": both["seen_now"], "before": both["seen_before"], "n_now": both["n_now"], "n_before": both["n_before"],
        "change": both["beside_before"] - both["beside_now"],
        "error": np.sqrt(both["variance_now"] + both["variance_before"]),
    })  # fmt: skip
