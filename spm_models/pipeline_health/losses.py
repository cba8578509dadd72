"""Why deals are lost, and to whom: shares with intervals, the change from the period before, what was lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from spm_models.inference import benjamini_hochberg, beta_binomial, wilson
from spm_models.kpis.working_time import UNKNOWN
from spm_models.pipeline_health.facts import PipelineFacts
from spm_models.pipeline_health.flow import adjusted

DAYS, LEVEL = 182, 0.8
FEWEST = 20  #: lost deals in either period
UNSTATED = ""
NOBODY = ""
REASONS = (
    "level", "key", "reason", "lost", "of_lost", "share", "low", "high", "lost_before", "of_lost_before",
    "share_before", "change", "change_low", "change_high", "p_value", "q_value", "amount", "verdict",
)  # fmt: skip
RIVALS = (
    "competitor", "deals", "won", "win_rate", "pooled", "low", "high", "probability_below", "won_amount",
    "lost_amount", "verdict",
)  # fmt: skip
_LEVELS = {"company": None, "region": "region", "team": "team"}


def loss_reasons(facts: PipelineFacts, rate: float = 0.1, *, days: int = DAYS) -> pd.DataFrame:
    """Shares of loss reasons in the last days, beside as many days before, for the company, regions and teams.

    Parameters
    ----------
    facts : PipelineFacts
    rate : float
        False-discovery rate of the changes, over all units and reasons.
    days : int
        Length of either period.

    Returns
    -------
    DataFrame
        One row a unit and reason (empty: lost deals for which nobody stated one; they count in the shares). ``share``
        of the lost deals with its 80 % Wilson interval; ``change`` from the period before with Newcombe's 80 %
        interval; ``amount``: what was lost for this reason. ``verdict``: more_often | less_often | steady |
        not_enough_data. Empty where no reason was ever stated, or none can be dated.

    References
    ----------
    Newcombe (1998), Interval estimation for the difference between independent proportions, Stat. Med. 17 (method 10).
    Changes are tested by Fisher's exact test, two-sided.
    """
    lost = facts.deals[(facts.deals["status"] == "lost") & facts.deals["closed_on"].notna()]
    ago = (pd.Timestamp(facts.as_of) - lost["closed_on"]).dt.days
    lost = lost.assign(reason=lost["loss_reason"].astype("str").fillna(UNSTATED), now=ago < days)[ago < 2 * days]
    if not (lost["reason"] != UNSTATED).any():
        return pd.DataFrame(columns=list(REASONS))
    parts = []
    for level, column in _LEVELS.items():
        groups = [("", lost)] if column is None else list(lost[lost[column] != UNKNOWN].groupby(column))
        parts += [_shares(rows).assign(level=level, key=str(key)) for key, rows in groups]
    table = pd.concat(parts, ignore_index=True)
    table["q_value"] = adjusted(table["p_value"].to_numpy(dtype=float))
    found = benjamini_hochberg(table["p_value"], rate)
    table["verdict"] = np.select(
        [table["p_value"].isna(), found & (table["change"] > 0), found],
        ["not_enough_data", "more_often", "less_often"], "steady",
    )  # fmt: skip
    return table[list(REASONS)]


def _shares(rows: pd.DataFrame) -> pd.DataFrame:
    now, before = rows[rows["now"]], rows[~rows["now"]]
    reasons = sorted(rows["reason"].unique())
    table = pd.DataFrame({"reason": reasons})
    for name, part in (("", now), ("_before", before)):
        table[f"lost{name}"] = part.groupby("reason").size().reindex(reasons, fill_value=0).to_numpy()
        table[f"of_lost{name}"] = len(part)
        table[f"share{name}"] = table[f"lost{name}"] / len(part) if len(part) else np.nan
    table["low"], table["high"] = wilson(table["lost"], table["of_lost"], LEVEL)
    low, high = wilson(table["lost_before"], table["of_lost_before"], LEVEL)
    table["change"] = table["share"] - table["share_before"]
    down = np.hypot(table["share"] - table["low"], high - table["share_before"])
    up = np.hypot(table["high"] - table["share"], table["share_before"] - low)
    table["change_low"], table["change_high"] = table["change"] - down, table["change"] + up
    table["amount"] = now.groupby("reason")["amount"].sum().reindex(reasons, fill_value=0.0).to_numpy()
    table["p_value"] = np.nan
    if min(len(now), len(before)) >= FEWEST:
        table["p_value"] = [
            float(stats.fisher_exact([[a, len(now) - a], [b, len(before) - b]]).pvalue)
            for a, b in zip(table["lost"], table["lost_before"], strict=True)
        ]
    return table


def competitors(facts: PipelineFacts, *, days: int = 2 * DAYS, margin: float = 0.15) -> pd.DataFrame:
    """Win rate against each competitor over the last days, partially pooled.

    Parameters
    ----------
    facts : PipelineFacts
    days : int
        Deals closed within so many days up to the day.
    margin : float
        A verdict needs a rate at least this much, relatively, below or above that of all named competitors.

    Returns
    -------
    DataFrame
        One row a competitor, and one (empty name) for deals where none was named. ``pooled`` with its 80 % range draws
        competitors met seldom towards the rate against all; ``probability_below``: that the true rate lies below it by
        the margin. ``verdict``: wins_less | wins_more | as_others | not_enough_data (fewer than 20 deals).

    Notes
    -----
    Many companies enter a competitor when they have lost to him. Then the rates of all named competitors are too low,
    and only their comparison with each other means something: the row without a name shows how far it goes, and is
    in no pool.
    """
    deals = facts.closed[facts.closed["closed_on"] > pd.Timestamp(facts.as_of) - pd.Timedelta(days=days)]
    named = deals["competitor"].astype("str").fillna(NOBODY)
    if not (named != NOBODY).any():
        return pd.DataFrame(columns=list(RIVALS))
    deals = deals.assign(competitor=named, won_=deals["status"] == "won")
    worth = deals["amount"].fillna(0.0)
    deals = deals.assign(won_amount=worth.where(deals["won_"], 0.0), lost_amount=worth.mask(deals["won_"], 0.0))
    table = deals.groupby("competitor").agg(
        deals=("won_", "size"), won=("won_", "sum"), won_amount=("won_amount", "sum"),
        lost_amount=("lost_amount", "sum"),
    ).reset_index()  # fmt: skip
    table["win_rate"] = table["won"] / table["deals"]
    table[["pooled", "low", "high", "probability_below"]] = np.nan
    rivals = table["competitor"] != NOBODY
    rows = table[rivals]
    common = float((rows["won"].sum() + 0.5) / (rows["deals"].sum() + 1))
    pooled = beta_binomial(rows["won"], rows["deals"], np.full(len(rows), common), spread=0.3)
    below, above = pooled.below(common * (1 - margin)), 1 - pooled.below(min(common * (1 + margin), 1.0))
    table.loc[rivals, "pooled"], table.loc[rivals, "low"] = pooled.mean, pooled.low
    table.loc[rivals, "high"], table.loc[rivals, "probability_below"] = pooled.high, below
    table["verdict"] = "as_others"
    table.loc[rivals, "verdict"] = np.select([below >= 0.9, above >= 0.9], ["wins_less", "wins_more"], "as_others")
    table.loc[table["deals"] < FEWEST, "verdict"] = "not_enough_data"
    return table[list(RIVALS)]
