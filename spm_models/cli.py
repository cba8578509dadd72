"""The ``spm`` command: each command parses its words and calls one function."""

from __future__ import annotations

import signal
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from spm_models.apps.access_commands import access_app
from spm_models.apps.page_commands import pages
from spm_models.apps.user_commands import users_app
from spm_models.errors import RunError, SpmError
from spm_models.runs import people_commands as people_commands  # registers its commands on coaching_app
from spm_models.runs.coaching_commands import coaching_app
from spm_models.runs.kpi_commands import kpis_app
from spm_models.runs.mail_commands import mail_app
from spm_models.runs.quota_commands import quotas_app
from spm_models.runs.run_commands import runs_app
from spm_models.runs.schedule_commands import schedule_app

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Sales performance workbench: win probability, revenue forecast and coaching.\n\n"
    "Begin with `spm init DIR`, put CRM exports into DIR/tables, ask `spm doctor`, then `spm run weekly`.",
)
run_app = typer.Typer(no_args_is_help=True, help="Run a scheduled job now.")
app.add_typer(run_app, name="run")
backtest_app = typer.Typer(no_args_is_help=True, help="Replay the past: would we have been right?")
app.add_typer(backtest_app, name="backtest")
models_app = typer.Typer(no_args_is_help=True, help="Stored models: list them, look at one, go back to one.")
app.add_typer(models_app, name="models")
app.add_typer(runs_app, name="runs")
app.add_typer(schedule_app, name="schedule")
app.add_typer(quotas_app, name="quotas")
app.add_typer(kpis_app, name="kpis")
app.add_typer(coaching_app, name="coaching")
app.add_typer(mail_app, name="mail")
app.add_typer(users_app, name="users")
app.add_typer(access_app, name="access")
app.command()(pages)

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", "-w", metavar="DIR",
        help="Folder with spm.toml. Without it: $SPM_WORKSPACE, else this folder or the next one above that has one.",
    ),
]  # fmt: skip
SourceOption = Annotated[
    Path | None, typer.Option("--source", metavar="DIR", help="Read the source files from here instead.")
]
SchedulerOption = Annotated[
    str,
    typer.Option(
        "--scheduler",
        metavar="ADDRESS",
        help="Dask scheduler whose workers write the reports, such as tcp://host:8786.",
    ),
]
WaitOption = Annotated[float, typer.Option("--wait", metavar="MINUTES", min=0, help="Wait for another run to end.")]
QuestionOption = Annotated[
    str, typer.Option("--question", metavar="NAME", help="Which model; the win probability is the one that is stored.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to make the workspace; made if missing.")],
) -> None:
    """Make a workspace: a folder with a commented spm.toml and a place for CRM exports."""
    from spm_models.crm import init_workspace
    from spm_models.runs import console

    console.say_initialised(init_workspace(folder))


@app.command()
def doctor(workspace: WorkspaceOption = None, source: SourceOption = None) -> None:
    """Say what is there, what is missing and what that costs, how fresh the data are, what was quarantined.

    Ends with exit code 1 when a run could not start.
    """
    from datetime import date

    from spm_models.crm import check
    from spm_models.runs import console
    from spm_models.workspace import Workspace

    health = check(Workspace.open(workspace, source=source), today=date.today())
    console.show_health(health)
    if not health.well:
        raise typer.Exit(1)


@app.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to write the sample company's workspace.")],
    size: Annotated[str, typer.Option(help="tiny (3 reps), small (12), usual (40) or large (400).")] = "usual",
    seed: Annotated[int, typer.Option(help="Another seed, another company.")] = 1,
    drift: Annotated[
        float, typer.Option(help="With 1 the market turns: win rates about double; with -1 they collapse.")
    ] = 0.0,
    keep: Annotated[bool, typer.Option("--keep", help="Do nothing if that company is there already.")] = False,
) -> None:
    """Simulate a company with known truth and make a workspace of it."""
    from spm_models.runs import console
    from spm_models.sample_company import write_workspace

    with console.progress() as report:
        written = write_workspace(folder, size=size, seed=seed, drift=drift, keep=keep, progress=report)
    console.say_sample(folder, written)


@run_app.command("weekly")
def run_weekly(
    workspace: WorkspaceOption = None,
    source: SourceOption = None,
    as_of: Annotated[
        str | None,
        typer.Option(metavar="DAY", help="Snapshot day, such as 2026-06-30. Without it: the data's last day."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Make everything anew even if nothing changed.")] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume/--no-resume", help="Go on where a run of the same data was killed or failed, or begin it anew."
        ),
    ] = True,
    reports: Annotated[bool, typer.Option("--reports/--no-reports", help="Write the reports, or only publish.")] = True,
    monthly: Annotated[
        bool | None,
        typer.Option(
            "--monthly/--no-monthly",
            help="Write the monthly and executive reports or not. Without it: once after each month's end.",
        ),
    ] = None,
    scheduler: SchedulerOption = "",
    wait: WaitOption = 0,
) -> None:
    """Import, score deals, forecast, review coaching, publish, write the reports and deliver them.

    A run that was killed goes on where it was: what is written is not written again, what was sent is not sent again.
    """
    from spm_models.runs import console
    from spm_models.runs.request import WeeklyRequest
    from spm_models.runs.weekly import weekly
    from spm_models.workspace import Workspace

    request = WeeklyRequest.read(
        as_of=as_of, force=force, resume=resume, reports=reports, monthly=monthly, scheduler=scheduler, wait=wait
    )
    with console.progress() as report:
        summary = weekly(Workspace.open(workspace, source=source), request, progress=report)
    console.show_summary(summary)
    if summary.reports_failed:
        raise typer.Exit(1)


@run_app.command("daily")
def run_daily(
    workspace: WorkspaceOption = None,
    source: SourceOption = None,
    force: Annotated[bool, typer.Option("--force", help="Make everything anew even if nothing changed.")] = False,
    wait: WaitOption = 0,
) -> None:
    """Refresh the pages: import, KPIs, scores, stuck deals, prompts; deliver mails that are due. No reports."""
    from spm_models.runs import console
    from spm_models.runs.request import WeeklyRequest
    from spm_models.runs.weekly import weekly
    from spm_models.workspace import Workspace

    request = WeeklyRequest.read(schedule="daily", reports=False, force=force, wait=wait)
    with console.progress() as report:
        summary = weekly(Workspace.open(workspace, source=source), request, progress=report)
    console.show_summary(summary)


@backtest_app.command("win")
def backtest_win(
    workspace: WorkspaceOption = None,
    source: SourceOption = None,
    first: Annotated[
        str | None, typer.Option("--from", metavar="MONTH", help="First month to replay, such as 2026-01.")
    ] = None,
    months: Annotated[
        int | None, typer.Option(metavar="N", help="How many months; without it the last 12, or all after --from.")
    ] = None,
    locale: Annotated[str, typer.Option(help="Language of the model card: tr, en or ar.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object on standard output.")] = False,
) -> None:
    """Replay past months of the win probability, say what is to be published and why, write the model card."""
    from spm_models.runs import console
    from spm_models.runs.backtest import backtest_win as replay
    from spm_models.runs.console_backtest import show_backtest
    from spm_models.runs.request import BacktestRequest
    from spm_models.workspace import Workspace

    request = BacktestRequest.read(first=first, months=months, locale=locale)
    with console.progress() as report:
        summary = replay(Workspace.open(workspace, source=source), request, progress=report)
    show_backtest(summary, as_json=as_json)


@backtest_app.command("forecast")
def backtest_forecast(
    workspace: WorkspaceOption = None,
    source: SourceOption = None,
    quarters: Annotated[int, typer.Option(metavar="N", help="How many of the last finished quarters.")] = 6,
    locale: Annotated[str, typer.Option(help="Language of the report: tr, en or ar.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Replay every week of past quarters, say what is to be published and why, write the accuracy report."""
    from spm_models.runs import console
    from spm_models.runs.backtest_forecast import backtest_forecast as replay
    from spm_models.runs.console_forecast import show_forecast_backtest
    from spm_models.runs.request import ForecastBacktestRequest
    from spm_models.workspace import Workspace

    request = ForecastBacktestRequest.read(quarters=quarters, locale=locale)
    with console.progress() as report:
        summary = replay(Workspace.open(workspace, source=source), request, progress=report)
    show_forecast_backtest(summary, as_json=as_json)


@app.command()
def status(
    workspace: WorkspaceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one JSON object on standard output.")] = False,
) -> None:
    """Say what the last run scored, forecast, flagged, reported and rejected, and where it lies."""
    from spm_models.runs import console
    from spm_models.runs.status import status as read_status
    from spm_models.workspace import Workspace

    console.show_status(read_status(Workspace.open(workspace)), as_json=as_json)


@models_app.command("list")
def models_list(
    workspace: WorkspaceOption = None, question: QuestionOption = "win_probability", as_json: JsonOption = False
) -> None:
    """List the stored versions, newest first: what each was learned from, and which one is in use."""
    from spm_models.runs import console_models
    from spm_models.runs.model_versions import listing
    from spm_models.workspace import Workspace

    console_models.show_versions(listing(Workspace.open(workspace), question), question, as_json=as_json)


@models_app.command("show")
def models_show(
    version: Annotated[int | None, typer.Argument(help="Number of the version; without it the one in use.")] = None,
    workspace: WorkspaceOption = None,
    question: QuestionOption = "win_probability",
    as_json: JsonOption = False,
) -> None:
    """Say what a version was learned from, how it was tested, and how people's overrides did beside the scores."""
    from spm_models.runs import console_models
    from spm_models.runs.model_versions import details
    from spm_models.workspace import Workspace

    console_models.show_version(details(Workspace.open(workspace), question, version), as_json=as_json)


@models_app.command("rollback")
def models_rollback(
    version: Annotated[int | None, typer.Argument(help="Number of the version to go back to.")] = None,
    latest: Annotated[bool, typer.Option("--latest", help="Release: use what is newly learned again.")] = False,
    workspace: WorkspaceOption = None,
    question: QuestionOption = "win_probability",
) -> None:
    """Score with an older version from the next run on, until --latest releases it.

    While a version is pinned nothing new is learned. A run ends with an error, and the published results stay, when
    the pinned version cannot be used: altered on disk, unreadable, learned from later days, or short of columns.
    """
    from spm_models.runs import console_models
    from spm_models.runs.model_versions import release, roll_back
    from spm_models.workspace import Workspace

    if (version is None) == (not latest):
        raise RunError(
            "Say which version to go back to, or --latest, and not both", where="spm models rollback", found=version,
            remedy="`spm models list` shows the versions; `spm models rollback --latest` releases a pinned one.",
        )  # fmt: skip
    if version is None:
        console_models.say_released(release(Workspace.open(workspace), question))
    else:
        console_models.say_rolled_back(roll_back(Workspace.open(workspace), version, question))


@app.command()
def override(
    opportunity: Annotated[str, typer.Argument(metavar="OPPORTUNITY", help="Id of an open deal.")],
    chance: Annotated[
        str | None, typer.Argument(metavar="CHANCE", help="Your own win probability, such as 0.35, 0,35 or 35%.")
    ] = None,
    reason: Annotated[str, typer.Option("--reason", help="What the score cannot know, in a sentence.")] = "",
    person: Annotated[
        str, typer.Option("--as", metavar="PERSON", help="Who says so: rep_id or e-mail; else the viewer in spm.toml.")
    ] = "",
    withdraw: Annotated[bool, typer.Option("--withdraw", help="Take back what you said before.")] = False,
    workspace: WorkspaceOption = None,
) -> None:
    """Put your own win probability and the reason beside a deal's score; no score or forecast changes.

    A rep speaks of his own deals, a manager of his people's. Pages and reports show it from the next run on;
    once deals are decided, `spm models show` says how good such overrides were.
    """
    from spm_models.runs import console_models
    from spm_models.workspace import Workspace
    from spm_models.writing.overrides import override as write
    from spm_models.writing.overrides import parse_chance

    if (chance is None) == (not withdraw):
        raise RunError(
            "Give a chance, or --withdraw, and not both", where="spm override", found=chance,
            remedy='Like this: spm override O-17 0.35 --reason "The budget was cut."',
        )  # fmt: skip
    probability = None if chance is None else parse_chance(chance)
    console_models.say_override(write(Workspace.open(workspace), opportunity, probability, reason, person=person))


@app.command()
def submit(
    period: Annotated[str, typer.Option("--period", metavar="PERIOD", help="Such as 2026-Q3 or 2026-08.")],
    commit: Annotated[str, typer.Option("--commit", metavar="AMOUNT", help="Revenue that you are sure of.")],
    best_case: Annotated[str, typer.Option("--best-case", metavar="AMOUNT", help="Revenue if all goes well.")] = "",
    of: Annotated[
        str, typer.Option("--for", metavar="UNIT", help="rep:ID, team:NAME, manager:ID, region:NAME or company.")
    ] = "",
    note: Annotated[str, typer.Option("--note", help="What the numbers cannot say.")] = "",
    person: Annotated[
        str, typer.Option("--as", metavar="PERSON", help="Who says so: rep_id or e-mail; else the viewer in spm.toml.")
    ] = "",
    workspace: WorkspaceOption = None,
) -> None:
    """Submit your own forecast of a period: its whole revenue, what is closed already included.

    A rep submits for himself, a manager for his people, an executive for the company. Amounts are written as in the
    company's language. A newer submission stands, older ones stay; once the period is over, pages show how good each
    was, beside the published forecast.
    """
    from spm_models.runs import console_models
    from spm_models.workspace import Workspace
    from spm_models.writing.submissions import submit as write

    opened = Workspace.open(workspace)
    entry = write(opened, period, commit, best_case, of=of, note=note, person=person)
    console_models.say_submission(entry, opened.settings.company.currency)


def main() -> None:
    """Run the command line; errors of ours, and of the machine, end in one clear message and exit code 1."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a terminal that has no ı or € shows ? instead of ending the run
            stream.reconfigure(errors="replace")
    signal.signal(signal.SIGTERM, _stopped)
    try:
        app()
    except SpmError as error:
        _end(error)
    except OSError as error:  # no space, no right, a folder that went away
        _end(
            RunError(
                "The machine refused", where=error.filename, found=error.strerror or str(error),
                remedy="Free space there, or make it writable, and start again; what was published stays.",
            )
        )  # fmt: skip


def _stopped(*_: object) -> None:
    """A service manager's stop ends a run as Ctrl+C does: what is begun is ended, and the record says so."""
    raise KeyboardInterrupt("Stopped by SIGTERM.")


def _end(error: SpmError) -> None:
    from spm_models.runs import console

    console.show_error(error)
    sys.exit(1)
