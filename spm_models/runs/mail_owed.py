"""Who is owed which report: a rep his own before his manager, a manager his team's, an executive the company's.

Nobody else ever is. Addresses come from the published table of people alone; one that two people share, or that is not
one plain address, is nobody's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spm_models.access import Scope
from spm_models.periods import WEEKDAYS, FiscalCalendar
from spm_models.published import Manifest, Results
from spm_models.runs.cadence import month_of, week_of
from spm_models.runs.ledger import Report
from spm_models.runs.order import COMPANY
from spm_models.runs.outbox import NO_ADDRESS, WAITING, Mail
from spm_models.settings import ADDRESS
from spm_models.translations import LOCALES
from spm_models.workspace import Workspace

REP, MANAGER, EXECUTIVE = "rep", "manager", "executive"
#: Whose each report is, and of which kind of period there is one.
READERS = {
    "coaching_report": (REP, "week"), "team_digest": (MANAGER, "week"), "team_monthly": (MANAGER, "month"),
    "executive_report": (EXECUTIVE, "month"), "executive_quarterly": (EXECUTIVE, "quarter"),
}  # fmt: skip
_LONGEST = 254  #: letters of an address that a server has to take


def owed(workspace: Workspace, manifest: Manifest, rows: Iterable[Report]) -> list[Mail]:
    """Mails that the reports of a run are owed as, those to be read first before those that wait for them.

    Parameters
    ----------
    workspace : Workspace
    manifest : Manifest
        Of the run; its published people say who leads whom and where mail reaches them.
    rows : iterable of Report
        Reports of the run; failed ones are for nobody.

    Returns
    -------
    list of Mail
        Not in any outbox yet: state ``waiting``, or ``no_address`` with the reason in ``error``.
    """
    people = _People(workspace, Results.open(workspace, scope=Scope.of_company(), run_id=manifest.run_id)["reps"])
    done = [row for row in rows if row.status == "done" and row.html and row.sha256 and row.report in READERS]
    first = [_mail(people, manifest, row, READERS[row.report][0], row.about) for row in done]
    then = [
        _mail(people, manifest, row, MANAGER, manager)
        for row in done if row.report == "coaching_report" and (manager := people.manager_of(row.about))
    ]  # fmt: skip
    return first + then


def is_copy(mail: Mail) -> bool:
    """Whether a mail waits until the rep whom it is about has been sent his own."""
    return mail.report == "coaching_report" and mail.role != REP


def managers_day(workspace: Workspace, sent_on: date, *, late: bool = False) -> date:
    """From which day on a manager may have what his rep was sent on a day: working days of the company later.

    A weekend is no time to read, and an evening (``late``) no day: both count from the next working day.
    """
    days = workspace.settings.mail.manager_after_working_days
    if days == 0:
        return sent_on
    weekend = FiscalCalendar.of(workspace.settings.calendar).weekend
    mask = [weekday not in weekend for weekday in WEEKDAYS]
    first = np.datetime64(sent_on + timedelta(days=late), "D")
    return pd.Timestamp(np.busday_offset(first, days, roll="forward", weekmask=mask)).date()


def reached(key: tuple[str, str, str, str], company: str, sender: str) -> str:
    """The Message-ID of a mail: always the same, so that whoever gets it twice can tell."""
    name = hashlib.sha256("\0".join((company, *key)).encode()).hexdigest()[:40]
    return f"<{name}@{sender.rpartition('@')[2] or 'localhost'}>"


class _People:
    """The people of a snapshot, and how mail reaches them."""

    def __init__(self, workspace: Workspace, people: pd.DataFrame) -> None:
        self.settings = workspace.settings
        here = people[people["left_on"].isna()]
        self.here: dict[str, dict[Any, Any]] = {row["rep_id"]: row for row in here.to_dict("records")}
        self.known = set(people["rep_id"])
        self.leads = set(here["manager_id"].dropna())
        plain = here["email"].dropna().str.strip().str.casefold()
        self.shared = set(plain[plain.duplicated()])

    def manager_of(self, rep: str) -> str | None:
        """His manager, if he has one."""
        manager = self.here.get(rep, {}).get("manager_id")
        return manager if isinstance(manager, str) and manager != rep else None

    def name(self, person: str) -> str:
        """What a person is called."""
        return str(self.here.get(person, {}).get("name", person))

    def locale(self, person: str) -> str:
        """The language set for reports, else the reader's own, else the company's."""
        own = self.here.get(person, {}).get("locale")
        return self.settings.reports.locale or (own if own in LOCALES else self.settings.company.locale)

    def address(self, person: str, role: str) -> tuple[str | None, str]:
        """Where mail reaches a person in a role; None with the reason."""
        row = self.here.get(person)
        if row is None:
            missing = "has no executive" if person == COMPANY else "is not in the table reps"
            return None, "has left" if person in self.known else missing
        fits = {MANAGER: person in self.leads, EXECUTIVE: row["role"] == EXECUTIVE}
        if not fits.get(role, True):
            return None, f"is no {role} in this snapshot"
        given = row["email"].strip() if isinstance(row["email"], str) else ""
        return (given, "") if not (why := self._wrong(given)) else (None, why)

    def _wrong(self, given: str) -> str:
        if not given:
            return "has no e-mail address"
        if not ADDRESS.fullmatch(given) or len(given) > _LONGEST or "." not in given.rpartition("@")[2]:
            return "has no usable e-mail address"
        if given.casefold() in self.shared:
            return "shares an e-mail address with somebody else"
        allowed = {domain.casefold() for domain in self.settings.mail.allowed_domains}
        if allowed and given.rpartition("@")[2].casefold() not in allowed:
            return "has an e-mail address of a domain that [mail] allowed_domains does not name"
        return ""


def _mail(people: _People, manifest: Manifest, row: Report, role: str, person: str) -> Mail:
    mail_settings, company = people.settings.mail, people.settings.company.name
    address, why = people.address(person, role)
    key = (row.report, row.about, role, row.period or _period(people, row.report, manifest.as_of))
    pdf = Path(row.pdf) if row.pdf and Path(row.pdf).is_file() else None
    return Mail(
        **dict(zip(("report", "about", "role", "period"), key, strict=True)), run_id=manifest.run_id,
        as_of=manifest.as_of.isoformat(), person=person, reader=people.name(person), name=people.name(row.about),
        address=address, locale=people.locale(person), html=row.html, pdf=str(pdf) if pdf else None, sha256=row.sha256,
        pdf_sha256=hashlib.sha256(pdf.read_bytes()).hexdigest() if pdf else None,
        message_id=reached(key, company, mail_settings.sender), state=WAITING if address else NO_ADDRESS,
        attempts=0, error=why or None,
    )  # fmt: skip


def _period(people: _People, report: str, as_of: date) -> str:
    kind = READERS[report][1]
    if kind == "week":
        return week_of(as_of)
    if kind == "month":
        return month_of(as_of)
    quarter = FiscalCalendar.of(people.settings.calendar).quarter(as_of)
    return (quarter if quarter.end == as_of else quarter.previous()).label


def unreached(mails: Iterable[Mail]) -> Iterator[str]:
    """Who could not be written to, and why; each person once."""
    seen: set[str] = set()
    for mail in mails:
        if mail.state == NO_ADDRESS and mail.person not in seen:
            seen.add(mail.person)
            yield f"{mail.person} {mail.error}"
