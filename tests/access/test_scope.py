from itertools import product

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spm_models.access import Scope, Viewer, scope, scope_from_environment
from spm_models.crm.organisation import reporting_line
from spm_models.errors import AccessDeniedError
from spm_models.published.schemas import TABLES

PEOPLE = [  # rep_id, manager_id, team, region, role
    ("r1", "m1", "Alpha", "North", "rep"), ("r2", "m1", "Alpha", "North", "rep"),
    ("m1", "d1", "Alpha", "North", "manager"),
    ("r3", "m2", "Beta", "North", "rep"), ("m2", "d1", "Beta", "North", "manager"),
    ("d1", None, None, None, "manager"),
    ("r4", "outside", "Gamma", "South", "rep"), ("boss", None, None, None, "executive"),
    ("ana", None, None, None, "analyst"),
]  # fmt: skip


def company(**left):
    frame = pd.DataFrame(PEOPLE, columns=["rep_id", "manager_id", "team", "region", "role"]).astype("str")
    return frame.assign(left_on=pd.to_datetime(frame.rep_id.map(left)), email=frame.rep_id + "@example.com")


def sees(viewer, **left):
    return scope(viewer, company(**left))


@pytest.mark.parametrize("role", [None, "rep"])
def test_a_rep_sees_himself_only(role):
    mine = sees(Viewer("r1", role))
    assert mine == Scope.of_rep("r1")
    assert not any(mine.allows(level, key) for level, key in [("rep", "r2"), ("team", "Alpha"), ("company", "")])


@pytest.mark.parametrize(
    ("viewer", "people", "teams", "regions", "managers"),
    [
        ("m1", {"m1", "r1", "r2"}, {"Alpha"}, set(), {"m1"}),
        ("d1", {"d1", "m1", "m2", "r1", "r2", "r3"}, {"Alpha", "Beta"}, {"North"}, {"d1", "m1", "m2"}),
        ("outside", {"outside", "r4"}, {"Gamma"}, {"South"}, {"outside"}),
    ],
)
def test_a_manager_sees_the_line_and_complete_totals_only(viewer, people, teams, regions, managers):
    line = sees(Viewer(viewer))
    assert (line.rep_ids, line.teams, line.regions, line.manager_ids) == (people, teams, regions, managers)
    assert not line.allows("company", "") and not line.whole_company


@pytest.mark.parametrize(
    "viewer", [Viewer("boss"), Viewer("ana"), Viewer("cfo@example.com", "executive"), Viewer("r1", "analyst")]
)
def test_executives_and_analysts_see_all(viewer):
    everything = sees(viewer)
    assert everything.whole_company
    assert all(everything.allows(level, key) for level, key in [("company", ""), ("team", "Beta"), ("rep", "nobody")])
    assert not everything.allows("planet", "Earth")


@pytest.mark.parametrize(
    "viewer",
    [Viewer("stranger"), Viewer("stranger", "manager"), Viewer("stranger", "rep"), Viewer("Alpha"), Viewer("nan")],
)
def test_whoever_is_unknown_sees_nothing(viewer):
    with pytest.raises(AccessDeniedError):
        sees(viewer)


@pytest.mark.parametrize("viewer", [Viewer("r1"), Viewer("boss"), Viewer("boss", "executive")])
def test_whoever_has_left_sees_nothing(viewer):
    with pytest.raises(AccessDeniedError, match="left"):
        sees(viewer, **{viewer.id: "2026-01-31"})


def test_a_team_keeps_its_manager_when_a_leaver_belonged_elsewhere():
    people = company(r2="2026-01-31")
    people.loc[people.rep_id == "r2", "manager_id"] = "m2"
    assert scope(Viewer("m1"), people).teams == {"Alpha"}


def test_a_team_that_two_managers_share_has_no_total_for_either():
    people = company()
    people.loc[people.rep_id == "r3", "team"] = "Alpha"
    assert "Alpha" not in scope(Viewer("m1"), people).teams
    assert "Alpha" in scope(Viewer("d1"), people).teams


LEVELS = pd.DataFrame(
    list(product(["company", "region", "team", "manager", "rep", "galaxy"],
                 ["", "r1", "r2", "r3", "Alpha", "Beta", "North", "m1", "d1"])),
    columns=["level", "key"],
)  # fmt: skip


@pytest.mark.parametrize("viewer", ["r1", "m1", "d1", "boss"])
def test_filter_and_allows_agree(viewer):
    mine = sees(Viewer(viewer))
    kept = set(mine.filter(LEVELS, "level").itertuples(index=False, name=None))
    if viewer != "boss":
        assert kept == {pair for pair in LEVELS.itertuples(index=False, name=None) if mine.allows(*pair)}
        assert ("company", "") not in kept
    else:
        assert len(kept) == len(LEVELS)


@pytest.mark.parametrize("table", [t for t in TABLES.values() if t.scoped_by], ids=lambda t: t.name)
def test_no_published_table_shows_a_rep_anything_of_others(table):
    rows = {"rep_id": ["r1", "r2", None], "level": ["rep", "rep", "company"], "key": ["r1", "r2", ""]}
    frame = pd.DataFrame({name: rows.get(name, [1, 2, 3]) for name in table.columns})
    kept = Scope.of_rep("r1").filter(frame, table.scoped_by)
    assert len(kept) == (0 if table.scoped_by == "company" else 1)
    assert set(kept.get("rep_id", kept.get("key", []))) <= {"r1"}


def test_company_only_tables_and_tables_without_an_owner():
    frame = pd.DataFrame({"a": [1, 2]})
    assert Scope.of_rep("r1").filter(frame, "company").empty
    assert len(Scope.of_company().filter(frame, "company")) == len(Scope.of_rep("r1").filter(frame, None)) == 2


@pytest.mark.parametrize("scoped_by", ["rep_id", "level", "owner", ""])
@pytest.mark.parametrize("who", [Scope.of_rep("r1"), Scope.of_company()])
def test_rows_of_nobody_knows_whom_are_refused(scoped_by, who):
    with pytest.raises(AccessDeniedError, match="whose rows"):
        who.filter(pd.DataFrame({"a": [1]}), scoped_by)


names = st.frozensets(st.text(max_size=8), max_size=4)


@given(st.builds(Scope, st.sampled_from(["company", "line", "rep"]), names, names, names, names))
def test_a_scope_survives_the_environment(any_scope):
    assert scope_from_environment({"SPM_SCOPE": any_scope.to_json()}) == any_scope


@pytest.mark.parametrize(
    "text",
    ["", "{}", "null", "[]", "r1", '{"level": "company"}',
     '{"level": "galaxy", "rep_ids": [], "manager_ids": [], "teams": [], "regions": []}',
     '{"level": "rep", "rep_ids": "r1", "manager_ids": [], "teams": [], "regions": []}',
     '{"level": "rep", "rep_ids": [1], "manager_ids": [], "teams": [], "regions": []}',
     '{"level": ["rep"], "rep_ids": [], "manager_ids": [], "teams": [], "regions": []}'],
)  # fmt: skip
def test_a_scope_that_cannot_be_read_is_refused(text):
    with pytest.raises(AccessDeniedError):
        scope_from_environment({"SPM_SCOPE": text})


def test_without_a_scope_in_the_environment_nothing_is_seen():
    with pytest.raises(AccessDeniedError):
        scope_from_environment({})


managers_of = st.lists(st.none() | st.integers(0, 7), min_size=8, max_size=8)


@given(managers_of, st.lists(st.sampled_from(["A", "B", None]), min_size=8, max_size=8), st.integers(0, 7))
def test_no_total_reveals_anyone_outside_the_line(managers, teams, who):
    bosses = [None if m is None or m == n else f"p{m}" for n, m in enumerate(managers)]
    people = pd.DataFrame({
        "rep_id": [f"p{n}" for n in range(8)], "manager_id": pd.Series(bosses, dtype="str"),
        "team": pd.Series(teams, dtype="str"), "region": pd.Series(teams, dtype="str"),
        "role": "manager", "left_on": pd.NaT,
    })  # fmt: skip
    mine = scope(Viewer(f"p{who}"), people)
    assert mine.rep_ids == reporting_line(people, f"p{who}") | {f"p{who}"}
    for team in mine.teams:
        assert set(people.rep_id[people.team == team]) <= mine.rep_ids
    for manager in mine.manager_ids:
        assert set(people.rep_id[people.manager_id == manager]) <= mine.rep_ids
