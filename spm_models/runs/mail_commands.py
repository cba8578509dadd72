"""``spm mail``: see what was mailed and what was not, send what is due, decide about what is in doubt."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spm_models.workspace import Workspace

mail_app = typer.Typer(no_args_is_help=True, help="Reports by e-mail: what was sent, what is due, what is in doubt.")

_Workspace = Annotated[Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml.")]


@mail_app.command("show")
def show(
    everything: Annotated[bool, typer.Option("--all", help="Also what was sent or dropped.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")] = False,
    workspace: _Workspace = None,
) -> None:
    """Show the outbox: failed and held mails first, with what to do about them."""
    from spm_models.runs import console_mail
    from spm_models.runs.outbox import Outbox
    from spm_models.runs.status import ledger_of

    console_mail.show_outbox(Outbox(ledger_of(Workspace.open(workspace))), everything=everything, as_json=as_json)


@mail_app.command("send")
def send(
    dry_run: Annotated[
        Path | None,
        typer.Option("--dry-run", metavar="DIR", help="Write the mails into this folder; send and record nothing."),
    ] = None,
    workspace: _Workspace = None,
) -> None:
    """Send what is due now: managers' copies whose day has come, and what failed and may be tried again.

    A weekly run sends its own mails. Ends with exit code 1 when mails failed or are held.
    """
    from spm_models.runs import console_mail, mail_decisions
    from spm_models.runs.status import ledger_of

    opened = Workspace.open(workspace)
    if dry_run is not None:
        console_mail.show_trial(mail_decisions.dry_run(opened, ledger_of(opened), dry_run), dry_run)
        return
    _end(console_mail.show_delivered(mail_decisions.send_now(opened, ledger_of(opened))))


@mail_app.command("release")
def release(
    numbers: Annotated[list[int] | None, typer.Argument(metavar="ID...", help="As `spm mail show` has them.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="All failed ones, once their cause is mended.")] = False,
    workspace: _Workspace = None,
) -> None:
    """Send held or failed mails once more, by your decision, each under the Message-ID that it had.

    A held mail may have arrived: ask its reader first. If he has it: spm mail drop ID --arrived.
    """
    from spm_models.errors import RunError
    from spm_models.runs import console_mail, mail_decisions
    from spm_models.runs.status import ledger_of

    if bool(numbers) == failed:
        raise RunError(
            "Say which mails, or --failed, and not both", where="spm mail release",
            remedy="Like this: spm mail release 17; `spm mail show` lists them.",
        )  # fmt: skip
    opened = Workspace.open(workspace)
    _end(console_mail.show_delivered(mail_decisions.release(opened, ledger_of(opened), numbers or [])))


@mail_app.command("drop")
def drop(
    number: Annotated[int, typer.Argument(metavar="ID", help="As `spm mail show` has it.")],
    arrived: Annotated[bool, typer.Option("--arrived", help="Its reader has it: it counts as sent.")] = False,
    workspace: _Workspace = None,
) -> None:
    """Never send a mail, nor the manager's copy that waits for it."""
    from spm_models.runs import console_mail, mail_decisions
    from spm_models.runs.status import ledger_of

    opened = Workspace.open(workspace)
    console_mail.say_dropped(mail_decisions.drop(opened, ledger_of(opened), number, arrived=arrived))


def _end(well: bool) -> None:
    if not well:
        raise typer.Exit(1)
