"""What the company expects and spends: quotas in three tiers, goals, costs, exchange rates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spm_models.sample_company import columns, market
from spm_models.sample_company.draws import Draws, Floats, Ints
from spm_models.sample_company.ledger import rep_id
from spm_models.sample_company.people import Staff
from spm_models.sample_company.seasons import day_number
from spm_models.sample_company.sizes import Layout

TIERS = (("minimum", 0.7), ("standard", 1.0), ("maximum", 1.35))
PLANNED = 300_000.0  #: TRY of the base day that a rep was expected to sell in the records' first full quarter
STRETCH = 0.72  #: of what was sold in the last year; sales are skewed, so about 65 % reach it
OWN = 0.6  #: weight of a rep's own last year beside that of all settled reps
COMPANY = "Atlas Yazılım"


@dataclass(frozen=True)
class Quarters:
    """Calendar quarters from the first with a day in the records to the one after the last day."""

    starts: Ints
    ends: Ints

    def of(self, day: Ints) -> Ints:
        """Position of the quarter of each day."""
        found: Ints = np.searchsorted(self.starts, day, side="right") - 1
        return found


def quarters(first_day: int, last_day: int) -> Quarters:
    """The quarters that quotas are set for."""
    months = np.array([first_day, last_day]).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    first, last = months // 3
    edges = (np.arange(first, last + 3) * 3).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    return Quarters(edges[:-1], edges[1:] - 1)


def quotas(
    draws: Draws, plan: Layout, staff: Staff, prices: market.Prices, terms: Quarters, sold: Floats, last_day: int
) -> pa.Table:
    """Targets of reps, and of teams, regions and the company as their sums.

    A settled rep's target follows what he and all such reps (field, inside) sold in the last four quarters, corrected
    for inflation, times a fixed share, whatever the territory. It is that of a whole quarter also for who comes or goes
    within it: what of it is owed is worked out by those who read it. ``sold`` has the shape (reps, quarters) and holds
    sales in company currency; only quarters before the target's are looked at.
    """
    standard = _standard(draws, plan, staff, prices, terms, sold)
    revised = _revision(plan, staff, terms)
    rows: list[pa.Table] = []
    for quarter in range(len(terms.starts)):
        set_on = int(terms.starts[quarter]) - 15
        if set_on > last_day:
            continue
        rows.append(_ledger(plan, staff, terms, quarter, standard[:, quarter], set_on, None))
        if revised is not None and quarter == revised[1]:
            lowered = np.where(staff.team == revised[0], np.round(standard[:, quarter] * 0.9, -3), standard[:, quarter])
            rows.append(_ledger(plan, staff, terms, quarter, lowered, int(terms.starts[quarter]) + 20, revised[0]))
    return pa.concat_tables(rows)


def _standard(draws: Draws, plan: Layout, staff: Staff, prices: market.Prices, terms: Quarters, sold: Floats) -> Floats:
    middle = (terms.starts + terms.ends) // 2
    level = prices.at(prices.index, middle)
    real = sold / level
    inside = np.array(plan.inside)[staff.team]
    tenure = middle[None, :] - staff.hired[:, None]
    ramp = (0.1 + 0.9 * tenure / 300).clip(0.0, 1.0)
    there = (np.minimum(staff.left[:, None], terms.ends) - np.maximum(staff.hired[:, None], terms.starts) + 1).clip(0)
    there = there / (terms.ends - terms.starts + 1)
    settled = (ramp >= 1) & (there >= 1)
    wobble = 1 + 0.06 * draws.normal("quota", draws.keys("quota", staff.number))
    standard = np.zeros_like(sold)
    for kind in (False, True):
        of_kind = inside == kind
        for quarter in range(len(terms.starts)):
            seen = slice(max(1, quarter - 4), quarter)  # the records' first quarter had no pipeline to start from
            use = settled[:, seen] & of_kind[:, None]
            mean = float(real[:, seen][use].mean()) if use.sum() >= 2 else PLANNED * (0.55 if kind else 1.0)
            known = settled[:, seen].sum(axis=1)
            own = np.where(settled[:, seen], real[:, seen], 0.0).sum(axis=1) / np.maximum(known, 1)
            base = np.where(known >= 2, OWN * own + (1 - OWN) * mean, mean)
            full = base * STRETCH * level[quarter] * wobble * (0.25 if quarter == 0 else 1.0)
            here = of_kind & (there[:, quarter] > 0)
            standard[:, quarter] = np.where(here, full * ramp[:, quarter], standard[:, quarter])
    return np.round(standard, -3)


def _revision(plan: Layout, staff: Staff, terms: Quarters) -> tuple[int, int] | None:
    """One team's targets were lowered in the middle of a quarter."""
    if plan.teams < 2 or len(terms.starts) < 5:
        return None
    return 0, len(terms.starts) - 4


def _ledger(
    plan: Layout, staff: Staff, terms: Quarters, quarter: int, standard: Floats, set_on: int, team: int | None
) -> pa.Table:
    """Rows of one quarter and one day of setting; of one team and what contains it if a team is named."""
    teams = np.array(plan.team_names)
    regions, region_of_team = np.unique(np.array(plan.team_regions), return_inverse=True)
    keep = standard > 0
    if team is not None:
        keep &= staff.team == team
    touched = np.ones(plan.teams, bool) if team is None else np.arange(plan.teams) == team
    touched_regions = np.unique(region_of_team[touched])
    kinds: list[str] = []
    ids: list[str] = []
    amounts: list[NDArray[np.float64]] = []
    for _, factor in TIERS:
        tier = np.round(standard * factor, -3)
        by_team = np.bincount(staff.team, weights=tier, minlength=plan.teams)
        by_region = np.bincount(region_of_team, weights=by_team, minlength=len(regions))
        amounts.append(np.concatenate([tier[keep], by_team[touched], by_region[touched_regions], [tier.sum()]]))
    kinds += ["rep"] * int(keep.sum()) + ["team"] * int(touched.sum()) + ["region"] * len(touched_regions) + ["company"]
    ids += [*rep_id(staff.number[keep]).to_pylist(), *teams[touched], *regions[touched_regions], COMPANY]
    count = len(ids)
    return pa.table({
        "owner_kind": pa.array(kinds * len(TIERS)),
        "owner_id": pa.array([str(name) for name in ids] * len(TIERS)),
        "period_start": columns.day(np.full(count * len(TIERS), terms.starts[quarter])),
        "period_end": columns.day(np.full(count * len(TIERS), terms.ends[quarter])),
        "tier": pa.array([tier for tier, _ in TIERS for _ in range(count)]),
        "amount": columns.money(np.concatenate(amounts)),
        "currency": pa.array(["TRY"] * (count * len(TIERS))),
        "set_on": columns.day(np.full(count * len(TIERS), set_on)),
    })  # fmt: skip


def exchange_rates(prices: market.Prices, first_day: int, last_day: int) -> pa.Table:
    """One rate a day and foreign currency."""
    days = np.arange(first_day, last_day + 1)
    foreign = market.CURRENCIES[1:]
    return pa.table({
        "day": columns.day(np.tile(days, len(foreign))),
        "currency": pa.array(np.repeat(foreign, len(days)), pa.string()),
        "rate": columns.number(
            np.concatenate([prices.rates[i + 1][days - prices.first] for i in range(len(foreign))]), 4
        ),
    })  # fmt: skip


def base_day() -> int:
    """Day on which the price level is one."""
    return day_number(date(2023, 7, 1))
