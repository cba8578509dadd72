"""A person's own forecast of a period: written for himself or his team, published with its history, judged later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pandas as pd

from spm_models.access import Scope, Viewer, find_person, scope
from spm_models.access.viewer import matching_people, same_login
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal import Entry, Journal
from spm_models.journal.submissions import submissions
from spm_models.money import parse_amount
from spm_models.periods import FiscalCalendar, Period
from spm_models.published import Results
from spm_models.workspace import Workspace
from spm_models.writing.speaker import speaker

Unit = tuple[str, str]


def submit(
    workspace: Workspace, period: str, commit: str, best_case: str = "", *, of: str = "", note: str = "",
    person: str | Viewer = "", locale: str = "", clock: Callable[[], datetime] | None = None,
) -> Entry:  # fmt: skip
    """Say what you commit to for a period, and what you expect at best.

    Parameters
    ----------
    workspace : Workspace
    period : str
        Such as ``2026-Q3`` or ``2026-08``; it must not be over in the published results.
    commit, best_case : str
        Amounts of the period's whole revenue in the company's currency, written as its language writes them.
    of : str
        For whom: ``rep:R1``, ``team:North``, ``manager:M1``, ``region:West`` or ``company``. Empty: oneself, for a
        manager his people together, for an executive the company.
    note : str
        What the numbers cannot say.
    person : str
        Who speaks, by id or e-mail address; empty: the person named in ``[pages].viewer``.
    locale : str
        How the amounts are written; empty: as in the company's language.
    clock : callable, optional
        Gives the present instant with its time zone.

    Returns
    -------
    Entry
        As it stands in the journal, with the published forecast beside it. An earlier one of the same person for the
        same unit and period is superseded, and stays.

    Raises
    ------
    AccessDeniedError
        When nobody speaks, or for a unit that is not his: a rep speaks for himself, a manager for his people, teams
        and regions, an executive for the company.
    JournalError, MoneyError, PeriodError
        When the period is over, or an amount cannot be taken.
    """
    results = Results.open(workspace, scope=Scope.of_company())
    people = results["reps"]
    viewer = speaker(workspace, person, "submission")
    allowed = scope(viewer, people)
    author = viewer.id if not matching_people(viewer.id, people) else find_person(viewer.id, people)
    unit = _unit(of, units_of(viewer, author, people, allowed), author)
    chosen = _coming(workspace, period, results)
    company = workspace.settings.company
    amounts = {"commit": parse_amount(commit, locale or company.locale, company.currency)}
    if best_case:
        amounts["best_case"] = parse_amount(best_case, locale or company.locale, company.currency)
    forecast = _beside(results["forecast"], chosen, unit)
    body: dict[str, Any] = {"period": chosen.label, **{name: str(value) for name, value in amounts.items()}}
    body |= {"comment": note.strip()} if note.strip() else {}
    body |= {"beside": f"{forecast:.2f}"} if forecast is not None else {}
    journal = Journal(workspace, allowed)
    journal.clock = clock or journal.clock
    try:
        own = journal.current(kind="submission", author=author, about=unit)
        same = [entry.id for entry in own if entry.body["period"] == chosen.label]
        return journal.write("submission", author, unit, body, supersedes=same[-1] if same else None)
    finally:
        journal.close()


def units_of(viewer: Viewer, author: str, people: pd.DataFrame, allowed: Scope) -> list[Unit]:
    """The units for which a person may submit, his usual one first; empty for whoever only looks on."""
    record = people[people["rep_id"] == author]
    role = viewer.role or (str(record["role"].iloc[0]) if len(record) else "manager")
    leads = people.loc[(people["manager_id"] == author) & people["left_on"].isna()]
    if allowed.whole_company:
        return [("company", "")] if role == "executive" else []
    if allowed.level == "rep":
        return [("rep", author)]
    sellers = people[people["left_on"].isna() & (people["role"] == "rep")]
    led = sellers["manager_id"].eq(author).groupby(sellers["team"]).all()
    mine: list[Unit] = [("manager", author)] if len(leads) else []
    mine += [("team", team) for team in sorted(set(led.index[led]) & allowed.teams)]
    mine += [("region", region) for region in sorted(allowed.regions)]
    return mine + ([("rep", author)] if len(record) else [])


def all_submissions(workspace: Workspace) -> list[Entry]:
    """Every submission that was ever written, in that order: for the weekly run itself."""
    if not workspace.has_journal:
        return []
    journal = Journal(workspace, Scope.of_company())
    try:
        return journal.entries(kind="submission")
    finally:
        journal.close()


def named(entries: list[Entry], people: pd.DataFrame, before: datetime | None) -> pd.DataFrame:
    """Submissions (:func:`spm_models.journal.submissions.submissions`) with the names of their authors."""
    names = pd.concat([people.set_index("rep_id")["name"], people.set_index("manager_id")["manager_name"]]).dropna()
    names = names[names.index.notna() & ~names.index.duplicated()]
    table = submissions(entries, before)
    return table.assign(author_name=table["author"].map(names).fillna(table["author"]))


def _unit(of: str, own: list[Unit], author: str) -> Unit:
    if not own:
        raise AccessDeniedError(
            "This person submits for nobody", where="spm submit", found=author,
            remedy="Reps, managers and executives submit; analysts look on.",
        )  # fmt: skip
    if not of.strip():
        return own[0]
    level, _, key = of.strip().partition(":")
    wanted = (level.strip().lower(), key.strip())
    alike = [unit for unit in own if unit[0] == wanted[0] and same_login(unit[1], wanted[1])]
    if wanted not in own and len(alike) != 1:
        offered = ", ".join(f"{level}:{key}" if key else level for level, key in own)
        raise AccessDeniedError(
            "One submits for oneself or one's own people only", where=f"spm submit --for, {author}", found=of,
            remedy=f"{author} may submit for {offered}.",
        )  # fmt: skip
    return wanted if wanted in own else alike[0]


def _coming(workspace: Workspace, label: str, results: Results) -> Period:
    period = FiscalCalendar.of(workspace.settings.calendar).parse(label.strip())
    if period.end <= results.manifest.as_of:
        raise JournalError(
            "This period is over", where="spm submit --period", found=period.label,
            remedy=f"Results are as of {results.manifest.as_of}; submit for a period that ends later.",
        )  # fmt: skip
    return period


def _beside(forecast: pd.DataFrame, period: Period, unit: Unit) -> float | None:
    """The published mean of the unit's total for this period."""
    found = forecast[(forecast["period"] == period.label) & (forecast["part"] == "total")]
    found = found[(found["level"] == unit[0]) & (found["key"] == unit[1])]
    return float(found["mean"].iloc[0]) if len(found) else None
