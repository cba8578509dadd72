"""Win probability beside plain rates and untuned peers, on deals decided after everybody had learned.

Run ``python benchmarks/win_probability.py [--quick] [--json]``. Everybody learns from the same learning set, with the
same weights, and scores the same later snapshots. Measured on the Maven export (when it lies in
``../shared/data/maven_crm``) and on the sample company.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

from spm_models.crm import load
from spm_models.evaluation import auc, brier, calibration_error, log_loss
from spm_models.sample_company import workspace_file, write
from spm_models.snapshots import PIPELINE, month_ends, outcomes, pipelines
from spm_models.win_probability import WinProbability, evaluate, learning_set
from spm_models.workspace import Workspace

ROOT = Path(__file__).resolve().parents[1]
MAVEN = ROOT.parent / "shared" / "data" / "maven_crm"
MEASURES = {"log_loss": log_loss, "brier": brier, "auc": auc, "calibration_error": calibration_error}
NOT_FEATURES = {"as_of", "opportunity_id", "account_id", "created_on", "expected_close_on"}


def peers() -> dict[str, Pipeline]:
    """What a first notebook would try, with the defaults of scikit-learn."""
    words, numbers = make_column_selector(dtype_include=["str"]), make_column_selector(dtype_include=["float64"])
    one_hot = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20)
    filled = make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler())
    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=200)
    return {
        "one-hot logistic": make_pipeline(
            make_column_transformer((one_hot, words), (filled, numbers)), LogisticRegression(max_iter=1000)
        ),
        "gradient boosting": make_pipeline(
            make_column_transformer((codes, words), ("passthrough", numbers)),
            HistGradientBoostingClassifier(random_state=0),
        ),
    }


def compare(snapshots: pd.DataFrame, closed: pd.DataFrame, test_from: date) -> tuple[pd.DataFrame, str]:
    """One row a method: measures on the later snapshots, and seconds to learn and score."""
    learned_on = test_from - timedelta(days=1)
    start = time.perf_counter()
    found = evaluate(snapshots, closed, test_from)
    seconds = {"model": time.perf_counter() - start}
    rows = found.scores.pivot(index="model", columns="measure", values="value")[list(MEASURES)]
    train = learning_set(snapshots, closed, learned_on)
    test = learning_set(snapshots, closed, after=learned_on)
    columns = [name for name in PIPELINE if name not in NOT_FEATURES and train[name].notna().any()]
    for name, peer in peers().items():
        start = time.perf_counter()
        step = peer.steps[-1][0]
        peer.fit(_plain(train[columns]), train["won"], **{f"{step}__sample_weight": train["weight"]})
        p = peer.predict_proba(_plain(test[columns]))[:, 1]
        seconds[name] = time.perf_counter() - start
        rows.loc[name] = [measure(test["won"], p, test["weight"]) for measure in MEASURES.values()]
    return rows.assign(seconds=pd.Series(seconds)).rename_axis("method").reset_index(), found.published


def _plain(rows: pd.DataFrame) -> pd.DataFrame:
    words = rows.select_dtypes("str").columns
    return rows.assign(**{name: rows[name].fillna("") for name in words})


def maven() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Snapshots and outcomes of the Maven export."""
    with tempfile.TemporaryDirectory() as folder:
        settings = (ROOT / "data" / "examples" / "maven" / "spm.toml").read_text(encoding="utf-8")
        (Path(folder) / "spm.toml").write_text(settings, encoding="utf-8")
        tables = load(Workspace.open(folder, source=MAVEN), run_id="benchmark").tables
        days = month_ends(date(2016, 10, 1), date(2017, 12, 31))
        return pipelines(tables, days), outcomes(tables, date(2017, 12, 31))


def sample(size: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Snapshots, outcomes and true chances of a sample company."""
    with tempfile.TemporaryDirectory() as folder:
        write(folder, size=size, seed=3)
        workspace_file(folder)
        tables = load(Workspace.open(folder), run_id="benchmark").tables
        truth = pd.read_parquet(Path(folder) / "truth" / "open_deals.parquet")
        days = month_ends(date(2023, 7, 1), date(2026, 6, 30))
        return pipelines(tables, days), outcomes(tables, date(2026, 6, 30)), truth


def against_truth(snapshots: pd.DataFrame, closed: pd.DataFrame, truth: pd.DataFrame) -> dict[str, float]:
    """What the model says of today's open deals beside their true chances."""
    latest = snapshots[snapshots["as_of"] == snapshots["as_of"].max()]
    scores = WinProbability(seed=1).fit(snapshots, closed).predict(latest).table
    both = scores.merge(truth, on="opportunity_id")
    told, true = both["win_probability"].to_numpy(), both["p_win"].to_numpy()
    return {
        "open_deals": float(len(both)), "mean_told": told.mean(), "mean_true": true.mean(),
        "correlation": float(np.corrcoef(told, true)[0, 1]), "rmse": float(np.sqrt(np.mean((told - true) ** 2))),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a small sample company")
    parser.add_argument("--json", action="store_true", help="flat keys instead of tables")
    options = parser.parse_args()
    flat: dict[str, float | str] = {}
    snapshots, closed, truth = sample("small" if options.quick else "usual")
    cases = {"sample": (snapshots, closed, date(2026, 1, 1))}
    if MAVEN.is_dir():
        cases["maven"] = (*maven(), date(2017, 10, 1))
    for name, (rows, outcome, test_from) in cases.items():
        table, published = compare(rows, outcome, test_from)
        flat[f"{name}.published"] = published
        for record in table.to_dict("records"):
            method = str(record.pop("method")).replace(" ", "_")
            flat |= {f"{name}.{method}.{key}": round(float(value), 4) for key, value in record.items()}
        if not options.json:
            print(f"\n{name}: tested from {test_from}, published: {published}")
            print(table.round(4).to_string(index=False, na_rep=""))
    facts = against_truth(snapshots, closed, truth)
    flat |= {f"sample.truth.{key}": round(value, 4) for key, value in facts.items()}
    if options.json:
        print(json.dumps({key: value for key, value in flat.items() if value == value}, indent=2))
    else:
        print("\nsample: open deals beside their true chances")
        print(pd.Series(facts).round(4).to_string())


if __name__ == "__main__":
    main()
