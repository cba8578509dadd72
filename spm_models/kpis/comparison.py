"""What stands beside a value: the period before, the peers, a target, and a verdict in one word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from spm_models.errors import SpmError
from spm_models.kpis.definition import MINIMUM_GROUP
from spm_models.kpis.registry import KPIS
from spm_models.periods import Period


def check_targets(targets: Mapping[str, float]) -> None:
    """Targets are of KPIs that exist and have a better side.

    Raises
    ------
    SpmError
        Otherwise.
    """
    if unknown := sorted(set(targets) - set(KPIS)):
        raise SpmError("No such KPI", where="kpis targets", found=unknown, remedy=f"Known are {', '.join(KPIS)}.")
    if vague := sorted(name for name in targets if KPIS[name].direction == "context"):
        raise SpmError(
            "A target needs a better side", where="kpis targets", found=vague,
            remedy="Set targets for KPIs of which more, or less, is better; `spm kpis list --json` says so.",
        )  # fmt: skip


def compared(
    rows: pd.DataFrame,
    columns: Sequence[str],
    periods: Sequence[Period],
    targets: Mapping[str, float],
    bands: Mapping[str, tuple[float, float]],
) -> pd.DataFrame:
    """Rows of the periods asked for, with ``previous``, ``peers``, ``target`` and ``verdict``.

    Parameters
    ----------
    rows : DataFrame
        Values of the periods and of those before them: ``kpi``, ``columns``, ``period``, ``value``, ``numerator``,
        ``denominator``.
    columns : sequence of str
        What makes a unit.
    periods : sequence of Period
    targets : mapping of str to float
        By the name of the KPI, in its own unit.
    bands : mapping of str to (low, high)
        Healthy bands that replace those of the definitions.

    Returns
    -------
    DataFrame
        ``peers`` is what the units of the same level have together (for sums: on average); empty where fewer than
        five of them have a value. Verdicts: "reached" or "missed" where there is a target, else "below", "within" or
        "above" the healthy band, "too_few" where too few events are behind a share, mean or median.
    """
    wanted = rows[rows["period"].isin([one.label for one in periods])]
    before = pd.DataFrame(
        [(one.label, one.previous().label) for one in periods], columns=["period", "before"]
    ).drop_duplicates()
    past = rows[["kpi", *columns, "period", "value"]].rename(columns={"period": "before", "value": "previous"})
    wanted = wanted.merge(before, on="period").merge(past, on=["kpi", *columns, "before"], how="left")
    wanted = wanted.drop(columns="before").merge(_peers(wanted, columns), on=_level(columns), how="left")
    wanted["target"] = wanted["kpi"].map(dict(targets)).astype("float64")
    return wanted.assign(verdict=_verdicts(wanted, bands))


def _level(columns: Sequence[str]) -> list[str]:
    """What units must share to be peers: KPI, period and, where there are some, level of the organisation."""
    return ["kpi", "period", *(name for name in columns if name == "level")]


def _peers(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    known = rows[rows["value"].notna()]
    grouped = known.groupby(_level(columns), as_index=False).agg(
        n=("numerator", "sum"), d=("denominator", "sum"), mean=("value", "mean"), median=("value", "median"),
        size=("value", "size"), counted=("numerator", "count"),
    )  # fmt: skip
    sums = grouped["kpi"].map(lambda name: KPIS[name].sums).astype(bool)
    pooled = (grouped["d"] > 0) & (grouped["counted"] == grouped["size"])
    ratio = grouped["n"] / grouped["d"].where(grouped["d"] > 0)
    peers = np.select([sums, pooled], [grouped["mean"], ratio], grouped["median"])
    return grouped[_level(columns)].assign(peers=np.where(grouped["size"] >= MINIMUM_GROUP, peers, np.nan))


def _verdicts(rows: pd.DataFrame, bands: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """A verdict for each row; conditions in the order in which they count."""
    kpis = [KPIS[name] for name in rows["kpi"]]
    value, target = rows["value"].to_numpy(dtype=float), rows["target"].to_numpy(dtype=float)
    counted = np.array([kpi.estimated for kpi in kpis], dtype=bool)
    minimum = np.array([kpi.minimum for kpi in kpis], dtype=float)
    lower = np.array([kpi.direction == "lower" for kpi in kpis], dtype=bool)
    healthy = [bands.get(kpi.name, kpi.healthy or (np.nan, np.nan)) for kpi in kpis]
    band = np.array(healthy, dtype="float64").reshape(-1, 2)
    reached = np.where(lower, value <= target, value >= target)
    return np.select(
        [
            np.isnan(value),
            counted & (rows["denominator"].to_numpy(dtype=float) < minimum),
            ~np.isnan(target) & reached,
            ~np.isnan(target),
            value < band[:, 0],
            value > band[:, 1],
            ~np.isnan(band[:, 0]),
        ],
        ["", "too_few", "reached", "missed", "below", "above", "within"],
        default="",
    )
