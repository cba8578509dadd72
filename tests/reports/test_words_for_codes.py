"""Every code of the published tables has words in every language; no reader sees a column's name."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from spm_models.coaching.features import DEAL_CONTEXT, TIME_CONTEXT
from spm_models.coaching.result import VERDICTS
from spm_models.reports.outlook import PARTS, TIERS, likelihood
from spm_models.reports.words import (
    attention,
    example_value,
    next_step,
    signal_basis,
    signal_name,
    signal_value,
)
from spm_models.translations import LOCALES, Translator, catalogue
from spm_models.win_probability.baseline import BASELINES

SIGNALS = ("win_rate", "activity", "pipeline_creation", "cycle")


@pytest.fixture(params=list(LOCALES))
def t(request):
    return Translator(request.param, currency="EUR")


@pytest.mark.parametrize(
    ("group", "codes"),
    [
        ("verdicts", [f"{verdict}.name" for verdict in VERDICTS]),
        ("signals", [f"{signal}.{part}" for signal in SIGNALS for part in ("name", "what", "question", "step")]),
        ("scored_by", ["model", "not_enough_data", *BASELINES]),
        ("parts", [*PARTS, "total"]),
        ("tiers", TIERS),
        ("context", {*DEAL_CONTEXT, *TIME_CONTEXT}),
        ("likelihood", {likelihood(p) for p in np.linspace(0, 1, 101)}),
        ("status", ["won", "lost"]),
    ],
)
def test_every_code_has_words(t, group, codes):
    assert [code for code in codes if f"{group}.{code}" not in catalogue(t.locale)] == []


@pytest.mark.parametrize("signal", SIGNALS)
def test_signals_read_in_their_unit_and_say_what_they_rest_on(t, signal):
    said = [signal_name(t, signal), signal_value(t, signal, 0.5), signal_basis(t, signal, 12.0)]
    assert all(re.search(r"\d", text) for text in said[1:]) and not any("_" in text for text in said)
    assert "–" in signal_value(t, signal, float("nan")) and signal_basis(t, signal, float("nan"))
    assert example_value(t, signal, 3.0) and example_value(t, signal, float("nan")) == t("deal.no_amount")


def deal(**facts):
    usual = {"as_of": pd.Timestamp("2026-06-30"), "expected_close_on": pd.Timestamp("2026-09-01"),
             "days_since_activity": 3.0, "push_count": 0.0, "amount": 10.0}  # fmt: skip
    return usual | facts


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({}, ""), ({"expected_close_on": pd.Timestamp("2026-06-29")}, "overdue"),
        ({"expected_close_on": pd.Timestamp("2026-06-30")}, ""), ({"days_since_activity": 21.0}, "silent"),
        ({"push_count": 3.0}, "pushed"), ({"expected_close_on": pd.NaT}, "undated"), ({"amount": np.nan}, "unpriced"),
        ({"days_since_activity": np.nan, "push_count": np.nan}, ""),
    ],
)  # fmt: skip
def test_a_deal_gets_the_next_step_that_its_state_asks_for(t, facts, why):
    assert attention(deal(**facts)) == why
    assert len(next_step(t, deal(**facts))) > 10


def test_a_close_date_that_is_near_asks_what_is_missing():
    assert "11 days" in next_step(Translator("en"), deal(expected_close_on=pd.Timestamp("2026-07-11")))
