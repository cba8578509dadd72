"""Orders of coaching drawn by lot: written for good into the journal, shown, and drawn again by anybody."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from spm_models.access import Scope, find_person, scope
from spm_models.access.viewer import matching_people
from spm_models.coaching.effects.order import WEEKS, Order, draw_order, seed_of
from spm_models.errors import AccessDeniedError, JournalError
from spm_models.journal import Entry, Journal
from spm_models.published import Results
from spm_models.workspace import Workspace
from spm_models.writing.speaker import speaker

NEEDS = ("coaching_suggestion", "watch")


def assign(
    workspace: Workspace, skill: str, *, capacity: int, kind: str = "coaching", start: str = "", weeks: int = WEEKS,
    reps: Sequence[str] = (), everybody: bool = False, first: Sequence[str] = (), seed: int | None = None,
    again: str = "", person: str = "", clock: Callable[[], datetime] | None = None,
) -> Entry:  # fmt: skip
    """Draw who is coached first, and write it into the journal.

    Parameters
    ----------
    workspace : Workspace
    skill, kind : str
        What is coached, and how.
    capacity : int
        People of a team that can be coached in one wave.
    start : str
        First day of the first wave; empty: the Monday after the day of the published results.
    weeks : int
        From one wave to the next.
    reps : sequence of str
        Among whom is drawn, by id or e-mail; empty: those with a coaching suggestion or to keep an eye on.
    everybody : bool
        Among all reps whom the speaker leads; in each team those with a suggestion or to keep an eye on come first.
    first : sequence of str
        Who cannot wait, or does not want to take part in a lot: coached at once, never counted in the effect.
    seed : int, optional
        Without it one that is made of skill, day and people, so that nobody picks the order that suits him.
    again : str
        Why an order that still runs is drawn anew; the old one stays in the journal.
    person : str
        Who draws, by id or e-mail; empty: the person in ``[pages].viewer``.
    clock : callable, optional
        Gives the present instant with its time zone.

    Returns
    -------
    Entry

    Raises
    ------
    AccessDeniedError
        Managers draw among their people, executives among all.
    JournalError
        When somebody stands in an order that still runs, or a day is no day.
    NotEnoughDataError
        When there is room for all at once.
    """
    results = Results.open(workspace, scope=Scope.of_company())
    author, allowed, about = _leader(workspace, results, person)
    people = _candidates(results, allowed, author, reps, everybody)
    urgent = [find_person(one, results["reps"]) for one in first]
    outside = [one for one in urgent if not allowed.allows("rep", one)]
    if outside:
        raise AccessDeniedError("This person leads others", where="spm coaching assign --first", found=outside[0])
    people = people[~people["rep_id"].isin(urgent)]
    begins = _day(start, results.manifest.as_of)
    words = [skill, kind, begins.isoformat(), str(capacity), str(weeks), *sorted(people["rep_id"])]
    order = draw_order(
        people, skill=skill, kind=kind, starts_on=begins, capacity=capacity, weeks=weeks,
        seed=seed_of(words) if seed is None else seed,
    )  # fmt: skip
    body: dict[str, Any] = {
        "skill": skill, "session": kind, "starts_on": begins.isoformat(), "weeks": weeks, "capacity": capacity,
        "seed": order.seed, "places": order.places.to_dict("records"), "first": sorted(set(urgent)),
    }  # fmt: skip
    body |= {"reason": again.strip()} if again.strip() else {}
    journal = Journal(workspace, allowed)
    journal.clock = clock or journal.clock
    try:
        replaced = _running(orders(workspace), order, about, author, again)
        return journal.write("coaching_order", author, about, body, supersedes=replaced)
    finally:
        journal.close()


def orders(workspace: Workspace, before: datetime | None = None, allowed: Scope | None = None) -> list[Entry]:
    """Orders that stand, oldest first; with ``allowed`` those that its owner may see."""
    if not workspace.has_journal:
        return []
    journal = Journal(workspace, allowed or Scope.of_company())
    try:
        return journal.current(kind="coaching_order", before=before)
    finally:
        journal.close()


def seen_by(workspace: Workspace, person: str) -> Scope:
    """Whose orders a person may see."""
    people = Results.open(workspace, scope=Scope.of_company())["reps"]
    return scope(speaker(workspace, person, "question"), people)


def order_of(entry: Entry) -> Order:
    """The order that an entry holds."""
    body = entry.body
    places = pd.DataFrame(body["places"], columns=["rep_id", "team", "need", "wave"])
    places = places.astype({"rep_id": "str", "team": "str", "need": "str", "wave": "int64"})
    begins = date.fromisoformat(body["starts_on"])
    return Order(body["skill"], body["session"], begins, body["weeks"], body["seed"], places)


def order_table(entry: Entry) -> pd.DataFrame:
    """One row a person: ``wave`` (0: at once, outside the lot), ``starts_on``, ``team``, ``rep_id``, ``need``, and
    what is needed to draw it again."""
    order = order_of(entry)
    rows = order.places.assign(starts_on=[order.day(wave).isoformat() for wave in order.places["wave"]])
    first = pd.DataFrame({"rep_id": entry.body.get("first", []), "team": "", "need": "", "wave": 0,
                          "starts_on": order.starts_on.isoformat()})  # fmt: skip
    rows = pd.concat([first.astype({"rep_id": "str"}), rows], ignore_index=True)
    return rows[["wave", "starts_on", "team", "rep_id", "need"]].assign(
        skill=order.skill, kind=order.kind, seed=order.seed, entry=entry.id, drawn_by=entry.author,
        drawn_at=entry.written_at.isoformat(timespec="seconds"),
    )  # fmt: skip


def _leader(workspace: Workspace, results: Results, person: str) -> tuple[str, Scope, tuple[str, str]]:
    people = results["reps"]
    viewer = speaker(workspace, person, "order")
    allowed = scope(viewer, people)
    author = viewer.id if not matching_people(viewer.id, people) else find_person(viewer.id, people)
    record = people.loc[people["rep_id"] == author, "role"]
    role = viewer.role or (str(record.iloc[0]) if len(record) else "manager")
    if role == "executive" and allowed.whole_company:
        return author, allowed, ("company", "")
    if role == "manager" and allowed.allows("manager", author):
        return author, allowed, ("manager", author)
    raise AccessDeniedError(
        "This person draws no order of coaching", where="spm coaching assign", found=author,
        remedy="Managers draw among their people, executives among all; give --as PERSON.",
    )  # fmt: skip


def _candidates(
    results: Results, allowed: Scope, author: str, reps: Sequence[str], everybody: bool
) -> pd.DataFrame:  # fmt: skip
    people = results["reps"]
    here = people[people["left_on"].isna() & people["role"].fillna("rep").eq("rep") & people["rep_id"].ne(author)]
    here = here[[allowed.allows("rep", one) for one in here["rep_id"]]]
    verdicts = results["coaching_verdicts"].set_index("rep_id")["verdict"]
    here = here.assign(need=here["rep_id"].map(verdicts).fillna("not_enough_data"), team=here["team"].fillna(""))
    if reps:
        named = [find_person(one, people) for one in reps]
        unknown = sorted(set(named) - set(here["rep_id"]))
        if unknown:
            raise AccessDeniedError("This person is not led by you", where="spm coaching assign", found=unknown[0])
        here = here[here["rep_id"].isin(named)]
    elif not everybody:
        here = here[here["need"].isin(NEEDS)]
    here = here.assign(tier=(~here["need"].isin(NEEDS)).astype(int))  # who needs it does not wait for who may not
    return here[["rep_id", "team", "need", "tier"]].sort_values("rep_id", ignore_index=True)


def _day(start: str, as_of: date) -> date:
    try:
        return date.fromisoformat(start) if start.strip() else as_of + timedelta(days=7 - as_of.weekday())
    except ValueError as error:
        raise JournalError(
            "This is not a day", where="--start", found=start, remedy="Write it like 2026-07-06."
        ) from error


def _running(
    standing: Sequence[Entry], order: Order, about: tuple[str, str], author: str, again: str
) -> int | None:  # fmt: skip
    """The author's order that this one replaces; an error where somebody waits in one and no reason is given."""
    taken = set(order.places["rep_id"])
    for entry in standing:
        earlier = order_of(entry)
        if not taken & set(earlier.places["rep_id"]) or earlier.day(earlier.waves + 1) <= order.starts_on:
            continue
        if not again.strip() or (entry.author, entry.about_kind, entry.about_id) != (author, *about):
            raise JournalError(
                "Somebody already stands in an order that still runs", where=f"order {entry.id} of {entry.author}",
                found=", ".join(sorted(taken & set(earlier.places["rep_id"]))[:5]),
                remedy="Who drew it may draw it anew with --again REASON; the first one stays in the journal.",
            )  # fmt: skip
        return entry.id
    return None
