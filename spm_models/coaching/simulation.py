"""Simulated evidence with known truth, for tests and benchmarks of the review: no database, one company in no time.

How a deal goes here is written down as rates and ratios, unlike in the sample company, where buyers are convinced week
by week: what a method gains here must hold there too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy import special

from spm_models.coaching.features import DEAL_CONTEXT, TIME_CONTEXT, Evidence

Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
LAST = date(2026, 6, 30)
STAGES = {"discovery": 0.84, "proposal": 0.75, "negotiation": 0.66, "decision": 0.60}
CAUSES = ("knowledge", "motivation", "direction", "territory", "coasting")
_REGIONS = {"north": 0.0, "south": -0.35, "east": 0.3}
_SEGMENTS = {"small": (0.15, -0.5), "mid_market": (0.0, 0.0), "enterprise": (-0.3, 0.8)}  # log odds, log amount
_SEASON = {1: 1.0, 2: 1.1, 3: 0.85, 4: 1.15}
_CONTACTS_PER_DEAL = 16.0
_FOLLOW_UP, _FOCUS, _PRICE = 0.60, 0.78, 0.92
_RATES = ("pipeline_creation", "activity", "deal_size", "price_kept", "cycle", "follow_up", "focus", "trend")


@dataclass(frozen=True)
class Truth:
    """What is true of a simulated company.

    Parameters
    ----------
    relative : DataFrame
        One row a rep and one column a signal and part: performance beside a typical colleague in the same context (1
        is typical, 2 twice as good; a cycle of 2 is half as long).
    cause : Series
        By rep; empty where nothing was planted.
    results : DataFrame
        ``attainment`` and ``coverage`` of each rep beside a typical colleague in his place: what his behaviour brings.
    """

    relative: pd.DataFrame
    cause: pd.Series
    results: pd.DataFrame

    def short(self, margin: float = 0.15, *, price_margin: float = 0.05) -> set[tuple[str, str, str]]:
        """Rep, signal and part that lie the margin or more below the mean of all reps."""
        beside = self.relative / self.relative.mean()
        signals = beside.columns.get_level_values("signal")
        limit = np.where(signals == "price_kept", 1 - price_margin, 1 - margin)
        limit = np.where(signals == "cycle", 1 / (1 + margin), limit)
        low = (beside < limit).stack(["signal", "part"], future_stack=True)
        return {(str(rep), str(signal), str(part)) for rep, signal, part in low.index[low.to_numpy(dtype=bool)]}

    @property
    def planted(self) -> list[str]:
        """Reps with a planted shortfall (a poor territory is none)."""
        found = self.cause[(self.cause != "") & (self.cause != "territory")]
        return [str(rep) for rep in found.index]


@dataclass
class _World:
    """A company in the making."""

    random: np.random.Generator
    ids: list[str]
    quarters: int
    people: pd.DataFrame
    skill: dict[str, Floats]  #: performance by signal; ``stage_conversion/<stage>`` for stages
    rich: Floats  #: of each rep's territory
    hidden: Floats  #: context of each rep that no column tells, on the log scale
    periods: list[str] = field(default_factory=list)


def simulate_evidence(
    seed: int, *, reps: int = 40, quarters: int = 4, deals: float = 100.0,
    factors: Mapping[str, Mapping[str, float]] | None = None, causes: Mapping[str, str] | None = None,
    spread: float = 0.2, clusters: float = 3.0, context: float = 1.0, hidden: float = 0.0,
    halved: Mapping[str, int] | None = None,
) -> tuple[Evidence, Truth]:  # fmt: skip
    """Evidence of a company, and how each rep truly performs beside a typical one.

    Parameters
    ----------
    seed : int
    reps, quarters : int
    deals : float
        Mean number of a rep's deals closed in a year.
    factors : mapping, optional
        ``factors[signal][rep_id]``: performance of a rep beside a typical one; ``"stage_conversion/proposal"`` for one
        stage, ``"win_rate"`` for all stages together.
    causes : mapping, optional
        ``causes[rep_id]``: one of :data:`CAUSES`, planted as people meet it: one stage's conversion halved; work that
        falls in the second half; contacts that go to the wrong deals; a poor territory and an able rep; a rich
        territory and little work.
    spread : float
        Standard deviation of the logarithm of everybody's performance in each signal; 0: nobody differs.
    clusters : float
        Contacts come in clusters of this size.
    context : float
        How much regions, segments, territories and seasons matter; 0: not at all.
    hidden : float
        Standard deviation (log) of each rep's circumstances that stand in no column.
    halved : mapping, optional
        ``halved[rep_id]``: week of the window (0 is the first) from which on the rep's odds of winning are half of what
        they were. ``Truth`` tells of the time before.

    Returns
    -------
    tuple of Evidence and Truth

    Examples
    --------
    >>> found, truth = simulate_evidence(1, reps=3, factors={"activity": {"r001": 0.5}}, spread=0.0)
    >>> float(truth.relative.loc["r001", ("activity", "")]), sorted(found.work)
    (0.5, ['activity', 'pipeline_creation'])
    """
    world = _people(np.random.default_rng(seed), reps, quarters, spread, context, hidden)
    late = _plant(world, factors or {}, causes or {})
    created = _creation(world, deals, context, late)
    closed, stages = _deals(world, deals, context, halved or {})
    weeks = _weeks(world, closed, created, clusters, late, context)
    work = {
        "pipeline_creation": _by_quarter(world, weeks, "created"),
        "activity": _by_quarter(world, weeks, "activity"),
    }
    since = date.fromisoformat(str(np.datetime64(LAST) + 1 - np.timedelta64(91 * quarters, "D")))
    evidence = Evidence(
        LAST, since, world.people, closed, work, 5, stages, _open(world, closed), weeks,
        _results(world, closed), None,
    )  # fmt: skip
    cause = pd.Series({rep: (causes or {}).get(rep, "") for rep in world.ids}, dtype="str")
    relative = _relative(world, late)
    return evidence, Truth(relative, cause, _brings(relative))


def _people(
    random: np.random.Generator, reps: int, quarters: int, spread: float, context: float, hidden: float
) -> _World:
    ids = [f"r{i:03d}" for i in range(reps)]
    territories = max(1, round(reps / 3))
    territory = random.permutation(np.arange(reps) % territories)
    region = np.array(list(_REGIONS))[random.integers(0, 3, territories)][territory]
    rich = np.exp(context * 0.2 * random.standard_normal(territories))[territory]
    start = pd.Timestamp("2022-01-01")
    people = pd.DataFrame({
        "rep_id": ids, "region": region, "territory": [f"t{t:02d}" for t in territory], "hired_on": start,
        "left_on": pd.NaT, "start_on": start,
    }).astype({"left_on": "datetime64[s]", "territory": "str", "region": "str"})  # fmt: skip
    names = [*_RATES, *(f"stage_conversion/{stage}" for stage in STAGES)]
    damp = {"price_kept": 0.25, "focus": 0.5, "trend": 0.5, "follow_up": 0.7}
    damp |= {f"stage_conversion/{stage}": 0.6 for stage in STAGES}
    skill = {name: np.exp(spread * damp.get(name, 1.0) * random.standard_normal(reps)) for name in names}
    first = np.datetime64(LAST) + 1 - np.timedelta64(91 * quarters, "D")
    days = [first + np.timedelta64(91 * number + 45, "D") for number in range(quarters)]
    periods = [f"{str(day)[:4]}-Q{(int(str(day)[5:7]) + 2) // 3}" for day in days]
    unseen = hidden * random.standard_normal(reps)
    return _World(random, ids, quarters, people, skill, rich, unseen, periods)


def _plant(world: _World, factors: Mapping[str, Mapping[str, float]], causes: Mapping[str, str]) -> Floats:
    """Set what was asked for; returns each rep's share of usual work in the second half of the window."""
    place = {rep: number for number, rep in enumerate(world.ids)}
    random, skill = world.random, world.skill
    late = np.ones(len(world.ids))
    for rep, cause in causes.items():
        at, depth = place[rep], float(random.uniform(0.45, 0.62))
        if cause == "knowledge":
            stage = list(STAGES)[int(random.integers(0, len(STAGES)))]
            skill[f"stage_conversion/{stage}"][at] = depth
        elif cause == "motivation":
            late[at] = depth
            skill["follow_up"][at] *= 0.85
        elif cause == "direction":
            skill["focus"][at] = float(random.uniform(0.55, 0.68))
            skill["stage_conversion/negotiation"][at] *= 0.82
            skill["stage_conversion/decision"][at] *= 0.78
        elif cause == "territory":
            world.rich[at] *= 0.55
            for name in skill:
                skill[name][at] = max(skill[name][at], 1.0)
        elif cause == "coasting":
            world.rich[at] *= 1.5
            for name in ("activity", "pipeline_creation"):
                skill[name][at] = depth
        else:
            raise ValueError(f"{cause} is not one of {CAUSES}")
    free = [number for number, rep in enumerate(world.ids) if rep not in causes]
    for rep in (rep for rep, cause in causes.items() if cause in ("territory", "coasting")):
        _own_territory(world, place[rep], free)
    for signal, given in factors.items():
        for rep, value in given.items():
            if signal == "win_rate":
                for stage in STAGES:
                    skill[f"stage_conversion/{stage}"][place[rep]] = value ** (1 / len(STAGES))
            else:
                skill[signal][place[rep]] = value
    return late


def _own_territory(world: _World, at: int, free: list[int]) -> None:
    """Two colleagues who sell there as usual, so that the place can be told from the rep."""
    world.random.shuffle(free)
    label = f"own{at:03d}"
    for number in (at, *(free.pop() for _ in range(min(2, len(free))))):
        world.people.loc[number, "territory"] = label
        world.people.loc[number, "region"] = str(world.people.loc[at, "region"])
        world.rich[number] = world.rich[at]


def _season(world: _World, context: float) -> Any:
    return np.array([_SEASON[int(period[-1])] ** context for period in world.periods])


def _place(world: _World, context: float) -> Floats:
    return np.asarray(world.people["region"].map(_REGIONS), dtype=np.float64) * context


def _creation(world: _World, deals: float, context: float, late: Floats) -> Any:
    """New deals by rep and week, shape (reps, weeks); more than are closed, for some are still open."""
    rate = 1.05 * deals / 52 * world.rich * np.exp(0.5 * _place(world, context) + world.hidden)
    mean = np.outer(rate * world.skill["pipeline_creation"], _season(world, context))
    mean[:, world.quarters - max(world.quarters // 2, 1) :] *= late[:, None]
    dispersion = world.random.gamma(25.0, 1 / 25.0, mean.shape)  # quarters differ by more than chance of single deals
    return world.random.poisson(np.repeat(mean * dispersion, 13, axis=1))


def _deals(world: _World, deals: float, context: float, halved: Mapping[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    random, reps = world.random, len(world.ids)
    place = np.exp(0.5 * _place(world, context) + world.hidden)
    level = deals / 4 * world.quarters * world.rich * world.skill["pipeline_creation"] * place
    owner = np.repeat(np.arange(reps), random.poisson(level))
    facts = pd.DataFrame({
        "rep_id": np.asarray(world.ids)[owner], "segment": random.choice(list(_SEGMENTS), len(owner)),
        "industry": random.choice(["retail", "health"], len(owner)),
        "kind": random.choice(["new", "upsell"], len(owner), p=[0.7, 0.3]),
        "source": random.choice(["inbound", "outbound", "partner"], len(owner)),
        "family": random.choice(["a", "b"], len(owner)), "tenure": "settled",
    })  # fmt: skip
    for column in ("region", "territory"):
        facts[column] = world.people[column].to_numpy()[owner]
    first = np.datetime64(LAST) + 1 - np.timedelta64(91 * world.quarters, "D")
    closed_on = first + random.integers(0, 91 * world.quarters, len(owner)).astype("timedelta64[D]")
    facts["period"] = np.asarray(world.periods)[(closed_on - first).astype(int) // 91]
    odds, value = (facts["segment"].map({name: pair[side] for name, pair in _SEGMENTS.items()}) for side in (0, 1))
    kind, source = 0.3 * facts["kind"].eq("upsell"), 0.2 * facts["source"].eq("partner")
    better = (
        context * (odds + kind + source).to_numpy(dtype=float)
        + (_place(world, context) + np.log(world.rich) + world.hidden)[owner] * 0.4
    )
    alive, places, overall = np.ones(len(owner), dtype=bool), [], np.ones(len(owner))
    for number, (stage, base) in enumerate(STAGES.items()):
        chance = special.expit(special.logit(base) + better) * world.skill[f"stage_conversion/{stage}"][owner]
        chance = np.minimum(chance, 0.98)
        advanced = random.random(len(owner)) < chance
        overall *= chance
        if halved and number == len(STAGES) - 1:
            first_week = facts["rep_id"].map(halved).to_numpy(dtype=float)
            late = (closed_on - first).astype(int) // 7 >= first_week
            advanced &= ~late | (random.random(len(owner)) < 0.5 / (1 - 0.5 * overall))
        places.append(pd.DataFrame({"row": np.flatnonzero(alive), "stage": stage, "place": number,
                                    "advanced": advanced[alive]}))  # fmt: skip
        alive &= advanced
    facts["product"] = facts["family"]
    facts["opportunity_id"] = [f"o{number:06d}" for number in range(len(owner))]
    facts["won"] = alive
    closed = _character(world, facts, owner, closed_on, context * value.to_numpy(dtype=float))
    stages = pd.concat(places, ignore_index=True)
    stages = stages.join(closed[["opportunity_id", "rep_id", "closed_on", "days", *DEAL_CONTEXT]], on="row")
    share = random.dirichlet(np.ones(len(STAGES)), len(owner))
    stages["days"] = np.round(stages["days"] * share[stages["row"], stages["place"]])
    stages["left_on"] = stages["closed_on"]
    stages = stages.sort_values(["opportunity_id", "place"], ignore_index=True)
    columns = ["opportunity_id", "rep_id", "stage", "place", "advanced", "days", "left_on", *DEAL_CONTEXT]
    return closed, stages[columns]


def _character(world: _World, facts: pd.DataFrame, owner: Any, closed_on: Any, value: Any) -> pd.DataFrame:
    """Amount, price, length, contacts and silences of deals whose end is known."""
    random, skill, n = world.random, world.skill, len(facts)
    won = facts["won"].to_numpy()
    speed = skill["cycle"][owner]
    days = np.maximum(np.round(np.exp(np.log(70) + 0.15 * won + 0.3 * value - np.log(speed)
                                      + 0.55 * random.standard_normal(n))), 3)  # fmt: skip
    # a won and a lost deal's contacts per week are normal (log), so far apart that the won one has more so often
    sure = np.clip(_FOCUS * skill["focus"][owner], 0.05, 0.98)
    pace = 0.5 * np.sqrt(2) * special.ndtri(sure) * won + 0.5 * random.standard_normal(n)
    effort = skill["activity"][owner] / skill["pipeline_creation"][owner]
    touched = np.maximum(np.round(_CONTACTS_PER_DEAL / 12 * np.exp(pace) * days / 7 * effort), 0)
    kept = random.random(n) < np.clip(_FOLLOW_UP * skill["follow_up"][owner], 0.01, 0.99)
    silence = np.where(kept, np.minimum(days, random.integers(3, 22, n)), 22 + random.exponential(14, n).astype(int))
    price = np.clip(_PRICE * skill["price_kept"][owner] + 0.05 * random.standard_normal(n), 0.4, 1.0)
    amount = np.exp(9.5 + value + 0.65 * random.standard_normal(n)) * skill["deal_size"][owner] * price / _PRICE
    known = (won | (random.random(n) < 0.4)) & (price < 2)
    created = closed_on - days.astype("timedelta64[D]")
    return facts.assign(
        amount=np.round(amount, 2), days=days, activities=touched,
        longest_silence=np.minimum(silence, days).astype(float), price_kept=np.where(known, price, np.nan),
        closed_on=pd.Series(closed_on).astype("datetime64[s]"), created_on=pd.Series(created).astype("datetime64[s]"),
    )  # fmt: skip


def _weeks(
    world: _World, closed: pd.DataFrame, created: Any, clusters: float, late: Floats, context: float
) -> pd.DataFrame:
    random, reps, count = world.random, len(world.ids), 13 * world.quarters
    first = pd.Timestamp(LAST) + pd.Timedelta(days=1) - pd.Timedelta(days=91 * world.quarters)
    rate = 18.0 * world.skill["activity"] * np.exp(0.3 * _place(world, context) + 0.5 * world.hidden)
    season = np.repeat(_season(world, 0.5 * context), 13)
    mean = np.outer(rate, season)
    mean[:, count - 13 * max(world.quarters // 2, 1) :] *= late[:, None]
    mean[:, count - 13 :] *= world.skill["trend"][:, None]
    activity = clusters * random.poisson(mean / clusters)
    rows = pd.DataFrame({"rep_id": np.repeat(world.ids, count),
                         "week": np.tile(pd.date_range(first, periods=count, freq="7D"), reps), "days": 5.0,
                         "activity": activity.ravel().astype(float)}).astype({"week": "datetime64[s]"})  # fmt: skip
    week = first + pd.to_timedelta((closed["closed_on"] - first).dt.days // 7 * 7, unit="D")
    keys = pd.MultiIndex.from_frame(rows[["rep_id", "week"]])
    for name, part in (("closed", closed), ("won", closed[closed["won"]])):
        counted = part.groupby(["rep_id", week.loc[part.index].astype("datetime64[s]").rename("week")]).size()
        rows[name] = counted.reindex(keys, fill_value=0).to_numpy(dtype=float)
    rows["created"] = created.ravel().astype(float)
    rows["expected_won"] = np.nan
    return rows[["rep_id", "week", "days", "activity", "created", "closed", "won", "expected_won"]]


def _by_quarter(world: _World, weeks: pd.DataFrame, what: str) -> pd.DataFrame:
    number = weeks.groupby("rep_id", sort=False).cumcount() // 13
    rows = weeks.assign(period=np.asarray(world.periods)[number], count=weeks[what])
    rows = rows.groupby(["rep_id", "period"], as_index=False)[["count"]].sum().assign(days=63.0, tenure="settled")
    rows = rows.merge(world.people[["rep_id", "region", "territory"]], on="rep_id")
    return rows[["rep_id", "count", "days", *TIME_CONTEXT]]


def _open(world: _World, closed: pd.DataFrame) -> pd.DataFrame:
    """Deals still open: a third as many as were closed in the last quarter."""
    chosen = closed.sample(frac=1 / (3 * world.quarters), random_state=int(world.random.integers(2**31)))
    random = world.random
    stage = random.choice(list(STAGES), len(chosen))
    return pd.DataFrame({
        "opportunity_id": [f"open{number:05d}" for number in range(len(chosen))], "rep_id": chosen["rep_id"].to_numpy(),
        "account_id": [f"a{number:05d}" for number in range(len(chosen))], "amount": chosen["amount"].to_numpy(),
        "stage": stage, "age_days": random.integers(1, 120, len(chosen)).astype(float),
        "days_since_activity": random.integers(0, 40, len(chosen)).astype(float),
        "win_probability": random.beta(2, 4, len(chosen)),
    })  # fmt: skip


def _results(world: _World, closed: pd.DataFrame) -> pd.DataFrame:
    """Quotas follow half of what a territory can bear."""
    won = closed[closed["won"]].groupby("rep_id")["amount"].sum().reindex(world.ids, fill_value=0.0).to_numpy()
    quota = won.mean() * world.rich**0.5 * np.exp(0.05 * world.random.standard_normal(len(won)))
    ahead = quota / world.quarters
    return pd.DataFrame({"rep_id": world.ids, "quota": quota.round(2), "won_amount": won.round(2),
                         "open_pipeline": (ahead * world.random.gamma(8, 3 / 8, len(won))).round(2),
                         "quota_ahead": ahead.round(2)})  # fmt: skip


def _relative(world: _World, late: Floats) -> pd.DataFrame:
    second = max(world.quarters // 2, 1) / world.quarters
    fallen = 1 - second + second * late
    columns: dict[tuple[str, str], Floats] = {}
    for name, values in world.skill.items():
        signal, _, part = name.partition("/")
        columns[signal, part] = values
    last = 1 / world.quarters
    trend = world.skill["trend"]
    columns["activity", ""] = world.skill["activity"] * (fallen + last * late * (trend - 1))
    columns["pipeline_creation", ""] = world.skill["pipeline_creation"] * fallen
    if world.quarters > 1:  # the last quarter beside those before it
        before = (fallen - last * late) / (1 - last)
        columns["trend", ""] = trend * late / before
    else:
        del columns["trend", ""]
    columns["win_rate", ""] = np.prod([world.skill[f"stage_conversion/{stage}"] for stage in STAGES], axis=0)
    found = pd.DataFrame(columns, index=pd.Index(world.ids, name="rep_id"))
    found.columns = found.columns.set_names(["signal", "part"])
    return found


def _brings(relative: pd.DataFrame) -> pd.DataFrame:
    found, size = relative["pipeline_creation", ""], relative["deal_size", ""] * relative["price_kept", ""]
    return pd.DataFrame({"attainment": found * relative["win_rate", ""] * size, "coverage": found * size})
