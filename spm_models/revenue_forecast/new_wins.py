"""Wins to be expected of deals not yet created, as the simulation takes them: apart from how they are learned.

Drawing needs NumPy only, so that a page can draw again; learning (:mod:`.arrivals`) needs more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class NewWins:
    """Expected wins per leaf among deals not yet created, the shape of the gamma around it, and excess of counts.

    ``deviation`` is that of the log factor that all leaves have in common: how far the pace to come and the way to a
    win are not known.
    """

    mean: Floats
    shape: Floats
    dispersion: float
    share_in_time: float  # of the deals created in the time left, won before its end
    slots: Floats | None = None  # share of each month of the period in the wins of each leaf, (leaves, slots)
    deviation: float = 0.0

    @property
    def slot_share(self) -> Floats:
        """Shares with a column for each slot."""
        return np.ones((len(self.mean), 1)) if self.slots is None else self.slots
