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
