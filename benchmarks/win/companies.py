"""Tables of snapshots: the open pipeline at month ends, of the Maven export and of sample companies."""

from __future__ import annotations

import tempfile
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from spm_models.crm import load
from spm_models.sample_company import workspace_file, write
from spm_models.snapshots import month_ends, outcomes, pipelines
from spm_models.win_probability import learning_set
from spm_models.win_probability.features import deal_features, learnable
from spm_models.win_probability.past_rates import PastRates, closed_with_keys
from spm_models.workspace import Workspace
from win.split import Split, Table, plain
from win.tables import MAVEN, ROOT, TableMissingError

LAST = date(2026, 6, 30)
TEST_FROM = date(2026, 1, 1)
#: Size, seeds and drifts of the companies of each table.
COMPANIES: dict[str, list[tuple[str, int, float]]] = {
    "sample_tiny": [("tiny", seed, 0.0) for seed in range(1, 9)],
    "sample_usual": [("usual", 3, 0.0)],
    "sample_drifting": [("small", 1, 1.0), ("small", 2, -1.0), ("small", 3, 1.0), ("small", 4, -0.5)],
}


def maven_snapshots() -> Table:
    """Month ends of the open pipeline; learned by 2017-09-30."""
    if not MAVEN.is_dir():
        raise TableMissingError(f"no data in {MAVEN}")
    with tempfile.TemporaryDirectory() as folder:
        settings = (ROOT / "data" / "examples" / "maven" / "spm.toml").read_text(encoding="utf-8")
        (Path(folder) / "spm.toml").write_text(settings, encoding="utf-8")
        tables = load(Workspace.open(folder, source=MAVEN), run_id="benchmark").tables
        days = month_ends(date(2016, 10, 1), date(2017, 12, 31))
        rows, closed = pipelines(tables, days), outcomes(tables, date(2017, 12, 31))
    split = snapshot_split(rows, closed, date(2017, 10, 1))
    about = "Maven, month ends of the open pipeline"
    return Table("maven_snapshots", about, [split], segment=_segment(split), team="team")


def sample(name: str, companies: int | None = None) -> Table:
    """Sample companies of one kind; the later snapshots of all of them are judged together."""
    recipes = COMPANIES[name][:companies]
    splits = [company_split(*recipe) for recipe in recipes]
    kinds = ", ".join(f"{size} {seed}" + (f" (drift {drift:+g})" if drift else "") for size, seed, drift in recipes)
    return Table(name, f"sample companies: {kinds}", splits, segment=_segment(splits[0]), team=_team(splits))


def company_split(size: str, seed: int, drift: float = 0.0) -> Split:
    """Snapshots of one sample company, through its files and the import."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, size=size, seed=seed, drift=drift, truth_draws=0)
        workspace_file(folder)
        tables = load(Workspace.open(folder), run_id="benchmark").tables
        return snapshot_split(pipelines(tables, month_ends(date(2023, 7, 1), LAST)), outcomes(tables, LAST), TEST_FROM)


def snapshot_split(snapshots: pd.DataFrame, closed: pd.DataFrame, test_from: date) -> Split:
    """Learn from what had been decided the day before; judge by later snapshots that have been decided since.

    Everybody gets the same features, every one known on the day of its snapshot.
    """
    learned_on = test_from - timedelta(days=1)
    train = learning_set(snapshots, closed, learned_on)
    test = learning_set(snapshots, closed, after=learned_on)
    rates = PastRates().fit(closed_with_keys(snapshots, closed[closed["closed_on"] <= pd.Timestamp(learned_on)]))
    X, X_test = deal_features(train, rates), deal_features(test, rates)
    columns = [name for name in learnable(X) if name in X_test]
    return Split(
        plain(X[columns]), train["won"].to_numpy(float), plain(X_test[columns]), test["won"].to_numpy(float),
        test["opportunity_id"].to_numpy(), time=train["as_of"].to_numpy(), matured=train["closed_on"].to_numpy(),
        groups=train["opportunity_id"].to_numpy(), weight=train["weight"].to_numpy(),
        weight_test=test["weight"].to_numpy(), deal_test=test["opportunity_id"].to_numpy(),
        time_test=test["as_of"].to_numpy(), matured_test=test["closed_on"].to_numpy(),
    )  # fmt: skip


def _segment(split: Split) -> str:
    return next(name for name in ("segment", "family", "team", "stage") if name in split.X)


def _team(splits: list[Split]) -> str | None:
    return "team" if all("team" in split.X for split in splits) else None


def truth_of(size: str, seed: int, *, draws: int = 100) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Snapshots, outcomes and true chances of today's open deals."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, size=size, seed=seed, truth_draws=draws)
        workspace_file(folder)
        tables = load(Workspace.open(folder), run_id="benchmark").tables
        truth = pd.read_parquet(Path(folder) / "truth" / "open_deals.parquet")
        return pipelines(tables, month_ends(date(2023, 7, 1), LAST)), outcomes(tables, LAST), truth


def learned_and_open(snapshots: pd.DataFrame, closed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Features and learning set of today, and features of the deals that are open, under their ids."""
    train = learning_set(snapshots, closed)
    rates = PastRates().fit(closed_with_keys(snapshots, closed))
    latest = snapshots[snapshots["as_of"] == snapshots["as_of"].max()]
    X, X_open = deal_features(train, rates), deal_features(latest, rates)
    columns = learnable(X)
    return plain(X[columns]), train, plain(X_open[columns]).set_index(np.asarray(latest["opportunity_id"]))
