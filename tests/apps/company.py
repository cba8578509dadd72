"""A small company's published results, made by hand: sums over units agree draw by draw."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spm_models.reports.outlook import PARTS

_SPEC = importlib.util.spec_from_file_location("outlook_beside", Path(__file__).with_name("beside.py"))
assert _SPEC and _SPEC.loader
_BESIDE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_BESIDE)

AS_OF, START, END = (pd.Timestamp(day) for day in ("2026-08-14", "2026-07-01", "2026-09-30"))
PERIOD = "2026-Q3"
DRAWS = 400
REPS = [
    ("r1", "Ayşe Yılmaz", "m1", "Elif Demir", "Field West", "West"),
    ("r2", "Can Öztürk", "m1", "Elif Demir", "Field West", "West"),
    ("r3", "سارة العتيبي", "m2", "Omar Haddad", "Gulf", "Gulf"),
    ("r4", "Yusuf <b>Kaya</b>", "m2", "Omar Haddad", "Gulf", "Gulf"),
    ("r5", "Maria Santos", "m3", "İpek Şahin", "Inside", "West"),
    ("r6", "Deniz Arslan", "m3", "İpek Şahin", "Inside", "West"),
]
HISTORY = [("2025-Q3", 24.1), ("2025-Q4", 31.8), ("2026-Q1", 27.4), ("2026-Q2", 33.9)]


def company(seed: int = 3) -> dict[str, pd.DataFrame]:
    """Every published table that the outlook reads."""
    reps = pd.DataFrame(REPS, columns=["rep_id", "name", "manager_id", "manager_name", "team", "region"])
    draws = _draws(np.random.default_rng(seed), reps)
    forecast = _forecast(draws)
    return {
        "reps": reps.assign(role="rep", hired_on=pd.Timestamp("2022-01-01"), left_on=pd.NaT, email="", locale="en"),
        "forecast": forecast, "forecast_quantiles": _months(forecast), "forecast_draws": draws,
        "quota_chances": _chances(draws), "revenue_history": _history(draws), "forecast_replay": _replay(),
        **_deals(np.random.default_rng(seed + 1), reps), **_BESIDE.beside(reps, PERIOD, AS_OF),
    }  # fmt: skip


def _draws(rng: np.random.Generator, reps: pd.DataFrame) -> pd.DataFrame:
    rows = []
    for number, rep in enumerate(reps.itertuples()):
        closed = 1.1e6 + 0.4e6 * number
        parts = {
            "closed": closed,
            "open": rng.binomial(6, 0.45, DRAWS) * (0.6e6 + 0.1e6 * number),
            "slipped": rng.binomial(2, 0.2, DRAWS) * 0.3e6,
            "renewals": rng.binomial(1, 0.5, DRAWS) * 0.2e6,
            "not_yet_created": rng.gamma(2, 0.25e6, DRAWS),
        }
        frame = pd.DataFrame({"draw": range(DRAWS), **parts}).assign(rep_id=rep.rep_id)
        rows.append(frame.merge(reps[["rep_id", "manager_id", "team", "region"]], on="rep_id"))
    every = pd.concat(rows).assign(company="")
    columns = {"company": "company", "region": "region", "team": "team", "manager": "manager_id", "rep": "rep_id"}
    levels = []
    for level, column in columns.items():
        sums = every.groupby([column, "draw"], as_index=False)[list(PARTS)].sum()
        levels.append(sums.rename(columns={column: "key"}).assign(level=level))
    stacked = pd.concat(levels).assign(period=PERIOD)
    return stacked.assign(total=stacked[list(PARTS)].sum(axis=1))


def _forecast(draws: pd.DataFrame) -> pd.DataFrame:
    long = draws.melt(["period", "level", "key", "draw"], var_name="part", value_name="amount")
    grouped = long.groupby(["period", "level", "key", "part"])["amount"]
    table = grouped.quantile([0.1, 0.5, 0.9]).unstack().set_axis(["p10", "p50", "p90"], axis=1)
    table["mean"] = grouped.mean()
    return table.reset_index().assign(as_of=AS_OF, period_start=START, period_end=END)


def _months(forecast: pd.DataFrame) -> pd.DataFrame:
    """The quarter and its months, a quarter, a quarter and a half of it."""
    whole = forecast.assign(quarter=PERIOD)
    parts = [whole]
    for month, share in (("2026-07", 0.25), ("2026-08", 0.25), ("2026-09", 0.5)):
        start = pd.Timestamp(f"{month}-01")
        amounts = {name: whole[name] * share for name in ("mean", "p10", "p50", "p90")}
        parts.append(
            whole.assign(period=month, period_start=start, period_end=start + pd.offsets.MonthEnd(), **amounts)
        )
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(p025=rows["p10"], p25=rows["p50"], p75=rows["p50"], p975=rows["p90"])


def _quotas(draws: pd.DataFrame) -> pd.DataFrame:
    middle = draws.groupby(["level", "key"])["total"].median().rename("quota").reset_index()
    tiers = pd.DataFrame({"tier": ["minimum", "standard", "maximum"], "factor": [0.85, 0.98, 1.15]})
    both = middle.merge(tiers, how="cross")
    return both.assign(quota=both["quota"] * both["factor"]).drop(columns="factor")


def _chances(draws: pd.DataFrame) -> pd.DataFrame:
    joined = draws.merge(_quotas(draws), on=["level", "key"])
    joined["probability"] = (joined["total"] >= joined["quota"]).astype(float)
    keys = ["period", "level", "key", "tier"]
    return joined.groupby(keys, as_index=False).agg(
        quota=("quota", "first"), closed=("closed", "first"), probability=("probability", "mean")
    )


def _history(draws: pd.DataFrame) -> pd.DataFrame:
    shares = draws.groupby(["level", "key"])["total"].mean()
    shares = (shares / shares["company", ""]).reset_index(name="share")
    past = pd.DataFrame(HISTORY, columns=["period", "revenue"])
    quarters = pd.PeriodIndex(past["period"].str.replace("-", ""), freq="Q")
    past = past.assign(period_start=quarters.start_time, period_end=quarters.end_time.normalize())
    both = shares.merge(past, how="cross")
    both["revenue"] *= both["share"] * 1e6
    return both.assign(deals=12, quota=both["revenue"] * 1.04).drop(columns="share")


def _replay() -> pd.DataFrame:
    actual = pd.DataFrame(HISTORY, columns=["period", "actual"])
    actual["actual"] *= 1e6
    model = actual.assign(method="blend", week=0, p50=[25.2e6, 29.0e6, 29.9e6, 33.1e6])
    model = model.assign(p10=model["p50"] * 0.86, p90=model["p50"] * 1.09)
    naive = actual.assign(method="seasonal_naive", week=0, p50=model["p50"] * 1.17, p10=np.nan, p90=np.nan)
    both = pd.concat([model, naive], ignore_index=True)
    hit = both["actual"].between(both["p10"], both["p90"]).astype("boolean").mask(both["p10"].isna())
    start = pd.PeriodIndex(both["period"].str.replace("-", ""), freq="Q").start_time
    half = both["p50"] - both["p10"]
    ends = {"p025": both["p50"] - 1.5 * half, "p25": both["p50"] - 0.5 * half, "p75": both["p50"] + 0.5 * half,
            "p975": both["p50"] + 1.5 * half}  # fmt: skip
    return both.assign(as_of=start, mean=both["p50"], error=both["p50"] - both["actual"], hit=hit, **ends)


def _deals(rng: np.random.Generator, reps: pd.DataFrame) -> dict[str, pd.DataFrame]:
    count = 24
    probability = rng.uniform(0.15, 0.85, count)
    amount = rng.uniform(0.3e6, 3e6, count).round(-3)
    owners = [reps["rep_id"].iloc[i % len(reps)] for i in range(count)]
    names = [f"Customer {i:02d}" for i in range(count - 2)] + ['=HYPERLINK("x")', "<img src=x onerror=alert(1)>"]
    deals: dict[str, Any] = {
        "as_of": AS_OF, "opportunity_id": [f"D{i:03d}" for i in range(count)], "rep_id": owners,
        "account_id": [f"A{i}" for i in range(count)], "account_name": names, "product_id": "P1",
        "stage": rng.choice(["Discovery", "Proposal", "Negotiation"], count), "created_on": pd.Timestamp("2026-05-02"),
        "expected_close_on": pd.to_datetime(["2026-09-10", "2026-10-20"] * (count // 2)), "amount": amount,
        "expected_amount": amount * probability, "age_days": 104.0, "days_since_activity": 6.0, "push_count": 1.0,
        "win_probability": probability, "low": probability * 0.8, "high": np.minimum(0.98, probability * 1.2),
        "scored_by": "logistic",
    }  # fmt: skip
    scores = pd.DataFrame(deals)
    reasons = scores[["opportunity_id", "rep_id"]].merge(
        pd.DataFrame({
            "rank": [0, 1, 2, 3], "feature": ["typical_deal", "stage", "pushes", "activity_recency"],
            "fact": ["", "stage", "push_count", "days_since_activity"], "value": ["", "Proposal", "1", "6"],
            "typical": ["", "", "0", "12"], "contribution": [-0.8, 0.5, -0.4, 0.2],
            "points": [0.31, 0.11, -0.08, 0.04],
        }), how="cross",
    )  # fmt: skip
    weeks = pd.DataFrame({"as_of": [AS_OF - pd.Timedelta(weeks=k) for k in range(6)], "back": range(6)})
    trend = scores[["opportunity_id", "rep_id", "win_probability"]].merge(weeks, how="cross")
    trend["win_probability"] *= 1 - 0.05 * trend["back"]
    views = scores[["opportunity_id", "rep_id"]].tail(3).assign(
        author="m1", author_name="Elif <i>Demir</i>", win_probability=0.7, reason="<b>signed</b> letter of intent",
        written_at=pd.Timestamp("2026-08-12 09:30"),
    )  # fmt: skip
    return {
        "deal_scores": scores, "deal_reasons": reasons, "deal_trend": trend.drop(columns="back"),
        "deal_overrides": views,
    }  # fmt: skip
