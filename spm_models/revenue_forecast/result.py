"""The forecast of one period: draws of every leaf, and tables for every level that are sums of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import Period
from spm_models.revenue_forecast.quotas import quotas_of
from spm_models.revenue_forecast.simulation import DEAL_PARTS, Drawn
from spm_models.revenue_forecast.units import LEVELS, Units

if TYPE_CHECKING:
    from spm_models.revenue_forecast.inputs import ForecastInputs

Cents = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
#: Apart from what is closed, each is drawn.
PARTS = ("closed", *DEAL_PARTS, "not_yet_created")
TO_COME = PARTS[1:]
SIMULATION = "simulation"
#: Ends of the 95, 80 and 50 % ranges, and the middle.
QUANTILES = {"p025": 0.025, "p10": 0.1, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p90": 0.9, "p975": 0.975}


@dataclass(frozen=True, eq=False)
class RevenueForecast:
    """What a period will bring, at every level.

    Parameters
    ----------
    as_of : datetime.date
        Known is what was known at the end of this day.
    period : Period
    units : Units
        The leaves: people, and one for unknown owners.
    closed : ndarray of int64, shape (leaves,)
        Won in the period so far, in cents: certain.
    open, slipped, renewals, not_yet_created : ndarray of int64, shape (draws, leaves)
        Still to be won: from open deals; from open deals whose close date has passed, or was pushed here out of an
        earlier period; from contracts due for renewal that have no deal yet; from deals that do not exist yet.
    by : str
        ``simulation``, or the plain baseline whose totals these are.
    notes : tuple of str
        What a reader should know before he believes the rest.
    months : tuple of RevenueForecast
        The same draws month by month, adding up to this forecast in every draw; empty where the period is a month.
    slipping_out : ndarray of int64, shape (leaves,), optional
        Beside the total: expected amount, in cents, of deals due in the period that will be won only later.
    inputs : ForecastInputs, optional
        What the draws were made from; None for draws made otherwise.
    """

    as_of: date
    period: Period
    units: Units
    closed: Cents
    open: Cents
    slipped: Cents
    renewals: Cents
    not_yet_created: Cents
    by: str = SIMULATION
    notes: tuple[str, ...] = ()
    months: tuple[RevenueForecast, ...] = ()
    slipping_out: Cents | None = None
    inputs: ForecastInputs | None = field(default=None, repr=False)

    @classmethod
    def of(cls, inputs: ForecastInputs, drawn: Drawn, closed: Cents, by_month: Cents | None = None) -> RevenueForecast:
        """The forecast of a period, and of its months, from what was drawn.

        Parameters
        ----------
        inputs : ForecastInputs
        drawn : Drawn
        closed : ndarray, shape (leaves,)
        by_month : ndarray, shape (months, leaves), optional
        """
        arrays = [*drawn.deals, drawn.new]  # each (slots, draws, leaves)
        months: tuple[RevenueForecast, ...] = ()
        if inputs.months and by_month is not None:
            months = tuple(
                cls(inputs.as_of, month, inputs.units, by_month[place], *(array[place] for array in arrays))
                for place, month in enumerate(inputs.months)
            )
        whole = dict(zip(TO_COME, (array.sum(axis=0) for array in arrays), strict=True))
        return cls(inputs.as_of, inputs.period, inputs.units, closed, **whole, months=months, inputs=inputs)

    @cached_property
    def table(self) -> pd.DataFrame:
        """One row a level, key and part: ``mean, p10, p50, p90`` in the company's currency (table ``forecast``).

        Means are whole cents per rep and part, and sums of these above: they add up exactly over keys and parts.
        Quantiles do not add up, and are not meant to.
        """
        table = self._quantiles({"p10": 0.1, "p50": 0.5, "p90": 0.9})
        return table.sort_values(["period", "level", "key", "part"], ignore_index=True)

    @cached_property
    def quantile_table(self) -> pd.DataFrame:
        """The period and its months: one row a part of a unit (table ``forecast_quantiles``).

        Columns of :attr:`table`, ``quarter`` (the label of the whole) and :data:`QUANTILES`: the ends of the 50, 80
        and 95 % ranges. Means of months add up to those of the whole, to the cent; quantiles do not.

        Examples
        --------
        >>> from spm_models.periods import FiscalCalendar
        >>> day, april = date(2026, 3, 31), FiscalCalendar().parse("2026-04")
        >>> units, none = Units.of(pd.DataFrame({"rep_id": ["r1"]}), day), np.zeros((4, 2), dtype=np.int64)
        >>> won = np.array([[100, 0], [200, 0], [300, 0], [400, 0]])
        >>> forecast = RevenueForecast(day, april, units, none[0], won, none, none, none)
        >>> company = forecast.quantile_table.query("level == 'company' and part == 'total'")
        >>> company[["quarter", "period", "mean", "p10", "p50", "p90"]].values.tolist()
        [['2026-04', '2026-04', 2.5, 1.3, 2.5, 3.7]]
        """
        frames = [each._quantiles(QUANTILES) for each in (self, *self.months)]
        table = pd.concat(frames, ignore_index=True)
        table.insert(1, "quarter", self.period.label)
        return table.sort_values(["quarter", "period", "level", "key", "part"], ignore_index=True)

    def _quantiles(self, wanted: Mapping[str, float]) -> pd.DataFrame:
        """Mean and quantiles of each part and of the total of every unit."""
        rows = []
        means = self.means()
        for level in LEVELS:
            keys, kept, draws = self._sums(level)
            mean = np.stack([_by_key(part[None, :], *self.units.keys(level))[0, kept] for part in means])
            middle = np.concatenate([mean, mean.sum(axis=0, keepdims=True)])
            spread = np.rint(np.quantile(draws, list(wanted.values()), axis=1)) / 100  # (quantiles, parts, keys)
            for place, part in enumerate((*PARTS, "total")):
                ends = dict(zip(wanted, spread[:, place], strict=True))
                rows.append(
                    pd.DataFrame({"level": level, "key": keys, "part": part, "mean": middle[place] / 100, **ends})
                )
        table = pd.concat(rows, ignore_index=True)
        table.insert(0, "as_of", pd.Timestamp(self.as_of).as_unit("s"))
        table.insert(1, "period", self.period.label)
        table.insert(2, "period_start", pd.Timestamp(self.period.start).as_unit("s"))
        table.insert(3, "period_end", pd.Timestamp(self.period.end).as_unit("s"))
        return table

    @cached_property
    def draws(self) -> pd.DataFrame:
        """One row a level, key and draw (table ``forecast_draws``): the same draw of all keys belongs together."""
        frames = []
        for level in LEVELS:
            keys, _, sums = self._sums(level)
            parts, draws, n = sums.shape
            columns = sums.transpose(0, 2, 1).reshape(parts, n * draws) / 100
            frames.append(
                pd.DataFrame(
                    {"period": self.period.label, "level": level, "key": np.repeat(np.array(keys, dtype=object), draws),
                     "draw": np.tile(np.arange(draws), n),
                     **dict(zip((*PARTS, "total"), columns, strict=True))}
                )
            )  # fmt: skip
        everything = pd.concat(frames, ignore_index=True).astype({"key": "str", "level": "str", "period": "str"})
        return everything.sort_values(["period", "level", "key", "draw"], ignore_index=True, kind="stable")

    def summary(self) -> pd.DataFrame:
        """The company's parts and total: what a reader looks at first."""
        company = self.table[self.table.level == "company"].set_index("part")
        return company.loc[[*PARTS, "total"], ["mean", "p10", "p50", "p90"]]

    def quota_chances(self, quotas: pd.DataFrame | None) -> pd.DataFrame:
        """Probability that each unit reaches each quota tier (table ``quota_chances``).

        Parameters
        ----------
        quotas : DataFrame or None
            The ledger of quotas, in the company's currency; rows set after ``as_of`` are not seen.
        """
        wanted = quotas_of(quotas, self.units, self.period, self.as_of)
        frames = []
        for level in LEVELS:
            keys, _, sums = self._sums(level)
            mine = wanted[(wanted.level == level) & wanted.key.isin(keys)]
            at = pd.Index(keys).get_indexer(pd.Index(mine.key))
            target = np.ceil(np.round(mine.quota.to_numpy(dtype=float) * 100, 4))
            frames.append(
                mine.assign(closed=sums[0, 0, at] / 100, probability=(sums[-1][:, at] >= target[None, :]).mean(axis=0))
            )
        chances = pd.concat(frames, ignore_index=True)
        chances.insert(0, "period", self.period.label)
        return chances.sort_values(["period", "level", "key", "tier"], ignore_index=True)

    def company_total(self) -> Floats:
        """Draws of the company's total, in the company's currency."""
        return np.asarray((self.closed.sum() + sum(part.sum(axis=1) for part in self._to_come)) / 100)

    def with_draws(self, keep: npt.NDArray[np.int64], note: str = "") -> RevenueForecast:
        """The same forecast from chosen draws (some several times), whole draws at a time."""
        inputs = self.inputs
        if inputs is not None:
            chosen = keep if inputs.keep is None else inputs.keep[keep]
            inputs = replace(inputs, keep=chosen, scale=None if inputs.scale is None else inputs.scale[keep])
        return replace(self._changed(lambda part: part[keep], note), inputs=inputs)

    def scaled(self, scale: Floats) -> RevenueForecast:
        """All that is still to be won multiplied, draw by draw, in whole cents."""
        inputs = self.inputs
        if inputs is not None:
            inputs = replace(inputs, scale=scale if inputs.scale is None else inputs.scale * scale)
        found = self._changed(lambda part: np.rint(part * scale[:, None]).astype(np.int64))
        return replace(found, inputs=inputs)

    def rescaled(self, totals: Floats, by: str, note: str) -> RevenueForecast:
        """Other totals of the company, shared out to reps and parts as in the draws of this forecast.

        The smallest total goes to the draw with the smallest total, and so on; closed business stays as it is.
        Draws in which nothing more was won are shared out like the mean of all.
        """
        left = np.maximum(np.sort(totals) * 100 - float(self.closed.sum()), 0.0)
        mine = np.asarray(sum(part.sum(axis=1) for part in self._to_come), dtype=float)
        wanted = np.empty_like(left)
        wanted[np.argsort(mine, kind="stable")] = left
        mean, nothing = mine.mean(), mine == 0
        filled = self
        if mean == 0:  # nothing is known about who: the last leaf belongs to nobody
            filled = self._changed(lambda part: part, nobody=1)
            mine = np.ones_like(mine)
        elif nothing.any():
            filled = self._changed(lambda part: np.where(nothing[:, None], part.mean(axis=0), part.astype(float)))
            mine = np.where(nothing, mean, mine)
        return replace(filled.scaled(wanted / mine), by=by, notes=(*self.notes, note) if note else self.notes)

    def means(self) -> list[Cents]:
        """Whole cents per part and leaf; of a period with months the sum of theirs."""
        if self.months:
            return [np.sum(same, axis=0) for same in zip(*(month.means() for month in self.months), strict=True)]
        return [self.closed, *(np.rint(part.mean(axis=0)).astype(np.int64) for part in self._to_come)]

    @property
    def _to_come(self) -> list[Cents]:
        return [getattr(self, name) for name in TO_COME]

    def _changed(self, change: Callable[[Cents], Cents], note: str = "", nobody: int = 0) -> RevenueForecast:
        """Each part changed; where there are months they are, and the whole is their sum."""
        months = tuple(month._changed(change, nobody=nobody * (not place)) for place, month in enumerate(self.months))
        if months:
            parts = {name: sum(getattr(month, name) for month in months) for name in TO_COME}
        else:
            parts = {name: change(part) for name, part in zip(TO_COME, self._to_come, strict=True)}
            if nobody:
                parts["not_yet_created"] = parts["not_yet_created"].copy()
                parts["not_yet_created"][:, -1] += nobody
        notes = (*self.notes, note) if note else self.notes
        return replace(self, **parts, months=months, notes=notes)

    def _sums(self, level: str) -> tuple[list[str], npt.NDArray[np.int64], Cents]:
        """Keys of a level that matter, their places, and draws of all parts and the total in cents."""
        keys, codes = self.units.keys(level)
        parts = [_by_key(part, keys, codes) for part in self._to_come]
        closed = np.broadcast_to(_by_key(self.closed[None, :], keys, codes), parts[0].shape)
        any_leaf = self.units.table.sells.to_numpy() | (self.closed != 0)
        for part in self._to_come:
            any_leaf |= part.any(axis=0)
        matter = np.bincount(codes, any_leaf, minlength=len(keys)) > 0
        kept = np.flatnonzero(matter if level != "company" else np.ones(1))
        stacked = np.stack([closed, *parts, closed + sum(parts)])[:, :, kept]
        return [keys[place] for place in kept], kept, stacked


def _by_key(values: Cents, keys: list[str], codes: npt.NDArray[np.int64]) -> Cents:
    """Sums over the leaves of each key; exact, because they are whole numbers."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(keys)))
    return np.asarray(np.add.reduceat(values[:, order], starts, axis=1), dtype=np.int64)
