from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from spm_models.sample_company import simulate, write, write_workspace
from spm_models.sample_company.draws import Draws
from spm_models.sample_company.sizes import SampleError


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*.*")) if path.is_file()
    }  # fmt: skip


@pytest.mark.parametrize("format", ["csv", "parquet"])
def test_the_size_of_the_chunks_changes_no_byte(tmp_path: Path, format: str) -> None:  # noqa: A002
    for name, chunk in (("whole", 80), ("parts", 4)):
        write(tmp_path / name, size="small", seed=3, months=9, format=format, chunk_reps=chunk, truth_draws=10)  # type: ignore[arg-type]
    assert hashes(tmp_path / "whole") == hashes(tmp_path / "parts")


def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write(tmp_path / name, size="tiny", seed=seed, months=9, truth_draws=20)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")
    assert hashes(tmp_path / "a")["tables/opportunities.csv"] != hashes(tmp_path / "c")["tables/opportunities.csv"]


def test_counting_futures_leaves_the_past_alone() -> None:
    without, counted = (simulate("tiny", seed=4, months=12, truth_draws=draws) for draws in (0, 10))
    assert "open_deals" not in without.truth
    for name, frame in without.tables.items():
        assert frame.equals(counted.tables[name]), name


def test_a_workspace_is_kept_when_it_is_the_same_and_foreign_tables_are_never_overwritten(tmp_path: Path) -> None:
    assert write_workspace(tmp_path / "demo", size="tiny", months=6)
    before = hashes(tmp_path / "demo")
    assert not write_workspace(tmp_path / "demo", size="tiny", months=6, keep=True)
    assert write_workspace(tmp_path / "demo", size="tiny", months=6, seed=2, keep=True)
    assert hashes(tmp_path / "demo") != before
    (tmp_path / "mine" / "tables").mkdir(parents=True)
    (tmp_path / "mine" / "tables" / "reps.csv").write_text("rep_id\n1\n")
    with pytest.raises(SampleError, match="not a sample company"):
        write_workspace(tmp_path / "mine", size="tiny")
    assert (tmp_path / "mine" / "tables" / "reps.csv").read_text() == "rep_id\n1\n"


def test_draws_are_uniform_and_streams_do_not_depend_on_each_other() -> None:
    draws = Draws(5)
    keys = draws.keys("deal", np.arange(40_000))
    one, other = draws.uniform("one", keys), draws.uniform("other", keys)
    assert abs(one.mean() - 0.5) < 4 * np.sqrt(1 / 12 / len(one))
    cells = np.histogram2d(one, other, bins=10)[0]
    chi2 = ((cells - 400) ** 2 / 400).sum()
    assert chi2 < 99 + 5 * np.sqrt(2 * 99)
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 4 / np.sqrt(len(one))


def test_poisson_counts_have_the_mean_and_variance_of_their_rate() -> None:
    draws = Draws(6)
    counts = draws.poisson("touches", draws.keys("deal", np.arange(50_000)), np.full(50_000, 1.3), 12)
    assert abs(counts.mean() - 1.3) < 4 * np.sqrt(1.3 / 50_000)
    assert abs(counts.var() - 1.3) < 0.05


def test_an_unknown_size_says_which_there_are() -> None:
    with pytest.raises(SampleError, match="tiny, small, usual, large"):
        simulate("huge")


def test_short_records_are_whole_too() -> None:
    company = simulate(opportunities=1_500, months=4, truth_draws=0)
    assert company.tables["reps"].hired_on.max() <= np.datetime64(company.last_day)
    assert company.tables["opportunities"].rep_id.isin(company.tables["reps"].rep_id).all()
