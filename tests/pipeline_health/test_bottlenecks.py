"""Bottlenecks: a quiet company yields as few as promised, a planted one is found where it lies."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.duration.survfunc import survdiff
from statsmodels.stats.contingency_tables import StratifiedTable

from spm_models.inference import benjamini_hochberg
from spm_models.pipeline_health import bottlenecks
from spm_models.pipeline_health.flow import _pieces, adjusted
from spm_models.pipeline_health.score_tests import compare_rates, compare_shares

RUNS, RATE = 25, 0.1
NO_MARGIN = {"dwell": 0.0, "conversion": 0.0}


def test_the_log_rank_test_agrees_with_another_implementation():
    rng = np.random.default_rng(3)
    days, ended, side = rng.integers(1, 40, 150), rng.random(150) < 0.8, rng.random(150) < 0.4
    entry, strata = np.minimum(rng.integers(0, 15, 150), days - 1), rng.integers(0, 3, 150)
    for late, groups in ((None, strata), (entry, None)):  # the other one cannot do both at once
        begin, parts = (np.zeros(150, int) if late is None else late), (np.zeros(150) if groups is None else groups)
        ours = compare_rates(begin, days, ended, side, strata=parts)
        square, p = survdiff(days, ended, side, strata=groups, entry=late)
        assert (ours.effect / ours.error) ** 2 == pytest.approx(square)
        assert 2 * min(ours.p_below(), 1 - ours.p_below()) == pytest.approx(p, abs=1e-4)
    both = compare_rates(entry, days, ended, side, strata=strata)
    single = [compare_rates(*(a[strata == k] for a in (entry, days, ended, side)), strata=np.zeros(sum(strata == k)))
              for k in range(3)]  # fmt: skip
    information = np.array([one.error**-2 for one in single])
    assert both.effect == pytest.approx(np.average([one.effect for one in single], weights=information))


def test_the_shares_agree_with_mantel_and_haenszel():
    rng = np.random.default_rng(3)
    y, side, strata = rng.random(200) < 0.6, rng.random(200) < 0.4, rng.integers(0, 3, 200)
    ours = compare_shares(y, side, strata=strata)
    cells = [(a, b, c) for c in range(3) for a in (True, False) for b in (True, False)]
    counts = np.array([np.sum((side == a) & (y == b) & (strata == c)) for a, b, c in cells], dtype=float)
    table = StratifiedTable(np.moveaxis(counts.reshape(3, 2, 2), 0, -1))
    assert (ours.effect / ours.error) ** 2 == pytest.approx(table.test_null_odds().statistic)
    one = compare_shares(y, side, strata=np.zeros(200))
    assert one.effect == pytest.approx(y[side].mean() - y[~side].mean())


def test_deals_of_one_rep_that_resemble_each_other_say_less():
    """20 reps, ten on either side, whose deals all go the same way: the reps are what counts."""
    rng = np.random.default_rng(0)
    rejected = {"rows": 0, "reps": 0}
    for _ in range(400):
        rep = np.repeat(np.arange(20), 20)
        through = rng.random(400) < rng.beta(4, 2, 20)[rep]
        plain = compare_shares(through, rep < 10, strata=np.zeros(400))
        fair = compare_shares(through, rep < 10, strata=np.zeros(400), clusters=[rep])
        rejected["rows"] += plain.p_below() < 0.05
        rejected["reps"] += fair.p_below() < 0.05
    assert rejected["reps"] <= stats.binom.ppf(0.999, 400, 0.05) < rejected["rows"]


def test_a_stay_cut_in_pieces_is_the_same_stay(simulated):
    facts = simulated(1, deals=200)
    pieces = _pieces(facts)
    left = (AS := np.datetime64(facts.as_of)) - facts.visits["left_on"].fillna(AS).to_numpy()
    recent = left <= np.timedelta64(539, "D")
    assert pieces["ended"].sum() == (facts.visits["ended"].notna() & recent).sum()
    assert ((pieces["stop"] > pieces["entry"]) & (pieces["stop"] - pieces["entry"] <= 30)).all()
    began = (np.datetime64(facts.as_of) - facts.visits["entered_on"].to_numpy()) / np.timedelta64(1, "D")
    inside = np.minimum(began, 539) - left / np.timedelta64(1, "D") + 1
    assert (pieces["stop"] - pieces["entry"]).sum() == inside[recent].sum()


def test_q_values_say_at_which_rate_a_finding_would_stand():
    p = np.random.default_rng(1).random(40) ** 3
    for rate in (0.05, 0.1, 0.3):
        assert ((adjusted(p) <= rate) == benjamini_hochberg(p, rate)).all()


@pytest.mark.slow
def test_a_quiet_company_has_no_bottleneck_but_by_chance(simulated):
    """Reps and segments differ in pace; stages, teams and times do not. That of segments is true: left out."""
    found = 0
    for seed in range(RUNS):
        table = bottlenecks(simulated(seed, deals=600), RATE, margin=NO_MARGIN)
        true = (table["segment"] == "large") & (table["against"] == "peers") & (table["measure"] == "dwell")
        null = table[~true]
        assert len(null) > 60
        found += benjamini_hochberg(null["p_value"], RATE).any()
    assert found <= stats.binom.ppf(0.99, RUNS, RATE)


def test_a_team_that_became_slow_in_one_stage_is_found_there(simulated):
    hits, false = 0, 0
    for seed in range(3):
        table = bottlenecks(simulated(seed, deals=1600, slower={("Meeting", "t2"): 0.4}), RATE)
        found = table[(table["verdict"] == "bottleneck") & (table["measure"] == "dwell") & (table["level"] == "team")]
        hits += ((found["key"] == "t2") & (found["stage"] == "Meeting") & (found["against"] == "peers")).any()
        false += (~((found["key"] == "t2") & (found["stage"] == "Meeting"))).sum()
    assert hits == 3 and false <= 2  # one in ten of all findings may be mistaken
    row = found[found["key"] == "t2"].iloc[0]
    assert row["low"] < row["effect"] < row["high"] < 1 and row["value"] > 1.5 * row["reference"]
    assert row["deals_waiting"] > 0 and row["amount_waiting"] > 0


def test_a_stage_that_got_worse_is_found_and_its_interval_holds_the_truth(simulated):
    held = 0
    for seed in range(3):
        table = bottlenecks(simulated(seed, deals=2000, worse={("Offer", None): 0.6}, recent=True), RATE)
        row = table[(table["level"] == "company") & (table["segment"] == "") & (table["stage"] == "Offer")
                    & (table["measure"] == "conversion")].iloc[0]  # fmt: skip
        assert row["verdict"] == "bottleneck" and row["against"] == "before"
        held += row["low"] - 0.06 < -0.30 < row["high"] + 0.06  # 0.75 to 0.45, a part of it before the window
    assert held == 3


def test_small_groups_are_not_judged(simulated):
    table = bottlenecks(simulated(1, deals=40))
    assert set(table["verdict"]) == {"not_enough_data"} and table["p_value"].isna().all()
