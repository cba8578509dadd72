"""What a coaching review found: one row a rep and signal, one row a rep."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from spm_models.published.schemas import TABLES

VERDICTS = ("coaching_suggestion", "watch", "doing_well", "fine", "not_enough_data")


@dataclass(frozen=True, eq=False)
class CoachingFindings:
    """Findings of one review.

    Parameters
    ----------
    table : DataFrame
        Published as ``coaching_findings``: one row a rep and signal. ``actual``, ``expected`` (a typical colleague in
        the same context), ``pooled`` with ``low`` and ``high`` (80 % range) are in the signal's unit: a share for
        ``win_rate``, activities per working week for ``activity``, new deals per month of full presence for
        ``pipeline_creation`` (in average deals: one of twice the usual size counts 2), days for ``cycle``.
        ``n`` is closed deals, working days, working days, and won deals.
        ``probability_below`` is the posterior probability of a shortfall of at least the margin.
    verdicts : DataFrame
        Published as ``coaching_verdicts``: one row a rep. ``topic`` is the one thing to talk about, ``strength``
        what went best, ``detectable`` the smallest relative shortfall in win rate that the rep's data could show.
    margin, false_discovery_rate : float
        What counts as a shortfall, and the share of suggestions that may be wrong.
    inseparable : tuple of str
        Context that could not be told apart from the reps (one rep per territory), so that a suggestion may be
        about the context instead.
    """

    table: pd.DataFrame
    verdicts: pd.DataFrame
    margin: float
    false_discovery_rate: float
    inseparable: tuple[str, ...] = ()

    def summary(self) -> pd.DataFrame:
        """Reps by verdict and signal; the row ``rep`` counts whole reps. Also the expected false suggestions."""
        counts = self.table.groupby(["signal", "verdict"]).size().unstack(fill_value=0)
        counts.loc["rep"] = self.verdicts["verdict"].value_counts()
        counts = counts.reindex(columns=list(VERDICTS)).fillna(0).astype(int).rename_axis("signal")
        flagged = self.table[self.table["verdict"] == "coaching_suggestion"]
        wrong = (1 - flagged["probability_below"]).groupby(flagged["signal"]).sum()
        by_rep = (1 - flagged["probability_below"]).groupby(flagged["rep_id"]).min().sum()
        counts["expected_false"] = wrong.reindex(counts.index).fillna(0.0).round(2)
        counts.loc["rep", "expected_false"] = round(float(by_rep), 2)
        counts.columns.name = None
        return counts.reset_index()

    def of(self, rep_id: str) -> pd.DataFrame:
        """Findings of one rep, by signal."""
        return self.table[self.table["rep_id"] == rep_id].sort_values("signal", ignore_index=True)

    def most_urgent(self) -> str:
        """The rep to open first: the suggestion with the most money at stake, else the clearest shortfall."""
        order = {verdict: place for place, verdict in enumerate(VERDICTS)}
        clearest = self.table.groupby("rep_id")["probability_below"].max()
        ranked = self.verdicts.assign(
            place=self.verdicts["verdict"].map(order), clearest=self.verdicts["rep_id"].map(clearest)
        ).sort_values(["place", "money_at_stake", "clearest", "rep_id"], ascending=[True, False, False, True])
        return str(ranked["rep_id"].iloc[0]) if len(ranked) else ""

    def _repr_html_(self) -> str:
        return str(self.summary().to_html(index=False))


def empty_table(name: str) -> pd.DataFrame:
    """A published table of this question without rows."""
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in TABLES[name].columns.items()})
