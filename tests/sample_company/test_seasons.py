from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np

from spm_models.sample_company import seasons


def test_tabulated_feasts_agree_with_the_arithmetic_calendar_within_a_day_or_two() -> None:
    for year in range(2019, 2029):
        tabled = seasons.feasts(year)
        for (month, day), found in zip(((9, 1), (10, 1), (12, 10)), tabled, strict=True):
            computed = seasons._arithmetic(month, day, year)
            assert min(abs((a - b).days) for a in computed for b in found) <= 1, (year, month)


def test_feasts_outside_the_table_move_about_eleven_days_a_year() -> None:
    starts = [seasons.feasts(year)[1][0] for year in (2034, 2035, 2036)]
    for earlier, later in pairwise(starts):
        assert 352 <= (later - earlier).days <= 357


def test_weeks_end_on_the_last_day_and_know_feasts_august_and_quarter_ends() -> None:
    found = seasons.weeks(date(2026, 6, 30), past=156, ahead=20)
    first = date(1970, 1, 1) + timedelta(days=int(found.first[0]))
    assert first + timedelta(days=7 * 156 - 1) == date(2026, 6, 30)
    day = seasons.day_number(date(2026, 3, 20)) - found.first[0]
    assert not found.working.reshape(-1)[day]
    august = (seasons.day_number(date(2025, 8, 15)) - found.first[0]) // 7
    october = (seasons.day_number(date(2025, 10, 15)) - found.first[0]) // 7
    assert found.pace[august] < 0.8 < found.pace[october]
    assert found.hurry[155] == 1.0
    assert found.hurry[october] == 0.0
    assert found.working[:, :].sum(axis=1).max() == 5


def test_days_drawn_in_a_week_are_working_days() -> None:
    found = seasons.weeks(date(2026, 6, 30), past=20, ahead=0)
    drawn = found.days(3, np.linspace(0.001, 0.999, 50))
    assert set(drawn) == set(found.first[3] + np.flatnonzero(found.working[3]))
