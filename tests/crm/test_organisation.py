from datetime import date, timedelta

import ibis
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from spm_models.crm.organisation import COLUMNS, organisation, reporting_line

AS_OF = date(2026, 6, 30)


def table(rows, **types):
    return ibis.memtable(pd.DataFrame(rows, columns=list(types)), schema=ibis.schema(types))


def reps(*rows):
    names = ("rep_id", "manager_id", "hired_on", "left_on")
    padded = [dict(zip(names, (*row, *[None] * (4 - len(row))), strict=True)) for row in rows]
    full = [{**row, "name": f"Name {row['rep_id']}", "team": "T", "region": "R", "role": None} for row in padded]
    text = dict.fromkeys(("rep_id", "manager_id", "name", "team", "region", "role"), "string")
    return table(full, **{**text, "hired_on": "date", "left_on": "date"})


def dated(column, *rows):
    names = ("rep_id", column, "valid_from", "valid_to")
    padded = [dict(zip(names, (*row, *[None] * (4 - len(row))), strict=True)) for row in rows]
    return table(padded, **{"rep_id": "string", column: "string", "valid_from": "date", "valid_to": "date"})


def managers(frame):
    return {
        rep: None if pd.isna(manager) else manager for rep, manager in zip(frame.rep_id, frame.manager_id, strict=True)
    }


def test_plain_manager_column_is_an_undated_line():
    people = organisation({"reps": reps(("r1", "m1"), ("m1", None), ("r2", "elsewhere"))}, AS_OF)
    assert tuple(people.columns) == COLUMNS
    assert people.attrs["dated"] is False
    assert people.set_index("rep_id").manager_name.to_dict() | {"m1": None} == {
        "r1": "Name m1", "r2": "elsewhere", "m1": None,
    }  # fmt: skip
    assert people.attrs["unknown_managers"] == ["elsewhere"] and people.attrs["without_manager"] == ["m1"]
    assert people.territory.tolist() == ["R"] * 3
    assert people.hired_on.dtype == "datetime64[s]" and people.manager_id.dtype == "str"


def test_transfers_follow_the_dated_line():
    lines = dated(
        "manager_id", ("r1", "m1", date(2025, 1, 1), date(2026, 6, 30)), ("r1", "m2", date(2026, 7, 1), None)
    )  # fmt: skip
    tables = {"reps": reps(("r1", "m9"), ("m1",), ("m2",)), "reporting_lines": lines}
    held = [managers(organisation(tables, AS_OF + timedelta(days=n)))["r1"] for n in (-600, 0, 1)]
    assert held == [None, "m1", "m2"]
    assert organisation(tables, AS_OF).attrs["dated"] is True


def test_two_managers_at_once_the_later_start_holds_and_is_reported():
    lines = dated("manager_id", ("r1", "m1", date(2025, 1, 1)), ("r1", "m2", date(2026, 1, 1)))
    people = organisation({"reps": reps(("r1",)), "reporting_lines": lines}, AS_OF)
    assert managers(people) == {"r1": "m2"} and people.attrs["two_managers"] == ["r1"]


def test_leavers_stay_with_their_last_place_and_future_days_are_unknown():
    lines = dated("manager_id", ("gone", "m1", date(2024, 1, 1), date(2026, 3, 31)), ("r1", "m1", date(2024, 1, 1)))
    tables = {
        "reps": reps(
            ("gone", None, date(2024, 1, 1), date(2026, 3, 31)), ("r1", None, None, date(2026, 9, 1)),
            ("future", None, date(2026, 7, 1)), ("today", None, AS_OF),
        ),
        "reporting_lines": lines,
    }  # fmt: skip
    people = organisation(tables, AS_OF).set_index("rep_id")
    assert people.index.tolist() == ["gone", "r1", "today"]
    assert people.left_on["gone"] == pd.Timestamp("2026-03-31") and pd.isna(people.left_on["r1"])
    assert people.manager_id["gone"] == "m1"


def test_territories_are_dated_too():
    held = dated("territory", ("r1", "North", date(2025, 1, 1), date(2026, 1, 31)), ("r1", "South", date(2026, 2, 1)))
    tables = {"reps": reps(("r1",), ("r2",)), "territories": held}
    people = organisation(tables, AS_OF)
    assert people.territory.tolist()[0] == "South" and pd.isna(people.territory[1])
    assert organisation(tables, date(2026, 1, 31)).territory[0] == "North"


def test_rings_are_reported_and_harmless():
    people = organisation({"reps": reps(("a", "c"), ("b", "a"), ("c", "b"), ("d", "a"), ("self", "self"))}, AS_OF)
    assert people.attrs["cycles"] == [("a", "c", "b")]
    assert reporting_line(people, "a") == {"b", "c", "d"}
    assert managers(people)["self"] is None


ids = st.sampled_from([f"p{n}" for n in range(8)])
any_day = st.dates(date(2024, 1, 1), date(2027, 12, 31))
line_rows = st.lists(
    st.tuples(ids, ids, any_day, st.none() | any_day), max_size=15, unique_by=lambda row: (row[0], row[2])
)


@settings(max_examples=40, deadline=None)
@given(line_rows, any_day)
def test_any_lines_give_one_manager_per_person_and_finite_lines(rows, as_of):
    tables = {"reps": reps(*((f"p{n}",) for n in range(8))), "reporting_lines": dated("manager_id", *rows)}
    people = organisation(tables, as_of)
    assert people.rep_id.is_unique and len(people) == 8
    for rep, manager in managers(people).items():
        starts = [r[2] for r in rows if r[0] == rep and r[2] <= as_of and (r[3] is None or r[3] >= as_of)]
        newest = max(starts, default=None)
        latest = next((r[1] for r in rows if r[0] == rep and r[2] == newest), None) if newest else None
        assert manager == (None if latest == rep else latest)
        if manager is not None:
            assert rep in reporting_line(people, manager) | {manager}
    for manager in people.rep_id:
        line = reporting_line(people, manager)
        assert manager not in line
        assert all(reporting_line(people, rep) - {manager} <= line for rep in line)


@settings(max_examples=25, deadline=None)
@given(line_rows, line_rows, any_day)
def test_what_comes_after_the_day_changes_nothing(rows, later, as_of):
    people = reps(*((f"p{n}",) for n in range(8)))
    known = [row for row in rows if row[2] <= as_of]
    future = [(*row[:2], as_of + timedelta(days=1 + n), None) for n, row in enumerate(later)]
    ended_later = [(*row[:3], None if row[3] is None or row[3] > as_of else row[3]) for row in known]
    one = organisation({"reps": people, "reporting_lines": dated("manager_id", *known, *future)}, as_of)
    two = organisation({"reps": people, "reporting_lines": dated("manager_id", *ended_later)}, as_of)
    pd.testing.assert_frame_equal(one, two)
