"""The companies' figures as tables to be read."""

from __future__ import annotations

import numpy as np
import pandas as pd

from revenue.company_scores import coverage, distances, errors, gaps
from revenue.where import INGREDIENTS

_PARTS = (("part.open_chance", "wins from open deals"), ("part.open", "revenue from open deals"),
          ("part.arrivals", "deals to be created"), ("part.new_wins", "wins among them"),
          ("part.new", "revenue from them"))  # fmt: skip


def show(totals: pd.DataFrame, ranges: pd.DataFrame, seconds: float) -> str:
    table = errors(totals)
    simulated, ranges = (ranges[ranges["model"] == name] for name in ("simulation", "published"))
    texts = [
        "Error by week of the quarter (sum of absolute errors / sum of actuals of each company, mean over companies)",
        _percent(_by_model(table)),
        "\nThe same, with its standard error over companies; bias",
        _percent(_mine(table)),
        "\nDistance from the oracle's forecast, relative: the avoidable part, with hardly any luck in it",
        _percent(_by_kind(distances(totals))),
        "\nShare of the gap from the best simple forecast to the oracle that is closed",
        _percent(gaps(table, ["week"]), skip=("week", "companies", "best_simple")),
        "\nby kind of company",
        _percent(gaps(table, ["kind", "week"]), skip=("week", "kind", "companies", "best_simple")),
        "\nby size (won deals a quarter)",
        _percent(gaps(table, ["size", "week"]), skip=("week", "size", "companies", "best_simple")),
        "\nWhere the error comes from: one ingredient replaced by the oracle's",
        _percent(_ingredients(table)),
        "\nParts against the oracle's: log of ours over theirs, mean (bias) and standard deviation",
        _parts(totals).round(3).to_string(),
        "\nRanges: share of actuals inside (hit), counting lumps in part (fair); place 0.5 = neither high nor low",
        coverage(ranges, ["level"]).round(3).to_string(),
        "\nof the simulation alone", coverage(simulated, ["level"]).round(3).to_string(),
        "\nby week", coverage(ranges, ["level", "week"])[["hit80", "fair80", "se80", "fair95", "place"]]
        .round(3).to_string(),
        "\nby size", coverage(ranges[ranges["level"].isin(["company", "rep"])], ["level", "size"])
        [["hit80", "fair80", "se80", "fair95", "place"]].round(3).to_string(),
        "\nby kind", coverage(ranges[ranges["level"] == "company"], ["level", "kind"])
        [["hit80", "fair80", "se80", "fair95", "place"]].round(3).to_string(),
        f"\nProcessor time of one forecast (score, fit, predict): {seconds:.2f} s",
    ]  # fmt: skip
    return "\n".join(texts)


def _by_model(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[~table["model"].isin(INGREDIENTS)]
    wide = rows.groupby(["model", "size", "week"])["error"].mean().unstack(["week", "size"])
    overall = rows.groupby(["model", "week"])["error"].mean().unstack()
    overall.columns = pd.MultiIndex.from_tuples([(week, "all") for week in overall.columns], names=["week", "size"])
    both = pd.concat([overall, wide], axis=1)
    return both[[column for week in overall.columns.levels[0] for column in both if column[0] == week]].sort_values(
        both.columns[0]
    )


def _mine(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[~table["model"].isin(INGREDIENTS)].groupby(["week", "model"])
    return pd.DataFrame(
        {"error": rows["error"].mean(), "se": rows["error"].sem(), "bias": rows["bias"].mean(),
         "bias_se": rows["bias"].sem()}
    ).unstack("week")  # fmt: skip


def _by_kind(table: pd.DataFrame) -> pd.DataFrame:
    overall = table.groupby(["model", "week"])["distance"].mean().unstack()
    by_kind = table.groupby(["model", "kind", "week"])["distance"].mean().unstack(["kind", "week"])
    overall.columns = pd.MultiIndex.from_tuples([("all", week) for week in overall.columns], names=["kind", "week"])
    return pd.concat([overall, by_kind], axis=1).sort_values(("all", overall.columns[0][1]))


def _ingredients(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[table["model"].isin(["simulation", "oracle", *INGREDIENTS])]
    order = ["simulation", *INGREDIENTS, "oracle"]
    overall = rows.groupby(["model", "week"])["error"].mean().unstack()
    by_kind = rows.groupby(["model", "kind", "week"])["error"].mean().unstack(["kind", "week"])
    overall.columns = pd.MultiIndex.from_tuples([("all", week) for week in overall.columns], names=["kind", "week"])
    return pd.concat([overall, by_kind], axis=1).reindex(order)


def _parts(totals: pd.DataFrame) -> pd.DataFrame:
    wide = totals[totals["model"].str.startswith("part.")].pivot_table(
        index=["company", "kind", "quarter", "week"], columns="model", values="mean"
    )
    rows = {}
    for name, words in _PARTS:
        both = wide[(wide[name] > 0) & (wide[name + "_oracle"] > 0)]
        log = np.log(both[name] / both[name + "_oracle"])
        for label, part in (("all", log), *((kind, log.xs(kind, level="kind")) for kind in log.index.unique("kind"))):
            by_week = part.groupby("week").agg(["mean", "std"])
            rows[(words, label)] = by_week.stack()
    return pd.DataFrame(rows).T


def _percent(frame: pd.DataFrame, skip: tuple[str, ...] = ()) -> str:
    shown = frame.copy()
    for column in shown:
        if column not in skip:
            shown[column] = (shown[column].astype(float) * 100).round(1)
    return str(shown.to_string(index=not skip))
