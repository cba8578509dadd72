"""What people write about coaching: what is refused, what is in confidence, and several who write at once."""

from __future__ import annotations

import threading
from contextlib import closing
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal import Journal
from spm_models.journal.people import feedback_rows, fingerprint, form_rows, standing
from spm_models.settings import Settings
from spm_models.workspace import Workspace

LINE = Scope("line", frozenset({"m1", "r1", "r2"}), frozenset({"m1"}), frozenset({"Alpha"}))
ANSWER = {"given_by": "peer", "dimension": "listening", "score": 4}
SEEN = {"held_on": "2026-06-29", "of": "call", "value": {"score": 3, "note": "Named the saving."}}
SCORES = dict.fromkeys(
    ("listening", "questions", "empathy", "psychological_safety", "structured_feedback"), 4
)  # fmt: skip
POSTGRES = pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.xdist_group("postgres")])


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv("SPM_JOURNAL_URL", raising=False)
    return Workspace(tmp_path, Settings())


@pytest.fixture(params=["sqlite", POSTGRES])
def anywhere(request, workspace, monkeypatch):
    """The same workspace with its journal in SQLite, or in an empty database of a PostgreSQL server."""
    if request.param == "sqlite":
        yield workspace
        return
    server = request.getfixturevalue("postgres_server")
    address = f"postgresql+psycopg://{server['user']}@/{{}}?host={server['host']}"
    engine = create_engine(address.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE IF EXISTS journal"))
        connection.execute(text("CREATE DATABASE journal"))
    monkeypatch.setenv("SPM_JOURNAL_URL", address.format("journal"))
    yield workspace
    with engine.connect() as connection:
        connection.execute(text("DROP DATABASE journal WITH (FORCE)"))
    engine.dispose()


def test_the_journal_lies_in_the_database_that_is_named(anywhere):
    with closing(Journal(anywhere, LINE)) as journal:
        entry = journal.write("observation", "m1", ("rep", "r1"), SEEN, request_id="click")
        assert (
            journal.entries() == [entry]
            and journal.write("observation", "m1", ("rep", "r1"), SEEN, request_id="click") == entry
        )
        with pytest.raises(JournalError, match="already used"):
            journal.write("recognition", "m1", ("rep", "r1"), {"text": "Well asked."}, request_id="click")
        again = journal.write("observation", "m1", ("rep", "r1"), SEEN | {"of": "meeting"}, supersedes=entry.id)
        assert journal.current() == [again] and journal.entries() == [entry, again]
    assert anywhere.has_journal and (anywhere.people_db.is_file() == anywhere.journal_url.startswith("sqlite"))


@pytest.mark.parametrize("statement", ["UPDATE entries SET author = 'x'", "DELETE FROM entries"])
def test_the_database_refuses_changes(anywhere, statement):
    with closing(Journal(anywhere, LINE)) as journal:
        entry = journal.write("observation", "m1", ("rep", "r1"), SEEN)
        engine = create_engine(anywhere.journal_url)
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()
        assert journal.entries() == [entry]


def test_of_two_who_replace_the_same_entry_one_is_first(anywhere):
    with closing(Journal(anywhere, LINE)) as journal:
        old = journal.write("recognition", "m1", ("rep", "r1"), {"text": "Well asked."})
        start, results = threading.Barrier(6), []

        def write(n):
            with closing(Journal(anywhere, LINE)) as mine:
                assert len(mine.entries()) == 1
                start.wait()
                try:
                    results.append(mine.write("recognition", "m1", ("rep", "r1"), {"text": f"{n}"}, supersedes=old.id))
                except JournalError as error:
                    results.append(error)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        refused = [result for result in results if isinstance(result, JournalError)]
        assert len(results) == 6 and len(refused) == 5 and all("superseded already" in str(e) for e in refused)
        assert len(journal.entries()) == 2


def test_a_request_that_several_send_at_once_is_written_once(anywhere):
    with closing(Journal(anywhere, LINE)) as journal:
        journal.entries()
        start, found = threading.Barrier(6), []

        def write():
            with closing(Journal(anywhere, LINE)) as mine:
                mine.entries()
                start.wait()
                found.append(mine.write("observation", "m1", ("rep", "r1"), SEEN, request_id="one click").id)

        threads = [threading.Thread(target=write) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        assert len(found) == 6 and len(set(found)) == 1 and len(journal.entries()) == 1


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://spm:secret@127.0.0.1:1/journal",
        "mysql://spm:secret@h/x",
        "secret",
        "oracle+x://u:secret@h/x",
    ],
)
def test_a_database_that_cannot_be_had_is_told_without_its_password(workspace, monkeypatch, url):
    monkeypatch.setenv("SPM_JOURNAL_URL", url)
    for use in (lambda j: j.entries(), lambda j: j.write("observation", "m1", ("rep", "r1"), SEEN)):
        with pytest.raises(JournalError, match="cannot be opened") as caught:
            use(Journal(workspace, LINE))
        assert "secret" not in str(caught.value)


HOSTILE = ["<script>alert(1)</script>", "=HYPERLINK(\"http://x\")", "'; DROP TABLE entries; --", "[bold red]x[/]",
           "{text}", "عرض «سعر» 100٪", "İıŞğ 👍", "line\nline"]  # fmt: skip


@pytest.mark.parametrize("said", HOSTILE)
def test_hostile_texts_are_kept_as_they_are(anywhere, said):
    with closing(Journal(anywhere, LINE)) as journal:
        journal.write("recognition", "m1", ("rep", "r1"), {"text": said})
        assert [entry.body["text"] for entry in journal.entries()] == [said]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("observation", {"held_on": "2026-06-29", "of": "call"}),
        ("observation", SEEN | {"of": "letter"}),
        ("observation", SEEN | {"value": {"score": 6, "note": "a"}}),
        ("observation", SEEN | {"value": {"score": 3}}),
        ("observation", SEEN | {"value": {"score": True, "note": "a"}}),
        ("observation", SEEN | {"charm": {"score": 3, "note": "a"}}),
        ("feedback_360", ANSWER | {"score": 0}), ("feedback_360", ANSWER | {"score": 4.5}),
        ("feedback_360", ANSWER | {"dimension": "Two words"}), ("feedback_360", ANSWER | {"comment": "x" * 1001}),
        ("feedback_360", ANSWER | {"comment": "\u202eabc"}), ("feedback_360", ANSWER | {"given_by": "friend"}),
        ("feedback_360", ANSWER | {"given_by": "customer"}), ("feedback_360", ANSWER | {"customer": "A1"}),
        ("manager_form", {"given_by": "rep", "listening": 3}), ("manager_form", SCORES | {"given_by": "peer"}),
        ("recognition", {"text": "a", "withdrawn": False}), ("action", {"state": "late"}),
        ("action", {"state": "done", "number": 0}), ("mentoring", {"mentor_id": "r2", "text": "a"}),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(workspace, kind, body):
    with closing(Journal(workspace, LINE)) as journal, pytest.raises(JournalError):
        journal.write(kind, "m1", ("rep", "r1"), body)
        pytest.fail(f"{body} was taken")
    with closing(Journal(workspace, Scope.of_company())) as journal:
        assert journal.entries() == journal.answers() == []


def test_nothing_is_written_when_it_is_only_tried(workspace):
    with closing(Journal(workspace, LINE)) as journal:
        assert journal.write("observation", "m1", ("rep", "r1"), SEEN, dry_run=True).id == 0
        with pytest.raises(JournalError, match="Only an own entry"):
            journal.write("observation", "m1", ("rep", "r1"), SEEN, supersedes=9, dry_run=True)
        assert journal.entries() == []


def test_answers_are_shown_to_nobody_but_their_author_and_counted_by_the_run(workspace):
    peer = Journal(workspace, Scope.of_rep("r2"))
    answer = peer.write("feedback_360", "r2", ("rep", "r1"), ANSWER)  # about somebody whom he may not see
    form = peer.write("manager_form", "r2", ("manager", "m1"), SCORES | {"given_by": "rep"})
    job = Journal(workspace, Scope.of_company())
    executive = Journal(workspace, Scope("company", frozenset({"boss"})))
    for journal in (peer, job, executive, Journal(workspace, LINE), Journal(workspace, Scope.of_rep("r1"))):
        for chosen in ({}, {"kind": "feedback_360"}, {"author": "r2"}, {"rep_id": "r1"}, {"about": ("manager", "m1")}):
            assert journal.entries(**chosen) == journal.current(**chosen) == []
        journal.close()
    assert peer.own_answers("r2") == [answer, form] and job.answers() == [answer, form]
    for journal in (peer, executive):
        with pytest.raises(AccessDeniedError, match="in confidence"):
            journal.answers()
    with pytest.raises(AccessDeniedError):
        peer.write("note", "r2", ("rep", "r1"), {"text": "a"})
    assert "r2" not in feedback_rows([answer], "UTC").to_csv() + form_rows([form], "UTC").to_csv()


def test_an_answer_written_anew_keeps_its_identifier_and_one_taken_back_is_gone(workspace):
    at = iter([datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 6, 2, tzinfo=UTC), datetime(2026, 6, 3, tzinfo=UTC)])
    with closing(Journal(workspace, Scope.of_company(), clock=lambda: next(at))) as journal:
        first = journal.write("feedback_360", "r2", ("rep", "r1"), ANSWER)
        second = journal.write("feedback_360", "r2", ("rep", "r1"), ANSWER | {"score": 5}, supersedes=first.id)
        [row] = feedback_rows(journal.answers(), "UTC").to_dict("records")
        assert (row["feedback_id"], row["score"], str(row["given_on"].date())) == (
            f"journal-{first.id}", 5.0, "2026-06-02"
        )  # fmt: skip
        before = fingerprint(journal.answers())
        journal.write("feedback_360", "r2", ("rep", "r1"), second.body | {"withdrawn": True}, supersedes=second.id)
        assert feedback_rows(journal.answers(), "UTC").empty and standing(journal.answers()) == []
        assert len(journal.answers()) == 3 and fingerprint(journal.answers()) not in ("", before)
