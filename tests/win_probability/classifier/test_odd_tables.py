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
    with pytest.raises(SpmError, match="1 missing labels"):
        WinClassifier().fit(X, np.where(np.arange(len(y)) == 3, None, np.where(y, "won", "lost")))
    with pytest.raises(SpmError, match="no such column"):
        model.update(X, y, time="day")
    with pytest.raises(SpmError, match="dates, the other numbers"):
        WinClassifier().fit(X, y, time=pd.date_range("2026-01-01", periods=len(X)), matured=np.arange(len(X)))
    with pytest.raises(SpmError, match="whole number"):
        WinClassifier(random_state=-1).fit(X, y)


@pytest.mark.parametrize("value", [1, np.nan, "same"])
def test_with_nothing_to_tell_rows_apart_all_get_the_common_rate(value):
    X, y = pd.DataFrame({"only": [value] * 200}), np.arange(200) % 4 == 0
    model = WinClassifier().fit(X, y)
    assert not model.learned_
    assert np.allclose(model.predict_proba(X)[:, 1], 0.25, atol=0.01)
    low, high = model.interval(X).T
    assert (low < 0.25).all() and (high > 0.25).all()


def test_days_as_text_order_rows_like_dates():
    X, y = rows(300)
    X["day"] = pd.date_range("2025-01-01", periods=300)
    told = WinClassifier().fit(X, y, time="day")
    text = X.assign(day=X["day"].dt.strftime("%Y-%m-%d"))
    same = WinClassifier().fit(text, y, time="day")
    assert np.array_equal(same.decision_function(text), told.decision_function(X))


def test_no_label_is_known_before_its_row():
    X, y = rows(300)
    day = pd.Series(pd.date_range("2025-01-01", periods=300))
    early = WinClassifier().fit(X, y, time=day, matured=day - pd.Timedelta(days=90))
    assert np.array_equal(
        early.decision_function(X), WinClassifier().fit(X, y, time=day, matured=day).decision_function(X)
    )


def test_a_generator_is_a_seed_too():
    X, y = rows(80)
    made = [WinClassifier(random_state=np.random.RandomState(3)).fit(X, y).decision_function(X) for _ in range(2)]
    assert np.array_equal(*made)


def test_rows_of_no_weight_change_nothing_in_an_update():
    X, y = rows(120)
    kept = np.arange(120) % 2
    some = WinClassifier().fit(X, y).update(X[kept == 1], y[kept == 1])
    both = WinClassifier().fit(X, y).update(X, y, sample_weight=kept)
    assert np.array_equal(both.decision_function(X), some.decision_function(X))
    with pytest.raises(ValueError, match="weight"):
        both.update(X, y, sample_weight=-kept)


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
