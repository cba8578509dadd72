"""Forms beside what a page says of a person: answer, correct, say what became of an action, ask about a target."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
from markupsafe import Markup

from spm_models.apps.forms import Choice, Field, Text, form
from spm_models.apps.parts import join, section
from spm_models.reports.parts import paragraph
from spm_models.reports.reading import Reading, begun
from spm_models.reports.words import account_of
from spm_models.translations import Translator
from spm_models.writing.corrections import COLUMNS

ACTIONS, DEALS = 6, 300


def reply(t: Translator, signal: str) -> Markup:
    """The rep's own answer to the finding; it is shown beside it to whoever reads the finding."""
    text = Text("text", t("answers.reply"), help=t("answers.reply_help"))
    return form(t, "reply", {"signal": signal}, [text], label=t("answers.send"), fold=t("answers.reply_fold"))


def actions(t: Translator, agreed: pd.DataFrame) -> Markup:
    """Open actions, the newest first, each with what became of it."""
    rows = agreed.sort_values(["due_on", "session_id", "number"], ascending=[False, True, True]).head(ACTIONS)
    if rows.empty:
        return paragraph(t("answers.no_actions"))
    states = [(name, t(f"answers.states.{name}")) for name in ("done", "dropped")]
    items = (
        Markup("<li><h3>{}</h3><p class=\"soft\">{}</p>{}</li>").format(
            begun(row["action"]), t("answers.due", day=row["due_on"]) if pd.notna(row["due_on"]) else "",
            form(t, "action", {"session": row["session_id"], "number": str(row["number"])},
                 [Choice("state", t("answers.state"), states), Text("text", t("answers.note"), required=False, rows=1)],
                 label=t("answers.send"), fold=t("answers.state_fold"), quiet=True),
        )
        for row in rows.to_dict("records")
    )  # fmt: skip
    return Markup('<ol class="people">{}</ol>').format(join(items))


def correction(t: Translator, deals: pd.DataFrame) -> Markup:
    """What is wrong in the data of a deal, what it should be, and how one knows."""
    if deals.empty:
        return paragraph(t("answers.no_deals"))
    options = [(row["opportunity_id"], account_of(row)) for row in deals.head(DEALS).to_dict("records")]
    columns = [(name, t(f"answers.columns.{name}")) for name in COLUMNS]
    fields: list[Field] = [
        Choice("deal", t("answers.deal"), options), Choice("column", t("answers.column"), columns),
        Text("value", t("answers.value"), rows=1, longest=400), Text("reason", t("answers.reason"), rows=2),
    ]  # fmt: skip
    return form(t, "correction", {}, fields, label=t("answers.send"), fold=t("answers.correct_fold"))


def target(t: Translator, reading: Reading) -> Markup:
    """Why this target, what was said about it, and the rep's own word; empty where there is none."""
    rows = reading["targets"]
    mine = rows[(rows["level"] == "rep") & (rows["key"] == reading.key) & (rows["tier"] == "standard")]
    if mine.empty:
        return Markup("")
    row = mine.sort_values("period").iloc[0]
    period = str(row["period"])
    quota = t.money(row["quota"])
    head = paragraph(t.html("answers.target", period=t.period(period), quota=quota))
    says = [(name, t(f"answers.says.{name}")) for name in ("question", "accept", "decline")]
    fields: list[Field] = [
        Choice("says", t("answers.says_label"), says),
        Text("text", t("answers.words"), required=False, rows=2),
    ]
    sent = form(t, "target", {"period": period}, fields, label=t("answers.send"), fold=t("answers.target_fold"))
    return section("target", t("answers.target_title"), head, *_talked(t, reading, period), sent)


def _talked(t: Translator, reading: Reading, period: str) -> Iterator[Markup]:
    talk = reading["target_talk"]
    talk = talk[(talk["rep_id"] == reading.key) & (talk["period"] == period)].sort_values("entry")
    for row in talk.tail(4).to_dict("records"):
        said = t(f"answers.said.{row['says']}")
        words = begun(row["text"]) if isinstance(row["text"], str) else ""
        yield paragraph(t.html("answers.talked", said=said, day=row["written_at"].date(), text=words), "answer")
