"""What is expected, and what it costs: quotas, goals, costs and exchange rates."""

from __future__ import annotations

from spm_models.crm.schemas.columns import TableSchema, column

QUOTAS = TableSchema(
    name="quotas",
    grain="one target of one owner for one period, tier and day of setting",
    description="A dated ledger of targets: a revision is a new row with a later `set_on`, nothing is overwritten.",
    dated_by="set_on",
    without="attainment, gap to target and pipeline coverage against quota are off",
    columns={
        "owner_kind": column("text", "Whose target.", key=True, accepted=("rep", "team", "region", "company")),
        "owner_id": column("text", "Rep id, team or region name; the company's name for the company.", key=True),
        "period_start": column("date", "First day of the period.", key=True),
        "period_end": column("date", "Last day of the period.", required=True),
        "tier": column("text", "Which tier.", key=True, accepted=("minimum", "standard", "maximum")),
        "amount": column("money", "The target.", required=True, low=0),
        "currency": column("text", "ISO 4217 code of the target."),
        "set_on": column("date", "Day on which it was set or revised.", key=True),
    },
)

GOALS = TableSchema(
    name="goals",
    grain="one key result",
    description="Objectives and key results from company to team to rep.",
    dated_by="set_on",
    without="goals and their progress are off",
    columns={
        "goal_id": column("text", "Identifier of the key result.", key=True),
        "owner_kind": column("text", "Whose goal.", required=True, accepted=("company", "team", "rep")),
        "owner_id": column("text", "Rep id or team name."),
        "parent_goal_id": column("text", "The goal it serves.", refers_to="goals.goal_id"),
        "objective": column("text", "What for."),
        "key_result": column("text", "How it will be seen."),
        "metric": column("text", "KPI that measures it."),
        "baseline": column("number", "Where it starts."),
        "target": column("number", "Where it should end."),
        "progress": column("number", "Where it stands."),
        "set_on": column("date", "Day on which it was agreed."),
        "due_on": column("date", "By when."),
    },
)

COSTS = TableSchema(
    name="costs",
    grain="one cost category in one month",
    description="What sales and marketing cost.",
    dated_by="month",
    without="customer acquisition cost and the cost report are off",
    columns={
        "month": column("date", "First day of the month.", key=True),
        "category": column("text", "What for (salaries, marketing, travel, tools, training …).", key=True),
        "team": column("text", "Which team, if any.", refers_to="reps.team"),
        "amount": column("money", "Cost.", required=True, low=0),
        "currency": column("text", "ISO 4217 code of the cost."),
    },
)

EXCHANGE_RATES = TableSchema(
    name="exchange_rates",
    grain="one currency on one day",
    description="What one unit of a currency is worth in the company's currency.",
    dated_by="day",
    without="amounts in other currencies than the company's cannot be added and are quarantined",
    columns={
        "day": column("date", "Day of the rate.", key=True),
        "currency": column("text", "ISO 4217 code.", key=True),
        "rate": column("number", "Company currency per unit.", required=True, low=0),
    },
)
