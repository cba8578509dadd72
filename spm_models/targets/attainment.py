"""Can a target be met? What is in hand against it, what people have managed so far, what the market does, and the odds.

Three plain ratios, 1 meaning "enough for the target", stand beside the probability from the forecast's simulation. They
say where a gap comes from, not how likely it is: only the probability does, and only it decides the verdict.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from spm_models.inference import normal_normal
from spm_models.periods import FiscalCalendar, Period

#: Lowest probability of each verdict, best first.
VERDICTS = (("secure", 0.90), ("reachable", 0.50), ("ambitious", 0.10), ("out_of_reach", 0.0))
NOT_ENOUGH_DATA = "not_enough_data"
_PAST = 8  # quarters of own attainment looked at
_LEAST = 2  # quarters for an own spread
_IN_HAND = ("closed", "open", "slipped", "renewals")
_SIDES = ("capacity", "ability", "market")


def attainability(
    targets: pd.DataFrame, chances: pd.DataFrame, forecast: pd.DataFrame, history: pd.DataFrame,
    trends: pd.DataFrame, period: Period, calendar: FiscalCalendar,
) -> pd.DataFrame:  # fmt: skip
    """Each target against capacity, ability and market, with the probability of reaching it.

    Parameters
    ----------
    targets : DataFrame
        ``level, key, tier, quota`` of the period.
    chances : DataFrame
        Published ``quota_chances``: shares of the forecast's published draws that reach each target.
    forecast : DataFrame
        Published ``forecast``: means by part.
    history : DataFrame
        Published ``revenue_history``: revenue and standard quota of past quarters.
    trends : DataFrame
        Of :func:`spm_models.targets.market.unit_trends`.
    period : Period
    calendar : FiscalCalendar

    Returns
    -------
    DataFrame
        Published as ``attainability``: ``period, level, key, tier, quota, probability, in_hand`` (closed, open,
        slipped and due renewals over the quota, in expectation), ``creation`` (business not yet created),
        ``capacity`` (both), ``attainment`` (own, of past standard quotas), ``quarters``, ``ability`` (that attainment
        drawn towards the level's; what is usual of one's own standard quota, over this tier), ``low, high`` (80 %),
        ``market`` (revenue of the same quarter a year ago, moved by the market's trend, over the quota), ``tightest``
        (the smallest of the three), ``verdict``.
    """
    keys = ["level", "key"]
    table = targets[targets["quota"] > 0][[*keys, "tier", "quota"]].copy()
    mine = chances[chances["period"] == period.label][[*keys, "tier", "probability"]]
    table = table.merge(mine, on=[*keys, "tier"], how="left")
    parts = forecast[forecast["period"] == period.label].pivot_table(index=keys, columns="part", values="mean")
    parts = parts.reindex(columns=[*_IN_HAND, "not_yet_created"])
    hand = parts[list(_IN_HAND)].sum(axis=1, min_count=1).rename("hand").reset_index()
    table = table.merge(hand, on=keys, how="left")
    table = table.merge(parts["not_yet_created"].rename("new").reset_index(), on=keys, how="left")
    table["in_hand"], table["creation"] = table["hand"] / table["quota"], table["new"] / table["quota"]
    table["capacity"] = table["in_hand"] + table["creation"]
    table = table.merge(_ability(history, period), on=keys, how="left")
    standard = table.loc[table["tier"] == "standard"].set_index(keys)["quota"].rename("standard").reset_index()
    table = table.merge(standard, on=keys, how="left")
    for name in ("ability", "low", "high"):
        table[name] *= table["standard"].fillna(table["quota"]) / table["quota"]
    last = calendar.quarter(period.start)
    for _ in range(4):
        last = last.previous()
    year_ago = history.loc[history["period"] == last.label, [*keys, "revenue"]]
    table = table.merge(year_ago, on=keys, how="left").merge(trends, on=keys, how="left")
    table["market"] = table["revenue"] * table["trend"] / table["quota"]
    table["market"] = table["market"].where(table["revenue"] > 0)  # nobody sold here a year ago: nothing to compare
    return _judged(table.assign(period=period.label))


def verdict_of(probability: pd.Series) -> pd.Series:
    """The verdict for each probability.

    Examples
    --------
    >>> verdict_of(pd.Series([0.95, 0.5, 0.3, 0.05, float("nan")])).tolist()
    ['secure', 'reachable', 'ambitious', 'out_of_reach', 'not_enough_data']
    """
    given = probability.to_numpy(dtype=float)
    found = np.select([given >= least for _, least in VERDICTS], [name for name, _ in VERDICTS], NOT_ENOUGH_DATA)
    return pd.Series(found, index=probability.index, dtype="str")


def _ability(history: pd.DataFrame, period: Period) -> pd.DataFrame:
    """Own attainment of the last whole quarters before the period, drawn towards the mean of the level."""
    past = history[(history["period_end"] < pd.Timestamp(period.start)) & (history["quota"] > 0)]
    past = past.sort_values("period_start").groupby(["level", "key"]).tail(_PAST)
    past = past.assign(attained=past["revenue"] / past["quota"])
    own = past.groupby(["level", "key"])["attained"].agg(["mean", "std", "size"]).reset_index()
    parts = []
    for _, level in own.groupby("level"):
        usual = float(np.sqrt(np.nanmean(level["std"] ** 2))) if level["std"].notna().any() else np.nan
        spread = usual if usual > 0 else 0.25  # a common spread: that of a few quarters of one rep says little
        enough = level["size"] >= _LEAST
        error = np.where(enough, spread / np.sqrt(level["size"]), np.inf)
        if not enough.any():
            continue
        pooled = normal_normal(np.where(enough, level["mean"], 0.0), error)
        parts.append(
            level.assign(ability=pooled.mean.round(6), low=pooled.low.round(6).clip(min=0), high=pooled.high.round(6))
        )
    columns = ["level", "key", "attainment", "quarters", "ability", "low", "high"]
    if not parts:
        return pd.DataFrame(columns=columns).astype(
            {"level": "str", "key": "str"} | dict.fromkeys(columns[2:], "float64")
        )
    return pd.concat(parts).rename(columns={"mean": "attainment", "size": "quarters"})[columns]


def _judged(table: pd.DataFrame) -> pd.DataFrame:
    sides = table[list(_SIDES)].astype("float64")
    known = sides.notna().any(axis=1)
    place = np.nanargmin(sides.where(sides.notna(), np.inf).to_numpy(), axis=1) if len(sides) else np.array([], int)
    table["tightest"] = np.where(known, np.array(_SIDES)[place], "")
    table["quarters"] = table["quarters"].fillna(0).astype("int64")
    table["verdict"] = verdict_of(table["probability"])
    columns = ["period", "level", "key", "tier", "quota", "probability", "in_hand", "creation", *_SIDES[:1],
               "attainment", "quarters", "ability", "low", "high", "market", "tightest", "verdict"]  # fmt: skip
    return table[columns].sort_values(["level", "key", "tier"], ignore_index=True)
