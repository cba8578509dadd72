"""Is the main cause right where something was planted, how often is it stated, and does its probability hold?"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pandas as pd

from coaching_study.flags import review, suggestions
from coaching_study.sample import sample
from coaching_study.worlds import World, company
from spm_models.coaching import causes

WORLD = World("40 reps, 4 quarters", 40, 4, 80)
FIRST = 5000  #: seeds of their own: what the patterns were chosen on is not what they are judged on
#: What is planted, in the words of the four causes. Somebody who coasts in a rich territory does less than he can.
TRUE = {"knowledge": "knowledge", "motivation": "motivation", "coasting": "motivation", "direction": "direction",
        "territory": "context"}  # fmt: skip
_BINS = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)


def simulated(seed: int) -> pd.DataFrame:
    """Causes of the reps with a right suggestion and something planted, beside the truth."""
    evidence, truth = company(WORLD, seed)
    findings = review(evidence)
    right = {rep for rep, *_ in suggestions(findings) & truth.short()}
    return _beside(causes(findings).table, truth.cause, right)


def in_sample(seed: int) -> pd.DataFrame:
    """The same of a sample company, where nothing was made for this: everybody with a suggestion."""
    evidence, truth = sample(seed)
    table = causes(review(evidence)).table
    return _beside(table, truth["cause"], set(table["rep_id"]))


def study(quick: bool, workers: int = 2) -> tuple[list[pd.DataFrame], dict[str, float]]:
    """Tables of what was named for what, and the figures of both worlds."""
    companies, samples = (8, 2) if quick else (WORLD.companies, 12)
    with ProcessPoolExecutor(workers) as pool:
        ours = pd.concat(pool.map(simulated, range(FIRST, FIRST + companies)))
        made = pd.concat(pool.map(in_sample, range(101, 101 + samples)))
    figures = _figures(ours) | {f"sample.{name}": value for name, value in _figures(made).items()}
    tables = []
    for rows in (ours, made):
        first = rows[rows["place"] == 1]
        tables.append(pd.crosstab(first["true"], first["cause"]).reset_index())
    return [*tables, _reliability(ours)], figures


def _beside(table: pd.DataFrame, planted: pd.Series, about: set[str]) -> pd.DataFrame:
    rows = table[table["rep_id"].isin(about)]
    return rows.assign(true=rows["rep_id"].map(planted).map(TRUE)).dropna(subset=["true"])


def _figures(rows: pd.DataFrame) -> dict[str, float]:
    first = rows[rows["place"] == 1]
    hit = rows["cause"] == rows["true"]
    stated = first[first["stated"]]
    bins = _reliability(rows)
    return {
        "cause_reps": float(len(first)),
        "cause_top1": float((first["cause"] == first["true"]).mean()),
        "cause_top2": float(hit[rows["place"] <= 2].sum() / len(first)),
        "cause_stated_share": float(first["stated"].mean()),
        "cause_stated_right": float((stated["cause"] == stated["true"]).mean()),
        "cause_calibration_error": float(np.average((bins["right"] - bins["said"]).abs(), weights=bins["n"])),
    }


def _reliability(rows: pd.DataFrame) -> pd.DataFrame:
    """What was said of each cause of each rep beside how often it was so."""
    hit = (rows["cause"] == rows["true"]).astype(float)
    grouped = rows.assign(hit=hit).groupby(pd.cut(rows["probability"], _BINS, include_lowest=True), observed=True)
    found = grouped.agg(said=("probability", "mean"), right=("hit", "mean"), n=("hit", "size"))
    return found.rename_axis("probability").reset_index().astype({"probability": "str"})
