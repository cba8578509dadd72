"""From the target to what was won: number of deals, their mix, timing, win rate and size.

The target is read as a plan at usual rates: so many deals as would bring it, mixed, decided in time, won and sized as
in the quarters before. What there was instead is then split into the five differences (log-mean Divisia; Ang 2004,
:mod:`.attribution`), which add up to the gap to the cent. ``by_chance`` says how large each would be by luck alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.periods import Period
from spm_models.revenue_forecast.attribution import product_effects, whole
from spm_models.revenue_forecast.units import LEVELS, Units

Floats = npt.NDArray[np.float64]
FACTORS = ("volume", "mix", "timing", "conversion", "deal_size")
_PRIOR_DEALS = 20.0  # a unit's usual rates are drawn towards the company's as by so many deals
_SUMS = ["deals", "decided", "won", "revenue", "square"]
_DISPERSION = 1.3  # variance over mean of numbers of deals: they spread more than Poisson counts
_QUARTERS = 300  # drawn to say what luck alone does


@dataclass(frozen=True, eq=False)
class TargetBridge:
    """``table``: ``level, key, step, place, value, by_chance``; the target plus all steps is what stands last.

    ``factors``: one row a unit and factor, what the target ``needed`` and the ``actual``: ``volume`` (deals worked),
    ``timing`` (share of them decided in the period), ``conversion`` (win rate of the decided), ``deal_size``.
    """

    period: Period
    end: str
    table: pd.DataFrame
    factors: pd.DataFrame

    def summary(self) -> pd.DataFrame:
        """The company's steps in order."""
        return self.table[self.table["level"] == "company"].set_index("step")[["value", "by_chance"]]


def target_bridge(
    worked: pd.DataFrame, usual: pd.DataFrame, targets: pd.DataFrame, units: Units, period: Period, *,
    published: npt.NDArray[np.int64] | None = None, seed: int = 0,
) -> TargetBridge:  # fmt: skip
    """Explain the gap between target and revenue of every unit that has a target.

    Parameters
    ----------
    worked : DataFrame
        Deals worked in the period with what became of them, or what is expected
        (:func:`spm_models.revenue_forecast.worked.worked_deals`, ``expected_deals``).
    usual : DataFrame
        The same of past quarters: usual rates and mix.
    targets : DataFrame
        ``level, key, quota``: one target a unit.
    units : Units
    period : Period
    published : ndarray of int64, shape (leaves,), optional
        Published forecast in cents: what it holds beyond ``worked`` is the step ``model``, and the last step is called
        ``forecast``. Without it the last step is ``actual``.
    seed : int
        Of the quarters that are drawn to say what luck alone does.

    Notes
    -----
    Usual rates of small units are drawn towards the company's, so a factor of the plan is never zero where the
    company's is not. Luck: quarters are drawn as planned, with an over-dispersed Poisson number of deals, multinomial
    mix, binomial decisions and wins, and gamma amounts, and decomposed likewise; in 80 % of them the step is no larger
    than ``by_chance``. What the usual rates themselves are uncertain by comes on top.

    Examples
    --------
    >>> from datetime import date
    >>> from spm_models.periods import FiscalCalendar
    >>> units = Units.of(pd.DataFrame({"rep_id": ["a"]}), date(2026, 3, 31))
    >>> row = {"leaf": 0, "group": "all", "deals": 40.0, "decided": 20.0, "won": 10.0, "revenue": 100.0, "square": 1e3}
    >>> now = pd.DataFrame([{**row, "won": 5.0, "revenue": 50.0}])
    >>> target = pd.DataFrame({"level": ["company"], "key": [""], "quota": [100.0]})
    >>> found = target_bridge(now, pd.DataFrame([row]), target, units, FiscalCalendar().quarter(date(2026, 2, 1)))
    >>> found.summary()["value"].to_dict()
    {'target': 100.0, 'conversion': -50.0, 'actual': 50.0}
    """
    end = "actual" if published is None else "forecast"
    groups = sorted({*worked["group"], *usual["group"]})
    company = _usual_rates(_cube(usual, units, "company", groups)[0], None)
    tables, facts = [], []
    for level in LEVELS:
        mine = targets[(targets["level"] == level) & (targets["quota"] > 0)]
        keys, codes = units.keys(level)
        at = pd.Index(keys).get_indexer(pd.Index(mine["key"]))
        mine, at = mine[at >= 0], at[at >= 0]
        if not len(mine) or company is None:
            continue
        total = None if published is None else np.bincount(codes, published, minlength=len(keys))[at].astype(np.int64)
        plan = _usual_rates(_cube(usual, units, level, groups)[at], company)
        assert plan is not None
        rows, factors = _explained(
            plan, _cube(worked, units, level, groups)[at], mine["quota"].to_numpy(), total, end, seed
        )
        names: dict[str, object] = {"level": level, "key": mine["key"].to_numpy()}
        tables.append(_long(rows, names, end))
        facts.append(pd.concat([pd.DataFrame({**names, "factor": name, **both}) for name, both in factors.items()]))
    return TargetBridge(period, end, _table(tables), _facts(facts))


@dataclass(frozen=True)
class _Rates:
    """Usual rates of units: mix, timing, conversion and size of each group, shape (units, groups)."""

    mix: Floats
    timing: Floats
    conversion: Floats
    size: Floats
    spread: float  # standard deviation of won amounts over their mean, of the company

    @property
    def worth(self) -> Floats:
        """Revenue of one worked deal of each group."""
        return self.timing * self.conversion * self.size


def _cube(rows: pd.DataFrame, units: Units, level: str, groups: list[str]) -> Floats:
    """Sums of deals, decided, won, revenue, squares; shape (keys, groups, 5)."""
    keys, codes = units.keys(level)
    cell = codes[rows["leaf"].to_numpy(dtype=np.int64)] * len(groups) + pd.Index(groups).get_indexer(
        pd.Index(rows["group"])
    )
    size = len(keys) * len(groups)
    sums = [np.bincount(cell, rows[name].to_numpy(dtype=float), minlength=size) for name in _SUMS]
    return np.asarray(np.stack(sums, axis=-1).reshape(len(keys), len(groups), len(_SUMS)), dtype=float)


def _usual_rates(cube: Floats, company: _Rates | None) -> _Rates | None:
    """Rates drawn towards the company's; the company's own groups towards all of it. None where nothing was won."""
    cube = cube[None] if company is None else cube
    deals, decided, won, revenue, _ = np.moveaxis(cube, -1, 0)
    if company is None:
        total = cube.sum(axis=(0, 1))
        if total[2] <= 0 or total[3] <= 0:
            return None
        mean = total[3] / total[2]
        spread = float(np.sqrt(max(total[4] / total[2] - mean**2, 0.0)) / mean)
        prior = (deals / total[0], total[1] / total[0], total[2] / total[1], mean)
    else:
        prior, spread = (company.mix, company.timing, company.conversion, company.size), company.spread
    k = _PRIOR_DEALS
    mix = (deals + k * prior[0]) / (deals.sum(axis=1, keepdims=True) + k)
    return _Rates(
        mix / mix.sum(axis=1, keepdims=True), (decided + k * prior[1]) / (deals + k),
        (won + k * prior[2]) / (decided + k), (revenue + k * prior[3]) / (won + k), spread,
    )  # fmt: skip


def _explained(
    plan: _Rates,
    cube: Floats,
    target: Floats,
    published: npt.NDArray[np.int64] | None,
    end_name: str,
    seed: int,
) -> tuple[dict[str, tuple[Floats, Floats]], dict[str, dict[str, Floats]]]:
    sums = np.moveaxis(cube, -1, 0)[:4]
    needed = target / (plan.mix * plan.worth).sum(axis=1)
    before, after = _factors(plan, needed, sums)
    effects = product_effects(before.reshape(5, -1), after.reshape(5, -1)).reshape(before.shape).sum(axis=2)
    start, got = (np.rint(x * 100).astype(np.int64) for x in (target, sums[3].sum(axis=1)))
    steps = whole(effects * 100, got - start)
    luck = _luck(plan, needed, seed)
    nothing = np.zeros(len(target))
    rows = {"target": (start / 100, nothing)}
    rows |= {name: (steps[place] / 100, luck[place]) for place, name in enumerate(FACTORS)}
    end = got if published is None else published
    rows |= {"model": ((end - got) / 100, nothing), end_name: (end / 100, nothing)}
    return rows, _compared(plan, needed, list(sums))


def _compared(plan: _Rates, needed: Floats, real: list[Floats]) -> dict[str, dict[str, Floats]]:
    """What the target needed of each factor, all groups together, and what there was."""
    planned = [needed[:, None] * plan.mix]
    for rate in (plan.timing, plan.conversion, plan.size):
        planned.append(planned[-1] * rate)
    plan_sums, real_sums = ([x.sum(axis=1) for x in xs] for xs in (planned, real))
    factors = {"volume": {"needed": needed, "actual": real_sums[0]}}
    for place, name in enumerate(("timing", "conversion", "deal_size")):
        factors[name] = {
            side: _ratio(sums[place + 1], sums[place], np.full(len(needed), np.nan))
            for side, sums in (("needed", plan_sums), ("actual", real_sums))
        }
    return factors


def _luck(plan: _Rates, needed: Floats, seed: int) -> Floats:
    """Four fifths of the quarters that go as planned have steps no larger than this; shape (5, units)."""
    rng, shape = np.random.default_rng(seed), (_QUARTERS, *plan.mix.shape)
    pace = rng.standard_gamma(needed / (_DISPERSION - 1), (_QUARTERS, len(needed))) * (_DISPERSION - 1)
    deals = rng.multinomial(rng.poisson(pace), plan.mix)
    decided = rng.binomial(deals, np.minimum(plan.timing, 1.0))
    won = rng.binomial(decided, np.minimum(plan.conversion, 1.0))
    wild = max(plan.spread**2, 1e-6)
    revenue = rng.standard_gamma(won / wild) * wild * plan.size
    drawn = np.stack([deals, decided, won, revenue]).astype(float)
    before, after = _factors(plan, needed, drawn)
    effects = product_effects(before.reshape(5, -1), after.reshape(5, -1)).reshape(5, *shape).sum(axis=3)
    return np.asarray(np.quantile(np.abs(effects), 0.8, axis=1))


def _factors(plan: _Rates, needed: Floats, sums: Floats) -> tuple[Floats, Floats]:
    """The five factors of each group in the plan and as it was; shape (5, …, units, groups).

    A rate of what there was none of is as usual: its absence belongs to the factor that made it absent.
    """
    deals, decided, won, revenue = sums
    volume = np.broadcast_to(deals.sum(axis=-1, keepdims=True), deals.shape)
    wanted = [np.broadcast_to(needed[:, None], deals.shape), plan.mix, plan.timing, plan.conversion, plan.size]
    rates = [_ratio(deals, volume, plan.mix), _ratio(decided, deals, plan.timing),
             _ratio(won, decided, plan.conversion), _ratio(revenue, won, plan.size)]  # fmt: skip
    return np.stack([np.broadcast_to(part, deals.shape) for part in wanted]), np.stack([volume, *rates])


def _ratio(part: Floats, of: Floats, without: Floats) -> Floats:
    return np.asarray(np.divide(part, of, out=np.array(np.broadcast_to(without, part.shape)), where=of > 0))


def _long(rows: dict[str, tuple[Floats, Floats]], names: dict[str, object], end: str) -> pd.DataFrame:
    frames = [
        pd.DataFrame({**names, "step": step, "place": place, "value": value, "by_chance": luck})
        for place, (step, (value, luck)) in enumerate(rows.items())
    ]
    table = pd.concat(frames, ignore_index=True)
    return table[(table["value"] != 0) | table["step"].isin(["target", end])]


def _table(tables: list[pd.DataFrame]) -> pd.DataFrame:
    kinds = {"level": "str", "key": "str", "step": "str", "place": "int64", "value": "float64", "by_chance": "float64"}
    if not tables:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    table = pd.concat(tables, ignore_index=True).astype(kinds)
    table["by_chance"] = table["by_chance"].where(table["step"].isin(FACTORS))
    return table.sort_values(["level", "key", "place"], ignore_index=True)


def _facts(facts: list[pd.DataFrame]) -> pd.DataFrame:
    kinds = {"level": "str", "key": "str", "factor": "str", "needed": "float64", "actual": "float64"}
    if not facts:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    return pd.concat(facts).astype(kinds).sort_values(["level", "key", "factor"], ignore_index=True)
