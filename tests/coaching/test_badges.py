"""Badges: each rule gives its badge where it should, not where it should not, and seldom by chance."""

from dataclasses import replace
from datetime import date, datetime

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from spm_models.coaching import CoachingReview
from spm_models.coaching.simulation import LAST
from spm_models.coaching.team import behaviour
from spm_models.coaching.team.badges import BADGES, Facts, badges
from spm_models.coaching.team.board import deal_parts
from spm_models.coaching.team.change import change, whole_quarters
from spm_models.coaching.team.improvement import improvements
from spm_models.periods import FiscalCalendar
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform

CALENDAR = FiscalCalendar()
QUARTERS = whole_quarters(pd.Timestamp(LAST), CALENDAR)
LATER = [one.label for one in QUARTERS[2:]]
QUARTER = CALENDAR.quarter(date(2026, 6, 30))
START = pd.Timestamp(QUARTER.start)


def day(number):
    return START + pd.Timedelta(days=number)


def names(table):
    return set(zip(table["rep_id"], table["badge"], strict=True))


# -- improvement
def better_later(seen, rep, share):
    """The same company in which some of a rep's later losses were won, and stages got beyond."""
    random = np.random.default_rng(1)
    chosen = seen.deals["rep_id"].eq(rep) & seen.deals["period"].isin(LATER) & ~seen.deals["won"]
    turned = seen.deals.index[chosen & (random.random(len(seen.deals)) < share)]
    deals = seen.deals.copy()
    deals.loc[turned, "won"] = True
    ids = set(deals.loc[turned, "opportunity_id"])
    stages = seen.stages.assign(advanced=seen.stages["advanced"] | seen.stages["opportunity_id"].isin(ids))
    return replace(seen, deals=deals, stages=stages)


def earned(seen):
    found = CoachingReview().fit(seen).predict(seen)
    return improvements(found.posteriors, seen, QUARTERS)


def test_a_rep_who_wins_far_more_than_before_earns_it_with_a_range_above_no_change(company):
    seen, _ = company(5, reps=10, spread=0.0, deals=150.0)
    table = earned(better_later(seen, "r004", 0.7))
    rows = table[table["badge"] == "win_rate_up"]
    assert rows["rep_id"].tolist() == ["r004"]
    row = rows.iloc[0]
    assert row["value"] > row["beside"] and 1 < row["low"] < row["high"] and row["n"] >= 40
    assert row["earned_on"] == pd.Timestamp(QUARTER.end)
    assert "conversion_up" in set(table.loc[table["rep_id"] == "r004", "badge"])


@pytest.fixture(scope="module")
def unchanged(company):
    """Companies in which nobody changes: badges of each, and changes of win rates in their errors."""
    some, z = 0, []
    for seed in range(8):
        seen, _ = company(seed, reps=15, spread=0.1, clusters=1.0)
        found = CoachingReview().fit(seen).predict(seen)
        rows = change(found.posteriors["win_rate", ""], [one.label for one in QUARTERS[:2]], LATER)
        z.extend(rows["change"] / rows["error"])
        some += len(improvements(found.posteriors, seen, QUARTERS)) > 0
    return some, np.array(z)


def test_badges_for_improvement_seldom_come_by_chance(unchanged):
    some, _ = unchanged
    assert some <= stats.binom.ppf(0.99, 8, 0.1)


def test_a_change_has_the_error_that_it_says(unchanged):
    _, z = unchanged  # a little less: chances differ within a rep's deals, which leaves less to chance
    assert len(z) > 100 and 0.75 < z.std() < 1.1 and abs(z.mean()) < 0.25


def test_a_silence_that_halved_is_seen_and_one_that_nearly_did_is_not(company):
    seen, _ = company(6, reps=8, spread=0.0, deals=150.0)
    deals, later = seen.deals.copy(), seen.deals["period"].isin(LATER)
    for rep, share in (("r001", 0.3), ("r002", 0.7)):
        chosen = deals["rep_id"].eq(rep)
        deals.loc[chosen, "longest_silence"] = 20.0
        deals.loc[chosen & later, "longest_silence"] *= share
    random = np.random.default_rng(2)
    deals["longest_silence"] *= np.exp(0.2 * random.standard_normal(len(deals)))
    table = earned(replace(seen, deals=deals))
    rows = table[table["badge"] == "silence_halved"]
    assert rows["rep_id"].tolist() == ["r001"] and rows["value"].item() < rows["beside"].item() / 2


def test_with_less_than_a_year_there_is_no_half_year_before(company):
    seen, _ = company(6, reps=6)
    found = CoachingReview().fit(seen).predict(seen)
    assert improvements(found.posteriors, seen, QUARTERS[1:]).empty


# -- behaviour
def touched(tables_of, contacts):
    rows = [
        {"activity_id": f"a{n}", "rep_id": "r1", "opportunity_id": deal, "kind": "call",
         "happened_at": datetime(2026, 4, 1, 9) + pd.Timedelta(days=number).to_pytimedelta()}
        for n, (deal, number) in enumerate(contacts)
    ]  # fmt: skip
    return tables_of({"activities": rows}, date(2026, 6, 30))


def open_deals(number, begun=0):
    ids = [f"d{n}" for n in range(number)]
    return pd.DataFrame({"opportunity_id": ids, "rep_id": "r1", "created_on": day(begun), "closed_on": pd.NaT}).astype(
        {"created_on": "datetime64[s]", "closed_on": "datetime64[s]"}
    )


def contacts(number, days):
    return [(f"d{n}", one) for n in range(number) for one in days]


EVERY = [0, 20, 40, 60, 80]


def test_deals_that_were_never_silent_for_three_weeks(tables_of):
    found = behaviour.kept_in_touch(touched(tables_of, contacts(5, EVERY)), open_deals(5), QUARTER)
    assert found[["rep_id", "badge", "value", "beside"]].to_numpy().tolist() == [["r1", "followed_up", 5, 20.0]]


@pytest.mark.parametrize("days", [[0, 20, 42, 60, 80], [30, 50, 70], [0, 20, 40, 60], []])
def test_one_silent_deal_is_enough_for_none(tables_of, days):
    tables = touched(tables_of, contacts(4, EVERY) + [("d4", one) for one in days])
    assert behaviour.kept_in_touch(tables, open_deals(5), QUARTER).empty


def test_days_away_are_no_silence(tables_of):
    tables = touched(tables_of, contacts(5, [0, 20, 50, 70]))
    away = pd.DataFrame({"rep_id": ["r1"], "starts_on": [day(25)], "ends_on": [day(40)]})
    assert behaviour.kept_in_touch(tables, open_deals(5), QUARTER).empty
    assert len(behaviour.kept_in_touch(tables, open_deals(5), QUARTER, away)) == 1


def test_four_deals_or_short_ones_are_too_few(tables_of):
    tables = touched(tables_of, contacts(5, EVERY))
    assert behaviour.kept_in_touch(tables, open_deals(4), QUARTER).empty
    assert behaviour.kept_in_touch(tables, open_deals(5, begun=75), QUARTER).empty


def month_ends(deals=5, late=0):
    ends = [pd.Timestamp(f"2026-{month}") for month in ("04-30", "05-31", "06-30")]
    rows = [(end, rep, 10.0, end + pd.Timedelta(days=5)) for end in ends for rep in ("r1", "r2") for _ in range(deals)]
    table = pd.DataFrame(rows, columns=["as_of", "rep_id", "amount", "expected_close_on"])
    table.loc[table.index[:late], "expected_close_on"] = day(0)
    return table


def test_entries_that_are_current_at_every_month_end():
    found = behaviour.kept_current(month_ends(late=1), QUARTER)
    assert found[["rep_id", "value"]].to_numpy().tolist() == [["r2", 15]]
    assert found["beside"].item() == pytest.approx(29 / 30)
    assert behaviour.kept_current(month_ends(deals=4), QUARTER).empty


def test_new_deals_without_two_empty_weeks_in_a_row(company):
    seen, _ = company(3, reps=6)
    weeks = pd.date_range(START, periods=12, freq="7D")
    pattern = {"r0": [1, 0] * 6, "r1": [1, 0, 0] + [1] * 9, "r2": [1] * 12}
    rows = [(rep, week, 5.0, n) for rep, new in pattern.items() for week, n in zip(weeks, new, strict=True)]
    rows = pd.DataFrame(rows, columns=["rep_id", "week", "days", "created"])
    found = behaviour.steady_pipeline(replace(seen, weeks=rows), QUARTER).set_index("rep_id")
    assert found["value"].to_dict() == {"r0": 6, "r2": 12} and found["n"].eq(12).all()
    rows.loc[(rows["rep_id"] == "r1") & (rows["created"] == 0), "days"] = 0.0  # away
    assert "r1" in set(behaviour.steady_pipeline(replace(seen, weeks=rows), QUARTER)["rep_id"])


def test_help_on_deals_of_two_colleagues():
    won = pd.DataFrame({"opportunity_id": list("abcd"), "rep_id": ["r1", "r1", "r2", "r3"], "amount": 100.0,
                        "closed_on": [day(1), day(2), day(3), day(200)]})  # fmt: skip
    given = pd.DataFrame({"opportunity_id": ["a", "b", "c", "a", "b", "d"], "rep_id": ["r9"] * 3 + ["r8"] * 3,
                          "share": 0.2, "valid_from": day(-90), "valid_to": pd.NaT})  # fmt: skip
    found = behaviour.helped(deal_parts(won, given), [QUARTER.previous(), QUARTER])
    assert found[["rep_id", "value", "beside", "earned_on"]].to_numpy().tolist() == [["r9", 3, 2, day(3)]]


def agreed(states, due=20):
    rows = pd.DataFrame({"rep_id": "r1", "state": states, "due_on": day(due), "said_on": day(due - 3)})
    return rows.astype({"due_on": "datetime64[s]", "said_on": "datetime64[s]"})


@pytest.mark.parametrize(
    ("states", "given"),
    [(["done"] * 3, True), (["done"] * 3 + ["dropped"], True), (["done"] * 3 + ["open"], False), (["done"] * 2, False)],
)
def test_everything_agreed_is_done(states, given):
    found = behaviour.actions_closed(agreed(states), date(2026, 6, 30))
    assert (names(found) == {("r1", "actions_closed")}) == given
    assert not given or found["earned_on"].item() == day(17)
    assert behaviour.actions_closed(agreed(states, due=-30), date(2026, 6, 30)).empty, "long ago"


def test_a_win_after_a_stretch_that_chance_seldom_brings(company):
    seen, _ = company(3, reps=6)

    def ended(*won):
        return replace(seen, deals=pd.DataFrame(
            {"opportunity_id": [f"d{n:02}" for n in range(len(won))], "rep_id": "r1", "won": list(won),
             "closed_on": [day(n) for n in range(len(won))], "chance": np.nan}
        ))  # fmt: skip

    usual = pd.Series({"r1": 0.4})
    hard = behaviour.first_win(ended(True, *[False] * 10, True), usual)
    assert hard[["value", "earned_on"]].to_numpy().tolist() == [[10, day(11)]]
    assert hard["beside"].item() == pytest.approx(4.0)
    assert behaviour.first_win(ended(True, *[False] * 6, True), usual).empty, "chance brings that often"
    assert behaviour.first_win(ended(True, *[False] * 10), usual).empty, "no win yet"


# -- all together
def test_the_table_fits_and_needs_no_more_than_evidence(company):
    seen, _ = company(5, reps=10, spread=0.0, deals=150.0)
    seen = better_later(seen, "r004", 0.7)
    found = CoachingReview().fit(seen).predict(seen)
    table = conform(badges(Facts(found, seen, CALENDAR, actions=agreed(["done"] * 3))), TABLES["badges"])
    assert ("r004", "win_rate_up") in names(table)
    assert "r1" not in set(table["rep_id"]), "somebody who is not there"
    assert set(table["badge"]) <= set(BADGES) and len(BADGES) == len(set(BADGES)) >= 8
    assert table["earned_on"].le(pd.Timestamp(LAST)).all() and table["value"].notna().all()
    pd.testing.assert_frame_equal(table, conform(badges(Facts(found, seen, CALENDAR)), TABLES["badges"]))
