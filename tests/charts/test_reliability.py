"""The reliability diagram draws what the table says, in every language, and shows itself in a notebook."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection

from spm_models.charts.reliability import reliability_chart
from spm_models.evaluation import reliability
from spm_models.translations import LOCALES, Translator


@pytest.fixture
def table() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    p = rng.beta(2, 3, 800)
    won = rng.random(800) < p
    ours = reliability(won, p).assign(model="model")
    plain = reliability(won, np.full(800, won.mean())).assign(model="base_rate")
    return pd.concat([plain, ours], ignore_index=True)


def dots(axes) -> dict[str, np.ndarray]:
    drawn = [part for part in axes.collections if isinstance(part, PathCollection)]
    return {part.get_label(): np.asarray(part.get_offsets()) for part in drawn}


def test_every_bin_is_a_dot_where_the_table_has_it(table: pd.DataFrame) -> None:
    axes = reliability_chart(Translator("en"), table, width=520).axes[0]
    found = dots(axes)
    for label, name in (("Calibrated model", "model"), ("Win rate of the company", "base_rate")):
        wanted = table.loc[table["model"] == name, ["predicted", "observed"]].sort_values("predicted")
        np.testing.assert_allclose(found[label], wanted.to_numpy())
    assert axes.get_xlim() == axes.get_ylim() and axes.get_ylim()[1] >= table["high"].max()


def test_the_band_of_the_model_is_drawn_and_no_other(table: pd.DataFrame) -> None:
    axes = reliability_chart(Translator("en"), table, width=520).axes[0]
    ours = table[table["model"] == "model"]
    bands = [part for part in axes.collections if type(part).__name__ == "FillBetweenPolyCollection"]
    heights = bands[0].get_paths()[0].vertices[:, 1]
    assert len(bands) == 1
    assert (heights.min(), heights.max()) == (ours["low"].min(), ours["high"].max())


def test_a_plain_rate_alone_takes_the_place_of_the_model(table: pd.DataFrame) -> None:
    axes = reliability_chart(Translator("en"), table[table["model"] == "base_rate"], width=400).axes[0]
    assert len(dots(axes)["Win rate of the company"]) == 1 and axes.get_legend() is None


@pytest.mark.parametrize("locale", LOCALES)
def test_it_speaks_every_language_and_arabic_runs_from_the_right(table: pd.DataFrame, locale: str) -> None:
    t = Translator(locale)
    axes = reliability_chart(t, table, width=360).axes[0]
    assert axes.get_xlabel() == t("reliability.predicted") and axes.get_ylabel() == t("reliability.observed")
    assert axes.xaxis_inverted() == (t.direction == "rtl")


def test_a_notebook_shows_it_as_svg_of_its_own_width_without_fonts(table: pd.DataFrame) -> None:
    first, second = (reliability_chart(Translator("ar"), table, width=480)._repr_svg_() for _ in range(2))
    root = ET.fromstring(first)
    assert float(root.get("width", 0)) == 480 and not list(root.iter("{http://www.w3.org/2000/svg}text"))
    assert first == second
