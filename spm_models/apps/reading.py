"""What a page reads with the eyes of a report: the same sections, within the viewer's scope, and answers up to now."""

from __future__ import annotations

from typing import Any

from spm_models.access import Scope, Viewer, scope
from spm_models.apps.session import Session
from spm_models.published import Results
from spm_models.reports.reading import Reading


class PageReading(Reading):
    """Published results about one unit; what people wrote since the snapshot is shown as well."""

    def _written(self, kind: str, rep_id: str) -> list[Any]:
        return [] if self._journal is None else self._journal.current(kind=kind, rep_id=rep_id)


def of_rep(session: Session, rep_id: str) -> PageReading | None:
    """About one rep; None where he is not within the viewer's scope."""
    reader = session.reader
    if not reader.scope.allows("rep", rep_id) or rep_id not in set(session.results["reps"]["rep_id"]):
        return None
    results = Results.open(session.workspace, scope=Scope.of_rep(rep_id), run_id=session.results.manifest.run_id)
    return PageReading(session.workspace, results, "rep", rep_id, reader.translator)


def of_line(session: Session, manager_id: str = "") -> PageReading | None:
    """About a manager's reporting line, the viewer's own without a name; None where it is not all within his scope."""
    reader = session.reader
    manager = manager_id or reader.person
    line = scope(Viewer(manager, "manager"), session.results["reps"]) if manager else None
    mine = reader.scope
    if line is None or not (mine.whole_company or line.rep_ids <= mine.rep_ids | {manager}):
        return None
    allowed = line if mine.whole_company else mine if manager == reader.person else Scope(
        "line", line.rep_ids & mine.rep_ids, line.manager_ids & mine.manager_ids, line.teams & mine.teams,
        line.regions & mine.regions,
    )  # fmt: skip
    results = Results.open(session.workspace, scope=allowed, run_id=session.results.manifest.run_id)
    return PageReading(session.workspace, results, "manager", manager, reader.translator)


def of_company(session: Session) -> PageReading:
    """About the whole company, for whoever may see it."""
    return PageReading(session.workspace, session.results, "company", "", session.reader.translator)
