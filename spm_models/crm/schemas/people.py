"""Reps, where they belong, when they work, and how they are developed."""

from __future__ import annotations

from spm_models.crm.schemas.columns import TableSchema, column

ROLES = ("rep", "manager", "executive", "analyst")
LOCALES = ("tr", "en", "ar")

REPS = TableSchema(
    name="reps",
    grain="one person of the sales organisation",
    description="Reps, and managers and executives where the source lists them.",
    required=True,
    without="nothing works without it",
    columns={
        "rep_id": column("text", "Identifier of the person.", key=True),
        "name": column("text", "Name as the person writes it."),
        "team": column("text", "Team."),
        "region": column("text", "Region or office."),
        "role": column("text", "Role; empty means rep.", accepted=ROLES),
        "manager_id": column("text", "Manager now, without a date; `reporting_lines` has the dated form."),
        "hired_on": column("date", "First day at work."),
        "left_on": column("date", "Last day at work; empty while employed."),
        "email": column("text", "Address for reports."),
        "locale": column("text", "Language of reports.", accepted=LOCALES),
    },
)

REPORTING_LINES = TableSchema(
    name="reporting_lines",
    grain="one dated assignment of a rep to a manager",
    description="Who reported to whom, and when.",
    dated_by="valid_from",
    without="the manager column of reps is taken as if it had always held",
    columns={
        "rep_id": column("text", "Who reports.", key=True, refers_to="reps.rep_id"),
        "manager_id": column("text", "To whom.", required=True, refers_to="reps.rep_id"),
        "valid_from": column("date", "First day.", key=True),
        "valid_to": column("date", "Last day; empty while it holds."),
    },
)

TERRITORIES = TableSchema(
    name="territories",
    grain="one dated assignment of a rep to a territory",
    description="Who worked where, and when.",
    dated_by="valid_from",
    without="territory is taken from the rep's region and cannot be told apart from the rep",
    columns={
        "rep_id": column("text", "Who.", key=True, refers_to="reps.rep_id"),
        "territory": column("text", "Where.", required=True),
        "valid_from": column("date", "First day.", key=True),
        "valid_to": column("date", "Last day; empty while it holds."),
    },
)

ABSENCES = TableSchema(
    name="absences",
    grain="one absence",
    description="Days on which a rep was not at work; context, never a failing.",
    dated_by="starts_on",
    without="quotas and activity are not corrected for absence",
    columns={
        "rep_id": column("text", "Who.", key=True, refers_to="reps.rep_id"),
        "starts_on": column("date", "First day.", key=True),
        "ends_on": column("date", "Last day.", required=True),
        "kind": column("text", "Reason (leave, sick, parental, training …)."),
    },
)

SHIFTS = TableSchema(
    name="shifts",
    grain="one shift",
    description="Planned and actual working time of a contact centre.",
    dated_by="scheduled_start_at",
    without="missed shifts and lateness are off",
    columns={
        "shift_id": column("text", "Identifier of the shift.", key=True),
        "rep_id": column("text", "Who.", required=True, refers_to="reps.rep_id"),
        "scheduled_start_at": column("instant", "Planned log-in (UTC).", required=True),
        "scheduled_end_at": column("instant", "Planned log-out (UTC).", required=True),
        "actual_start_at": column("instant", "Actual log-in (UTC); empty if missed."),
        "actual_end_at": column("instant", "Actual log-out (UTC)."),
    },
)

AGENT_STATUS = TableSchema(
    name="agent_status",
    grain="one status interval of one rep",
    description="What an agent was doing.",
    dated_by="started_at",
    without="occupancy and status durations are off",
    columns={
        "rep_id": column("text", "Who.", key=True, refers_to="reps.rep_id"),
        "started_at": column("instant", "Start (UTC).", key=True),
        "ended_at": column("instant", "End (UTC).", required=True),
        "status": column(
            "text",
            "What.",
            required=True,
            accepted=("available", "handling", "break", "training", "meeting", "offline"),
        ),
    },
)

FEEDBACK_360 = TableSchema(
    name="feedback_360",
    grain="one answer about one person on one dimension",
    description="Feedback from manager, peers, departments and customers; shown only above a minimum group size.",
    dated_by="given_on",
    without="no 360° feedback",
    columns={
        "feedback_id": column("text", "Identifier of the answer.", key=True),
        "about_rep_id": column("text", "About whom.", required=True, refers_to="reps.rep_id"),
        "given_by": column(
            "text", "From which side.", required=True, accepted=("manager", "peer", "department", "customer")
        ),
        "dimension": column("text", "What was asked.", required=True),
        "score": column("number", "From 1 to 5.", unit="points 1-5", low=1, high=5),
        "comment": column("text", "In their own words."),
        "given_on": column("date", "Day of the answer.", required=True),
    },
)

PULSE = TableSchema(
    name="pulse",
    grain="one anonymous answer",
    description="How the sales team feels about its work. Nobody's name is asked; small groups are not shown.",
    dated_by="answered_on",
    without="engagement is off",
    columns={
        "answer_id": column("text", "Identifier of the answer.", key=True),
        "team": column("text", "Team of whoever answered, if it was asked.", refers_to="reps.team"),
        "answered_on": column("date", "Day of the answer.", required=True),
        "score": column("number", "From 1 (not at all) to 5 (wholly).", unit="points 1-5", low=1, high=5),
    },
)

COACHING_SESSIONS = TableSchema(
    name="coaching_sessions",
    grain="one coaching session",
    description="What manager and rep talked about and agreed.",
    dated_by="held_on",
    without="the effect of coaching cannot be measured and the last agreements are unknown",
    columns={
        "session_id": column("text", "Identifier of the session.", key=True),
        "rep_id": column("text", "Who was coached.", required=True, refers_to="reps.rep_id"),
        "manager_id": column("text", "By whom."),
        "held_on": column("date", "Day of the session.", required=True),
        "kind": column(
            "text", "What form it had.",
            accepted=("one_to_one", "coaching", "mentoring", "shadowing", "role_play", "training"),
        ),
        "skill": column("text", "What it was about (opening, need_orientation, value, objections, next_step …)."),
        "actions": column("text", "What was agreed."),
        "due_on": column("date", "By when."),
    },
)  # fmt: skip
