"""Simulated companies with known truth."""

from __future__ import annotations

import pytest

from spm_models.coaching.simulation import simulate_evidence


@pytest.fixture(scope="session")
def company():
    return simulate_evidence
