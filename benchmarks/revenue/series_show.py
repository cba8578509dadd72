"""What was found on a cut, as text and as flat keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from revenue import series_scores
from revenue.series_ask import MEANS, OURS, Answer
from revenue.series_data import Cut
from revenue.series_scores import MEASURES

ABOUT = {
    OURS: "the project's, all series of a cut at once",
    "seasonal_naive": "the last cycle again, normal ranges; the last value where there is no whole cycle",
    "statsmodels_ets": "additive ETS, trend (damped) and season chosen by AICc",
    "statsmodels_theta": "ThetaModel, defaults",
    "auto_ets": "statsforecast AutoETS, defaults",
    "auto_arima": "statsforecast AutoARIMA, defaults",
    "dynamic_theta": "statsforecast DynamicOptimizedTheta, defaults",
    "auto_ces": "statsforecast AutoCES, defaults",
} | {name: "mean of " + ", ".join(members) for name, members in MEANS.items()}
DIGITS = {"mase": 3, "smape": 2, "coverage80": 3, "coverage95": 3, "width80": 2, "interval_score80": 2,
          "interval_score95": 2, "interval_score": 3, "seconds": 1, "start": 1}  # fmt: skip
COVERAGE = {"coverage80": (0.75, 0.87), "coverage95": (0.92, 0.98)}  # what ranges must cover


@dataclass
class Compared:
    """All models on one cut: measures of each series, answers with their cost, and who was not there."""

    cut: Cut
    parts: dict[str, pd.DataFrame]
    answers: dict[str, Answer]
    absent: dict[str, str]

    def table(self) -> pd.DataFrame:
        """One row a model, the lowest MASE first; ``less_…`` is ours less the other's, ± its standard error."""
        table = series_scores.measures(self.parts)[[name for name in DIGITS if name in MEASURES]]
        for measure in ("interval_score", "mase") if OURS in self.parts else ():
            beside = series_scores.differences(self.parts, OURS, measure)
            words = [f"{row.difference:+.3f} ± {row.error:.3f}" for row in beside.itertuples()]
            place = list(table).index(measure) + 1
            table.insert(place, f"less_{measure}", pd.Series(words, beside.index, dtype=object))
        costs = {name: (a.cpu_seconds, a.start_seconds, f"{a.failed}/{a.ranges_failed}") for name, a in
                 self.answers.items()}  # fmt: skip
        return table.join(pd.DataFrame.from_dict(costs, orient="index", columns=["seconds", "start", "failed"]))

    def flat(self) -> dict[str, float]:
        """Keys of ``--json``: ``<measure>.<cut>.<model>``."""
        name, found = self.cut.name, {}
        for model, row in series_scores.measures(self.parts).iterrows():
            found |= {f"{measure}.{name}.{model}": float(row[measure]) for measure in MEASURES}
        for model, answer in self.answers.items():
            found |= {
                f"cpu_seconds.{name}.{model}": answer.cpu_seconds,
                f"start_seconds.{name}.{model}": answer.start_seconds,
                f"failed.{name}.{model}": float(answer.failed + answer.ranges_failed),
            }
        for measure in ("mase", "interval_score") if OURS in self.parts else ():
            for model, row in series_scores.differences(self.parts, OURS, measure).iterrows():
                found[f"{measure}_difference.{name}.{model}"] = float(row["difference"])
                found[f"{measure}_difference_error.{name}.{model}"] = float(row["error"])
        return found


def legend() -> str:
    """What each model is, and each column that needs a word."""
    columns = {
        "less_…": "ours less the model's, over the same series, ± its standard error",
        "interval_score": "mean of those of the 80 and 95 % ranges",
        "seconds, start": "of processor: of the whole process without its start; imports and a first forecast",
        "failed": "series without a usable answer / without usable ranges, which got those of seasonal naive",
    }
    return "\n".join(f"  {name:<18} {text}" for name, text in (ABOUT | columns).items())


def compared(found: Compared) -> str:
    """A cut as a table."""
    cut = found.cut
    head = (
        f"\n{cut.name}: {len(cut.scale)} series, {cut.horizon} ahead, season {cut.season}; errors, widths and interval "
        "scores in units of the mean seasonal change"
    )
    lines = [head, found.table().round(DIGITS).to_string(na_rep="")]
    lines += [f"{name}: not here — {reason}" for name, reason in found.absent.items()]
    return "\n".join([*lines, *verdict(found)])


def verdict(found: Compared) -> list[str]:
    """Ours beside the best peer by MASE and by interval score, what its ranges cover, and its time."""
    facts = _facts(found)
    if not facts:
        return []
    lines = []
    for measure in ("mase", "interval_score"):
        word = "lowest" if facts[f"lowest_{measure}"] else "not the lowest"
        lines.append(f"{measure}: {word}; less {facts[f'best_{measure}']}: {facts[f'less_{measure}']}")
    for measure, (low, high) in COVERAGE.items():
        share = found.parts[OURS][measure]
        word = "within" if facts[measure] else "outside"
        error = share.std(ddof=1) / len(share) ** 0.5
        lines.append(f"{measure}: {share.mean():.1%} ± {error:.1%}, {word} {low:.0%}–{high:.0%}")
    return lines


def summary(cuts: list[Compared]) -> str:
    """Ours on all cuts, beside the best peer of each, which is chosen afterwards."""
    rows = {}
    for found in cuts:
        if facts := _facts(found):
            ours, used = found.parts[OURS].mean(), {name: found.answers[name].cpu_seconds for name in found.answers}
            rows[found.cut.name] = {
                "mase": f"{ours['mase']:.3f}", "best peer": facts["best_mase"], "less it": facts["less_mase"],
                "coverage80": f"{ours['coverage80']:.1%}", "coverage95": f"{ours['coverage95']:.1%}",
                "interval_score": f"{ours['interval_score']:.2f}", "its best peer": facts["best_interval_score"],
                "less that": facts["less_interval_score"], "seconds": f"{used[OURS]:.1f}",
                "auto_arima": f"{used['auto_arima']:.1f}" if "auto_arima" in used else "",
            }  # fmt: skip
    return f"\n{OURS}\n{pd.DataFrame.from_dict(rows, orient='index').to_string()}" if rows else ""


def goals(cuts: list[Compared]) -> dict[str, float]:
    """On how many cuts ours has the lowest MASE and interval score, and ranges that cover what they must."""
    told = [facts for found in cuts if (facts := _facts(found))]
    names = ("lowest_mase", "lowest_interval_score", *COVERAGE)
    return {f"cuts.{name}": float(sum(facts[name] for facts in told)) for name in names} | {"cuts": float(len(told))}


def _facts(found: Compared) -> dict[str, Any]:
    peers = [name for name in found.parts if name != OURS]
    if OURS not in found.parts or not peers:
        return {}
    facts: dict[str, Any] = {}
    for measure in ("mase", "interval_score"):
        best = min(peers, key=lambda name: float(found.parts[name][measure].mean()))
        row = series_scores.differences(found.parts, OURS, measure).loc[best]
        facts |= {f"best_{measure}": best, f"lowest_{measure}": bool(row["difference"] < 0),
                  f"less_{measure}": f"{row['difference']:+.3f} ± {row['error']:.3f}"}  # fmt: skip
    for measure, (low, high) in COVERAGE.items():
        facts[measure] = bool(low <= found.parts[OURS][measure].mean() <= high)
    return facts
