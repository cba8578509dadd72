"""The coaching question in the weekly run: who, in what, why, what to do, and did it help."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from spm_models.access import Scope
from spm_models.coaching import (
    CoachingFindings,
    CoachingReview,
    Evidence,
    causes,
    early_warnings,
    examples,
    gap,
    with_causes,
)
from spm_models.coaching.deal_facts import open_deals
from spm_models.coaching.plans import keep_topics, plans, read_library
from spm_models.coaching.plans.library import OWN_FOLDER
from spm_models.journal import Entry
from spm_models.published import Results
from spm_models.published.reader import past_runs
from spm_models.runs.coaching_effects import measured_effects
from spm_models.runs.known import Known
from spm_models.runs.team_results import team_results

Frames = dict[str, pd.DataFrame]


def coaching_results(
    known: Known, deal_scores: pd.DataFrame, confirmed: pd.DataFrame | None = None, written: Sequence[Entry] = ()
) -> tuple[Frames, list[str]]:
    """Findings, plans, effects and what a team shares, as of a day.

    Parameters
    ----------
    known : Known
        Its tables hold the coaching sessions that people wrote as well.
    deal_scores : DataFrame
        Win probabilities of the deals open on the day.
    confirmed : DataFrame, optional
        What managers said of causes (:func:`spm_models.journal.people.cause_rows`).
    written : sequence of Entry
        What people had written about coaching by then.

    Returns
    -------
    tuple of dict and list
        Tables to publish, and what readers should know first.
    """
    rate = known.workspace.settings.models.false_discovery_rate
    seen = replace(known.evidence, open_deals=open_deals(known.pipeline, deal_scores))
    review = CoachingReview(known.seed, rate).fit(seen)
    findings = _with_topics_that_hold(known, review.predict(seen), seen)
    behind = causes(findings, confirmed=confirmed)
    findings = replace(findings, verdicts=with_causes(findings.verdicts, behind.table))
    proposed = plans(
        seen, findings, causes=behind.table, organisation=known.people, calendar=known.calendar,
        library=read_library(known.workspace.root / OWN_FOLDER),
        every_days=known.workspace.settings.coaching.one_to_one_every_days,
    )  # fmt: skip
    warnings = early_warnings(seen, findings, seed=known.seed)
    tables = {
        "coaching_findings": findings.table, "coaching_verdicts": findings.verdicts,
        "coaching_examples": examples(findings, seen), "coaching_plan": proposed.table,
        "coaching_feedback": proposed.feedback, "coaching_causes": behind.table,
        "coaching_evidence": behind.evidence, "coaching_gap": gap(seen, findings, seed=known.seed),
        "coaching_effects": measured_effects(known), "early_warnings": warnings.table,
        "early_warning_path": warnings.path,
    }  # fmt: skip
    tables |= team_results(known, seen, findings, written)
    notes = [f"Each {name} has few reps: what looks like a rep's may be the {name}'s." for name in findings.inseparable]
    return tables, notes


def _with_topics_that_hold(known: Known, findings: CoachingFindings, seen: Evidence) -> CoachingFindings:
    """The topic published last stays until it was talked about."""
    run = past_runs(known.workspace, before=known.as_of)
    previous = Results.open(known.workspace, scope=Scope.of_company(), run_id=run[-1]) if run else None
    said = None if previous is None else previous["coaching_verdicts"]
    kept: CoachingFindings = keep_topics(
        findings,
        said,
        seen.sessions,
        known.as_of,
        every_days=known.workspace.settings.coaching.one_to_one_every_days,
    )
    return kept
