"""The playbook: what reps whose deals bring more than their context explains do differently, early in a deal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from spm_models.inference import benjamini_hochberg, normal_normal
from spm_models.kpis.working_time import UNKNOWN
from spm_models.pipeline_health.facts import CONTEXT, PipelineFacts
from spm_models.pipeline_health.flow import adjusted

DAYS, EARLY, LEVEL = 365, 30, 0.8
FEWEST_DEALS, FEWEST_REPS, FEWEST_TOP = 10, 8, 3
_PER_CELL = 5.0  # deals with which the mean of a context counts as much as that of all
PLAYBOOK = (
    "behaviour", "unit", "top_reps", "other_reps", "deals", "top", "others", "difference", "low", "high", "p_value",
    "q_value", "verdict",
)  # fmt: skip
EXAMPLES = ("behaviour", "rank", "opportunity_id", "rep_id", "value")


@dataclass(frozen=True)
class Playbook:
    """What the top do differently, and deals that show it.

    Parameters
    ----------
    table : DataFrame
        One row a behaviour, in a fixed order.
    examples : DataFrame
        Won deals of the top that show a behaviour of the playbook most clearly.
    """

    table: pd.DataFrame
    examples: pd.DataFrame


def playbook(facts: PipelineFacts, rate: float = 0.1, *, days: int = DAYS, examples: int = 3) -> Playbook:
    """Compare behaviours of the top quarter of reps with those of the others.

    Parameters
    ----------
    facts : PipelineFacts
    rate : float
        False-discovery rate over the behaviours.
    days : int
        Deals created within so many days up to the day, thirty days before it at the latest, show behaviours; deals
        closed in this time decide who is in the top quarter.
    examples : int
        Deals shown for each behaviour of the playbook.

    Returns
    -------
    Playbook
        ``top`` and ``others``: means over reps; ``difference`` with its 80 % interval: within segment, kind of deal and
        source. ``verdict``: in_playbook | no_clear_difference | not_enough_data.

    Notes
    -----
    Who is in the top quarter: what a rep's closed deals brought, over what deals of the same segment, kind and source
    usually bring, partially pooled, so that one large deal makes nobody a master. Reps with fewer than 10 closed deals
    are in neither group. Behaviours are those of the first 30 days of a deal: what comes later depends on how
    the deal goes. The rep is the unit (Welch's test on the reps' means). No more than an association: what the best do
    need not be why they win, and the same deals show both.
    """
    worth = _worth(facts, days)
    if len(worth) < FEWEST_REPS:
        return Playbook(pd.DataFrame(columns=list(PLAYBOOK)), pd.DataFrame(columns=list(EXAMPLES)))
    size = max(FEWEST_TOP, round(len(worth) / 4))
    top = set(worth.sort_values(["pooled", "rep_id"], ascending=[False, True])["rep_id"][:size])
    rows, shown = [], {}
    for behaviour, unit, deals in _behaviours(facts, days):
        deals = deals[deals["rep_id"].isin(worth["rep_id"]) & deals["value"].notna()]
        deals = deals.assign(rest=_within_context(deals), top=deals["rep_id"].isin(top))
        rows.append((behaviour, unit, *_compared(deals)))
        shown[behaviour] = deals
    table = pd.DataFrame(rows, columns=list(PLAYBOOK[:11]))
    found = benjamini_hochberg(table["p_value"], rate)
    table["q_value"] = adjusted(table["p_value"].to_numpy(dtype=float))
    table["verdict"] = np.where(
        found, "in_playbook", np.where(table["p_value"].isna(), "not_enough_data", "no_clear_difference")
    )
    return Playbook(table, _examples(table, shown, examples))


def _worth(facts: PipelineFacts, days: int) -> pd.DataFrame:
    """What each rep's closed deals brought over what was to be expected, less one, partially pooled."""
    since = pd.Timestamp(facts.as_of) - pd.Timedelta(days=days)
    closed = facts.closed[(facts.closed["closed_on"] > since) & facts.closed["rep_id"].notna()]
    won = closed["status"] == "won"
    amount = closed["amount"].fillna(closed.loc[won, "amount"].median()).where(won, 0.0).fillna(0.0)
    amount = amount.clip(upper=float(amount[won].quantile(0.95)) if won.any() else 0.0)  # one deal decides nothing
    closed = closed.assign(value=amount)
    closed = closed.assign(expected=closed["value"] - _within_context(closed))
    by = closed.assign(rest=closed["value"] - closed["expected"]).groupby("rep_id")
    sums = by.agg(deals=("value", "size"), rest=("rest", "sum"), spread=("rest", "std"), expected=("expected", "sum"))
    sums = sums[(sums["deals"] >= FEWEST_DEALS) & (sums["expected"] > 0) & (sums["spread"] > 0)].reset_index()
    if len(sums) < FEWEST_REPS:
        return sums.assign(pooled=np.nan)
    error = sums["spread"] * np.sqrt(sums["deals"]) / sums["expected"]
    return sums.assign(pooled=normal_normal(sums["rest"] / sums["expected"], error).mean)


def _within_context(deals: pd.DataFrame) -> pd.Series:
    """Values less what is usual in their segment, kind and source: effects added up, small groups drawn to none."""
    rest: pd.Series = deals["value"].astype(float) - deals["value"].astype(float).mean()
    for _ in range(5):  # backfitting (Friedman and Stuetzle 1981): the three overlap
        for name in CONTEXT:
            by = rest.groupby(deals[name])
            rest = rest - (by.transform("sum") / (by.transform("size") + _PER_CELL))
    return rest


def _behaviours(facts: PipelineFacts, days: int) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Each behaviour that the source records: name, unit, and deals with its ``value``."""
    day = pd.Timestamp(facts.as_of)
    young = facts.deals["created_on"] > day - pd.Timedelta(days=EARLY)
    life = (facts.deals["closed_on"].fillna(day) - facts.deals["created_on"]).dt.days
    deals = facts.deals[(facts.deals["created_on"] > day - pd.Timedelta(days=days + EARLY)) & ~young & (life >= EARLY)]
    deals = deals.set_index("opportunity_id", drop=False)
    if "touches" not in facts.off:
        yield from _early_touches(facts, deals)
    if not facts.visits.empty:
        first = facts.visits[facts.visits["place"] == 0].drop_duplicates("opportunity_id").set_index("opportunity_id")
        left = deals["opportunity_id"].map(first["days"].where(first["ended"].notna(), np.inf))
        moved = (left <= EARLY).astype(float).where(deals["opportunity_id"].isin(first.index))
        yield "first_stage_left_early", "share", deals.assign(value=moved)
    if not facts.contacts.empty:
        people = facts.contacts[facts.contacts["opportunity_id"].isin(deals.index)]
        begun = people["opportunity_id"].map(deals["created_on"])
        early = people[people["added_on"] <= begun + pd.Timedelta(days=EARLY)]
        known = early.groupby("opportunity_id").size().reindex(deals.index, fill_value=0).astype(float)
        yield "contacts_early", "count", deals.assign(value=known.clip(upper=10))
        decides = early[early["role"] == "decision_maker"]
        if len(decides):
            yield (
                "decision_maker_early",
                "share",
                deals.assign(value=deals.index.isin(decides["opportunity_id"]).astype(float)),
            )
    yield from _discipline(facts, day - pd.Timedelta(days=days))
    won = facts.deals[(facts.deals["status"] == "won") & (facts.deals["closed_on"] > day - pd.Timedelta(days=days))]
    if won["discount"].notna().any():
        yield (
            "discount_of_won",
            "share",
            won.set_index("opportunity_id", drop=False).assign(value=won["discount"].array),
        )


def _discipline(facts: PipelineFacts, since: pd.Timestamp) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """How soon leads are answered, and next steps done by the day after they were due."""
    leads = facts.leads[(facts.leads["created_at"] > since) & facts.leads["first_response_at"].notna()]
    if len(leads):
        hours = (leads["first_response_at"] - leads["created_at"]).dt.total_seconds() / 3600
        unknown = dict.fromkeys(("segment", "kind"), UNKNOWN)
        yield "hours_to_first_response", "hours", leads.assign(value=hours.clip(lower=0, upper=240), **unknown)
    plans = facts.plans[(facts.plans["due_at"] > since) & (facts.plans["due_at"] < pd.Timestamp(facts.as_of))]
    if len(plans):
        context = facts.deals.set_index("opportunity_id")[list(CONTEXT)]
        done = (plans["happened_at"] <= plans["due_at"] + pd.Timedelta(days=1)).astype(float)
        plans = plans.assign(value=done).join(context, on="opportunity_id")
        yield "next_steps_in_time", "share", plans.fillna(dict.fromkeys(CONTEXT, UNKNOWN))


def _early_touches(facts: PipelineFacts, deals: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    touches = facts.touches[facts.touches["opportunity_id"].isin(deals.index)]
    begun = touches["opportunity_id"].map(deals["created_on"])
    early = touches[(touches["at"] >= begun) & (touches["at"] < begun + pd.Timedelta(days=EARLY))]
    early = early.assign(day=(early["at"] - early["opportunity_id"].map(deals["created_on"])).dt.days)
    by = early.groupby("opportunity_id")
    first = by["day"].min().reindex(deals.index).fillna(EARLY).astype(float)
    yield "days_to_first_touch", "days", deals.assign(value=first)
    yield "touches_early", "count", deals.assign(value=by.size().reindex(deals.index, fill_value=0).astype(float))
    met = early[early["kind"].isin(["meeting", "demo"])].groupby("opportunity_id").size()
    yield "meetings_early", "count", deals.assign(value=met.reindex(deals.index, fill_value=0).astype(float))
    marks = pd.concat(
        [
            early[["opportunity_id", "day"]],
            *(pd.DataFrame({"opportunity_id": deals.index, "day": d}) for d in (0, EARLY)),
        ]
    ).sort_values(["opportunity_id", "day"])
    gaps = marks.groupby("opportunity_id")["day"].diff().groupby(marks["opportunity_id"]).max()
    yield "longest_silence_early", "days", deals.assign(value=gaps.reindex(deals.index).astype(float))


def _compared(deals: pd.DataFrame) -> tuple[float, ...]:
    """Reps, deals, means, and the difference of the reps' means within context, by Welch's test."""
    reps = deals.groupby("rep_id").agg(
        deals=("value", "size"), value=("value", "mean"), rest=("rest", "mean"), top=("top", "first")
    )
    reps = reps[reps["deals"] >= FEWEST_DEALS // 2]
    top, others = reps[reps["top"]], reps[~reps["top"]]
    told = (len(top), len(others), len(deals))
    nothing = (float("nan"),) * 6
    if min(len(top), len(others)) < FEWEST_TOP or reps["rest"].std() == 0:
        return *told, *nothing
    test = stats.ttest_ind(top["rest"], others["rest"], equal_var=False)
    ends = test.confidence_interval(LEVEL)
    difference = float(top["rest"].mean() - others["rest"].mean())
    means = (float(top["value"].mean()), float(others["value"].mean()))
    return *told, *means, difference, float(ends.low), float(ends.high), float(test.pvalue)


def _examples(table: pd.DataFrame, shown: dict[str, pd.DataFrame], most: int) -> pd.DataFrame:
    parts = []
    for row in table[table["verdict"] == "in_playbook"].to_dict("records"):
        deals = shown[row["behaviour"]]
        if "status" not in deals:  # leads and next steps: no deals to show
            continue
        deals = deals[deals["top"] & (deals["status"] == "won")].reset_index(drop=True)
        deals = deals.assign(clear=deals["rest"] * float(np.sign(row["difference"])))
        best = deals.sort_values(["clear", "opportunity_id"], ascending=[False, True]).head(most)
        parts.append(best.assign(behaviour=row["behaviour"], rank=np.arange(len(best)))[list(EXAMPLES)])
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(EXAMPLES))
