"""One company for all tests of the simulator."""

from __future__ import annotations

import pytest

from spm_models.sample_company import Company, simulate


@pytest.fixture(scope="session")
def company() -> Company:
    return simulate("small", seed=11)


@pytest.fixture(scope="session")
def usual() -> Company:
    return simulate("usual", seed=1, truth_draws=0)
