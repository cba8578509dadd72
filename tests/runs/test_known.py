"""What was known on a day starts from a folder and a day, and refuses days that are none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from spm_models.errors import RunError
from spm_models.runs.known import Known

SETTINGS = '[company]\nname = "Acme"\n[stages]\norder = ["Offer"]\nstatus = { Offer = "open", Won = "won" }\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    (tmp_path / "spm.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "tables/reps.csv").write_text("rep_id,name\nr1,Ada\n", encoding="utf-8")
    (tmp_path / "tables/opportunities.csv").write_text(
        "opportunity_id,rep_id,stage,created_on,closed_on,amount,currency\n"
        "o1,r1,Won,2026-01-10,2026-03-31,100,USD\no2,r1,Offer,2026-02-10,,50,USD\n",
        encoding="utf-8",
    )
    return tmp_path


def test_without_a_day_it_is_the_last_of_the_data(folder: Path) -> None:
    known = Known.of(folder)
    assert (known.as_of, known.pipeline["opportunity_id"].tolist()) == (date(2026, 3, 31), ["o2"])
    assert [period.label for period in known.periods] == ["2026-Q2", "2026-Q3"]
    assert repr(known) == "Acme at the end of 2026-03-31: 1 open and 1 closed deals, 1 people"


def test_an_earlier_day_knows_less(folder: Path) -> None:
    known = Known.of(folder, "2026-01-31")
    assert (known.pipeline["opportunity_id"].tolist(), len(known.outcomes)) == (["o1"], 0)


@pytest.mark.parametrize(("text", "says"), [("31.03.2026", "not a day"), ("2026-04-01", "after the last day")])
def test_other_days_are_refused_in_words(folder: Path, text: str, says: str) -> None:
    with pytest.raises(RunError, match=says):
        Known.of(folder, text)
