"""``spm users``: local accounts for the pages of a small team. A password is never an argument."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

users_app = typer.Typer(no_args_is_help=True, help="Local accounts for the pages, where no proxy signs people in.")

_Workspace = Annotated[Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml.")]
_Login = Annotated[str, typer.Argument(metavar="LOGIN", help="As the person types it, such as an e-mail address.")]
_Stdin = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@users_app.command("add")
def add(
    login: _Login,
    person: Annotated[
        str, typer.Option("--person", metavar="ID", help="Who it is: rep_id or e-mail of reps. Without it, the login."),
    ] = "",
    password_stdin: _Stdin = False,
    workspace: _Workspace = None,
) -> None:  # fmt: skip
    """Make an account; asks for its password twice.

    Somebody who is not in the data needs a role in [pages.roles] of spm.toml first, such as "executive".
    """
    from spm_models.apps.accounts import Accounts
    from spm_models.apps.session import checked_reader, viewer_called
    from spm_models.workspace import Workspace

    opened = Workspace.open(workspace)
    reader = checked_reader(opened, viewer_called(opened.settings, person or login))
    Accounts(opened.accounts_db).add(login, _password(password_stdin), person=person or login)
    typer.echo(f"{login} may sign in and sees the pages as {reader.name} ({reader.role}).")


@users_app.command("list")
def list_(workspace: _Workspace = None) -> None:
    """List the accounts."""
    from spm_models.apps.accounts import Accounts
    from spm_models.workspace import Workspace

    table = Table("login", "person", "")
    found = Accounts(Workspace.open(workspace).accounts_db).listed()
    for one in found:
        table.add_row(one.login, one.person, "" if one.usable else "disabled")
    Console().print(table if found else "There are no accounts; `spm users add` makes one.")


@users_app.command("disable")
def disable(login: _Login, workspace: _Workspace = None) -> None:
    """Let somebody sign in no more; his open sessions end at once. A new password lets him in again."""
    from spm_models.apps.accounts import Accounts
    from spm_models.workspace import Workspace

    Accounts(Workspace.open(workspace).accounts_db).disable(login)
    typer.echo(f"{login} cannot sign in any more; `spm users password {login}` lets him in again.")


@users_app.command("password")
def password(login: _Login, password_stdin: _Stdin = False, workspace: _Workspace = None) -> None:
    """Give an account a new password; its open sessions end."""
    from spm_models.apps.accounts import Accounts
    from spm_models.workspace import Workspace

    Accounts(Workspace.open(workspace).accounts_db).set_password(login, _password(password_stdin))
    typer.echo(f"{login} has a new password; open sessions have ended.")


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
