"""Published tables of coaching: findings, gap, causes, plans, warnings, effects, people, team."""

from __future__ import annotations

from spm_models.published.table import INTERVAL, LEVEL, PublishedTable

_WHO = {"rep_id": "str"}
_WHAT = {"signal": "str", "part": "str"}

COACHING_TABLES = (
    PublishedTable(
        "coaching_findings", "one signal of one rep; part: the stage, where the signal is about one",
        ("rep_id", "signal", "part"),
        {"as_of": "datetime64[s]", **_WHO, **_WHAT, "actual": "float64", "expected": "float64", "pooled": "float64",
         **INTERVAL, "n": "float64", "margin": "float64", "detectable": "float64", "probability_below": "float64",
         "probability_above": "float64", "quarters_below": "int64", "money_at_stake": "float64", "verdict": "str"},
        "rep_id",
    ),  # verdict: coaching_suggestion | watch | fine | doing_well | not_enough_data
    PublishedTable(
        "coaching_verdicts", "one rep", ("rep_id",),
        {"as_of": "datetime64[s]", **_WHO, "verdict": "str", "topic": "str", "topic_part": "str", "strength": "str",
         "strength_part": "str", "money_at_stake": "float64", "detectable": "float64", "cause": "str",
         "cause_probability": "float64"},
        "rep_id",
    ),  # cause: the one that is stated, empty where none is sure enough; detectable: share of the expected win rate
    PublishedTable(
        "coaching_examples", "one deal to talk about, for one signal of one rep",
        ("rep_id", "signal", "part", "kind", "rank"),
        {**_WHO, **_WHAT, "kind": "str", "rank": "int64", "opportunity_id": "str", "value": "float64"},
        "rep_id",
    ),  # kind: example | counter_example; value: amount, days, activities or share, as the signal asks
    PublishedTable(
        "coaching_gap", "one step from a reference to what a rep sold; the reference and all steps add up to the cent",
        ("rep_id", "reference", "step", "part"),
        {**_WHO, "reference": "str", "step": "str", "part": "str", "place": "int64", "amount": "float64", **INTERVAL,
         "coachable": "bool"},
        "rep_id", 2,
    ),  # reference: target | peers; step: start | … | luck | end; low and high: 80 % range of the step
    PublishedTable(
        "coaching_causes", "one possible cause behind one rep's suggestion", ("rep_id", "cause"),
        {**_WHO, "cause": "str", "place": "int64", "probability": "float64", "stated": "bool", "confirmed": "str"},
        "rep_id",
    ),  # cause: knowledge | motivation | direction | context; confirmed: yes | no | empty, as the manager said last
    PublishedTable(
        "coaching_evidence", "one thing that speaks for or against one cause", ("rep_id", "cause", "rank"),
        {**_WHO, "cause": "str", "rank": "int64", "stance": "str", "reading": "str", **_WHAT, "value": "float64",
         "beside": "float64", "weight": "float64"},
        "rep_id",
    ),  # stance: for | against; reading: key of the sentence; value beside what is expected; weight: log odds
    PublishedTable(
        "coaching_plan", "one action proposed to one rep", ("rep_id", "rank"),
        {**_WHO, "rank": "int64", "remedy": "str", "item": "str", **_WHAT, "unit": "str", "baseline": "float64",
         "goal": "float64", "reached_by": "int64", "peers": "int64", "due_on": "datetime64[s]", "with_id": "str",
         "with_name": "str", "opportunity_id": "str"},
        "rep_id",
    ),  # remedy: goal | learning | shadowing | role_play | mentoring | target_update | …; with_id: mentor
    # item: file of the coaching library; reached_by of peers: 0 of 0 where no colleague's number is known
    PublishedTable(
        "coaching_feedback", "one sentence of feedback, its numbers and the deals it is about", ("rep_id", "rank"),
        {**_WHO, "rank": "int64", "stance": "str", "sentence": "str", **_WHAT, "values": "str", "deals": "str"},
        "rep_id",
    ),  # stance: well | change; sentence: key in the catalogues; values: JSON; deals: ids joined by blanks
    PublishedTable(
        "early_warnings", "one watch over one rep: whether it has fallen to half of his own usual", ("rep_id", "watch"),
        {**_WHO, "watch": "str", "statistic": "float64", "threshold": "float64", "signalled": "bool",
         "since": "datetime64[s]", "observed": "float64", "expected": "float64", "n": "float64",
         "false_alarms_a_year": "float64", "weeks_to_see_half": "float64"},
        "rep_id",
    ),  # watch: wins (risk-adjusted) | pipeline_creation | activity; since: first day of the week in which the sum left
    # zero; observed, expected, n (deals or weeks): from then on; false_alarms_a_year: stated, of all reps together;
    # weeks_to_see_half: in which half of such falls would be seen, empty where not within a year
    PublishedTable(
        "early_warning_path", "one watched week of one rep", ("rep_id", "watch", "week"),
        {**_WHO, "watch": "str", "week": "datetime64[s]", "observed": "float64", "expected": "float64", **INTERVAL,
         "statistic": "float64", "threshold": "float64"},
        "rep_id",
    ),  # observed, expected: of that week; low, high: 80 % range of all that was observed up to its end
    PublishedTable(
        "coaching_effects", "one skill and kind of coaching, measured over the company", ("skill", "kind", "outcome"),
        {"skill": "str", "kind": "str", "outcome": "str", "reps": "int64", "controls": "int64", "effect": "float64",
         **INTERVAL, "level": "float64", "naive": "float64", "placebo": "float64", "placebo_low": "float64",
         "placebo_high": "float64", "uncoached": "float64", "detectable": "float64", "design": "str", "verdict": "str"},
        None,
    ),  # design: matched | randomised; verdict: helped | no_effect_seen | did_harm | not_enough_data | placebo_failed
    # uncoached: rise of those not coached after as low a quarter; detectable: least effect that would have been seen
    PublishedTable(
        "feedback_360", "answers of one side about one rep on one dimension, from the least group size on",
        ("rep_id", "given_by", "dimension"),
        {**_WHO, "given_by": "str", "dimension": "str", "n": "int64", "mean": "float64", **INTERVAL, "state": "str"},
        "rep_id",
    ),  # state: shown | too_few (then without figures)
    PublishedTable(
        "feedback_360_comments", "one comment about one rep, in no order that names its author", ("rep_id", "rank"),
        {**_WHO, "rank": "int64", "given_by": "str", "comment": "str"},
        "rep_id",
    ),
    PublishedTable(
        "prompts", "something of the last working day that deserves a word", ("rep_id", "rank"),
        {**_WHO, "rank": "int64", "kind": "str", "opportunity_id": "str", "account_name": "str",
         "day": "datetime64[s]", "amount": "float64", "value": "float64"},
        "rep_id", 2,
    ),  # kind: won | lost | gone_silent | pushed
    PublishedTable(
        "calls_to_review", "a call worth listening to, and why", ("rep_id", "rank"),
        {**_WHO, "rank": "int64", "call_id": "str", "opportunity_id": "str", "offered_at": "datetime64[s]",
         "reason": "str", "value": "float64", "beside": "float64"},
        "rep_id",
    ),
    PublishedTable(
        "coaching_cadence", "one manager's own coaching", ("level", "key"),
        {**LEVEL, "reps": "int64", "due": "int64", "held": "int64", "on_time": "float64", **INTERVAL,
         "actions": "int64", "closed": "int64", "overdue": "int64", "longest_without": "int64"},
        "level",
    ),  # level: manager; the last thirteen weeks; one-to-ones every fortnight unless the company says otherwise
    PublishedTable(
        "manager_skills", "one manager's coaching on one skill, as he sees it and as those he leads see it",
        ("level", "key", "skill"),
        {**LEVEL, "skill": "str", "own": "float64", "n": "int64", "mean": "float64", **INTERVAL, "state": "str"},
        "level",
    ),  # own: his newest score of himself; n, mean and range of his people's, released as feedback_360 is
    PublishedTable(
        "observations", "one skill of one rep, as managers saw it in calls and meetings", ("rep_id", "skill"),
        {**_WHO, "skill": "str", "n": "int64", "latest": "float64", "latest_on": "datetime64[s]", "note": "str",
         "mean": "float64", **INTERVAL, "trend": "float64", "trend_low": "float64", "trend_high": "float64"},
        "rep_id",
    ),  # points 1-5; trend: points a quarter, from four observations on
    PublishedTable(
        "agreed_actions", "one action agreed in one session", ("session_id", "number"),
        {**_WHO, "session_id": "str", "number": "int64", "manager_id": "str", "held_on": "datetime64[s]",
         "action": "str", "due_on": "datetime64[s]", "state": "str", "said_by": "str", "said_on": "datetime64[s]",
         "note": "str"},
        "rep_id",
    ),  # state: open | done | dropped, by the last word of rep or manager
    PublishedTable(
        "leaderboard", "one rep's place by one measure; only where the company turned ranks on", ("rep_id", "measure"),
        {**_WHO, "measure": "str", "value": "float64", **INTERVAL, "rank": "int64", "rank_low": "int64",
         "rank_high": "int64", "tied_with": "int64", "reps": "int64"},
        "rep_id",
    ),  # rank: with ties, the first place that is possible (rank_low); tied_with: colleagues nobody can tell apart
    PublishedTable(
        "badges", "one badge of one rep, for behaviour or improvement", ("rep_id", "badge", "part"),
        {**_WHO, "badge": "str", "part": "str", "earned_on": "datetime64[s]", "value": "float64", "beside": "float64",
         "n": "float64", **INTERVAL},
        "rep_id",
    ),  # n: observations behind it; low and high: 90 % range of an improvement (1: none), empty for behaviour
    PublishedTable(
        "team_board", "one measure of one team, or of one rep in it, in the running period",
        ("team", "measure", "level", "key"),
        {"period": "str", "team": "str", "measure": "str", **LEVEL, "value": "float64", "share": "float64"},
        "level", 2,
    ),  # level: team (company where nobody has one) | rep; measure: goal | closed | contribution (by deal splits) |
    # support (given to others' deals); a member's own rows hold goal and closed of his team as well
)  # fmt: skip
