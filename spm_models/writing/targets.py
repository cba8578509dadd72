"""What people write about targets: revisions by those who set them, questions and acceptance by those who have them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import pandas as pd

from spm_models.access import Scope, Viewer, find_person, scope
from spm_models.access.viewer import matching_people, same_login
from spm_models.crm import Tables, open_tables
from spm_models.database import frame
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal import Entry, Journal
from spm_models.journal.targets import REVISIONS, revisions
from spm_models.kpis.quota_ledger import standing
from spm_models.money import parse_amount
from spm_models.periods import FiscalCalendar, Period
from spm_models.published import Results
from spm_models.workspace import Workspace
from spm_models.writing.speaker import speaker

TIERS = ("minimum", "standard", "maximum")
Clock = Callable[[], datetime]
Says = Literal["question", "answer", "accept", "decline"]


@dataclass(frozen=True)
class _Speaker:
    author: str
    allowed: Scope
    role: str
    people: pd.DataFrame
    results: Results


def revise(
    workspace: Workspace, unit: str, period: str, amount: str, reason: str, *, tier: str = "standard", on: str = "",
    quarterly: bool = False, person: str | Viewer = "", clock: Clock | None = None,
) -> Entry:  # fmt: skip
    """Set a target anew from a day on; what it was on earlier days stays.

    Parameters
    ----------
    workspace : Workspace
    unit : str
        ``rep:R1``, ``team:North``, ``region:West`` or ``company``.
    period : str
        Such as ``2026-Q3``; it must not be over.
    amount : str
        In the company's currency, written as its language writes it.
    reason : str
        Shown with the target wherever it is explained.
    tier : {"standard", "minimum", "maximum"}
    on : str
        Day from which it holds; empty: today, or the day of the published results where the period is over by
        today's calendar. Not before the day of the published results, nor before the last
        revision, so that no answer given before changes.
    quarterly : bool
        The planned revision of the quarter; else it is an ad-hoc one.
    person : str
        Who speaks, by id or e-mail; empty: the person in ``[pages].viewer``.
    clock : callable, optional
        Gives the present instant with its time zone.

    Returns
    -------
    Entry
        As it stands in the journal; the table ``quotas`` of the source is never written to.

    Raises
    ------
    AccessDeniedError
        Managers revise the targets of their people, executives all; nobody his own.
    JournalError, MoneyError, PeriodError
        When the period is over, the day lies too early, the tiers would not be in order, or the reason is missing.
    """
    by = _speaker(workspace, person, "revision")
    about = _below(by, unit)
    chosen = _running(workspace, by.results, period)
    company = workspace.settings.company
    value = float(parse_amount(amount, company.locale, company.currency))
    entries = target_entries(workspace)
    targets = _targets(workspace, entries, about, chosen)
    day = _day(workspace, on, clock, by.results, targets, chosen)
    before = targets.get(tier)
    _in_order(targets, tier, value)
    body = _body(tier, chosen, value, day, "quarterly" if quarterly else "ad_hoc", reason, before)
    return _write(workspace, by, "quota_revision", about, body, clock)


def undo(
    workspace: Workspace, unit: str, period: str, reason: str, *, tier: str = "standard", on: str = "",
    person: str | Viewer = "", clock: Clock | None = None,
) -> Entry:  # fmt: skip
    """Take the last revision of a target back, by a new one with the amount that stood before.

    Raises
    ------
    JournalError
        When nobody has revised this target here, there was none before, or the source has set it anew since.
    """
    by = _speaker(workspace, person, "revision")
    about = _below(by, unit)
    chosen = _running(workspace, by.results, period)
    entries = target_entries(workspace)
    written = revisions(entries)
    mine = written[(written["owner_kind"] == about[0]) & (written["owner_id"] == about[1]) & (written["tier"] == tier)]
    mine = mine[(mine["period_start"] == pd.Timestamp(chosen.start)) & (mine["period_end"] == pd.Timestamp(chosen.end))]
    targets = _targets(workspace, entries, about, chosen)
    last = mine.iloc[-1] if len(mine) else None
    if last is None or pd.isna(last["before"]) or targets.get(tier, (None, None))[0] != last["amount"]:
        raise JournalError(
            "There is no revision that can be taken back", where=f"spm quotas undo {unit} --period {chosen.label}",
            found="no revision" if last is None else f"revised to {last['amount']:.2f}, now {targets.get(tier)}",
            remedy="Set the amount that you want with `spm quotas revise`.",
        )  # fmt: skip
    day = _day(workspace, on, clock, by.results, targets, chosen)
    _in_order(targets, tier, float(last["before"]))
    body = _body(tier, chosen, float(last["before"]), day, "undo", reason, targets[tier])
    return _write(workspace, by, "quota_revision", about, body, clock)


def say(
    workspace: Workspace, says: Says, period: str, text: str = "", *, rep: str = "", person: str | Viewer = "",
    clock: Clock | None = None,
) -> Entry:  # fmt: skip
    """Ask about a target, answer, accept or decline it.

    Parameters
    ----------
    workspace : Workspace
    says : {"question", "answer", "accept", "decline"}
        Reps ask, accept and decline; who may see the rep, and is not he, answers.
    period : str
    text : str
        Needed unless it is accepted.
    rep : str
        Whose target, for an answer.
    person : str
        Who speaks; empty: the person in ``[pages].viewer``.
    clock : callable, optional
        Gives the present instant with its time zone.

    Returns
    -------
    Entry
        With the standard target that stood then beside it: after a revision it has to be accepted anew.
    """
    by = _speaker(workspace, person, "word on a target")
    whose = find_person(rep, by.people) if rep.strip() else by.author
    if (says == "answer") == (whose == by.author) or not by.allowed.allows("rep", whose):
        raise AccessDeniedError(
            "Reps ask about their own target and accept it; those who lead them answer", where=f"spm quotas, {says}",
            found=f"{by.author} about {whose}", remedy="Give --as PERSON, and for an answer --rep ID.",
        )  # fmt: skip
    label = FiscalCalendar.of(workspace.settings.calendar).parse(period.strip()).label
    table = by.results["targets"]
    mine = table[(table["level"] == "rep") & (table["key"] == whose) & (table["period"] == label)]
    mine = mine[mine["tier"] == "standard"]
    if mine.empty:
        raise JournalError(
            "This rep has no published standard target in this period", where=whose, found=label,
            remedy="Published are the running quarter and the next; `spm run weekly` publishes new targets.",
        )  # fmt: skip
    body: dict[str, object] = {"says": says, "period": label, "quota": f"{mine['quota'].iloc[0]:.2f}"}
    return _write(workspace, by, "target", ("rep", whose), body | ({"text": text} if text.strip() else {}), clock)


def target_entries(workspace: Workspace) -> list[Entry]:
    """All revisions and all that was said about targets, in the order in which it was written."""
    if not workspace.has_journal:
        return []
    journal = Journal(workspace, Scope.of_company())
    try:
        return [entry for entry in journal.entries() if entry.kind in ("quota_revision", "target")]
    finally:
        journal.close()


def with_revisions(tables: Tables, entries: list[Entry], before: datetime | None) -> Tables:
    """The tables of a source with the revisions of quotas that people wrote, after those of the source."""
    written = revisions(entries, before)[list(REVISIONS)[:7]]
    return tables.with_rows("quotas", written.assign(amount_company=written["amount"], currency=tables.currency))


def _speaker(workspace: Workspace, person: str | Viewer, what: str) -> _Speaker:
    results = Results.open(workspace, scope=Scope.of_company())
    people = results["reps"]
    viewer = speaker(workspace, person, what)
    allowed = scope(viewer, people)
    author = viewer.id if not matching_people(viewer.id, people) else find_person(viewer.id, people)
    record = people.loc[people["rep_id"] == author, "role"]
    return _Speaker(
        author, allowed, viewer.role or (str(record.iloc[0]) if len(record) else "manager"), people, results
    )


def _below(by: _Speaker, unit: str) -> tuple[str, str]:
    """The unit as the organisation writes it, if this person sets its targets."""
    level, _, key = unit.strip().partition(":")
    level, key = level.strip().lower(), key.strip()
    column = {"rep": "rep_id", "team": "team", "region": "region"}.get(level)
    known = sorted(set(by.people[column].dropna())) if column else [""]
    found = [name for name in known if name == key] or [name for name in known if same_login(name, key)]
    if (column is None and level != "company") or len(found) != 1:
        raise JournalError(
            "There is no such unit", where="spm quotas", found=unit,
            remedy="Write rep:ID, team:NAME, region:NAME or company.",
        )  # fmt: skip
    above = by.role == "executive" and by.allowed.whole_company
    led = level == "rep" and by.role == "manager" and by.allowed.allows("rep", found[0])
    if not (above or led) or (level == "rep" and found[0] == by.author):
        raise AccessDeniedError(
            "This person does not set this target", where=unit, found=by.author,
            remedy="Managers revise the targets of their people, executives those of all; nobody his own.",
        )  # fmt: skip
    return level, found[0]


def _running(workspace: Workspace, results: Results, label: str) -> Period:
    period = FiscalCalendar.of(workspace.settings.calendar).parse(label.strip())
    if period.end <= results.manifest.as_of:
        raise JournalError(
            "This period is over, and its targets stay as they were", where="--period", found=period.label,
            remedy=f"Results are as of {results.manifest.as_of}.",
        )  # fmt: skip
    return period


def _targets(
    workspace: Workspace, entries: list[Entry], about: tuple[str, str], period: Period
) -> dict[str, tuple[float, pd.Timestamp]]:
    """Amount and day of setting of each tier of exactly this period, as they stand after everything written so far."""
    tables, written = open_tables(workspace), revisions(entries)
    parts = [frame(tables["quotas"])] if "quotas" in tables else []
    ledger = pd.concat([*parts, written.assign(amount_company=written["amount"])], ignore_index=True)
    if ledger.empty:
        return {}
    rows = standing(ledger, date(2999, 1, 1))
    rows = rows[(rows["owner_kind"] == about[0]) & (rows["owner_id"] == about[1])]
    rows = rows[(rows["period_start"] == pd.Timestamp(period.start)) & (rows["period_end"] == pd.Timestamp(period.end))]
    return dict(zip(rows["tier"], zip(rows["amount"], rows["set_on"], strict=True), strict=True))


def _day(
    workspace: Workspace, on: str, clock: Clock | None, results: Results,
    targets: dict[str, tuple[float, pd.Timestamp]], period: Period,
) -> date:  # fmt: skip
    zone = ZoneInfo(workspace.settings.company.time_zone)
    now = (clock() if clock else datetime.now(zone)).astimezone(zone).date()
    try:
        usual = now if now <= period.end else results.manifest.as_of  # the data are older than the clock
        day = date.fromisoformat(on) if on.strip() else usual
    except ValueError as error:
        raise JournalError("This is not a day", where="--on", found=on, remedy="Write it like 2026-07-15.") from error
    settled = [set_on.date() for _, set_on in targets.values() if not pd.isna(set_on)]
    earliest = max([results.manifest.as_of, *settled]) if on.strip() else results.manifest.as_of
    if day < earliest or day > period.end:
        raise JournalError(
            "A revision holds from its day on, and never changes what was said before", where="--on",
            found=day.isoformat(), remedy=f"Give a day from {earliest} to {period.end}.",
        )  # fmt: skip
    return max([day, *settled])


def _in_order(targets: dict[str, tuple[float, pd.Timestamp]], tier: str, value: float) -> None:
    if tier not in TIERS:
        raise JournalError("There is no such tier", where="--tier", found=tier, remedy=f"Use {', '.join(TIERS)}.")
    amounts = {name: amount for name, (amount, _) in targets.items()} | {tier: value}
    row = [amounts[name] for name in TIERS if name in amounts]
    if row != sorted(row):
        raise JournalError(
            "The tiers would not be in order", where=tier, found=amounts,
            remedy="minimum ≤ standard ≤ maximum: revise the outer tier first.",
        )  # fmt: skip


def _body(
    tier: str, period: Period, amount: float, day: date, cause: str, reason: str,
    before: tuple[float, pd.Timestamp] | None,
) -> dict[str, object]:  # fmt: skip
    body: dict[str, object] = {
        "tier": tier, "period_start": period.start.isoformat(), "period_end": period.end.isoformat(),
        "amount": f"{amount:.2f}", "set_on": day.isoformat(), "cause": cause, "reason": reason,
    }  # fmt: skip
    return body if before is None else body | {"beside": f"{before[0]:.2f}"}


def _write(
    workspace: Workspace, by: _Speaker, kind: str, about: tuple[str, str], body: dict[str, object], clock: Clock | None
) -> Entry:
    journal = Journal(workspace, by.allowed)
    journal.clock = clock or journal.clock
    try:
        return journal.write(kind, by.author, about, body)
    finally:
        journal.close()
