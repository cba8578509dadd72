"""What was found on a cut, as text and as flat keys."""

from __future__ import annotations

from dataclasses import dataclass

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
COLUMNS = ["mase", "difference", "error", "smape", "coverage80", "coverage95", "width80", "interval_score80",
           "interval_score95", "seconds", "start", "failed"]  # fmt: skip
DIGITS = {"smape": 2, "seconds": 1, "start": 1} | dict.fromkeys(
    ("mase", "difference", "error", "coverage80", "coverage95", "width80", "interval_score80", "interval_score95"), 3
)


@dataclass
class Compared:
    """All models on one cut: measures of each series, answers with their cost, and who was not there."""

    cut: Cut
    parts: dict[str, pd.DataFrame]
    answers: dict[str, Answer]
    absent: dict[str, str]

    def table(self) -> pd.DataFrame:
        """One row a model, the lowest MASE first; ``difference`` is ours less the other's MASE, with its error."""
        table = series_scores.measures(self.parts)
        table["seconds"] = pd.Series({name: answer.cpu_seconds for name, answer in self.answers.items()})
        table["start"] = pd.Series({name: answer.start_seconds for name, answer in self.answers.items()})
        table["failed"] = pd.Series({n: f"{a.failed}/{a.ranges_failed}" for n, a in self.answers.items()})
        beside = series_scores.differences(self.parts, OURS, "mase") if OURS in self.parts else None
        return table.join(beside) if beside is not None else table.assign(difference=float("nan"), error=float("nan"))

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
    """What each model is."""
    return "\n".join(f"  {name:<18} {text}" for name, text in ABOUT.items())


def compared(found: Compared) -> str:
    """A cut as a table."""
    cut = found.cut
    head = (
        f"\n{cut.name}: {len(cut.scale)} series, {cut.horizon} ahead, season {cut.season}; errors, widths and interval "
        "scores in units of the mean seasonal change"
    )
    table = found.table()[COLUMNS].round(DIGITS)
    lines = [head, table.to_string(na_rep="")]
    return "\n".join(lines + [f"{name}: not here — {reason}" for name, reason in found.absent.items()])
