"""By when deals are won or lost, beside plain peers: later snapshots of sample companies and of a CRM export.

Run ``python benchmarks/deal_timing.py [--quick] [--json]``. Everybody learns as of a day and tells, of the deals open
at the month ends after it, who is won, lost or still open after 7 to 90 days; all but the last have the same win
probabilities. Measured: the log loss and the Brier score of the three ways, averaged over the days (integrated; Graf et
al., Statistics in Medicine 18, 1999), and the calibration error of wins within 30, 60 and 90 days (tenths). For the
sample companies also the distance to the true chance of each open deal to be won in the next quarter. The export (Maven
Analytics, CRM Sales Opportunities) is looked for in ``../shared/data/maven_crm``; without it that part is left out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from spm_models.crm import Tables, load
from spm_models.periods import FiscalCalendar
from spm_models.revenue_forecast import snapshot_days
from spm_models.revenue_forecast.closing import ClosingTime, Incidence
from spm_models.revenue_forecast.features import creations, place_in_quarter, record_start
from spm_models.revenue_forecast.features import landmarks as since_landmarks
from spm_models.snapshots import outcomes, pipelines
from spm_models.win_probability import Timing, WinProbability
from spm_models.win_probability.person_periods import BINS, EDGES, LOST, OPEN, WON, bin_of, landmarks
from spm_models.win_probability.timing import agreeing
from spm_models.workspace import Workspace

Floats = npt.NDArray[np.float64]
Told = Callable[[float], tuple[Floats, Floats]]  # days -> won by then, lost by then

ROOT = Path(__file__).resolve().parents[1]
MAVEN = ROOT.parent / "shared" / "data" / "maven_crm"
DAYS = (7, 14, 21, 30, 45, 60, 75, 90)
CALENDAR = FiscalCalendar()


@dataclass(frozen=True)
class Case:
    """Month ends, what became of the deals, and the day of learning."""

    snapshots: pd.DataFrame
    outcomes: pd.DataFrame
    learned: date
    last: date

    @property
    def past(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Snapshots and outcomes known on the day of learning."""
        day = pd.Timestamp(self.learned)
        return self.snapshots[self.snapshots["as_of"] <= day], self.outcomes[self.outcomes["closed_on"] <= day]


def between(table: Floats, days: float) -> Floats:
    """Incidences of shape (rows, edges) after some days."""
    return np.array([np.interp(days, EDGES, row) for row in np.unique(table, axis=0)])[
        np.unique(table, axis=0, return_inverse=True)[1].ravel()
    ]


def by_hazards(case: Case, rows: pd.DataFrame, chance: Floats) -> Told:
    found = Timing().fit(*case.past, case.learned, CALENDAR).predict(rows, chance)
    return lambda days: tuple(found.by(days)[["won_by", "lost_by"]].to_numpy().T)  # type: ignore[return-value]


def by_groups(case: Case, rows: pd.DataFrame, chance: Floats) -> Told:
    """The grouped hazards of the revenue forecast."""
    deals = creations(*case.past, case.learned)
    model = ClosingTime().fit(
        since_landmarks(*case.past, case.learned, record_start(deals)), deals, CALENDAR
    )  # fmt: skip
    table, groups = model.incidence_, model.groups(rows)
    losses = Incidence(table.closed - table.won, table.closed)
    passed = place_in_quarter(rows["as_of"], CALENDAR)[1] if model.by_month_ else np.zeros(len(rows))
    return lambda days: (
        chance * model.wins_if_won(rows, days), (1 - chance) * losses.wins_if_won(groups, days, passed)
    )  # fmt: skip


def by_stage(case: Case, rows: pd.DataFrame, chance: Floats | None) -> Told:
    """Aalen-Johansen curves of each stage; scaled to the win probability where one is given."""
    past = landmarks(*case.past, pd.Timestamp(case.learned))
    stage, now = past["stage"].fillna("").to_numpy(), rows["stage"].fillna("").to_numpy()
    curves = np.zeros((2, len(rows), BINS + 1))
    for name in np.unique(now):
        own = stage == name
        curves[:, now == name] = _aalen_johansen(past[own] if own.sum() > 20 else past)[:, None]
    if chance is not None:
        curves = agreeing(curves, chance)
    return lambda days: (between(curves[0], days), between(curves[1], days))


def _aalen_johansen(rows: pd.DataFrame) -> Floats:
    place, event = bin_of(rows["days"]), rows["event"].to_numpy()
    ended = np.stack([np.bincount(place[event == cause], minlength=BINS) for cause in (WON, LOST)])
    left = np.bincount(place[event == OPEN], minlength=BINS)
    risk = (ended.sum(axis=0) + left)[::-1].cumsum()[::-1] - 0.5 * left
    hazard = ended / np.maximum(risk, 1.0)
    before = np.concatenate([[1.0], np.cumprod(1 - hazard.sum(axis=0))[:-1]])
    return np.concatenate([np.zeros((2, 1)), np.cumsum(hazard * before, axis=1)], axis=1)


def measured(rows: pd.DataFrame, told: Told) -> dict[str, float]:
    """Scores of what was told of rows with ``days`` and ``event``; rows not followed so long are left out."""
    found: dict[str, list[float]] = {"log_loss": [], "brier": []}
    calibration: dict[str, float] = {}
    for days in DAYS:
        seen = ((rows["event"] != OPEN) | (rows["days"] >= days)).to_numpy()
        ended = (rows["days"] <= days).to_numpy()
        truth = np.stack([ended & (rows["event"] == kind).to_numpy() for kind in (WON, LOST)])[:, seen].astype(float)
        won, lost = (part[seen] for part in told(days))
        told_all, true_all = np.stack([won, lost, 1 - won - lost]), np.stack([*truth, 1 - truth.sum(axis=0)])
        found["brier"].append(float(((told_all - true_all) ** 2).sum(axis=0).mean()))
        found["log_loss"].append(float(-np.log(np.maximum((told_all * true_all).sum(axis=0), 1e-6)).mean()))
        if days in (30, 60, 90):
            tenth = pd.qcut(won, 10, labels=False, duplicates="drop") if np.ptp(won) > 0 else np.zeros(len(won))
            means = pd.DataFrame({"told": won, "true": truth[0], "n": 1.0}).groupby(tenth)
            gap = (means["told"].mean() - means["true"].mean()).abs() * means["n"].sum()
            calibration[f"calibration_error_{days}"] = float(gap.sum() / len(won))
    return {name: float(np.mean(values)) for name, values in found.items()} | calibration


def compared(case: Case, test: pd.DataFrame, method: str = "model") -> pd.DataFrame:
    chance = chances(case, test, method)
    peers = {
        "timing": by_hazards(case, test, chance), "grouped": by_groups(case, test, chance),
        "stage_curves_with_score": by_stage(case, test, chance), "stage_curves": by_stage(case, test, None),
    }  # fmt: skip
    return pd.DataFrame({name: measured(test, told) for name, told in peers.items()}).T


def chances(case: Case, rows: pd.DataFrame, method: str = "model") -> Floats:
    model = WinProbability(1, method, timing=False).fit(*case.past, case.learned)
    numbered = rows.assign(row=np.arange(len(rows)))
    found = np.zeros(len(rows))
    for _, now in numbered.groupby("as_of"):
        scored = model.predict(now.drop(columns="row")).table.set_index("opportunity_id")["win_probability"]
        found[now["row"]] = now["opportunity_id"].map(scored)
    return found


def prepared(tables: Tables, as_of: date, back: int) -> tuple[Case, pd.DataFrame]:
    """Learned ``back`` days before the end, and the month ends from then to 30 days before the end."""
    first = pd.Timestamp(tables["opportunities"].created_on.min().execute()).date()
    snapshots, decided = pipelines(tables, snapshot_days(first, as_of, CALENDAR)), outcomes(tables, as_of)
    learned = (pd.Timestamp(as_of) - pd.Timedelta(days=back) + pd.offsets.MonthEnd(0)).date()
    case = Case(snapshots, decided, learned, as_of)
    days = snapshots["as_of"]
    late = snapshots[(days >= pd.Timestamp(learned)) & (days <= pd.Timestamp(as_of - timedelta(days=30)))]
    return case, landmarks(late, decided, pd.Timestamp(as_of))


def sample_company(seed: int) -> dict[str, pd.DataFrame]:
    from spm_models.sample_company import write_workspace

    with tempfile.TemporaryDirectory() as folder:
        write_workspace(Path(folder), size="usual", seed=seed)
        tables = load(Workspace.open(folder), run_id="benchmark").tables
        as_of = tables.extracted_on
        truth = pd.read_parquet(Path(folder) / "truth" / "open_deals.parquet").set_index("opportunity_id")
        case, test = prepared(tables, as_of, 365)
    found = {f"sample_{seed}": compared(case, test)}
    whole = Case(case.snapshots, case.outcomes, as_of, as_of)
    now = case.snapshots[case.snapshots["as_of"] == pd.Timestamp(as_of)].reset_index(drop=True)
    chance, days = chances(whole, now), float((CALENDAR.quarter(as_of + timedelta(days=1)).end - as_of).days)
    true = now["opportunity_id"].map(truth["p_win_next_quarter"]).to_numpy(dtype=float)
    rows = {}
    for name, peer in {"timing": by_hazards, "grouped": by_groups, "stage_curves_with_score": by_stage}.items():
        told = peer(whole, now, chance)(days)[0]
        rows[name] = {
            "mean_told": told.mean(), "mean_true": np.nanmean(true),
            "root_mean_square": float(np.sqrt(np.nanmean((told - true) ** 2))),
        }  # fmt: skip
    return found | {f"sample_{seed}_truth": pd.DataFrame(rows).T}


def maven() -> dict[str, pd.DataFrame]:
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(ROOT / "data" / "examples" / "maven" / "spm.toml", folder)
        tables = load(Workspace.open(folder, source=MAVEN), run_id="benchmark").tables
        cases = {f"maven_{back}": prepared(tables, date(2017, 12, 31), back) for back in (120, 180)}
    return {name: compared(*case, method="base_rate") for name, case in cases.items()}  # outcomes that are chance


def speed() -> dict[str, float]:
    """Processor seconds to learn from 20,000 snapshots and to tell of 100,000 deals."""
    rng = np.random.default_rng(1)
    day = pd.Timestamp("2025-01-31") + pd.to_timedelta(7 * rng.integers(0, 40, 20_000), unit="D")
    ids = np.array([f"o{k:05}" for k in rng.integers(0, 6000, 20_000)])
    rows = pd.DataFrame({
        "as_of": day, "opportunity_id": ids, "stage": rng.choice(["a", "b", "c", "d"], 20_000),
        "age_days": rng.integers(0, 200, 20_000) * 1.0, "days_to_expected_close": rng.integers(-60, 120, 20_000) * 1.0,
        "days_since_activity": rng.integers(0, 60, 20_000) * 1.0,
    })  # fmt: skip
    lasting = pd.to_timedelta(rng.integers(1, 90, rows["opportunity_id"].nunique()), unit="D")
    ends = rows.groupby("opportunity_id")["as_of"].max() + lasting
    decided = ends.rename("closed_on").reset_index().assign(won=lambda table: rng.random(len(table)) < 0.3)
    start = time.process_time()
    model = Timing().fit(rows, decided, "2026-02-28")
    fitted = time.process_time()
    model.predict(rows.iloc[rng.integers(0, 20_000, 100_000)], np.full(100_000, 0.3))
    return {"fit_seconds": fitted - start, "predict_100k_seconds": time.process_time() - fitted}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one sample company instead of three")
    parser.add_argument("--json", action="store_true", help="the same figures as one flat JSON object")
    options = parser.parse_args()
    parts: dict[str, pd.DataFrame] = {}
    for seed in range(1, 2 if options.quick else 4):
        parts |= sample_company(seed)
    parts |= maven() if MAVEN.is_dir() else {}
    seconds = speed()
    if options.json:
        figures = {
            f"deal_timing.{part}.{name}.{measure}": float(value)
            for part, table in parts.items()
            for name, row in table.iterrows()
            for measure, value in row.items()
        }
        print(json.dumps(figures | {f"deal_timing.{name}": value for name, value in seconds.items()}, indent=1))
        return
    for part, table in parts.items():
        print(f"{part}\n{table.round(4).to_string()}\n")
    print(", ".join(f"{name.replace('_', ' ')}: {value:.2f}" for name, value in seconds.items()))


if __name__ == "__main__":
    main()
