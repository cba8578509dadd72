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
    "amount_cuts": "float64",  # times the amount was lowered
    "days_since_push": "float64",  # empty: never pushed
    "discount": "float64",  # share 0-1; changing and undated (as competitor): empty on past days unless vouched for
    "term_months": "float64",  # likewise
    "activities": "float64",  # touches so far: activities done, and calls that were not abandoned
    "activities_14d": "float64",
    "activities_30d": "float64",
    "activities_prior_30d": "float64",  # in the 30 days before the last 30
    "calls": "float64",
    "meetings": "float64",
    "meetings_30d": "float64",
    "emails": "float64",
    "demos": "float64",
    "proposals": "float64",
    "content_shared": "float64",
    "active_reps_30d": "float64",  # reps with a touch in the last 30 days
    "answered_touches": "float64",  # the buyer was met or reacted; empty where no outcome had been recorded yet
    "unanswered_touches": "float64",  # touches since the last answered one
    "objections": "float64",  # touches that ended in an objection or a refusal
    "next_steps": "float64",  # touches that ended in an agreed next step
    "days_since_activity": "float64",
    "days_since_meeting": "float64",  # meeting or demo
    "days_since_answer": "float64",
    "overdue_activities": "float64",  # planned, due by as_of, not done
    "contacts": "float64",
    "contact_roles": "float64",  # different roles among them
    "decision_makers": "float64",
    "contributors": "float64",  # reps who share in the deal on that day
    "rep_open_deals": "float64",  # of the owner, this one included
    "account_open_deals": "float64",  # of the account, this one not included
    "account_won": "float64",  # the account's deals won by then
    "account_lost": "float64",
    "days_since_account_won": "float64",
    "quarter_day": "float64",  # days since the fiscal quarter began
    "days_to_quarter_end": "float64",  # 0 on its last day
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
