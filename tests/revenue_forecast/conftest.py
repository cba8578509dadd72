"""One company for the tests of this room, forecast once."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from spm_models.revenue_forecast import RevenueForecast, RevenueForecaster


def _companies() -> ModuleType:
    """The generator beside this file (tests are no package)."""
    name = "revenue_forecast_companies"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("companies.py"))
        assert spec is not None and spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


@pytest.fixture(scope="session")
def companies() -> ModuleType:
    return _companies()


@dataclass(frozen=True)
class Case:
    """What was known, and the forecast made of it."""

    snapshots: pd.DataFrame
    outcomes: pd.DataFrame
    pipeline: pd.DataFrame
    organisation: pd.DataFrame
    scores: pd.DataFrame
    model: RevenueForecaster
    forecast: RevenueForecast


@pytest.fixture(scope="session")
def case(companies: ModuleType) -> Case:
    """A company in the middle of a quarter, with a leaver, an unknown owner and one person without a team."""
    company = companies.company(11)
    as_of = companies.MIDDLE
    snapshots, outcomes, pipeline = company.known(as_of)
    people = company.organisation.copy()
    people.loc[people.rep_id == "r03", "left_on"] = pd.Timestamp("2024-10-31")
    people.loc[people.rep_id == "r05", ["team", "region"]] = None
    snapshots["rep_id"] = snapshots.rep_id.where(snapshots.opportunity_id.str[-1] != "7", None)
    pipeline = snapshots[snapshots.as_of == pd.Timestamp(as_of)]
    scores = companies.scores(pipeline)
    model = RevenueForecaster(seed=5, draws=400).fit(snapshots, outcomes, people)
    forecast = model.predict(pipeline, companies.QUARTER, deal_scores=scores)
    return Case(snapshots, outcomes, pipeline, people, scores, model, forecast)
