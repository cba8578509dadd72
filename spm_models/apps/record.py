"""Records who saw what, without letting anybody wait for it."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlencode

from spm_models.access import Scope
from spm_models.apps.identity import PageUser
from spm_models.apps.session import Reader, name_of
from spm_models.errors import JournalError
from spm_models.journal import AuditLog
from spm_models.journal.audit import who_looked
from spm_models.published import Results
from spm_models.workspace import Workspace

MOST = 20  #: of those who looked, that a rep is shown
log = logging.getLogger(__name__)


class Record:
    """The audit log of a page server: written in order, beside the requests.

    What cannot be written is said in the server's own log, whole.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace, self._log = workspace, AuditLog(workspace)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="record")

    def add(self, action: str, person: str, what: str = "", *, looks_as: str = "", rep_id: str | None = None) -> None:
        """Record one thing (see :meth:`spm_models.journal.AuditLog.add`)."""
        written = self._writer.submit(self._log.add, action, person, what, looks_as=looks_as, rep_id=rep_id)
        line = f"{person} ({looks_as}) {action} {what} {rep_id}"
        written.add_done_callback(lambda done: _complain(done, line))

    def page(self, action: str, user: PageUser, reader: Reader, slug: str, asked: Mapping[str, str]) -> None:
        """Record that a page was opened, or was refused."""
        what = f"{slug}?{urlencode(asked)}" if asked else slug
        about = rep_of(reader, slug, asked)
        self.add(action, user.signed_in.person, what, looks_as=user.looks_as, rep_id=about)

    def looked_at(self, reader: Reader) -> str:
        """Who opened a page about the reader, as a kernel is told (JSON)."""
        seen = who_looked(self._workspace, reader.person).head(MOST)
        people = Results.open(self._workspace, scope=Scope.of_company())["reps"]
        rows = [
            {"name": name_of(people, person), "last_on": day, "times": times}
            for person, day, times in zip(seen["person"], seen["last_on"], seen["times"], strict=True)
        ]
        return json.dumps(rows, ensure_ascii=False)

    def close(self) -> None:
        """Write what is still to be written."""
        self._writer.shutdown(wait=True)
        self._log.close()


def rep_of(reader: Reader, slug: str, asked: Mapping[str, str]) -> str | None:
    """The one rep whom a page is about: the reader on his own page, else whom the address names.

    Only those whom the reader may see are named: a guess at an id leaves no trace with its owner.
    """
    if slug == "my-performance":
        return reader.person
    level, _, key = asked.get("unit", "").partition(":")
    wished = asked.get("rep") or (key if level == "rep" else "")
    return wished if wished and reader.scope.allows("rep", wished) else None


def _complain(done: Future[None], line: str) -> None:
    error = done.exception()
    if isinstance(error, JournalError):
        log.error("It could not be recorded that %s: %s", line, error)
    elif error is not None:
        log.error("It could not be recorded that %s", line, exc_info=error)
