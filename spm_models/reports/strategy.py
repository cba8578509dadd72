"""What the figures suggest beyond single talks, as questions: shared topics, coverage, rhythm, effect, territory."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from spm_models.coaching.effects.words import what
from spm_models.reports.coached import shared_topics
from spm_models.reports.parts import bullets, paragraph
from spm_models.reports.reading import Reading
from spm_models.reports.words import chance_words

SHARED, HELD, SURE, PLACE, LOSSES = 1 / 3, 0.75, 0.65, 0.05, 20
#: least of a topic, share of due talks, chance of the largest quota, share of a typical colleague's sales, lost deals


def strategy(reading: Reading) -> Markup:
    """Questions for the team or the company, each with the figure that raises it."""
    asked = [*_topics(reading), *_quota(reading), *_rhythm(reading), *_helped(reading), *_place(reading),
             *_losses(reading)]  # fmt: skip
    if not asked:
        return paragraph(reading.t("strategy.none"))
    return bullets(asked) + paragraph(reading.t("strategy.note"), "note")


def _topics(reading: Reading) -> Iterator[Markup]:
    topics = shared_topics(reading)
    if len(topics) and topics["n"].iloc[0] >= max(2, SHARED * topics["n"].sum()):
        first = topics.iloc[0]
        yield reading.t.html("strategy.topic", topic=first["name"], part=reading.t.number(int(first["n"])),
                             whole=reading.t.number(int(topics["n"].sum())))  # fmt: skip


def _quota(reading: Reading) -> Iterator[Markup]:
    t = reading.t
    for place in (0, 1):
        o = reading.outlook(place)
        if o is None or not o.quota("standard") > 0:
            continue
        figures = {"period": t.period(o.period), "expected": t.compact_money(o.total("mean"))}
        if o.total("mean") < o.quota("standard"):
            yield t.html("strategy.short", quota=t.compact_money(o.quota("standard")), **figures)
        elif o.probability("maximum") >= SURE:
            yield t.html("strategy.easy", chance=chance_words(t, o.probability("maximum")), **figures)


def _rhythm(reading: Reading) -> Iterator[Markup]:
    rows = reading["coaching_cadence"]
    if reading.level == "manager":
        rows = rows[rows["key"] == reading.key]
    due, held = int(rows["due"].sum()), int(rows["held"].sum())
    if due and held < HELD * due:
        yield reading.t.html("strategy.rhythm", held=reading.t.number(held), due=reading.t.number(due))
    agreed, overdue = int(rows["actions"].sum()), int(rows["overdue"].sum())
    if agreed and overdue > agreed / 2:
        yield reading.t.html("strategy.actions", part=reading.t.number(overdue), whole=reading.t.number(agreed))


def _helped(reading: Reading) -> Iterator[Markup]:
    t, rows = reading.t, reading["coaching_effects"].query("verdict == 'helped'")
    special = rows[(rows["skill"] != "all") | (rows["kind"] != "all")].sort_values(["skill", "kind", "outcome"])
    for row in special.head(1).to_dict("records"):
        yield t.html("strategy.helped", what=what(t, row), outcome=t.name("effects.outcomes", row["outcome"]))


def _place(reading: Reading) -> Iterator[Markup]:
    t, rows = reading.t, reading["coaching_gap"].query("reference == 'peers'")
    typical = rows.loc[rows["step"] == "start", "amount"].sum()
    amount = rows.loc[rows["step"] == "territory", "amount"].sum()
    if typical > 0 and abs(amount) >= PLACE * typical:
        yield t.html("strategy.place", amount=t.compact_money(amount, signed=True))


def _losses(reading: Reading) -> Iterator[Markup]:
    t, rows = reading.t, reading["loss_reasons"]
    own = rows[(rows["level"] == reading.level) & (rows["key"] == reading.key) & (rows["reason"] != "")]
    own = own[own["of_lost"] >= LOSSES].sort_values(["lost", "reason"], ascending=[False, True])
    for row in own.head(1).to_dict("records"):
        yield t.html("strategy.losses", reason=t.name("loss_reasons", row["reason"]), share=t.percent(row["share"]))
