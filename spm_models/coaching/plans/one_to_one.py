"""The next one-to-one: when, and about what; the last actions come first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pandas as pd

from spm_models.periods import WEEKDAYS, FiscalCalendar

EVERY_DAYS = 14  #: days between one-to-ones, unless the company says otherwise
TALKS = ("one_to_one", "coaching")  #: sessions in which the topic is talked about
LAST_ACTIONS, LAST_DAYS = 5, 60


@dataclass(frozen=True)
class AgendaItem:
    """One point: ``kind`` (last_action, nothing_agreed, well, topic, no_topic, change, action, next) and its values."""

    kind: str
    values: Mapping[str, Any] = field(default_factory=dict)


def next_one_to_one(
    sessions: pd.DataFrame | None, rep_id: str, as_of: date, calendar: FiscalCalendar, every_days: int = EVERY_DAYS
) -> date:
    """Day of the next one-to-one: a fortnight after the last, at the earliest the next working day.

    Parameters
    ----------
    sessions : DataFrame, optional
        ``rep_id``, ``held_on``, ``kind``. Without an earlier talk it is due within ``every_days`` from today.
    rep_id : str
    as_of : date
    calendar : FiscalCalendar
        Its weekend is kept free.
    every_days : int

    Examples
    --------
    >>> held = pd.DataFrame({"rep_id": ["a"], "held_on": [pd.Timestamp("2026-06-20")], "kind": ["one_to_one"]})
    >>> next_one_to_one(held, "a", date(2026, 6, 30), FiscalCalendar())  # 4 July is a Saturday
    datetime.date(2026, 7, 6)
    """
    last = as_of
    if sessions is not None and len(sessions):
        talks = sessions["kind"].isna() | sessions["kind"].isin(TALKS)
        held = sessions.loc[(sessions["rep_id"] == rep_id) & talks, "held_on"]
        held = held[held <= pd.Timestamp(as_of)]
        last = held.max().date() if len(held) else as_of
    return _working_day(max(last + timedelta(days=every_days), as_of + timedelta(days=1)), calendar)


def following(talk: date, calendar: FiscalCalendar, every_days: int = EVERY_DAYS) -> date:
    """The talk after a talk."""
    return _working_day(talk + timedelta(days=every_days), calendar)


def _working_day(day: date, calendar: FiscalCalendar) -> date:
    while WEEKDAYS[day.weekday()] in calendar.weekend:
        day += timedelta(days=1)
    return day


def agenda(
    rep_id: str, as_of: date, *, verdicts: pd.DataFrame, plan: pd.DataFrame, feedback: pd.DataFrame,
    sessions: pd.DataFrame | None = None, actions: pd.DataFrame | None = None,
    calendar: FiscalCalendar | None = None, every_days: int = EVERY_DAYS,
) -> list[AgendaItem]:  # fmt: skip
    """Points of the next one-to-one from published tables.

    In this order: what was agreed last and what became of it; what went well; the one topic; what the deals show; the
    actions to agree; the day of the talk after.

    Parameters
    ----------
    rep_id : str
    as_of : date
    verdicts, plan, feedback : DataFrame
        ``coaching_verdicts``, ``coaching_plan``, ``coaching_feedback``; may hold other reps too.
    sessions : DataFrame, optional
        Coaching sessions.
    actions : DataFrame, optional
        Of :func:`spm_models.coaching.people.actions.agreed_actions`: ``rep_id``, ``held_on``, ``action``, ``due_on``,
        ``state``.
    calendar : FiscalCalendar, optional
    every_days : int

    Returns
    -------
    list of AgendaItem
        In words: :func:`~spm_models.coaching.plans.words.agenda_sentences`.
    """
    calendar = calendar or FiscalCalendar()
    talk = next_one_to_one(sessions, rep_id, as_of, calendar, every_days)
    said = feedback[feedback["rep_id"] == rep_id].sort_values("rank")
    planned = plan[plan["rep_id"] == rep_id].sort_values("rank")
    verdict = verdicts[verdicts["rep_id"] == rep_id]
    topic = verdict["topic"].iloc[0] if len(verdict) else None
    items = list(_last(rep_id, actions))
    items += [AgendaItem("well", {"row": row}) for row in _records(said[said["stance"] == "well"].head(1))]
    if isinstance(topic, str) and topic:
        part = verdict["topic_part"].iloc[0]
        item = planned["item"].iloc[0] if len(planned) else ""
        items.append(
            AgendaItem("topic", {"signal": topic, "part": part if isinstance(part, str) else "", "item": item})
        )
        items += [AgendaItem("change", {"row": row}) for row in _records(said[said["stance"] == "change"])]
        items += [AgendaItem("action", {"row": row}) for row in _records(planned)]
    else:
        items.append(AgendaItem("no_topic"))
    return [*items, AgendaItem("next", {"talk": talk, "after": following(talk, calendar, every_days)})]


def _last(rep_id: str, actions: pd.DataFrame | None) -> Iterator[AgendaItem]:
    """Actions of the last session in which any were agreed, and those of the two months before that are still open."""
    own = actions[actions["rep_id"] == rep_id] if actions is not None else pd.DataFrame()
    if own.empty:
        yield AgendaItem("nothing_agreed")
        return
    last = own["held_on"].max()
    since = last - pd.Timedelta(days=LAST_DAYS)
    chosen = own[(own["held_on"] == last) | own["state"].eq("open") & (own["held_on"] > since)]
    order = chosen.assign(done=chosen["state"].ne("open")).sort_values(
        ["done", "due_on", "held_on", "number"], kind="stable"
    )
    for row in _records(order.head(LAST_ACTIONS)):
        yield AgendaItem("last_action", {"action": row["action"], "state": row["state"], "due_on": row["due_on"]})


def _records(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    return rows.to_dict("records")
