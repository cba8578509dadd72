"""Last agreements and what became of them, and the agenda of the next one-to-one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.coaching.plans.library import OWN_FOLDER, Library, read_library
from spm_models.coaching.plans.one_to_one import AgendaItem, agenda
from spm_models.coaching.plans.words import Names, agenda_sentences
from spm_models.periods import FiscalCalendar
from spm_models.reports.parts import bullets, join, paragraph
from spm_models.reports.reading import Reading

SESSIONS = 2
_IN_THE_TOPIC = ("change", "action")  #: points that the one thing to work on shows already


def last_agreements(reading: Reading) -> Markup:
    """The last sessions with each action and its state; an honest word where nothing was agreed."""
    t, held = reading.t, reading.sessions.tail(SESSIONS)[::-1].to_dict("records")
    return bullets(_session(reading, row) for row in held) if held else paragraph(t("report.agreements.none"))


def _session(reading: Reading, row: Mapping[Any, Any]) -> Markup:
    t = reading.t
    known = reading["agreed_actions"].query("session_id == @row['session_id']").sort_values("number")
    said = [
        t.html("report.agreements.action", action=action, state=t.name("plan.states", state))
        for action, state in known[["action", "state"]].itertuples(index=False)
    ]
    if not said:
        said = [Markup("<bdi>{}</bdi>").format(row["actions"])] if isinstance(row["actions"], str) else []
    told = join([said[0]]) if len(said) == 1 else bullets(said) if said else t("report.agreements.no_action")
    line = t.html("report.agreements.last", day=row["held_on"], actions=told)
    kind = t.name("session_kinds", row["kind"]) if isinstance(row["kind"], str) else ""
    due = "" if pd.isna(row["due_on"]) else t("report.agreements.due", day=row["due_on"])
    notes = Markup(" · ").join(note for note in (kind, due) if note)
    return line + Markup('<br><small class="note">{}</small>').format(notes) if notes else line


def next_agenda(reading: Reading, names: Names, *, deals: bool) -> Markup:
    """Points of the next one-to-one, the last actions first.

    Parameters
    ----------
    reading : Reading
    names : mapping of str to str
        Opportunity and rep ids → names.
    deals : bool
        Whether there are open deals to talk about.
    """
    t, settings = reading.t, reading.workspace.settings
    items = agenda(
        reading.key, reading.results.manifest.as_of, verdicts=reading["coaching_verdicts"],
        plan=reading["coaching_plan"], feedback=reading["coaching_feedback"], sessions=reading.sessions,
        actions=reading["agreed_actions"],
        calendar=FiscalCalendar.of(settings.calendar), every_days=settings.coaching.one_to_one_every_days,
    )  # fmt: skip
    points = list(_points(reading, items, names, deals))
    lines = join(Markup("<li>{}</li>").format(line) for line in points)
    return Markup("<h3>{}</h3><ol>{}</ol>").format(t("report.agreements.agenda"), lines)


def _points(reading: Reading, items: list[AgendaItem], names: Names, deals: bool) -> Iterator[object]:
    t = reading.t
    library: Library = read_library(reading.workspace.root / OWN_FOLDER)
    shown = [item for item in items if item.kind not in _IN_THE_TOPIC]
    yield from (line for _, line in agenda_sentences(t, shown[:-1], names, library))
    if any(item.kind == "action" for item in items):
        yield t("report.agreements.agenda_actions")
    if deals:
        yield t("report.agreements.agenda_deals")
    yield from (line for _, line in agenda_sentences(t, shown[-1:], names, library))
