"""KPIs that are made of other KPIs, such as pipeline velocity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from spm_models.kpis.definition import Kpi
from spm_models.kpis.registry import KPIS


def from_parts(rows: pd.DataFrame, kpis: Sequence[Kpi], columns: list[str]) -> pd.DataFrame:
    """Rows with those of the KPIs that are made of others appended.

    Parameters
    ----------
    rows : DataFrame
        Values of the parts.
    kpis : sequence of Kpi
        With ``parts`` and ``formula``.
    columns : list of str
        What makes a unit and period.

    Returns
    -------
    DataFrame
        A unit has a row where every part has a value. The interval moves each part to the ends of its own, takes the
        parts as independent and adds the squares of what that does to the result's logarithm; empty where a part of
        an estimated kind has none.
    """
    parts = [rows]
    for kpi in kpis:
        assert kpi.formula is not None
        wide = {
            end: rows[rows["kpi"].isin(kpi.parts)].pivot(index=columns, columns="kpi", values=end).reindex(
                columns=list(kpi.parts)
            )
            for end in ("value", "low", "high")
        }  # fmt: skip
        known = wide["value"].dropna()
        if known.empty:
            continue
        values = {name: known[name].to_numpy(dtype=float) for name in kpi.parts}
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.asarray(kpi.formula(values), dtype=float)
            low, high = _interval(kpi, values, value, {end: wide[end].loc[known.index] for end in ("low", "high")})
        made = known.index.to_frame(index=False).assign(
            kpi=kpi.name, value=np.where(np.isfinite(value), value, np.nan), numerator=np.nan, denominator=np.nan,
            low=low, high=high, unit=kpi.unit,
        )  # fmt: skip
        parts.append(made[made["value"].notna()][rows.columns])
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _interval(
    kpi: Kpi, values: dict[str, np.ndarray], value: np.ndarray, ends: dict[str, pd.DataFrame]
) -> tuple[np.ndarray, np.ndarray]:
    assert kpi.formula is not None
    down, up = np.zeros(len(value)), np.zeros(len(value))
    settled, any_known = np.ones(len(value), dtype=bool), np.zeros(len(value), dtype=bool)
    for name in kpi.parts:
        moved = [
            np.log(np.asarray(kpi.formula(values | {name: ends[end][name].to_numpy(dtype=float)}), dtype=float) / value)
            for end in ("low", "high")
        ]
        known = ends["low"][name].notna().to_numpy() & ends["high"][name].notna().to_numpy()
        both = np.where(known, moved, 0.0)
        down += np.minimum(both.min(axis=0), 0.0) ** 2
        up += np.maximum(both.max(axis=0), 0.0) ** 2
        any_known |= known
        settled &= known | (not KPIS[name].estimated)
    ends_of_value = value * np.exp(-np.sqrt(down)), value * np.exp(np.sqrt(up))
    low, high = (np.where(settled & any_known & np.isfinite(end), end, np.nan) for end in ends_of_value)
    return low, high
