"""The width of a panel's ranges follows values that were held back."""

import numpy as np
import pytest

from spm_models.revenue_forecast.series.calibration import NARROWEST, WIDEST, panel_width
from spm_models.revenue_forecast.series.ranges import GRID, Forecasts


def asked(spread):
    """Forecasts of 0 with normal ranges of this standard deviation."""

    def ask(histories, h):
        table = np.broadcast_to(spread * GRID, (len(histories), h, len(GRID)))
        return Forecasts(np.zeros((len(histories), h)), table.copy())

    return ask


def noise(series, n=16, seed=1):
    return list(np.random.default_rng(seed).normal(size=(series, n)))


@pytest.mark.parametrize("said", [0.7, 1.0, 1.4])
def test_ranges_of_another_width_are_brought_to_what_came(said):
    many = panel_width(noise(600), 4, asked(said))
    assert many * said == pytest.approx(1.0, abs=0.08)  # 2,400 values: the 80 % point is known to about 4 %


def test_few_series_tell_little_and_very_few_nothing():
    assert panel_width(noise(9), 4, asked(3.0)) == 1.0
    assert panel_width(noise(600), 4, asked(3.0)) < panel_width(noise(20), 4, asked(3.0)) < 1.0


def test_less_than_a_cycle_held_back_tells_less():
    assert panel_width(noise(600), 4, asked(2.0)) < panel_width(noise(600), 12, asked(2.0)) < 1.0


def test_the_width_is_bounded_and_gaps_do_no_harm():
    gaps = noise(100)
    for y in gaps[::2]:
        y[-1] = np.nan
    assert panel_width(gaps, 4, asked(50.0)) == NARROWEST
    assert panel_width(gaps, 4, asked(0.01)) == WIDEST


def test_short_series_are_left_alone():
    assert panel_width(noise(100, n=6), 4, asked(3.0)) == 1.0


def test_a_whole_cycle_is_held_back_where_a_third_of_the_history_allows():
    held: list[int] = []

    def ask(histories, h):
        held.append(h)
        return asked(2.0)(histories, h)

    shares = [panel_width(noise(600, n=n), 12, ask) for n in (18, 24, 36, 60)]
    assert held == [6, 8, 12, 12]
    assert shares[0] > shares[1] > shares[2] == pytest.approx(0.52, abs=0.04), "the less is seen, the less is believed"
