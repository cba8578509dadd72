"""What a team shares and celebrates, from the published tables; nothing where a company has not turned it on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from spm_models.periods import FiscalCalendar
from spm_models.reports.export import Column
from spm_models.reports.parts import chart, folded, join, paragraph, table, tile, tiles
from spm_models.reports.reading import Reading
from spm_models.translations import Translator

DRAWN = 14
_OF_A_QUARTER = ("followed_up", "crm_current", "steady_pipeline")
#: How an improvement's figures are told, and what was counted.
_UNITS: dict[str, tuple[Callable[[Translator, float], str], str]] = {
    "conversion_up": (lambda t, value: t.percent(value), "common.closed_deals"),
    "win_rate_up": (lambda t, value: t.percent(value), "common.closed_deals"),
    "follow_up_up": (lambda t, value: t.percent(value), "common.closed_deals"),
    "price_kept_up": (lambda t, value: t.percent(value, 1), "common.won_deals"),
    "pipeline_up": (lambda t, value: t("units.per_month", value=t.number(value, 1)), "common.workdays"),
    "silence_halved": (lambda t, value: t("common.days", n=round(value)), "common.closed_deals"),
}


def badges(reading: Reading) -> Markup:
    """Badges as small cards: a rep's with what he did, a manager's people's with their names; empty without any."""
    t, rows = reading.t, reading["badges"]
    if reading.level == "rep":
        rows = rows[rows["rep_id"] == reading.key]
        cards = [_card(t, row, _told(reading, row), t("team.earned_on", day=row["earned_on"]))
                 for row in rows.sort_values(["earned_on", "badge", "part"], ascending=[False, True, True])
                 .to_dict("records")]  # fmt: skip
    else:
        cards = list(_of_people(reading, rows))
    if not cards:
        return Markup("")
    head = Markup("<h3>{}</h3>{}").format(t("team.badges_heading"), paragraph(t("team.badges_intro"), "note"))
    return head + Markup('<ul class="badges">{}</ul>').format(join(cards))


def _of_people(reading: Reading, rows: pd.DataFrame) -> list[Markup]:
    t, names = reading.t, _names(reading)
    found = []
    for _, one in rows.groupby(["badge", "part"], sort=True):
        first = one.sort_values("earned_on").iloc[-1].to_dict()
        people = sorted({names.get(rep, rep) for rep in one["rep_id"]}, key=str.casefold)
        named = Markup(" · ").join(Markup("<bdi>{}</bdi>").format(name) for name in people)
        found.append(_card(t, first, _why(reading, first), Markup("{} {}").format(t("team.earned_by"), named)))
    return found


def _card(t: Translator, row: Mapping[Any, Any], told: object, below: object) -> Markup:
    name = t(f"team.badges.{row['badge']}.name")
    title = f"{name} ({t.name('stages', row['part'])})" if row["part"] else name
    return Markup(
        '<li class="badge"><svg viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="M12 2.6l2.9 5.9 6.5.9'
        '-4.7 4.6 1.1 6.4-5.8-3-5.8 3 1.1-6.4L2.6 9.4l6.5-.9z"/></svg><div><h4><bdi>{}</bdi></h4><p>{}</p>'
        "<small>{}</small></div></li>"
    ).format(title, told, below)


def _period(reading: Reading, row: Mapping[Any, Any]) -> dict[str, str]:
    """The quarter that a badge is about, where it is about one."""
    if row["badge"] not in _OF_A_QUARTER:
        return {}
    quarter = FiscalCalendar.of(reading.workspace.settings.calendar).quarter(row["earned_on"].date())
    return {"period": reading.t.period(quarter.label)}


def _why(reading: Reading, row: Mapping[Any, Any]) -> str:
    return reading.t(f"team.badges.{row['badge']}.why", **_period(reading, row))


def _told(reading: Reading, row: Mapping[Any, Any]) -> Markup:
    """What the badge is for, with the rep's own figures."""
    t, badge, value, beside = reading.t, row["badge"], row["value"], row["beside"]
    if badge in _UNITS:
        say, counted = _UNITS[badge]
        return t.html("team.improved", beside=say(t, beside), value=say(t, value), count=t(counted, n=round(row["n"])))
    key, period = f"team.badges.{badge}.told", _period(reading, row)
    if badge == "followed_up":
        deals, days = t("common.deals", n=round(value)), t("common.days", n=round(beside))
        return t.html(key, deals=deals, days=days, **period)
    if badge == "crm_current":
        return t.html(key, **period)
    if badge == "helped_colleagues":
        deals, people = t("common.won_deals", n=round(value)), t("team.colleagues", n=round(beside))
        return t.html(key, deals=deals, people=people)
    return t.html(key, n=round(value), **period)


def leaderboard(reading: Reading) -> Markup:
    """Possible places as bars: a rep's own by measure, a manager's people by name; empty where ranks are off."""
    t, rows = reading.t, reading["leaderboard"]
    if reading.level == "rep":
        rows = rows[rows["rep_id"] == reading.key]
    if rows.empty:
        return Markup("")
    head = [Markup("<h3>{}</h3>").format(t("team.leaderboard_heading")),
            paragraph(t("team.leaderboard_intro"), "note")]  # fmt: skip
    body = [_own_places(t, rows)] if reading.level == "rep" else _places_of_people(reading, rows)
    note = t("team.leaderboard_note" if reading.level == "rep" else "team.leaderboard_note_line")
    return join([*head, *body, paragraph(note, "note")])


def _own_places(t: Translator, rows: pd.DataFrame) -> Markup:
    rows = rows.assign(label=[t(f"team.measures.{measure}") for measure in rows["measure"]])
    said = join(Markup("<li>{}</li>").format(_place(t, row)) for row in rows.to_dict("records"))
    if all(_open(row) for row in rows.to_dict("records")):
        return Markup('<ul class="plain">{}</ul>').format(said)
    drawn = _drawn(t, "own-places", t("team.leaderboard_own_title"), rows, _figures(t, rows))
    return Markup('<ul class="plain">{}</ul>{}').format(said, drawn)


def _place(t: Translator, row: Mapping[Any, Any]) -> Markup:
    if _open(row):
        return t.html("team.own_open", measure=row["label"], n=row["reps"])
    place = t.html(
        "team.own_place", measure=row["label"], low=t.number(row["rank_low"]), high=t.number(row["rank_high"]),
        n=row["reps"],
    )  # fmt: skip
    tied = t.html("team.tied", n=row["tied_with"]) if row["tied_with"] else t("team.tied_none")
    return Markup("{} {}").format(place, tied)


def _open(row: Mapping[Any, Any]) -> bool:
    """Whether every place is possible."""
    return bool(row["rank_low"] == 1 and row["rank_high"] == row["reps"])


def _places_of_people(reading: Reading, rows: pd.DataFrame) -> list[Markup]:
    t, names, body = reading.t, _names(reading), []
    for measure, one in rows.groupby("measure", sort=True):
        title = t(f"team.measures.{measure}")
        one = one.assign(label=[str(names.get(rep, rep)) for rep in one["rep_id"]])
        one = one.assign(folded=one["label"].str.casefold()).sort_values(["rank", "rank_high", "folded"])
        if all(_open(row) for row in one.to_dict("records")):
            body.append(paragraph(t.html("team.open_places", measure=title)))
            continue
        figures = _figures(t, one)
        body.append(_drawn(t, f"places-{measure}", t("team.leaderboard_title", measure=title), one, figures))
    return body


def _drawn(t: Translator, name: str, title: str, rows: pd.DataFrame, below: Markup) -> Markup:
    from spm_models.charts.ranks import ranks_chart

    shown = rows.head(DRAWN)
    head = Markup("<h4>{}</h4>").format(title)
    return head + chart(name, title, t("team.leaderboard_alt"), lambda width: ranks_chart(t, shown, width=width), below)


def _figures(t: Translator, rows: pd.DataFrame) -> Markup:
    """Places and values in a table that opens on demand."""
    shown = rows.assign(
        shown=[t.percent(value) for value in rows["value"]],
        range=[t.range(t.percent(low), t.percent(high)) for low, high in zip(rows["low"], rows["high"], strict=True)],
        places=[t.range(t.number(low), t.number(high))
                for low, high in zip(rows["rank_low"], rows["rank_high"], strict=True)],
    )  # fmt: skip
    columns = [
        Column("label", t("common.name")), Column("places", t("team.places")),
        Column("tied_with", t("team.tied_with"), t.number, number=True),
        Column("reps", t("team.of_reps"), t.number, number=True),
        Column("shown", t("team.value"), number=True), Column("range", t("common.range80"), number=True),
    ]  # fmt: skip
    return folded(t, shown, columns, t("team.leaderboard_table"))


def board(reading: Reading) -> Markup:
    """The team's goal and what is closed, with a rep's own part or everybody's; empty where the board is off."""
    t, rows = reading.t, reading["team_board"]
    if reading.level == "rep":
        rows = rows[(rows["level"] == "rep") & (rows["key"] == reading.key)]
        return join(_own_board(t, one) for _, one in rows.groupby("team", sort=True))
    totals = rows[rows["level"].isin(["team", "company"])]
    several = totals["team"].nunique() > 1
    return join(
        _team(reading, str(team), one, rows[(rows["level"] == "rep") & (rows["team"] == team)], several)
        for team, one in totals.groupby("team", sort=True)
    )


def _own_board(t: Translator, rows: pd.DataFrame) -> Markup:
    own = rows.set_index("measure")
    head = Markup("<h3>{}</h3>").format(t.html("team.board_heading", period=t.period(rows["period"].iloc[0])))
    items = [
        tile(t(f"team.own_{name}"), t.money(own.at[name, "value"]), t(of, share=t.percent(own.at[name, "share"])))
        for name, of in (("contribution", "team.of_closed"), ("support", "team.of_own")) if name in own.index
    ]  # fmt: skip
    shown = [_progress(t, own)] if "closed" in own.index else []
    shown += [tiles(items)] if items else []
    return head + join(shown) + paragraph(t("team.board_note"), "note") if shown else Markup("")


def _team(reading: Reading, team: str, totals: pd.DataFrame, parts: pd.DataFrame, several: bool) -> Markup:
    t, period = reading.t, reading.t.period(totals["period"].iloc[0])
    title = t.html("team.board_heading_of", team=team, period=period) if several and team else (
        t.html("team.board_heading", period=period)
    )  # fmt: skip
    whole = totals.set_index("measure")
    people = _parts(reading, parts, float(whole["value"]["closed"]))
    columns = [
        Column("label", t("common.name")), Column("contribution", t("team.contribution"), t.money, number=True),
        Column("share", t("team.contribution_share"), t.percent, number=True),
        Column("support", t("team.support"), t.money, number=True),
    ]  # fmt: skip
    shown = table(people, columns, t("team.board_table")) if len(people) else Markup("")
    note = paragraph(t("team.board_note"), "note")
    return join([Markup("<h3>{}</h3>").format(title), _progress(t, whole), shown, note])


def _parts(reading: Reading, parts: pd.DataFrame, closed: float) -> pd.DataFrame:
    """Everybody in alphabetical order; who belongs to other teams in one line, so that the column adds up."""
    t, names = reading.t, _names(reading)
    by = parts[parts["measure"].isin(["contribution", "support"])].pivot(index="key", columns="measure", values="value")
    by = by.reindex(columns=["contribution", "support"]).rename(index=lambda rep: str(names.get(rep, rep)))
    by = by.sort_index(key=lambda labels: labels.str.casefold()).rename_axis("label").reset_index()
    rest = round(closed - float(by["contribution"].sum()), 2)
    if rest > 0:
        other = pd.DataFrame([{"label": t("team.others"), "contribution": rest, "support": np.nan}])
        by = pd.concat([by, other], ignore_index=True)
    return by.assign(share=by["contribution"] / closed if closed > 0 else np.nan)


def _progress(t: Translator, rows: pd.DataFrame) -> Markup:
    """What is closed on the way to the goal, as a bar and in words."""
    closed = float(rows["value"]["closed"])
    goal = float(rows["value"]["goal"]) if "goal" in rows.index else 0.0
    if not goal > 0:
        return paragraph(t.html("team.closed", closed=t.money(closed)), "lede")
    words = t.html("team.closed_of_goal", closed=t.money(closed), goal=t.money(goal))
    share = t("team.part_of_goal", share=t.percent(closed / goal))
    flipped = Markup(' transform="translate(100 0) scale(-1 1)"') if t.direction == "rtl" else ""
    return Markup(
        '<p class="lede">{}</p><svg class="goal" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" '
        'aria-label="{}"><g{}><rect width="100" height="10" style="fill: var(--chart-line, #d9e0e6)"/>'
        '<rect width="{:.1f}" height="10" style="fill: var(--chart-closed, #0f6177)"/></g></svg><p class="soft">{}</p>'
    ).format(words, share, flipped, 100 * min(closed / goal, 1.0), share)


def _names(reading: Reading) -> dict[str, str]:
    people = reading["reps"][["rep_id", "name"]].dropna()
    return dict(zip(people["rep_id"], people["name"], strict=True))
