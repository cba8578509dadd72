"""A person's own win probability: whose deals he may speak of, what stands, what is shown, and how good it was."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pandas as pd
import pytest

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal import Journal
from spm_models.journal.overrides import fingerprint
from spm_models.published import Manifest, publish
from spm_models.published.schemas import TABLES
from spm_models.published.writer import conform, empty
from spm_models.settings import Pages, Settings
from spm_models.workspace import Workspace
from spm_models.writing.overrides import judge, known_before, override, overrides, parse_chance, published_table

WHY = "The budget was cut."
PEOPLE = [("r1", "Ayşe", "m1", "Deniz"), ("r2", "Can", "m1", "Deniz"), ("r3", "Ece", "m2", "Filiz")]
DEALS = [("o1", "r1", 0.6), ("o2", "r2", 0.2), ("o3", "r3", 0.4), ("o4", "r1", None)]


def table(name: str, rows: list[dict[str, object]]) -> pd.DataFrame:
    blank = empty(TABLES[name]).reindex(range(len(rows)))
    return conform(blank.assign(**{key: [row[key] for row in rows] for key in rows[0]}), TABLES[name])


def deals() -> pd.DataFrame:
    return table("deal_scores", [
        {"opportunity_id": deal, "rep_id": rep, "win_probability": chance, "scored_by": "model"}
        for deal, rep, chance in DEALS
    ])  # fmt: skip


def people() -> pd.DataFrame:
    return table("reps", [
        {"rep_id": rep, "name": name, "manager_id": manager, "manager_name": led, "role": "rep",
         "email": f"{rep}@example.com"}
        for rep, name, manager, led in PEOPLE
    ])  # fmt: skip


@pytest.fixture
def workspace(tmp_path) -> Workspace:
    opened = Workspace(tmp_path, Settings(pages=Pages(viewer="chief@example.com", role="executive")))
    publish(opened, {"reps": people(), "deal_scores": deals()}, Manifest("run", date(2026, 6, 30), "d", "c"))
    return opened


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPM_VIEWER", raising=False)


def shown(workspace: Workspace, before: datetime | None = None) -> list[tuple[object, ...]]:
    found = published_table(overrides(workspace), deals(), people(), before)
    columns = ["opportunity_id", "rep_id", "author", "author_name", "win_probability", "reason"]
    return list(conform(found, TABLES["deal_overrides"])[columns].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("person", "deal"), [("r1", "o1"), ("r1@example.com", "o1"), ("R1", "o1"), ("m1", "o2"), ("m2", "o3"), ("", "o3")]
)
def test_one_speaks_of_ones_own_deals_and_a_manager_of_his_peoples(workspace, person, deal) -> None:
    entry = override(workspace, deal, 0.35, WHY, person=person)
    known = {"r1@example.com": "r1", "R1": "r1", "": "chief@example.com"}
    assert (entry.author, entry.about_id, entry.body["value"]) == (known.get(person, person), deal, "0.35")
    assert entry.body["beside"] == {"o1": "0.6", "o2": "0.2", "o3": "0.4"}[deal]


@pytest.mark.parametrize(("person", "deal"), [("r1", "o2"), ("r1", "o3"), ("m1", "o3"), ("m2", "o1"), ("r1", "o99")])
def test_nobody_speaks_of_deals_that_he_may_not_see(workspace, person, deal) -> None:
    with pytest.raises(JournalError, match="none of the open deals"):
        override(workspace, deal, 0.35, WHY, person=person)
    assert overrides(workspace) == []


@pytest.mark.parametrize(
    "text", ["0.35", "0,35", "35%", "%35", "35 %", "% 35", "35,0%", ",35", "٠٫٣٥", "٣٥٪", "\u200f٣٥٪"]
)
def test_a_chance_is_read_as_people_write_it(text) -> None:
    assert parse_chance(text) == 0.35


@pytest.mark.parametrize(("text", "chance"), [("1", 1), ("0", 0), ("100%", 1), ("0%", 0), ("1,5 %", 0.015)])
def test_certainty_and_small_percentages_are_chances_too(text, chance) -> None:
    assert parse_chance(text) == chance


@pytest.mark.parametrize(
    ("text", "hint"),
    [("35", "35%"), ("3,5", "3.5%"), ("350", "0,35"), ("101%", "0,35"), ("0,35%", "Write 0.35 for 35 %, or 0.0035"),
     ("%35%", "0,35"), ("high", "0,35"), ("1e-1", "0,35"), ("nan", "0,35"), ("%", "0,35"), ("", "0,35"),
     ("-5%", "0,35"), ("½", "0,35")],
)  # fmt: skip
def test_what_is_no_chance_or_could_mean_two_is_refused_with_a_hint(text, hint) -> None:
    with pytest.raises(JournalError) as refused:
        parse_chance(text)
    assert hint in str(refused.value.remedy)


def test_strangers_and_nobody_are_refused(workspace, tmp_path) -> None:
    with pytest.raises(AccessDeniedError, match="not in the organisation"):
        override(workspace, "o1", 0.35, WHY, person="stranger")
    with pytest.raises(AccessDeniedError, match="Nobody is named"):
        override(Workspace(tmp_path, Settings()), "o1", 0.35, WHY)


def test_a_process_opened_for_somebody_speaks_for_nobody_else(workspace, monkeypatch) -> None:
    monkeypatch.setenv("SPM_VIEWER", "r1")
    with pytest.raises(AccessDeniedError, match="somebody else"):
        override(workspace, "o2", 0.35, WHY, person="m1")
    with pytest.raises(JournalError, match="none of the open deals"):
        override(workspace, "o2", 0.35, WHY)
    assert override(workspace, "o1", 0.35, WHY).author == "r1"


@pytest.mark.parametrize(
    ("chance", "why", "match"),
    [(35, WHY, "no probability"), (-0.1, WHY, "no probability"), (float("nan"), WHY, "no probability"),
     (0.35, " ", "needs its reason"), (0.35, "a\u202eb", "not allowed"), (None, "", "no override to take back")],
)  # fmt: skip
def test_what_is_no_override_is_refused(workspace, chance, why, match) -> None:
    with pytest.raises(JournalError, match=match):
        override(workspace, "o1", chance, why, person="r1")
    assert overrides(workspace) == []


def test_the_newest_of_each_person_stands_until_he_takes_it_back(workspace) -> None:
    override(workspace, "o1", 0.35, WHY, person="r1")
    second = override(workspace, "o1", 0.5, "The budget is back.", person="r1")
    override(workspace, "o1", 0.1, "I know the buyer.", person="m1")
    assert shown(workspace) == [
        ("o1", "r1", "m1", "Deniz", 0.1, "I know the buyer."), ("o1", "r1", "r1", "Ayşe", 0.5, "The budget is back."),
    ]  # fmt: skip
    third = override(workspace, "o1", None, person="r1")
    assert third.supersedes == second.id and [row[2] for row in shown(workspace)] == ["m1"]
    with pytest.raises(JournalError, match="no override to take back"):
        override(workspace, "o1", None, person="r1")
    assert len(overrides(workspace)) == 4, "nothing is deleted"
    override(workspace, "o1", 0.8, "Signed.", person="r1")
    assert [row[2] for row in shown(workspace)] == ["m1", "r1"]


def test_a_deal_without_a_score_can_be_judged_by_a_person_too(workspace) -> None:
    assert "beside" not in override(workspace, "o4", 0.35, WHY, person="r1").body


def test_who_is_not_in_the_data_is_shown_by_his_login(workspace) -> None:
    override(workspace, "o1", 0.35, WHY)
    assert shown(workspace)[0][2:4] == ("chief@example.com", "chief@example.com")


def test_a_handed_over_deal_stays_with_its_new_owner_and_its_overrides(workspace) -> None:
    override(workspace, "o1", 0.35, WHY, person="m1")
    moved = deals().assign(rep_id=["r2", "r2", "r3", "r1"])
    found = published_table(overrides(workspace), moved, people(), None)
    assert found[["rep_id", "author"]].to_numpy().tolist() == [["r2", "m1"]]
    publish(workspace, {"reps": people(), "deal_scores": moved}, Manifest("two", date(2026, 7, 7), "d", "c"))
    override(workspace, "o1", 0.9, "New owner, new chance.", person="m1")
    assert published_table(overrides(workspace), moved, people(), None)["win_probability"].tolist() == [0.9]


def test_a_run_over_the_past_sees_what_was_written_then(workspace) -> None:
    def at(day: int):
        return lambda: datetime(2026, 6, day, 12, tzinfo=UTC)

    override(workspace, "o1", 0.35, WHY, person="r1", clock=at(10))
    override(workspace, "o1", 0.6, "Better now.", person="r1", clock=at(20))
    before = known_before(workspace, date(2026, 6, 15), date(2026, 6, 30))
    assert [row[4] for row in shown(workspace, before)] == [0.35]
    assert known_before(workspace, date(2026, 6, 30), date(2026, 6, 30)) is None
    assert [row[4] for row in shown(workspace)] == [0.6]
    said = overrides(workspace)
    assert fingerprint([]) == "" != fingerprint(said, before) != fingerprint(said)


def test_closed_deals_and_other_overrides_are_not_shown(workspace) -> None:
    override(workspace, "o1", 0.35, WHY, person="r1")
    journal = Journal(workspace, Scope.of_company())
    about = {"field": "amount", "value": "900", "reason": "Discount."}
    journal.write("override", "r2", ("opportunity", "o2"), about, rep_id="r2")
    journal.close()
    assert [row[0] for row in shown(workspace)] == ["o1"]
    assert published_table(overrides(workspace), deals().iloc[1:], people(), None).empty


def test_overrides_are_judged_by_what_became_of_the_deals(tmp_path) -> None:
    workspace = Workspace(tmp_path, Settings())
    journal = Journal(workspace, Scope.of_company())
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for number in range(12):  # people say 0.9 of the won and 0.2 of the lost, the model 0.5 of all
        won = number % 3 == 0
        for minutes, value in ((0, "0.5"), (1, "0.9" if won else "0.2"), (60 * 24 * 9, "1" if won else "0")):
            journal.clock = lambda minutes=minutes: start + timedelta(minutes=minutes)
            body = {"field": "win_probability", "value": value, "reason": WHY, "beside": "0.5"}
            journal.write("override", "r1", ("opportunity", f"o{number}"), body, rep_id="r1")
    journal.close()
    outcomes = pd.DataFrame({
        "opportunity_id": [f"o{number}" for number in range(14)], "won": [number % 3 == 0 for number in range(14)],
        "closed_on": pd.Timestamp("2026-01-10"),  # the last entries were written on this very day
    })  # fmt: skip
    found = judge(workspace, overrides(workspace), outcomes)
    assert found is not None and (found.n, found.better) == (12, "people")
    assert found.people == pytest.approx((4 * 0.01 + 8 * 0.04) / 12) and found.model == pytest.approx(0.25)
    assert found.low <= found.gain == pytest.approx(found.model - found.people) and found.gain <= found.high
    assert judge(workspace, overrides(workspace), outcomes.head(9)) is None, "nine tell nothing"
