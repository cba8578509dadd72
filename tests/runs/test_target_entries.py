"""Revising targets, and the talk about them: who may, from which day, and that nothing before changes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest

from spm_models import crm, kpis
from spm_models.database import frame
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal.targets import fingerprint, revisions, talk
from spm_models.kpis.quota_ledger import owner_quotas
from spm_models.periods import FiscalCalendar
from spm_models.published import Manifest, publish
from spm_models.published.schemas import TABLES
from spm_models.published.writer import empty
from spm_models.runs.console_targets import history_of
from spm_models.runs.known import Known
from spm_models.runs.targets import review_targets
from spm_models.workspace import Workspace
from spm_models.writing.targets import revise, say, target_entries, undo, with_revisions

AS_OF = date(2026, 6, 30)
Q3 = FiscalCalendar().parse("2026-Q3")
UNIT = "rep:R0001"


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPM_VIEWER", raising=False)


@pytest.fixture
def planned(company: Workspace) -> Workspace:
    """The sample company, loaded, with people and targets published."""
    known = Known.of(company.root)
    publish_again(company, known)
    return company


def publish_again(company: Workspace, known: Known) -> dict[str, pd.DataFrame]:
    found = review_targets(known, {}, target_entries(company), None).tables
    reps = known.people[[name for name in TABLES["reps"].columns if name in known.people]]
    published = {"reps": reps.reindex(columns=list(TABLES["reps"].columns)), **found}
    publish(company, published, Manifest("run", AS_OF, "d", "c"))
    return published


def at(day: str) -> Any:
    return lambda: datetime.fromisoformat(day).replace(tzinfo=UTC)


def target(company: Workspace, day: date, entries: Any = None) -> float:
    tables = with_revisions(crm.open_tables(company), target_entries(company) if entries is None else entries, None)
    rows = owner_quotas(frame(tables["quotas"]), Q3, day)
    mine = (rows["owner_kind"] == "rep") & (rows["owner_id"] == "R0001") & (rows["tier"] == "standard")
    return float(rows.loc[mine, "quota"].item())


def test_a_revision_holds_from_its_day_and_is_taken_back_by_another(planned: Workspace) -> None:
    source = (planned.source_dir / "quotas.csv").read_bytes()
    was = target(planned, AS_OF)
    entry = revise(planned, UNIT, "2026-Q3", "1.500.000", "Two accounts moved.", on="2026-07-06", person="M001",
                   clock=at("2026-07-05"))  # fmt: skip
    assert entry.body["beside"] == f"{was:.2f}" and entry.rep_id == "R0001"
    assert [target(planned, day) for day in (AS_OF, date(2026, 7, 5), date(2026, 7, 6))] == [was, was, 1_500_000.0]
    undo(planned, UNIT, "2026-Q3", "The accounts stay.", person="M001", clock=at("2026-07-10"))
    assert [target(planned, date(2026, 7, day)) for day in (5, 9, 10)] == [was, 1_500_000.0, was]
    assert (planned.source_dir / "quotas.csv").read_bytes() == source
    with pytest.raises(JournalError, match="no revision that can be taken back"):
        undo(planned, "rep:R0002", "2026-Q3", "None.", person="M001", clock=at("2026-07-10"))


def test_the_run_sees_what_was_revised_by_its_day(planned: Workspace) -> None:
    assert fingerprint(target_entries(planned)) == ""
    revise(planned, UNIT, "2026-Q3", "1.500.000", "Two accounts moved.", on="2026-06-30", person="M001")
    known = Known.of(planned.root)
    published = publish_again(planned, known)
    mine = published["targets"].query("level == 'rep' and key == 'R0001' and tier == 'standard'").iloc[0]
    assert mine["quota"] == 1_500_000.0 != mine["first_quota"] and mine["revisions"] == 1
    told = history_of(planned, UNIT, "2026-Q3")
    assert told.query("held and tier == 'standard'")["cause"].tolist() == ["ad_hoc"]
    assert history_of(planned, UNIT, "2026-Q3", "2026-06-29").query("held and tier == 'standard'")[
        "cause"
    ].tolist() == ["imported"]
    values = kpis.levels(known.tables, FiscalCalendar().parse("2026-Q2"), as_of=AS_OF, kpis=["quota"])
    before = kpis.levels(crm.open_tables(planned), FiscalCalendar().parse("2026-Q2"), as_of=AS_OF, kpis=["quota"])
    pd.testing.assert_frame_equal(values, before)  # another quarter's
    assert len(fingerprint(target_entries(planned))) == 64


REFUSED: list[tuple[str, str, str, dict[str, str], type[Exception]]] = [
    (UNIT, "1.500.000", "R0001", {}, AccessDeniedError), (UNIT, "1.500.000", "M002", {}, AccessDeniedError),
    ("company", "9.000.000", "M001", {}, AccessDeniedError), ("team:Nowhere", "9", "M001", {}, JournalError),
    (UNIT, "1.500.000", "M001", {"on": "2026-06-29"}, JournalError), (UNIT, "1", "M001", {}, JournalError),
    (UNIT, "1.500.000", "M001", {"on": "2026-10-01"}, JournalError),
    (UNIT, "1.500.000", "M001", {"tier": "stretch"}, JournalError),
]  # fmt: skip


def test_what_cannot_be_revised(planned: Workspace) -> None:
    for unit, amount, person, more, error in REFUSED:
        with pytest.raises(error):
            revise(planned, unit, "2026-Q3", amount, "Because.", person=person, clock=at("2026-07-05"), **more)
    with pytest.raises(JournalError, match="over"):
        revise(planned, UNIT, "2026-Q2", "1.500.000", "Late.", person="M001")
    with pytest.raises(JournalError, match="cannot be taken"):
        revise(planned, UNIT, "2026-Q3", "1.500.000", " ", person="M001", on="2026-06-30")
    assert target_entries(planned) == []


def test_question_answer_and_acceptance(planned: Workspace) -> None:
    say(planned, "question", "2026-Q3", "Why more than last year?", person="R0001", clock=at("2026-07-01"))
    with pytest.raises(AccessDeniedError):
        say(planned, "answer", "2026-Q3", "Because.", rep="R0001", person="R0001")
    with pytest.raises(AccessDeniedError):
        say(planned, "answer", "2026-Q3", "Because.", rep="R0001", person="R0002")
    say(planned, "answer", "2026-Q3", "Two accounts came to you.", rep="R0001", person="M001", clock=at("2026-07-02"))
    with pytest.raises(JournalError):
        say(planned, "decline", "2026-Q3", person="R0001")
    say(planned, "accept", "2026-Q3", person="R0001", clock=at("2026-07-03"))
    told = talk(target_entries(planned))
    assert told["says"].tolist() == ["question", "answer", "accept"] and told["author"].tolist()[1] == "M001"
    assert set(told["quota"]) == {target(planned, AS_OF)}
    published = publish_again(planned, Known.of(planned.root))
    state = published["target_acceptance"].set_index("rep_id").loc["R0001"]
    assert state["state"] == "accepted"
    revise(planned, UNIT, "2026-Q3", "1.500.000", "Two accounts moved.", on="2026-06-30", person="M001")
    published = publish_again(planned, Known.of(planned.root))
    assert published["target_acceptance"].set_index("rep_id").loc["R0001", "state"] == "revised"


def test_without_a_table_of_quotas_a_written_one_is_a_target(company: Workspace) -> None:
    (company.source_dir / "quotas.csv").unlink()
    (company.source_dir / "goals.csv").unlink(missing_ok=True)
    known = Known.of(company.root)
    notes = review_targets(known, {}, [], None)
    assert notes.tables == {} and len(notes.notes) == 2
    publish_again(company, known)
    revise(company, UNIT, "2026-Q3", "1.500.000", "The first one.", on="2026-06-30", person="M001")
    again = Known.of(company.root)
    assert again.quotas is not None and again.quotas["amount"].astype(float).tolist() == [1_500_000.0]
    found = review_targets(again, {}, target_entries(company), None).tables["targets"]
    assert found.query("level == 'company'")["quota"].tolist() == [1_500_000.0]
    assert revisions(target_entries(company))["before"].isna().all()
    assert empty(TABLES["targets"]).columns.tolist() == list(found.columns)
