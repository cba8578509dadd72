"""Times to an event against published values and simulated truths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from statsmodels.duration.survfunc import SurvfuncRight

from spm_models.kpis import survival

# E. J. Freireich et al. (1963), Blood 21: weeks in remission, 1 where they ended
MP6 = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"
RUNS = 400


def _spells(**arms):
    rows = [
        {"arm": arm, "entered": 0, "ended": int(time.rstrip("+")), "event": 0 if time.endswith("+") else 1}
        for arm, times in arms.items()
        for time in times.split()
    ]
    return pd.DataFrame(rows)


def _at_least(hits, runs, share):
    """Whether so many hits of so many runs are to be expected, four standard errors allowed, of at least a share."""
    return hits >= runs * share - 4 * np.sqrt(runs * share * (1 - share))


def test_published_medians_and_their_95_percent_intervals(monkeypatch):
    """As SAS (PROC LIFETEST) prints them, log-log: 23 (13 to not reached) and 8 (4 to 11) weeks."""
    monkeypatch.setattr(survival, "_QUANTILE", 1.959964)
    found = survival.medians(_spells(mp6=MP6, placebo=PLACEBO), ["arm"]).set_index("arm")
    assert found[["value", "low", "denominator"]].loc["mp6"].tolist() == [23, 13, 9]
    assert np.isnan(found.loc["mp6", "high"])
    assert found[["value", "low", "high", "denominator"]].loc["placebo"].tolist() == [8, 4, 11, 21]


def test_groups_are_what_an_independent_implementation_makes_of_each():
    rng = np.random.default_rng(1)
    sizes = rng.integers(5, 60, 60)
    group = np.repeat(np.arange(60), sizes)
    time, end = rng.exponential(40, len(group)), rng.exponential(80, len(group))
    spells = pd.DataFrame({
        "g": group, "entered": survival.START, "ended": np.floor(np.minimum(time, end)),
        "event": (time <= end).astype(int),
    })  # fmt: skip
    found = survival.medians(spells, ["g"]).set_index("g")
    for name, rows in spells.groupby("g"):
        curve = SurvfuncRight(rows["ended"], rows["event"])
        with np.errstate(divide="ignore", invalid="ignore"):
            low, high = curve.quantile_ci(0.5, alpha=0.2, method="cloglog")
        reached = curve.surv_times[curve.surv_prob <= 0.5 + 1e-12]
        expected = [reached[0] if len(reached) else np.nan, low, high]
        expected = [value if np.isfinite(value) else np.nan for value in expected]
        np.testing.assert_array_equal(found.loc[name, ["value", "low", "high"]].astype(float), expected, str(name))


def test_late_entry_does_not_lengthen_the_median():
    """Deals seen from a random age on: those that ended before are never seen, and the median is still the truth."""
    rng = np.random.default_rng(2)
    time, entered = rng.exponential(60, 40_000), rng.uniform(0, 90, 40_000)
    end = entered + rng.uniform(30, 120, 40_000)
    seen = time > entered
    spells = pd.DataFrame({
        "all": 1, "entered": entered, "ended": np.minimum(time, end), "event": (time <= end).astype(int),
    })[seen]  # fmt: skip
    truth = 60 * np.log(2)
    found = survival.medians(spells, ["all"]).iloc[0]
    assert found["value"] == pytest.approx(truth, rel=0.05)
    assert survival.medians(spells.assign(entered=0.0), ["all"]).value.item() > 1.3 * truth  # ages forgotten
    assert spells.loc[spells["event"] == 1, "ended"].median() > 1.2 * truth  # and the median of those that were won


def _runs(rng, size, truncated=False):
    """Runs of deals that are won or lost at constant rates (of 60 and 40 days), watched for some time."""
    n = RUNS * size * (4 if truncated else 1)
    won, lost = rng.exponential(60, n), rng.exponential(40, n)
    entered = np.where(rng.random(n) < 0.5, rng.uniform(0, 30, n), survival.START) if truncated else np.full(n, -0.5)
    end = np.maximum(entered, 0) + rng.uniform(20, 150, n)
    ended = np.minimum.reduce([won, lost, end])
    event = np.select([ended == won, ended == lost], [1, 2], 0)
    spells = pd.DataFrame({"run": np.repeat(np.arange(RUNS), n // RUNS), "entered": entered, "ended": ended,
                           "event": event})[ended > entered]  # fmt: skip
    return spells.groupby("run").head(size)


@pytest.mark.parametrize("truncated", [False, True])
def test_the_conditional_median_is_that_of_deals_that_get_won(truncated):
    """With constant rates won and lost deals take equally long: half of the winners are done at log 2 / (1/60 + 1/40).

    The median of the time to a win, losses as ends of observation, is that of a world without losses.
    """
    spells = _runs(np.random.default_rng(3), 120, truncated=truncated).assign(all=1)
    found = survival.medians(spells, ["all"], conditional=True).iloc[0]
    assert found["value"] == pytest.approx(24 * np.log(2), rel=0.04)
    assert found["low"] <= found["value"] <= found["high"]
    assert survival.medians(spells, ["all"]).value.item() == pytest.approx(60 * np.log(2), rel=0.04)


@pytest.mark.parametrize(("conditional", "truth"), [(False, 60 * np.log(2)), (True, 24 * np.log(2))])
@pytest.mark.parametrize("truncated", [False, True])
def test_80_percent_intervals_hold_the_truth_as_often(conditional, truth, truncated):
    spells = _runs(np.random.default_rng(4), 60, truncated=truncated)
    found = survival.medians(spells, ["run"], conditional=conditional)
    hits = (found["low"].fillna(0) <= truth) & (found["high"].fillna(np.inf) >= truth)
    assert _at_least(hits.sum(), RUNS, 0.8)
    assert hits.mean() < 0.93  # and are no wider than they must be


def test_the_share_that_gets_won_counts_what_is_still_open():
    """At rates of 1/60 and 1/40 four of ten are won; Wilson's interval holds it eight times of ten."""
    found = survival.shares(_runs(np.random.default_rng(5), 60), ["run"])
    assert found["value"].mean() == pytest.approx(0.4, abs=0.015)
    hits = ((found["low"] <= 0.4) & (found["high"] >= 0.4)).sum()
    assert _at_least(hits, RUNS, 0.8)


@pytest.mark.parametrize("conditional", [False, True])
def test_one_early_win_does_not_decide_for_those_who_enter_later(conditional):
    """A deal won on day 5 when nobody else was watched at that age says little of the twenty watched from day 30 on."""
    late = [{"all": 1, "entered": 30, "ended": 40 + n, "event": 1} for n in range(20)]
    spells = pd.DataFrame([{"all": 1, "entered": 0, "ended": 5, "event": 1}, *late])
    found = survival.medians(spells, ["all"], conditional=conditional).iloc[0]
    assert found["value"] == 49


def test_a_group_without_an_event_has_no_median():
    spells = pd.DataFrame({"arm": ["a", "a", "b"], "entered": 0, "ended": [3, 4, 5], "event": [0, 2, 1]})
    for conditional in (False, True):
        found = survival.medians(spells, ["arm"], conditional=conditional).set_index("arm")
        assert np.isnan(found.loc["a", "value"]) and found.loc["a", "denominator"] == 0
        assert found.loc["b", "value"] == 5


def test_events_seen_among_few_count_for_more_in_the_interval():
    """One of four is won on day 5 (a quarter), then 27 are watched too and one is won each day (1/40 each).

    They say as much as 1 / (1/4² + 30/40²) = 12.3 equal ones: 0.5 ± 0.6408 × sqrt(0.08125) = 0.317 to 0.683.
    """
    early = [{"all": 1, "entered": 0, "ended": ended, "event": 1} for ended in (5, 31, 32, 33)]
    late = [{"all": 1, "entered": 30, "ended": ended, "event": 1} for ended in range(34, 61)]
    found = survival.medians(pd.DataFrame([*early, *late]), ["all"], conditional=True)
    assert found[["low", "value", "high"]].values.tolist() == [[33, 40, 48]]
