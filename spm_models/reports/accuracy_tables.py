"""Tables behind the accuracy report: what is chosen from a backtest, and how its columns read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from spm_models.reports.export import Column
from spm_models.translations import Translator

OURS = ("blend", "simulation")
PEOPLE = ("commit", "best_case", "submitted")
RANGES = ("50", "80", "95")
_MEASURES = ("absolute_error", "bias", *(f"coverage{name}" for name in RANGES), "interval_score")


def plain(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Methods that people use, and the series; not ours, nor what people said themselves."""
    return accuracy[~accuracy["method"].isin([*OURS, *PEOPLE, "series"])]


def best_plain(accuracy: pd.DataFrame, week: int) -> float | None:
    """Smallest error of a plain method at a week (chosen in hindsight, to its favour)."""
    rows = plain(accuracy)
    rows = rows[(rows["week"] == week) & (rows["quarters"] == rows["quarters"].max())]
    return float(rows["absolute_error"].min()) if len(rows) else None


def rivals(accuracy: pd.DataFrame, baseline: str) -> list[str]:
    """The best plain method of the verdict, and the one that is best over the weeks besides."""
    rows = plain(accuracy)
    whole = rows[rows["week"].nunique() == rows.groupby("method")["week"].transform("nunique")]
    ranked = whole.groupby("method")["absolute_error"].mean().sort_values(kind="stable").index.tolist()
    chosen = [baseline] if baseline in set(rows["method"]) else []
    return [*chosen, *(name for name in ranked if name not in chosen)][:2]


def by_method(accuracy: pd.DataFrame) -> pd.DataFrame:
    """Means over the weeks that nearly every method could say, best error first."""
    weeks = accuracy.groupby("week")["method"].nunique()
    common = set(weeks[weeks == weeks.max()].index)
    rows = accuracy[accuracy["week"].isin(common)]
    every = rows[rows.groupby("method")["week"].transform("nunique") == len(common)]
    means = every.groupby("method")[list(_MEASURES)].mean()
    means["quarters"] = every.groupby("method")["quarters"].min()
    return means.sort_values("absolute_error", kind="stable").reset_index()


def ordered_levels(levels: pd.DataFrame, method: str, order: Sequence[str]) -> pd.DataFrame:
    """Coverage of one method, in the order of the organisation."""
    rows = levels[levels["method"] == method].set_index("level")
    return rows.loc[[level for level in order if level in rows.index]].reset_index()


def submitted_levels(submissions: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Means over weeks of what was submitted on each level, in the order of the organisation."""
    means = submissions.drop(columns="week").groupby("level").mean()
    means["submissions"] = submissions.groupby("level")["submissions"].max()
    return means.loc[[level for level in order if level in means.index]].reset_index()


def members(weights: pd.DataFrame) -> list[str]:
    """Members of the blend that count at any week, the simulation first."""
    names = [name for name in weights.columns if name not in ("week", "shift", "scale", "simulation")]
    return ["simulation", *(name for name in names if weights[name].max() >= 0.005)]


def _share(t: Translator, decimals: int = 1) -> Callable[[Any], str]:
    return lambda value: t.percent(value, decimals)


def _signed(t: Translator) -> Callable[[Any], str]:
    return lambda value: t.percent(value, 1, signed=True)


def _range(t: Translator, name: str) -> str:
    return t.percent(int(name) / 100)


def _covered(t: Translator) -> list[Column]:
    return [
        Column(f"coverage{name}", t("accuracy.compare.coverage", range=_range(t, name)), t.percent, number=True)
        for name in RANGES
    ]


def week_columns(t: Translator) -> list[Column]:
    """Error and bias by week."""
    return [
        Column("week", t("accuracy.compare.week"), t.number),
        Column("absolute_error", t("accuracy.compare.error"), _share(t), number=True),
        Column("noise", t("accuracy.weeks.band"), _share(t), number=True),
        Column("bias", t("accuracy.compare.bias"), _signed(t), number=True),
        Column("quarters", t("accuracy.compare.quarters"), t.number, number=True),
    ]


def range_columns(t: Translator) -> list[Column]:
    """Coverage and width by week."""
    widths = [
        Column(f"width{name}", t("accuracy.compare.width", range=_range(t, name)), t.percent, number=True)
        for name in RANGES
    ]
    return [
        Column("week", t("accuracy.compare.week"), t.number), *_covered(t), *widths,
        Column("interval_score", t("accuracy.compare.score"), t.percent, number=True),
    ]  # fmt: skip


def level_columns(t: Translator) -> list[Column]:
    """Coverage and width of the 80 % range by level."""
    return [
        Column("level", t("page.outlook.level"),
               lambda level: t.name("levels", level)),
        *_covered(t),
        Column("width80", t("accuracy.compare.width", range=_range(t, "80")), t.percent, number=True),
        Column("quarters", t("accuracy.compare.quarters"), t.number, number=True),
    ]  # fmt: skip


def tenth_columns(t: Translator) -> list[Column]:
    """Share of results in each tenth."""
    return [
        Column("end", t("accuracy.ranges.place"), t.percent),
        Column("share", t("accuracy.chart.inside"), t.percent, number=True),
    ]


def method_columns(t: Translator, named: Callable[[Any], str], *, week: bool = False) -> list[Column]:
    """Every measure of each method."""
    columns = [
        Column("method", t("accuracy.compare.method"), named),
        Column("absolute_error", t("accuracy.compare.error"), _share(t), number=True),
        Column("bias", t("accuracy.compare.bias"), _signed(t), number=True),
        *_covered(t),
        Column("interval_score", t("accuracy.compare.score"), t.percent, number=True),
        Column("quarters", t("accuracy.compare.quarters"), t.number, number=True),
    ]
    return [Column("week", t("accuracy.compare.week"), t.number), *columns] if week else columns


def submission_columns(t: Translator, low: str, high: str, *, week: bool = False) -> list[Column]:
    """How good commits were on each level, beside our forecast."""
    columns = [
        Column("level", t("page.outlook.level"), lambda level: t.name("levels", level)),
        Column("submissions", t("accuracy.people.units"), t.number, number=True),
        Column("ratio", t("accuracy.people.ratio"), t.percent, number=True),
        Column("in_band", t("accuracy.people.band", low=low, high=high), t.percent, number=True),
        Column("bias", t("accuracy.compare.bias"), _signed(t), number=True),
        Column("absolute_error", t("accuracy.people.error"), _share(t), number=True),
        Column("forecast_error", t("accuracy.people.ours"), _share(t), number=True),
    ]
    return [*columns[:1], Column("week", t("accuracy.compare.week"), t.number), *columns[1:]] if week else columns


def quarter_columns(t: Translator) -> list[Column]:
    """Range and result of each quarter."""
    amounts = [Column(name, t(f"forecast.{name}"), t.money, number=True) for name in ("p10", "p50", "p90", "actual")]
    judged = Column("hit", t("forecast.hit"), lambda hit: t("common.yes" if hit else "common.no"))
    return [Column("period", t("common.period"), t.period), *amounts, judged]


def weight_columns(t: Translator, shown: Sequence[str], named: Callable[[Any], str]) -> list[Column]:
    """Weight of each member by week."""
    return [
        Column("week", t("accuracy.compare.week"), t.number),
        *(Column(name, t("accuracy.weights.member", member=named(name)), t.percent, number=True) for name in shown),
    ]  # fmt: skip
