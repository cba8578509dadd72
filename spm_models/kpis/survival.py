"""Times to an event of many groups at once, where some have not seen it yet and others never will.

Each row is a spell: under observation from ``entered`` to ``ended`` (days since it began), and then ``event`` says what
ended it: 0 nothing (it goes on), 1 the event, 2 another outcome after which the event cannot come. Spells that began
before the period enter at the age that they had by then (left truncation), so that a period is described by what
happened in it.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pandas as pd

from spm_models.inference import wilson

LEVEL = 0.8
START = -0.5  #: what is under observation from its first day on enters before it: it may end on day 0
_QUANTILE = NormalDist().inv_cdf(0.5 + LEVEL / 2)


def medians(spells: pd.DataFrame, columns: list[str], *, conditional: bool = False) -> pd.DataFrame:
    """Median time to the event in each group.

    Parameters
    ----------
    spells : DataFrame
        ``columns``, ``entered``, ``ended`` (same unit of time) and ``event`` (0, 1 or 2).
    columns : list of str
        What makes a group.
    conditional : bool
        False: time by which half of all have seen the event, other outcomes counted as the end of observation
        (Kaplan–Meier); empty where that is never reached. True: time by which half of those who will ever see it have
        (Aalen–Johansen incidence against its last value).

    Returns
    -------
    DataFrame
        ``columns``, ``value``, ``low``, ``high`` (80 %), ``numerator`` (empty) and ``denominator`` (events seen). An
        end of the interval that the data do not reach is empty.

    Notes
    -----
    E. L. Kaplan and P. Meier (1958), JASA 53; O. Aalen and S. Johansen (1978), Scand. J. Statist. 5. Intervals:
    R. Brookmeyer and J. Crowley (1982), Biometrics 38, on the log(-log) scale; for the conditional median the order
    statistics of as many events as would say as much if all weighed alike (L. Kish, *Survey Sampling*, 1965).

    Examples
    --------
    >>> spells = pd.DataFrame({"entered": 0, "ended": [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25,
    ...     32, 32, 34, 35], "event": [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0], "arm": "6-MP"})
    >>> medians(spells, ["arm"]).value.item()  # Freireich et al. (1963): 23 weeks
    23.0
    """
    sizes, curve = _of_groups(spells, columns)
    if conditional:
        last = curve.groupby("group")["incidence"].transform("last")
        share = curve["incidence"] / last.where(last > 0)
        mass = share.groupby(curve["group"]).diff().fillna(share)
        evenness = (mass**2 / curve["won"].where(curve["won"] > 0)).groupby(curve["group"]).transform("sum")
        half = _QUANTILE / 2 * np.sqrt(evenness)  # 1 / evenness: events that weigh alike and would say as much
        reached = {"value": share >= 0.5 - 1e-12, "low": share >= 0.5 - half, "high": share >= 0.5 + half}
    else:
        reached = _reached(curve)
    for name, when in reached.items():
        first = curve[when].groupby("group")["time"].first()
        sizes[name] = first.reindex(sizes.index).astype("float64")
    return sizes[[*columns, "value", "low", "high", "numerator", "denominator"]]


def shares(spells: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Share of each group that the event will come to, before the other outcome.

    Parameters
    ----------
    spells : DataFrame
        As of :func:`medians`; all from their beginning.
    columns : list of str

    Returns
    -------
    DataFrame
        As of :func:`medians`; ``value`` is the last value of the incidence of the event, ``denominator`` the spells
        that have ended one way or the other, ``numerator`` their part of it. Wilson's interval.

    Notes
    -----
    Aalen and Johansen (1978). What is still open counts for as long as it has been: leaving it out would make slow
    groups look good or bad, whatever ends fast.

    Examples
    --------
    >>> spells = pd.DataFrame({"entered": 0, "ended": [1, 2, 3, 4], "event": [1, 0, 2, 1], "stage": "demo"})
    >>> round(shares(spells, ["stage"]).value.item(), 3)  # 1/4, then half of the 3/4 that are left
    0.625
    """
    sizes, curve = _of_groups(spells, columns)
    closed = spells[spells["event"] > 0].groupby(columns, as_index=False, sort=True).size()
    sizes = sizes.drop(columns="denominator").merge(
        closed.rename(columns={"size": "denominator"}), on=columns, how="left"
    )
    last = curve.groupby("group")["incidence"].last()
    sizes["value"] = last.reindex(sizes.index).astype("float64")
    sizes["denominator"] = sizes["denominator"].astype("float64")
    sizes["numerator"] = sizes["value"] * sizes["denominator"]
    sizes["low"], sizes["high"] = wilson(sizes["numerator"].fillna(0.0), sizes["denominator"].fillna(0.0), LEVEL)
    known = sizes["value"].notna()
    return sizes[known][[*columns, "value", "low", "high", "numerator", "denominator"]].reset_index(drop=True)


def _of_groups(spells: pd.DataFrame, columns: list[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Groups with the number of their events, and their curves."""
    spells = spells[spells["ended"] > spells["entered"]]
    groups = spells.assign(events=(spells["event"] == 1).astype("float64")).groupby(columns, sort=True)
    sizes = groups["events"].sum().rename("denominator").reset_index()
    sizes["numerator"] = np.nan
    return sizes, _curve(spells, groups.ngroup().to_numpy())


def _curve(spells: pd.DataFrame, group: np.ndarray) -> pd.DataFrame:
    """At each time of a win or other outcome: Kaplan-Meier ``survival``, its Greenwood sum, and ``incidence``.

    Where few are at risk because most enter later, a single outcome would decide for all of them, and one that leaves
    nobody at risk would end the curve. Times with fewer than the cube root of the group's size at risk are left out
    until everybody has entered: T. L. Lai and Z. Ying (1991), Ann. Statist. 19, 417-442.
    """
    ended = spells["ended"].to_numpy(dtype=float)
    entered = spells["entered"].to_numpy(dtype=float)
    event = spells["event"].to_numpy(dtype=int)
    wide = float(max(ended.max(initial=1.0), 1.0)) + 1.0
    rows = pd.DataFrame({"group": group, "time": ended, "won": event == 1, "any": event > 0})[event > 0]
    curve = rows.groupby(["group", "time"], sort=True)[["won", "any"]].sum().reset_index()
    place = curve["group"].to_numpy() * wide + curve["time"].to_numpy()
    starts, stops = np.sort(group * wide + np.maximum(entered, START)), np.sort(group * wide + ended)
    first = curve["group"].to_numpy() * wide + START - 0.25
    before = np.searchsorted(starts, first, side="left")
    begun = np.searchsorted(starts, place, side="left") - before
    over = np.searchsorted(stops, place, side="left") - np.searchsorted(stops, first, side="left")
    size = np.searchsorted(starts, first + wide, side="left") - before
    risk = np.maximum(begun - over, curve["any"].to_numpy()).astype(float)
    counts = (begun == size) | ((risk >= np.cbrt(size)) & (risk > curve["any"].to_numpy()))
    curve, risk = pd.DataFrame(curve[counts]).reset_index(drop=True), pd.Series(risk[counts])
    groups = curve["group"]
    open_before = (1.0 - curve["any"] / risk).groupby(groups).cumprod().groupby(groups).shift().fillna(1.0)
    curve["incidence"] = (open_before * curve["won"] / risk).groupby(groups).cumsum()
    curve["survival"] = (1.0 - curve["won"] / risk).groupby(groups).cumprod()
    left = risk - curve["won"]
    curve["greenwood"] = (curve["won"] / (risk * left.where(left > 0))).fillna(np.inf).groupby(groups).cumsum()
    return curve


def _reached(curve: pd.DataFrame) -> dict[str, pd.Series]:
    """When survival, and the ends of its interval, have come down to one half."""
    s = curve["survival"].to_numpy(dtype=float)
    inside = (s > 0) & (s < 1)
    logarithm = np.log(np.where(inside, s, 0.5))
    half = _QUANTILE * np.sqrt(np.where(inside, curve["greenwood"], 0.0)) / np.abs(logarithm)
    lower, upper = (np.where(inside, np.exp(logarithm * np.exp(sign * half)), s) for sign in (1, -1))
    ends = {"value": s <= 0.5 + 1e-12, "low": lower <= 0.5, "high": upper <= 0.5}
    return {name: pd.Series(when, index=curve.index) for name, when in ends.items()}
