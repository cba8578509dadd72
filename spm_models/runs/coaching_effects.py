"""The effect of coaching over all that is known, for the weekly run and for the command line."""

from __future__ import annotations

from datetime import datetime

import pandas as pd

from spm_models.coaching import Evidence, evidence
from spm_models.coaching.effects import combined, effects, randomised_effects
from spm_models.runs.coaching_orders import order_of, orders
from spm_models.runs.known import Known
from spm_models.writing.overrides import known_before

QUARTERS = 12  #: looked back at; older coaching says little about today's


def measured_effects(known: Known, sessions: pd.DataFrame | None = None) -> pd.DataFrame:
    """What coaching brought, by skill and kind, as published in ``coaching_effects``.

    Parameters
    ----------
    known : Known
    sessions : DataFrame, optional
        Coaching sessions from the source and the journal together; without it those of the source.

    Returns
    -------
    DataFrame
        Matched differences; where a drawn order says something, that stands instead.
    """
    past = long_evidence(known)
    before: datetime | None = known_before(known.workspace, known.as_of, known.tables.extracted_on)
    drawn = [order_of(entry) for entry in orders(known.workspace, before)]
    found: pd.DataFrame = effects(past, sessions)
    if drawn:
        found = combined(found, randomised_effects(past, drawn))
    return found


def long_evidence(known: Known) -> Evidence:
    """Evidence of three years, as far as the source goes back."""
    return evidence(
        known.tables, known.outcomes, known.people, known.as_of, calendar=known.calendar, quarters=QUARTERS,
        open_pipeline=known.pipeline, with_targets=False,
    )  # fmt: skip
