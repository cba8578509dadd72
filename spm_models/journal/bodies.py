"""What each kind of entry holds; unknown fields, long texts and control characters are refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from spm_models.journal.coaching_bodies import COACHING_BODIES
from spm_models.journal.fields import Amount, Body, Line, Text, clean_text


class Note(Body):
    """Something worth keeping."""

    text: Text


class Reply(Body):
    """A rep's answer to a finding or report; it is shown beside it."""

    text: Text
    signal: Line | None = None


class Submission(Body):
    """What a person expects of a period, in the company's currency: sure of, and at best."""

    period: Line
    commit: Amount
    best_case: Amount | None = None
    comment: Text | None = None
    beside: Amount | None = None  # the forecast published when he wrote it, so that both can be judged later

    @model_validator(mode="after")
    def _at_best_more(self) -> Submission:
        if self.commit < 0 or (self.best_case is not None and self.best_case < self.commit):
            raise ValueError("commit lies below zero or above best_case")
        return self


class Override(Body):
    """A person's own value beside a model's, with the reason; without a value he takes back what he said."""

    field: Literal["win_probability", "amount", "expected_close_on", "forecast"]
    value: Line | None = None
    reason: Text | None = None
    beside: Line | None = None  # what was published when he wrote it, so that both can be judged later

    @model_validator(mode="after")
    def _fits_the_field(self) -> Override:
        if self.value is None:
            return self
        if self.reason is None:
            raise ValueError("a value needs its reason")
        for value in filter(None, (self.value, self.beside)):
            _check_value(self.field, value)
        return self


def _check_value(field: str, value: str) -> None:
    if field == "expected_close_on":
        date.fromisoformat(value)
        return
    try:
        number = Decimal(value)
    except ArithmeticError as error:
        raise ValueError("value must be a number") from error
    if not number.is_finite() or number < 0 or (field == "win_probability" and number > 1):
        raise ValueError("value is out of range")


class Agreement(Body):
    """What manager and rep agreed in a session."""

    held_on: date
    session: Literal["one_to_one", "coaching", "mentoring", "shadowing", "role_play", "training"] = "one_to_one"
    skill: Line | None = None
    actions: Text
    due_on: date | None = None

    @model_validator(mode="after")
    def _due_after_held(self) -> Agreement:
        if self.due_on is not None and self.due_on < self.held_on:
            raise ValueError("due_on lies before held_on")
        return self


class Correction(Body):
    """A value in the data that is wrong, what it should be, and why."""

    table: Line
    column: Line
    value: Annotated[str, AfterValidator(clean_text), Field(max_length=400)]
    reason: Text


class QuotaRevision(Body):
    """A new amount of one target from a day on, with the reason. Taking one back is a revision as well."""

    tier: Literal["minimum", "standard", "maximum"]
    period_start: date
    period_end: date
    amount: Amount
    set_on: date
    cause: Literal["quarterly", "ad_hoc", "undo"]
    reason: Text
    beside: Amount | None = None  # what the target was until then

    @model_validator(mode="after")
    def _possible(self) -> QuotaRevision:
        if self.amount < 0 or self.period_end < self.period_start:
            raise ValueError("amount lies below zero, or the period ends before it begins")
        return self


class Target(Body):
    """What is said about a target: asked, answered, accepted or declined, with the target that stood then."""

    says: Literal["question", "answer", "accept", "decline"]
    period: Line
    quota: Amount
    text: Text | None = None

    @model_validator(mode="after")
    def _in_words(self) -> Target:
        if self.says != "accept" and self.text is None:
            raise ValueError("this needs words")
        return self


class Place(Body):
    """One person of a drawn order; the block of the draw, and the wave that came out."""

    rep_id: Line
    team: Annotated[str, AfterValidator(clean_text), Field(max_length=200)] = ""
    need: Annotated[str, AfterValidator(clean_text), Field(max_length=200)] = ""
    wave: Annotated[int, Field(ge=1)]


class CoachingOrder(Body):
    """An order of coaching drawn by lot: people, seed and waves, so that anybody can draw it again."""

    skill: Line
    session: Literal["coaching", "mentoring", "shadowing", "role_play", "training"]
    starts_on: date
    weeks: Annotated[int, Field(ge=1, le=53)]
    capacity: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    places: Annotated[list[Place], Field(min_length=2, max_length=5000)]
    first: Annotated[list[Line], Field(max_length=5000)] = Field(
        default_factory=list
    )  # coached at once and outside the draw
    reason: Text | None = None  # why it was drawn anew

    @model_validator(mode="after")
    def _everybody_once(self) -> CoachingOrder:
        people = [place.rep_id for place in self.places] + self.first
        if len(set(people)) < len(people):
            raise ValueError("somebody stands in the order twice")
        return self


BODIES: dict[str, type[BaseModel]] = {
    "note": Note, "reply": Reply, "submission": Submission, "override": Override, "agreement": Agreement,
    "correction": Correction, "quota_revision": QuotaRevision, "target": Target,
    "coaching_order": CoachingOrder, **COACHING_BODIES,
}  # fmt: skip
