"""A person's own win probability of a deal: written within his scope, published beside the score, judged later."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal

import pandas as pd

from spm_models.access import Scope, Viewer, find_person, scope
from spm_models.access.viewer import matching_people
from spm_models.errors import JournalError
from spm_models.evaluation.people import PeopleBesideModel, people_beside_model
from spm_models.journal import Entry, Journal
from spm_models.journal.overrides import last_word, standing
from spm_models.published import Results
from spm_models.published.schemas import TABLES
from spm_models.workspace import Workspace
from spm_models.writing.speaker import speaker

FIELD = "win_probability"
_LIKE = "Write 0.35, 0,35, 35% or %35 for a chance of 35 %."


def parse_chance(text: str) -> float:
    """A probability as a person writes it: a share up to 1 or a percentage, with point or comma, in any digits.

    Raises
    ------
    JournalError
        When it is no probability, or could mean two: ``35`` without a percent sign, ``0.35%``.

    Examples
    --------
    >>> parse_chance("0,35"), parse_chance("%35"), parse_chance("35.5 %"), parse_chance("٣٥٪")
    (0.35, 0.35, 0.355, 0.35)
    """
    plain = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    plain = "".join(str(unicodedata.digit(sign)) if sign.isdigit() else sign for sign in plain)
    found = re.fullmatch(r"(%?)\s*(\d*)(?:[.,٫](\d+))?\s*(%?)", plain.replace("٪", "%").strip())
    if found is None or not (found[2] or found[3]) or (found[1] and found[4]):
        raise JournalError("This is no probability", where="CHANCE", found=text, remedy=_LIKE)
    number = Decimal(f"{found[2] or 0}.{found[3] or 0}")
    percent = bool(found[1] or found[4])
    if number > (100 if percent else 1):
        hint = f"For {number:f} % write {number:f}%. " if number <= 100 else ""
        raise JournalError("A probability is at most 1, or 100 %", where="CHANCE", found=text, remedy=hint + _LIKE)
    if percent and 0 < number < 1:
        raise JournalError(
            "This could mean two probabilities", where="CHANCE", found=text,
            remedy=f"Write {number:f} for {float(number * 100):.4g} %, or {number / 100:f} for less than 1 %.",
        )  # fmt: skip
    return float(number / 100 if percent else number)


def override(
    workspace: Workspace, opportunity_id: str, win_probability: float | None, reason: str = "", *,
    person: str | Viewer = "", clock: Callable[[], datetime] | None = None,
) -> Entry:  # fmt: skip
    """Say what you think of an open deal's chance, and why; it stands beside the score from the next run on.

    Parameters
    ----------
    workspace : Workspace
    opportunity_id : str
        An open deal of the published results, within the scope of who speaks.
    win_probability : float or None
        From 0 to 1; None takes back what the same person said before.
    reason : str
        Needed for a probability.
    person : str
        Who speaks, by id or e-mail address; empty: the person named in ``[pages].viewer``. In a process that was
        opened for somebody it is that person and nobody else.
    clock : callable, optional
        Gives the present instant with its time zone.

    Returns
    -------
    Entry
        As it stands in the journal. An earlier one of the same person about the same deal is superseded, and stays.

    Raises
    ------
    AccessDeniedError
        When nobody speaks, or the person is unknown or has left.
    JournalError
        When the deal is not among the open deals that this person may see, the value is no probability, the reason
        is missing, or there is nothing to take back.

    Notes
    -----
    No model, score or forecast is changed by what is written here.
    """
    if win_probability is not None and not 0 <= win_probability <= 1:
        raise JournalError(
            "This is no probability", where=opportunity_id, found=win_probability,
            remedy="Give a share from 0 to 1, such as 0.35 for 35 %.",
        )  # fmt: skip
    if win_probability is not None and not reason.strip():
        raise JournalError(
            "An override needs its reason", where=opportunity_id, remedy="Say in a sentence what the score cannot know."
        )
    viewer = speaker(workspace, person, "override")
    people = Results.open(workspace, scope=Scope.of_company())["reps"]
    allowed = scope(viewer, people)
    author = viewer.id if allowed.whole_company and not _listed(viewer.id, people) else find_person(viewer.id, people)
    deal = _open_deal(Results.open(workspace, scope=allowed)["deal_scores"], opportunity_id, author)
    journal = Journal(workspace, allowed)
    journal.clock = clock or journal.clock
    try:
        about = ("opportunity", opportunity_id)
        own = [entry for entry in journal.current(kind="override", author=author, about=about) if _chance(entry)]
        if win_probability is None and not (own and own[-1].body.get("value") is not None):
            raise JournalError(
                "There is no override to take back", where=opportunity_id, found=author,
                remedy="Only what one wrote oneself can be taken back.",
            )  # fmt: skip
        same = [entry.id for entry in own if entry.rep_id == deal["rep_id"]]
        body = {"field": FIELD, "value": _text(win_probability), "reason": reason.strip() or None,
                "beside": _text(deal[FIELD])}  # fmt: skip
        return journal.write(
            "override", author, about, {name: value for name, value in body.items() if value is not None},
            rep_id=deal["rep_id"], supersedes=same[-1] if same else None,
        )  # fmt: skip
    finally:
        journal.close()


def overrides(workspace: Workspace) -> list[Entry]:
    """Every override that was ever written, in that order: for the weekly run itself."""
    if not workspace.has_journal:
        return []
    journal = Journal(workspace, Scope.of_company())
    try:
        return journal.entries(kind="override")
    finally:
        journal.close()


def known_before(workspace: Workspace, as_of: date, last: date) -> datetime | None:
    """Until when a run looks into the journal: a run over the newest data sees all, one over the past what was then."""
    return workspace.cutoff(as_of) if as_of < last else None


def published_table(
    entries: list[Entry], deals: pd.DataFrame, people: pd.DataFrame, before: datetime | None
) -> pd.DataFrame:
    """The published table ``deal_overrides``: what stands beside the scores of the open deals.

    Parameters
    ----------
    entries : list of Entry
        Of :func:`overrides`.
    deals : DataFrame
        Open deals with ``opportunity_id`` and their owner today, ``rep_id``.
    people : DataFrame
        The organisation, for names.
    before : datetime or None
        Of :func:`known_before`.
    """
    names = pd.concat([people.set_index("rep_id")["name"], people.set_index("manager_id")["manager_name"]]).dropna()
    names = names[names.index.notna() & ~names.index.duplicated()]
    table = standing(entries, before).merge(deals[["opportunity_id", "rep_id"]], on="opportunity_id", how="inner")
    table["author_name"] = table["author"].map(names).fillna(table["author"])
    return table[list(TABLES["deal_overrides"].columns)]


def judge(workspace: Workspace, entries: list[Entry], outcomes: pd.DataFrame) -> PeopleBesideModel | None:
    """How good overrides were, beside the scores that stood next to them; None while too few deals are decided.

    Parameters
    ----------
    workspace : Workspace
    entries : list of Entry
    outcomes : DataFrame
        Closed deals with ``opportunity_id``, ``won`` and ``closed_on``. What was written on the day of the decision,
        or later, is not counted.
    """
    spoken = {entry.about_id for entry in entries}
    decided = outcomes.loc[outcomes["opportunity_id"].isin(spoken), ["opportunity_id", "won", "closed_on"]]
    starts = pd.Series([workspace.cutoff(day.date() - timedelta(days=1)) for day in decided["closed_on"]])
    decided = decided.assign(known_at=starts.astype("datetime64[s]").to_numpy())
    return people_beside_model(last_word(entries, decided))


def _listed(person: str, people: pd.DataFrame) -> bool:
    return bool(matching_people(person, people))


def _open_deal(deals: pd.DataFrame, opportunity_id: str, author: str) -> pd.Series:
    found = deals[deals["opportunity_id"] == opportunity_id]
    if found.empty:
        raise JournalError(
            "This is none of the open deals that this person may see", where=author, found=opportunity_id,
            remedy="Give the id of an open deal as the pages show it; a rep speaks of his own deals, a manager of his "
            "people's. A new deal is known after the next `spm run weekly`.",
        )  # fmt: skip
    return found.iloc[0]


def _chance(entry: Entry) -> bool:
    return bool(entry.body["field"] == FIELD)


def _text(probability: float | None) -> str | None:
    return None if probability is None or pd.isna(probability) else f"{probability:.6g}"
