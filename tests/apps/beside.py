"""What stands beside the forecast of the hand-made company: inputs, bridges, pace, movement, submissions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from spm_models.revenue_forecast.published_inputs import CHANCES

LEVELS = {"company": "company", "region": "region", "team": "team", "manager": "manager_id", "rep": "rep_id"}
CHANGE = {"before": 30.0e6, "won": 1.2e6, "lost": -0.9e6, "chance": 0.4e6, "new_deals": 0.7e6, "after": 31.4e6}
TARGET = {"target": 32.0e6, "volume": -2.1e6, "conversion": 1.2e6, "deal_size": 0.3e6, "forecast": 31.4e6}
MOVED = {"opening": 80.0e6, "created": 6.0e6, "won": -3.0e6, "lost": -2.0e6, "closing": 81.0e6}


def beside(reps: pd.DataFrame, period: str, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Published tables beside the forecast of one period."""
    last = as_of - pd.Timedelta(days=7)
    units = [(level, key) for level, column in LEVELS.items() for key in reps.assign(company="")[column].unique()]
    days = {"from_on": last, "to_on": as_of}
    bridge = [
        {"kind": kind, "period": period, **days, "level": level, "key": key, "step": step, "place": place,
         "value": value, "by_chance": 1.5e6 if kind == "target" else np.nan}
        for kind, steps in (("change", CHANGE), ("target", TARGET)) for level, key in units
        for place, (step, value) in enumerate(steps.items())
    ]  # fmt: skip
    movement = [
        {"window": "week", **days, "period": "", "level": level, "key": key, "step": step, "place": place,
         "amount": amount, "deals": 3, "moved": 3}
        for level, key in units for place, (step, amount) in enumerate(MOVED.items())
    ]  # fmt: skip
    deals = pd.DataFrame({"opportunity_id": [f"D00{n}" for n in range(3)], "rep_id": ["r1", "r3", "r5"],
                          "account_name": ["Gül <i>AŞ</i>", "شركة النور", None]})  # fmt: skip
    return {
        "forecast_bridge": pd.DataFrame(bridge), "pipeline_movement": pd.DataFrame(movement),
        "forecast_bridge_deals": deals.assign(period=period, step="chance", value=[4e5, -2e5, 1e5], before=1e6,
                                              after=1e6),
        "pipeline_moves": deals.assign(window="week", period="", step="created", amount=2e6, amount_before=np.nan,
                                       amount_after=2e6, close_before=pd.NaT, close_after=as_of),
        **_pace(units, period, as_of), **_said(units, period, as_of), **_inputs(reps, period, as_of),
    }  # fmt: skip


def _pace(units: list[tuple[str, str]], period: str, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    weeks = np.arange(1, 14)
    lines: list[dict[str, Any]] = [
        {"level": level, "key": key, "period": label, "kind": kind, "week": week,
         "week_end": as_of, "revenue": pace * week, "share": week / 13 if kind == "past" else np.nan}
        for level, key in units
        for label, kind, pace, until in (("2026-Q2", "past", 2.5e6, 13), (period, "this", 2.2e6, 7))
        for week in weeks[:until]
    ]  # fmt: skip
    place = pd.DataFrame(units, columns=["level", "key"]).assign(period=period, as_of=as_of, quarters=4, weeks_left=6.0)
    position = place.assign(week=7, revenue=15.4e6, usual_share=0.54, share_low=0.48, share_high=0.6,
                            usual_revenue=17.5e6, usual_rest_per_week=2.5e6)  # fmt: skip
    tiers = place.assign(tier="standard", quota=32.0e6, revenue=15.4e6, left=16.6e6, needed_per_week=2.8e6,
                         usual_rest_per_week=2.5e6, reached=1)  # fmt: skip
    return {"pacing": pd.DataFrame(lines), "pacing_position": position, "quota_pace": tiers}


def _said(units: list[tuple[str, str]], period: str, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    place = pd.DataFrame(units, columns=["level", "key"]).assign(period=period)
    categories = [place.assign(category=name, amount=amount, deals=4, running=running)
                  for name, amount, running in (("commit", 5e6, 20e6), ("best_case", 4e6, 24e6))]  # fmt: skip
    said = place.iloc[:1].assign(
        entry=1, period_start=as_of, period_end=as_of, author="m1", author_name="Elif Demir", submitted_at=as_of,
        commit=33e6, best_case=36e6, note="", forecast=31e6, actual=np.nan, standing=True,
    )  # fmt: skip
    accuracy = place.iloc[:1].drop(columns="period").assign(
        author="m1", author_name="Elif Demir", week=6, periods=3, commit_error=0.14, commit_bias=0.1,
        best_case_bias=0.2, forecasts=0, commit_error_beside=np.nan, forecast_error=np.nan, forecast_bias=np.nan,
    )  # fmt: skip
    return {"forecast_categories": pd.concat(categories, ignore_index=True), "forecast_submissions": said,
            "submission_accuracy": accuracy}  # fmt: skip


def _inputs(reps: pd.DataFrame, period: str, as_of: pd.Timestamp) -> dict[str, pd.DataFrame]:
    deals = pd.DataFrame([
        {"period": period, "opportunity_id": f"{rep}-{n}", "rep_id": rep, "part": "open", "win_probability": 0.4,
         "base": 5e5, "pool": 0, "worth": 5e5, **dict.fromkeys(CHANCES, 0.3)}
        for rep in reps["rep_id"] for n in range(6)
    ])  # fmt: skip
    people = reps.rename(columns={"manager_id": "manager", "name": "rep"})[
        ["rep_id", "region", "team", "manager", "rep"]
    ]
    people = people.assign(period=period, mean=2.0, shape=10.0, worth=5e5, closed=1e6)
    values = {
        "pool_0": [0.8, 1.0, 1.2], "new_pool": [0.6, 1.0, 1.4], "new_shares": [1.0] * len(CHANCES), "hire": [1.0, 4.0],
        "shocks": [0.1, 0.1, 0.05, 0.05], "quarters": [8], "dispersion": [1.2], "share_in_time": [0.3],
        "draws": [400], "seed": [1], "as_of": [as_of.date().toordinal()],
    }  # fmt: skip
    rows = [{"period": period, "name": name, "place": place, "value": float(value)}
            for name, every in values.items() for place, value in enumerate(every)]  # fmt: skip
    return {"forecast_inputs": deals, "forecast_input_people": people, "forecast_input_values": pd.DataFrame(rows)}
