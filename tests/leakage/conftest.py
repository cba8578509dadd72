"""A small company whose whole past is recorded, and the same company with another future."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from spm_models.crm.schemas import TABLES
from spm_models.crm.schemas.deals import ACTIVITY_KINDS

Frames = dict[str, pd.DataFrame]
STAGES = ("Lead", "Meeting", "Offer")
EXTRACTED = date(2026, 6, 30)
FIELDS = ("stage", "amount", "expected_close_on", "rep_id")
SAID = ("answered", "no_answer", "next_step", "objection")
ROLES = ("decision_maker", "champion", "user")
SCRAMBLED = ("forecast_category", "competitor", "discount", "term_months", "loss_reason")  # nobody recorded these


@pytest.fixture(scope="session")
def company() -> Frames:
    return _company(np.random.default_rng(7), deals=90)


@pytest.fixture(scope="session")
def another_future() -> Callable[..., Frames]:
    return _another_future


def _company(rng: np.random.Generator, deals: int) -> Frames:
    start = pd.Timestamp("2025-01-01")
    opportunities, history, activities, contacts, calls, shares = [], [], [], [], [], []
    for number in range(deals):
        name, created = f"o{number:03}", start + pd.Timedelta(days=int(rng.integers(0, 520)))
        closed = created + pd.Timedelta(days=int(rng.gamma(2, 45)) + 1)
        status = "open" if closed.date() > EXTRACTED else str(rng.choice(["won", "lost"]))
        until = min(closed, pd.Timestamp(EXTRACTED))
        now: dict[str, Any] = {}
        for field in FIELDS:
            # Half of the fields have a row from creation, half begin with a later change.
            steps = sorted(rng.integers(0, max((until - created).days, 1) * 24, int(rng.integers(0, 4))))
            value, first = _value(field, rng, created), bool(rng.random() < 0.5)
            if first:
                history.append((name, created, field, None, value))
            for hours in dict.fromkeys(h + 1 for h in steps):
                fresh = _value(field, rng, created)
                history.append((name, created + pd.Timedelta(hours=int(hours)), field, value, fresh))
                value = fresh
            now[field] = value
        opportunities.append(
            now | {"opportunity_id": name, "status": status, "created_on": created, "currency": "EUR",
                   "closed_on": None if status == "open" else closed, "account_id": f"k{number % 7}",
                   "product_id": f"p{number % 2}",
                   "amount_company": float(now["amount"]) * 1.5, "competitor": "Rival", "field_mood": "calm",
                   "kind": "new" if number % 3 else "renewal", "source": f"s{number % 2}"}
        )  # fmt: skip
        for _ in range(int(rng.integers(0, 8))):
            due = created + pd.Timedelta(hours=int(rng.integers(0, 4000)))
            late = pd.Timedelta(hours=int(rng.integers(-50, 400)))
            done = due + late if due + late <= pd.Timestamp(EXTRACTED) else None
            kind, said = str(rng.choice(ACTIVITY_KINDS)), str(rng.choice(SAID))
            activities.append((name, f"r{rng.integers(0, 5)}", kind, due, done, said if done is not None else None))
        for nth in range(int(rng.integers(0, 3))):
            role, later = str(rng.choice(ROLES)), pd.Timedelta(days=int(rng.integers(0, 90)))
            contacts.append((name, f"c{number}-{nth}", created + later, role))
            calls.append((f"p{number}-{nth}", f"r{nth}", name, created + 2 * later, nth == 1, str(rng.choice(SAID))))
            shares.append((name, f"r{nth}", 0.5, created + later, created + 3 * later if nth else None))
    return {
        "reps": pd.DataFrame(
            [{"rep_id": f"r{k}", "team": f"t{k % 2}", "region": f"region{k % 2}", "manager_id": "m0",
              "hired_on": f"2024-0{k + 1}-01"}
             for k in range(5)]
        ),
        "reporting_lines": pd.DataFrame(
            [{"rep_id": f"r{k}", "manager_id": f"m{k + h}", "valid_from": start + pd.Timedelta(days=150 * h),
              "valid_to": start + pd.Timedelta(days=150 * (h + 1) - 1) if h < 3 else None}
             for k in range(5) for h in range(4)]
        ),
        "territories": pd.DataFrame(
            [{"rep_id": f"r{k}", "territory": f"area{h}", "valid_from": start + pd.Timedelta(days=100 * h),
              "valid_to": None} for k in range(4) for h in range(5)]
        ),
        "accounts": pd.DataFrame(
            [{"account_id": f"k{k}", "segment": f"size{k % 2}", "industry": f"i{k % 3}"} for k in range(7)]
        ),
        "products": pd.DataFrame([{"product_id": f"p{k}", "family": f"F{k}", "list_price": 9 + k} for k in range(2)]),
        "opportunities": pd.DataFrame(opportunities),
        "opportunity_history": pd.DataFrame(history, columns=["opportunity_id", "changed_at", "field", "old", "new"]),
        "activities": pd.DataFrame(
            activities, columns=["opportunity_id", "rep_id", "kind", "due_at", "happened_at", "outcome"]
        ).assign(activity_id=lambda a: [f"a{k}" for k in range(len(a))]),
        "contacts": pd.DataFrame(contacts, columns=["opportunity_id", "contact_id", "added_on", "role"]),
        "calls": pd.DataFrame(
            calls, columns=["call_id", "rep_id", "opportunity_id", "offered_at", "abandoned", "outcome"]
        ),
        "deal_contributors": pd.DataFrame(
            shares, columns=["opportunity_id", "rep_id", "share", "valid_from", "valid_to"]
        ),
        "exchange_rates": pd.DataFrame(
            [{"day": start + pd.Timedelta(days=30 * k), "currency": "EUR", "rate": 1 + k / 20} for k in range(19)]
        ),
    }  # fmt: skip


def _value(field: str, rng: np.random.Generator, created: pd.Timestamp) -> str:
    if field == "stage":
        return str(rng.choice(STAGES))
    if field == "amount":
        return str(int(rng.integers(1, 999)))
    if field == "rep_id":
        return f"r{rng.integers(0, 5)}"
    return str((created + pd.Timedelta(days=int(rng.integers(1, 200)))).date())


def _another_future(frames: Frames, cutoff: datetime, seed: int) -> Frames:
    """What the source would hold had everything after the cutoff gone otherwise.

    The past stays as it was written: rows dated before the cutoff, deals closed by then (but for edits after the
    close), and of a first later change the old value, because it is how a source remembers the past.
    """
    rng = np.random.default_rng(seed)
    cut, day = pd.Timestamp(cutoff), pd.Timestamp(cutoff) - pd.Timedelta(hours=12)
    altered = {name: _alter_dated(name, frame, cut, rng) for name, frame in frames.items()}
    deals = _alter_deals(frames["opportunities"].copy(), day, rng)
    if "opportunity_history" in frames:
        deals, altered["opportunity_history"] = _alter_history(deals, frames["opportunity_history"], cut, rng)
    altered["opportunities"] = deals
    for name in ("reporting_lines", "territories", "deal_contributors"):
        if name in altered:
            ends = pd.to_datetime(altered[name]["valid_to"])
            later = (ends.isna() | (ends > day)).to_numpy() & (rng.random(len(ends)) < 0.7)
            altered[name]["valid_to"] = ends.mask(later, day.normalize() + pd.Timedelta(days=int(rng.integers(1, 90))))
    altered["reps"] = altered["reps"].assign(left_on="2027-01-01", email="new@example.com")
    if "reporting_lines" in frames:
        altered["reps"]["manager_id"] = "m99"
    return altered


def _alter_dated(name: str, frame: pd.DataFrame, cut: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """Shift, empty, delete and double rows that are dated after the cutoff."""
    dated_by = TABLES[name].dated_by
    if dated_by is None or name in ("opportunities", "opportunity_history"):
        return frame.copy()
    at = pd.to_datetime(frame[dated_by])
    later = ~(at < cut)
    past, future = frame[~later].copy(), frame[later].copy()
    if name == "activities":  # due before the cutoff: the plan was known then, its fulfilment was not
        planned = pd.to_datetime(future["due_at"]) < cut
        plans = future[planned].assign(happened_at=cut + pd.Timedelta(hours=int(rng.integers(0, 99))))
        plans.loc[rng.random(len(plans)) < 0.5, "happened_at"] = None
        past, future = pd.concat([past, plans]), future[~planned]
    future = future[rng.random(len(future)) < 0.6].copy()
    future[dated_by] = cut + pd.to_timedelta(rng.integers(13, 5000, len(future)), unit="h")
    numbers = ("rate", "minutes", "share")
    for column in (*numbers, "manager_id", "territory", "kind", "outcome", "role"):
        if column in future:
            future[column] = 77.0 if column in numbers else "meeting"
    keys = [key for key in TABLES[name].key if key != dated_by]
    added = future.assign(**{key: future[key].astype(str) + "+" for key in keys})
    return pd.concat([past, future, added]).drop_duplicates(TABLES[name].key).sample(frac=1, random_state=3)


def _alter_deals(deals: pd.DataFrame, day: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    created, closed = pd.to_datetime(deals["created_on"]), pd.to_datetime(deals["closed_on"])
    settled = closed <= day
    deals = deals[(created <= day) | (rng.random(len(deals)) < 0.5)].copy()
    living = deals.index[~settled[deals.index]]
    fate = pd.Series(rng.choice(["open", "won", "lost"], len(living)), living)
    deals["closed_on"] = closed
    after = day.normalize() + pd.to_timedelta(rng.integers(1, 400, len(living)), unit="D")
    deals.loc[living, "closed_on"] = pd.Series(after, living).where(fate != "open")
    deals.loc[living, "status"] = fate
    newborn = deals.index[pd.to_datetime(deals["created_on"]) > day]
    deals.loc[newborn, "created_on"] = day.normalize() + pd.Timedelta(days=3)
    for column in SCRAMBLED:
        deals[column] = 0.5 if column == "discount" else 6 if column == "term_months" else "commit"
    return deals.assign(field_mood="cross")


def _alter_history(
    deals: pd.DataFrame, history: pd.DataFrame, cut: pd.Timestamp, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Replace all later changes by others; the deals then show the last value of the new history."""
    later = pd.to_datetime(history["changed_at"]) >= cut
    past = history[~later]
    stood = deals.set_index("opportunity_id")[list(FIELDS)].stack().rename("value")  # never changed: today's value
    first_later = history[later].sort_values("changed_at").drop_duplicates(["opportunity_id", "field"])
    stood.update(first_later.set_index(["opportunity_id", "field"])["old"].rename("value").dropna())
    stood.update(past.sort_values("changed_at").groupby(["opportunity_id", "field"])["new"].last().rename("value"))
    rows = []
    for (name, field), value in stood.items():
        if rng.random() < 0.6:
            fresh = _value(field, rng, cut)
            at = cut + timedelta(hours=int(rng.integers(0, 3000)))
            rows.append((name, at, field, value, fresh))
            deals.loc[deals["opportunity_id"] == name, field] = fresh
        else:
            deals.loc[deals["opportunity_id"] == name, field] = value
    deals["amount_company"] = deals["amount"].astype(float) * 3
    return deals, pd.concat([past, pd.DataFrame(rows, columns=past.columns)])
