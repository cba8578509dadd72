"""``spm kpis``: what each KPI is, and what it amounts to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

kpis_app = typer.Typer(no_args_is_help=True, help="KPIs: what each one is, and their values.")

_Locale = Annotated[str, typer.Option("--locale", help="Language: tr, en or ar; without it the workspace's.")]


@kpis_app.command("list")
def kpis_list(
    workspace: Annotated[
        Path | None,
        typer.Option("--workspace", "-w", metavar="DIR", help="List what this company chose, in its order, with its "
                     "bands and targets. Without it every KPI."),
    ] = None,
    locale: _Locale = "",
    as_json: Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")] = False,
) -> None:  # fmt: skip
    """List every KPI: its number, name, title, exact definition and healthy band.

    --json adds unit, dimensions, periods, numerator and denominator, tables, interval and minimum.
    """
    from spm_models.runs import console_kpis
    from spm_models.workspace import Workspace

    opened = Workspace.open(workspace) if workspace else None
    console_kpis.show_definitions(console_kpis.definitions(opened, locale), as_json=as_json)


@kpis_app.command("report")
def report(
    locale: _Locale = "",
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml."),
    ] = None,
) -> None:  # fmt: skip
    """Write the scorecard of the last weekly run as HTML and PDF: what stands out, trends, the company, its teams."""
    from spm_models.runs import console_scorecard
    from spm_models.runs.scorecard import write_report
    from spm_models.workspace import Workspace

    card = write_report(Workspace.open(workspace), locale)
    console_scorecard.say_written(*(path for path in (card.html, card.pdf) if path), problem=card.error)


@kpis_app.command("leads")
def leads(
    days: Annotated[int, typer.Option("--days", metavar="N", min=1, help="Idle for at least so many days.")] = 7,
    last: Annotated[int, typer.Option("--last", metavar="N", min=1, help="Quarters that are compared.")] = 9,
    most: Annotated[int, typer.Option("--most", metavar="N", min=1, help="List no more than so many.")] = 40,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DAY", help="Look at it as of a past day.")] = "",
    locale: _Locale = "",
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml."),
    ] = None,
) -> None:  # fmt: skip
    """Say whether fewer leads come in than before, and list those that nobody has touched for long, hot ones first."""
    from spm_models.kpis.leads import idle_leads, lead_trend
    from spm_models.kpis.working_time import quarters_until
    from spm_models.runs import console_scorecard
    from spm_models.runs.known import Known
    from spm_models.translations import Translator
    from spm_models.workspace import Workspace

    known = Known.of(Workspace.open(workspace).root, as_of)
    company = known.workspace.settings.company
    t = Translator(locale or company.locale, currency=company.currency, time_zone=company.time_zone)
    whole = [one for one in quarters_until(known.as_of, known.calendar, last) if one.end <= known.as_of]
    found = lead_trend(known.tables, whole, known.as_of)
    idle = idle_leads(known.tables, known.as_of, days=days)
    console_scorecard.show_leads(t, found, whole[-1].label, idle, most)


@kpis_app.command("show")
def show(
    by: Annotated[
        list[str] | None,
        typer.Option("--by", metavar="DIMENSION", help="company, team, rep, region, manager, segment, product … "
                     "(`spm kpis list --json` says which a KPI allows); may be given twice. Without it company."),
    ] = None,
    period: Annotated[
        str, typer.Option("--period", metavar="PERIOD", help="Such as 2026-Q2, 2026-05, 2026-W18 or 2026-05-20; "
                          "without it the running quarter."),
    ] = "",
    grain: Annotated[str, typer.Option("--grain", help="day, week, month, quarter or year.")] = "",
    last: Annotated[int, typer.Option("--last", metavar="N", help="The last N periods of that kind.")] = 1,
    kpi: Annotated[
        list[str] | None, typer.Option("--kpi", metavar="NAME", help="Only this one; may be given several times."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write to FILE.xlsx or FILE.csv instead."),
    ] = None,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DAY", help="Look at it as of a past day.")] = "",
    locale: _Locale = "",
    workspace: Annotated[
        Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml."),
    ] = None,
) -> None:  # fmt: skip
    """Show the scorecard that the company chose: value, 80 % range, period before, peers, target, verdict in words."""
    from spm_models.runs import console_scorecard
    from spm_models.runs.known import Known
    from spm_models.runs.scorecard import scorecards
    from spm_models.workspace import Workspace

    known = Known.of(Workspace.open(workspace).root, as_of)
    cards = scorecards(
        known, by=by or "company", period=period, grain=grain, last=last, names=kpi or (), locale=locale
    )  # fmt: skip
    if out is not None:
        console_scorecard.say_written(cards.write(str(out)))
    else:
        console_scorecard.show_scorecard(cards)
