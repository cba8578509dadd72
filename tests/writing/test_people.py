"""What people write about coaching: who may, what it becomes in the next run, and what others see of it."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from spm_models.access import Scope, Viewer
from spm_models.cli import app
from spm_models.errors import AccessDeniedError, JournalError, RunError
from spm_models.journal import Journal
from spm_models.journal.people import fingerprint
from spm_models.published import Manifest, Results, publish
from spm_models.published.schemas import TABLES
from spm_models.runs.known import Known
from spm_models.runs.people_joined import people_entries as everything
from spm_models.runs.people_results import keep, people_results
from spm_models.workspace import Workspace
from spm_models.writing import answers as people_answers
from spm_models.writing import people as people_entries
from spm_models.writing.way import Writing

AS_OF = date(2026, 6, 30)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    monkeypatch.delenv("SPM_VIEWER", raising=False)
    monkeypatch.delenv("SPM_JOURNAL_URL", raising=False)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The sample company, loaded, with people and what concerns them published; made once."""
    folder = tmp_path_factory.mktemp("people") / "company"
    shutil.copytree(ROOT / "data" / "sample", folder, ignore=shutil.ignore_patterns("state"))
    publish_again(Workspace.open(folder))
    return folder


@pytest.fixture
def coached(prepared, tmp_path):
    """A copy of it to write into."""
    shutil.copytree(prepared, tmp_path / "company")
    return Workspace.open(tmp_path / "company")


def publish_again(company: Workspace, run: str = "run"):
    known = Known.of(company.root)
    found = people_results(known, everything(company), None)
    reps = known.people[[name for name in TABLES["reps"].columns if name in known.people]]
    sessions = known.tables["coaching_sessions"].to_pandas()
    held = sessions[list(TABLES["coaching_sessions"].columns)]
    keep(company, found)
    publish(company, {"reps": reps, "coaching_sessions": held, **found.tables}, Manifest(run, AS_OF, "d", "c"))
    return found


def by(person, day="2026-06-30", **more):
    return Writing(person, clock=lambda: datetime.fromisoformat(f"{day}T09:00").replace(tzinfo=UTC), **more)


def test_what_people_write_is_joined_to_the_source_and_published(coached):
    before = Known.of(coached.root).tables["coaching_sessions"].count().execute()
    agreed = people_entries.agree(coached, "R0001", ["Review two calls.", "Ask for the decision."], by("M001"))
    people_entries.observe(coached, "R0001", {"value": "4: named the saving"}, by("M001"))
    people_entries.act(coached, f"journal-{agreed.id}", "done", by("R0001"), number=2)
    found = publish_again(coached, "again").tables
    assert Known.of(coached.root).tables["coaching_sessions"].count().execute() == before + 1
    actions = found["agreed_actions"][found["agreed_actions"]["session_id"] == f"journal-{agreed.id}"]
    assert actions[["action", "state", "due_on"]].values.tolist() == [
        ["Review two calls.", "open", pd.Timestamp("2026-07-14")],
        ["Ask for the decision.", "done", pd.Timestamp("2026-07-14")],
    ]
    assert found["observations"][["rep_id", "skill", "latest"]].values.tolist() == [["R0001", "value", 4.0]]
    row = found["coaching_cadence"].set_index("key").loc["M001"]
    assert row["closed"] == 1 and row["longest_without"] <= 13
    mine = Results.open(coached, scope=Scope.of_rep("R0003"))
    assert mine["observations"].empty and set(mine["agreed_actions"]["rep_id"]) <= {"R0003"}


def test_the_source_is_not_touched_and_the_fingerprint_tells_of_new_entries(coached):
    file = coached.source_dir / "coaching_sessions.csv"
    before = file.read_bytes()
    assert fingerprint(everything(coached)) == ""
    people_entries.agree(coached, "R0001", ["Review two calls."], by("M001"))
    first = fingerprint(everything(coached))
    people_entries.recognise(coached, "R0001", "Well asked.", by("M001"))
    assert first and fingerprint(everything(coached)) != first and file.read_bytes() == before


@pytest.mark.parametrize("person", ["R0001", "R0002", "M002", "R0003"])
def test_only_those_who_lead_a_rep_write_about_him(coached, person):
    how = by(person)
    for write in (
        lambda: people_entries.note(coached, "R0001", "A note.", how),
        lambda: people_entries.observe(coached, "R0001", {"value": "4: a"}, how),
        lambda: people_entries.recognise(coached, "R0001", "Well done.", how),
        lambda: people_entries.agree(coached, "R0001", ["One."], how),
    ):
        with pytest.raises(AccessDeniedError):
            write()
    assert everything(coached) == []


def test_unknown_people_and_those_whom_nothing_is_said_about_are_refused(coached, monkeypatch):
    with pytest.raises(AccessDeniedError, match="not in the organisation"):
        people_entries.reply(coached, "a", by("R9999"))
    with pytest.raises(AccessDeniedError, match="not in the organisation"):
        people_entries.note(coached, "R9999", "a", by("M001"))
    monkeypatch.setenv("SPM_VIEWER", Viewer("boss", "executive").to_environment())
    with pytest.raises(AccessDeniedError, match="Only a rep"):
        people_entries.reply(coached, "a", by(""))
    with pytest.raises(AccessDeniedError, match="somebody else"):
        people_entries.reply(coached, "a", by("R0001"))


def test_a_rep_replies_for_himself_and_says_what_became_of_his_actions_only(coached):
    agreed = people_entries.agree(coached, "R0001", ["One."], by("M001"))
    reply = people_entries.reply(coached, "Two tenders.", by("R0001"), signal="win_rate")
    assert (reply.rep_id, reply.about_kind, reply.about_id) == ("R0001", "finding", "win_rate")
    for person in ("R0002", "M002"):
        with pytest.raises(JournalError, match="no such action"):  # nobody learns that it exists
            people_entries.act(coached, f"journal-{agreed.id}", "done", by(person))
    with pytest.raises(JournalError, match="no such action"):
        people_entries.act(coached, f"journal-{agreed.id}", "done", by("R0001"), number=2)
    people_entries.act(coached, "K00010043", "dropped", by("M001"), text="The deal is lost.")
    rows = people_entries.actions_of(coached, "R0001", by("R0001")).set_index("session_id")
    assert rows.loc["K00010043", ["state", "said_by"]].tolist() == ["dropped", "M001"]


def test_mentoring_is_written_by_the_mentee_or_his_manager(coached):
    entry = people_entries.note(coached, "R0001", "Read proposals.", by("R0001"), mentor="R0002", on="2026-06-29")
    assert entry.kind == "mentoring" and entry.body["mentor_id"] == "R0002"
    with pytest.raises(AccessDeniedError):
        people_entries.note(coached, "R0001", "a", by("R0002"), mentor="R0002")
    with pytest.raises(JournalError, match="his own mentor"):
        people_entries.note(coached, "R0001", "a", by("M001"), mentor="R0001")


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda w, how: people_entries.observe(w, "R0001", {"value": "7: much"}, how), "from 1 to 5"),
        (lambda w, how: people_entries.observe(w, "R0001", {"value": "4"}, how), "from 1 to 5"),
        (lambda w, how: people_entries.observe(w, "R0001", {}, how), "at least one skill"),
        (lambda w, how: people_entries.observe(w, "R0001", {"value": "4: a"}, how, on="2026-07-09"), "not come yet"),
        (lambda w, how: people_entries.observe(w, "R0001", {"value": "4: a"}, how, on="today"), "not a day"),
        (lambda w, how: people_entries.note(w, "R0001", " ", how), "there is no text"),
        (lambda w, how: people_entries.note(w, "R0001", "a" * 5000, how), "5,000 letters, and at most 4,000"),
        (lambda w, how: people_entries.note(w, "R0001", "a", how, on="31.02.2026"), "no such part"),
        (lambda w, how: people_entries.note(w, "R0001", "a", how, skill="value"), "no such part"),
        (lambda w, how: people_entries.agree(w, "R0001", [" "], how), "there is no text"),
        (lambda w, how: people_entries.agree(w, "R0001", ["a"], how, due="2026-06-01"), "due_on"),
        (lambda w, how: people_entries.agree(w, "R0001", ["a"], how, session="lunch"), "one_to_one"),
        (lambda w, how: people_entries.withdraw(w, 99, how), "can be taken back"),
        (lambda w, how: people_answers.feedback(w, "R0001", {"charm": 4}, how), "not asked"),
        (lambda w, how: people_answers.score_manager(w, "R0001", {}, how), "leads nobody"),
    ],
)
def test_errors_say_what_is_wrong_and_nothing_is_written(coached, write, message):
    with pytest.raises(JournalError, match=message):
        write(coached, by("M001"))
    assert everything(coached) == []


def test_entries_are_replaced_and_taken_back_and_all_stay_in_the_history(coached):
    first = people_entries.observe(coached, "R0001", {"value": "2: a"}, by("M001"))
    second = people_entries.observe(coached, "R0001", {"value": "4: b"}, by("M001", instead_of=first.id))
    with pytest.raises(JournalError, match="superseded already"):
        people_entries.observe(coached, "R0001", {"value": "5: c"}, by("M001", instead_of=first.id))
    with pytest.raises(JournalError, match="can be taken back"):
        people_entries.withdraw(coached, second.id, by("E001"))
    assert people_entries.withdraw(coached, second.id, by("M001", dry_run=True)).id == 0
    people_entries.withdraw(coached, second.id, by("M001"))
    assert [entry.id for entry in people_entries.history(coached, "R0001", by("R0001"))] == [1, 2, 3]
    assert publish_again(coached, "again").tables["observations"].empty


def test_the_same_request_is_written_once(coached):
    how = by("R0002", request_id="click")
    scores = {"listening": 4, "value": 5}
    first = people_answers.feedback(coached, "R0001", scores, how, comment="Listens.")
    assert people_answers.feedback(coached, "R0001", scores, how, comment="Listens.") == first
    assert len(everything(coached)) == 2


def test_the_side_is_the_writers_place_and_nobody_can_choose_it(coached):
    people = Known.of(coached.root).people.set_index("rep_id")
    sides = {}
    for person in ("M001", "R0002", "R0003", "E001"):
        [entry] = people_answers.feedback(coached, "R0001", {"value": 4}, by(person))
        sides[person] = entry.body["given_by"]
    peer = {True: "peer", False: "department"}
    assert sides == {
        "M001": "manager", "E001": "manager", "R0002": peer[people.team["R0002"] == people.team["R0001"]],
        "R0003": peer[people.team["R0003"] == people.team["R0001"]],
    }  # fmt: skip
    assert "peer" in sides.values() and "department" in sides.values()
    with pytest.raises(AccessDeniedError, match="about himself"):
        people_answers.feedback(coached, "R0001", {"value": 4}, by("R0001"))
    with pytest.raises(AccessDeniedError, match="what customers say"):
        people_answers.feedback(coached, "R0001", {"value": 4}, by("R0002"), customer="A1")
    [customer] = people_answers.feedback(coached, "R0001", {"value": 4}, by("E001"), customer="A1")
    assert customer.body["given_by"] == "customer"


def test_one_person_counts_once_however_often_he_answers(coached):
    for score in (1, 2, 3, 4, 5, 5):
        people_answers.feedback(coached, "R0003", {"listening": score}, by("R0001"))
    answers = Known.of(coached.root).tables["feedback_360"].to_pandas()
    mine = answers[(answers["about_rep_id"] == "R0003") & (answers["dimension"] == "listening")]
    assert mine[["feedback_id", "score"]].values.tolist() == [["journal-1", 5.0]]
    table = publish_again(coached, "again").tables["feedback_360"]
    assert set(table.loc[table["dimension"] == "listening", "state"]) == {"too_few"}


def test_nobody_sees_who_answered(coached):
    people_answers.feedback(coached, "R0001", {"value": 1}, by("R0002"), comment="In confidence.")
    people_answers.score_manager(
        coached, "M001", dict.fromkeys(("listening", "questions", "empathy", "psychological_safety",
                                        "structured_feedback"), 2), by("R0001"),
    )  # fmt: skip
    for person in ("M001", "E001", "R0001", "R0003"):
        seen = people_entries.history(coached, "", by(person))
        assert [entry.author for entry in seen] in ([], [person])
    tables = publish_again(coached, "again").tables
    assert not any("In confidence." in frame.to_csv() for frame in tables.values())
    with pytest.raises(AccessDeniedError, match="scored by himself"):
        people_answers.score_manager(coached, "M002", {}, by("R0001"))


def test_a_damaged_memory_of_releases_stops_the_run(coached):
    place = coached.state / "released_answers.json"
    assert place.is_file()
    place.write_text("{}", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be read"):
        people_results(Known.of(coached.root), [], None)


def test_a_past_day_sees_what_was_written_then(coached):
    people_entries.observe(coached, "R0001", {"value": "4: a"}, by("M001", "2026-05-01"), on="2026-04-30")
    people_entries.observe(coached, "R0001", {"value": "2: a"}, by("M001", "2026-06-20"), on="2026-04-29")
    known = Known.of(coached.root, "2026-05-31")
    found = people_results(known, everything(coached), coached.cutoff(known.as_of)).tables
    assert found["observations"][["n", "latest"]].values.tolist() == [[1, 4.0]]
    assert found["agreed_actions"]["held_on"].max() <= pd.Timestamp("2026-05-31")


def test_the_terminal(coached):
    def run(*words, code=0):
        result = CliRunner().invoke(app, ["coaching", *words, "--workspace", str(coached.root), "--locale", "en"])
        assert result.exit_code == code, result.output
        return result.output

    hostile = "[red]=cmd()[/] <b>"
    tried = run("recognise", "R0001", "--text", hostile, "--as", "M001", "--dry-run")
    assert tried.startswith("Nothing was written") and everything(coached) == []
    assert "as number 1" in run("recognise", "R0001", "--text", hostile, "--as", "M001")
    assert hostile.split()[0] in run("history", "--as", "R0001").replace("\n", "")
    written = json.loads(
        run("observe", "R0001", "--value", "4: named it", "--as", "M001", "--on", "2026-06-30", "--json")
    )
    assert written[0]["body"]["value"] == {"score": 4, "note": "named it"}
    said = run("feedback", "R0001", "--score", "value=4", "--as", "R0002")
    assert "at least five people" in said and "R0002" not in said
    assert "K00010043:1" in run("actions", "--as", "R0001").replace("\n", "")
    run("actions", "--done", "K00010043:1", "--as", "R0001")
    rows = json.loads(run("actions", "R0001", "--as", "M001", "--all", "--json"))
    assert {row["state"] for row in rows if row["session_id"] == "K00010043"} == {"done"}
    assert "Deserves a word" in run("prompts", "--as", "E001")
    assert "taken back" in run("undo", "1", "--as", "M001") + run("history", "--as", "M001")


def test_reports_do_not_count_a_session_twice(coached):
    from spm_models.reports.reading import read_rep

    entry = people_entries.agree(coached, "R0001", ["One."], by("M001"))
    publish_again(coached, "again")
    environ = {"SPM_SCOPE": Scope.of_rep("R0001").to_json()}
    sessions = read_rep(str(coached.root), "R0001", "en", "again", environ).sessions
    assert (sessions["session_id"] == f"journal-{entry.id}").sum() == 1


def test_journal_of_a_server_is_used_by_every_command(coached, monkeypatch, tmp_path):
    monkeypatch.setenv("SPM_JOURNAL_URL", f"sqlite:///{tmp_path / 'elsewhere.db'}")
    people_entries.recognise(coached, "R0001", "Well asked.", by("M001"))
    assert not coached.people_db.is_file() and len(everything(coached)) == 1
    journal = Journal(coached, Scope.of_company())
    assert len(journal.entries()) == 1
    journal.close()
