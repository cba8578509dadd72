"""Columns of the pipeline snapshot and of outcomes: what every model may look at, and nothing else."""

from __future__ import annotations

#: One row per deal and ``as_of``; every column always exists and is empty where the source cannot date it.
PIPELINE: dict[str, str] = {
    "as_of": "datetime64[s]",  # end of this day in the company's time zone
    "opportunity_id": "str",
    "rep_id": "str",  # owner on that day
    "manager_id": "str",  # of the owner on that day
    "team": "str",
    "region": "str",
    "territory": "str",
    "account_id": "str",
    "segment": "str",
    "industry": "str",
    "product_id": "str",
    "family": "str",
    "source": "str",
    "kind": "str",
    "competitor": "str",
    "forecast_category": "str",
    "stage": "str",
    "stage_order": "float64",  # 0 = first open stage
    "created_on": "datetime64[s]",
    "expected_close_on": "datetime64[s]",
    "amount": "float64",  # company currency; empty where unknown on that day
    "list_price": "float64",  # company currency
    "age_days": "float64",
    "days_in_stage": "float64",
    "days_to_expected_close": "float64",  # negative = overdue
    "push_count": "float64",  # times the expected close date moved later
    "slip_days": "float64",  # days by which it moved in all
    "amount_changes": "float64",
    "amount_ratio": "float64",  # amount / first amount
    "stage_regressions": "float64",
    "owner_changes": "float64",
    "activities": "float64",  # done so far
    "activities_30d": "float64",
    "meetings": "float64",
    "days_since_activity": "float64",
    "overdue_activities": "float64",  # planned, due by as_of, not done
    "contacts": "float64",
    "rep_tenure_days": "float64",
}

#: One row per deal closed by ``as_of``, as known then.
OUTCOMES: dict[str, str] = {
    "opportunity_id": "str",
    "rep_id": "str",
    "status": "str",  # won | lost
    "won": "bool",
    "created_on": "datetime64[s]",
    "closed_on": "datetime64[s]",
    "amount": "float64",  # company currency, as known at as_of
}
