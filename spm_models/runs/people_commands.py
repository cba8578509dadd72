"""``spm coaching …``: what people write about each other's work, and what they are prompted to say."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spm_models.runs.coaching_commands import Folder, Person, coaching_app

if TYPE_CHECKING:
    from spm_models.workspace import Workspace
    from spm_models.writing.way import Writing

_Rep = Annotated[str, typer.Argument(metavar="REP", help="About whom: rep_id or e-mail.")]
_Whose = Annotated[str, typer.Argument(metavar="[REP]", help="Of one rep only.")]
_Text = Annotated[str, typer.Option("--text", help="In your own words.")]
_Day = Annotated[str, typer.Option("--on", metavar="DAY", help="Without it today.")]
_Deal = Annotated[str, typer.Option("--deal", metavar="ID", help="For which opportunity.")]
_Signal = Annotated[str, typer.Option("--signal", help="About which signal: win_rate, cycle, activity …")]
_Instead = Annotated[int | None, typer.Option("--instead-of", metavar="N", help="Number of your own entry that this "
                                              "one replaces; the first stays in the history.")]  # fmt: skip
_Dry = Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")]
_Request = Annotated[str, typer.Option("--request-id", metavar="ID", help="Sent twice, it is written once.")]
_Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]
_Locale = Annotated[str, typer.Option("--locale", help="Language: tr, en or ar; without it the workspace's.")]
_Seen = Annotated[str, typer.Option(metavar="'N: NOTE'", help="1 to 5, and what was said or done.")]
_Points = Annotated[int, typer.Option(min=1, max=5)]


@coaching_app.command("note")
def note(
    rep: _Rep, text: _Text,
    call: Annotated[str, typer.Option("--call", metavar="ID", help="A call that you listened to together.")] = "",
    skill: Annotated[str, typer.Option("--skill", help="What the call was about.")] = "",
    mentor: Annotated[str, typer.Option("--mentor", metavar="PERSON", help="A talk with this mentor.")] = "",
    on: _Day = "", instead_of: _Instead = None, dry_run: _Dry = False, request_id: _Request = "",
    locale: _Locale = "", as_json: _Json = False, person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Keep a note about a rep whom you lead; the rep can read it. Of a talk with a mentor he may write himself."""
    from spm_models.runs import console_people
    from spm_models.writing import people

    opened, how = _open(workspace), _how(person, instead_of, request_id, dry_run)
    entry = people.note(opened, rep, text, how, call=call, skill=skill, mentor=mentor, on=on)
    console_people.say_written(opened, [entry], locale, as_json=as_json)


@coaching_app.command("observe")
def observe(
    rep: _Rep, opening: _Seen = "", need_orientation: _Seen = "", value: _Seen = "", objections: _Seen = "",
    next_step: _Seen = "",
    of: Annotated[str, typer.Option("--of", help="call or meeting.")] = "call",
    of_id: Annotated[str, typer.Option("--id", metavar="ID", help="Which call or activity.")] = "",
    deal: _Deal = "", on: _Day = "", instead_of: _Instead = None, dry_run: _Dry = False, request_id: _Request = "",
    locale: _Locale = "", as_json: _Json = False, person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Fill the observation form of a call or meeting; leave out a skill that did not come up."""
    from spm_models.runs import console_people
    from spm_models.writing import people

    seen = {"opening": opening, "need_orientation": need_orientation, "value": value, "objections": objections,
            "next_step": next_step}  # fmt: skip
    opened, how = _open(workspace), _how(person, instead_of, request_id, dry_run)
    entry = people.observe(opened, rep, seen, how, of=of, of_id=of_id, opportunity=deal, on=on)
    console_people.say_written(opened, [entry], locale, as_json=as_json)


@coaching_app.command("recognise")
def recognise(
    rep: _Rep, text: _Text, signal: _Signal = "", deal: _Deal = "", instead_of: _Instead = None,
    dry_run: _Dry = False, request_id: _Request = "", locale: _Locale = "", as_json: _Json = False,
    person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Say what went well, on record."""
    from spm_models.runs import console_people
    from spm_models.writing import people

    opened, how = _open(workspace), _how(person, instead_of, request_id, dry_run)
    entry = people.recognise(opened, rep, text, how, signal=signal, opportunity=deal)
    console_people.say_written(opened, [entry], locale, as_json=as_json)


@coaching_app.command("cause")
def cause(
    rep: _Rep,
    name: Annotated[str, typer.Argument(metavar="CAUSE", help="knowledge, motivation, direction or context.")],
    says: Annotated[bool, typer.Option("--yes/--no", help="Whether the talk showed that it is so.")],
    text: Annotated[str, typer.Option("--text", help="In your own words.")] = "", instead_of: _Instead = None,
    dry_run: _Dry = False, request_id: _Request = "", locale: _Locale = "", as_json: _Json = False,
    person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Keep what a talk showed of a possible cause; the next run orders causes and plans by it."""
    from spm_models.runs import console_people
    from spm_models.writing import people

    opened, how = _open(workspace), _how(person, instead_of, request_id, dry_run)
    entry = people.cause(opened, rep, name, "yes" if says else "no", how, text=text)
    console_people.say_written(opened, [entry], locale, as_json=as_json)


@coaching_app.command("reply")
def reply(
    text: _Text, signal: _Signal = "", instead_of: _Instead = None, dry_run: _Dry = False, request_id: _Request = "",
    locale: _Locale = "", as_json: _Json = False, person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Answer what is said about you; your answer is shown beside it."""
    from spm_models.runs import console_people
    from spm_models.writing import people

    opened, how = _open(workspace), _how(person, instead_of, request_id, dry_run)
    entry = people.reply(opened, text, how, signal=signal)
    console_people.say_written(opened, [entry], locale, as_json=as_json)


@coaching_app.command("agree")
def agree(
    rep: _Rep, action: Annotated[list[str], typer.Option("--action", help="What was agreed; may be repeated.")],
    session: Annotated[str, typer.Option("--session", help="one_to_one, coaching, mentoring, shadowing, role_play or "
                                         "training.")] = "one_to_one",
    skill: Annotated[str, typer.Option("--skill", help="What it was about.")] = "", on: _Day = "",
    due: Annotated[str, typer.Option("--due", metavar="DAY", help="Without it by the next one-to-one.")] = "",
    instead_of: _Instead = None, dry_run: _Dry = False, request_id: _Request = "", locale: _Locale = "",
    as_json: _Json = False, person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Record a session that was held and what was agreed in it."""
    from spm_models.runs import console_people
    from spm_models.writing import people

    opened, how = _open(workspace), _how(person, instead_of, request_id, dry_run)
    entry = people.agree(opened, rep, action, how, session=session, skill=skill, on=on, due=due)
    console_people.say_written(opened, [entry], locale, as_json=as_json)


@coaching_app.command("actions")
def actions(
    rep: _Whose = "",
    done: Annotated[str, typer.Option("--done", metavar="SESSION[:N]", help="It was done; without N all.")] = "",
    dropped: Annotated[str, typer.Option("--dropped", metavar="SESSION[:N]", help="You agreed not to do it.")] = "",
    reopen: Annotated[str, typer.Option("--reopen", metavar="SESSION[:N]", help="It is open again.")] = "",
    text: Annotated[str, typer.Option("--text", help="A word on it.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Closed ones as well.")] = False,
    dry_run: _Dry = False, request_id: _Request = "", locale: _Locale = "", as_json: _Json = False,
    person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """List agreed actions, or say what became of one: the rep and whoever leads him may."""
    from spm_models.errors import JournalError
    from spm_models.runs import console_people
    from spm_models.writing import people

    opened, how = _open(workspace), _how(person, None, request_id, dry_run)
    said = [(state, which) for state, which in (("done", done), ("dropped", dropped), ("open", reopen)) if which]
    if len(said) > 1:
        raise JournalError("Say one thing at a time", where="spm coaching actions", found=", ".join(dict(said)))
    if not said:
        table = people.actions_of(opened, rep, how)
        console_people.show_actions(opened, table, locale, everything=everything, as_json=as_json)
        return
    [(state, which)] = said
    session, number = people.action_named(which)
    entry = people.act(opened, session, state, how, number=number, text=text)
    console_people.say_written(opened, [entry], locale, as_json=as_json)


@coaching_app.command("feedback")
def feedback(
    about: _Rep,
    score: Annotated[list[str], typer.Option("--score", metavar="DIMENSION=N", help="1 to 5; may be repeated.")],
    comment: Annotated[str, typer.Option("--comment", help="Shown only among those of five or more, without a name; "
                                         "write nothing that only you can know.")] = "",
    customer: Annotated[str, typer.Option("--customer", metavar="ID", help="What this customer said.")] = "",
    dry_run: _Dry = False, request_id: _Request = "", locale: _Locale = "", as_json: _Json = False,
    person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Give 360° feedback about a colleague, in confidence: nobody is shown who answered what."""
    from spm_models.runs import console_people
    from spm_models.writing import answers

    opened, how = _open(workspace), _how(person, None, request_id, dry_run)
    scores = answers.scores_named(score)
    entries = answers.feedback(opened, about, scores, how, comment=comment, customer=customer)
    console_people.say_written(opened, entries, locale, as_json=as_json)


@coaching_app.command("form")
def form(
    manager: Annotated[str, typer.Argument(metavar="MANAGER", help="Whose coaching: your own, or your manager's.")],
    listening: _Points, questions: _Points, empathy: _Points, psychological_safety: _Points,
    structured_feedback: _Points, dry_run: _Dry = False, request_id: _Request = "", locale: _Locale = "",
    as_json: _Json = False, person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Score a manager's coaching from 1 to 5: your own, or in confidence that of whoever leads you."""
    from spm_models.runs import console_people
    from spm_models.writing import answers

    scores = {"listening": listening, "questions": questions, "empathy": empathy,
              "psychological_safety": psychological_safety, "structured_feedback": structured_feedback}  # fmt: skip
    opened = _open(workspace)
    entry = answers.score_manager(opened, manager, scores, _how(person, None, request_id, dry_run))
    console_people.say_written(opened, [entry], locale, as_json=as_json)


@coaching_app.command("undo")
def undo(
    number: Annotated[int, typer.Argument(metavar="N", help="Number of your own entry.")], dry_run: _Dry = False,
    locale: _Locale = "", as_json: _Json = False, person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Take an entry of yours back; it stays in the history, and counts no more."""
    from spm_models.runs import console_people
    from spm_models.writing import people

    opened = _open(workspace)
    entry = people.withdraw(opened, number, _how(person, None, "", dry_run))
    console_people.say_written(opened, [entry], locale, as_json=as_json)


@coaching_app.command("history")
def history(
    rep: _Whose = "", locale: _Locale = "", as_json: _Json = False, person: Person = "", workspace: Folder = None
) -> None:
    """Everything that was written and that you may see, what was replaced or taken back included."""
    from spm_models.runs import console_people
    from spm_models.writing import people

    opened = _open(workspace)
    entries = people.history(opened, rep, _how(person, None, "", False))
    console_people.show_history(opened, entries, locale, as_json=as_json)


@coaching_app.command("prompts")
def prompts(
    rep: _Whose = "", locale: _Locale = "", as_json: _Json = False, person: Person = "", workspace: Folder = None
) -> None:
    """What happened on the last working day that deserves a word, and calls worth listening to together."""
    from spm_models.runs import console_people
    from spm_models.writing import people

    opened = _open(workspace)
    tables = people.prompted(opened, rep, _how(person, None, "", False))
    console_people.show_prompts(opened, tables, locale, as_json=as_json)


def _open(folder: Path | None) -> Workspace:
    from spm_models.workspace import Workspace

    return Workspace.open(folder)


def _how(person: str, instead_of: int | None, request_id: str, dry_run: bool) -> Writing:
    from spm_models.writing.way import Writing

    return Writing(person, instead_of, request_id or None, dry_run)
