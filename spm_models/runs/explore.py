"""One deal, looked at closely: its past weeks, its score and the reasons for it, and what they would be otherwise."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd

from spm_models.errors import RunError
from spm_models.reports.why import Reason, sentence
from spm_models.runs.known import Known
from spm_models.runs.stored_models import WinModel, published_model
from spm_models.snapshots import pipelines
from spm_models.win_probability import DealScores
from spm_models.win_probability.trend import WEEKS, trend_days
from spm_models.win_probability.what_if import VARIABLE, WhatIf, what_if

#: Columns of the snapshot that tell how a deal went along.
PAST = (
    "as_of", "stage", "amount", "expected_close_on", "push_count", "days_in_stage", "activities", "meetings",
    "days_since_activity",
)  # fmt: skip
LEAST = 0.005  #: a reason that moves the probability by less than half a point is not worth a line


class Exploration:
    """What an analyst asks about one open deal.

    Parameters
    ----------
    known : Known
    deal : str
        Id of an open deal; empty: the one with the most expected amount.
    weeks : int
        How far to look back.

    Raises
    ------
    RunError
        When the deal is not open on that day, or no deal is.
    """

    def __init__(self, known: Known, deal: str = "", weeks: int = WEEKS) -> None:
        self.known, self.weeks = known, weeks
        is_open = known.pipeline["opportunity_id"]
        if not (is_open == deal).any() if deal else is_open.empty:
            raise RunError(
                "This deal is not open on that day" if deal else "No deal is open on that day",
                where=f"deals open at the end of {known.as_of}", found=deal or None,
                remedy="Give the id of an open deal, such as those listed in 02_win_probability, or another day.",
            )  # fmt: skip
        self._asked = deal

    @cached_property
    def model(self) -> WinModel:
        """What scores: the stored model of the published run where it fits these data, else one learned now."""
        return published_model(self.known)

    @cached_property
    def deal(self) -> str:
        """Id of the deal."""
        if self._asked:
            return self._asked
        return str(self.model.model.predict(self.known.pipeline).largest(1)["opportunity_id"].iloc[0])

    @property
    def row(self) -> pd.DataFrame:
        """Its row of the pipeline."""
        found: pd.DataFrame = self.known.pipeline[self.known.pipeline["opportunity_id"] == self.deal]
        return found

    @cached_property
    def weekly(self) -> pd.DataFrame:
        """Its rows of the pipelines of past weeks and of the day itself, in every column."""
        rows = pipelines(self.known.tables, trend_days(self.known.as_of, self.weeks))
        own: pd.DataFrame = rows[rows["opportunity_id"] == self.deal]
        return own.sort_values("as_of", ignore_index=True)

    @property
    def past(self) -> pd.DataFrame:
        """How it went along: :data:`PAST`, one row a week, earliest first."""
        return self.weekly[list(PAST)]

    @cached_property
    def scores(self) -> DealScores:
        """What the model says about it."""
        return self.model.model.predict(self.row)

    @cached_property
    def trend(self) -> pd.DataFrame:
        """Probability and 80 % interval of each past week, by today's model: a change tells of the deal alone."""
        seen = [self.model.model.predict(self.weekly.iloc[[place]]).table for place in range(len(self.weekly))]
        table: pd.DataFrame = pd.concat(seen, ignore_index=True)
        return table[["as_of", "win_probability", "low", "high"]]

    @property
    def reasons(self) -> pd.DataFrame:
        """Reasons of its score in sentences, the strongest first."""
        return self.sentences(self.scores)

    def sentences(self, scores: DealScores) -> pd.DataFrame:
        """Reasons of a deal's score: ``reason`` as a sentence, ``points`` of the probability, ``feature`` its group."""
        told = scores.reasons.sort_values("rank")
        told = told[(told["rank"] > 0) & (told["points"].abs() >= LEAST)]
        words = [sentence(self.known.translator, Reason.of(row)) for row in told.to_dict("records")]
        columns = {"reason": words, "points": told["points"].tolist(), "feature": told["feature"].tolist()}
        return pd.DataFrame(columns).astype({"reason": "str", "points": "float64", "feature": "str"})

    def what_if(self, **changes: Any) -> WhatIf:
        """The deal as it might be; see :func:`~spm_models.win_probability.what_if.what_if`.

        Empty text, 0 and None change nothing, so that a notebook's parameters may be passed as they are. Where nothing
        is asked, an example is answered: :attr:`example`.
        """
        asked = {name: value for name, value in changes.items() if value not in ("", 0, None)}
        stages = self.known.tables.stages
        return what_if(self.model.model, self.row, stages=stages, **(asked or self.example))

    @property
    def example(self) -> dict[str, Any]:
        """One more meeting where the source records activities; else the next stage; else half the amount."""
        row, stages = self.row.iloc[0], list(self.known.tables.stages)
        if not pd.isna(row["activities"]):
            return {"more_meetings": 1}
        if row["stage"] in stages[:-1]:
            return {"stage": stages[stages.index(row["stage"]) + 1]}
        return {"amount": row["amount"] / 2} if row["amount"] > 0 else {}

    @staticmethod
    def variable() -> pd.DataFrame:
        """Which inputs may be varied."""
        return pd.DataFrame(list(VARIABLE.items()), columns=["input", "meaning"], dtype="str")

    def __repr__(self) -> str:
        score = self.scores.table.iloc[0]
        where = f"version {self.model.number}" if self.model.number else "a model learned just now"
        return (
            f"{self.deal}: {score['win_probability']:.0%} ({score['low']:.0%} to {score['high']:.0%}) by "
            f"{score['scored_by']}, {where}"
        )
