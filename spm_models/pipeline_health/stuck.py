"""Stuck deals: open deals that no longer look like deals that were won, with reasons, worth and the next step."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from spm_models.errors import ModelError, StatisticsError
from spm_models.inference import beta_binomial, normal_normal
from spm_models.pipeline_health.facts import PipelineFacts

FEWEST = 20  #: won deals without which nothing is typical
_BETWEEN = 0.3  # by how much segments may differ, as logarithm: most of them by less than a third
REASONS = ("dwell", "silent", "pushed", "age")
DEALS = (
    "as_of", "opportunity_id", "rep_id", "stage", "segment", "amount", "win_probability", "at_stake", "rank",
    "reasons", "next_step",
)  # fmt: skip
WHY = ("opportunity_id", "rep_id", "reason", "value", "limit", "won_deals", "limit_of")
_NOTHING = pd.MultiIndex.from_arrays([[], []], names=["stage", "segment"])


@dataclass
class StuckDeals:
    """What won deals show at most, learned from them, and the open deals that go beyond it.

    Parameters
    ----------
    share : float
        A limit is what this share of won deals of the kind stayed within.

    Attributes
    ----------
    limits_ : DataFrame
        ``reason``, ``stage`` (dwell only), ``segment``, ``limit``, ``won_deals`` (of all segments together),
        ``limit_of`` (stage_and_segment, stage, segment or company: what told the limit). Reasons: ``dwell`` days in the
        stage, ``silent`` longest time between touches in days, ``pushed`` times that the close date was moved later,
        ``age`` days from creation to close (only where the source has no history).
    rates_ : Series
        Share won of the deals that reached a stage, by stage and segment, pooled over segments.

    Notes
    -----
    A limit belongs to stage and segment. Segments with few won deals borrow from the others: the mean logarithm of
    each is drawn towards the common one (:func:`spm_models.inference.normal_normal`), and the spread around it, hence
    the quantile, is taken from all segments. With fewer than 20 won deals there is no limit.

    Examples
    --------
    >>> StuckDeals(share=0.9).share
    0.9
    """

    share: float = 0.9
    limits_: pd.DataFrame = field(init=False, repr=False)
    rates_: pd.Series = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0.5 <= self.share < 1:
            raise StatisticsError(
                "A share of won deals lies between a half and one", where="StuckDeals", found=self.share
            )

    def fit(self, facts: PipelineFacts) -> StuckDeals:
        """Learn from deals won by the day."""
        won = facts.deals[facts.deals["status"] == "won"]
        parts = [self._limit("silent", _silences(facts, won)), self._limit("pushed", _counted(facts.pushes, won))]
        if "dwell" in facts.off:
            days = (won["closed_on"] - won["created_on"]).dt.days
            parts.append(self._limit("age", won.assign(value=days)))
        stays = facts.visits[facts.visits["opportunity_id"].isin(won["opportunity_id"])].rename(
            columns={"days": "value"}
        )
        parts += [self._limit("dwell", stays[stays["stage"] == stage], stage) for stage in facts.stages]
        self.limits_ = pd.concat(parts, ignore_index=True)
        self.rates_ = _rates(facts)
        return self

    def predict(
        self, facts: PipelineFacts, deal_scores: pd.DataFrame | None = None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Open deals beyond a limit, and why.

        Parameters
        ----------
        facts : PipelineFacts
        deal_scores : DataFrame, optional
            ``opportunity_id``, ``win_probability`` and, for deals without an amount, ``expected_amount``; without
            it the share won of deals that reached the stage.

        Returns
        -------
        tuple of DataFrame
            Stuck deals, and their reasons. ``at_stake`` is amount × win probability; ``rank`` 0 has most at stake,
            deals without an amount come last. ``next_step`` is a code whose words stand under ``stuck.next_steps``.
        """
        if not hasattr(self, "limits_"):
            raise ModelError("StuckDeals has learned nothing yet", remedy="Call fit(facts) first.")
        deals = facts.open_deals.drop(columns=["segment"], errors="ignore").merge(
            facts.deals[["opportunity_id", "segment"]], on="opportunity_id"
        )
        reasons = self._beyond(_measured(deals, facts))
        kept = deals[deals["opportunity_id"].isin(reasons["opportunity_id"])].copy()
        kept["win_probability"] = self._chances(kept, deal_scores)
        kept["at_stake"] = kept["amount"] * kept["win_probability"]
        if deal_scores is not None and "expected_amount" in deal_scores:
            expected = deal_scores.set_index("opportunity_id")["expected_amount"]
            kept["at_stake"] = kept["at_stake"].fillna(kept["opportunity_id"].map(expected).astype(float))
        codes = reasons.groupby("opportunity_id")["reason"].agg(list)
        kept["reasons"] = kept["opportunity_id"].map(codes.map(len)).astype("int64")
        kept["next_step"] = _next_steps(kept, kept["opportunity_id"].map(codes))
        kept = kept.sort_values(["at_stake", "opportunity_id"], ascending=[False, True], na_position="last")
        kept = kept.assign(rank=np.arange(len(kept)), as_of=pd.Timestamp(facts.as_of))
        return kept[list(DEALS)].reset_index(drop=True), reasons

    def _limit(self, reason: str, rows: pd.DataFrame, stage: str = "") -> pd.DataFrame:
        """Limits of all segments for one reason (and stage)."""
        rows = rows[rows["value"].notna()]
        deals = rows["opportunity_id"].nunique()
        columns = ["reason", "stage", "segment", "limit", "won_deals", "limit_of"]
        if deals < FEWEST:
            return pd.DataFrame(columns=columns)
        common = float(rows["value"].quantile(self.share))
        logs: pd.Series = rows["value"].astype(float).map(np.log1p)
        by = logs.groupby(rows["segment"]).agg(["mean", "size"])
        found = [("", common, "stage" if stage else "company")]
        if len(by) > 1:
            rest = logs - rows["segment"].map(by["mean"])
            spread = max(float(np.sqrt((rest**2).sum() / max(len(rows) - len(by), 1))), 1e-6)
            pooled = normal_normal(by["mean"], spread / np.sqrt(by["size"]), spread=_BETWEEN).mean
            limits = np.expm1(pooled + float(rest.quantile(self.share)))
            of = "stage_and_segment" if stage else "segment"
            found += [(segment, float(limit), of) for segment, limit in zip(by.index, limits, strict=True)]
        rows_ = [(reason, stage, segment, limit, deals, of) for segment, limit, of in found]
        return pd.DataFrame(rows_, columns=columns)

    def _beyond(self, measured: pd.DataFrame) -> pd.DataFrame:
        """Rows whose value lies beyond the limit of their segment, or of all where the segment has none."""
        keys = ["reason", "stage", "segment"]
        own = measured.merge(self.limits_, on=keys, how="left")
        common = measured.assign(segment="").merge(self.limits_, on=keys, how="left")
        names = ["limit", "won_deals", "limit_of"]
        own[names] = own[names].where(own["limit_of"].notna(), common[names])
        least = np.where(own["reason"] == "pushed", 1.0, 0.0)  # pushed again: at least twice
        found = own[(own["value"] > own["limit"].astype(float)) & (own["value"] > least)]
        found = found.sort_values(["opportunity_id", "reason"], ignore_index=True)
        beyond: pd.DataFrame = found[list(WHY)].astype({"won_deals": "int64", "limit": "float64"})
        return beyond

    def _chances(self, deals: pd.DataFrame, deal_scores: pd.DataFrame | None) -> pd.Series:
        keys = pd.MultiIndex.from_frame(deals[["stage", "segment"]])
        plain = pd.Series(self.rates_.reindex(keys).to_numpy(dtype=float), deals.index)
        if deal_scores is None:
            return plain
        told = deal_scores.set_index("opportunity_id")["win_probability"]
        return deals["opportunity_id"].map(told).astype(float).fillna(plain)


def _silences(facts: PipelineFacts, won: pd.DataFrame) -> pd.DataFrame:
    """Longest time without a touch in the life of each won deal, in days."""
    if facts.touches.empty:
        return won.assign(value=np.nan)
    known: pd.DataFrame = won[won["created_on"] >= facts.touches["at"].min().normalize()]
    if known.empty:
        return known.assign(value=np.nan)
    touches = facts.touches[facts.touches["opportunity_id"].isin(known["opportunity_id"])]
    ends = known.set_index("opportunity_id")
    marks = pd.concat(
        [touches[["opportunity_id", "at"]],
         *(ends[name].rename("at").astype("datetime64[us]").reset_index() for name in ("created_on", "closed_on"))],
        ignore_index=True,
    )  # fmt: skip
    life = marks["opportunity_id"]
    inside = marks["at"] < life.map(ends["closed_on"]) + pd.Timedelta(days=1)  # what came later is another matter
    inside &= marks["at"] >= life.map(ends["created_on"])
    marks = marks[inside].sort_values(["opportunity_id", "at"])
    gaps = marks.groupby("opportunity_id")["at"].diff().dt.total_seconds() / 86_400
    longest = np.floor(gaps.groupby(marks["opportunity_id"]).max())
    silences: pd.DataFrame = known.assign(value=known["opportunity_id"].map(longest))
    return silences


def _counted(pushes: pd.Series, won: pd.DataFrame) -> pd.DataFrame:
    return won.assign(value=won["opportunity_id"].map(pushes).astype(float))


def _rates(facts: PipelineFacts) -> pd.Series:
    """Share won of decided deals that reached each stage, by segment; of all decided deals without history."""
    decided = facts.closed[["opportunity_id", "segment", "status"]]
    if facts.visits.empty:
        reached = decided.merge(pd.DataFrame({"stage": [*facts.stages]}), how="cross")
    else:
        stays = facts.visits[["opportunity_id", "stage"]].drop_duplicates()
        reached = decided.merge(stays, on="opportunity_id")
    found: dict[tuple[str, str], float] = {}
    for stage, rows in reached.groupby("stage"):
        by = (rows["status"] == "won").groupby(rows["segment"]).agg(["sum", "size"])
        common = (by["sum"].sum() + 0.5) / (by["size"].sum() + 1)
        pooled = beta_binomial(by["sum"], by["size"], np.full(len(by), common), spread=0.5).mean
        found |= {(str(stage), str(segment)): float(rate) for segment, rate in zip(by.index, pooled, strict=True)}
    index = pd.MultiIndex.from_tuples(list(found), names=["stage", "segment"]) if found else _NOTHING
    return pd.Series(list(found.values()), index, dtype=float)


def _measured(deals: pd.DataFrame, facts: PipelineFacts) -> pd.DataFrame:
    """One row an open deal and reason that can be known: its value."""
    columns = {"dwell": deals["days_in_stage"], "pushed": deals["push_count"]} if "dwell" not in facts.off else {}
    if "dwell" in facts.off:
        columns["age"] = deals["age_days"]
    if "touches" not in facts.off:
        columns["silent"] = deals["days_since_activity"].fillna(deals["age_days"])  # never touched
    parts = [
        pd.DataFrame(
            {"opportunity_id": deals["opportunity_id"], "rep_id": deals["rep_id"], "segment": deals["segment"],
             "stage": deals["stage"] if reason == "dwell" else "", "reason": reason, "value": values.astype(float)}
        )
        for reason, values in columns.items()
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def _next_steps(deals: pd.DataFrame, reasons: pd.Series) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    """The manager's next step follows from the reason; a deal with three reasons wants a decision first."""
    has = {reason: reasons.map(lambda codes, reason=reason: reason in codes).astype(bool) for reason in REASONS}
    nothing = pd.Series(np.nan, deals.index)
    nobody = deals.get("decision_makers", nothing) == 0
    objected = (deals.get("objections", nothing) > 0) & (deals.get("next_steps", nothing) == 0)
    return np.select(
        [reasons.map(len).astype(float) >= 3, has["silent"], has["pushed"], nobody, objected],
        ["decide_go_or_no_go", "reach_out", "confirm_close_date", "find_decision_maker", "answer_objection"],
        "agree_next_step",
    )
