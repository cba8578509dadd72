"""A simulated company with known truth, for the demo, tests and benchmarks."""

from __future__ import annotations

from spm_models.sample_company.company import Company, simulate, write, write_workspace
from spm_models.sample_company.workspace_file import workspace_file

__all__ = ["Company", "simulate", "workspace_file", "write", "write_workspace"]
