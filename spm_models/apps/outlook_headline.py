"""The top of the revenue outlook: the finding in a sentence. Loads no chart library, so that it is there first."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup

from spm_models.apps.choose import chooser
from spm_models.apps.outlook import LEVELS, likelihood, unit_label
from spm_models.apps.parts import join, tile, tiles
from spm_models.reports.stale import banner
from spm_models.revenue_forecast.units import UNASSIGNED

if TYPE_CHECKING:
    from spm_models.apps.outlook_view import Page


def hero(page: Page) -> Markup:
    """The finding in a sentence, its range, the figures that matter."""
    t, o = page.t, page.outlook
    expected, low, high = (t.compact_money(o.total(what)) for what in ("mean", "p10", "p90"))
    lines = [t.html("page.outlook.headline_range", low=low, high=high), _quota_line(page)]
    lede = join(Markup('<p class="lede">{}</p>').format(line) for line in lines)
    frame = Markup('{}<div class="hero"><p class="eyebrow">{}</p><h1>{}</h1>{}{}{}</div>')
    return frame.format(
        banner(t, page.session.stale),
        Markup("<bdi>{}</bdi> · {}").format(page.unit, t("common.data_as_of", day=o.as_of)),
        t.html("page.outlook.headline", period=t.period(o.period), expected=expected),
        lede, tiles(_tiles(page)), _choices(page) + _jumps(page),
    )  # fmt: skip


def _choices(page: Page) -> Markup:
    """Which unit and period the page is about."""
    t, o, people = page.t, page.outlook, page.tables["reps"]
    units = sorted(page.units, key=lambda unit: (("company", *LEVELS).index(unit[0]), unit[1]))
    named = [
        (f"{level}:{key}", t("common.company") if level == "company"
         else t("outlook.unit_of", level=t(f"levels.{level}"), name=unit_label(people, level, key)))
        for level, key in units if key != UNASSIGNED
    ]  # fmt: skip
    starts = page.tables["forecast"].drop_duplicates("period").sort_values("period_start")
    periods = [(period, t.period(period)) for period in starts["period"]]
    return chooser(t, "revenue-outlook", {
        "unit": (t("page.outlook.choose_unit"), named, f"{o.level}:{o.key}"),
        "period": (t("page.outlook.choose_period"), periods, o.period),
    })  # fmt: skip


def _quota_line(page: Page) -> Markup:
    t, o = page.t, page.outlook
    if pd.isna(o.quota("standard")):
        return t.html("page.outlook.headline_no_quota")
    chance = o.probability("standard")
    return t.html(
        "page.outlook.headline_quota", quota=t.compact_money(o.quota("standard")), probability=t.percent(chance),
        likelihood=t(f"likelihood.{likelihood(chance)}"),
    )  # fmt: skip


def _tiles(page: Page) -> Iterator[Markup]:
    t, o = page.t, page.outlook
    closed, expected = o.closed, o.total("mean")
    share = t("outlook.share_of_expected", share=t.percent(closed / expected)) if expected else ""
    yield tile(t("parts.closed"), t.compact_money(closed), share)
    for tier, chance in o.chances.dropna(subset="quota").iterrows():
        probability = float(chance["probability"])
        tone = "good" if probability >= 0.65 else "care" if probability < 0.35 else ""
        quota = t("outlook.quota_of", amount=t.compact_money(chance["quota"]))
        yield tile(t("outlook.chance_of", tier=t.name("tiers", tier)), t.percent(probability), quota, tone=tone)
    yield tile(t("outlook.time_left"), t.days(o.days_left), t("outlook.until", day=o.period_end))


def _jumps(page: Page) -> Markup:
    t = page.t
    links = {
        "range": t("outlook.range.title"), "pace": t("outlook.jump.pace"), "what-if": t("outlook.what_if.title"),
        "change": t("outlook.jump.change"),
        "movement": t("outlook.movement.title"), "people": t("outlook.jump.people"),
        "months": t("outlook.months.title"), "target": t("outlook.jump.target"),
        "history": t("page.outlook.history"), "units": t("outlook.units.title"),
        "deals": t("outlook.deals.title"), "replay": t("page.outlook.replay"),
        "how": t("page.how.heading"),
    }  # fmt: skip
    for name in page.absent():
        links.pop(name)
    items = join(Markup('<li><a href="#{}">{}</a></li>').format(name, label) for name, label in links.items())
    return Markup('<nav aria-label="{}"><ul class="jumps">{}</ul></nav>').format(t("outlook.on_this_page"), items)
