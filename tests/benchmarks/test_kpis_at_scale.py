"""The benchmark of the KPIs at a hundredth of its size: plain pandas comes to the same values."""

from __future__ import annotations

import kpis
import pytest

SIZES = tuple(size // 100 for size in kpis.SIZES)


@pytest.mark.slow
def test_pandas_comes_to_the_same_values_and_all_figures_are_told() -> None:
    found = kpis.run(SIZES, repeat=1)  # stops when a value differs
    for engine in kpis.ENGINES:
        assert f"growth_exponent.{engine}" in found
        for size in SIZES:
            assert found[f"cpu_seconds.{engine}.{size}"] > 0
            assert found[f"peak_mb.{engine}.{size}"] > 50
    assert found[f"kpis.duckdb.{SIZES[1]}"] >= 35
    assert found[f"kpis.pandas.{SIZES[1]}"] >= 25
    assert found[f"compared.{SIZES[1]}"] > 1000
    assert found[f"largest_difference.{SIZES[1]}"] <= 1e-9
