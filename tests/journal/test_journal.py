import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from itertools import count

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal import BODIES, Journal
from spm_models.journal.coaching_bodies import CONFIDENTIAL
from spm_models.journal.database import ENTRIES
from spm_models.settings import Settings
from spm_models.workspace import Workspace

START = datetime(2026, 6, 30, 21, 0, tzinfo=UTC)
LINE = Scope("line", frozenset({"m1", "r1", "r2"}), frozenset({"m1"}), frozenset({"Alpha"}))
NOTE = {"text": "Called the buyer."}
BODIES_THAT_FIT = {
    "cause": {"cause": "direction", "says": "no", "text": "The list of deals came from me."},
    "note": NOTE,
    "reply": {"text": "Two big tenders.", "signal": "win_rate"},
    "submission": {"period": "2026-Q3", "commit": "120000.50"},
    "override": {"field": "win_probability", "value": "0.9", "reason": "Signed by hand."},
    "agreement": {"held_on": "2026-06-29", "actions": "Review two calls.", "due_on": "2026-07-13", "skill": "value"},
    "correction": {"table": "opportunities", "column": "amount", "value": "900", "reason": "Typing error."},
    "quota_revision": {"tier": "standard", "period_start": "2026-07-01", "period_end": "2026-09-30", "amount": "90",
                       "set_on": "2026-07-06", "cause": "ad_hoc", "reason": "Two accounts moved.", "beside": "100"},
    "target": {"says": "question", "period": "2026-Q3", "quota": "90", "text": "Why more than last year?"},
    "coaching_order": {
        "skill": "value", "session": "coaching", "starts_on": "2026-07-06", "weeks": 18, "capacity": 1, "seed": 7,
        "places": [{"rep_id": "r1", "team": "North", "wave": 1}, {"rep_id": "r2", "team": "North", "wave": 2}],
    },
    "observation": {"held_on": "2026-06-29", "of": "call", "of_id": "c1", "opening": {"score": 4, "note": "Why."}},
    "recognition": {"text": "Asked for the decision.", "signal": "win_rate"},
    "call_review": {"call_id": "c1", "text": "Let the buyer finish.", "skill": "objections"},
    "mentoring": {"mentor_id": "r2", "held_on": "2026-06-29", "text": "Read three proposals together."},
    "action": {"state": "done", "number": 1, "note": "Both calls reviewed."},
}  # fmt: skip


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path, Settings())


@pytest.fixture
def journal(workspace):
    ticks = count()
    opened = Journal(workspace, LINE, clock=lambda: START + timedelta(minutes=next(ticks)))
    yield opened
    opened.close()


@pytest.mark.parametrize("kind", sorted(set(BODIES) - CONFIDENTIAL))
def test_what_is_written_is_read_back(journal, kind):
    entry = journal.write(kind, "m1", ("rep", "r1"), BODIES_THAT_FIT[kind])
    assert journal.entries() == journal.current(kind=kind) == [entry]
    assert (entry.written_at, entry.author, entry.rep_id, entry.kind) == (
        datetime(2026, 6, 30, 21, 0),
        "m1",
        "r1",
        kind,
    )
    assert BODIES[kind].model_validate(entry.body) == BODIES[kind].model_validate(BODIES_THAT_FIT[kind])


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("gossip", NOTE), ("note", {}), ("note", {"text": "  \n "}), ("note", {"text": "x" * 4001}),
        ("note", {"text": "a\x00b"}), ("note", {"text": "a\x1b[31m"}), ("note", {"text": "paid \u202e001$"}),
        ("note", {"text": "a", "rating": 1}), ("note", {"text": 5}), ("note", {"text": "\ud800"}),
        ("reply", {"text": "a", "signal": "two\nlines"}),
        ("submission", {"period": "2026-Q3", "commit": 0.1}), ("submission", {"period": "2026-Q3", "commit": "NaN"}),
        ("submission", {"period": "2026-Q3", "commit": "1e30"}),
        ("override", {"field": "win_probability", "value": "1.2", "reason": "a"}),
        ("override", {"field": "win_probability", "value": "high", "reason": "a"}),
        ("override", {"field": "expected_close_on", "value": "soon", "reason": "a"}),
        ("override", {"field": "rep_id", "value": "r2", "reason": "a"}),
        ("override", {"field": "amount", "value": "5"}),
        ("agreement", {"held_on": "2026-06-29", "actions": "a", "due_on": "2026-06-01"}),
    ],
)  # fmt: skip
def test_bodies_that_do_not_fit_are_refused_and_nothing_is_written(journal, kind, body):
    with pytest.raises(JournalError):
        journal.write(kind, "m1", ("rep", "r1"), body)
    assert journal.entries() == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"author": ""}, {"author": "a\nb"}, {"author": "x" * 201}, {"about": ("planet", "r1")}, {"about": ("rep", "")},
        {"about": ("opportunity", "o1")}, {"rep_id": "r2"}, {"request_id": " "}, {"supersedes": 99},
    ],
)  # fmt: skip
def test_envelopes_that_do_not_fit_are_refused(journal, wrong):
    about = wrong.pop("about", ("rep", "r1"))
    with pytest.raises(JournalError):
        journal.write("note", wrong.pop("author", "m1"), about, NOTE, **wrong)
    assert journal.entries() == []


def test_texts_keep_their_language_and_lose_their_edges(journal):
    text = " Görüşme: «عرض سعر»\r\nTab\there  "
    assert journal.write("note", "m1", ("rep", "r1"), {"text": text}).body["text"] == "Görüşme: «عرض سعر»\nTab\there"


def test_the_same_request_is_written_once(journal):
    first = journal.write("note", "m1", ("rep", "r1"), NOTE, request_id="click-1")
    assert journal.write("note", "m1", ("rep", "r1"), NOTE, request_id="click-1") == first
    with pytest.raises(JournalError, match="already used"):
        journal.write("note", "m1", ("rep", "r1"), {"text": "Other"}, request_id="click-1")
    assert journal.entries() == [first]


def test_a_newer_entry_supersedes_and_both_stay(journal):
    old = journal.write("note", "m1", ("rep", "r1"), NOTE)
    new = journal.write("note", "m1", ("rep", "r1"), {"text": "Met the buyer."}, supersedes=old.id)
    assert journal.entries() == [old, new] and journal.current() == [new]
    assert journal.current(before=new.written_at) == [old]
    with pytest.raises(JournalError, match="superseded already"):
        journal.write("note", "m1", ("rep", "r1"), {"text": "Late"}, supersedes=old.id)


@pytest.mark.parametrize(
    ("kind", "author", "about"), [("note", "r1", "r1"), ("note", "m1", "r2"), ("reply", "m1", "r1")]
)  # fmt: skip
def test_only_ones_own_entry_on_the_same_thing_can_be_superseded(journal, kind, author, about):
    old = journal.write("note", "m1", ("rep", "r1"), NOTE)
    with pytest.raises(JournalError, match="Only an own entry"):
        journal.write(kind, author, ("rep", about), NOTE, supersedes=old.id)


def test_nothing_outside_the_scope_is_taken_or_shown(workspace, journal):
    everything = Journal(workspace, Scope.of_company())
    for about, rep_id in [(("rep", "r1"), None), (("rep", "r9"), None), (("opportunity", "o1"), "r1"),
                          (("team", "Alpha"), None), (("team", "Beta"), None), (("company", ""), None)]:  # fmt: skip
        everything.write("note", "boss", about, NOTE, rep_id=rep_id)
    assert len(everything.entries()) == 6
    assert [(e.about_kind, e.about_id) for e in journal.entries()] == [
        ("rep", "r1"), ("opportunity", "o1"), ("team", "Alpha")
    ]  # fmt: skip
    assert [e.about_kind for e in Journal(workspace, Scope.of_rep("r1")).entries()] == ["rep", "opportunity"]
    for about, rep_id in [(("rep", "r9"), None), (("opportunity", "o9"), "r9"), (("company", ""), None)]:
        with pytest.raises(AccessDeniedError):
            journal.write("note", "m1", about, NOTE, rep_id=rep_id)


def test_entries_can_be_chosen(journal):
    journal.write("note", "m1", ("rep", "r1"), NOTE)
    journal.write("reply", "r2", ("finding", "cycle"), {"text": "Holidays."}, rep_id="r2")
    assert [e.kind for e in journal.entries(rep_id="r2")] == ["reply"]
    assert [e.kind for e in journal.entries(about=("rep", "r1"))] == ["note"]
    assert [e.kind for e in journal.entries(author="r2", kind="note")] == []
    assert [e.kind for e in journal.entries(before=datetime(2026, 6, 30, 21, 1))] == ["note"]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE entries SET author = 'x'", "DELETE FROM entries",
     "INSERT OR REPLACE INTO entries SELECT id, written_at, 'x', about_kind, about_id, rep_id, kind, body, supersedes, "
     "request_id FROM entries",
     "REPLACE INTO entries SELECT NULL, written_at, 'x', about_kind, about_id, rep_id, kind, body, supersedes, "
     "request_id FROM entries"],
)  # fmt: skip
def test_the_database_itself_refuses_changes(workspace, journal, statement):
    entry = journal.write("note", "m1", ("rep", "r1"), NOTE)
    with sqlite3.connect(workspace.people_db) as raw, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        raw.execute(statement)
    assert journal.entries() == [entry]


def test_agreements_are_coaching_sessions(journal):
    assert journal.coaching_sessions().empty
    body = BODIES_THAT_FIT["agreement"]
    old = journal.write("agreement", "m1", ("rep", "r1"), body)
    journal.write("agreement", "m1", ("rep", "r1"), body | {"actions": "Review three calls."}, supersedes=old.id)
    [session] = journal.coaching_sessions().to_dict("records")
    assert session == {
        "session_id": "journal-2", "rep_id": "r1", "manager_id": "m1", "held_on": pd.Timestamp("2026-06-29"),
        "kind": "one_to_one", "skill": "value", "actions": "Review three calls.", "due_on": pd.Timestamp("2026-07-13"),
    }  # fmt: skip
    assert journal.coaching_sessions(before=datetime(2026, 6, 30)).empty


WRITER = """
import sys
from pathlib import Path
from spm_models.access import Scope
from spm_models.journal import Journal
from spm_models.settings import Settings
from spm_models.workspace import Workspace
journal = Journal(Workspace(Path(sys.argv[1]), Settings()), Scope.of_company())
for n in range(50):
    journal.write("note", sys.argv[2], ("rep", "r1"), {"text": f"note {n}"}, request_id=f"{sys.argv[2]}-{n}")
    journal.write("note", "shared", ("rep", "r1"), {"text": f"shared {n}"}, request_id=f"shared-{n}")
"""


def test_several_processes_write_at_once_and_nothing_is_lost_or_doubled(workspace):
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(workspace.root), f"p{n}"]) for n in range(4)]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 4
    entries = Journal(workspace, Scope.of_company()).entries()
    assert len(entries) == 4 * 50 + 50
    for author in ("p0", "p1", "p2", "p3", "shared"):
        texts = [e.body["text"].split()[1] for e in entries if e.author == author]
        assert sorted(map(int, texts)) == list(range(50))
    assert len({e.id for e in entries}) == len(entries)


def test_a_clock_without_a_zone_is_refused(workspace):
    with pytest.raises(JournalError, match="time zone"):
        Journal(workspace, LINE, clock=lambda: datetime(2026, 1, 1)).write("note", "m1", ("rep", "r1"), NOTE)


def test_a_database_that_cannot_be_written_says_so(tmp_path):
    journal = Journal(Workspace(tmp_path, Settings()), LINE)
    journal.write("note", "m1", ("rep", "r1"), NOTE)
    with sqlite3.connect(tmp_path / "state" / "people.db") as raw:
        raw.execute("ALTER TABLE entries RENAME TO moved")
    with pytest.raises(JournalError, match="cannot be written"):
        journal.write("note", "m1", ("rep", "r1"), NOTE)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text(max_size=50), st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_any_text_is_kept_or_refused_never_changed_in_the_database(journal, text, day):
    body = {"held_on": day, "actions": text}
    try:
        entry = journal.write("agreement", "m1", ("rep", "r1"), body)
    except JournalError:
        return
    assert journal.entries()[-1] == entry and entry.body["held_on"] == day.isoformat()


def test_the_table_can_be_made_on_postgresql():
    ddl = str(CreateTable(ENTRIES).compile(dialect=postgresql.dialect()))
    assert "id BIGSERIAL NOT NULL" in ddl and "UNIQUE (request_id)" in ddl and "UNIQUE (supersedes)" in ddl
