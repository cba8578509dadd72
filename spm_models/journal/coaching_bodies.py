"""Entries about people's development: notes, observations, forms, answers, recognition, what became of an action.

Each can be taken back by its author: the same entry once more, ``withdrawn``. The first one stays in the history.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field, model_validator

from spm_models.journal.fields import Body, Line, Text

#: Skills of the observation form, in the order of a conversation.
SKILLS = ("opening", "need_orientation", "value", "objections", "next_step")
#: What a manager's own coaching is scored on, by himself and by those he leads.
COACHING_SKILLS = ("listening", "questions", "empathy", "psychological_safety", "structured_feedback")
SIDES = ("manager", "peer", "department", "customer")

Score = Annotated[int, Field(ge=1, le=5, strict=True)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class _Said(Body):
    withdrawn: Literal[True] | None = None


class Seen(Body):
    """One skill as it was seen: 1 to 5, and what was said or done, in words."""

    score: Score
    note: Text


class Observation(_Said):
    """What a manager saw in one call or meeting; a skill that did not come up is left out."""

    held_on: date
    of: Literal["call", "meeting"]
    of_id: Line | None = None  # call_id or activity_id
    opportunity_id: Line | None = None
    opening: Seen | None = None
    need_orientation: Seen | None = None
    value: Seen | None = None
    objections: Seen | None = None
    next_step: Seen | None = None

    @model_validator(mode="after")
    def _something(self) -> Observation:
        if all(getattr(self, skill) is None for skill in SKILLS):
            raise ValueError("score at least one skill")
        return self


class ManagerForm(_Said):
    """How a manager coaches, scored by himself or by somebody whom he leads."""

    given_by: Literal["self", "rep"]
    listening: Score
    questions: Score
    empathy: Score
    psychological_safety: Score
    structured_feedback: Score


class Feedback(_Said):
    """One answer about one person on one dimension. Who gave it is shown to nobody."""

    given_by: Literal["manager", "peer", "department", "customer"]
    dimension: Name
    score: Score
    comment: Annotated[Text, Field(max_length=1000)] | None = None
    customer: Line | None = None  # which one, where somebody writes down a customer's answer

    @model_validator(mode="after")
    def _which_customer(self) -> Feedback:
        if (self.given_by == "customer") != (self.customer is not None):
            raise ValueError("a customer's answer, and no other, names the customer")
        return self


class Cause(_Said):
    """What a talk showed of one possible cause: it is so, or it is not."""

    cause: Literal["knowledge", "motivation", "direction", "context"]
    says: Literal["yes", "no"]
    text: Text | None = None


class Recognition(_Said):
    """What went well, and deserves to be said."""

    text: Text
    signal: Line | None = None
    opportunity_id: Line | None = None


class CallReview(_Said):
    """A call that was listened to together: what worked, and what to try."""

    call_id: Line
    text: Text
    skill: Literal["opening", "need_orientation", "value", "objections", "next_step"] | None = None


class Mentoring(_Said):
    """What a talk with a mentor was about."""

    mentor_id: Line
    held_on: date
    text: Text


class ActionState(_Said):
    """What became of an action agreed in a session; its number counts from 1, without one all are meant."""

    state: Literal["open", "done", "dropped"]
    number: Annotated[int, Field(ge=1, le=50, strict=True)] | None = None
    note: Text | None = None


COACHING_BODIES: dict[str, type[BaseModel]] = {
    "cause": Cause,
    "observation": Observation, "manager_form": ManagerForm, "feedback_360": Feedback, "recognition": Recognition,
    "call_review": CallReview, "mentoring": Mentoring, "action": ActionState,
}  # fmt: skip
#: Kinds whose authors are shown to nobody; :class:`spm_models.journal.Journal` gives them without.
CONFIDENTIAL = frozenset({"feedback_360", "manager_form"})
