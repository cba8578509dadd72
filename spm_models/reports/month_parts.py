"""A month in words, tiles and a picture: for a team and for the company."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
from markupsafe import Markup

from spm_models.reports.export import Column
from spm_models.reports.month import USUAL_MONTHS, Month
from spm_models.reports.parts import chart, folded, legend, paragraph, tile, tiles
from spm_models.translations import Translator

_COUNTS = ("lost", "created")


def headline(t: Translator, month: Month) -> Markup:
    """What was won, and how that lies to what was expected."""
    now = month.now
    won = t.html("monthly.headline", period=t.period(month.label), amount=t.compact_money(now["amount"]),
                 deals=t("common.won_deals", n=int(now["won"])))  # fmt: skip
    return paragraph(Markup("<strong>{}</strong> {}").format(won, _beside(t, month)), "lede")


def _beside(t: Translator, month: Month) -> Markup:
    amount = float(month.now["amount"])
    if month.expected is not None:
        low, mean, high = month.expected
        where = "above" if amount > high else "below" if amount < low else "inside"
        return t.html(f"monthly.{where}", mean=t.compact_money(mean),
                      range=t.range(t.compact_money(low), t.compact_money(high)))  # fmt: skip
    if month.usual is not None:
        usual, n = month.usual
        return t.html(f"{month.words}.usual", amount=t.compact_money(usual), months=t(month.several, n=n))
    return t.html("monthly.no_usual")


def figures(t: Translator, month: Month) -> Markup:
    """KPIs of the month, each with the month before."""
    return tiles(_tiles(t, month))


def _tiles(t: Translator, month: Month) -> Iterator[Markup]:
    now, before = month.now, month.before

    def beside(value: str) -> str:
        return t(f"{month.words}.before", value=value)

    def was(name: str) -> float:
        return float("nan") if before is None else float(before[name])

    yield tile(t("monthly.won"), t.compact_money(now["amount"]), beside(t.compact_money(was("amount"))))
    yield tile(t("monthly.win_rate"), t.percent(now["win_rate"]), beside(t.percent(was("win_rate"))))
    yield tile(t("monthly.average"), t.compact_money(now["average"]), beside(t.compact_money(was("average"))))
    for name in _COUNTS:
        yield tile(t(f"monthly.{name}"), _whole(t)(now[name]), beside(_whole(t)(was(name))))
    yield tile(t("monthly.created_amount"), t.compact_money(now["created_amount"]),
               beside(t.compact_money(was("created_amount"))))  # fmt: skip


def months_picture(t: Translator, month: Month) -> Markup:
    """Amount won by month as bars, with what was expected of the last one, and the figures."""
    from spm_models.charts.month import months_chart

    rows = month.by_month.tail(USUAL_MONTHS).reset_index(names="period")
    rows["period"] = rows["period"].astype("str")
    if not rows["amount"].max() > 0:
        return Markup("")
    columns = [
        Column("period", t(month.one), t.period), Column("amount", t("monthly.won"), t.money, number=True),
        Column("won", t("monthly.won_deals"), _whole(t), number=True),
        Column("lost", t("monthly.lost"), _whole(t), number=True),
        Column("win_rate", t("monthly.win_rate"), t.percent, number=True),
        Column("created", t("monthly.created"), _whole(t), number=True),
    ]  # fmt: skip
    marks = [] if month.expected is None else [legend([("range", t("common.range80"))])]
    return chart(
        f"{month.words}-bars", t(f"{month.words}.chart"), t(f"{month.words}.chart_alt"),
        lambda width: months_chart(t, rows, month.expected, width=width), *marks,
        folded(t, rows, columns, t(f"{month.words}.chart")),
    )  # fmt: skip


def _whole(t: Translator) -> Callable[[float], str]:
    return lambda value: t.number(None if pd.isna(value) else int(value))
