"""Reports reach their reader once, reps before managers, whatever the mail server does."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from spm_models.runs import delivery
from spm_models.runs.delivery import deliver, send_due
from spm_models.runs.ledger import Ledger
from spm_models.runs.mail_owed import managers_day
from spm_models.runs.outbox import Outbox
from spm_models.settings import Calendar, Mail, Settings
from spm_models.workspace import Workspace

from .mail_company import (
    AS_OF,
    FIRST,
    KEYS,
    MONDAY,
    PEOPLE,
    REPS,
    TUESDAY,
    WEDNESDAY,
    company,
    free_port,
    published,
    written,
)  # fmt: skip


def states(ledger: Ledger) -> dict[tuple[str, str, str], str]:
    return {(mail.report, mail.about, mail.role): mail.state for mail in Outbox(ledger).rows()}


def test_each_report_goes_to_its_reader_and_a_manager_gets_his_reps_reports_a_working_day_later(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    done = deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    assert faults.readers == FIRST
    assert (done.sent, done.waiting, done.held, done.failed, done.no_address) == (4, 2, 0, 0, 0) and not done.notes
    assert send_due(workspace, ledger, today=MONDAY).sent == 0
    assert send_due(workspace, ledger, today=TUESDAY).sent == 2
    assert faults.readers == [*FIRST, "m1@acme.example", "m1@acme.example"]
    attached = {part.get_content() for _, mail in faults.taken[4:] for part in mail.iter_attachments()}
    assert attached == {f"%PDF-1.7 <p>coaching_report of R{n} in run-1</p>".encode() for n in (1, 2)}
    assert send_due(workspace, ledger, today=WEDNESDAY).sent == 0
    names = [mail["Message-ID"] for _, mail in faults.taken]
    assert len(set(names)) == 6 and all(name.endswith("@acme.example>") for name in names)


def test_reps_come_before_those_who_lead_them_in_whichever_order_reports_were_written(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest)[::-1], today=MONDAY)
    assert set(faults.readers[:2]) == set(REPS) and len(faults.readers) == 4


def test_nothing_is_put_into_the_outbox_before_mail_is_enabled(tmp_path: Path, faults, server) -> None:
    workspace, ledger = company(tmp_path, server.port, enabled=False)
    manifest = published(workspace)
    assert deliver(workspace, ledger, manifest, written(workspace, manifest)) == delivery.Delivered()
    assert send_due(workspace, ledger) == delivery.Delivered() and not faults.taken


def test_a_rep_reads_from_which_day_his_manager_has_the_report(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest), today=date(2026, 7, 10))  # a Friday
    body = faults.taken[1][1].get_body(("plain",)).get_content()
    assert "Mon, Jul 13, 2026" in body
    send_due(workspace, ledger, today=date(2026, 7, 12))
    assert len(faults.taken) == 4
    send_due(workspace, ledger, today=date(2026, 7, 13))
    assert len(faults.taken) == 6


def test_managers_days_are_working_days_of_the_company() -> None:
    def day(sent: date, n: int, weekend: tuple[str, ...] = ("saturday", "sunday")) -> date:
        chosen = Settings(mail=Mail(manager_after_working_days=n), calendar=Calendar(weekend=weekend))
        return managers_day(Workspace(Path(), chosen), sent)

    friday = date(2026, 7, 10)
    assert day(friday, 1) == date(2026, 7, 13) and day(friday, 0) == friday
    assert day(date(2026, 7, 11), 1) == date(2026, 7, 14)  # of a Saturday nobody has read anything by Monday morning
    assert day(date(2026, 7, 9), 1, ("friday", "saturday")) == date(2026, 7, 12)
    assert day(friday, 10) == date(2026, 7, 24)
    chosen = Workspace(Path(), Settings())
    assert managers_day(chosen, MONDAY, late=True) == WEDNESDAY and managers_day(chosen, friday, late=True) == date(
        2026, 7, 14
    )


def test_without_delay_the_manager_still_comes_after_his_rep(tmp_path: Path, faults, server) -> None:
    workspace, ledger = company(tmp_path, server.port, manager_after_working_days=0)
    manifest = published(workspace)
    assert deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY).sent == 6
    assert faults.readers == [*FIRST, "m1@acme.example", "m1@acme.example"]


def test_a_run_of_corrected_data_in_the_same_week_does_not_send_again(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    again = published(workspace, "run-2")
    done = deliver(workspace, ledger, again, written(workspace, again), today=MONDAY)
    assert done.sent == 0 and len(faults.taken) == 4
    assert any("not mailed again: 4" in note for note in done.notes)
    send_due(workspace, ledger, today=TUESDAY)  # the manager gets what his reps have read, not the newer one
    assert all(b"run-1" in next(mail.iter_attachments()).get_content() for _, mail in faults.taken)
    following = published(workspace, "run-3", AS_OF + timedelta(days=7))
    assert (
        deliver(workspace, ledger, following, written(workspace, following, KEYS[:3]), today=date(2026, 7, 13)).sent
        == 3
    )


def test_an_older_snapshot_is_not_mailed(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    old = published(workspace, "run-0", date(2026, 4, 3))
    done = deliver(workspace, ledger, old, written(workspace, old), today=MONDAY)
    assert done.sent == 0 and any("Older" in note and "6" in note for note in done.notes) and len(faults.taken) == 4


def test_a_run_that_looks_back_mails_nobody(acme, faults) -> None:
    workspace, ledger = acme
    ledger.begin("newer", "weekly", "k", as_of="2026-07-10")
    ledger.finish("newer", {})
    manifest = published(workspace)
    assert deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY).sent == 0
    assert not faults.taken and Outbox(ledger).rows() == []


def test_a_corrected_reporting_line_turns_the_managers_copy_to_the_right_manager(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    people = [*PEOPLE[:2], ("M2", "Deniz", "E1", "manager", "m2@acme.example", "en"), PEOPLE[2],
              ("R2", "Bob", "M2", "rep", "r2@acme.example", "en")]  # fmt: skip
    again = published(workspace, "run-2", people=people)
    deliver(workspace, ledger, again, written(workspace, again), today=MONDAY)
    send_due(workspace, ledger, today=TUESDAY)
    assert sorted(faults.readers[4:]) == ["m1@acme.example", "m2@acme.example"]


@pytest.mark.parametrize(("given", "said"), [
    (None, "has no e-mail"), ("r1@acme.example, boss@acme.example", "usable"), ("<r1@acme.example>", "usable"),
    ("r1@acme.example\nBcc: x@y.example", "usable"), ("nobody", "usable"), ("r1@other.example", "allowed_domains"),
    ("R2@ACME.example", "shares"),
])  # fmt: skip
def test_without_one_plain_address_nothing_is_sent_and_the_managers_copy_stays_back(
    tmp_path: Path, faults, server, given, said
) -> None:
    workspace, ledger = company(tmp_path, server.port, allowed_domains=["acme.example"])
    people = [*PEOPLE[:2], ("R1", "Ayşe", "M1", "rep", given, "tr"), PEOPLE[3]]
    manifest = published(workspace, people=people)
    done = deliver(workspace, ledger, manifest, written(workspace, manifest), today=MONDAY)
    assert any("R1" in note and said in note for note in done.notes)
    shared = said == "shares"
    assert done.no_address == (2 if shared else 1) and done.sent == (2 if shared else 3)
    send_due(workspace, ledger, today=WEDNESDAY)
    assert ("r2@acme.example" in faults.readers) is not shared
    assert all(b"of R1" not in next(mail.iter_attachments()).get_content() for _, mail in faults.taken)
    mended = published(workspace, "run-2")
    deliver(workspace, ledger, mended, written(workspace, mended), today=WEDNESDAY)
    assert "r1@acme.example" in faults.readers


def test_nobody_else_gets_anything(acme, faults) -> None:
    workspace, ledger = acme
    people = [*PEOPLE, ("R3", "Left", "M1", "rep", "r3@acme.example", "en", "2026-01-01")]
    manifest = published(workspace, people=people)
    keys = [("executive_report", "M1"), ("executive_report", "company"), ("team_digest", "R1"),
            ("coaching_report", "R3"), ("model_card", "E1"), ("kpi_scorecard", "E1")]  # fmt: skip
    done = deliver(workspace, ledger, manifest, written(workspace, manifest, keys), today=MONDAY)
    assert done.sent == 0 and not faults.taken and done.no_address == 4


def test_a_failed_report_and_an_altered_one_are_not_mailed(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    rows = written(workspace, manifest)
    rows[0].status = "failed"
    Path(rows[1].html).write_text("<p>altered</p>", encoding="utf-8")
    Path(rows[2].html).unlink()
    done = deliver(workspace, ledger, manifest, rows, today=MONDAY)
    assert faults.readers == ["e1@acme.example"] and done.held == 2
    assert any("not the one that was written" in note for note in done.notes)
    assert ("coaching_report", "R1", "rep") not in states(ledger)
    assert send_due(workspace, ledger, today=WEDNESDAY).sent == 0  # the rep has not seen it


def test_an_html_report_is_attached_where_there_is_no_pdf(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    rows = written(workspace, manifest, KEYS[:1])
    rows[0].pdf = None
    deliver(workspace, ledger, manifest, rows, today=MONDAY)
    (part,) = faults.taken[0][1].iter_attachments()
    assert part.get_content_type() == "text/html" and part.get_filename() == "coaching-report-2026-07-03.html"


def test_a_clock_that_goes_back_sends_nothing_early_and_nothing_twice(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:1]), today=date(2026, 1, 5))
    send_due(workspace, ledger, today=AS_OF)  # the clock is right again, and the rep has had the report for minutes
    assert faults.readers == REPS[:1]
    assert send_due(workspace, ledger, today=MONDAY).sent == 1
    before = len(faults.taken)
    deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:2]), today=date(2026, 7, 5))
    send_due(workspace, ledger, today=date(2026, 7, 6))
    assert len(faults.taken) == before + 1  # the second rep, whose manager waits from the latest day known


def test_what_was_not_sent_in_time_gives_way_to_the_next_one(tmp_path: Path, faults, monkeypatch) -> None:
    port = free_port()
    workspace, ledger = company(tmp_path, port)
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:3]), today=MONDAY)
    following = published(workspace, "run-2", AS_OF + timedelta(days=7))
    deliver(workspace, ledger, following, written(workspace, following, KEYS[:3]), today=date(2026, 7, 13))
    dropped = Outbox(ledger).rows(states=("dropped",))
    assert {mail.period for mail in dropped} == {"2026-W27"} and len(dropped) == 5
    assert all("2026-W28" in mail.error for mail in dropped)


def test_a_clock_that_was_once_far_ahead_does_not_keep_managers_waiting(acme, faults) -> None:
    workspace, ledger = acme
    manifest = published(workspace)
    deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[3:]), today=date(2036, 1, 1))
    deliver(workspace, ledger, manifest, written(workspace, manifest, KEYS[:1]), today=MONDAY)
    assert send_due(workspace, ledger, today=TUESDAY).sent == 1


@pytest.mark.parametrize(("instant", "day", "late"), [
    ("2026-07-06T05:00:00+00:00", MONDAY, False), ("2026-07-06T09:30:00+00:00", MONDAY, True),
    ("2026-07-06T21:30:00+00:00", TUESDAY, False),
])  # fmt: skip
def test_the_day_is_the_companys_and_what_is_sent_late_is_read_the_next(acme, monkeypatch, instant, day, late) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.fromisoformat(instant).astimezone(tz)

    monkeypatch.setattr(delivery, "datetime", Clock)
    assert delivery.Today.of(acme[0]) == delivery.Today(day, late)
    assert delivery.Today.of(acme[0], WEDNESDAY) == delivery.Today(WEDNESDAY, False)


@pytest.mark.postgres
def test_a_database_server_keeps_the_same_outbox(tmp_path: Path, faults, server, postgres_server) -> None:
    workspace, _ = company(tmp_path, server.port)
    ledger = Ledger(f"postgresql+psycopg://{postgres_server['user']}@/postgres?host={postgres_server['host']}")
    manifest = published(workspace)
    rows = written(workspace, manifest)
    assert deliver(workspace, ledger, manifest, rows, today=MONDAY).sent == 4
    assert deliver(workspace, ledger, manifest, rows, today=MONDAY).sent == 0
    done = send_due(workspace, ledger, today=TUESDAY)
    assert (done.sent, done.waiting, len(faults.taken)) == (2, 0, 6)
    mail = Outbox(ledger).rows()[0]
    assert not Outbox(ledger).claim(mail) and Outbox(ledger).last_day() == TUESDAY
