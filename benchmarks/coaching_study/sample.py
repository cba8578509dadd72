"""The mechanistic sample company: who is suggested for coaching, by what truly holds him back.

Nothing in it was made for the review: buyers are convinced week by week by skill, effort and focus.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import pandas as pd

from coaching_study.flags import review, suggestions
from spm_models.coaching import Evidence, ThresholdRules, evidence
from spm_models.crm import load, organisation
from spm_models.periods import FiscalCalendar
from spm_models.sample_company import write_workspace
from spm_models.snapshots import outcomes
from spm_models.workspace import Workspace


def sample(seed: int, size: str = "usual") -> tuple[Evidence, pd.DataFrame]:
    """Evidence of one sample company, and its truth: one row a rep with his ``cause``."""
    with tempfile.TemporaryDirectory() as folder:
        write_workspace(Path(folder), size=size, seed=seed)
        workspace = Workspace.open(folder)
        tables = load(workspace, run_id="benchmark").tables
        day = tables.extracted_on
        calendar = FiscalCalendar.of(workspace.settings.calendar)
        found = evidence(tables, outcomes(tables, day), organisation(tables, day), day, calendar=calendar)
        truth = pd.read_parquet(Path(folder) / "truth" / "reps.parquet").set_index("rep_id")
    return found, truth


def by_cause(seeds: range) -> pd.DataFrame:
    """Reps in role by their true cause, and how many of them the review and the rules name."""
    rows = []
    for seed in seeds:
        found, truth = sample(seed)
        here = found.reps.loc[found.reps["left_on"].isna(), "rep_id"]
        rules = ThresholdRules().flags(found)
        named = {
            "review": {rep for rep, *_ in suggestions(review(found))},
            "rules": set(rules.loc[rules["flagged"], "rep_id"]),
        }
        for cause, group in truth[truth.index.isin(here)].groupby("cause"):
            rows.append({"cause": cause, "reps": len(group)}
                        | {method: len(reps & set(group.index)) for method, reps in named.items()})  # fmt: skip
    return pd.DataFrame(rows).groupby("cause", as_index=False).sum()
