"""The plan of every rep with a topic: two or three actions, and what to say about the deals behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import pandas as pd

from spm_models.coaching.features import Evidence
from spm_models.coaching.plans.actions import Action, Facts, Wish, action
from spm_models.coaching.plans.library import Library, read_library
from spm_models.coaching.plans.mentoring import mentors
from spm_models.coaching.plans.nearness import nearness
from spm_models.coaching.plans.one_to_one import EVERY_DAYS, following, next_one_to_one
from spm_models.coaching.plans.peers import goal
from spm_models.coaching.plans.sentences import feedback
from spm_models.coaching.plans.smart import FIELDS, check_actions
from spm_models.coaching.result import CoachingFindings, empty_table
from spm_models.periods import FiscalCalendar

MOST = 3
_LEAST_DAYS = 5  # what is to be done by tomorrow is no plan: then by the talk after
_SHORT_QUARTER = 42  # days: with less left, a goal is set for the end of the next quarter


@dataclass(frozen=True)
class CoachingPlans:
    """What is proposed.

    Parameters
    ----------
    table : DataFrame
        Published as ``coaching_plan``. The first action is usually the number to reach (``remedy`` is ``goal``), the
        others are what leads there. ``unit`` says what ``baseline`` and ``goal`` count: ``share``, ``per_week``,
        ``per_month``, ``days``, ``money``; ``sessions``, ``blocks`` (hours a week), ``reviews`` (of open deals);
        ``quiet_deals`` (open, silent for more than three weeks), ``promising_deals`` (of the five most promising,
        those touched in the last week), ``open_deals``.
    feedback : DataFrame
        Published as ``coaching_feedback``.
    """

    table: pd.DataFrame
    feedback: pd.DataFrame


def plans(
    evidence: Evidence, findings: CoachingFindings, *, causes: pd.DataFrame | None = None,
    organisation: pd.DataFrame | None = None, library: Library | None = None, calendar: FiscalCalendar | None = None,
    every_days: int = EVERY_DAYS,
) -> CoachingPlans:  # fmt: skip
    """Plans and feedback of a review.

    Parameters
    ----------
    evidence : Evidence
    findings : CoachingFindings
        With the topics that hold (see :func:`~spm_models.coaching.plans.topics.keep_topics`).
    causes : DataFrame, optional
        ``coaching_causes``: the one that the manager confirmed, else the one that is stated, chooses the remedy.
    organisation : DataFrame, optional
        ``crm.organisation``: nobody's manager becomes his mentor.
    library : Library, optional
        The shipped one without it.
    calendar : FiscalCalendar, optional
    every_days : int
        Days between one-to-ones.

    Returns
    -------
    CoachingPlans
    """
    calendar, library = calendar or FiscalCalendar(), library or read_library()
    table, verdicts = findings.table, findings.verdicts
    topics = verdicts.loc[verdicts["topic"].notna() & verdicts["topic"].ne(""), ["rep_id", "topic", "topic_part"]]
    topics = topics.rename(columns={"topic": "signal", "topic_part": "part"}).fillna({"part": ""})
    chosen = chosen_causes(causes).to_dict()
    topics["cause"] = [chosen.get(rep, "") for rep in topics["rep_id"]]
    facts = Facts(evidence, table, nearness(evidence.deals, pd.Index(sorted(verdicts["rep_id"]))))
    asked = [
        "mentoring" in library.remedies(signal, cause)
        for signal, cause in zip(topics["signal"], topics["cause"], strict=True)
    ]
    wanted = topics[pd.Series(asked, index=topics.index, dtype=bool)]
    managers = None if organisation is None else organisation[["rep_id", "manager_id"]]
    pairs = mentors(table, wanted, evidence.deals, evidence.reps, pd.Timestamp(evidence.as_of), managers=managers)
    mentor = dict(zip(pairs["rep_id"], pairs["mentor_id"], strict=True))
    end = _quarter_end(evidence.as_of, calendar)
    rows = []
    for rep, signal, part, cause in topics.itertuples(index=False):
        talk = next_one_to_one(evidence.sessions, rep, evidence.as_of, calendar, every_days)
        after = following(talk, calendar, every_days)
        if (talk - evidence.as_of).days < _LEAST_DAYS:
            talk, after = after, following(after, calendar, every_days)
        wish = Wish(rep, signal, part, mentor.get(rep, ""), talk, after, end)
        rows += [row | {"rank": place} for place, row in enumerate(_actions(facts, wish, cause, library), start=1)]
    plan = _fit(rows, {} if organisation is None else _names(organisation))
    smart = check_actions(plan, verdicts, evidence.as_of)[list(FIELDS)].all(axis=1)
    plan = plan[smart.to_numpy()].reset_index(drop=True)
    plan["rank"] = plan.groupby("rep_id").cumcount() + 1
    return CoachingPlans(plan, feedback(evidence, findings))


def chosen_causes(causes: pd.DataFrame | None) -> pd.Series:
    """By rep: the cause that the manager confirmed, else the one that is stated and not refused.

    Examples
    --------
    >>> causes = pd.DataFrame({"rep_id": ["a", "a"], "cause": ["knowledge", "direction"], "place": [1, 2],
    ...                        "stated": [True, False], "confirmed": ["no", "yes"]})
    >>> chosen_causes(causes).to_dict()
    {'a': 'direction'}
    """
    if causes is None or causes.empty:
        return pd.Series(dtype="str")
    said = causes["confirmed"].fillna("")
    rows = causes.assign(agreed=said.eq("yes"))[said.eq("yes") | (causes["stated"] & said.ne("no"))]
    rows = rows.sort_values(["rep_id", "agreed", "place", "cause"], ascending=[True, False, True, True])
    return rows.drop_duplicates("rep_id").set_index("rep_id")["cause"]


def _actions(facts: Facts, wish: Wish, cause: str, library: Library) -> Iterator[Action]:
    """The topic's own goal first (circumstances are never coached), then what leads there."""
    remedies = [name for name in library.remedies(wish.signal, cause) if name != "mentoring" or wish.mentor]
    item = library.item(wish.signal, wish.part)
    common: Action = {"rep_id": wish.rep_id, "item": item, "signal": wish.signal, "part": wish.part}
    done = 0
    aim = goal(facts.table, facts.near, wish.rep_id, wish.signal, wish.part)
    if aim is not None and cause != "context":
        yield common | vars(aim) | {"remedy": "goal", "due_on": wish.quarter_end}
        done += 1
    more = () if cause == "context" else ("deal_review", "learning")
    for name in dict.fromkeys((*remedies, *more)):
        if done == MOST:
            return
        if (found := action(facts, wish, name)) is not None:
            yield common | found | {"remedy": name}
            done += 1


def _quarter_end(as_of: date, calendar: FiscalCalendar) -> date:
    quarter = calendar.quarter(as_of)
    return quarter.end if (quarter.end - as_of).days >= _SHORT_QUARTER else quarter.next().end


def _fit(rows: list[Action], names: dict[str, str]) -> pd.DataFrame:
    schema = empty_table("coaching_plan")
    empty = {"reached_by": 0, "peers": 0, "with_id": "", "opportunity_id": ""}
    plan = pd.DataFrame([empty | row for row in rows], columns=list(schema))
    plan["due_on"] = pd.to_datetime(plan["due_on"])
    plan["with_name"] = [names.get(who, who) for who in plan["with_id"]]
    return plan.astype(schema.dtypes.to_dict()).sort_values(["rep_id", "rank"], ignore_index=True)


def _names(organisation: pd.DataFrame) -> dict[str, str]:
    named = organisation[organisation["name"].notna()]
    return dict(zip(named["rep_id"], named["name"], strict=True))
