"""Two ticks of an axis of money never read the same."""

from __future__ import annotations

import pytest

from spm_models.charts.outlook import _money_axis
from spm_models.charts.style import new_axes
from spm_models.translations import Translator


@pytest.mark.parametrize("ends", [(0.8e6, 1.3e6), (0, 5e6), (98e6, 140e6), (1200, 2600), (0.9e9, 1.6e9)])
def test_every_tick_reads_differently(ends: tuple[float, float]) -> None:
    figure, axes = new_axes(344, 200)
    axes.set_ylim(*ends)
    _money_axis(Translator("en", currency="TRY"), axes.yaxis)
    figure.canvas.draw()
    words = [tick.get_text() for tick in axes.get_yticklabels()]
    assert len(words) > 2 and len(set(words)) == len(words)
