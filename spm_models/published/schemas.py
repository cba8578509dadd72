"""Tables of published results: versioned, sorted by key, floats rounded, the same wherever they are shown."""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 2


@dataclass(frozen=True)
class PublishedTable:
    """Grain, key and pandas types of one published table.

    ``scoped_by`` names the column that the reader filters by: a rep id (``rep_id``), or the pair
    ``level``/``key`` for tables that hold several levels of the organisation.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: dict[str, str]
    scoped_by: str | None
    decimals: int = 6


_INTERVAL = {"low": "float64", "high": "float64"}
_LEVEL = {"level": "str", "key": "str"}  # company | region | team | manager | rep, and its id ("" for company)

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
        ),  # part: closed | open | not_yet_created | total
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
             "not_yet_created": "float64", "total": "float64"},
            "level", 2,
        ),
        PublishedTable(
            "revenue_history", "one level, unit and past (or running) period", ("level", "key", "period"),
            {**_LEVEL, "period": "str", "period_start": "datetime64[s]", "period_end": "datetime64[s]",
             "revenue": "float64", "deals": "int64", "quota": "float64"},
            "level", 2,
        ),
        PublishedTable(
            "forecast_replay", "one past quarter forecast on its first day", ("method", "period"),
            {"period": "str", "as_of": "datetime64[s]", "method": "str", "p10": "float64", "p50": "float64",
             "p90": "float64", "mean": "float64", "actual": "float64", "error": "float64", "hit": "boolean"},
            "company",
        ),
        PublishedTable(
            "kpis", "one KPI of one unit in one period", ("kpi", "level", "key", "period"),
            {"kpi": "str", **_LEVEL, "period": "str", "value": "float64", "numerator": "float64",
             "denominator": "float64", **_INTERVAL, "unit": "str"},
            "level",
        ),
        PublishedTable(
            "coaching_findings", "one signal of one rep", ("rep_id", "signal"),
            {"as_of": "datetime64[s]", "rep_id": "str", "signal": "str", "actual": "float64", "expected": "float64",
             "pooled": "float64", **_INTERVAL, "n": "float64", "probability_below": "float64",
             "money_at_stake": "float64", "verdict": "str"},
            "rep_id",
        ),  # verdict: coaching_suggestion | watch | fine | doing_well | not_enough_data
        PublishedTable(
            "coaching_verdicts", "one rep", ("rep_id",),
            {"as_of": "datetime64[s]", "rep_id": "str", "verdict": "str", "topic": "str", "strength": "str",
             "money_at_stake": "float64", "detectable": "float64"},
            "rep_id",
        ),
        PublishedTable(
            "coaching_examples", "one deal to talk about, for one signal of one rep",
            ("rep_id", "signal", "kind", "rank"),
            {"rep_id": "str", "signal": "str", "kind": "str", "rank": "int64", "opportunity_id": "str",
             "value": "float64"},
            "rep_id",
        ),  # kind: example | counter_example; value: amount, days or activities, as the signal asks
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
    )
}  # fmt: skip
