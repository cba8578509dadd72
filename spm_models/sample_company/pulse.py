"""The anonymous pulse: every four weeks most people say how they feel about their work."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from spm_models.sample_company import columns
from spm_models.sample_company.draws import Draws
from spm_models.sample_company.people import Staff
from spm_models.sample_company.seasons import Weeks
from spm_models.sample_company.sizes import Layout

EVERY = 4  #: weeks
ANSWER = 0.65  #: chance that somebody answers


def pulse(draws: Draws, plan: Layout, staff: Staff, weeks: Weeks, past: int, last_day: int) -> pa.Table:
    """One row an answer, in an order that does not tell whose it is; teams have moods that last for some months."""
    asked = np.arange(EVERY - 1, past, EVERY)
    week, who = (grid.ravel() for grid in np.meshgrid(asked, np.arange(len(staff)), indexing="ij"))
    opened = weeks.first[week]
    key = draws.keys("pulse", staff.number[who], week)
    there = (staff.hired[who] <= opened) & (staff.left[who] > opened) & (draws.uniform("replies", key) < ANSWER)
    day = opened + (5 * draws.uniform("day", key)).astype(np.int64)
    kept = there & (day <= last_day)
    week, team, day, key = week[kept], staff.team[who[kept]], day[kept], key[kept]
    mood = 0.4 * draws.normal("mood", draws.keys("team", team, week // 26))
    score = np.clip(np.round(3.7 + mood + 0.8 * draws.normal("feels", key)), 1, 5)
    order = np.lexsort((draws.uniform("order", key), day))
    return pa.table({
        "answer_id": columns.code("U", np.arange(len(order)) + 1, 7),
        "team": columns.word(team[order], plan.team_names),
        "answered_on": columns.day(day[order]),
        "score": columns.number(score[order], 0),
    })  # fmt: skip
