"""``spm quotas``: see how a target came about, revise it, take a revision back, ask, answer, accept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spm_models.workspace import Workspace

quotas_app = typer.Typer(no_args_is_help=True, help="Targets: their history, revisions, questions and acceptance.")

_Workspace = Annotated[Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml.")]
_Period = Annotated[str, typer.Option("--period", metavar="PERIOD", help="Such as 2026-Q3.")]
_Person = Annotated[
    str, typer.Option("--as", metavar="PERSON", help="Who speaks: rep_id or e-mail; else the viewer in spm.toml.")
]
_Unit = Annotated[str, typer.Argument(metavar="UNIT", help="rep:ID, team:NAME, region:NAME or company.")]
_Tier = Annotated[str, typer.Option("--tier", help="minimum, standard or maximum.")]
_Reason = Annotated[str, typer.Option("--reason", help="Why; shown wherever the target is explained.")]
_Text = Annotated[str, typer.Option("--text", help="In a sentence or two.")]


@quotas_app.command("show")
def show(
    unit: _Unit, period: _Period, on: Annotated[str, typer.Option("--on", metavar="DAY")] = "",
    workspace: _Workspace = None,
) -> None:  # fmt: skip
    """Show every setting of a target in the published results, and which one held on a day."""
    from spm_models.runs import console_targets

    console_targets.show_history(console_targets.history_of(_open(workspace), unit, period, on))


@quotas_app.command("revise")
def revise(
    unit: _Unit, amount: Annotated[str, typer.Argument(metavar="AMOUNT")], period: _Period, reason: _Reason,
    tier: _Tier = "standard", on: Annotated[str, typer.Option("--on", metavar="DAY", help="Day from which it holds; "
    "without it today.")] = "", quarterly: Annotated[bool, typer.Option("--quarterly", help="The planned revision of "
    "the quarter; else ad hoc.")] = False, person: _Person = "", workspace: _Workspace = None,
) -> None:  # fmt: skip
    """Set a target anew from a day on. What was the target on earlier days stays, and the source is not touched."""
    from spm_models.runs import console_targets
    from spm_models.writing.targets import revise as write

    entry = write(_open(workspace), unit, period, amount, reason, tier=tier, on=on, quarterly=quarterly, person=person)
    console_targets.say_revision(entry)


@quotas_app.command("undo")
def undo(
    unit: _Unit, period: _Period, reason: _Reason, tier: _Tier = "standard", person: _Person = "",
    workspace: _Workspace = None,
) -> None:  # fmt: skip
    """Take the last revision back: a new one with the amount that stood before."""
    from spm_models.runs import console_targets
    from spm_models.writing.targets import undo as write

    console_targets.say_revision(write(_open(workspace), unit, period, reason, tier=tier, person=person))


@quotas_app.command("ask")
def ask(period: _Period, text: _Text, person: _Person = "", workspace: _Workspace = None) -> None:
    """Ask why your target is what it is."""
    from spm_models.runs import console_targets
    from spm_models.writing.targets import say

    console_targets.say_word(say(_open(workspace), "question", period, text, person=person))


@quotas_app.command("answer")
def answer(
    rep: Annotated[str, typer.Argument(metavar="REP", help="Whose target.")], period: _Period, text: _Text,
    person: _Person = "", workspace: _Workspace = None,
) -> None:  # fmt: skip
    """Answer a rep's question about the target."""
    from spm_models.runs import console_targets
    from spm_models.writing.targets import say

    console_targets.say_word(say(_open(workspace), "answer", period, text, rep=rep, person=person))


@quotas_app.command("accept")
def accept(
    period: _Period, text: _Text = "", decline: Annotated[bool, typer.Option("--decline", help="Say no, with the "
    "reason as --text.")] = False, person: _Person = "", workspace: _Workspace = None,
) -> None:  # fmt: skip
    """Accept your standard target as it stands; after a revision it has to be accepted anew."""
    from spm_models.runs import console_targets
    from spm_models.writing.targets import say

    said = say(_open(workspace), "decline" if decline else "accept", period, text, person=person)
    console_targets.say_word(said)


def _open(folder: Path | None) -> Workspace:
    return Workspace.open(folder)
