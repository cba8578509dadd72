"""A newcomer's reading: open deals of a sample company and the reasons for their win probability, in three languages.

``.venv/bin/python benchmarks/reasons.py`` prints the deals, and how much of what is shown is told by a fact, beside
what won deals show; ``--json`` prints these figures only.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time

import numpy as np
import pandas as pd

from spm_models.reports.aloud import reading
from spm_models.reports.beside import UNSAID
from spm_models.runs.known import Known
from spm_models.sample_company import workspace_file, write
from spm_models.snapshots import pipelines
from spm_models.win_probability import WinProbability
from spm_models.win_probability.trend import trend, trend_days

LOCALES = ("en", "tr", "ar")


def scored(size: str, seed: int) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """Scores, reasons and trend of the open deals, and what was measured on the way."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, size=size, seed=seed, truth_draws=0)
        workspace_file(folder)
        known = Known.of(folder)
        model = WinProbability(known.seed, method="model", timing=False).fit(
            known.snapshots, known.outcomes, known.as_of
        )
        start = time.process_time()
        scores = model.predict(known.pipeline)
        seconds = time.process_time() - start
        past = trend(model, pipelines(known.tables, trend_days(known.as_of)), known.pipeline)
        names = known.names("accounts", "account_id")
    table = scores.table.assign(account_name=scores.table["account_id"].map(names))
    figures = measured(table, scores.reasons) | {"seconds_per_1000_deals": 1000 * seconds / len(table)}
    return {"deal_scores": table, "deal_reasons": scores.reasons, "deal_trend": past}, figures


def measured(table: pd.DataFrame, reasons: pd.DataFrame) -> dict[str, float]:
    """How well reasons add up, and how many of them are told by a fact and beside what won deals show."""
    p = table.set_index("opportunity_id")["win_probability"]
    sums = reasons.groupby("opportunity_id")[["contribution", "points"]].sum().loc[p.index]
    said = reasons[~reasons["feature"].isin(UNSAID) & (reasons["points"].abs() >= 0.01)]
    return {
        "deals": float(len(p)),
        "largest_gap_log_odds": float((sums["contribution"] - np.log(p / (1 - p))).abs().max()),
        "largest_gap_points": float((sums["points"] - p).abs().max()),
        "reasons_of_a_point_or_more": float(len(said)),
        "told_by_a_fact": float((said["fact"] != "").mean()),
        "beside_won_deals": float((said["typical"] != "").mean()),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="small", help="size of the sample company")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--deals", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    told, figures = scored(options.size, options.seed)
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for locale in LOCALES:
        print(f"\n=== {locale}\n\n{reading(told, locale, options.deals)}")
    print("\n" + "\n".join(f"{name:28} {value:.3g}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
