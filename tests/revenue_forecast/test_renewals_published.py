"""Contracts due for renewal stand beside open deals in the published inputs, under ids of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform
from spm_models.revenue_forecast.bridge import Expectation
from spm_models.revenue_forecast.published_inputs import published_inputs, read_inputs
from spm_models.revenue_forecast.what_if import what_if


def test_a_contract_may_have_the_id_of_a_deal(case: Any) -> None:
    inputs = case.forecast.inputs
    first = inputs.deals.iloc[[0]].assign(
        part="renewals", chance=0.9, base=5000.0, worth=5000.0, pool=len(inputs.pools)
    )
    chances = np.concatenate([inputs.chances, np.full_like(inputs.chances[:1], 0.3)])
    more = replace(
        inputs, deals=pd.concat([inputs.deals, first], ignore_index=True), chances=chances,
        pools=[*inputs.pools, np.ones(1)],
    )  # fmt: skip
    tables = {name: conform(table, TABLES[name]) for name, table in published_inputs(more).items()}
    read = read_inputs(tables, more.period.label)
    assert read.deals.part.value_counts()["renewals"] == 1 and len(read.pools) == len(inputs.pools) + 1
    found = what_if(read, price=2.0)
    assert found.before.loc["renewals", "mean"] == pytest.approx(0.9 * 5000, rel=0.2)
    assert found.after.loc["renewals", "mean"] == pytest.approx(2 * found.before.loc["renewals", "mean"])
    side = Expectation.of(more.draw(), case.outcomes)
    assert len(side.deals) == len(inputs.deals) and side.renewals.sum() == pytest.approx(450_000, rel=0.2)
    assert abs(side.unexplained.sum()) < 0.1 * side.total.sum()
