"""A drawn order of coaching: where a manager cannot coach everybody at once, chance decides who comes first.

Everybody is coached in the end; those who wait are the comparison, and no assumption about who was chosen is needed.
The order is drawn within blocks of one team and one need, so that each wave has people of all needs.

References
----------
Fisher (1935), The Design of Experiments; Hussey and Hughes (2007), Design and analysis of stepped wedge cluster
randomized trials, Contemporary Clinical Trials 28 (waves until everybody was treated).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from spm_models.errors import NotEnoughDataError, StatisticsError

LEAST_PEOPLE = 4
WEEKS = 18  #: between two waves: five until a gain is whole, and a quarter in which it is measured
LEAST_WEEKS = 13


@dataclass(frozen=True)
class Order:
    """Who is coached in which wave.

    Parameters
    ----------
    skill, kind : str
        What is coached, and how.
    starts_on : date
        First day of the first wave.
    weeks : int
        From one wave to the next.
    seed : int
    places : DataFrame
        ``rep_id``, ``team``, ``need``, ``wave`` (1 is the first), sorted by wave, team and rep.
    """

    skill: str
    kind: str
    starts_on: date
    weeks: int
    seed: int
    places: pd.DataFrame

    def day(self, wave: int) -> date:
        """First day of a wave."""
        return self.starts_on + timedelta(weeks=self.weeks * (wave - 1))

    @property
    def waves(self) -> int:
        """How many there are."""
        return int(self.places["wave"].max())


def seed_of(words: Sequence[str]) -> int:
    """A seed that nobody picks: made of what the draw is about, so that it comes out the same for everybody.

    Examples
    --------
    >>> seed_of(["value", "R1", "R2"]) == seed_of(["value", "R1", "R2"])
    True
    """
    digest = hashlib.sha256("\x1f".join(words).encode()).digest()
    return int.from_bytes(digest[:4], "big")


def draw_order(
    people: pd.DataFrame, *, skill: str, starts_on: date, capacity: int, seed: int, kind: str = "coaching",
    weeks: int = WEEKS,
) -> Order:  # fmt: skip
    """Draw who is coached first.

    Parameters
    ----------
    people : DataFrame
        ``rep_id``, ``team``, ``need``: those who would all gain from it, as far as is known; ``tier``, if it is there:
        nobody waits for somebody of a higher number in his team.
    skill, kind, starts_on
        As in :class:`Order`.
    capacity : int
        How many people of each team can be coached in one wave.
    seed : int
        The same people and seed give the same order, however the rows are sorted.
    weeks : int
        Between two waves; at least 13.

    Raises
    ------
    NotEnoughDataError
        Fewer than four people, or room for all at once: then there is nothing to draw.
    StatisticsError
        A person twice, no capacity, or waves too close to be told apart.

    Examples
    --------
    >>> people = pd.DataFrame({"rep_id": list("abcd"), "team": "North", "need": ["x", "x", "y", "y"]})
    >>> order = draw_order(people, skill="value", starts_on=date(2026, 7, 6), capacity=2, seed=1)
    >>> order.places.groupby("wave")["need"].apply(sorted).tolist()  # one of each need in each wave
    [['x', 'y'], ['x', 'y']]
    """
    if people["rep_id"].duplicated().any() or capacity < 1 or weeks < LEAST_WEEKS:
        raise StatisticsError(
            "No order can be drawn", where="draw_order", found=f"capacity {capacity}, {weeks} weeks between waves",
            remedy=f"Name everybody once, a capacity of one or more, and {LEAST_WEEKS} weeks or more.",
        )  # fmt: skip
    sizes = people.groupby("team")["rep_id"].size()
    if len(people) < LEAST_PEOPLE or int(sizes.max()) <= capacity:
        raise NotEnoughDataError(
            "Chance has nothing to decide", where="draw_order",
            found=f"{len(people)} people, capacity {capacity} a team",
            remedy=f"Coach them all now; an order is drawn for {LEAST_PEOPLE} people or more than there is room for.",
        )  # fmt: skip
    draw = np.random.default_rng(seed)
    rows = people[["rep_id", "team", "need"]].astype("str")
    rows["tier"] = people.get("tier", 0)
    rows = rows.sort_values(["team", "need", "rep_id"], ignore_index=True)
    rows["lot"] = draw.permutation(len(rows))
    rows = rows.sort_values(["team", "need", "lot"], ignore_index=True)
    blocks = rows.groupby(["team", "need"], sort=True)["rep_id"]
    start = blocks.transform(lambda block: draw.uniform()).astype(float)
    rows["at"] = (blocks.cumcount() + start) / blocks.transform("size")
    rows = rows.sort_values(["team", "tier", "at", "need"], ignore_index=True)
    rows["wave"] = rows.groupby("team").cumcount() // capacity + 1
    places = rows.sort_values(["wave", "team", "rep_id"], ignore_index=True)[["rep_id", "team", "need", "wave"]]
    return Order(skill, kind, starts_on, weeks, seed, places)
