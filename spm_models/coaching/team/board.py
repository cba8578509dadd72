"""The team's board: a shared goal, what is closed so far, who had a part in it, and help given to others' deals."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from spm_models.coaching.result import empty_table
from spm_models.crm.tables import Tables
from spm_models.kpis import compute
from spm_models.periods import Period

LEAST_MEMBERS = 3  #: from which on each member is told the team's total: of two, it would tell the other's


def team_board(
    won: pd.DataFrame, people: pd.DataFrame, period: Period, *, contributors: pd.DataFrame | None = None,
    goals: Mapping[str, float] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Published table ``team_board`` of the running quarter.

    Parameters
    ----------
    won : DataFrame
        Deals won so far in the period: ``opportunity_id``, ``rep_id`` (owner at the close), ``amount``, ``closed_on``.
    people : DataFrame
        The organisation: ``rep_id``, ``team``, ``role``, ``left_on``. Where nobody has a team the company is one.
    period : Period
    contributors : DataFrame, optional
        The CRM table ``deal_contributors``; without it a deal is its owner's.
    goals : mapping, optional
        Shared goal of each team.

    Returns
    -------
    DataFrame
        Of each team: ``goal`` and ``closed`` (the whole amount of its deals; ``share`` of the goal). Of each rep:
        ``contribution`` (his parts of a team's deals, also when he belongs to another; ``share`` of what is closed)
        and ``support`` (his parts of deals that others own; ``share`` of all his parts). The contributions to a team
        add up to what it closed, to the cent. In teams of :data:`LEAST_MEMBERS` and more, ``goal`` and ``closed``
        stand once more in each member's own rows, so that he sees them too.

    Examples
    --------
    >>> from spm_models.periods import FiscalCalendar
    >>> won = pd.DataFrame({"opportunity_id": ["d"], "rep_id": ["a"], "amount": [100.01],
    ...                     "closed_on": [pd.Timestamp("2026-08-01")]})
    >>> people = pd.DataFrame({"rep_id": ["a", "b"], "team": "North", "role": "rep", "left_on": pd.NaT})
    >>> shares = pd.DataFrame({"opportunity_id": "d", "rep_id": ["a", "b"], "share": 0.5,
    ...                        "valid_from": pd.Timestamp("2026-01-01"), "valid_to": pd.NaT})
    >>> board = team_board(won, people, FiscalCalendar().quarter(date(2026, 8, 1)), contributors=shares)
    >>> board[["measure", "level", "key", "value"]].values.tolist()
    [['closed', 'team', 'North', 100.01], ['contribution', 'rep', 'a', 50.01], ['contribution', 'rep', 'b', 50.0], ['support', 'rep', 'b', 50.0]]
    """  # noqa: E501
    team = people.set_index("rep_id")["team"].astype("str").fillna("")
    if not team.ne("").any():
        team[:] = ""
    else:
        team = team[team != ""]
    parts = deal_parts(won, contributors)
    parts["of"], parts["home"] = parts["owner"].map(team), parts["rep_id"].map(team)
    whole = parts.dropna(subset="of").groupby("of")["cents"].sum()
    whole = whole.reindex(sorted(set(team)), fill_value=0)
    goal = pd.Series(dict(goals or {}), dtype=float).reindex(whole.index)
    totals = _rows("closed", whole.index, "team", whole.index, whole / 100, whole / 100 / goal)
    targets = _rows("goal", goal.index, "team", goal.index, goal, np.nan)
    totals = pd.concat([totals, targets[targets["value"].notna()]], ignore_index=True)
    found = [totals, _for_members(totals, people, team), _contributions(parts, whole), _support(parts)]
    table = pd.concat([one for one in found if len(one)], ignore_index=True) if len(whole) else totals
    company = (table["level"] == "team") & (table["team"] == "")
    table["level"] = table["level"].where(~company, "company")
    types = empty_table("team_board").dtypes.to_dict()
    table = table.assign(period=period.label)[list(types)].astype(types)
    return table.sort_values(["team", "measure", "level", "key"], ignore_index=True)


def team_goals(tables: Tables, period: Period, as_of: date, own: Mapping[str, float]) -> dict[str, float]:
    """Goal of each team for the period: the company's own where it set one, else the team's quota.

    Parameters
    ----------
    tables : Tables
    period : Period
    as_of : date
        The quota as it stood on this day.
    own : mapping
        ``[team] goals`` of the workspace; the empty name is the company without teams.
    """
    found: dict[str, float] = {}
    if "quotas" in tables:
        for by, name in (("company", None), ("team", "team")):
            rows = compute(tables, ["quota"], by=by, period=[period], as_of=as_of)
            keys = rows[name].astype("str") if name else [""] * len(rows)
            found |= {key: value for key, value in zip(keys, rows["value"], strict=True) if value > 0}
    return found | dict(own)


def deal_parts(won: pd.DataFrame, contributors: pd.DataFrame | None = None) -> pd.DataFrame:
    """Each deal cut into its reps' parts, in whole cents that add up to the deal (largest remainders).

    Parameters
    ----------
    won, contributors
        As of :func:`team_board`.

    Returns
    -------
    DataFrame
        ``opportunity_id``, ``closed_on``, ``owner`` at the close, ``rep_id``, ``cents`` (int, above 0).
    """
    deals = won.loc[won["amount"].notna(), ["opportunity_id", "rep_id", "amount", "closed_on"]]
    deals = deals.rename(columns={"rep_id": "owner"}).astype({"opportunity_id": "str", "owner": "str"})
    deals["whole"] = np.rint(deals["amount"].astype(float) * 100).astype("int64")
    rows = _shares(deals, contributors)
    ideal = rows["whole"] * rows["share"]
    rows["cents"] = np.floor(ideal + 1e-9).astype("int64")
    rows["left"] = (ideal - rows["cents"]).round(9)
    rows = rows.sort_values(["opportunity_id", "left", "rep_id"], ascending=[True, False, True], ignore_index=True)
    missing = rows["whole"] - rows.groupby("opportunity_id")["cents"].transform("sum")
    rows["cents"] += (rows.groupby("opportunity_id").cumcount() < missing).astype("int64")
    return rows.loc[rows["cents"] > 0, ["opportunity_id", "closed_on", "owner", "rep_id", "cents"]]


def _shares(deals: pd.DataFrame, contributors: pd.DataFrame | None) -> pd.DataFrame:
    """Shares that add up to one: those above it are scaled down, what nobody else has is the owner's."""
    rest = deals.assign(rep_id=deals["owner"], share=1.0)
    if contributors is None or contributors.empty:
        return rest
    given = contributors[["opportunity_id", "rep_id", "share", "valid_from", "valid_to"]]
    held = deals.merge(given.astype({"opportunity_id": "str", "rep_id": "str"}), on="opportunity_id")
    ended = held["valid_to"].notna() & (held["closed_on"] > held["valid_to"])
    held = held[(held["closed_on"] >= held["valid_from"]) & ~ended].drop(columns=["valid_from", "valid_to"])
    taken = held.groupby("opportunity_id")["share"].sum()
    held["share"] = held["share"].astype(float) / held["opportunity_id"].map(taken).astype(float).clip(lower=1.0)
    rest["share"] = (1.0 - rest["opportunity_id"].map(taken).astype(float).fillna(0.0)).clip(lower=0.0)
    both = pd.concat([rest, held], ignore_index=True)
    keys = ["opportunity_id", "closed_on", "owner", "rep_id", "whole"]
    return both.groupby(keys, as_index=False, sort=True)[["share"]].sum()


def _contributions(parts: pd.DataFrame, whole: pd.Series) -> pd.DataFrame:
    cents = parts.dropna(subset="of").groupby(["of", "rep_id"])["cents"].sum()
    of, reps = cents.index.get_level_values("of"), cents.index.get_level_values("rep_id")
    return _rows("contribution", of, "rep", reps, cents.to_numpy() / 100, cents.to_numpy() / whole.loc[of].to_numpy())


def _support(parts: pd.DataFrame) -> pd.DataFrame:
    helped = parts[(parts["rep_id"] != parts["owner"]) & parts["home"].notna()]
    cents = helped.groupby(["home", "rep_id"])["cents"].sum()
    home, reps = cents.index.get_level_values("home"), cents.index.get_level_values("rep_id")
    every = parts.groupby("rep_id")["cents"].sum()
    return _rows("support", home, "rep", reps, cents.to_numpy() / 100, cents.to_numpy() / every.loc[reps].to_numpy())


def _for_members(totals: pd.DataFrame, people: pd.DataFrame, team: pd.Series) -> pd.DataFrame:
    here = people[people["left_on"].isna() & ~people["role"].isin(["executive", "analyst"])]
    members = here[["rep_id"]].assign(team=here["rep_id"].map(team)).dropna(subset="team")
    members = members[members.groupby("team")["rep_id"].transform("size") >= LEAST_MEMBERS]
    told = members.merge(totals, on="team")
    return told.assign(level="rep", key=told["rep_id"]).drop(columns="rep_id")


def _rows(measure: str, team: object, level: str, key: object, value: object, share: object) -> pd.DataFrame:
    columns = {"team": team, "measure": measure, "level": level, "key": key, "value": value, "share": share}
    plain = {name: np.asarray(part) if isinstance(part, pd.Series) else part for name, part in columns.items()}
    return pd.DataFrame(plain)
