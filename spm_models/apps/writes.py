"""What the forms of the pages may write: each kind reads its fields, then calls the one function that writes it.

Validation, scope, author and time are those of :mod:`spm_models.writing`: what is true on the command line is true
here. A request sent twice is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from spm_models.access import Viewer
from spm_models.errors import JournalError
from spm_models.journal import Entry
from spm_models.journal.coaching_bodies import COACHING_SKILLS, SKILLS
from spm_models.workspace import Workspace
from spm_models.writing import answers, corrections, overrides, people, submissions, targets
from spm_models.writing.way import Writing

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Sent:
    """A form as it came: where, by whom, in which language he writes numbers, and its fields."""

    workspace: Workspace
    viewer: Viewer
    locale: str
    fields: Fields

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "").strip()

    @property
    def way(self) -> Writing:
        """Who speaks, and the request's own number."""
        instead = self["instead_of"]
        return Writing(
            person=self.viewer, request_id=self["request"] or None, instead_of=int(instead) if instead else None
        )

    def scores(self, names: tuple[str, ...]) -> dict[str, int]:
        """Points from 1 to 5 of those fields that were filled in."""
        given = {name: self[name] for name in names if self[name]}
        if wrong := [name for name, value in given.items() if value not in ("1", "2", "3", "4", "5")]:
            raise JournalError("A score is from 1 to 5", where=wrong[0], found=given[wrong[0]])
        return {name: int(value) for name, value in given.items()}


@dataclass(frozen=True)
class Kind:
    """How one kind of form is written, and whether its author may take it back with one click."""

    write: Callable[[Sent], Entry]
    undo: bool = False


def _submission(sent: Sent) -> Entry:
    return submissions.submit(
        sent.workspace, sent["period"], sent["commit"], sent["best_case"], of=sent["of"], note=sent["note"],
        person=sent.viewer, locale=sent.locale,
    )  # fmt: skip


def _override(sent: Sent) -> Entry:
    chance = overrides.parse_chance(sent["chance"]) if sent["chance"] else None
    return overrides.override(sent.workspace, sent["deal"], chance, sent["reason"], person=sent.viewer)


def _reply(sent: Sent) -> Entry:
    return people.reply(sent.workspace, sent["text"], sent.way, signal=sent["signal"])


def _note(sent: Sent) -> Entry:
    return people.note(
        sent.workspace, sent["rep"], sent["text"], sent.way, call=sent["call"], skill=sent["skill"],
        mentor=sent["mentor"], on=sent["on"],
    )  # fmt: skip


def _observation(sent: Sent) -> Entry:
    seen = {
        skill: f"{score}: {sent[f'{skill}_note']}" for skill, score in sent.scores(SKILLS).items()
    }  # the words are needed: a score alone helps nobody
    return people.observe(
        sent.workspace, sent["rep"], seen, sent.way, of=sent["of"] or "call", of_id=sent["of_id"],
        opportunity=sent["deal"], on=sent["on"],
    )  # fmt: skip


def _recognition(sent: Sent) -> Entry:
    return people.recognise(
        sent.workspace, sent["rep"], sent["text"], sent.way, signal=sent["signal"], opportunity=sent["deal"]
    )


def _cause(sent: Sent) -> Entry:
    return people.cause(sent.workspace, sent["rep"], sent["cause"], sent["says"], sent.way, text=sent["text"])


def _agreement(sent: Sent) -> Entry:
    return people.agree(
        sent.workspace, sent["rep"], sent["actions"].splitlines(), sent.way, session=sent["session"] or "one_to_one",
        skill=sent["skill"], on=sent["on"], due=sent["due"],
    )  # fmt: skip


def _action(sent: Sent) -> Entry:
    number = sent["number"]
    return people.act(
        sent.workspace, sent["session"], sent["state"], sent.way, number=int(number) if number.isdigit() else None,
        text=sent["text"],
    )  # fmt: skip


def _feedback(sent: Sent) -> Entry:
    scores = sent.scores(tuple(name for name in sent.fields if name not in _OTHERS))
    return answers.feedback(
        sent.workspace, sent["rep"], scores, sent.way, comment=sent["comment"], customer=sent["customer"]
    )[0]


def _manager_form(sent: Sent) -> Entry:
    return answers.score_manager(sent.workspace, sent["manager"], sent.scores(COACHING_SKILLS), sent.way)


def _target(sent: Sent) -> Entry:
    return targets.say(
        sent.workspace, sent["says"], sent["period"], sent["text"], rep=sent["rep"], person=sent.viewer  # type: ignore[arg-type]  # checked there
    )  # fmt: skip


def _correction(sent: Sent) -> Entry:
    return corrections.correct(sent.workspace, sent["deal"], sent["column"], sent["value"], sent["reason"], sent.way)


def _undo(sent: Sent) -> Entry:
    if not sent["number"].isdigit():
        raise JournalError("This is no entry's number", where="number", found=sent["number"])
    return people.withdraw(sent.workspace, int(sent["number"]), sent.way)


_OTHERS = ("rep", "comment", "customer", "request", "instead_of")
KINDS: dict[str, Kind] = {
    "submission": Kind(_submission), "override": Kind(_override), "reply": Kind(_reply), "note": Kind(_note),
    "observation": Kind(_observation, undo=True), "recognition": Kind(_recognition, undo=True),
    "cause": Kind(_cause, undo=True), "agreement": Kind(_agreement), "action": Kind(_action, undo=True),
    "feedback_360": Kind(_feedback, undo=True), "manager_form": Kind(_manager_form, undo=True),
    "target": Kind(_target), "correction": Kind(_correction), "undo": Kind(_undo),
}  # fmt: skip
