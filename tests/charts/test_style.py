"""How a figure becomes SVG: drawn once, and the same as if matplotlib had laid it out while saving."""

from __future__ import annotations

from contextlib import nullcontext

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from spm_models.charts import style
from spm_models.charts.waterfall import waterfall_chart
from spm_models.translations import Translator

STEPS = pd.DataFrame({"label": ["Start", "A long name of a step", "End"], "value": [3.0, -1.5, 1.5]})


def a_chart(locale: str) -> Figure:
    return waterfall_chart(Translator(locale, currency="TRY"), STEPS, width=480)


@pytest.mark.parametrize("locale", ["en", "tr", "ar"])
def test_it_looks_as_matplotlib_would_have_saved_it(monkeypatch, locale):
    ours = style.inline_svg(a_chart(locale), "name")
    monkeypatch.setattr(style, "_laid_out", lambda figure: nullcontext())
    assert ours == style.inline_svg(a_chart(locale), "name")


def test_it_is_drawn_once(monkeypatch):
    drawn: list[Axes] = []
    draw = Axes.draw
    monkeypatch.setattr(Axes, "draw", lambda self, renderer: drawn.append(self) or draw(self, renderer))
    style.inline_svg(a_chart("en"), "name")
    assert len(drawn) == 1


def test_the_figure_stays_as_it_was():
    chart = a_chart("en")
    before = (chart.get_layout_engine(), chart.dpi, chart.canvas)
    first = style.inline_svg(chart, "name")
    assert (chart.get_layout_engine(), chart.dpi, chart.canvas) == before
    assert style.inline_svg(chart, "name") == first


def test_a_figure_without_a_layout_is_saved_too():
    with mpl.rc_context(style.STYLE):
        figure = Figure(figsize=(2, 1))
        figure.add_subplot()
    assert style.inline_svg(figure, "name").startswith("<svg")
