"""Up to three people of a manager's week: what to talk about, when, what he himself still owes, what was answered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.apps.pages import link
from spm_models.apps.parts import go, join, section
from spm_models.apps.reading import PageReading
from spm_models.apps.session import Session
from spm_models.coaching.plans.one_to_one import next_one_to_one
from spm_models.periods import FiscalCalendar
from spm_models.reports.reading import begun
from spm_models.reports.rhythm import waiting
from spm_models.reports.words import topic_of

PEOPLE = 3


def people_section(session: Session, reading: PageReading) -> Markup:
    """People with a topic first, then those to whom something is owed; at most three, then a link to all."""
    t = reading.t
    chosen = _chosen(reading)
    items = [_person(reading, rep, row) for rep, row in chosen]
    body = (
        Markup('<ol class="people">{}</ol>').format(join(items))
        if items
        else Markup("<p>{}</p>").format(t("my_team.nobody"))
    )
    return section("people", t("my_team.people"), body, go(link("coaching"), t("my_team.to_people")),
                   intro=t("my_team.people_intro"))  # fmt: skip


def unanswered(reading: PageReading, rep_id: str) -> list[Any]:
    """What a rep answered and nobody has reacted to since: no note, no agreement, no talk."""
    replies = reading.replies(rep_id)[-1:]
    if not replies:
        return []
    held = reading.sessions
    talks = held.loc[held["rep_id"] == rep_id, "held_on"]
    later = [one for kind in ("note", "agreement") for one in reading._written(kind, rep_id)]
    newest = max([one.written_at for one in later if one.author != rep_id], default=pd.Timestamp.min)
    after_talk = len(talks) and talks.max().date() > replies[0].written_at.date()
    return [] if newest > replies[0].written_at or after_talk else replies


def _chosen(reading: PageReading) -> list[tuple[str, Mapping[Any, Any]]]:
    verdicts = reading["coaching_verdicts"]
    topics = verdicts.dropna(subset="topic").sort_values(["money_at_stake", "rep_id"], ascending=[False, True])
    rows: dict[str, Mapping[Any, Any]] = {str(row["rep_id"]): row for row in topics.to_dict("records")}
    for rep in waiting(reading)["rep_id"]:
        rows.setdefault(str(rep), {"rep_id": rep, "topic": None})
    answered = [rep for rep in reading["reps"]["rep_id"] if rep not in rows and unanswered(reading, rep)]
    rows |= {str(rep): {"rep_id": rep, "topic": None} for rep in answered}
    return list(rows.items())[:PEOPLE]


def _person(reading: PageReading, rep_id: str, row: Mapping[Any, Any]) -> Markup:
    people = reading["reps"].set_index("rep_id")["name"]
    return Markup('<li><h3><a href="{}"><bdi>{}</bdi></a></h3>{}</li>').format(
        link("coaching", rep=rep_id), people.get(rep_id, rep_id), join(_lines(reading, rep_id, row))
    )


def _lines(reading: PageReading, rep_id: str, row: Mapping[Any, Any]) -> Iterator[Markup]:
    t, settings = reading.t, reading.workspace.settings
    line = Markup('<p class="{}">{}</p>')
    if isinstance(row["topic"], str):
        yield line.format("", t.html("my_team.topic", topic=topic_of(t, row)))
    talk = next_one_to_one(
        reading.sessions, rep_id, reading.results.manifest.as_of, FiscalCalendar.of(settings.calendar),
        settings.coaching.one_to_one_every_days,
    )  # fmt: skip
    yield line.format("soft", t("my_team.next_talk", day=talk))
    mine = waiting(reading)
    owed = mine[mine["rep_id"] == rep_id]
    if len(owed):
        first = owed.iloc[0]
        yield line.format("mine", t.html("my_team.owed", n=len(owed), action=begun(first["action"]),
                                         day=first["due_on"].date()))  # fmt: skip
    for reply in unanswered(reading, rep_id):
        yield line.format(
            "answer", t.html("my_team.answered", day=reply.written_at.date(), text=begun(reply.body["text"]))
        )
