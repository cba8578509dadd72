"""``spm access``: what somebody may see and why, and who saw what."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

access_app = typer.Typer(no_args_is_help=True, help="Who may see what on the pages, why, and who looked.")

_Workspace = Annotated[Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml.")]
_Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]


@access_app.command("explain")
def explain(
    user: Annotated[str, typer.Argument(metavar="USER", help="Login, id or e-mail, as the sign-in names the person.")],
    rep: Annotated[str, typer.Option("--rep", metavar="REP", help="Say why he may see this rep, or may not.")] = "",
    workspace: _Workspace = None,
    as_json: _Json = False,
) -> None:
    """Explain what somebody may see: as whom he is found, his role and where it is from, whose figures, which pages."""
    from spm_models.access import Scope
    from spm_models.access.explain import explain as explained
    from spm_models.apps.accounts import Accounts
    from spm_models.apps.pages import PAGES, open_to, turned_on
    from spm_models.apps.session import viewer_called
    from spm_models.published import Results
    from spm_models.workspace import Workspace

    opened = Workspace.open(workspace)
    account = next((one for one in Accounts(opened.accounts_db).listed() if one.login == user), None)
    people = Results.open(opened, scope=Scope.of_company())["reps"]
    found = explained(viewer_called(opened.settings, account.person if account else user), people)
    allowed, pages = found.scope, open_to(found.role, [page.slug for page in PAGES], turned_on(opened.settings))
    answer = {
        "user": user, "account": account is not None, "usable": account.usable if account else None,
        "person": found.person, "role": found.role, "role_from": found.role_from, "level": allowed.level,
        "reps": sorted(allowed.rep_ids), "teams": sorted(allowed.teams), "regions": sorted(allowed.regions),
        "of": len(people), "pages": pages, "rep": found.why(rep, people) if rep else None,
    }  # fmt: skip
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_row("found as", f"{found.person}" + ("" if account is None else f" (account {account.login})"))
    if account is not None and not account.usable:
        table.add_row("account", "disabled: he cannot sign in")
    table.add_row("role", f"{found.role}: {found.role_from}")
    everyone = "the whole company" if allowed.whole_company else f"{len(allowed.rep_ids)} of {len(people)} people"
    table.add_row("sees", everyone)
    for name, ids in (("people", allowed.rep_ids), ("whole teams", allowed.teams), ("whole regions", allowed.regions)):
        if ids and not allowed.whole_company:
            table.add_row(name, ", ".join(sorted(ids)))
    if not allowed.whole_company:
        table.add_row("totals", "only of units all of whose people he may see; never the company's")
    table.add_row("pages", ", ".join(pages))
    if rep:
        table.add_row(rep, found.why(rep, people))
    Console().print(table)


@access_app.command("log")
def log(
    user: Annotated[str, typer.Option("--user", metavar="USER", help="Only what this person did.")] = "",
    about: Annotated[str, typer.Option("--about", metavar="REP", help="Only what was about this rep.")] = "",
    since: Annotated[str, typer.Option("--since", metavar="DAY", help="From this day on (UTC), as 2026-08-31.")] = "",
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, help="The newest so many.")] = 200,
    workspace: _Workspace = None,
    as_json: _Json = False,
) -> None:
    """Show who opened which page, wrote what, was refused, or tried to sign in; the newest first."""
    from spm_models.journal import AuditLog
    from spm_models.workspace import Workspace

    try:
        begin = datetime.fromisoformat(since) if since else None
    except ValueError as error:
        raise typer.BadParameter("give a day such as 2026-08-31", param_hint="--since") from error
    audit = AuditLog(Workspace.open(workspace))
    rows = audit.entries(person=user or None, rep_id=about or None, since=begin, most=most)
    if as_json:
        typer.echo(rows.to_json(orient="records", date_format="iso", force_ascii=False))
        return
    table = Table("at (UTC)", "who", "as", "did", "what", "about")
    for row in rows.itertuples(index=False):
        cells = (f"{row.at:%Y-%m-%d %H:%M:%S}", row.person, row.looks_as, row.action, row.what, row.rep_id or "")
        table.add_row(*(_plain(str(cell)) for cell in cells))
    Console().print(table if len(rows) else "Nothing was recorded.")


def _plain(text: str) -> str:
    """What strangers typed, without signs that would move a terminal's cursor or colour it."""
    from rich.markup import escape

    return escape("".join(sign if sign.isprintable() else "?" for sign in text))
