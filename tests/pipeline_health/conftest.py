"""A company made of stays in stages, with known speed and conversion everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

import numpy as np
import pandas as pd
import pytest

from spm_models.pipeline_health import PipelineFacts
from spm_models.snapshots.visits import VISITS

AS_OF = date(2026, 6, 30)
STAGES = ("Lead", "Meeting", "Offer")
TEAMS, REPS = 4, 5

#: (stage, team or None, since block or None) -> factor of the rate of leaving, or of the chance to get through
Planted = Mapping[tuple[str, str | None], float]


def _simulated(
    seed: int, deals: int = 900, *, slower: Planted | None = None, worse: Planted | None = None, recent: bool = False,
    between_reps: float = 0.25,
) -> PipelineFacts:  # fmt: skip
    """Deals of 4 teams of 5 reps who differ in pace; ``recent``: what is planted holds in the last 180 days only."""
    rng = np.random.default_rng(seed)
    rep = rng.integers(0, TEAMS * REPS, deals)
    pace = np.exp(rng.normal(0, between_reps, TEAMS * REPS))[rep]
    team = pd.Series([f"t{number % TEAMS}" for number in rep])
    segment = rng.choice(["small", "large"], deals, p=[0.7, 0.3])
    at = rng.uniform(0, 700, deals)  # days before the first day that is looked at count as well
    start = pd.Timestamp(AS_OF) - pd.Timedelta(days=699)
    created = start + pd.to_timedelta(at.astype(int), unit="D")
    alive, parts = np.ones(deals, dtype=bool), []
    for place, stage in enumerate(STAGES):
        on = (at > 520) | (not recent)
        rate, through = pace * np.where(segment == "large", 0.7, 1.0) / 20, np.full(deals, 0.75)
        for (where, which), factor in (slower or {}).items():
            rate = np.where((where == stage) & ((which is None) | (team == which)) & on, rate * factor, rate)
        for (where, which), factor in (worse or {}).items():
            through = np.where((where == stage) & ((which is None) | (team == which)) & on, through * factor, through)
        days = np.floor(rng.exponential(1 / rate))
        gone = at + days
        passed = rng.random(deals) < through
        parts.append(
            pd.DataFrame(
                {"opportunity_id": [f"o{n:05}" for n in range(deals)], "stage": stage, "place": place,
                 "entered_on": start + pd.to_timedelta(at.astype(int), unit="D"),
                 "left_on": start + pd.to_timedelta(at.astype(int) + days.astype(int), unit="D"),
                 "ended": np.where(passed, "won" if place == 2 else "advanced", "lost"), "days": days}
            )[alive & (at < 700)]
        )  # fmt: skip
        alive, at = alive & passed, gone
    visits = pd.concat(parts, ignore_index=True)
    beyond = visits["left_on"] > pd.Timestamp(AS_OF)
    visits["left_on"], visits["ended"] = visits["left_on"].mask(beyond), visits["ended"].mask(beyond)
    visits["days"] = (visits["left_on"].fillna(pd.Timestamp(AS_OF)) - visits["entered_on"]).dt.days
    visits = visits.astype(VISITS).sort_values(["opportunity_id", "place"], ignore_index=True)
    last = visits.drop_duplicates("opportunity_id", keep="last").set_index("opportunity_id")
    names = pd.Index([f"o{n:05}" for n in range(deals)], name="opportunity_id")
    status = last["ended"].reindex(names).fillna("open").replace({"advanced": "open"})
    frame = pd.DataFrame(
        {"opportunity_id": names, "rep_id": [f"r{n:02}" for n in rep], "team": team, "region": "all",
         "segment": segment, "kind": "new", "source": "web", "amount": np.round(rng.lognormal(9, 1, deals), 2),
         "created_on": created, "closed_on": last["left_on"].reindex(names).to_numpy(), "status": status.to_numpy(),
         "stage": last["stage"].reindex(names).to_numpy(), "loss_reason": None, "competitor": None,
         "discount": np.nan}
    )  # fmt: skip
    context = ["rep_id", "team", "region", "segment", "kind", "source", "created_on"]
    visits = visits.merge(frame[["opportunity_id", *context]], on="opportunity_id")
    still = frame[frame["status"] == "open"]
    now = still.assign(days_in_stage=still["opportunity_id"].map(last["days"]), push_count=0.0)
    nothing = pd.DataFrame({"opportunity_id": [], "kind": [], "at": pd.Series(dtype="datetime64[us]")})
    contacts = pd.DataFrame({"opportunity_id": [], "role": [], "added_on": pd.Series(dtype="datetime64[s]")})
    return PipelineFacts(AS_OF, STAGES, now, frame, visits, nothing, pd.Series(dtype=float), contacts)


@pytest.fixture(scope="session")
def simulated() -> Callable[..., PipelineFacts]:
    return _simulated
