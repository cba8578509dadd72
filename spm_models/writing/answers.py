"""What people answer in confidence: 360° feedback, and the form about a manager's own coaching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, timedelta

import pandas as pd

from spm_models.access import Scope, find_person
from spm_models.coaching.people.releases import ROUND_DAYS
from spm_models.crm.organisation import reporting_line
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal import Entry
from spm_models.journal.coaching_bodies import COACHING_SKILLS, SKILLS
from spm_models.journal.people import standing
from spm_models.published import Results
from spm_models.workspace import Workspace
from spm_models.writing.speaker import Speaker, known_speaker
from spm_models.writing.way import USUAL, Body, Writing, opened


def feedback(
    workspace: Workspace, about: str, scores: Mapping[str, int], how: Writing = USUAL, *, comment: str = "",
    customer: str = "",
) -> list[Entry]:  # fmt: skip
    """360° answers about one person, one a dimension; the side is the writer's place beside that person.

    Parameters
    ----------
    workspace : Workspace
    about : str
        Whom the answers are about, by id or e-mail.
    scores : mapping
        Points from 1 to 5 by dimension.
    how : Writing
    comment : str
        In one's own words; shown only among the answers of at least five, without a name.
    customer : str
        Whose answers they are, where executives or analysts write down what a customer said.

    Returns
    -------
    list of Entry
        An answer of the same person within half a year replaces the earlier one.

    Raises
    ------
    AccessDeniedError
        About oneself, or for a customer without the right to.
    JournalError
        When a dimension is not asked in this company, or a score is none.
    """
    by = known_speaker(workspace, how.person, "answer")
    whom = find_person(about, by.people)
    side = _side(by, whom, customer)
    asked = sorted(
        {*SKILLS, *COACHING_SKILLS, *Results.open(workspace, scope=Scope.of_company())["feedback_360"]["dimension"]}
    )
    unknown = sorted(set(scores) - set(asked))
    if unknown or not scores:
        raise JournalError(
            "This is not asked" if unknown else "An answer has at least one score", where="spm coaching feedback",
            found=unknown[0] if unknown else "none", remedy=f"Dimensions are {', '.join(asked)}.",
        )  # fmt: skip
    bodies = [
        {"given_by": side, "dimension": dimension, "score": score, "customer": customer or None,
         "comment": (comment or None) if place == 0 else None}
        for place, (dimension, score) in enumerate(scores.items())
    ]  # fmt: skip
    for dry_run in (True, how.dry_run):  # nothing is written unless all of it can be
        written = [_answer(workspace, by, how, ("rep", whom), "feedback_360", body, dry_run) for body in bodies]
    return written


def score_manager(workspace: Workspace, manager: str, scores: Mapping[str, int], how: Writing = USUAL) -> Entry:
    """The form about a manager's own coaching, by himself or by somebody in his reporting line."""
    by = known_speaker(workspace, how.person, "form")
    whom = find_person(manager, by.people)
    if whom not in set(by.people["manager_id"].dropna()):
        raise JournalError("This person leads nobody", where="spm coaching form", found=manager)
    if whom != by.author and by.author not in reporting_line(by.people, whom):
        raise AccessDeniedError(
            "A manager is scored by himself and by those whom he leads", where=whom, found=by.author
        )
    body = {"given_by": "self" if whom == by.author else "rep", **scores}
    return _answer(workspace, by, how, ("manager", whom), "manager_form", body, how.dry_run)


def scores_named(texts: Sequence[str]) -> dict[str, int]:
    """Scores as people write them.

    Raises
    ------
    JournalError
        When one is not of the form ``dimension=points``, or a dimension comes twice.

    Examples
    --------
    >>> scores_named(["listening=4", "value = 5"])
    {'listening': 4, 'value': 5}
    """
    scores: dict[str, int] = {}
    for text in texts:
        dimension, _, points = (part.strip() for part in text.partition("="))
        if points not in ("1", "2", "3", "4", "5") or not dimension or dimension in scores:
            raise JournalError(
                "A score is given once a dimension, from 1 to 5", where="--score", found=text,
                remedy="Write it like listening=4.",
            )  # fmt: skip
        scores[dimension] = int(points)
    return scores


def _side(by: Speaker, whom: str, customer: str) -> str:
    if whom == by.author:
        raise AccessDeniedError("Nobody answers about himself", where="spm coaching feedback", found=whom)
    if customer:
        if by.role not in ("executive", "analyst"):
            raise AccessDeniedError(
                "Executives and analysts write down what customers say", where="--customer", found=by.author,
                remedy="Or import the answers as the table feedback_360.",
            )  # fmt: skip
        return "customer"
    if by.author in _above(by.people, whom):
        return "manager"
    teams = by.people.set_index("rep_id")["team"]
    same = by.author in teams.index and pd.notna(teams[by.author]) and teams[by.author] == teams.get(whom)
    return "peer" if same else "department"


def _above(people: pd.DataFrame, whom: str) -> set[str]:
    managers = set(people["manager_id"].dropna())
    return {str(manager) for manager in managers if whom in reporting_line(people, manager)}


def _answer(
    workspace: Workspace, by: Speaker, how: Writing, about: tuple[str, str], kind: str, body: Body, dry_run: bool
) -> Entry:
    """Write an answer given in confidence, instead of one's own of the same round."""
    same = ("given_by", "dimension", "customer")
    with closing(opened(workspace, by, how)) as journal:
        since = journal.clock().astimezone(UTC).replace(tzinfo=None) - timedelta(days=ROUND_DAYS)
        own = [
            entry for entry in standing(journal.own_answers(by.author))
            if entry.kind == kind and (entry.about_kind, entry.about_id) == about and entry.written_at > since
            and all(entry.body.get(name) == body.get(name) for name in same)
        ]  # fmt: skip
        part = f"-{body['dimension']}" if "dimension" in body else ""
        request = f"{how.request_id}{part}" if how.request_id else None
        sent = [entry for entry in own if entry.request_id == request]
        earlier = sent[-1].supersedes if sent else (own[-1].id if own else None)
        return journal.write(
            kind, by.author, about, {name: value for name, value in body.items() if value is not None},
            supersedes=earlier, request_id=request, dry_run=dry_run,
        )  # fmt: skip
