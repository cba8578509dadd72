"""The heads-up in a report: what may have changed, how often chance does that, and no word about the person."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest

from spm_models.reports.early_warning import early_warning, early_warnings_of_team, hints
from spm_models.translations import Translator

WEEKS = pd.date_range("2026-01-05", periods=26, freq="7D")


@dataclass
class Read:
    """What a reading gives to this part."""

    t: Translator
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    key: str = "r1"

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]


def tables(signalled: bool, weeks_to_see: float = 24.0) -> dict[str, pd.DataFrame]:
    watches = ["activity", "wins"]
    rows = pd.DataFrame({
        "rep_id": "r1", "watch": watches, "statistic": [0.0, 3.2], "threshold": 2.8, "signalled": [False, signalled],
        "since": [pd.NaT, WEEKS[10]], "observed": [0.0, 3.0], "expected": [0.0, 9.4], "n": [0.0, 37.0],
        "false_alarms_a_year": [1.0, 4.0], "weeks_to_see_half": [5.0, weeks_to_see],
    })  # fmt: skip
    expected = np.full(26, 0.6)
    reach = 1.28 * np.sqrt(np.cumsum(expected))
    path = pd.DataFrame({
        "rep_id": "r1", "watch": "wins", "week": WEEKS, "observed": 0.0, "expected": expected, "statistic": 0.1,
        "low": np.maximum(np.cumsum(expected) - reach, 0), "high": np.cumsum(expected) + reach, "threshold": 2.8,
    })  # fmt: skip
    return {"early_warnings": rows, "early_warning_path": path}


@pytest.mark.parametrize("locale", ["en", "tr", "ar"])
def test_a_hint_says_what_since_when_beside_what_and_how_often_chance_does_it(locale):
    t = Translator(locale, currency="TRY")
    html = str(early_warning(Read(t, tables(True))))
    text = re.sub(r"<[^>]+>", "", html)
    for value in (t.number(3), t.number(37), t.number(9.4), t.day(WEEKS[10])):
        assert re.sub(r"<[^>]+>", "", str(value)) in text
    assert str(t.number(5)) in re.sub(r"<[^>]+>", "", str(t.html("early_warning.by_chance", number=t.number(5))))
    assert re.sub(r"<[^>]+>", "", str(t.html("early_warning.by_chance", number=t.number(5)))) in text
    assert html.count("<figure") == 1 and 'role="img"' in html
    assert t("early_warning.causes") in text


def test_without_a_hint_stands_what_could_have_been_seen():
    t = Translator("en")
    assert "24" in early_warning(Read(t, tables(False)))
    assert "<figure" not in early_warning(Read(t, tables(False)))
    assert t("early_warning.not_in_a_year") in early_warning(Read(t, tables(False, float("nan"))))


def test_the_first_page_has_one_sentence_a_hint_and_none_without():
    said = hints(Read(Translator("en"), tables(True)))
    assert len(said) == 1 and "Won since about" in said[0] and "something may have changed" in said[0]
    assert hints(Read(Translator("en"), tables(False))) == []


def test_where_nothing_is_watched_nothing_is_said():
    empty = {name: frame.iloc[:0] for name, frame in tables(True).items()}
    assert early_warning(Read(Translator("en"), empty)) == ""


def test_a_colleague_s_hint_is_not_told():
    other = {name: frame.assign(rep_id="r2") for name, frame in tables(True).items()}
    assert early_warning(Read(Translator("en"), other)) == ""


def test_a_manager_reads_names_escaped_and_the_rate_once():
    t = Translator("en")
    both = {name: pd.concat([frame, frame.assign(rep_id="r2")]) for name, frame in tables(True).items()}
    both["reps"] = pd.DataFrame({"rep_id": ["r1", "r2"], "name": ["<b>Ada</b>", None]})
    html = str(early_warnings_of_team(Read(t, both, key="m1")))
    assert "&lt;b&gt;Ada" in html and "<b>Ada" not in html and "r2" in html
    assert re.sub(r"<[^>]+>", "", str(t.html("early_warning.by_chance", number=t.number(5)))) in re.sub(
        "<[^>]+>", "", html
    )
    quiet = tables(False) | {"reps": both["reps"]}
    assert early_warnings_of_team(Read(t, quiet)) == ""
