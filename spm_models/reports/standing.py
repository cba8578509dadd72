"""Where a rep or team stands, the path to target: closed, expected, the chance of each quota tier."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import ceil

from markupsafe import Markup

from spm_models.reports.export import Column
from spm_models.reports.outlook import PARTS, Outlook, likelihood
from spm_models.reports.parts import chart, folded, legend, paragraph, tile, tiles
from spm_models.reports.reading import Reading
from spm_models.reports.words import chance_words
from spm_models.translations import Translator

SURE, DOUBTFUL = 0.65, 0.35


def headline(t: Translator, o: Outlook) -> Markup:
    """The finding in two sentences."""
    first = t.html("page.outlook.headline", period=t.period(o.period), expected=t.compact_money(o.total("mean")))
    span = t.html(
        "page.outlook.headline_range", low=t.compact_money(o.total("p10")), high=t.compact_money(o.total("p90"))
    )
    return paragraph(Markup("<strong>{}.</strong> {}").format(first, span), "lede")


def figures(t: Translator, o: Outlook, tiers: Collection[str] | None = None) -> Markup:
    """Closed, expected with its range, the chance of each tier (or of those that are asked for), the time left."""
    return tiles(_tiles(t, o, tiers))


def _tiles(t: Translator, o: Outlook, tiers: Collection[str] | None) -> Iterator[Markup]:
    standard = o.quota("standard")
    share = t("common.share_of", part=t.percent(o.closed / standard), whole=t("outlook.standard_quota"))
    yield tile(t("parts.closed"), t.compact_money(o.closed), share if standard > 0 else "")
    span = t.range(t.compact_money(o.total("p10")), t.compact_money(o.total("p90")))
    yield tile(t("forecast.expected"), t.compact_money(o.total("mean")), Markup("<bdi>{}</bdi>").format(span))
    asked = o.chances if tiers is None else o.chances[o.chances.index.isin(list(tiers))]
    for tier, row in asked.dropna(subset="quota").iterrows():
        chance = float(row["probability"])
        tone = "good" if chance >= SURE else "care" if chance < DOUBTFUL else ""
        words = Markup("{} · <bdi>{}</bdi>").format(
            t(f"likelihood.{likelihood(chance)}"), t("outlook.quota_of", amount=t.compact_money(row["quota"]))
        )
        yield tile(t("outlook.chance_of", tier=t.name("tiers", tier)), chance_words(t, chance), words, tone=tone)
    yield tile(t("outlook.time_left"), t.days(o.days_left), t("report.where.by", day=o.period_end))


def picture(t: Translator, o: Outlook, name: str) -> Markup:
    """The range chart with its legend and the figures behind it."""
    from spm_models.charts.outlook import range_chart

    money = {part: t.compact_money(o.parts.at[part, "mean"]) for part in PARTS}
    alt = t("page.outlook.parts_alt", **money)
    words = [(part, t("common.list_of", label=t(f"parts.{part}"), value=amount)) for part, amount in money.items()]
    marks = [("range", t("common.range80"))]
    if o.chances["quota"].notna().any():
        marks.append(("quota", t("forecast.quota")))
    columns = [
        Column("part", t("outlook.part"), lambda part: t(f"parts.{part}")),
        *(Column(what, t(f"forecast.{what}"), t.money, number=True) for what in ("mean", "p10", "p50", "p90")),
    ]
    table = folded(t, o.parts.reset_index(names="part"), columns, t("outlook.range.table"))
    if o.total("p90") <= 0:
        return table
    return chart(
        name, t("outlook.range.title"), alt, lambda width: range_chart(t, o.parts, o.chances, width=width),
        legend(words + marks), table,
    )  # fmt: skip


def path_to_target(reading: Reading, o: Outlook) -> Markup:
    """What is missing to the standard quota, and how many deals of the usual value that is."""
    t, quota = reading.t, o.quota("standard")
    if quota != quota:
        return paragraph(t("report.where.no_quota"))
    gap = quota - o.closed
    if gap <= 0:
        return paragraph(t("report.where.reached"), "good")
    lines = [t.html("report.where.gap", gap=t.money(gap), days=t.days(o.days_left))]
    closed = reading["closed_deals"]
    value = closed.loc[closed["won"], "amount"].mean()
    if value > 0:
        deals = t("common.deals", n=ceil(gap / value))
        lines.append(t.html("report.where.path_deals", value=t.money(value), deals=deals))
    return paragraph(Markup(" ").join(lines))
