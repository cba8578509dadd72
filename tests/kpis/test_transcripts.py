"""Agreed words on calls, worked by hand: per call, by term, rep and queue; never a verdict on a person."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from spm_models import kpis
from spm_models.crm import load
from spm_models.errors import SpmError, WorkspaceError
from spm_models.kpis.packs import NEVER_JUDGED, of_company
from spm_models.periods import FiscalCalendar
from spm_models.sample_company import write_workspace
from spm_models.settings import Kpis
from spm_models.workspace import Workspace

AS_OF = date(2026, 6, 30)
CALENDAR = FiscalCalendar()
JUNE = CALENDAR.month(AS_OF)
NAMES = ["term_mentions", "calls_with_term", "calls_transcribed"]


def _call(name, said, rep="r1", at=datetime(2026, 6, 10, 9), queue="sales"):
    return {"call_id": name, "rep_id": rep, "queue": queue, "offered_at": at, "transcript": said}


@pytest.fixture
def make(tables_of):
    def of(**settings):
        return tables_of({
            "reps": [{"rep_id": "r1"}, {"rep_id": "r2"}, {"rep_id": "r3"}],
            "opportunities": [{"opportunity_id": "o", "rep_id": "r1", "status": "open", "stage": "x",
                               "created_on": date(2026, 6, 1)}],
            "calls": [
                _call("1", "FİYATLARINIZ yüksek; fiyatta indirim?"),  # price 2, discount 1
                _call("2", "The price is fine. Next step: a meeting."),  # price 1, next_step 2
                _call("3", "شكرا", "r2", queue="service"),  # nothing agreed
                _call("4", "نريد خصومات على الأسعار", "r2", queue="service"),  # discount 1, price 1
                _call("5", "  "), _call("6", None, "r3"),  # not transcribed
                _call("7", "fiyat", at=datetime(2026, 6, 30, 21)),  # tomorrow in Istanbul: not known yet
                _call("8", "fiyat", at=datetime(2026, 5, 31, 20)),  # May
            ],
        }, AS_OF, time_zone="Europe/Istanbul", **settings)  # fmt: skip

    return of


def _of(tables, by):
    found = kpis.compute(tables, NAMES, by=by, period=JUNE, as_of=AS_OF)
    return found.set_index(["kpi", *([by] if by != "company" else [])])


def test_words_per_call_and_calls_with_words(make):
    found = _of(make(), "company")
    assert found.loc["term_mentions", ["numerator", "denominator", "value"]].tolist() == [8, 4, 2]
    assert found.loc["calls_with_term", ["numerator", "denominator", "value"]].tolist() == [3, 4, 0.75]
    assert found.loc["calls_transcribed", "value"] == 4
    assert found.loc["term_mentions", "previous"] == 1  # the call of May


def test_by_term_calls_without_it_count_in_the_denominator(make):
    found = _of(make(), "term")
    per_call = found.loc["term_mentions", "value"].to_dict()
    others = dict.fromkeys(("budget", "competitor", "decision_maker", "objection"), 0)
    assert per_call == {"discount": 0.5, "next_step": 0.5, "price": 1, **others}
    assert found.loc[("calls_with_term", "price"), ["numerator", "denominator"]].tolist() == [3, 4]
    assert found.loc[("calls_with_term", "next_step"), "value"] == 0.25


def test_by_rep_and_queue(make):
    reps = _of(make(), "rep")["value"]
    assert reps["term_mentions"].to_dict() == {"r1": 3, "r2": 1}
    assert reps["calls_transcribed"].to_dict() == {"r1": 2, "r2": 2, "r3": 0}
    assert _of(make(), "queue")["value"]["calls_with_term"].to_dict() == {"sales": 1, "service": 0.5}
    levels = kpis.levels(make(), JUNE, kpis=["term_mentions"], as_of=AS_OF)
    assert levels.loc[levels["level"] == "company", "value"].tolist() == [2]


def test_a_company_has_words_of_its_own(make):
    own = Kpis(terms={"thanks": {"ar": ("شكر",)}, "price": {"en": ("price",)}, "next_step": {}})
    found = _of(make(kpis=own), "term")["value"]["term_mentions"]
    assert found["thanks"] == 0.25 and found["price"] == 0.25 and found["discount"] == 0.5
    assert "next_step" not in found


def test_nobody_is_judged_by_words(make):
    assert "K28" in NEVER_JUDGED
    for name in NAMES:
        assert kpis.KPIS[name].direction == "context" and kpis.KPIS[name].healthy is None
        with pytest.raises(SpmError):
            kpis.compute(make(), [name], period=JUNE, as_of=AS_OF, targets={name: 1})
    found = kpis.compute(make(), NAMES, by="rep", period=JUNE, as_of=AS_OF)
    assert set(found["verdict"].dropna()) <= {"", "too_few"}
    with pytest.raises(SpmError):
        of_company(Kpis(bands={"term_mentions": (0, 1)}))


def test_words_of_the_workspace_file_are_counted(tmp_path):
    """Of the four sentences of simulated calls one declines with thanks, one finds the price high, a rival cheaper."""
    write_workspace(tmp_path, size="tiny", seed=1)
    file = tmp_path / "spm.toml"
    words = '\n[kpis.terms.thanks]\ntr = ["teşekkür"]\nen = ["thank you"]\nar = ["شكر"]\n'
    file.write_text(file.read_text(encoding="utf-8") + words, encoding="utf-8")
    tables = load(Workspace.open(tmp_path), run_id="words").tables
    as_of = tables.extracted_on
    found = kpis.compute(tables, ["term_mentions"], by="term", period=CALENDAR.year(as_of), as_of=as_of)
    times = found.set_index("term")["numerator"]
    assert times["thanks"] > 0 and times["price"] > 0
    assert times["objection"] == times["thanks"] + times["price"]  # no need, thank you; the price is too high
    assert times["competitor"] == times["price"]  # of one sentence


def test_a_language_without_rules_is_refused(tmp_path):
    (tmp_path / "spm.toml").write_text('[kpis.terms.price]\nde = ["Preis"]\n', encoding="utf-8")
    with pytest.raises(WorkspaceError, match=r"kpis\.terms\.price"):
        Workspace.open(tmp_path)
