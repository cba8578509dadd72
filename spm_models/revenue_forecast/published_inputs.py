"""What a forecast was made from as published tables, and back: a page answers what-ifs without any model.

What others won stays theirs: amounts stand with the deals and people of the reader's scope only. What concerns no one
are shapes: amounts over their mean, as means of equal shares of at least five. Months are not kept apart, and a blend
of the published draws is not repeated: :meth:`.what_if.WhatIf.beside` brings the change to the published figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError
from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast.inputs import SLIPS, ForecastInputs
from spm_models.revenue_forecast.shocks import Shocks
from spm_models.revenue_forecast.units import UNASSIGNED, Units

Floats = npt.NDArray[np.float64]
_POOL = 200
_LEVELS = ["region", "team", "manager", "rep"]
_SHOCKS = ("open", "new", "worth_open", "worth_new")
#: Chance to be won in the period when all closes come so many days earlier or later, in the order of SLIPS.
CHANCES = [f"chance_{'early' if days < 0 else 'late'}_{abs(days)}" if days else "chance" for days in SLIPS]


def published_inputs(inputs: ForecastInputs) -> dict[str, pd.DataFrame]:
    """The tables ``forecast_inputs``, ``forecast_input_people`` and ``forecast_input_values`` of one period."""
    deals = inputs.deals
    kept = ["opportunity_id", "rep_id", "part", "win_probability", "base", "pool", "worth"]
    by_slip = inputs.chances.sum(axis=2)
    table = deals[kept].assign(period=inputs.period.label, **dict(zip(CHANCES, by_slip.T, strict=True)))
    means = np.array([pool.mean() for pool in inputs.pools])
    table["base"] = deals["base"].to_numpy(dtype=float) * means[deals["pool"].to_numpy(dtype=np.int64)]
    people = inputs.units.table[["rep_id", *_LEVELS]].assign(
        period=inputs.period.label, closed=inputs.closed / 100,
        **{name: inputs.leaves[name].to_numpy() for name in ("mean", "shape")},
        worth=inputs.leaves["factor"].to_numpy(dtype=float) * inputs.new_pool.mean(),
    )  # fmt: skip
    values: dict[str, Floats | list[float]] = {
        **{f"pool_{n}": _shape_of(pool) for n, pool in enumerate(inputs.pools)}, "new_pool": _shape_of(inputs.new_pool),
        "new_shares": inputs.new_shares.sum(axis=1), "hire": [inputs.hire_mean, inputs.hire_shape],
        "shocks": [getattr(inputs.shocks, name) for name in _SHOCKS], "quarters": [inputs.shocks.quarters],
        "dispersion": [inputs.dispersion], "share_in_time": [inputs.share_in_time],
        "draws": [inputs.draws], "seed": [inputs.seed], "as_of": [inputs.as_of.toordinal()],
    }  # fmt: skip
    rows = [
        pd.DataFrame({"period": inputs.period.label, "name": name, "place": range(len(array)), "value": array})
        for name, array in values.items()
    ]
    return {
        "forecast_inputs": table, "forecast_input_people": people,
        "forecast_input_values": pd.concat(rows, ignore_index=True),
    }  # fmt: skip


def read_inputs(
    tables: Mapping[str, pd.DataFrame], period: str, calendar: FiscalCalendar | None = None
) -> ForecastInputs:
    """What a forecast was made from, as far as the reader may see it.

    Parameters
    ----------
    tables : mapping
        Published results (:class:`spm_models.published.Results`).
    period : str
        Label of a forecast period.
    calendar : FiscalCalendar, optional
        Of the company; calendar quarters without it.

    Raises
    ------
    ModelError
        When the period was not forecast by the simulation.
    """
    deals, people, rows = (
        tables[name] for name in ("forecast_inputs", "forecast_input_people", "forecast_input_values")
    )
    rows = rows[rows["period"] == period].sort_values(["name", "place"])
    if rows.empty:
        raise ModelError(
            "Nothing is known of how this period was forecast", where="what if", found=period,
            remedy="Choose one of the forecast periods, or run `spm run weekly` again.",
        )  # fmt: skip
    value = {str(name): group.to_numpy(dtype=float) for name, group in rows.groupby("name")["value"]}
    people = _with_nobody(people[people["period"] == period])
    since = pd.Series(pd.NaT, people.index, dtype="datetime64[s]")
    usual = _usual_worth(people)
    people = people.assign(factor=people["worth"] / usual)
    units = Units(people[["rep_id", *_LEVELS]].assign(sells=people["mean"] > 0, since=since))
    deals = deals[deals["period"] == period].assign(contract=deals["part"] == "renewals")
    deals = deals.sort_values(["contract", "opportunity_id"], ignore_index=True)  # as they were drawn
    deals = deals.assign(leaf=units.leaf(deals["rep_id"]))
    shocks = dict(zip(_SHOCKS, value["shocks"].tolist(), strict=True))
    pools = [value[f"pool_{n}"] for n in range(sum(name.startswith("pool_") for name in value))]
    return ForecastInputs(
        as_of=date.fromordinal(int(value["as_of"][0])), period=(calendar or FiscalCalendar()).parse(period),
        units=units, closed=np.rint(people["closed"].to_numpy() * 100).astype(np.int64), months=(), deals=deals,
        chances=deals[CHANCES].to_numpy(dtype=float)[:, :, None], leaves=people[["rep_id", "mean", "shape", "factor"]],
        new_shares=value["new_shares"][:, None], hire_mean=float(value["hire"][0]), hire_shape=float(value["hire"][1]),
        pools=pools, new_pool=value["new_pool"] * usual, shocks=Shocks(quarters=int(value["quarters"][0]), **shocks),
        dispersion=float(value["dispersion"][0]), share_in_time=float(value["share_in_time"][0]),
        draws=int(value["draws"][0]), seed=int(value["seed"][0]),
    )  # fmt: skip


def _usual_worth(people: pd.DataFrame) -> float:
    """Mean amount of new deals of these people: what the deals of a new colleague are worth."""
    mean, worth = people["mean"].to_numpy(dtype=float), people["worth"].to_numpy(dtype=float)
    if mean.sum() > 0 and mean @ worth > 0:
        return float(mean @ worth / mean.sum())
    return float(worth.max(initial=0.0)) or 1.0


def _with_nobody(people: pd.DataFrame) -> pd.DataFrame:
    """Everyone by id, and a last row for owners without a name, also where the reader may not see theirs."""
    named = people[people["rep_id"].notna() & (people["rep_id"] != "")].sort_values("rep_id")
    nobody = people[people["rep_id"].isna() | (people["rep_id"] == "")].head(1)
    if nobody.empty:
        blank = {**dict.fromkeys(_LEVELS, UNASSIGNED), "mean": 0.0, "shape": 1.0, "worth": _usual_worth(named),
                 "closed": 0.0}  # fmt: skip
        nobody = pd.DataFrame([blank])
    return pd.concat([named, nobody.assign(rep_id="")], ignore_index=True).astype({"rep_id": "str"})


def _shape_of(pool: Floats) -> Floats:
    """Means of equal shares of the sorted values, over the mean of all: no amount, and no single value of many."""
    if pool.size <= 1 or pool.mean() <= 0:
        return np.ones(1)
    edges = np.linspace(0, pool.size, min(_POOL, max(pool.size // 5, 1)) + 1)
    sums = np.interp(edges, np.arange(pool.size + 1), np.concatenate([[0.0], np.cumsum(np.sort(pool))]))
    return np.asarray(np.diff(sums) / np.diff(edges) / pool.mean(), dtype=float)
