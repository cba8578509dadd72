"""The small company of the page tests."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def company() -> dict[str, pd.DataFrame]:
    spec = importlib.util.spec_from_file_location("outlook_company", Path(__file__).with_name("company.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tables: dict[str, pd.DataFrame] = module.company()
    return tables
