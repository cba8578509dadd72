"""What the period would bring if win rates, timing, new business, people or prices were otherwise. NumPy only.

The deals and the random numbers stay the same, so that before and after differ by the change and not by chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError
from spm_models.revenue_forecast.inputs import Changes, ForecastInputs
from spm_models.revenue_forecast.result import PARTS, RevenueForecast
from spm_models.revenue_forecast.units import LEVELS, Units

Floats = npt.NDArray[np.float64]
_MEASURES = ("mean", "p10", "p50", "p90")
_ROWS = (*PARTS, "total")
#: Inputs of units, and their draws without a change, as long as the inputs live: a page asks many times.
_KEPT: WeakKeyDictionary[ForecastInputs, dict[tuple[str, str, int], tuple[ForecastInputs, Floats]]] = (
    WeakKeyDictionary()
)


@dataclass(frozen=True, eq=False)
class WhatIf:
    """The period of one unit before and after a change, by part.

    ``before``, ``after`` and ``difference`` have one row a part (closed, open, slipped, renewals, not_yet_created,
    total) and the columns ``mean, p10, p50, p90`` in the company's currency. The range of the difference is that of
    the same draws with and without the change.
    """

    level: str
    key: str
    changes: Changes
    before: pd.DataFrame
    after: pd.DataFrame
    difference: pd.DataFrame

    def beside(self, published: pd.DataFrame) -> pd.DataFrame:
        """The change applied to the published figures of the unit.

        Published draws may have been weighted by other forecasts; each figure changes as its part of the draws does.

        Parameters
        ----------
        published : DataFrame
            Rows of the published table ``forecast`` of this unit and period: ``part, mean, p10, p50, p90``.

        Returns
        -------
        DataFrame
            Like ``after``; the mean of the total is the sum of the parts.
        """
        now = published.set_index("part")[list(_MEASURES)].reindex(_ROWS).fillna(0.0)
        ratio = np.divide(self.after, self.before, out=np.ones(self.after.shape), where=(self.before > 0).to_numpy())
        changed = now * ratio + self.difference.where(self.before <= 0, 0.0)
        changed.loc["total", "mean"] = changed["mean"].drop("total").sum()
        return changed


def what_if(
    inputs: ForecastInputs, *, win_rate: float = 1.0, slip_days: float = 0.0, new_business: float = 1.0,
    hires: float = 0.0, price: float = 1.0, level: str = "company", key: str = "", draws: int | None = None,
) -> WhatIf:  # fmt: skip
    """Draw a period again under other assumptions.

    Parameters
    ----------
    inputs : ForecastInputs
        Of a forecast (``forecast.inputs``), or of published tables (:func:`.published_inputs.read_inputs`).
    win_rate, new_business, price : float
        Factors on the chance of each deal, the number of deals not yet created, and amounts still to be won.
    slip_days : float
        Days by which all closes come later; negative: sooner.
    hires : float
        New colleagues of the unit who start on the next day and ramp up as others did.
    level, key : str
        The unit; the company without them. Renewals, slips and shocks are those of the unit's own deals.
    draws : int, optional
        Only so many draws: quicker.

    Returns
    -------
    WhatIf

    Raises
    ------
    ModelError
        For a negative factor, a slip that is not known, or a unit that does not exist.
    """
    changes = Changes(win_rate, slip_days, new_business, hires, price)
    size = inputs.draws if draws is None else min(draws, inputs.draws)
    kept = _KEPT.setdefault(inputs, {})
    if (level, key, size) not in kept:
        mine = unit_inputs(inputs, level, key)
        kept[level, key, size] = mine, _parts(mine.draw(draws=size))
    mine, before = kept[level, key, size]
    after = _parts(mine.draw(changes, draws=size))
    before = before[:, : after.shape[1]]
    return WhatIf(level, key, changes, _figures(before), _figures(after), _figures(after - before))


def unit_inputs(inputs: ForecastInputs, level: str, key: str) -> ForecastInputs:
    """The deals and people of one unit alone, and a last leaf for people without a name.

    Raises
    ------
    ModelError
        When there is no such unit.
    """
    if (level, key) == ("company", ""):
        return inputs
    keys, codes = inputs.units.keys(level) if level in LEVELS else ([], np.zeros(0, dtype=np.int64))
    if key not in keys:
        raise ModelError(
            "There is no such unit", where="what if", found=f"{level} {key}".strip(),
            remedy=f"Levels are {', '.join(LEVELS)}; keys are those of the forecast.",
        )  # fmt: skip
    mine = codes == keys.index(key)
    chosen = np.flatnonzero(mine)
    nobody = len(inputs.units) - 1
    if chosen[-1] != nobody:
        chosen = np.append(chosen, nobody)
    place = np.full(len(inputs.units), -1)
    place[chosen] = np.arange(len(chosen))
    deals = inputs.deals[mine[inputs.deals["leaf"].to_numpy(dtype=np.int64)]]
    rows = inputs.deals.index.get_indexer(deals.index)
    leaves = inputs.leaves.iloc[chosen].reset_index(drop=True)
    closed = inputs.closed[chosen].copy()
    months = None if inputs.closed_by_month is None else inputs.closed_by_month[:, chosen].copy()
    if not mine[nobody]:
        leaves.loc[len(leaves) - 1, "mean"] = 0.0
        closed[-1] = 0
        if months is not None:
            months[:, -1] = 0
    return replace(
        inputs, units=Units(inputs.units.table.iloc[chosen].reset_index(drop=True)), closed=closed, leaves=leaves,
        deals=deals.assign(leaf=place[deals["leaf"].to_numpy(dtype=np.int64)]).reset_index(drop=True),
        chances=inputs.chances[rows], closed_by_month=months,
    )  # fmt: skip


def _parts(forecast: RevenueForecast) -> Floats:
    """Draws of each part and of the total, shape (parts + 1, draws)."""
    drawn = [getattr(forecast, name).sum(axis=1) for name in PARTS[1:]]
    closed = np.full(len(drawn[0]), forecast.closed.sum())
    return np.asarray(np.stack([closed, *drawn, closed + sum(drawn)]) / 100, dtype=float)


def _figures(parts: Floats) -> pd.DataFrame:
    spread = np.quantile(parts, [0.1, 0.5, 0.9], axis=1)
    figures = np.column_stack([parts.mean(axis=1), *spread])
    return pd.DataFrame(figures, index=pd.Index(_ROWS, name="part"), columns=list(_MEASURES))
