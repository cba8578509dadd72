"""What a page is about, chosen by its reader: a plain form that loads the page anew, alive without any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
from markupsafe import Markup

from spm_models.crm.organisation import reporting_line
from spm_models.reports.parts import join
from spm_models.translations import Translator

Unit = tuple[str, str]
Options = Sequence[tuple[str, str]]
_COLUMNS = {"region": "region", "team": "team", "rep": "rep_id"}


def chooser(t: Translator, slug: str, choices: Mapping[str, tuple[str, Options, str]]) -> Markup:
    """A row of choices; nothing where there is nothing to choose.

    Parameters
    ----------
    t : Translator
    slug : str
        Of the page.
    choices : mapping
        By what the address asks for (``unit``, ``period`` …): label, options as (value, label), and the present value.

    Examples
    --------
    >>> html = chooser(Translator("en"), "deals", {"stage": ("Stage", [("", "All"), ("Demo", "Demo")], "Demo")})
    >>> 'action="/pages/deals"' in html and '<option value="Demo" selected>' in html
    True
    """
    fields = join(
        Markup('<label>{} <select name="{}">{}</select></label>').format(label, name, _options(options, value))
        for name, (label, options, value) in choices.items()
        if len(options) > 1
    )
    if not fields:
        return Markup("")
    return Markup(
        '<form class="choose" method="get" action="/pages/{}">{}<button class="button quiet">{}</button></form>'
    ).format(slug, fields, t("common.show"))


def _options(options: Options, chosen: str) -> Markup:
    return join(
        Markup('<option value="{}"{}>{}</option>').format(
            value, Markup(" selected") if value == chosen else Markup(""), label
        )
        for value, label in options
    )


def unit_of(asked: str, known: set[Unit], usual: Unit) -> Unit:
    """The unit that an address asks for, where it is among the known ones; else the usual one.

    Examples
    --------
    >>> unit_of("team:North", {("team", "North")}, ("manager", "m1")), unit_of("team:x", set(), ("manager", "m1"))
    (('team', 'North'), ('manager', 'm1'))
    """
    level, _, key = asked.partition(":")
    return (level, key) if (level, key) in known else usual


def reps_of(unit: Unit, people: pd.DataFrame) -> set[str] | None:
    """Ids of the people of a unit; None for the whole company.

    Examples
    --------
    >>> people = pd.DataFrame({"rep_id": ["r1", "r2"], "manager_id": ["m1", "m1"], "team": ["N", "S"]})
    >>> reps_of(("team", "N"), people), sorted(reps_of(("manager", "m1"), people))
    ({'r1'}, ['m1', 'r1', 'r2'])
    """
    level, key = unit
    if level == "company":
        return None
    if level == "manager":
        return {key, *reporting_line(people, key)}
    return set(people.loc[people[_COLUMNS[level]] == key, "rep_id"])
