"""The benchmark is a script beside the package; its modules are found from its folder."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

from win.split import Split, Table


def rows(n: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Two columns of which one tells the outcome."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"amount": rng.normal(size=n), "source": rng.choice(["web", "fair", "call"], n)})
    won = rng.random(n) < 1 / (1 + np.exp(-1.5 * X["amount"]))
    return X, won.to_numpy(float)


@pytest.fixture
def small_table() -> Table:
    """300 rows to learn from, 200 in two splits to be judged by."""
    splits = []
    for seed in (1, 2):
        X, y = rows(150, seed)
        X_test, y_test = rows(100, seed + 10)
        order = np.arange(250)
        splits.append(
            Split(X, y, X_test, y_test, np.arange(100) // 5, time=order[:150], matured=order[:150],
                  time_test=order[150:], matured_test=order[150:] + 20)
        )  # fmt: skip
    return Table("maven_deals", "made up", splits, segment="source", cluster="block of 5", ceiling=0.1)
