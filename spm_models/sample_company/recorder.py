"""What the simulation leaves behind: deals, changes of their fields, touches; kept as columns of numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spm_models.sample_company.buyers import Deals, length, take, together
from spm_models.sample_company.draws import Ints
from spm_models.sample_company.mechanism import Week
from spm_models.sample_company.world import World

DAY = 86_400
FIELDS = ("stage", "amount", "expected_close_on", "rep_id", "forecast_category")
TRACKED = ("stage", "amount", "expected", "owner", "category")  #: the same fields in the simulation
Columns = dict[str, NDArray[Any]]


@dataclass
class Recorder:
    """Collects lists of arrays, one entry a week, and joins them at the end of a chunk."""

    created: list[Deals] = field(default_factory=list)
    closed: list[Deals] = field(default_factory=list)
    changes: list[Columns] = field(default_factory=list)
    touches: list[Columns] = field(default_factory=list)
    contracts: list[Columns] = field(default_factory=list)
    referrals: list[Columns] = field(default_factory=list)

    def creation(self, world: World, deals: Deals) -> None:
        """The first row of every field."""
        self.created.append(deals)
        at = (
            deals["created"] * DAY + 7 * 3600 + (5 * 3600 * world.draws.uniform("created_at", deals["uid"])).astype(int)
        )
        for code, name in enumerate(TRACKED):
            self._change(deals["uid"], at, code, deals[name])

    def owner_change(self, deals: Deals, which: NDArray[np.bool_], day: int) -> None:
        """New owners at six in the morning (UTC) of a day."""
        uid = deals["uid"][which]
        self._change(uid, np.full(len(uid), day * DAY + 6 * 3600), TRACKED.index("owner"), deals["owner"][which])

    def week(self, world: World, week: int, before: Deals, deals: Deals, happened: Week) -> Ints:
        """Touches of a week, then changes of fields at the end of a working day; returns that day for each deal."""
        key = world.draws.keys("when", deals["uid"], week)
        open_days = np.flatnonzero(world.weeks.working[week]) + world.weeks.first[week]
        closed = happened.won | happened.lost
        last = (world.draws.uniform("day", key) * len(open_days)).astype(np.int64)
        day: Ints = open_days[last]
        at = day * DAY + 14 * 3600 + (3500 * world.draws.uniform("clock", key)).astype(np.int64)
        for code, name in enumerate(TRACKED):
            moved = deals[name] != before[name]
            if code != TRACKED.index("owner") and moved.any():
                self._change(deals["uid"][moved], at[moved], code, deals[name][moved])
        self._touch(world, key, before, deals, happened, np.where(closed, last, len(open_days) - 1), open_days)
        return day

    def _touch(
        self, world: World, key: Any, before: Deals, deals: Deals, happened: Week, last: Ints, open_days: Ints
    ) -> None:
        who = np.repeat(np.arange(length(deals)), happened.touches)
        nth = np.arange(len(who)) - np.repeat(np.cumsum(happened.touches) - happened.touches, happened.touches)
        key = world.draws.keys("touch", key[who], nth)
        day = open_days[(world.draws.uniform("day", key) * (last[who] + 1)).astype(np.int64)]
        self.touches.append({
            "uid": deals["uid"][who], "owner": deals["owner"][who], "key": key, "stage": before["stage"][who],
            "at": day * DAY + 6 * 3600 + 600 + (7 * 3600 * world.draws.uniform("clock", key)).astype(np.int64),
            "objection": happened.objection[who] & (nth == 0),
            "conviction": deals["conviction"][who],
        })  # fmt: skip

    def _change(self, uid: Any, at: Ints, code: int, new: NDArray[Any]) -> None:
        self.changes.append({
            "uid": uid, "at": at, "field": np.full(len(uid), code, dtype=np.int8), "new": new.astype(np.int64),
        })  # fmt: skip


def joined(parts: list[Columns]) -> Columns:
    """All weeks of a recording as one set of columns."""
    return together([part for part in parts if len(next(iter(part.values())))] or parts[:1])


__all__ = ["DAY", "FIELDS", "TRACKED", "Columns", "Recorder", "joined", "take"]
