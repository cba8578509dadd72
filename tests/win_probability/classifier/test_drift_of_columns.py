"""Which columns look different today from what was learned, beyond chance."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from spm_models.win_probability.classifier.covariates import covariate_drift


def test_unchanged_columns_are_stable_even_with_few_rows():
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(40):
        then = pd.DataFrame({"amount": rng.normal(size=400), "source": rng.choice(list("abcd"), 400)})
        now = pd.DataFrame({"amount": rng.normal(size=40), "source": rng.choice(list("abcd"), 40)})
        alarms += (covariate_drift(then, now)["verdict"] != "stable").sum()
    assert alarms <= stats.binom.ppf(0.999, 80, 0.02)


def test_the_changed_column_comes_first_and_says_where():
    rng = np.random.default_rng(2)
    then = pd.DataFrame(
        {"amount": rng.normal(size=1000), "day": pd.date_range("2025-01-01", periods=1000), "known": [True] * 1000}
    )
    now = pd.DataFrame({"amount": rng.normal(1.5, size=300), "day": pd.date_range("2026-01-01", periods=300)})
    table = covariate_drift(then, now).set_index("column")
    assert table["verdict"].to_dict() == {"amount": "large", "day": "large", "known": "large"}
    assert table.loc["amount", "value"].startswith("above")
    assert table.loc["amount", "share_now"] > table.loc["amount", "share_then"]
    assert table.loc["known", "value"] in ("missing", "True")  # a column that is gone counts as missing


def test_new_values_and_missing_ones_are_told_apart():
    then = pd.DataFrame({"source": ["web"] * 80 + ["fair"] * 20, "price": [1.0, 2.0] * 50})
    now = pd.DataFrame({"source": ["partner"] * 50 + ["web"] * 50, "price": [np.nan] * 60 + [1.0] * 40})
    table = covariate_drift(then, now, bins=2).set_index("column")
    assert table.loc["source", ["value", "share_then", "share_now"]].tolist() == ["other", 0.0, 0.5]
    assert table.loc["price", ["value", "share_then", "share_now"]].tolist() == ["missing", 0.0, 0.6]


def test_no_rows_are_no_drift():
    then = pd.DataFrame({"a": [1.0, 2.0]})
    assert covariate_drift(then, then.head(0))["verdict"].tolist() == ["stable"]
