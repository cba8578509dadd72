"""Tables of published results: versioned, sorted by key, floats rounded, the same wherever they are shown."""

from __future__ import annotations

from spm_models.published.coaching_schemas import COACHING_TABLES
from spm_models.published.table import INTERVAL as _INTERVAL
from spm_models.published.table import LEVEL as _LEVEL
from spm_models.published.table import PublishedTable
from spm_models.published.target_schemas import TARGET_TABLES

__all__ = ["TABLES", "VERSION", "PublishedTable"]

VERSION = 8

TABLES: dict[str, PublishedTable] = {
    table.name: table
    for table in (
        PublishedTable(
            "reps", "one rep on the day of the snapshot", ("rep_id",),
            {"rep_id": "str", "name": "str", "manager_id": "str", "manager_name": "str", "team": "str",
             "region": "str", "role": "str", "hired_on": "datetime64[s]", "left_on": "datetime64[s]",
             "email": "str", "locale": "str"},
            "rep_id",
        ),
        PublishedTable(
            "deal_scores", "one open deal", ("opportunity_id",),
            {"as_of": "datetime64[s]", "opportunity_id": "str", "rep_id": "str", "account_id": "str",
             "account_name": "str", "product_id": "str", "stage": "str", "created_on": "datetime64[s]",
             "expected_close_on": "datetime64[s]", "amount": "float64", "expected_amount": "float64",
             "age_days": "float64", "days_since_activity": "float64", "push_count": "float64",
             "win_probability": "float64", **_INTERVAL, "scored_by": "str"},
            "rep_id",
        ),
        PublishedTable(
            "deal_reasons", "one reason of one deal; contributions of a deal add up to its log-odds",
            ("opportunity_id", "rank"),
            {"opportunity_id": "str", "rep_id": "str", "rank": "int64", "feature": "str", "fact": "str", "value": "str",
             "typical": "str", "contribution": "float64", "points": "float64"},
            "rep_id",
        ),  # feature: group of features; fact: the column that says it best; points add up to the probability
        PublishedTable(
            "deal_trend", "one open deal on one past day, as the same model sees how it stood then",
            ("opportunity_id", "as_of"),
            {"opportunity_id": "str", "rep_id": "str", "as_of": "datetime64[s]", "win_probability": "float64"},
            "rep_id",
        ),
        PublishedTable(
            "deal_overrides", "one person's own win probability of one open deal, newest of his only",
            ("opportunity_id", "author"),
            {"opportunity_id": "str", "rep_id": "str", "author": "str", "author_name": "str",
             "win_probability": "float64", "reason": "str", "written_at": "datetime64[s]"},
            "rep_id",
        ),  # written_at: naive UTC; shown beside the score, never used by a model
        PublishedTable(
            "deal_timing", "one open deal and day: its chance to be won, and to be lost, by the end of that day",
            ("opportunity_id", "day"),
            {"opportunity_id": "str", "rep_id": "str", "day": "datetime64[s]", "won_by": "float64",
             "lost_by": "float64"},
            "rep_id",
        ),  # weekly for 26 weeks, the ends of this and the next two quarters, and the expected close date
        PublishedTable(
            "forecast", "one level, unit, period and part; amounts in the company's currency",
            ("period", "level", "key", "part"),
            {"as_of": "datetime64[s]", "period": "str", "period_start": "datetime64[s]", "period_end": "datetime64[s]",
             **_LEVEL, "part": "str", "mean": "float64", "p10": "float64", "p50": "float64", "p90": "float64"},
            "level", 2,
        ),  # part: closed | open | slipped | renewals | not_yet_created | total
        PublishedTable(
            "forecast_quantiles", "one part of one unit in a forecast quarter or one of its months; months add up",
            ("quarter", "period", "level", "key", "part"),
            {"as_of": "datetime64[s]", "quarter": "str", "period": "str", "period_start": "datetime64[s]",
             "period_end": "datetime64[s]", **_LEVEL, "part": "str", "mean": "float64", "p025": "float64",
             "p10": "float64", "p25": "float64", "p50": "float64", "p75": "float64", "p90": "float64",
             "p975": "float64"},
            "level", 2,
        ),  # quarter: of which period is a month, or the same; means of months add up to the cent, quantiles do not
        PublishedTable(
            "quota_chances", "one level, unit, period and quota tier", ("period", "level", "key", "tier"),
            {"period": "str", **_LEVEL, "tier": "str", "quota": "float64", "closed": "float64",
             "probability": "float64"},
            "level",
        ),
        PublishedTable(
            "forecast_draws", "one draw of one level, unit and period; sums over units agree draw by draw",
            ("period", "level", "key", "draw"),
            {"period": "str", **_LEVEL, "draw": "int64", "closed": "float64", "open": "float64",
             "slipped": "float64", "renewals": "float64", "not_yet_created": "float64", "total": "float64"},
            "level", 2,
        ),
        PublishedTable(
            "revenue_history", "one level, unit and past (or running) period", ("level", "key", "period"),
            {**_LEVEL, "period": "str", "period_start": "datetime64[s]", "period_end": "datetime64[s]",
             "revenue": "float64", "deals": "int64", "quota": "float64"},
            "level", 2,
        ),
        PublishedTable(
            "forecast_replay", "one past quarter, forecast when some weeks of it had passed",
            ("method", "period", "week"),
            {"period": "str", "week": "int64", "as_of": "datetime64[s]", "method": "str", "mean": "float64",
             "p025": "float64", "p10": "float64", "p25": "float64", "p50": "float64", "p75": "float64",
             "p90": "float64", "p975": "float64", "actual": "float64", "error": "float64", "hit": "boolean"},
            "company",
        ),  # week: weeks that had passed, 0 = on the eve; hit: within p10 to p90
        PublishedTable(
            "forecast_accuracy", "one method after some weeks of the quarter, over the replayed quarters",
            ("method", "week"),
            {"method": "str", "week": "int64", "quarters": "int64", "absolute_error": "float64", "noise": "float64",
             "bias": "float64", "coverage50": "float64", "coverage80": "float64", "coverage95": "float64",
             "width50": "float64", "width80": "float64", "width95": "float64", "interval_score": "float64"},
            "company",
        ),  # all but coverage relative to revenue; noise: standard error of absolute_error, the quarter as the unit
        PublishedTable(
            "pipeline_movement", "one step of one unit from one day to another; opening plus all steps is closing",
            ("window", "period", "level", "key", "step"),
            {"window": "str", "from_on": "datetime64[s]", "to_on": "datetime64[s]", "period": "str", **_LEVEL,
             "step": "str", "place": "int64", "amount": "float64", "deals": "int64", "moved": "int64"},
            "level", 2,
        ),  # window: week | four_weeks | quarter; period: deals due in it, empty: all; steps: revenue_forecast/movement
        PublishedTable(
            "pipeline_moves", "one deal behind one step of the movement",
            ("window", "period", "opportunity_id", "step"),
            {"window": "str", "period": "str", "opportunity_id": "str", "rep_id": "str", "account_name": "str",
             "step": "str", "amount": "float64", "amount_before": "float64", "amount_after": "float64",
             "close_before": "datetime64[s]", "close_after": "datetime64[s]"},
            "rep_id", 2,
        ),
        PublishedTable(
            "pacing", "revenue of one unit and quarter by the end of one of its weeks",
            ("level", "key", "period", "week"),
            {**_LEVEL, "period": "str", "kind": "str", "week": "int64", "week_end": "datetime64[s]",
             "revenue": "float64", "share": "float64"},
            "level",
        ),  # kind: this | past; share of the past quarter's revenue
        PublishedTable(
            "pacing_position", "one unit: where its quarter stands beside past quarters at the same point",
            ("level", "key"),
            {"period": "str", **_LEVEL, "as_of": "datetime64[s]", "week": "int64", "weeks_left": "float64",
             "revenue": "float64", "usual_share": "float64", "share_low": "float64", "share_high": "float64",
             "usual_revenue": "float64", "usual_rest_per_week": "float64", "quarters": "int64"},
            "level",
        ),
        PublishedTable(
            "quota_pace", "one unit and quota tier: what a week has to bring from now on", ("level", "key", "tier"),
            {"period": "str", **_LEVEL, "tier": "str", "as_of": "datetime64[s]", "quota": "float64",
             "revenue": "float64", "left": "float64", "weeks_left": "float64", "needed_per_week": "float64",
             "usual_rest_per_week": "float64", "reached": "int64", "quarters": "int64"},
            "level",
        ),  # reached: of so many past quarters, those whose rest brought as much a week
        PublishedTable(
            "forecast_bridge", "one step from last week's forecast to this one, or from the target to the actual",
            ("kind", "period", "level", "key", "step"),
            {"kind": "str", "period": "str", "from_on": "datetime64[s]", "to_on": "datetime64[s]", **_LEVEL,
             "step": "str", "place": "int64", "value": "float64", "by_chance": "float64"},
            "level", 2,
        ),  # kind: change | target; by_chance: half the 80 % range of the step when nothing but chance is at work
        PublishedTable(
            "forecast_bridge_deals", "one deal behind one step from last week's forecast to this one",
            ("period", "opportunity_id", "step"),
            {"period": "str", "opportunity_id": "str", "rep_id": "str", "account_name": "str", "step": "str",
             "value": "float64", "before": "float64", "after": "float64"},
            "rep_id", 2,
        ),  # before, after: expected revenue of the deal in the period, or what it brought
        PublishedTable(
            "target_factors", "one factor of one unit: what the target needs at usual rates, and what there was",
            ("period", "level", "key", "factor"),
            {"period": "str", **_LEVEL, "factor": "str", "needed": "float64", "actual": "float64"},
            "level",
        ),  # factor: volume | timing | conversion | deal_size
        PublishedTable(
            "forecast_inputs", "one open deal, or contract due for renewal (by its own id), in one period's simulation",
            ("period", "part", "opportunity_id"),
            {"period": "str", "opportunity_id": "str", "rep_id": "str", "part": "str", "win_probability": "float64",
             "base": "float64", "pool": "int64", "worth": "float64", "chance_early_28": "float64",
             "chance_early_14": "float64", "chance": "float64", "chance_late_14": "float64",
             "chance_late_28": "float64", "chance_late_56": "float64", "chance_late_91": "float64"},
            "rep_id", 9,
        ),  # part: open | slipped | renewals; chance: to be won in the period, or if all deals closed earlier or later
        PublishedTable(
            "forecast_input_people", "one person in the simulation of one period, and one row for unknown owners",
            ("period", "rep_id"),
            {"period": "str", "rep_id": "str", "region": "str", "team": "str", "manager": "str", "rep": "str",
             "mean": "float64", "shape": "float64", "worth": "float64", "closed": "float64"},
            "rep_id", 9,
        ),  # mean, shape: gamma of the wins of deals not yet created; worth: their mean amount
        PublishedTable(
            "forecast_input_values", "one number of the simulation of one period that concerns no one",
            ("period", "name", "place"),
            {"period": "str", "name": "str", "place": "int64", "value": "float64"},
            None, 9,
        ),  # amounts over their mean, shocks, seed; no amount: revenue_forecast/published_inputs
        PublishedTable(
            "forecast_categories", "one forecast category of the open deals of one unit due in a period",
            ("period", "level", "key", "category"),
            {"period": "str", **_LEVEL, "category": "str", "amount": "float64", "deals": "int64",
             "running": "float64"},
            "level", 2,
        ),  # category: closed | commit | best_case | pipeline | omitted | none; running: added up in this order
        PublishedTable(
            "forecast_submissions", "one submission of one person for one unit and period", ("entry",),
            {"entry": "int64", "period": "str", "period_start": "datetime64[s]", "period_end": "datetime64[s]",
             **_LEVEL, "author": "str", "author_name": "str", "submitted_at": "datetime64[s]", "commit": "float64",
             "best_case": "float64", "note": "str", "forecast": "float64", "actual": "float64", "standing": "bool"},
            "level", 2,
        ),  # submitted_at: naive UTC; forecast: published then; actual: once the period is over; standing: his newest
        PublishedTable(
            "submission_accuracy", "what one person's submissions for one unit were worth in one week of the period",
            ("author", "level", "key", "week"),
            {"author": "str", "author_name": "str", **_LEVEL, "week": "int64", "periods": "int64",
             "commit_error": "float64", "commit_bias": "float64", "best_case_bias": "float64", "forecasts": "int64",
             "commit_error_beside": "float64", "forecast_error": "float64", "forecast_bias": "float64"},
            "level",
        ),  # errors over the sum of actuals; _beside and forecast_: where a published forecast stood beside
        PublishedTable(
            "submissions_by_level", "commits of all units of one level after some weeks of the replayed quarters",
            ("level", "week"),
            {"level": "str", "week": "int64", "quarters": "int64", "submissions": "int64", "ratio": "float64",
             "in_band": "float64", "absolute_error": "float64", "noise": "float64", "bias": "float64",
             "forecast_error": "float64", "forecast_bias": "float64"},
            "company",
        ),  # ratio: commits over results, healthy 0.85 to 1.15; errors over results; forecast_: ours of the same units
        PublishedTable(
            "pipeline_stages", "one open stage of one unit, of one segment or (empty) of all",
            ("level", "key", "segment", "stage"),
            {**_LEVEL, "segment": "str", "stage": "str", "place": "int64", "deals": "int64", "amount": "float64",
             "without_amount": "int64", "days_open": "float64", "visits": "int64", "left": "int64",
             "mean_days": "float64", "median_days": "float64", "km_median_days": "float64", **_INTERVAL,
             "advanced": "int64", "lost": "int64", "conversion": "float64", "conversion_low": "float64",
             "conversion_high": "float64"},
            "level",
        ),  # deals, amount, days_open: standing there now; the rest: stays begun in the last year (docs)
        PublishedTable(
            "pipeline_bottlenecks", "one test of one stage, of one segment or team, against before or peers",
            ("level", "key", "segment", "stage", "measure", "against"),
            {**_LEVEL, "segment": "str", "stage": "str", "place": "int64", "measure": "str", "against": "str",
             "n": "int64", "n_reference": "int64", "value": "float64", "reference": "float64", "effect": "float64",
             **_INTERVAL, "p_value": "float64", "q_value": "float64", "verdict": "str", "deals_waiting": "int64",
             "amount_waiting": "float64"},
            "level",
        ),  # verdict: bottleneck | fine | not_enough_data
        PublishedTable(
            "stuck_deals", "one open deal that is beyond what won deals of its kind show", ("opportunity_id",),
            {"as_of": "datetime64[s]", "opportunity_id": "str", "rep_id": "str", "stage": "str", "segment": "str",
             "amount": "float64", "win_probability": "float64", "at_stake": "float64", "rank": "int64",
             "reasons": "int64", "next_step": "str"},
            "rep_id",
        ),  # rank over the company, 0 = most at stake
        PublishedTable(
            "stuck_reasons", "one reason of one stuck deal", ("opportunity_id", "reason"),
            {"opportunity_id": "str", "rep_id": "str", "reason": "str", "value": "float64", "limit": "float64",
             "won_deals": "int64", "limit_of": "str"},
            "rep_id",
        ),  # reason: dwell | silent | pushed | age; limit: what nine of ten won deals stayed within
        PublishedTable(
            "activity_relation", "one kind of activity: how it goes with winning, no effect", ("kind",),
            {"kind": "str", "landmark_days": "int64", "horizon_days": "int64", "deals": "int64", "won": "int64",
             "with_any": "float64", "mean_count": "float64", "raw_odds_ratio": "float64", "raw_low": "float64",
             "raw_high": "float64", "odds_ratio": "float64", **_INTERVAL, "difference": "float64",
             "difference_low": "float64", "difference_high": "float64", "p_value": "float64", "q_value": "float64",
             "adjusted_by": "str", "verdict": "str"},
            None,
        ),  # verdict: wins_more | wins_less | no_clear_relation | not_enough_data
        PublishedTable(
            "loss_reasons", "one loss reason (empty: unstated) of one unit", ("level", "key", "reason"),
            {**_LEVEL, "reason": "str", "lost": "int64", "of_lost": "int64", "share": "float64", **_INTERVAL,
             "lost_before": "int64", "of_lost_before": "int64", "share_before": "float64", "change": "float64",
             "change_low": "float64", "change_high": "float64", "p_value": "float64", "q_value": "float64",
             "amount": "float64", "verdict": "str"},
            "level",
        ),  # verdict: more_often | less_often | steady | not_enough_data
        PublishedTable(
            "competitors", "one competitor, and (empty) deals where none was named", ("competitor",),
            {"competitor": "str", "deals": "int64", "won": "int64", "win_rate": "float64", "pooled": "float64",
             **_INTERVAL, "probability_below": "float64", "won_amount": "float64", "lost_amount": "float64",
             "verdict": "str"},
            "company",
        ),  # verdict: wins_less | wins_more | as_others | not_enough_data
        PublishedTable(
            "playbook", "one behaviour: the top quarter of reps beside the others", ("behaviour",),
            {"behaviour": "str", "unit": "str", "top_reps": "int64", "other_reps": "int64", "deals": "int64",
             "top": "float64", "others": "float64", "difference": "float64", **_INTERVAL, "p_value": "float64",
             "q_value": "float64", "verdict": "str"},
            None,
        ),  # verdict: in_playbook | no_clear_difference | not_enough_data
        PublishedTable(
            "playbook_examples", "one won deal that shows a behaviour of the playbook", ("behaviour", "rank"),
            {"behaviour": "str", "rank": "int64", "opportunity_id": "str", "rep_id": "str", "value": "float64"},
            "rep_id",
        ),
        PublishedTable(
            "kpis", "one KPI of one unit in one period", ("kpi", "level", "key", "period"),
            {"kpi": "str", **_LEVEL, "period": "str", "value": "float64", "numerator": "float64",
             "denominator": "float64", **_INTERVAL, "previous": "float64", "peers": "float64", "target": "float64",
             "verdict": "str", "unit": "str"},
            "level",
        ),  # verdict: reached | missed (a target), below | within | above (the healthy band), too_few, or empty
        PublishedTable(
            "kpi_periods", "one KPI that the company chose, of one unit in one of the last periods of a kind",
            ("kpi", "level", "key", "grain", "period"),
            {"kpi": "str", **_LEVEL, "grain": "str", "period": "str", "period_start": "datetime64[s]",
             "value": "float64", "numerator": "float64", "denominator": "float64", **_INTERVAL, "previous": "float64",
             "peers": "float64", "target": "float64", "verdict": "str", "unit": "str"},
            "level",
        ),  # as kpis, by the periods that [kpis.periods] of the workspace names
        PublishedTable(
            "closed_deals", "one deal closed in the last four quarters or the running one", ("opportunity_id",),
            {"opportunity_id": "str", "rep_id": "str", "account_name": "str", "won": "bool",
             "created_on": "datetime64[s]", "closed_on": "datetime64[s]", "amount": "float64"},
            "rep_id", 2,
        ),
        PublishedTable(
            "coaching_sessions", "one coaching session held by the day of the snapshot", ("session_id",),
            {"session_id": "str", "rep_id": "str", "manager_id": "str", "held_on": "datetime64[s]", "kind": "str",
             "skill": "str", "actions": "str", "due_on": "datetime64[s]"},
            "rep_id",
        ),
        PublishedTable(
            "model_scores", "one measure of one model on one test period", ("question", "model", "measure"),
            {"question": "str", "model": "str", "measure": "str", "value": "float64", "n": "int64",
             "test_start": "datetime64[s]", "test_end": "datetime64[s]"},
            None,
        ),
        PublishedTable(
            "model_verdicts", "one question", ("question",),
            {"question": "str", "published": "str", "baseline": "str", "reason": "str"},
            None,
        ),
        PublishedTable(
            "reliability", "one bin of the reliability diagram", ("model", "bin"),
            {"model": "str", "bin": "int64", "predicted": "float64", "observed": "float64", "n": "int64",
             **_INTERVAL},
            None,
        ),
        PublishedTable(
            "data_quality", "one rule in one table", ("table", "rule"),
            {"table": "str", "rule": "str", "severity": "str", "rows": "int64", "of_rows": "int64",
             "example": "str"},
            "company",
        ),
        *COACHING_TABLES,
        *TARGET_TABLES,
    )
}  # fmt: skip
