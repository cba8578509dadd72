"""How good forecasts of generated companies are: error, distance from the oracle, the gap closed, and ranges.

Each company is one outcome of which the mean and its standard error are taken: its quarters share people and rates.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from revenue.company_ranges import LEVELS, RANGES
from revenue.simple import SIMPLE

OURS, ORACLE = "published", "oracle"


def errors(totals: pd.DataFrame) -> pd.DataFrame:
    """Error of each company, week and model: sum of absolute errors over sum of actuals; and bias likewise."""
    rows = totals[~totals["model"].str.startswith("part.")]
    rows = rows.assign(error=(rows["mean"] - rows["actual"]).abs(), bias=rows["mean"] - rows["actual"])
    keys = ["kind", "size", "company", "week", "model"]
    sums = rows.groupby(keys)[["error", "bias", "actual"]].sum().reset_index()
    sums = sums[sums["actual"] > 0]
    return sums.assign(error=sums["error"] / sums["actual"], bias=sums["bias"] / sums["actual"]).drop(columns="actual")


def distances(totals: pd.DataFrame) -> pd.DataFrame:
    """How far each forecast was from the oracle's: the avoidable part of the error, with hardly any luck in it."""
    rows = totals[~totals["model"].str.startswith("part.")]
    keys = ["kind", "size", "company", "quarter", "week"]
    oracle = rows[rows["model"] == ORACLE].set_index(keys)["mean"].rename("oracle")
    rows = rows[rows["model"] != ORACLE].join(oracle, on=keys)
    rows = rows.assign(distance=(rows["mean"] - rows["oracle"]).abs())
    sums = rows.groupby(["kind", "size", "company", "week", "model"])[["distance", "oracle"]].sum().reset_index()
    return sums.assign(distance=sums["distance"] / sums["oracle"]).drop(columns="oracle")


def gaps(table: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Error of the best simple forecast, ours and the oracle's, and the share of the gap that is closed.

    The best simple forecast is chosen in hindsight, by its mean error in the group. The standard error of the share
    is that of companies (delta method).
    """
    wide = table.pivot_table(index=["kind", "size", "company", "week"], columns="model", values="error").reset_index()
    rows = []
    for key, group in wide.groupby(by):
        rivals = [name for name in SIMPLE if name in group and group[name].notna().all()]
        best = min(rivals, key=lambda name: (group[name].mean(), name))
        ours, theirs, floor = (group[name].to_numpy(float) for name in (OURS, best, ORACLE))
        gap = theirs.mean() - floor.mean()
        closed = (theirs.mean() - ours.mean()) / gap if gap > 0 else np.nan
        spread = (theirs - ours) - closed * (theirs - floor)
        n = len(group)
        named = dict(zip(by, key, strict=True))
        rows.append(
            named | {"companies": n, "best_simple": best, "simple": theirs.mean(), "ours": ours.mean(),
                     "oracle": floor.mean(), "closed": closed,
                     "se": spread.std(ddof=1) / np.sqrt(n) / gap if n > 1 and gap > 0 else np.nan}
        )  # fmt: skip
    return pd.DataFrame(rows)


def coverage(ranges: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Share of actuals within the ranges, and its standard error over companies."""
    names = [kind + f"{share * 100:.0f}" for kind in ("hit", "fair") for share in RANGES]
    per_company = ranges.groupby([*by, "company"])[[*names, "place"]].mean()
    grouped = per_company.groupby(by)
    found = grouped.mean()
    found["se80"] = grouped["fair80"].sem()
    return found.loc[_ordered(found.index)]


def _ordered(index: pd.Index) -> list[Any]:
    def place(key: Any) -> tuple[int, Any]:
        level = key[0] if isinstance(key, tuple) else key
        return (LEVELS.index(level) if level in LEVELS else -1, key)

    return sorted(index, key=place)


def flat(totals: pd.DataFrame, ranges: pd.DataFrame) -> dict[str, float]:
    """The figures under flat keys; a company is named by its number, kind and size."""
    table = errors(totals)
    found = {
        f"error.{row.company:03}_{row.kind}_{row.size_}.week{row.week}.{row.model}": row.error
        for row in table.rename(columns={"size": "size_"}).itertuples()
    }
    for model, week, error in table.groupby(["model", "week"])["error"].mean().reset_index().itertuples(index=False):
        found[f"error.all.week{week}.{model}"] = error
    for row in gaps(table, ["week"]).itertuples():
        found[f"gap_closed.week{row.week}"] = row.closed
        found[f"gap_closed_se.week{row.week}"] = row.se
    ranges = ranges[ranges["model"] == OURS]
    mine = ranges.groupby(["company", "kind", "size", "level"])[["hit50", "hit80", "hit95"]].mean().reset_index()
    for row in mine.rename(columns={"size": "size_"}).itertuples():
        found[f"coverage80.{row.company:03}_{row.kind}_{row.size_}.{row.level}"] = row.hit80
    for row in coverage(ranges, ["level"]).reset_index().itertuples():
        for share in RANGES:
            name = f"{share * 100:.0f}"
            found[f"coverage{name}.all.{row.level}"] = getattr(row, "hit" + name)
            found[f"coverage{name}_fair.all.{row.level}"] = getattr(row, "fair" + name)
        found[f"coverage80_se.all.{row.level}"] = row.se80
    return {name: float(value) for name, value in found.items()}
