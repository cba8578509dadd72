"""One deal closely: default deal, sentences, controls that answer, and what stands where nobody can move them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from spm_models.errors import RunError
from spm_models.runs.explore import Exploration
from spm_models.runs.explore_controls import Controls
from spm_models.runs.stored_models import WinModel
from spm_models.snapshots import PIPELINE
from spm_models.translations import Translator
from spm_models.win_probability import DealScores
from spm_models.win_probability.result import REASONS

STAGES = ("Demo", "Offer")


class Stagewise:
    """A chance by stage and amount, with the stage as the reason."""

    def predict(self, rows: pd.DataFrame) -> DealScores:
        chance = rows["stage"].map({"Demo": 0.25, "Offer": 0.75}).to_numpy() - 0.1 * (rows["amount"].to_numpy() > 1000)
        table = rows.assign(
            win_probability=chance, low=chance - 0.1, high=chance + 0.1, scored_by="model",
            expected_amount=rows["amount"] * chance,
        )  # fmt: skip
        told = pd.DataFrame({
            "opportunity_id": rows["opportunity_id"], "rep_id": rows["rep_id"], "rank": 1, "feature": "stage",
            "fact": "stage", "value": rows["stage"], "typical": "", "contribution": chance - 0.5,
            "points": chance - 0.5,
        })  # fmt: skip
        return DealScores(table, told.astype(REASONS))


@pytest.fixture
def known() -> SimpleNamespace:
    texts: dict[str, Any] = {name: "x" for name, kind in PIPELINE.items() if kind == "str"}
    row = texts | {name: 0.0 for name, kind in PIPELINE.items() if kind == "float64"}
    row |= {"as_of": pd.Timestamp("2026-06-30"), "created_on": pd.Timestamp("2026-01-01"), "expected_close_on": pd.NaT}
    rows = [
        row | {"opportunity_id": deal, "stage": stage, "amount": amount}
        for deal, stage, amount in (("o1", "Demo", 100.0), ("o2", "Offer", 500.0), ("<b>", "Demo", 50.0))
    ]
    return SimpleNamespace(
        pipeline=pd.DataFrame(rows).astype(PIPELINE), as_of=date(2026, 6, 30), translator=Translator("en"),
        tables=SimpleNamespace(stages=STAGES),
    )  # fmt: skip


@pytest.fixture
def exploration(known: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Exploration]:
    monkeypatch.setattr("spm_models.runs.explore.published_model", lambda _: WinModel(Stagewise(), {}, number=7))  # type: ignore[arg-type]
    return lambda deal="": Exploration(known, deal)


def test_without_a_name_the_deal_with_the_most_expected_amount_is_taken(exploration) -> None:
    assert repr(exploration()) == "o2: 75% (65% to 85%) by model, version 7"
    assert exploration("o1").deal == "o1"


def test_a_deal_that_is_not_open_is_refused(exploration, known) -> None:
    with pytest.raises(RunError, match="not open") as caught:
        exploration("o9")
    assert caught.value.found == "o9"
    known.pipeline = known.pipeline.head(0)
    with pytest.raises(RunError, match="No deal is open"):
        exploration()


def test_reasons_are_sentences(exploration) -> None:
    told = exploration("o1").reasons
    assert told["points"].tolist() == [-0.25] and "Demo" in told["reason"][0] and "−25 points" in told["reason"][0]


def test_nothing_asked_is_answered_by_an_example_that_the_data_allow(exploration, known) -> None:
    assert exploration("o1").what_if(stage="", amount=0.0, more_meetings=0).asked == {"more_meetings": 1}
    assert exploration("o1").what_if(stage="Offer").difference == pytest.approx(0.5)
    known.pipeline = known.pipeline.assign(activities=float("nan"))
    assert exploration("o1").what_if().asked == {"stage": "Offer"}
    assert exploration("o2").what_if().asked == {"amount": 250.0}


def test_controls_answer_as_they_are_moved(exploration) -> None:
    controls = Controls(exploration("o1"), live=True)
    assert controls.changes == {} and controls.answer.value.count("25%") == 2
    controls.inputs["stage"].value = "Offer"
    assert controls.changes == {"stage": "Offer"} and "75%" in controls.answer.value
    controls.inputs["amount"].value = 2000.0
    assert "65%" in controls.answer.value and "not cause" in controls.answer.value
    controls.inputs["amount"].value = -1.0
    assert "cannot have this amount" in controls.answer.value and "above zero" in controls.answer.value
    controls.inputs["amount"].value = 100.0
    controls.inputs["stage"].value = "Demo"
    controls.inputs["expected_close_on"].value = date(2026, 6, 1)
    assert "from 2026-06-30 on" in controls.answer.value


def test_where_nobody_can_move_them_the_answer_stands_still(exploration) -> None:
    still = Controls(exploration("<b>"))._repr_mimebundle_()
    assert set(still) == {"text/html", "text/plain"} and "25%" in still["text/html"]
    live = Controls(exploration("o1"), live=True)._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in live


def test_only_what_the_source_records_can_be_moved(exploration, known) -> None:
    known.pipeline = known.pipeline.assign(activities=float("nan"), amount=float("nan"), stage="Unheard of")
    controls = Controls(exploration("o1"), live=True)
    assert set(controls.inputs) == {"expected_close_on", "more_contacts"}
