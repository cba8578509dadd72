"""What happened since yesterday that deserves a word: won, lost, gone silent, pushed."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from spm_models.periods import FiscalCalendar

KINDS = ("won", "pushed", "gone_silent", "lost")
SILENT_DAYS = 21
LIMIT = 8
PROMPTS: dict[str, str] = {
    "rep_id": "str", "rank": "int64", "kind": "str", "opportunity_id": "str", "account_name": "str",
    "day": "datetime64[s]", "amount": "float64", "value": "float64",
}  # fmt: skip


def prompts(
    pipeline: pd.DataFrame, outcomes: pd.DataFrame, as_of: date, *, accounts: pd.Series | None = None,
    absences: pd.DataFrame | None = None, calendar: FiscalCalendar | None = None, limit: int = LIMIT,
) -> pd.DataFrame:  # fmt: skip
    """Events of the last working day, and of the days off around it, by rep.

    Parameters
    ----------
    pipeline : DataFrame
        Open deals at the end of ``as_of``: columns of :data:`spm_models.snapshots.schema.PIPELINE`.
    outcomes : DataFrame
        Closed deals: columns of :data:`spm_models.snapshots.schema.OUTCOMES`.
    as_of : datetime.date
    accounts : Series, optional
        Name of the account by ``opportunity_id``.
    absences : DataFrame, optional
        Who is away is not told of silent deals.
    calendar : FiscalCalendar, optional
        Says which days are worked.
    limit : int
        Most prompts of a rep.

    Returns
    -------
    DataFrame
        Published table ``prompts``. ``value``: days from creation to the close of won and lost deals; days without a
        touch of those gone silent (more than 21); how often the close date has been pushed. What went well comes first,
        then the largest deals of each kind.

    Examples
    --------
    >>> closed = pd.DataFrame({"opportunity_id": ["o1", "o2"], "rep_id": "r1", "won": [True, True],
    ...     "created_on": pd.Timestamp("2026-05-01"), "closed_on": pd.to_datetime(["2026-06-26", "2026-06-28"]),
    ...     "amount": [10.0, 20.0]})
    >>> none = pd.DataFrame(columns=["opportunity_id", "rep_id", "amount", "days_since_activity", "age_days",
    ...                              "days_since_push", "push_count"])
    >>> monday = prompts(none, closed, date(2026, 6, 29))  # Friday's deal was told of on Friday
    >>> monday[["kind", "opportunity_id", "value"]].values.tolist()
    [['won', 'o2', 58.0]]
    """
    days = (as_of - _day_before(as_of, calendar or FiscalCalendar())).days
    end = pd.Timestamp(as_of)
    closed = outcomes[outcomes["closed_on"].gt(end - pd.Timedelta(days=days)) & outcomes["closed_on"].le(end)]
    closed = closed.assign(
        kind=closed["won"].map({True: "won", False: "lost"}), day=closed["closed_on"],
        value=(closed["closed_on"] - closed["created_on"]).dt.days,
    )  # fmt: skip
    parts = [closed, _silent(pipeline, absences, end, days), _pushed(pipeline, end, days)]
    columns = ["rep_id", "kind", "opportunity_id", "day", "amount", "value"]
    rows = pd.concat([part[columns].astype(_KINDS) for part in parts], ignore_index=True)
    rows = rows[rows["rep_id"].notna()]
    rows["place"] = rows["kind"].map({kind: place for place, kind in enumerate(KINDS)})
    order = {"rep_id": True, "place": True, "amount": False, "opportunity_id": True}
    rows = rows.sort_values(list(order), ascending=list(order.values()), ignore_index=True)
    rows["rank"] = rows.groupby("rep_id").cumcount() + 1
    names = accounts if accounts is not None else pd.Series(dtype="str")
    rows["account_name"] = rows["opportunity_id"].map(names)
    return rows.loc[rows["rank"] <= limit, list(PROMPTS)].astype(PROMPTS).reset_index(drop=True)


_KINDS = {name: PROMPTS[name] for name in ("rep_id", "kind", "opportunity_id", "day", "amount", "value")}


def _day_before(as_of: date, calendar: FiscalCalendar) -> date:
    """The working day before the last one: what happened by its end was told of then."""
    day, found = as_of, 0
    for _ in range(30):
        found += calendar.workdays(day, day)
        if found == 2:
            return day
        day -= timedelta(days=1)
    return as_of - timedelta(days=1)  # a company that never works


def _silent(pipeline: pd.DataFrame, absences: pd.DataFrame | None, end: pd.Timestamp, days: int) -> pd.DataFrame:
    """Deals whose silence passed the limit within the last days."""
    silence = pipeline["days_since_activity"].astype("float64").fillna(pipeline["age_days"].astype("float64"))
    rows = pipeline.assign(silence=silence)[silence.gt(SILENT_DAYS) & silence.le(SILENT_DAYS + days)]
    if absences is not None:
        away = absences[absences["starts_on"].le(end) & absences["ends_on"].ge(end)]
        rows = rows[~rows["rep_id"].isin(away["rep_id"])]
    crossed = end - pd.to_timedelta(rows["silence"] - SILENT_DAYS - 1, unit="D")
    return rows.assign(kind="gone_silent", day=crossed, value=rows["silence"])


def _pushed(pipeline: pd.DataFrame, end: pd.Timestamp, days: int) -> pd.DataFrame:
    since = pipeline["days_since_push"].astype("float64")
    rows = pipeline[since.lt(days)]
    day = end - pd.to_timedelta(since[rows.index], unit="D")
    return rows.assign(kind="pushed", day=day, value=rows["push_count"])
