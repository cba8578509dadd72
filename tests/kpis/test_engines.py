"""The same expressions on DuckDB, PostgreSQL and Spark give the same frame."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models import kpis
from spm_models.crm.tables import Tables

AS_OF = date(2026, 5, 20)
ENGINES = [
    pytest.param(name, marks=[getattr(pytest.mark, name), pytest.mark.xdist_group(name)])
    for name in ("postgres", "spark")
]


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Tables:
    tables: Tables = request.getfixturevalue(request.param)
    return tables


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Rows, words, counts and money alike to the last digit; all other numbers to nine."""
    numbers = list(expected.select_dtypes("float64"))
    texts = list(expected.columns.difference(numbers))
    pd.testing.assert_frame_equal(found[texts], expected[texts])
    whole = expected["unit"].isin(["count", "money"]) & expected["denominator"].isna()  # sums, not means
    pd.testing.assert_frame_equal(found.loc[whole, numbers], expected.loc[whole, numbers], check_exact=True)
    np.testing.assert_allclose(found[numbers], expected[numbers], rtol=1e-9, atol=1e-9)


def _scored(tables: Tables) -> dict[str, Any]:
    """Made-up chances of deals, so that weighted KPIs are there too."""
    ids = tables["opportunities"].opportunity_id.to_pandas().sort_values(ignore_index=True)
    scores = pd.DataFrame({"opportunity_id": ids, "win_probability": np.linspace(0.1, 0.9, len(ids))})
    period = tables.calendar.quarter(AS_OF)
    return {"as_of": AS_OF, "period": period, "deal_scores": scores}


def test_levels_of_the_organisation(company: Tables, engine: Tables) -> None:
    expected = kpis.levels(company, **_scored(company))
    assert expected["kpi"].nunique() > 60 and set(expected["level"]) == {"company", "region", "team", "manager", "rep"}
    assert_same(kpis.levels(engine, **_scored(company)), expected)


def test_reps_and_segments(company: Tables, engine: Tables) -> None:
    expected = kpis.compute(company, by=["rep", "segment"], **_scored(company))
    assert expected["kpi"].nunique() > 20
    assert_same(kpis.compute(engine, by=["rep", "segment"], **_scored(company)), expected)
