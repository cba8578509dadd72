"""The pipeline as it was known on a day, outcomes, and splits ordered by time."""

from spm_models.snapshots.days import cutoff, month_ends
from spm_models.snapshots.moments import learning_days, moments
from spm_models.snapshots.outcomes import outcomes, outcomes_table
from spm_models.snapshots.pipeline import pipeline, pipeline_table, pipelines
from spm_models.snapshots.schema import OUTCOMES, PIPELINE
from spm_models.snapshots.splits import split_by_time
from spm_models.snapshots.visits import stage_visits

__all__ = [
    "OUTCOMES",
    "PIPELINE",
    "cutoff",
    "learning_days",
    "moments",
    "month_ends",
    "outcomes",
    "outcomes_table",
    "pipeline",
    "pipeline_table",
    "pipelines",
    "split_by_time",
    "stage_visits",
]
