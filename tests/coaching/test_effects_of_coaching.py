"""Did coaching help: what was planted is found, what was not is not claimed, and nobody is compared with his future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spm_models.coaching import Evidence
from spm_models.coaching.effects import (
    combined,
    draw_order,
    effect_sentence,
    effects,
    naive_sentence,
    programmes,
    randomised_effects,
)
from spm_models.coaching.effects.clustered import last_coefficient
from spm_models.coaching.effects.matched import estimate
from spm_models.coaching.effects.result import MAIN, SCHEMA, judged
from spm_models.coaching.effects.windows import EASE_IN, QUARTER, Programmes, Weekly, credibility, exposure, stack
from spm_models.coaching.features import DEAL_CONTEXT
from spm_models.errors import NotEnoughDataError, StatisticsError
from spm_models.translations import LOCALES, Translator

FIRST = pd.Timestamp("2024-01-01")
BASE = 0.25


def record(seed: int = 1, reps: int = 30, quarters: int = 8, gain: float = 0.0) -> tuple[Weekly, Programmes]:
    """The lowest six of each quarter are coached in the next; deals are won by chance alone but for the gain."""
    draw = np.random.default_rng(seed)
    weeks = quarters * QUARTER
    closed = draw.poisson(2.0, (reps, weeks)).astype(float)
    chance = np.full((reps, weeks), BASE)
    won = np.zeros((reps, weeks))
    who, when = [], []
    for start in range(0, weeks, QUARTER):
        if QUARTER <= start < weeks - QUARTER:
            low = np.argsort(won[:, start - QUARTER : start].sum(axis=1), kind="stable")[:6]
            chance[low] += gain * np.clip((np.arange(weeks) - start) / EASE_IN, 0, 1)
            who += low.tolist()
            when += [start] * 6
        span = slice(start, start + QUARTER)
        won[:, span] = draw.binomial(closed[:, span].astype(int), np.clip(chance[:, span], 0, 0.95))
    weekly = Weekly(won - BASE * closed, closed, won, np.ones((reps, weeks), dtype=bool))
    return weekly, Programmes(np.array(who), np.array(when), np.ones(len(who), dtype=bool))


def as_evidence(weekly: Weekly, planned: Programmes, skill: list[str]) -> Evidence:
    """The same record as deals, weeks and sessions."""
    reps = np.array([f"r{number:02}" for number in range(len(weekly.surplus))])
    rep, week = np.nonzero(weekly.size)
    many = weekly.size[rep, week].astype(int)
    won = (weekly.surplus + BASE * weekly.size)[rep, week]
    nth = np.arange(many.sum()) - np.repeat(many.cumsum() - many, many)
    day = FIRST + pd.to_timedelta(np.repeat(week, many) * 7 + 2, unit="D")
    deals = pd.DataFrame({
        "opportunity_id": [f"o{number}" for number in range(many.sum())], "rep_id": np.repeat(reps[rep], many),
        "won": nth < np.repeat(won, many), "amount": 1000.0, "days": 30.0, "activities": 5.0,
        "created_on": day - pd.Timedelta(days=30), "closed_on": day, "price_kept": np.nan, "longest_silence": np.nan,
    }).assign(**dict.fromkeys(DEAL_CONTEXT, "same"))  # fmt: skip
    weeks = pd.DataFrame({
        "rep_id": np.repeat(reps, weekly.weeks), "days": 5.0, "activity": np.nan, "created": 0.0,
        "week": np.tile(FIRST + pd.to_timedelta(np.arange(weekly.weeks) * 7, unit="D"), len(reps)),
    })  # fmt: skip
    sessions = pd.DataFrame({
        "rep_id": reps[planned.rep], "kind": "coaching", "skill": skill,
        "held_on": FIRST + pd.to_timedelta(planned.start * 7 + 1, unit="D"),
    })  # fmt: skip
    last = (FIRST + pd.Timedelta(days=7 * weekly.weeks - 1)).date()
    return Evidence(last, FIRST.date(), pd.DataFrame({"rep_id": reps}), deals, {}, weeks=weeks, sessions=sessions)


def test_errors_of_single_rows_are_those_of_unequal_variances() -> None:
    """Of two samples without clusters CR2 is Welch's error; Bell and McCaffrey give its degrees of freedom under equal
    variances (Imbens and Kolesár, 2016, section 2)."""
    draw = np.random.default_rng(2)
    y, coached = draw.normal(size=10), np.arange(10) < 3
    found = last_coefficient(np.column_stack([np.ones(10), coached]), y, np.ones(10), np.arange(10))
    a, b = y[coached], y[~coached]
    assert found.error == pytest.approx(np.sqrt(a.var(ddof=1) / 3 + b.var(ddof=1) / 7))
    assert found.freedom == pytest.approx((1 / 3 + 1 / 7) ** 2 / (1 / (9 * 2) + 1 / (49 * 6)))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.value / found.error), found.freedom))


def test_rows_of_one_person_count_as_one_person() -> None:
    draw = np.random.default_rng(3)
    people = np.repeat(np.arange(8), 20)
    y, coached = np.repeat(draw.normal(size=8), 20), people < 4
    alone = last_coefficient(np.column_stack([np.ones(160), coached]), y, np.ones(160), np.arange(160))
    together = last_coefficient(np.column_stack([np.ones(160), coached]), y, np.ones(160), people)
    assert together.error > 3 * alone.error and together.freedom == pytest.approx(6.0)


def test_what_others_explain_is_refused() -> None:
    with pytest.raises(StatisticsError):
        last_coefficient(np.column_stack([np.ones(6), np.ones(6)]), np.arange(6.0), np.ones(6), np.arange(6))


def test_sessions_on_one_skill_close_in_time_are_one_programme() -> None:
    held = pd.DataFrame([
        ("a", "2026-01-05", "coaching", "value"), ("a", "2026-01-19", "role_play", "value"),
        ("a", "2026-02-02", "role_play", "value"), ("a", "2026-01-20", "coaching", "closing"),
        ("a", "2026-06-01", "coaching", "value"), ("b", "2026-01-05", "one_to_one", "value"),
        ("b", "2026-01-05", "training", None),
    ], columns=["rep_id", "held_on", "kind", "skill"])  # fmt: skip
    found = programmes(held.assign(held_on=pd.to_datetime(held["held_on"])))
    assert found[["rep_id", "skill", "kind", "sessions"]].values.tolist() == [
        ["a", "value", "role_play", 3], ["b", "", "training", 1], ["a", "closing", "coaching", 1],
        ["a", "value", "coaching", 1],
    ]  # fmt: skip
    assert programmes(held.iloc[:0].assign(held_on=pd.to_datetime([]))).empty


def test_the_bottom_rises_without_coaching_and_the_comparison_sees_through_it() -> None:
    """Nobody learns anything here: reps are alike, and the lowest six of each quarter are chance."""
    found = [estimate(stack(*record(seed))) for seed in range(60)]
    covered = sum(one.effect.interval(0.9)[0] <= 0 <= one.effect.interval(0.9)[1] for one in found)
    assert np.mean([one.naive for one in found]) > 0.08  # what before and after calls a success
    assert abs(np.mean([one.effect.value for one in found])) < 0.012
    assert np.mean([one.uncoached for one in found]) > 0.06  # the next lowest, whom nobody coached, rise as well
    assert stats.binom.cdf(covered, 60, 0.9) > 0.005


def test_a_planted_gain_is_found_at_its_whole_size() -> None:
    found = [estimate(stack(*record(100 + seed, gain=0.1))) for seed in range(40)]
    covered = sum(one.effect.interval(0.9)[0] <= 0.1 <= one.effect.interval(0.9)[1] for one in found)
    assert np.mean([one.effect.value for one in found]) == pytest.approx(0.1, abs=0.015)
    assert stats.binom.cdf(covered, 40, 0.9) > 0.005


def test_who_is_compared_never_depends_on_what_came_after() -> None:
    """Whoever is coached later, for a low quarter then, stays a comparison now; else only the lucky would be left."""
    weekly, planned = record()
    rows = stack(weekly, planned)
    first = rows.cohort == 0
    later = set(planned.rep[planned.start > QUARTER].tolist()) & set(rows.rep[first & ~rows.coached].tolist())
    assert later and int((first & ~rows.coached).sum()) == 24
    after = replace(weekly, surplus=weekly.surplus.copy())
    after.surplus[:, QUARTER:] += np.random.default_rng(0).normal(size=after.surplus[:, QUARTER:].shape)
    again = stack(after, planned)
    assert np.array_equal(again.rep[again.cohort == 0], rows.rep[first])
    assert not np.allclose(again.y[again.cohort == 0], rows.y[first])


def test_other_programmes_of_the_week_are_neither_coached_nor_compared() -> None:
    weekly, planned = record()
    chosen = planned.chosen.copy()
    chosen[:3] = False
    rows = stack(weekly, replace(planned, chosen=chosen))
    first = rows.cohort == 0
    assert set(rows.rep[first & rows.coached]) == set(planned.rep[3:6])
    assert not set(planned.rep[:3]) & set(rows.rep[first])


def test_coaching_eases_in_and_earlier_coaching_stays() -> None:
    at_work = exposure(Programmes(np.array([0, 0]), np.array([2, 10]), np.ones(2, dtype=bool)), 2, 16)
    assert at_work[0, [2, 3, 7, 12, 15]].tolist() == pytest.approx([0.0, 0.2, 1.0, 1.4, 2.0])
    assert not at_work[1].any()


def test_credibility_is_the_ratio_of_the_variances() -> None:
    draw = np.random.default_rng(4)
    size = draw.integers(10, 40, (4000, 6)).astype(float)
    rate = 0.3 + 0.1 * draw.normal(size=(4000, 1))
    surplus = draw.normal(rate * size, np.sqrt(size))  # variance within 1, between 0.01
    assert credibility(surplus, size) == pytest.approx(100, rel=0.1)
    alike = draw.normal(0.3 * size, np.sqrt(size))
    assert credibility(alike, size) > 1000


def test_too_few_people_give_no_figure() -> None:
    weekly, planned = record()
    two = Programmes(planned.rep[:2], planned.start[:2], planned.chosen[:2])
    with pytest.raises(NotEnoughDataError):
        estimate(stack(weekly, two))


def test_the_table_says_what_helped_and_what_did_not() -> None:
    """Fifteen points are learned, whatever the skill is called; then nothing."""
    weekly, planned = record(7, reps=40, quarters=12, gain=0.15)
    skills = np.where(np.arange(len(planned.rep)) % 2 == 0, "value", "closing").tolist()
    table = effects(as_evidence(weekly, planned, skills))
    assert list(table.columns) == list(SCHEMA.columns)
    assert not table.duplicated(list(SCHEMA.key)).any()
    rows = table.set_index(["skill", "kind", "outcome"])
    whole = rows.loc[("all", "all", "win_rate")]
    assert whole["verdict"] == "helped" and whole["low"] < 0.15 < whole["high"] and whole["naive"] > whole["effect"]
    assert {"value", "closing"} <= set(table["skill"])
    quiet = effects(as_evidence(*record(9, quarters=12), ["value"] * 60))
    row = quiet.set_index(["skill", "kind", "outcome"]).loc[("all", "all", "win_rate")]
    assert row["verdict"] == "no_effect_seen" and row["naive"] > 0.05 and row["detectable"] > 0


def test_sessions_after_the_day_and_one_to_ones_are_not_looked_at() -> None:
    weekly, planned = record(quarters=6)
    evidence = as_evidence(weekly, planned, ["value"] * len(planned.rep))
    assert evidence.sessions is not None
    later = evidence.sessions.assign(held_on=pd.Timestamp(evidence.as_of) + pd.Timedelta(days=1))
    both = pd.concat([evidence.sessions, later, evidence.sessions.assign(kind="one_to_one", skill="closing")])
    pd.testing.assert_frame_equal(effects(evidence, both), effects(evidence))
    assert effects(evidence, evidence.sessions.iloc[:0]).empty


@pytest.mark.parametrize("weeks", [0, 5, 20])
def test_a_short_record_gives_no_figure(weeks: int) -> None:
    weekly, planned = record(quarters=4)
    evidence = as_evidence(weekly, planned, ["value"] * len(planned.rep))
    early = replace(evidence, as_of=(FIRST + pd.Timedelta(days=7 * weeks - 1)).date())
    table = effects(early)
    assert set(table["verdict"]) <= {"not_enough_data"} and table["effect"].isna().all()
    nothing = replace(evidence, deals=evidence.deals.iloc[:0])
    assert set(effects(nothing)["verdict"]) <= {"not_enough_data"}


def table_of(**columns: object) -> pd.DataFrame:
    row: dict[str, object] = {
        "skill": "value", "kind": "all", "outcome": "win_rate", "reps": 9, "controls": 30, "effect": 0.08,
        "low": 0.05, "high": 0.11, "level": 0.9, "naive": 0.2, "placebo": 0.0, "placebo_low": -0.04,
        "placebo_high": 0.04, "uncoached": 0.1, "detectable": 0.05, "design": "matched", "verdict": "", "p": 1e-4,
    }  # fmt: skip
    return pd.DataFrame([row | columns])


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "helped"),
        ({"effect": -0.08}, "did_harm"),
        ({"p": 0.3}, "no_effect_seen"),
        ({"placebo_low": 0.01}, "placebo_failed"),
        ({"placebo_low": 0.01, "p": 0.5}, "placebo_failed"),
        ({"placebo": np.nan, "placebo_low": np.nan, "placebo_high": np.nan}, "not_enough_data"),
        ({"placebo": np.nan, "placebo_low": np.nan, "placebo_high": np.nan, "design": "randomised"}, "helped"),
    ],
)
def test_a_verdict_needs_the_placebo(changes: dict[str, object], verdict: str) -> None:
    assert judged(table_of(**changes), 0.1)["verdict"].tolist() == [verdict]


def test_many_comparisons_need_more_to_be_said() -> None:
    one = table_of(p=0.04)
    assert judged(one.copy(), 0.1)["verdict"].item() == "helped"
    many = pd.concat([table_of(p=0.04), *(table_of(skill=f"s{n}", p=0.5) for n in range(20))], ignore_index=True)
    assert set(judged(many, 0.1)["verdict"]) == {"no_effect_seen"}
    beside = pd.concat([table_of(p=0.04), *(table_of(outcome=f"o{n}", p=0.5) for n in range(20))], ignore_index=True)
    assert judged(beside, 0.1)["verdict"].iloc[0] == "helped" and "o1" not in MAIN


def test_a_drawn_order_stands_where_it_says_something() -> None:
    matched = judged(pd.concat([table_of(), table_of(skill="closing")], ignore_index=True), 0.1)
    drawn = judged(table_of(kind="all", effect=0.01, p=0.6, design="randomised"), 0.1)
    found = combined(matched, drawn).set_index("skill")
    assert found["design"].to_dict() == {"closing": "matched", "value": "randomised"}
    assert combined(matched, drawn.assign(verdict="not_enough_data"))["design"].tolist() == ["matched", "matched"]


def test_an_order_that_was_drawn_and_kept_to_shows_its_effect() -> None:
    draw = np.random.default_rng(11)
    people = pd.DataFrame({"rep_id": [f"r{n:02}" for n in range(32)], "team": ["a", "b"] * 16, "need": "watch"})
    starts_on = (FIRST + pd.Timedelta(weeks=20)).date()
    order = draw_order(people, skill="value", starts_on=starts_on, capacity=6, seed=3)
    weeks, wave = 80, order.places.set_index("rep_id").loc[people["rep_id"], "wave"].to_numpy()
    at_work = np.clip((np.arange(weeks) - (20 + order.weeks * (wave - 1))[:, None]) / EASE_IN, 0, 1)
    closed = draw.poisson(2.5, (32, weeks))
    won = draw.binomial(closed, BASE + 0.2 * at_work)
    record_of = Weekly(won - BASE * closed, closed.astype(float), won * 1.0, np.ones((32, weeks), dtype=bool))
    nobody = Programmes(*(np.zeros(0, dtype=np.int64) for _ in range(2)), np.zeros(0, dtype=bool))
    evidence = as_evidence(record_of, nobody, [])
    row = randomised_effects(evidence, [order]).set_index("outcome").loc["win_rate"]
    assert (row["design"], row["verdict"], row["skill"], row["kind"]) == ("randomised", "helped", "value", "coaching")
    assert row["low"] < 0.2 < row["high"] and row["low"] > 0.08
    late = replace(evidence, as_of=(FIRST + pd.Timedelta(weeks=27)).date())
    assert randomised_effects(late, [order])["verdict"].tolist() == ["not_enough_data"]
    assert randomised_effects(evidence, []).empty


@pytest.mark.parametrize("locale", LOCALES)
def test_every_verdict_is_said_in_words(locale: str) -> None:
    t = Translator(locale)
    for verdict in ("helped", "no_effect_seen", "did_harm", "not_enough_data", "placebo_failed"):
        for outcome in ("win_rate", "activity"):
            row = table_of(verdict=verdict, outcome=outcome).iloc[0].to_dict()
            assert len(effect_sentence(t, row)) > 20 and len(naive_sentence(t, row)) > 20
    own = table_of(verdict="helped", skill="<b>Our own</b>").iloc[0].to_dict()
    assert "<b>Our own</b>" in effect_sentence(t, own)  # escaped where it is shown


def test_an_effect_that_was_not_seen_says_what_could_have_been() -> None:
    row = table_of(verdict="no_effect_seen", detectable=0.06).iloc[0].to_dict()
    assert effect_sentence(Translator("en"), row).endswith(
        "no effect on win rate was seen; an effect smaller than 6.0 points could not have been seen."
    )
