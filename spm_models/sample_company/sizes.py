"""How big a company is: seats (places in the organisation), teams, regions, and the weeks that are simulated."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from spm_models.errors import SpmError
from spm_models.sample_company.draws import Ints

SEATS = {"tiny": 3, "small": 12, "usual": 40, "large": 400}
TEAM = 8  #: seats of a team, about
DEALS_PER_SEAT_AND_MONTH = 4.25  #: measured; used only to turn a wished number of opportunities into seats
REGIONS = ("Marmara", "İç Anadolu", "Ege", "Akdeniz", "Karadeniz", "Güneydoğu", "Doğu Anadolu")
_TEAMS = ("İstanbul Avrupa", "Ankara", "İzmir", "İstanbul Anadolu", "Adana", "Samsun", "Diyarbakır", "Erzurum")
_TEAM_REGIONS = (0, 1, 2, 0, 3, 4, 5, 6)


class SampleError(SpmError):
    """A company that cannot be simulated as asked."""

    code = "sample_company"


@dataclass(frozen=True)
class Layout:
    """Seats and teams of a company; the same for every way of cutting it into chunks."""

    team_of_seat: Ints  #: team of each seat
    team_names: tuple[str, ...]
    team_regions: tuple[str, ...]
    inside: tuple[bool, ...]  #: teams that sell on the telephone

    @property
    def seats(self) -> int:
        """Number of seats."""
        return len(self.team_of_seat)

    @property
    def teams(self) -> int:
        """Number of teams."""
        return len(self.team_names)

    def seats_of(self, first_team: int, last_team: int) -> tuple[int, int]:
        """Seats (from, to) of the teams from ``first_team`` up to, not including, ``last_team``."""
        low, high = np.searchsorted(self.team_of_seat, [first_team, last_team])
        return int(low), int(high)


def seats_for(size: str | None, opportunities: int | None, months: int) -> int:
    """Number of seats of a named size, or of a company with about so many opportunities."""
    if opportunities is not None:
        return max(3, round(opportunities / (DEALS_PER_SEAT_AND_MONTH * months)))
    if size not in SEATS:
        raise SampleError(
            "No such size of company", found=size, remedy=f"Use one of {', '.join(SEATS)}, or opportunities=N."
        )
    return SEATS[size]


def layout(seats: int) -> Layout:
    """Teams of about eight seats; the last of every five (of two in a small company) sells on the telephone.

    Examples
    --------
    >>> layout(40).team_names
    ('İstanbul Avrupa', 'Ankara', 'İzmir', 'İstanbul Anadolu', 'Müşteri Merkezi')
    """
    teams = max(2, round(seats / TEAM)) if seats < 24 else max(3, round(seats / TEAM))
    team_of_seat = np.sort(np.arange(seats) % teams)
    inside = tuple(i % 5 == 4 or (teams < 5 and i == teams - 1) for i in range(teams))
    names, regions, field = [], [], 0
    for i in range(teams):
        number = "" if teams <= 8 else f" {i // 5 + 1}"
        if inside[i]:
            names.append("Müşteri Merkezi" + number)
            regions.append(REGIONS[0])
        else:
            k, turn = field % len(_TEAMS), field // len(_TEAMS)
            names.append(_TEAMS[k] + (f" {turn + 1}" if teams > 10 else ""))
            regions.append(REGIONS[_TEAM_REGIONS[k]])
            field += 1
    return Layout(team_of_seat.astype(np.int64), tuple(names), tuple(regions), inside)


def past_weeks(last_day: date, months: int) -> int:
    """Whole weeks in the ``months`` that end on ``last_day``."""
    if months < 3:
        raise SampleError("A company needs at least three months", found=months, remedy="Give months=3 or more.")
    index = last_day.year * 12 + last_day.month - 1 - months + 1
    first = date(index // 12, index % 12 + 1, 1)
    return ((last_day - first).days + 1) // 7
