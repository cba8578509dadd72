"""A review of the pipeline: all tables of one day, ready to be published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from spm_models.crm.tables import Tables
from spm_models.pipeline_health.facts import PipelineFacts, gather
from spm_models.pipeline_health.flow import bottlenecks
from spm_models.pipeline_health.losses import competitors, loss_reasons
from spm_models.pipeline_health.practice import playbook
from spm_models.pipeline_health.relation import activity_relation
from spm_models.pipeline_health.stages import stage_table
from spm_models.pipeline_health.stuck import StuckDeals
from spm_models.translations import Translator


@dataclass(frozen=True)
class PipelineReview:
    """What is to be said of the pipeline of one day.

    Parameters
    ----------
    facts : PipelineFacts
    tables : dict of str to DataFrame
        By name as in ``published/schemas.py``: ``pipeline_stages``, ``pipeline_bottlenecks``, ``stuck_deals``,
        ``stuck_reasons``, ``activity_relation``, ``loss_reasons``, ``competitors``, ``playbook``,
        ``playbook_examples``.
    notes : tuple of str
        What cannot be said of this source, and why.
    """

    facts: PipelineFacts
    tables: dict[str, pd.DataFrame]
    notes: tuple[str, ...]

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def summary(self) -> pd.DataFrame:
        """How much there is of each kind of finding."""
        finding = {
            "pipeline_bottlenecks": ("bottleneck",), "activity_relation": ("wins_more", "wins_less"),
            "loss_reasons": ("more_often", "less_often"), "competitors": ("wins_less", "wins_more"),
            "playbook": ("in_playbook",),
        }  # fmt: skip
        rows = [("stuck_deals", len(self.facts.open_deals), len(self["stuck_deals"]))]
        rows += [
            (name, len(self[name]), int(self[name]["verdict"].isin(codes).sum())) for name, codes in finding.items()
        ]
        return pd.DataFrame(rows, columns=["table", "looked_at", "findings"])

    def stages(self, team: str = "") -> pd.DataFrame:
        """Stages of a team, or of the company, all segments together."""
        table = self["pipeline_stages"]
        level = "team" if team else "company"
        columns = ["stage", "place", "deals", "amount", "days_open", "visits", "median_days", "km_median_days", "low",
                   "high", "conversion"]  # fmt: skip
        return table.loc[(table["level"] == level) & (table["key"] == team) & (table["segment"] == ""), columns]

    def smallest_p(self, number: int = 10) -> pd.DataFrame:
        """Tests of stages with the smallest p-values, findings first."""
        table = self["pipeline_bottlenecks"].dropna(subset=["p_value"])
        columns = ["key", "segment", "stage", "measure", "against", "value", "reference", "effect", "low", "high",
                   "q_value", "verdict", "amount_waiting"]  # fmt: skip
        return table.sort_values("p_value", kind="stable")[columns].head(number)

    def reasons(self, deals: pd.DataFrame, t: Translator) -> pd.DataFrame:
        """Reasons and the next step of stuck deals in words, in the order of the deals."""
        told = self["stuck_reasons"].merge(deals[["opportunity_id", "rank", "next_step"]], on="opportunity_id")
        told = told.sort_values(["rank", "reason"])
        rows = [
            (row["opportunity_id"], t(f"stuck.reasons.{row['reason']}", value=round(row["value"]),
             limit=round(row["limit"]), won=t("common.won_deals", n=row["won_deals"])),
             t(f"stuck.next_steps.{row['next_step']}"))
            for row in told.to_dict("records")
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=["opportunity_id", "reason", "next_step"])

    def company_losses(self) -> pd.DataFrame:
        """Loss reasons of the whole company, the most frequent first."""
        table = self["loss_reasons"]
        columns = ["reason", "lost", "share", "low", "high", "share_before", "change", "amount", "verdict"]
        mine = table.loc[table["level"] == "company", columns]
        return mine.sort_values(["lost", "reason"], ascending=[False, True])

    def __repr__(self) -> str:
        found = self.summary().set_index("table")["findings"]
        return (
            f"Pipeline at the end of {self.facts.as_of}: {len(self.facts.open_deals):,} open deals, "
            f"{found['stuck_deals']:,} stuck, {found['pipeline_bottlenecks']} bottlenecks"
        )


def review(
    tables: Tables, as_of: date, *, rate: float = 0.1, deal_scores: pd.DataFrame | None = None,
    open_deals: pd.DataFrame | None = None, closed: pd.DataFrame | None = None, people: pd.DataFrame | None = None,
) -> PipelineReview:  # fmt: skip
    """Review the pipeline of one day.

    Parameters
    ----------
    tables : Tables
    as_of : datetime.date
    rate : float
        False-discovery rate of each table of findings.
    deal_scores : DataFrame, optional
        ``opportunity_id`` and ``win_probability`` of open deals: what stuck deals are worth.
    open_deals, closed, people : DataFrame, optional
        Snapshot, outcomes and organisation of the day, where they are at hand.

    Returns
    -------
    PipelineReview
    """
    facts = gather(tables, as_of, open_deals=open_deals, closed=closed, people=people)
    stuck, reasons = StuckDeals().fit(facts).predict(facts, deal_scores)
    practice = playbook(facts, rate)
    found = {
        "pipeline_stages": stage_table(facts), "pipeline_bottlenecks": bottlenecks(facts, rate),
        "stuck_deals": stuck, "stuck_reasons": reasons, "activity_relation": activity_relation(facts, rate),
        "loss_reasons": loss_reasons(facts, rate), "competitors": competitors(facts), "playbook": practice.table,
        "playbook_examples": practice.examples,
    }  # fmt: skip
    return PipelineReview(facts, found, _notes(facts, found))


def _notes(facts: PipelineFacts, found: dict[str, pd.DataFrame]) -> tuple[str, ...]:
    notes = [facts.off[name] for name in sorted(facts.off)]
    if found["loss_reasons"].empty and "losses" not in facts.off:
        notes.append("no loss reasons: nobody stated one for a deal lost in the last year")
    if found["playbook"].empty:
        notes.append("no playbook: too few reps with ten closed deals, or no behaviour is recorded")
    return tuple(notes)
