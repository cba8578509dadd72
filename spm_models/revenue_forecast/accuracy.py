"""How good replayed forecasts were: errors and ranges by week of the quarter, by level, and what to publish.

The weeks of one quarter are one outcome: standard errors and verdicts take the quarter as the unit.

References
----------
Czado, Gneiting and Held (2009), Predictive model assessment for count data, Biometrics 65: the probability integral
transform where an outcome may sit on a lump of draws (a rep without a win).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.evaluation.forecast import interval_score
from spm_models.revenue_forecast.blend import BLEND
from spm_models.revenue_forecast.plain_forecasts import BASELINES
from spm_models.revenue_forecast.result import QUANTILES as QUANTILES
from spm_models.revenue_forecast.result import SIMULATION
from spm_models.revenue_forecast.units import LEVELS

Floats = npt.NDArray[np.float64]
Cents = npt.NDArray[np.int64]
QUESTION = "revenue_forecast"
RANGES = {"50": ("p25", "p75"), "80": ("p10", "p90"), "95": ("p025", "p975")}
OURS = (BLEND, SIMULATION)
LEAST_QUARTERS = 2
#: Standard errors by which a plain method must lead: the best of seven, chosen in hindsight over four quarters, leads
#: by one through chance alone in most companies.
_SURE = 3.0
_STANDING = {
    "clearly_better": "chance does not explain the lead",
    "ahead": "it leads, but chance may explain that",
    "not_worse": "no more than chance explains",
    "baseline_ahead": "the baseline leads, but by less than three standard errors, which the best of several may do by "
    "chance",
    "baseline_better": "the baseline leads by more than three standard errors",
}
_MATTERS = 0.01  # of revenue: a smaller lead over the blend is no reason to leave it
BINS = 10
UNITS = [
    "period", "week", "as_of", "actual", "method", "level", "key", "below", "upto", "mean", *QUANTILES,
]  # fmt: skip
_LEVEL_COLUMNS = [
    "method",
    "level",
    "quarters",
    "units",
    *(f"{what}{name}" for name in RANGES for what in ("coverage", "noise", "width")),
]
_COLUMNS = {
    "method": "str", "week": "int64", "quarters": "int64", "absolute_error": "float64", "noise": "float64",
    "bias": "float64", **{f"coverage{name}": "float64" for name in RANGES},
    **{f"width{name}": "float64" for name in RANGES}, "interval_score": "float64",
}  # fmt: skip


def accuracy(table: pd.DataFrame) -> pd.DataFrame:
    """Errors and ranges of each method by week of the quarter (published table ``forecast_accuracy``).

    Parameters
    ----------
    table : DataFrame
        Table ``forecast_replay``: ``method, period, week, mean, actual`` and the quantiles of :data:`QUANTILES`.

    Returns
    -------
    DataFrame
        ``absolute_error`` and ``bias`` are sums of errors over sums of actuals, ``noise`` the standard error of the
        absolute error over quarters; ``width…`` and ``interval_score`` (of the 80 % range) are relative to the mean
        actual. Weeks in whose quarters nothing was won are left out.

    Examples
    --------
    >>> ends = {name: [90.0, 95.0] for name in ("p025", "p10", "p25", "p50", "p75")} | {"p90": 120.0, "p975": 130.0}
    >>> rows = {"method": "blend", "week": 0, "period": ["a", "b"], "mean": [100.0, 110.0], "actual": 100.0} | ends
    >>> accuracy(pd.DataFrame(rows))[["absolute_error", "bias", "coverage80", "width80"]].round(3).values.tolist()
    [[0.05, 0.05, 1.0, 0.275]]
    """
    rows = []
    known = table.dropna(subset=["actual", "mean"])
    for (method, week), group in known.groupby(["method", "week"]):
        actual, mean = group.actual.to_numpy(dtype=float), group["mean"].to_numpy(dtype=float)
        size = float(actual.mean())
        if size <= 0:
            continue
        off = np.abs(mean - actual) / size
        row: dict[str, object] = {
            "method": method, "week": week, "quarters": len(group), "absolute_error": float(off.mean()),
            "noise": float(off.std(ddof=1) / np.sqrt(len(off))) if len(off) > 1 else np.nan,
            "bias": float((mean - actual).mean() / size),
        }  # fmt: skip
        ranged = bool(group[list(QUANTILES)].notna().all(axis=None))  # people give none
        row["interval_score"] = float(interval_score(actual, group.p10, group.p90).mean() / size) if ranged else np.nan
        for name, (low, high) in RANGES.items():
            inside = (group[low] <= actual) & (actual <= group[high])
            row[f"coverage{name}"] = float(inside.mean()) if ranged else np.nan
            row[f"width{name}"] = float((group[high] - group[low]).mean() / size) if ranged else np.nan
        rows.append(row)
    frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
    return frame.sort_values(["method", "week"], ignore_index=True)


def quantile_figures(totals: Floats) -> dict[str, float]:
    """Mean and quantiles of draws of a total."""
    values = np.quantile(totals, list(QUANTILES.values()))
    return {"mean": float(totals.mean()), **dict(zip(QUANTILES, map(float, values), strict=True))}


def level_rows(
    draws: Cents, actual: Cents, leaves: pd.DataFrame, facts: Mapping[str, object]
) -> list[dict[str, object]]:
    """Where what came lay among the draws of each unit: one row a unit.

    Parameters
    ----------
    draws : ndarray, shape (draws, leaves)
    actual : ndarray, shape (leaves,)
    leaves : DataFrame
        Key of each leaf on every level.
    facts : mapping
        Put into every row.
    """
    rows: list[dict[str, object]] = []
    for level in LEVELS:
        keys = pd.Series("", index=leaves.index) if level == "company" else leaves[level]
        codes, names = pd.factorize(keys, sort=True)
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(names)))
        sums, came = np.add.reduceat(draws[:, order], starts, axis=1), np.add.reduceat(actual[order], starts)
        ends, means = np.quantile(sums, list(QUANTILES.values()), axis=0) / 100, sums.mean(axis=0) / 100
        below, upto = (sums < came).mean(axis=0), (sums <= came).mean(axis=0)
        matter = sums.any(axis=0) | (came != 0)
        for place in np.flatnonzero(matter).tolist():
            rows.append(
                {**facts, "level": level, "key": str(names[place]), "actual": came[place] / 100,
                 "below": float(below[place]), "upto": float(upto[place]), "mean": float(means[place]),
                 **dict(zip(QUANTILES, map(float, ends[:, place]), strict=True))}
            )  # fmt: skip
    return rows


def level_coverage(units: pd.DataFrame) -> pd.DataFrame:
    """Coverage and width of ranges by level and method, the quarter as the unit.

    Where a unit may well win nothing, many draws are the same; the share of such a lump counts that lies within the
    range, so that a right range covers what it says.
    """
    rows = []
    for (method, level), group in units.groupby(["method", "level"]):
        row: dict[str, object] = {"method": method, "level": level, "quarters": group.period.nunique(),
                                  "units": group.key.nunique()}  # fmt: skip
        size = group.actual.groupby(group.period).mean().mean()
        for name, (low, high) in RANGES.items():
            inside = group.assign(inside=_inside(group, float(name) / 100)).groupby("period").inside.mean()
            row[f"coverage{name}"] = float(inside.mean())
            row[f"noise{name}"] = float(inside.std(ddof=1) / np.sqrt(len(inside))) if len(inside) > 1 else np.nan
            row[f"width{name}"] = float((group[high] - group[low]).mean() / size) if size > 0 else np.nan
        rows.append(row)
    return pd.DataFrame(rows, columns=_LEVEL_COLUMNS)


def placement(units: pd.DataFrame) -> pd.DataFrame:
    """How often what came lay in each tenth of the draws (probability integral transform), by method and level.

    The share of each tenth is the mean over quarters; a right forecast puts a tenth into each.
    """
    rows = []
    edges = np.linspace(0, 1, BINS + 1)
    for (method, level), group in units.groupby(["method", "level"]):
        below = np.minimum(group.below.to_numpy(dtype=float), 1 - 1e-9)
        width = np.maximum(group.upto.to_numpy(dtype=float) - below, 1e-9)
        upto = np.clip((edges[None, :] - below[:, None]) / width[:, None], 0, 1)
        shares = pd.DataFrame(np.diff(upto, axis=1)).groupby(group.period.to_numpy()).mean().mean()
        for place, share in enumerate(shares):
            rows.append({"method": method, "level": level, "start": edges[place], "end": edges[place + 1],
                         "share": float(share), "quarters": group.period.nunique()})  # fmt: skip
    return pd.DataFrame(rows, columns=["method", "level", "start", "end", "share", "quarters"])


def verdict(table: pd.DataFrame) -> dict[str, object]:
    """What to publish and why.

    Parameters
    ----------
    table : DataFrame
        ``forecast_replay``.

    Returns
    -------
    dict
        ``published`` (``blend``, ``simulation`` or a plain method), ``baseline`` (the best plain one), ``reason`` (a
        code), ``quarters``, and ``error``, ``simulation_error``, ``baseline_error``, ``noise`` relative to revenue;
        with ``nothing_won`` they are amounts, because nothing has a share of nothing.

    Notes
    -----
    The simulation is preferred to the blend, and the best plain method (chosen in hindsight, to its favour) to both,
    only where its error is smaller by more than the noise of the differences over quarters: the plain one by three
    times as much, because it is the best of several. One quarter tests nothing. ``reason`` says how far apart ours
    and the best plain one are, in standard errors: ``clearly_better`` and ``baseline_better`` more than three,
    ``ahead`` and ``baseline_ahead`` more than one, ``not_worse`` less; ``simulation_alone`` where the blend did worse
    than the simulation, with the same in ``standing``.
    """
    wide = _errors(table)
    quarters = int(wide.index.get_level_values("period").nunique())
    facts: dict[str, object] = {
        "quarters": quarters, "published": BLEND, "baseline": "none", "reason": "untested",
        "nothing_won": not bool((table.actual > 0).any()),
    }  # fmt: skip
    if quarters < LEAST_QUARTERS:
        return facts
    alone = _difference(wide, BLEND, SIMULATION)
    ours = SIMULATION if alone.mean() > max(_noise(alone), _MATTERS) else BLEND
    facts |= {"published": ours, "reason": "simulation_alone" if ours == SIMULATION else "no_baseline",
              "error": _mean(wide[BLEND]), "simulation_error": _mean(wide[SIMULATION])}  # fmt: skip
    leads = {name: _difference(wide, ours, name) for name in BASELINES if name in wide}
    leads = {name: lead for name, lead in leads.items() if len(lead) == quarters}
    if not leads:
        return facts
    best = max(leads, key=lambda name: (float(leads[name].mean()), name))
    lead, noise = float(leads[best].mean()), _noise(leads[best])
    common = wide[[ours, best]].dropna()
    facts |= {"baseline": best, "baseline_error": _mean(common[best]), "compared_error": _mean(common[ours]),
              "noise": noise}  # fmt: skip
    if lead > _SURE * noise:
        return facts | {"published": best, "reason": "baseline_better"}
    facts["standing"] = _standing(lead, noise)
    return facts if ours == SIMULATION else facts | {"reason": facts["standing"]}


def _standing(lead: float, noise: float) -> str:
    """How the best plain method, which leads by so much but not beyond doubt, stands to ours."""
    if lead > noise:
        return "baseline_ahead"
    return "clearly_better" if -lead > _SURE * noise else "ahead" if -lead > noise else "not_worse"


def in_words(facts: Mapping[str, object]) -> str:
    """The reason as an English sentence (published table ``model_verdicts``)."""
    quarters = int(str(facts["quarters"]))
    if quarters < LEAST_QUARTERS:
        return f"{quarters} finished quarter{'s' * (quarters != 1)} could be replayed: the forecast is not tested yet."
    name = SIMULATION if facts["reason"] == "simulation_alone" else BLEND
    empty = ", in which nothing was won," if facts.get("nothing_won") else ""
    over = f"Over {quarters} replayed quarters{empty} the {name}"
    few = f"{quarters} quarters are few."
    if "baseline_error" not in facts:
        off = _told(facts, "simulation_error" if name == SIMULATION else "error")
        return f"{over} was off by {off}, but no plain baseline could be made in each of them. {few}"
    ours, theirs, noise = (_told(facts, what) for what in ("compared_error", "baseline_error", "noise"))
    standing = _STANDING[str(facts.get("standing", facts["reason"]))]
    return (
        f"{over} was off by {ours}, the best plain baseline ({facts['baseline']}) by {theirs}; the standard error of "
        f"the difference is {noise}: {standing}. {few}"
    )


def _told(facts: Mapping[str, object], what: str) -> str:
    """A share of revenue, or an amount where there was none."""
    value = float(str(facts[what]))
    return f"{value:,.0f}" if facts.get("nothing_won") else f"{value:.1%}"


def _errors(table: pd.DataFrame) -> pd.DataFrame:
    """Absolute error over mean revenue, by method, of each quarter and week that the simulation could forecast."""
    known = table.dropna(subset=["actual", "mean"])
    size = float(known.drop_duplicates("period").actual.mean()) if len(known) else 0.0
    sized = (known["mean"] - known.actual).abs() / (size if size > 0 else 1.0)
    wide = known.assign(size=sized).pivot(index=["period", "week"], columns="method", values="size")
    return wide[wide[SIMULATION].notna()] if SIMULATION in wide else wide.head(0)


def _mean(errors: pd.Series) -> float:
    """Mean over quarters of the mean over weeks."""
    return float(errors.dropna().groupby("period").mean().mean())


def _difference(wide: pd.DataFrame, mine: str, other: str) -> pd.Series:
    """By how much one method's error was larger than another's in each quarter, over the weeks that both could say."""
    return (wide[mine] - wide[other]).dropna().groupby("period").mean()


def _noise(differences: pd.Series) -> float:
    return float(differences.std(ddof=1) / np.sqrt(len(differences)))


def _inside(group: pd.DataFrame, level: float) -> Floats:
    low, high = (1 - level) / 2, (1 + level) / 2
    below, upto = group.below.to_numpy(dtype=float), group.upto.to_numpy(dtype=float)
    part = np.clip(np.minimum(upto, high) - np.maximum(below, low), 0, None) / np.maximum(upto - below, 1e-9)
    return np.where(upto > below, part, (below >= low) & (below <= high))
