"""The study of planted coaching effects, small and fixed: coverage, null effects, and what before and after claims."""

from __future__ import annotations

from coaching_study.effects import bottom_fifth, by_design, matched_table, study
from scipy import stats

COMPANIES = 300


def test_intervals_hold_what_was_planted_and_before_and_after_does_not() -> None:
    found = study(COMPANIES, seed=5)
    chance = stats.binom.interval(0.998, COMPANIES, 0.9)
    assert chance[0] <= found["effect_coverage90"] * COMPANIES <= chance[1]
    assert abs(found["effect_bias"]) < 0.01 and found["effect_measured_share"] == 1.0
    assert found["effect_null_share"] > 0.65 and found["effect_null_helped"] < 0.2
    assert found["effect_placebo_failed"] < 0.1
    assert found["naive_null_helped"] > 0.6 and found["naive_coverage90"] < 0.25
    assert found["effect_drawn_coverage90"] > 0.78


def test_the_bottom_fifth_rises_uncoached() -> None:
    before, after = bottom_fifth(40, seed=3)
    assert 0.12 < before < 0.15 and 0.21 < after < 0.26


def test_each_design_has_its_row() -> None:
    table = by_design(matched_table(20, seed=2))
    assert len(table) == 20 and {"covered", "planted", "seen", "n"} <= set(table.columns)
