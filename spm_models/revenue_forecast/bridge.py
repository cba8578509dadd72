"""From last week's forecast to this week's: what closed, what changed in the deals, what is new, what time took.

Every deal's expected revenue in the period (chance to be won in it times expected amount) is compared between the two
days, and its change is shared out to win probability, timing and amount. What is not explained deal by deal (chance in
the draws, blending) is one step of its own, ``model``, so that the steps add up to the cent at every level.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError
from spm_models.periods import Period
from spm_models.revenue_forecast.attribution import Cents, shapley, whole
from spm_models.revenue_forecast.levels import cents, sums_by_level
from spm_models.revenue_forecast.result import PARTS, RevenueForecast
from spm_models.revenue_forecast.units import Units

Floats = npt.NDArray[np.float64]
#: In the order in which they are told. ``won``: brought more (or less) than was expected of it; ``new_won``: created
#: and won since; ``slipped``, ``pulled_in``: its close date was moved; ``time``: less time left; ``won_elsewhere``:
#: won in another period; ``closed_changed``: a deal won before was edited; ``owner_change``: none for the company.
STEPS = (
    "before", "won", "new_won", "lost", "slipped", "pulled_in", "chance", "time", "amount", "new_deals", "reopened",
    "deleted", "won_elsewhere", "closed_changed", "not_yet_created", "renewals", "owner_change", "model", "after",
)  # fmt: skip
_DEALS = ["leaf", "chance", "win_probability", "worth", "expected_close_on"]


@dataclass(frozen=True, eq=False)
class Expectation:
    """A forecast as the sum of what is expected of each deal, on one day.

    Parameters
    ----------
    as_of : datetime.date
    deals : DataFrame
        Open deals: ``opportunity_id, leaf, chance`` (to be won in the period), ``win_probability`` (ever), ``worth``
        (expected amount if won), ``expected_close_on``.
    won : DataFrame
        Deals won in the period by then: ``opportunity_id, leaf, amount``.
    not_yet_created, renewals, total : ndarray of int64, shape (leaves,)
        Means of the published forecast in cents.
    """

    as_of: date
    deals: pd.DataFrame
    won: pd.DataFrame
    not_yet_created: Cents
    renewals: Cents
    total: Cents

    @classmethod
    def of(cls, forecast: RevenueForecast, outcomes: pd.DataFrame) -> Expectation:
        """The deals behind a forecast.

        Parameters
        ----------
        forecast : RevenueForecast
            As it is published, with the inputs of its simulation.
        outcomes : DataFrame
            Deals closed by ``forecast.as_of``, or later.

        Raises
        ------
        ModelError
            When the forecast does not know what it was made from.
        """
        if forecast.inputs is None:
            raise ModelError(
                "This forecast does not know its deals", where="Expectation.of",
                remedy="Take one that RevenueForecaster.predict gave.",
            )  # fmt: skip
        period, known = forecast.period, min(pd.Timestamp(forecast.as_of), pd.Timestamp(forecast.period.end))
        won = outcomes[outcomes["won"] & outcomes["closed_on"].between(pd.Timestamp(period.start), known)]
        leaf = forecast.units.leaf(won["rep_id"])
        deals = forecast.inputs.deals
        means = dict(zip(PARTS, forecast.means(), strict=True))
        return cls(
            forecast.as_of, deals.loc[deals["part"] != "renewals", ["opportunity_id", *_DEALS]],
            won[["opportunity_id", "amount"]].assign(leaf=leaf), means["not_yet_created"], means["renewals"],
            np.sum(list(means.values()), axis=0),
        )  # fmt: skip

    @property
    def expected(self) -> Cents:
        """Expected revenue of each open deal in cents."""
        product = self.deals["chance"].to_numpy(dtype=float) * self.deals["worth"].to_numpy(dtype=float)
        return np.asarray(np.rint(product * 100), dtype=np.int64)

    @property
    def unexplained(self) -> Cents:
        """What the published mean holds beyond the sum over deals, by leaf."""
        size = len(self.total)
        deals = _by_leaf(self.deals["leaf"], self.expected, size)
        return self.total - deals - _by_leaf(self.won["leaf"], cents(self.won["amount"]), size) - (
            self.not_yet_created + self.renewals
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class ForecastBridge:
    """``table``: ``level, key, step, place, value``; ``before`` plus all steps is ``after``, to the cent.

    ``deals``: one row a deal and step: ``opportunity_id, rep_id, step, value, before, after`` (expected revenue).
    """

    period: Period
    from_on: date
    to_on: date
    table: pd.DataFrame
    deals: pd.DataFrame

    def summary(self) -> pd.Series:
        """The company's steps in order."""
        company = self.table[self.table["level"] == "company"].set_index("step")["value"]
        return company.loc[[step for step in STEPS if step in company.index]]

    def movers(self, n: int = 10) -> pd.DataFrame:
        """The deals that changed the forecast most, each with the step that did most of it."""
        by_size = self.deals.assign(size=self.deals["value"].abs()).sort_values(
            ["size", "opportunity_id", "step"], ascending=[False, True, True], kind="stable"
        )
        main = by_size.drop_duplicates("opportunity_id").drop(columns="size")
        change = self.deals.groupby("opportunity_id")["value"].sum().round(2)
        main = main.assign(value=main["opportunity_id"].map(change))
        return main.loc[main["value"].abs().sort_values(ascending=False, kind="stable").index[:n]]


def forecast_bridge(
    before: Expectation, after: Expectation, outcomes: pd.DataFrame, units: Units, period: Period
) -> ForecastBridge:
    """What led from one forecast of a period to the next.

    Parameters
    ----------
    before, after : Expectation
        Of the same period, with leaves of the same ``units``.
    outcomes : DataFrame
        Deals closed by the later day: which open deals were lost, and won outside of the period.
    units : Units
    period : Period

    Examples
    --------
    >>> units = Units.of(pd.DataFrame({"rep_id": ["a"]}), date(2026, 3, 1))
    >>> due = pd.Timestamp("2026-03-20")
    >>> deal = {"opportunity_id": "o1", "leaf": 0, "win_probability": 0.4, "expected_close_on": due}
    >>> then = pd.DataFrame([{**deal, "chance": 0.2, "worth": 100.0}])
    >>> now = pd.DataFrame([{**deal, "chance": 0.2, "worth": 150.0}])
    >>> none, zero = pd.DataFrame({"opportunity_id": [], "leaf": [], "amount": []}), np.zeros(2, dtype=np.int64)
    >>> sides = [Expectation(date(2026, 3, d), x, none, zero, zero, np.array([t, 0])) for d, x, t in
    ...          ((1, then, 2000), (8, now, 3050))]
    >>> closed = pd.DataFrame({"opportunity_id": [], "won": []})
    >>> from spm_models.periods import FiscalCalendar
    >>> forecast_bridge(*sides, closed, units, FiscalCalendar().quarter(date(2026, 3, 1))).summary().to_dict()
    {'before': 20.0, 'amount': 10.0, 'model': 0.5, 'after': 30.5}
    """
    deals = _paired(before, after, outcomes, len(units) - 1)
    rows = _deal_rows(deals)
    leaves = np.arange(len(units))
    edges = {
        "before": before.total, "not_yet_created": after.not_yet_created - before.not_yet_created,
        "renewals": after.renewals - before.renewals, "model": after.unexplained - before.unexplained,
        "after": after.total,
    }  # fmt: skip
    units_rows = [
        pd.DataFrame({"leaf": leaves, "other": -1, "step": step, "cents": value}) for step, value in edges.items()
    ]
    everything = pd.concat([rows[["leaf", "other", "step", "cents"]], *units_rows], ignore_index=True)
    table = sums_by_level(everything, units, ["step"], ["cents"])
    alive = table.groupby(["level", "key"])["cents"].transform(lambda values: (values != 0).any())
    edge = table["step"].isin(["before", "after"])
    table = table[((table["cents"] != 0) | edge) & (alive | (table["level"] == "company"))]
    place = table["step"].map({step: place for place, step in enumerate(STEPS)}).astype("int64")
    table = table.assign(value=table["cents"] / 100, place=place)[["level", "key", "step", "place", "value"]]
    table = table.sort_values(["level", "key", "place"], ignore_index=True)
    return ForecastBridge(period, before.as_of, after.as_of, table, _deal_table(rows, units))


def _by_leaf(leaf: pd.Series, value: Cents, size: int) -> Cents:
    sums = np.zeros(size, dtype=np.int64)
    np.add.at(sums, leaf.to_numpy(dtype=np.int64), value)
    return sums


def _paired(before: Expectation, after: Expectation, outcomes: pd.DataFrame, nobody: int) -> pd.DataFrame:
    """One row a deal: what was expected of it, or what it brought, on both days."""
    sides = []
    for name, side in (("_0", before), ("_1", after)):
        still = side.deals.set_index("opportunity_id")[_DEALS].assign(value=side.expected, state="open")
        won = side.won.set_index("opportunity_id")
        won = pd.DataFrame({"leaf": won["leaf"], "value": cents(won["amount"]), "state": "won"}, index=won.index)
        won = won[~won.index.isin(still.index)]
        sides.append(pd.concat([still, won]).add_suffix(name))
    deals = sides[0].join(sides[1], how="outer").sort_index()
    ended = outcomes.set_index("opportunity_id")["won"]
    fate = np.where(deals.index.isin(ended.index[ended.astype(bool)]), "won", "lost")
    deals["fate"] = np.where(deals.index.isin(ended.index), fate, "gone")
    for day in ("_0", "_1"):
        deals[f"value{day}"] = deals[f"value{day}"].fillna(0).astype("int64")
        deals[f"state{day}"] = deals[f"state{day}"].fillna("")
    leaf_1 = deals["leaf_1"].fillna(deals["leaf_0"]).fillna(nobody).astype("int64")
    return deals.assign(leaf_1=leaf_1, leaf_0=deals["leaf_0"].fillna(leaf_1).astype("int64"))


def _deal_rows(deals: pd.DataFrame) -> pd.DataFrame:
    """One row a deal and step, in cents; only what is not zero."""
    was, now, fate = deals["state_0"], deals["state_1"], deals["fate"]
    change = (deals["value_1"] - deals["value_0"]).to_numpy()
    simple = [
        ("won", (was == "open") & (now == "won")), ("new_won", (was == "") & (now == "won")),
        ("lost", (was == "open") & (now == "") & (fate == "lost")),
        ("won_elsewhere", (was == "open") & (now == "") & (fate == "won")),
        ("deleted", (was == "open") & (now == "") & (fate == "gone")),
        ("new_deals", (was == "") & (now == "open")), ("reopened", (was == "won") & (now == "open")),
        ("closed_changed", (was == "won") & (now != "open")),
    ]  # fmt: skip
    frames = [_rows(deals, mask.to_numpy(), step, change) for step, mask in simple]
    both = ((was == "open") & (now == "open")).to_numpy()
    frames += _changes(deals[both], change[both])
    moved = (deals["leaf_0"] != deals["leaf_1"]).to_numpy() & (deals["value_0"] != 0).to_numpy()
    value = deals["value_0"].to_numpy()
    taken = _rows(deals, moved, "owner_change", value)
    given = _rows(deals, moved, "owner_change", -value)
    taken["other"], given["other"] = given["leaf_0"], given["leaf_1"]
    given["leaf"] = given["leaf_0"]
    rows = pd.concat([*frames, taken, given])
    return rows[rows["cents"] != 0]


def _rows(deals: pd.DataFrame, mask: npt.NDArray[np.bool_], step: str, value: Cents) -> pd.DataFrame:
    mine = deals[mask]
    return mine[["leaf_0", "leaf_1", "value_0", "value_1"]].assign(
        leaf=mine["leaf_1"], other=-1, step=step, cents=value[mask]
    )


def _changes(deals: pd.DataFrame, change: Cents) -> list[pd.DataFrame]:
    """Open on both days: the change of win probability × share in time × amount, shared out to the three."""
    win = np.stack([deals[f"win_probability{side}"].to_numpy(dtype=float) for side in ("_0", "_1")])
    chance = np.stack([deals[f"chance{side}"].to_numpy(dtype=float) for side in ("_0", "_1")])
    worth = np.stack([deals[f"worth{side}"].to_numpy(dtype=float) for side in ("_0", "_1")])
    win = np.where(np.isnan(win), chance, win)
    in_time = np.divide(chance, win, out=np.full_like(chance, np.nan), where=win > 0)
    in_time = np.where(np.isnan(in_time), np.nan_to_num(in_time[::-1], nan=1.0), in_time)
    effects = shapley(*(np.stack([win[k], in_time[k], worth[k]]) for k in (0, 1))) * 100
    by_chance, by_time, by_amount = whole(effects, change)
    later = deals["expected_close_on_1"] > deals["expected_close_on_0"]
    earlier = deals["expected_close_on_1"] < deals["expected_close_on_0"]
    label = np.where(later, "slipped", np.where(earlier, "pulled_in", "time"))
    everyone = np.ones(len(deals), dtype=bool)
    timing = _rows(deals, everyone, "time", by_time).assign(step=label)
    return [_rows(deals, everyone, "chance", by_chance), timing, _rows(deals, everyone, "amount", by_amount)]


def _deal_table(rows: pd.DataFrame, units: Units) -> pd.DataFrame:
    own = rows[rows["step"] != "owner_change"]
    owner = units.table["rep_id"].to_numpy()[own["leaf"].to_numpy(dtype=np.int64)]
    table = pd.DataFrame(
        {"opportunity_id": own.index.astype("str"), "rep_id": owner, "step": own["step"].to_numpy(),
         "value": own["cents"].to_numpy() / 100, "before": own["value_0"].to_numpy() / 100,
         "after": own["value_1"].to_numpy() / 100}
    )  # fmt: skip
    return table.sort_values(["opportunity_id", "step"], ignore_index=True)
