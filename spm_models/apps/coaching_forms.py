"""What whoever leads a rep may write about him: what was agreed, what went well, what a talk or a call showed."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from spm_models.apps.forms import Choice, Day, Field, Text, form
from spm_models.apps.parts import join
from spm_models.journal.coaching_bodies import SKILLS
from spm_models.translations import Translator

SESSIONS = ("one_to_one", "coaching", "mentoring", "shadowing", "role_play", "training")
CAUSES = ("knowledge", "motivation", "direction", "context")


def writing(t: Translator, rep_id: str, topic: str) -> Markup:
    """All forms of a manager about one rep, each behind its own line; the praise comes first.

    Parameters
    ----------
    t : Translator
    rep_id : str
    topic : str
        The signal of the rep's topic; empty without one.
    """
    return join(_forms(t, {"rep": rep_id}, topic))


def _forms(t: Translator, about: dict[str, str], topic: str) -> Iterator[Markup]:
    send = t("answers.send")
    yield form(t, "recognition", about, [Text("text", t("coaching_page.praise"), rows=2)], label=send,
               fold=t("coaching_page.praise_fold"))  # fmt: skip
    sessions = [(name, t(f"coaching_page.sessions.{name}")) for name in SESSIONS]
    agreed: list[Field] = [
        Choice("session", t("coaching_page.session"), sessions),
        Text("actions", t("coaching_page.actions"), help=t("coaching_page.actions_help")),
        Day("on", t("coaching_page.held_on")), Day("due", t("coaching_page.due")),
    ]  # fmt: skip
    yield form(t, "agreement", about | {"skill": topic}, agreed, label=send, fold=t("coaching_page.agree_fold"))
    yield form(t, "note", about, [Text("text", t("coaching_page.note"))], label=send,
               fold=t("coaching_page.note_fold"))  # fmt: skip
    causes: list[Field] = [
        Choice("cause", t("coaching_page.cause"), [(name, t.name("causes", name)) for name in CAUSES]),
        Choice("says", t("coaching_page.says"), [(says, t(f"coaching_page.says_{says}")) for says in ("yes", "no")]),
        Text("text", t("answers.note"), rows=2, required=False),
    ]
    yield form(t, "cause", about, causes, label=send, fold=t("coaching_page.cause_fold"))
    yield form(t, "observation", about, _observation(t), label=send, fold=t("coaching_page.observe_fold"))


def _observation(t: Translator) -> list[Field]:
    scores = [("", t("coaching_page.not_seen")), *((str(n), t(f"coaching_page.scores.{n}")) for n in range(1, 6))]
    kinds = [(of, t(f"coaching_page.of_{of}")) for of in ("call", "meeting")]
    fields: list[Field] = [Choice("of", t("coaching_page.of"), kinds), Day("on", t("coaching_page.held_on"))]
    for skill in SKILLS:
        name = t.name("people.skills", skill)
        fields.append(Choice(skill, name, scores, required=False))
        words = t("coaching_page.seen", skill=name)
        fields.append(Text(f"{skill}_note", words, rows=1, required=False, longest=400))
    return fields
