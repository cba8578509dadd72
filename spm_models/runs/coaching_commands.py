"""``spm coaching``: what coaching brought, whose turn it is, and what people write about it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from spm_models.translations import Translator
    from spm_models.workspace import Workspace

coaching_app = typer.Typer(no_args_is_help=True, help="Coaching: did it help, who comes first, what was said.")

Folder = Annotated[Path | None, typer.Option("--workspace", "-w", metavar="DIR", help="Folder with spm.toml.")]
Person = Annotated[
    str, typer.Option("--as", metavar="PERSON", help="Who speaks: rep_id or e-mail; else the viewer in spm.toml.")
]


@coaching_app.callback()
def coaching() -> None:
    """Coaching: did it help, who comes first, what was said."""


_Locale = Annotated[str, typer.Option("--locale", help="Language: tr, en or ar; without it the workspace's.")]
_Json = Annotated[bool, typer.Option("--json", help="For programs: JSON on standard output.")]
_Kind = Annotated[str, typer.Option("--kind", help="coaching, mentoring, shadowing, role_play or training.")]


@coaching_app.command("effects")
def show_effects(
    details: Annotated[bool, typer.Option("--details", help="Each skill and kind together as well.")] = False,
    as_of: Annotated[str, typer.Option("--as-of", metavar="DAY", help="Look at it as of a past day.")] = "",
    locale: _Locale = "", as_json: _Json = False, workspace: Folder = None,
) -> None:  # fmt: skip
    """Say what coaching brought, by skill and kind: coached reps beside uncoached ones of the same standing.

    Those coached were mostly chosen for a low quarter, and most of a low quarter recovers by itself; the column
    "before and after" shows how much that alone would have looked like success. Figures are of the company, of three
    people or more, and never of a person.
    """
    from spm_models.runs import console_effects
    from spm_models.runs.coaching_effects import measured_effects
    from spm_models.runs.known import Known
    from spm_models.workspace import Workspace

    known = Known.of(Workspace.open(workspace).root, as_of)
    table = measured_effects(known)
    console_effects.show_effects(_words(known.workspace, locale), table, as_json=as_json, details=details)


@coaching_app.command("assign")
def assign(
    skill: Annotated[str, typer.Argument(metavar="SKILL", help="What is coached: value, objections, closing …")],
    capacity: Annotated[
        int, typer.Option("--capacity", metavar="N", min=1, help="How many people of a team can be coached at once.")
    ],
    kind: _Kind = "coaching",
    start: Annotated[str, typer.Option("--start", metavar="DAY", help="First day of the first wave; without it the "
                                       "Monday after the last run's day.")] = "",
    weeks: Annotated[int, typer.Option("--weeks", metavar="N", min=13, help="From one wave to the next.")] = 18,
    rep: Annotated[list[str] | None, typer.Option("--rep", metavar="ID", help="Draw among these; may be repeated. "
                                                  "Without it: all with a suggestion or to keep an eye on.")] = None,
    everybody: Annotated[bool, typer.Option("--everybody", help="Draw among all your people; those with a "
                                         "suggestion or to keep an eye on still come first.")] = False,
    first: Annotated[list[str] | None, typer.Option("--first", metavar="ID", help="Who cannot wait, or wants no part "
                                                    "in a lot: coached at once, not measured.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Without it one made of skill, day and people.")] = None,
    again: Annotated[str, typer.Option("--again", metavar="REASON", help="Why an order that still runs is drawn "
                                       "anew; the first one stays in the journal.")] = "",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write it as CSV as well.")] = None,
    locale: _Locale = "", as_json: _Json = False, person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Draw by lot who is coached first, where there is no time for all at once; the lot makes the effect measurable.

    Blocked by team and need, so that each wave has people of all needs. The order, its seed and who drew it are
    written into the journal for good, and the same seed draws the same order again.

    Fair to people: everybody drawn is coached, only the order is left to chance; nobody is held back who would
    otherwise have been coached, so use it only where time is short. Tell people that and why it was drawn, and ask who
    does not want to take part: they are named with --first and coached at once. No figure of a person is made of it.
    Where a works council or the law asks for consent to such comparisons, have it before you draw.
    """
    from spm_models.runs import coaching_orders, console_effects
    from spm_models.workspace import Workspace

    opened = Workspace.open(workspace)
    entry = coaching_orders.assign(
        opened, skill.strip(), capacity=capacity, kind=kind, start=start, weeks=weeks, reps=rep or (),
        everybody=everybody, first=first or (), seed=seed, again=again, person=person,
    )  # fmt: skip
    console_effects.show_order(_words(opened, locale), entry, as_json=as_json)
    if out is not None:
        console_effects.say_exported(console_effects.export_order(entry, out))


@coaching_app.command("orders")
def show_orders(
    number: Annotated[int | None, typer.Argument(metavar="N", help="Only the order of this number.")] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the last one as CSV.")] = None,
    locale: _Locale = "", as_json: _Json = False, person: Person = "", workspace: Folder = None,
) -> None:  # fmt: skip
    """Show the orders of coaching that were drawn, as far as you may see them."""
    from spm_models.runs import coaching_orders, console_effects
    from spm_models.workspace import Workspace

    opened = Workspace.open(workspace)
    found = coaching_orders.orders(opened, allowed=coaching_orders.seen_by(opened, person))
    found = [entry for entry in found if number is None or entry.id == number]
    for entry in found:
        console_effects.show_order(_words(opened, locale), entry, as_json=as_json)
    if not found:
        console_effects.say_no_orders(_words(opened, locale))
    elif out is not None:
        console_effects.say_exported(console_effects.export_order(found[-1], out))


def _words(workspace: Workspace, locale: str) -> Translator:
    from spm_models.translations import Translator

    company = workspace.settings.company
    return Translator(locale or company.locale, currency=company.currency, time_zone=company.time_zone)
