"""Plans, agendas and feedback in a reader's words; whatever is inserted is text, never markup, formula or direction."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pandas as pd
from markupsafe import Markup

from spm_models.coaching.plans.library import Library
from spm_models.coaching.plans.one_to_one import AgendaItem
from spm_models.translations import Translator

Names = Mapping[str, str]
_NAMED = 3  # deals named in one sentence
_MOST = 0.75
_FORMATS: dict[str, Callable[[Translator, Any], str]] = {
    "share": lambda t, value: t.percent(value),
    "change": lambda t, value: t.percent(value, signed=True),
    "amount": lambda t, value: t.money(value),
    "days": lambda t, value: t.days(round(value)),
    "pace": lambda t, value: t.number(value, 1),
    "since": lambda t, value: t.day(date.fromisoformat(value)),
    "day": lambda t, value: t.day(date.fromisoformat(value)),
    "stage": lambda t, value: t.name("stages", value),
    "weeks": lambda t, value: t("common.weeks", n=round(value)),
}
_DEALS = ("quiet_deals", "promising_deals", "reviews")  # units that are told with the first deal
_UNITS: dict[str, Callable[[Translator, float], str]] = {
    "per_week": lambda t, value: t("units.per_week", value=t.number(value, 1)),
    "per_month": lambda t, value: t("units.per_month", value=t.number(value, 1)),
    "days": lambda t, value: t.days(round(value)),
    "money": lambda t, value: t.money(value),
    "share": lambda t, value: t.percent(value),
}


def feedback_sentences(t: Translator, rows: pd.DataFrame, names: Names) -> list[tuple[str, Markup]]:
    """Stance and sentence of each row of ``coaching_feedback``, in the order in which they are said.

    Parameters
    ----------
    t : Translator
        With the company's currency.
    rows : DataFrame
        Of one rep.
    names : mapping of str to str
        Opportunity id → what the reader knows the deal by; one without a name is told by its id.

    Returns
    -------
    list of (str, Markup)
        Escaped: the markup may enter a page as it is.

    Examples
    --------
    >>> rows = pd.DataFrame([{"rep_id": "a", "rank": 1, "stance": "change", "sentence": "silence",
    ...                       "signal": "follow_up", "part": "", "deals": "d1 d2",
    ...                       "values": '{"k": 5, "n": 8, "limit_days": 21, "beside_days": 6, "since": "2026-01-05"}'}])
    >>> said = feedback_sentences(Translator("en"), rows, {"d1": "Acme", "d2": "Bolt"})
    >>> said[0][1].striptags()  # doctest: +NORMALIZE_WHITESPACE
    'Since Jan 5, 2026, 5 of 8 lost deals had more than 21 days without a contact; in won deals of this kind
    the longest wait was 6 days (the middle value). Deals: Acme and Bolt'
    """
    return [(row["stance"], _feedback(t, row, names)) for row in rows.sort_values("rank").to_dict("records")]


def action_sentences(t: Translator, plan: pd.DataFrame, names: Names) -> list[Markup]:
    """Each action of a plan in words: what, from where to where, by when, and how many colleagues are there.

    Parameters
    ----------
    t : Translator
    plan : DataFrame
        Rows of ``coaching_plan`` of one rep.
    names : mapping of str to str
        Opportunity and rep ids → names.
    """
    return [_action(t, row, names) for row in plan.sort_values("rank").to_dict("records")]


def agenda_sentences(
    t: Translator, items: Sequence[AgendaItem], names: Names, library: Library
) -> list[tuple[str, Markup]]:
    """Kind and words of each point of an agenda, in its order."""
    return [(item.kind, line) for item in items for line in _point(t, item, names, library)]


def topic_name(t: Translator, signal: str, part: str = "") -> str:
    """What a topic is about, such as "win rate" or "conversion at stage Proposal"."""
    if part:
        return t("plan.topics.of_stage", stage=t.name("stages", part))
    return t.name("plan.topics", signal)


def _feedback(t: Translator, row: Mapping[Any, Any], names: Names) -> Markup:
    raw: dict[str, Any] = json.loads(row["values"])
    deals = [names.get(deal, deal) for deal in str(row["deals"]).split()][:_NAMED]
    sentence = t.html(f"feedback.{row['stance']}.{row['sentence']}", **{k: _shown(t, k, v) for k, v in raw.items()})
    if not deals:
        return sentence
    return Markup(" ").join([sentence, t.html("feedback.deals", deals=t.list(deals))])


def _shown(t: Translator, name: str, value: Any) -> Any:
    """A value as its name says: ``beside_share`` is a share, ``limit_days`` are days, ``k`` and ``n`` are counts."""
    shape = _FORMATS.get(name.rsplit("_", 1)[-1])
    return value if shape is None else shape(t, value)


def _action(t: Translator, row: Mapping[Any, Any], names: Names) -> Markup:
    said = t.html(f"plan.numbers.{_key(row)}", due=t.day(row["due_on"]), **_inserted(t, row, names))
    if not row["peers"] or not row["reached_by"] or row["remedy"] == "target_update":
        return said  # what colleagues sold is no first step towards a lower target
    if row["reached_by"] > _MOST * row["peers"]:  # a count would tell him where he stands among colleagues
        return Markup(" ").join([said, t.html("plan.reached_by_most")])
    return Markup(" ").join([said, t.html("plan.reached", k=int(row["reached_by"]), n=int(row["peers"]))])


def _key(row: Mapping[Any, Any]) -> str:
    """A remedy may be told in several ways, by what it counts."""
    return str(row["unit"] if row["unit"] in _DEALS else row["remedy"])


def _inserted(t: Translator, row: Mapping[Any, Any], names: Names) -> dict[str, str]:
    if row["unit"] == "sessions":
        said = {"sessions": t("plan.sessions", n=round(row["goal"]))}
        if row["remedy"] == "mentoring":
            said |= {"name": row["with_name"], "topic": _about(t, row)}
        return said
    if row["unit"] == "blocks":
        return {"hours": t("plan.hours", n=round(row["goal"]))}
    deal = {"deal": names.get(row["opportunity_id"], row["opportunity_id"])} if row["unit"] in _DEALS else {}
    if row["unit"] == "reviews":
        return {"deals": t("common.open_deals", n=round(row["goal"])), **deal}
    topic = {"topic": _measure(t, row)} if row["remedy"] == "goal" else {}
    return _numbers(t, row) | deal | topic


def _about(t: Translator, row: Mapping[Any, Any]) -> str:
    return topic_name(t, row["signal"], row["part"])


def _measure(t: Translator, row: Mapping[Any, Any]) -> str:
    """What a goal counts; a topic's name where that says it already."""
    key = f"plan.measures.{row['signal']}"
    return t(key) if t.has(key) else _about(t, row)


def _numbers(t: Translator, row: Mapping[Any, Any]) -> dict[str, str]:
    shape = _UNITS.get(row["unit"], _count)
    return {"baseline": shape(t, row["baseline"]), "goal": shape(t, row["goal"])}


def _point(t: Translator, item: AgendaItem, names: Names, library: Library) -> Iterator[Markup]:
    values = item.values
    if item.kind == "last_action":
        state = t.name("plan.states", values["state"])
        if pd.isna(values["due_on"]):
            yield t.html("plan.agenda.last_action", action=values["action"], state=state)
        else:
            yield t.html("plan.agenda.last_action_due", action=values["action"], state=state, due=values["due_on"])
    elif item.kind in ("well", "change"):
        yield _feedback(t, values["row"], names)
    elif item.kind == "action":
        yield _action(t, values["row"], names)
    elif item.kind == "topic":
        yield t.html("plan.agenda.topic", topic=topic_name(t, values["signal"], values["part"]))
        if values["item"] in library.items:
            yield t.html("plan.agenda.question", question=library.items[values["item"]].words(t.locale).question)
    elif item.kind == "next":
        yield t.html("plan.agenda.next", talk=values["talk"], after=values["after"])
    else:
        yield t.html(f"plan.agenda.{item.kind}")


def _count(t: Translator, value: float) -> str:
    return t.number(round(value))
