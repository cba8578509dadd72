"""The verdict: better by more than chance, and in no single stretch of time only."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from spm_models.win_probability.judgement import judge, score_table

MONTHS = pd.date_range("2026-01-31", periods=8, freq="ME").as_unit("s")


def decided(deals: int = 1200, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Decided deals of eight months and the true chance of each."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(1.2, 1.8, deals)
    rows = pd.DataFrame(
        {"as_of": MONTHS[np.arange(deals) * 8 // deals], "opportunity_id": [f"o{k}" for k in range(deals)],
         "won": rng.random(deals) < truth, "weight": 1.0}
    )  # fmt: skip
    return rows.assign(closed_on=rows["as_of"] + pd.Timedelta(days=20)), truth


def plain(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    rate = np.full(len(rows), rows["won"].mean())
    return {"base_rate": rate, "stage_rate": rate, "rep_rate": rate}


def test_a_model_that_knows_the_truth_is_published() -> None:
    rows, truth = decided()
    found = judge(rows, plain(rows) | {"model": truth})
    assert (found.published, found.reason) == ("model", "better_than_baseline")
    assert found.gain is not None and 0 < found.gain.low < found.gain.value < found.gain.high
    assert len(found.without) == 4 and (found.without > 0).all()


def test_one_lucky_stretch_does_not_decide() -> None:
    rows, truth = decided()
    late = (rows["as_of"] >= MONTHS[6]).to_numpy()
    away = np.random.default_rng(1).normal(0, 0.35, len(rows))
    slightly_wrong = 1 / (1 + np.exp(-(np.log(rows["won"].mean() / (1 - rows["won"].mean())) + away)))
    found = judge(rows, plain(rows) | {"model": np.where(late, truth, slightly_wrong)})
    assert found.gain is not None and found.gain.share_above(0) > 0.95
    assert (found.published, found.reason) == ("base_rate", "one_period_decides")


def test_noise_is_published_once_in_a_while_at_most() -> None:
    published = 0
    for seed in range(60):
        rows, _ = decided(240, seed)
        noise = np.random.default_rng(1000 + seed).normal(0, 0.2, len(rows))
        rate = rows["won"].mean()
        model = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + noise)))
        published += judge(rows, plain(rows) | {"model": model}).published == "model"
    assert published <= 5


def test_the_best_plain_rate_is_what_has_to_be_beaten() -> None:
    rows, truth = decided()
    rough = 0.5 * truth + 0.5 * rows["won"].mean()
    given = plain(rows) | {"stage_rate": rough, "model": rough}
    found = judge(rows, given)
    assert (found.baseline, found.published, found.reason) == ("stage_rate", "stage_rate", "not_better_than_baseline")


def test_without_a_model_a_plain_rate_is_published() -> None:
    rows, _ = decided()
    found = judge(rows, plain(rows))
    assert (found.published, found.reason, found.gain) == ("base_rate", "too_few_deals", None)


def test_the_score_table_has_each_measure_once() -> None:
    rows, truth = decided()
    given = plain(rows) | {"model": truth}
    table = score_table(rows, given, judge(rows, given).gain)
    assert not table.duplicated(["model", "measure"]).any()
    wide = table.pivot(index="model", columns="measure", values="value")
    assert wide.loc["model", "log_loss"] < wide.loc["base_rate", "log_loss"]
    assert wide.loc["model", "log_loss_gain"] == pytest.approx(
        wide.loc["base_rate", "log_loss"] - wide.loc["model", "log_loss"]
    )
