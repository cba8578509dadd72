"""Whom a manager may want to talk to: the topic, what may be behind it, what could be agreed. Questions, no labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from spm_models.coaching.plans.words import action_sentences
from spm_models.reports.parts import bullets, join, paragraph
from spm_models.reports.reading import Reading, begun
from spm_models.reports.words import chance_words, topic_of

PEOPLE = 3


def talks(reading: Reading, names: Mapping[str, str]) -> Markup:
    """Up to three people with a topic, the most at stake first.

    Parameters
    ----------
    reading : Reading
    names : mapping of str to str
        Rep ids → names, opportunity ids → accounts.
    """
    t = reading.t
    verdicts = reading["coaching_verdicts"].dropna(subset="topic")
    ranked = verdicts.sort_values(["money_at_stake", "rep_id"], ascending=[False, True]).to_dict("records")
    if not ranked:
        return paragraph(t("digest.talks.none"))
    body = [bullets([_talk(reading, row, names) for row in ranked[:PEOPLE]], "talks")]
    if len(ranked) > PEOPLE:
        body.append(paragraph(t("digest.talks.more", n=len(ranked) - PEOPLE), "note"))
    return join([*body, paragraph(t("digest.talks.hypothesis"), "note")])


def cause_sentence(reading: Reading, verdict: Mapping[Any, Any]) -> Markup:
    """What the figures speak most for, with its probability; what a talk confirmed; or that they do not tell."""
    t, rows = reading.t, reading["coaching_causes"]
    own = rows[rows["rep_id"] == verdict["rep_id"]]
    confirmed = own.loc[own["confirmed"] == "yes", "cause"]
    if len(confirmed):
        return t.html("cause_words.confirmed", cause=t.name("causes", confirmed.iloc[0]))
    if isinstance(verdict["cause"], str) and verdict["cause"]:
        share = chance_words(t, verdict["cause_probability"])
        return t.html("cause_words.leading", cause=t.name("causes", verdict["cause"]), share=share)
    return t.html("cause_words.open") if len(own) else Markup("")


def answers(reading: Reading, rep_id: str) -> list[Markup]:
    """What a rep answered last, to stand beside what is said of him."""
    t = reading.t
    key = "report.data.your_reply" if reading.key == rep_id else "digest.talks.reply"
    return [
        paragraph(t.html(key, day=one.written_at.date(), text=begun(one.body["text"])), "answer")
        for one in reading.replies(rep_id)[-1:]
    ]


def _talk(reading: Reading, row: Mapping[Any, Any], names: Mapping[str, str]) -> Markup:
    t, topic = reading.t, row["topic"]
    name = names.get(row["rep_id"], row["rep_id"])
    worth = row["money_at_stake"] > 0
    values = {"amount": t.money(row["money_at_stake"])} if worth else {}
    head = t.html("digest.talks.line" if worth else "managers.talk", name=name, topic=topic_of(t, row), **values)
    lines: list[object] = [paragraph(line) for line in (cause_sentence(reading, row),) if line]
    lines += [paragraph(t(f"signals.{topic}.question"), "note")] if t.has(f"signals.{topic}.question") else []
    plan = reading["coaching_plan"]
    first = plan[plan["rep_id"] == row["rep_id"]].sort_values("rank").head(1)
    lines += [
        paragraph(Markup("<b>{}</b> {}").format(t("managers.could_agree"), line))
        for line in action_sentences(t, first, names)
    ]
    return Markup("<b>{}</b>{}").format(head, join([*lines, *answers(reading, row["rep_id"])]))
