"""Opportunities and what happens to them."""

from __future__ import annotations

from spm_models.crm.schemas.columns import TableSchema, column

STATUSES = ("open", "won", "lost")
FORECAST_CATEGORIES = ("pipeline", "best_case", "commit", "closed", "omitted")
HISTORY_FIELDS = ("stage", "amount", "expected_close_on", "rep_id", "forecast_category")
ACTIVITY_KINDS = ("call", "meeting", "email", "demo", "proposal", "content", "follow_up")

OPPORTUNITIES = TableSchema(
    name="opportunities",
    grain="one opportunity",
    description="Every deal, open or closed, as it stands when the file was written.",
    required=True,
    dated_by="created_on",
    without="nothing works without it",
    columns={
        "opportunity_id": column("text", "The deal's identifier in the source.", key=True),
        "account_id": column("text", "Who buys.", refers_to="accounts.account_id", known="creation"),
        "rep_id": column("text", "Who owns the deal now.", required=True, refers_to="reps.rep_id", known="changing"),
        "product_id": column("text", "What is sold (main product).", refers_to="products.product_id", known="creation"),
        "source": column("text", "Where the deal came from (inbound, outbound, partner …).", known="creation"),
        "kind": column(
            "text", "New business or more business.", accepted=("new", "upsell", "cross_sell", "renewal"),
            known="creation",
        ),
        "created_on": column("date", "Day on which the deal entered the pipeline.", known="creation"),
        "expected_close_on": column("date", "Day on which the rep expects the decision.", known="changing"),
        "closed_on": column("date", "Day on which the deal was won or lost.", known="closing"),
        "stage": column("text", "Stage of the sales process, in the company's words.", known="changing"),
        "status": column("text", "What the stage means.", required=True, accepted=STATUSES, known="changing"),
        "amount": column("money", "Value of the deal.", known="changing", low=0),
        "currency": column("text", "ISO 4217 code of the amount.", known="creation"),
        "term_months": column("integer", "Length of the contract.", unit="months", low=0, high=600, known="changing"),
        "discount": column("number", "Reduction of the list price.", unit="share 0-1", low=0, high=1, known="changing"),
        "loss_reason": column("text", "Why the deal was lost.", known="closing"),
        "competitor": column("text", "Main competitor.", known="changing"),
        "forecast_category": column(
            "text", "The rep's own judgement.", accepted=FORECAST_CATEGORIES, known="changing"
        ),
    },
)  # fmt: skip

OPPORTUNITY_LINES = TableSchema(
    name="opportunity_lines",
    grain="one product line of an opportunity",
    description="What an opportunity consists of.",
    without="revenue by product uses the deal's main product only",
    columns={
        "opportunity_id": column("text", "The deal.", key=True, refers_to="opportunities.opportunity_id"),
        "line": column("integer", "Number of the line within the deal.", key=True, low=1),
        "product_id": column("text", "What is sold.", required=True, refers_to="products.product_id"),
        "quantity": column("number", "How many.", unit="pieces", low=0),
        "amount": column("money", "Value of the line, in the deal's currency.", low=0),
    },
)

OPPORTUNITY_HISTORY = TableSchema(
    name="opportunity_history",
    grain="one change of one field of an opportunity",
    description="What was changed, when, from what to what; the first row of a field has no old value.",
    dated_by="changed_at",
    without=(
        "the pipeline cannot be seen as it was: stage, amount, close date and owner of past days are unknown, "
        "so models use only what was settled when the deal was created, and nothing is said about pushes or slippage"
    ),
    columns={
        "opportunity_id": column("text", "The deal.", key=True, refers_to="opportunities.opportunity_id"),
        "changed_at": column("instant", "When the change was made (UTC).", key=True),
        "field": column("text", "Which field.", key=True, accepted=HISTORY_FIELDS),
        "old": column("text", "Value before, as text (dates ISO, amounts with a point); empty at creation."),
        "new": column("text", "Value after, as text."),
    },
)

ACTIVITIES = TableSchema(
    name="activities",
    grain="one activity",
    description="What reps did or planned. A telephone call in `calls` is not repeated here.",
    dated_by="happened_at",
    without="effort, touches and follow-up are unknown: no activity signals, no recency in win probability",
    columns={
        "activity_id": column("text", "Identifier of the activity.", key=True),
        "rep_id": column("text", "Who did it.", required=True, refers_to="reps.rep_id"),
        "opportunity_id": column("text", "For which deal, if any.", refers_to="opportunities.opportunity_id"),
        "kind": column("text", "What it was.", required=True, accepted=ACTIVITY_KINDS),
        "due_at": column("instant", "When it was planned (UTC)."),
        "happened_at": column("instant", "When it took place (UTC); empty while it is only planned."),
        "minutes": column("number", "How long it took.", unit="minutes", low=0, high=1440),
        "outcome": column("text", "What came of it (answered, no_answer, next_step, declined …)."),
    },
)

DEAL_CONTRIBUTORS = TableSchema(
    name="deal_contributors",
    grain="one rep's dated share of one opportunity",
    description="Who worked on a deal besides or with its owner.",
    dated_by="valid_from",
    without="a deal counts wholly for its owner",
    columns={
        "opportunity_id": column("text", "The deal.", key=True, refers_to="opportunities.opportunity_id"),
        "rep_id": column("text", "Who shares in it.", key=True, refers_to="reps.rep_id"),
        "role": column("text", "In what role (owner, specialist, partner …)."),
        "share": column("number", "Share of the credit.", unit="share 0-1", required=True, low=0, high=1),
        "valid_from": column("date", "First day of the rule.", key=True),
        "valid_to": column("date", "Last day of the rule; empty while it holds."),
    },
)

CALLS = TableSchema(
    name="calls",
    grain="one telephone call",
    description="Calls from the telephone system.",
    dated_by="offered_at",
    without="contact-centre KPIs (handling time, speed of answer, abandonment, call conversion) are off",
    columns={
        "call_id": column("text", "Identifier of the call.", key=True),
        "rep_id": column("text", "Who took it; empty if nobody did.", refers_to="reps.rep_id"),
        "opportunity_id": column("text", "For which deal, if any.", refers_to="opportunities.opportunity_id"),
        "queue": column("text", "Queue or campaign."),
        "offered_at": column("instant", "When the call arrived or was dialled (UTC).", required=True),
        "wait_seconds": column("number", "Waiting before an answer.", unit="seconds", low=0),
        "talk_seconds": column("number", "Talking.", unit="seconds", low=0),
        "hold_seconds": column("number", "On hold.", unit="seconds", low=0),
        "wrap_up_seconds": column("number", "Work after the call.", unit="seconds", low=0),
        "abandoned": column("flag", "The caller hung up before an answer."),
        "outcome": column("text", "What came of it."),
        "transcript": column("text", "What was said; never used to judge a person."),
    },
)
