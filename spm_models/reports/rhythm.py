"""A manager's own rhythm: one-to-ones held beside those due, and what became of what was agreed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.coaching.people.rhythm import WEEKS
from spm_models.reports.parts import bullets, join, paragraph, tile, tiles
from spm_models.reports.reading import Reading

LISTED = 5


def rhythm(reading: Reading, names: Mapping[str, str]) -> Markup:
    """The manager's cadence as tiles, and agreed actions that are past their day without a word.

    Parameters
    ----------
    reading : Reading
        Of a manager.
    names : mapping of str to str
        Rep ids → names.
    """
    t, rows = reading.t, reading["coaching_cadence"]
    own = rows[(rows["level"] == "manager") & (rows["key"] == reading.key)].to_dict("records")
    if not own:
        return paragraph(t("managers.no_rhythm"))
    return join([*_cadence(reading, own[0]), _overdue(reading, names)])


def _cadence(reading: Reading, row: Mapping[Any, Any]) -> Iterator[Markup]:
    t = reading.t
    span = t.range(t.percent(row["low"]), t.percent(row["high"])) if row["low"] == row["low"] else ""
    on_time = t("managers.on_time", share=t.percent(row["on_time"]), range=span) if row["due"] else ""
    share = t("common.share_of", part=t.number(row["held"]), whole=t.number(row["due"]))
    yield tiles([
        tile(t("managers.talks_held"), share, on_time),
        tile(t("managers.actions_closed"),
             t("common.share_of", part=t.number(row["closed"]), whole=t.number(row["actions"])),
             t("managers.past_day", n=int(row["overdue"]))),
        tile(t("managers.longest"), t.days(int(row["longest_without"])), t("managers.without_absences")),
    ])  # fmt: skip
    yield paragraph(t("managers.rhythm_note", weeks=t("common.weeks", n=WEEKS)), "note")


def waiting(reading: Reading) -> pd.DataFrame:
    """Actions that this manager agreed in the weeks of the cadence and that are past their day, the newest first."""
    rows, day = reading["agreed_actions"], reading.as_of
    recent = rows["held_on"] > day - pd.Timedelta(weeks=WEEKS)
    own = rows[(rows["manager_id"] == reading.key) & (rows["state"] == "open") & recent & (rows["due_on"] < day)]
    return own.sort_values(["due_on", "rep_id", "session_id", "number"], ascending=[False, True, True, True])


def _overdue(reading: Reading, names: Mapping[str, str]) -> Markup:
    t, rows = reading.t, waiting(reading)
    if rows.empty:
        return Markup("")
    lines = [
        t.html("managers.waiting", name=names.get(row["rep_id"], row["rep_id"]), action=row["action"],
               day=row["due_on"].date())
        for row in rows.drop_duplicates("rep_id").head(LISTED).to_dict("records")
    ]  # fmt: skip
    return Markup("<h3>{}</h3>{}{}").format(
        t("managers.ask_about"), bullets(lines), paragraph(t("managers.ask_note"), "note")
    )
