"""Tables as they come: odd columns are read or refused clearly."""

import datetime

import numpy as np
import pandas as pd
import pytest

from spm_models.errors import SpmError
from spm_models.win_probability import WinClassifier
from spm_models.win_probability.classifier.roles import Roles


def rows(n=120, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame({"a": rng.normal(size=n), "word": rng.choice(["x", "y", "z"], n)})
    return X, (rng.random(n) < 1 / (1 + np.exp(-2 * X["a"]))).to_numpy(int)


ODD = {
    "all missing": lambda n: np.full(n, np.nan),
    "constant": lambda n: ["same"] * n,
    "infinite": lambda n: np.where(np.arange(n) % 7 == 0, np.inf, np.arange(n)),
    "minus infinite": lambda n: np.where(np.arange(n) % 2 == 0, -np.inf, np.inf),
    "huge": lambda n: np.where(np.arange(n) % 7 == 0, 1e308, -1e308),
    "flag": lambda n: np.arange(n) % 2 == 0,
    "flag with gaps": lambda n: pd.array(([True, False, None] * n)[:n], dtype="boolean"),
    "whole numbers with gaps": lambda n: pd.array(([1, 2, None] * n)[:n], dtype="Int64"),
    "decimals with gaps": lambda n: pd.array(([1.5, 2.5, None] * n)[:n], dtype="Float64"),
    "category": lambda n: pd.Categorical((["p", "q", None] * n)[:n]),
    "numbers as category": lambda n: pd.Categorical(([1, 2, 3] * n)[:n]),
    "mixed": lambda n: np.array(([1, "two", None, 3.0, True] * n)[:n], dtype=object),
    "numeric text": lambda n: [str(k) for k in range(n)],
    "leading zeros": lambda n: [f"{k:05d}" for k in range(n)],
    "dates": lambda n: pd.date_range("2026-01-01", periods=n),
    "dates with a zone": lambda n: pd.date_range("2026-01-01", periods=n, tz="Europe/Istanbul"),
    "days of Python": lambda n: [datetime.date(2026, 1, 1) + datetime.timedelta(days=k) for k in range(n)],
    "dates as text": lambda n: [f"2026-01-{1 + k % 28:02d}" for k in range(n)],
    "durations": lambda n: pd.to_timedelta(np.arange(n), unit="D"),
    "text of one's own": lambda n: [f"deal {k}" for k in range(n)],
    "lists": lambda n: [[k % 3] for k in range(n)],
}


@pytest.mark.parametrize("name", ODD)
def test_odd_columns_are_read(name):
    X, y = rows()
    X["odd"] = pd.Series(ODD[name](len(X)))
    p = WinClassifier().fit(X, y).predict_proba(X)[:, 1]
    assert np.isfinite(p).all()
    plain = WinClassifier().fit(X.drop(columns="odd"), y).predict_proba(X)[:, 1]
    assert np.corrcoef(p, plain)[0, 1] > 0.8


def test_a_column_that_is_empty_in_the_past_is_no_obstacle():
    X, y = rows(1200)
    X["new"] = np.where(np.arange(1200) < 900, np.nan, X["a"])
    model = WinClassifier().fit(X, y, time=np.arange(1200))
    assert model.learned_
    assert np.isfinite(model.decision_function(X)).all()


def test_all_at_once_with_time_and_few_rows():
    X, y = rows(30)
    y[:4] = 0, 1, 0, 1
    for name, make in ODD.items():
        X[name] = pd.Series(make(len(X)))
    model = WinClassifier().fit(X, y, time="dates")
    assert np.isfinite(model.decision_function(X)).all()
    shuffled = X[X.columns[::-1]].assign(more=1)
    assert (model.decision_function(shuffled) == model.decision_function(X)).all()


def test_new_categories_and_gaps_count_as_average():
    X, y = rows(400)
    model = WinClassifier().fit(X, y)
    new = X.head(3).assign(word="never seen")
    told = model.contributions(new).values["word"]
    assert told.abs().max() < 0.3
    assert np.isfinite(model.decision_function(X.head(3).assign(a=np.nan, word=None))).all()


def test_numbers_are_clipped_to_the_range_seen():
    X, y = rows(400)
    model = WinClassifier().fit(X, y)
    far, edge = X.head(1).assign(a=1e9), X.head(1).assign(a=X["a"].max())
    assert model.decision_function(far) == pytest.approx(model.decision_function(edge))


def test_refusals_say_what_is_wrong():
    X, y = rows()
    model = WinClassifier().fit(X, y)
    with pytest.raises(SpmError, match=r"missing.*'word'"):
        model.predict_proba(X[["a"]])
    with pytest.raises(SpmError, match="same name"):
        WinClassifier().fit(pd.concat([X, X["a"]], axis=1), y)
    with pytest.raises(SpmError, match="one class"):
        WinClassifier().fit(X, np.ones(len(X)))
    with pytest.raises(SpmError, match="no such column"):
        WinClassifier().fit(X, y, time="day")
    with pytest.raises(SpmError, match="time is missing"):
        WinClassifier().fit(X, y, time=np.full(len(X), np.nan))
    with pytest.raises(SpmError, match="label"):
        model.update(X.head(2), [0, 7])
    with pytest.raises(SpmError, match="between 0 and 1"):
        model.interval(X, level=1.5)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        WinClassifier().fit(X, y[:5])


def test_text_that_reads_as_numbers_is_a_number_but_codes_are_names():
    X = pd.DataFrame({"price": ["1.5", "2", "n/a"] + ["3"] * 40, "code": ["007", "012", "7"] + ["1"] * 40})
    roles = Roles.learn(X)
    assert roles.kinds == ["number", "category"]
    assert np.isnan(roles.table(X).numbers[2, 0])


def test_a_column_that_nobody_filled_at_first_is_no_obstacle():
    rng = np.random.default_rng(0)
    late = np.where(np.arange(600) > 420, rng.normal(size=600), np.nan)
    X = pd.DataFrame({"a": rng.normal(size=600), "late": late, "t": pd.date_range("2024-01-01", periods=600)})
    y = rng.random(600) < 1 / (1 + np.exp(-2 * X["a"]))
    weight = rng.uniform(0.5, 1.5, 600)
    model = WinClassifier().fit(X, y, time="t", sample_weight=weight)
    assert np.isfinite(model.decision_function(X)).all() and model.learned_
