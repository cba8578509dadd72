"""What moved in the pipeline between two days: created, pulled in, pushed out, grew, shrank, won, lost.

Two snapshots are compared deal by deal, and every cent of the difference gets one step, so that the opening pipeline
plus all steps is the closing pipeline, on every level, in money and in number of deals.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.errors import ModelError
from spm_models.periods import Period
from spm_models.revenue_forecast.levels import cents, sums_by_level
from spm_models.revenue_forecast.units import Units

Flags = npt.NDArray[np.bool_]
#: In the order in which they are told. ``slipped_in`` comes from an earlier period, ``pulled_out`` goes to one;
#: ``taken_over`` and ``handed_over`` are changes of owner: none at levels where both owners are in one unit.
STEPS = (
    "opening", "created", "reopened", "pulled_in", "slipped_in", "taken_over", "grew", "shrank", "handed_over",
    "pushed_out", "pulled_out", "won", "lost", "deleted", "closing",
)  # fmt: skip
_OPEN = ["opportunity_id", "rep_id", "amount", "expected_close_on", "created_on"]
_CLOSED = ["opportunity_id", "rep_id", "amount", "won", "closed_on", "created_on"]


@dataclass(frozen=True, eq=False)
class PipelineMovement:
    """How the pipeline came from one day to another.

    ``table`` has one row a level, key and step: ``amount`` (signed, in the company's currency), ``deals`` (signed
    change of their number) and ``moved`` (how many deals the step is made of). ``moves`` has one row a deal and step:
    ``opportunity_id, rep_id, step, amount, amount_before, amount_after, close_before, close_after``.
    """

    from_on: date
    to_on: date
    period: Period | None
    table: pd.DataFrame
    moves: pd.DataFrame

    def summary(self) -> pd.DataFrame:
        """The company's steps in order, opening and closing among them."""
        company = self.table[self.table["level"] == "company"].set_index("step")
        return company.loc[[step for step in STEPS if step in company.index], ["amount", "deals", "moved"]]


def pipeline_movement(
    opening: pd.DataFrame, closing: pd.DataFrame, outcomes: pd.DataFrame, organisation: pd.DataFrame, *,
    from_on: date, to_on: date, period: Period | None = None,
) -> PipelineMovement:  # fmt: skip
    """Compare the pipelines of two days.

    Parameters
    ----------
    opening, closing : DataFrame
        Deals open at the end of ``from_on`` and of ``to_on`` (``snapshots.pipeline``).
    outcomes : DataFrame
        Deals closed by ``to_on`` (``snapshots.outcomes``).
    organisation : DataFrame
        Who belongs where on ``to_on``; both days are shown in it, so that a change of team moves no money.
    from_on, to_on : datetime.date
    period : Period, optional
        Only deals due in it; a deal whose date has passed is due on the next day. Without it the whole pipeline,
        in which no deal is pulled in or pushed out.

    Raises
    ------
    ModelError
        When the days are in the wrong order.

    Examples
    --------
    >>> from spm_models.periods import FiscalCalendar
    >>> now = {"rep_id": "a", "created_on": pd.Timestamp("2026-01-05")}
    >>> then = pd.DataFrame([{**now, "opportunity_id": "o1", "amount": 80.0, "expected_close_on": "2026-03-10"},
    ...                      {**now, "opportunity_id": "o2", "amount": 50.0, "expected_close_on": "2026-03-20"}])
    >>> later = then[:1].assign(amount=100.0, expected_close_on="2026-04-10")
    >>> ended = pd.DataFrame([{**now, "opportunity_id": "o2", "amount": 60.0, "won": True,
    ...                        "closed_on": pd.Timestamp("2026-02-20")}])
    >>> moved = pipeline_movement(then, later, ended, pd.DataFrame({"rep_id": ["a"]}), from_on=date(2026, 2, 16),
    ...                           to_on=date(2026, 2, 23), period=FiscalCalendar().quarter(date(2026, 2, 1)))
    >>> moved.summary()["amount"].to_dict()
    {'opening': 130.0, 'grew': 10.0, 'pushed_out': -80.0, 'won': -60.0, 'closing': 0.0}
    """
    if from_on >= to_on:
        raise ModelError(
            "A movement needs two days in order", where="pipeline_movement", found=f"{from_on} to {to_on}",
            remedy="Give the earlier day as from_on.",
        )  # fmt: skip
    units = Units.of(organisation, to_on)
    deals = _paired(opening, closing, outcomes, units, from_on, to_on, period)
    rows = _steps(deals)
    table = sums_by_level(rows, units, ["step"], ["cents", "deals", "moved"])
    table["amount"] = table.pop("cents") / 100
    edge = table["step"].isin(["opening", "closing"])
    table = _with_edges(table[edge | (table["moved"] > 0)])
    return PipelineMovement(from_on, to_on, period, table, _moves(rows, deals, units))


def _paired(
    opening: pd.DataFrame, closing: pd.DataFrame, outcomes: pd.DataFrame, units: Units, from_on: date, to_on: date,
    period: Period | None,
) -> pd.DataFrame:  # fmt: skip
    """One row a deal: how it stood on both days, and how it ended in between."""
    since, until = pd.Timestamp(from_on), pd.Timestamp(to_on)
    ended = outcomes.loc[(outcomes["closed_on"] > since) & (outcomes["closed_on"] <= until), _CLOSED]
    ended = ended[~ended["opportunity_id"].isin(closing["opportunity_id"])]
    then, now = (_days(frame[_OPEN]).set_index("opportunity_id") for frame in (opening, closing))
    deals = then.add_suffix("_0").join(now.add_suffix("_1"), how="outer")
    deals = deals.join(_days(ended).set_index("opportunity_id"), how="outer").sort_index()
    was, is_open = deals.index.isin(then.index), deals.index.isin(now.index)
    closed = deals.index.isin(ended["opportunity_id"])
    won = closed & deals["won"].eq(True).to_numpy()
    leaf_0, leaf_1 = units.leaf(deals["rep_id_0"]), units.leaf(deals["rep_id_1"])
    leaf_1 = np.where(is_open, leaf_1, np.where(closed, units.leaf(deals["rep_id"]), leaf_0))
    before, after, at_close = (cents(deals[name]) for name in ("amount_0", "amount_1", "amount"))
    after = np.where(is_open, after, np.where(won | ~was, at_close, before))
    created = deals["created_on_1"].fillna(deals["created_on"])
    return pd.DataFrame(
        {
            "was": was, "is_open": is_open, "won": won, "lost": closed & ~won,
            "leaf_0": leaf_0, "leaf_1": leaf_1, "before": np.where(was, before, after), "after": after,
            "new": (created.isna() | (created > since)).to_numpy(),
            "place_0": _place(deals["expected_close_on_0"], from_on, period),
            "place_1": np.where(
                is_open, _place(deals["expected_close_on_1"], to_on, period), _place(deals["closed_on"], None, period)
            ),
            "close_before": deals["expected_close_on_0"],
            "close_after": deals["expected_close_on_1"].where(is_open, deals["closed_on"]),
            "owner_before": deals["rep_id_0"], "owner_after": deals["rep_id_1"].where(is_open, deals["rep_id"]),
        },
        index=deals.index,
    )  # fmt: skip


def _days(frame: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in ("expected_close_on", "created_on", "closed_on") if name in frame]
    return frame.assign(**{name: pd.to_datetime(frame[name]).astype("datetime64[s]") for name in names})


def _place(due: pd.Series, day: date | None, period: Period | None) -> npt.NDArray[np.int64]:
    """-1 due before the period, 0 in it, 1 after it or on no known day; what is overdue is due tomorrow."""
    if period is None:
        return np.zeros(len(due), dtype=np.int64)
    if day is not None:
        tomorrow = pd.Timestamp(day) + pd.Timedelta(days=1)
        due = due.where(~(due < tomorrow), tomorrow)
    early, late = due < pd.Timestamp(period.start), (due > pd.Timestamp(period.end)) | due.isna()
    return np.where(late, 1, np.where(early, -1, 0)).astype(np.int64)


def _steps(deals: pd.DataFrame) -> pd.DataFrame:
    """One row a deal and step: leaf, cents, change of the number of deals."""
    was, won, lost, still = (deals[name].to_numpy() for name in ("was", "won", "lost", "is_open"))
    before, after = deals["before"].to_numpy(), deals["after"].to_numpy()
    place_0, place_1 = deals["place_0"].to_numpy(), deals["place_1"].to_numpy()
    in_0 = was & (place_0 == 0)
    # a deal that came from elsewhere and was won in the period was pulled in; one that was lost never belonged to it
    in_1 = (still | won | (lost & ~was)) & (place_1 == 0)
    leaves = in_0 & still & ~in_1
    enters, fresh = was & ~in_0 & in_1, ~was & in_1
    stays = (in_0 & (still | won) & ~leaves) | enters
    moved_on = in_0 & (deals["leaf_0"] != deals["leaf_1"]).to_numpy()
    gone = in_0 & ~still & ~won & ~lost
    new = deals["new"].to_numpy()
    grown = after - before
    parts: list[tuple[str, Flags, npt.NDArray[np.int64], int]] = [
        ("opening", in_0, before, 1),
        ("created", fresh & new, after, 1), ("reopened", fresh & ~new, after, 1),
        ("pulled_in", enters & (place_0 == 1), before, 1), ("slipped_in", enters & (place_0 == -1), before, 1),
        ("taken_over", moved_on, before, 1), ("handed_over", moved_on, -before, -1),
        ("grew", stays & (grown > 0), grown, 0), ("shrank", stays & (grown < 0), grown, 0),
        ("pushed_out", leaves & (place_1 == 1), -before, -1), ("pulled_out", leaves & (place_1 == -1), -before, -1),
        ("won", won & (in_0 | in_1), -after, -1), ("lost", lost & (in_0 | (fresh & in_1)), -after, -1),
        ("deleted", gone, -before, -1),
        ("closing", still & in_1, after, 1),
    ]  # fmt: skip
    frames = []
    for step, chosen, value, count in parts:
        mine = deals[chosen]
        first, second = ("leaf_0", "leaf_1") if step in ("opening", "handed_over") else ("leaf_1", "leaf_0")
        other = mine[second].to_numpy() if step in ("taken_over", "handed_over") else -1
        frames.append(
            pd.DataFrame({"leaf": mine[first].to_numpy(), "other": other, "step": step, "cents": value[chosen],
                          "deals": count, "moved": 1}, index=mine.index)
        )  # fmt: skip
    return pd.concat(frames)


def _with_edges(table: pd.DataFrame) -> pd.DataFrame:
    """Every unit has an opening and a closing, of nothing where nothing was open."""
    known = table[["level", "key"]].drop_duplicates()
    if "company" not in set(known["level"]):
        known = pd.concat([pd.DataFrame({"level": ["company"], "key": [""]}), known], ignore_index=True)
    edges = known.merge(pd.DataFrame({"step": ["opening", "closing"]}), how="cross")
    missing = edges.merge(table[["level", "key", "step"]], how="left", indicator=True).query("_merge == 'left_only'")
    blank = missing[["level", "key", "step"]].assign(amount=0.0, deals=0, moved=0)
    whole = pd.concat([table, blank], ignore_index=True).astype({"level": "str", "key": "str", "step": "str"})
    whole["place"] = whole["step"].map({step: place for place, step in enumerate(STEPS)}).astype("int64")
    whole = whole.astype({"deals": "int64", "moved": "int64", "amount": "float64"})
    columns = ["level", "key", "step", "place", "amount", "deals", "moved"]
    return whole[columns].sort_values(["level", "key", "place"], ignore_index=True)


def _moves(rows: pd.DataFrame, deals: pd.DataFrame, units: Units) -> pd.DataFrame:
    """The deals behind the steps, by name of the step."""
    moved = rows[~rows["step"].isin(["opening", "closing"])]
    facts = deals.loc[moved.index]
    first = (moved["step"] == "handed_over").to_numpy()
    owner = facts["owner_before"].where(first | facts["owner_after"].isna().to_numpy(), facts["owner_after"])
    table = pd.DataFrame(
        {"opportunity_id": moved.index, "rep_id": owner.to_numpy(), "step": moved["step"].to_numpy(),
         "amount": moved["cents"].to_numpy() / 100,
         "amount_before": facts["before"].where(facts["was"]).to_numpy() / 100,
         "amount_after": facts["after"].to_numpy() / 100, "close_before": facts["close_before"].to_numpy(),
         "close_after": facts["close_after"].to_numpy()}
    )  # fmt: skip
    return table.sort_values(["opportunity_id", "step"], ignore_index=True)
