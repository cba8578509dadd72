"""A simulated company with known truth, for the demo, tests and benchmarks."""

from __future__ import annotations

from spm_models.sample_company.company import Company, simulate, write

__all__ = ["Company", "simulate", "write"]
