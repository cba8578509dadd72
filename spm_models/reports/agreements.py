"""What was agreed last and what became of it, and the agenda of the next one-to-one."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from spm_models.coaching.plans.library import OWN_FOLDER, Library, read_library
from spm_models.coaching.plans.one_to_one import AgendaItem, agenda
from spm_models.coaching.plans.words import Names, agenda_sentences
from spm_models.periods import FiscalCalendar
from spm_models.reports.parts import bullets, join, paragraph
from spm_models.reports.reading import Reading

_LAST = ("last_action", "nothing_agreed")
_ABOVE = ("well", "change", "action")  #: points that the report has shown already


def agreements(reading: Reading, names: Names, *, deals: bool) -> Markup:
    """Last actions with their state, and the points of the next talk, the last actions first.

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
    library = read_library(reading.workspace.root / OWN_FOLDER)
    points = join(Markup("<li>{}</li>").format(line) for line in _points(reading, items, names, library, deals=deals))
    heads = t("report.agreements.last_time"), t("report.agreements.agenda")
    return Markup('<div class="pair"><div><h3>{}</h3>{}</div><div><h3>{}</h3><ol>{}</ol></div></div>').format(
        heads[0], _last(reading, items, names, library), heads[1], points
    )


def _last(reading: Reading, items: list[AgendaItem], names: Names, library: Library) -> Markup:
    """The last actions; an honest word where none was written down."""
    t, held = reading.t, reading.sessions.tail(1).to_dict("records")
    agreed = [item for item in items if item.kind == "last_action"]
    if agreed:
        return bullets(line for _, line in agenda_sentences(t, agreed, names, library))
    if not held:
        return paragraph(t("report.agreements.none"))
    return paragraph(t.html("report.agreements.last", day=held[0]["held_on"], actions=t("report.agreements.no_action")))


def _points(
    reading: Reading, items: list[AgendaItem], names: Names, library: Library, *, deals: bool
) -> Iterator[object]:
    t = reading.t
    if any(item.kind == "last_action" for item in items):
        yield t("report.agreements.agenda_last")
    yield t("report.agreements.agenda_well")
    shown = [item for item in items if item.kind not in (*_LAST, *_ABOVE)]
    yield from (line for _, line in agenda_sentences(t, shown[:-1], names, library))
    if any(item.kind == "action" for item in items):
        yield t("report.agreements.agenda_actions")
    if deals:
        yield t("report.agreements.agenda_deals")
    yield from (line for _, line in agenda_sentences(t, shown[-1:], names, library))
