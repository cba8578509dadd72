"""Whatever is written into the ledger: earlier answers stay, parts add up to the whole."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from spm_models.kpis.proration import EXCUSED, days_in_role, prorated
from spm_models.kpis.quota_ledger import owner_quotas, split, standing
from spm_models.periods import FiscalCalendar
from spm_models.targets.ledger import revision_history, target_table

CALENDAR = FiscalCalendar()
Q2 = CALENDAR.parse("2026-Q2")
START = date(2026, 1, 1)
DAYS = st.integers(0, 240).map(lambda n: START + timedelta(days=n))
AMOUNTS = st.integers(0, 10_000_000).map(lambda cents: cents / 100)


def row(amount: float, set_on: date, owner: str = "a", kind: str = "rep", tier: str = "standard") -> dict[str, object]:
    return {"owner_kind": kind, "owner_id": owner, "tier": tier, "period_start": Q2.start, "period_end": Q2.end,
            "amount": amount, "set_on": set_on}  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(AMOUNTS, DAYS), min_size=1, max_size=8), AMOUNTS, DAYS, DAYS)
def test_a_revision_never_changes_what_was_the_target_on_an_earlier_day(rows, amount, set_on, asked) -> None:
    ledger = pd.DataFrame([row(*entry) for entry in rows])
    revised = pd.concat([ledger, pd.DataFrame([row(amount, set_on)])], ignore_index=True)
    before, after = standing(ledger, asked), standing(revised, asked)
    if asked < set_on:
        pd.testing.assert_frame_equal(before, after)
    else:
        newest = max(day for _, day in [*rows, (amount, set_on)] if day <= asked)
        told = [value for value, day in [*rows, (amount, set_on)] if day == newest]
        assert after["amount"].item() == told[-1]  # of one day the row further down


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**12), st.sampled_from(["month", "week"]))
def test_parts_of_a_period_add_up_to_the_target(cents, kind) -> None:
    periods = CALENDAR.periods(kind, Q2.start, Q2.end)
    parts = split(Decimal(cents) / 100, periods)
    assert sum(parts) == Decimal(cents) / 100 and min(parts) >= 0


@settings(max_examples=80, deadline=None)
@given(AMOUNTS, st.none() | DAYS, st.none() | DAYS, st.lists(st.tuples(DAYS, st.integers(0, 40)), max_size=4), DAYS)
def test_days_and_money_owed_and_excused_add_up(amount, hired, left, spans, as_of) -> None:
    people = pd.DataFrame({"rep_id": ["a"], "hired_on": [hired], "left_on": [left]})
    away = pd.DataFrame([{"rep_id": "a", "starts_on": s, "ends_on": s + timedelta(days=n)} for s, n in spans],
                        columns=["rep_id", "starts_on", "ends_on"])  # fmt: skip
    found = days_in_role(people, Q2, as_of, CALENDAR, away).iloc[0]
    assert found["days"] + found[EXCUSED].sum() == found["whole"] == 65.0
    assert (found[["days", *EXCUSED]] >= 0).all()
    owed = prorated(pd.Series([amount]), pd.Series([found["days"]]), pd.Series([found["whole"]])).item()
    assert 0 <= owed <= amount
    # against a count day by day
    workdays = [day for day in pd.date_range(Q2.start, Q2.end) if day.weekday() < 5]
    absent = {s + timedelta(days=i) for s, n in spans if s <= as_of for i in range(n + 1)}
    there = sum(
        (hired is None or day.date() >= hired) and (left is None or day.date() <= left)
        and not (day.date() in absent and day.date() <= as_of)
        for day in workdays
    )  # fmt: skip
    assert found["days"] == there


def test_a_year_beside_its_quarters_counts_once_and_alone_by_days() -> None:
    year = row(365.0, START) | {"period_start": date(2026, 1, 1), "period_end": date(2026, 12, 31)}
    assert owner_quotas(pd.DataFrame([year]), Q2, Q2.end)["quota"].item() == 91.0
    assert owner_quotas(pd.DataFrame([year, row(120.0, START)]), Q2, Q2.end)["quota"].item() == 120.0


def test_a_target_first_set_after_the_opening_counts_with_its_first_amount() -> None:
    ledger = pd.DataFrame([row(100.0, date(2026, 4, 10)), row(80.0, date(2026, 5, 1))])
    assert standing(ledger, Q2.end, opening=Q2.start)["amount"].item() == 100.0
    assert standing(ledger, Q2.end)["amount"].item() == 80.0
    assert standing(ledger, date(2026, 4, 9)).empty


def test_targets_of_a_team_with_a_hire_worked_by_hand() -> None:
    # Two reps with 650 each; b is hired on 4 May: 22 working days of April and 1 May are not owed, 42 of 65 are.
    ledger = pd.DataFrame([
        row(650.0, date(2026, 3, 15), "a"), row(650.0, date(2026, 3, 15), "b"), row(700.0, date(2026, 5, 20), "a"),
        row(1300.0, date(2026, 3, 15), "X", "team"),
    ])  # fmt: skip
    people = pd.DataFrame({"rep_id": ["a", "b"], "team": "X", "region": "W", "manager_id": "m",
                           "hired_on": [None, date(2026, 5, 4)], "left_on": None})  # fmt: skip
    renamed = {"owner_kind": "level", "owner_id": "key"}
    now = owner_quotas(ledger, Q2, Q2.end).rename(columns=renamed)
    first = owner_quotas(standing(ledger, Q2.end, opening=date(1900, 1, 1)), Q2, Q2.end).rename(columns=renamed)
    history = revision_history(ledger, Q2.end)
    days = days_in_role(people, Q2, Q2.end, CALENDAR)
    table = target_table(now, first, days, people, history, Q2).set_index("key")
    assert table["quota"].to_dict() == {"a": 700.0, "b": 650.0, "X": 1300.0}
    assert table["first_quota"].to_dict() == {"a": 650.0, "b": 650.0, "X": 1300.0}
    assert table["revisions"].to_dict() == {"a": 1, "b": 0, "X": 0}
    assert table.loc["b", ["days", "not_yet", "owed", "excused"]].tolist() == [42.0, 23.0, 420.0, 230.0]
    assert table.loc["X", "owed"] == round(1300 * (700 + 420) / 1350, 2)
    assert (table["owed"] + table["excused"]).round(2).equals(table["quota"])
    assert history.query("number == 1")["change"].tolist() == [50.0]


def test_the_history_tells_who_revised_and_why() -> None:
    ledger = pd.DataFrame([row(100.0, date(2026, 3, 15)), row(95.0, date(2026, 5, 4)), row(90.0, date(2026, 5, 4))])
    written = pd.DataFrame([{**row(90.0, date(2026, 5, 4)), "cause": "ad_hoc", "reason": "Two accounts moved.",
                             "author": "m1"}])  # fmt: skip
    for name in ("period_start", "period_end", "set_on"):
        written[name] = pd.to_datetime(written[name]).astype("datetime64[s]")
    history = revision_history(ledger, Q2.end, written)
    assert history["cause"].tolist() == ["imported", "imported", "ad_hoc"]
    assert history["reason"].tolist() == ["", "", "Two accounts moved."]
    assert revision_history(ledger, date(2026, 5, 3), written)["quota"].tolist() == [100.0]
