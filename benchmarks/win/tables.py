"""Flat tables: closed deals of the Maven export, calls of a bank in the order of time, simulated leads."""

from __future__ import annotations

import io
import json
import tempfile
import zipfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from spm_models.evaluation import log_loss
from win.split import Split, Table, plain

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data"
MAVEN, BANK = DATA / "maven_crm", DATA / "bank_calls" / "bank-additional.zip"
LABELS_LATE = 200  # rows after which the outcome of a call is known
ROWS_A_BLOCK = 250
TRAP = "total_touches_all"  # leadforge's own: counts touches after the snapshot


class TableMissingError(Exception):
    """A table whose data or package is not on this machine; the text says which."""


def maven_deals() -> Table:
    """Closed deals with what was known when they began; learned from those closed before 2017-09-29."""
    if not MAVEN.is_dir():
        raise TableMissingError(f"no data in {MAVEN}")
    deals = _maven_deals()
    cut = pd.Timestamp("2017-09-29")
    train, test = deals[deals["closed"] < cut], deals[deals["closed"] >= cut]
    hidden = ["closed", "engaged", "won"]
    split = Split(
        plain(train.drop(columns=hidden)), train["won"].to_numpy(float),
        plain(test.drop(columns=hidden)), test["won"].to_numpy(float), test["closed"].to_numpy(),
        time=train["engaged"].to_numpy(), matured=train["closed"].to_numpy(),
        time_test=test["engaged"].to_numpy(), matured_test=test["closed"].to_numpy(),
    )  # fmt: skip
    about = "Maven, closed deals by what was known at the start, without the month"
    return Table("maven_deals", about, [split], segment="sector", team="manager", cluster="day of closing")


def _maven_deals() -> pd.DataFrame:
    deals = pd.read_csv(MAVEN / "sales_pipeline.csv")
    deals = deals[deals["deal_stage"].isin(("Won", "Lost"))].assign(
        product=deals["product"].replace({"GTXPro": "GTX Pro"}),
        engaged=pd.to_datetime(deals["engage_date"], format="%d-%m-%y"),
        closed=pd.to_datetime(deals["close_date"], format="%d-%m-%y"),
        won=(deals["deal_stage"] == "Won").astype(float),
    )
    for name, key in (("accounts", "account"), ("products", "product"), ("sales_teams", "sales_agent")):
        deals = deals.merge(pd.read_csv(MAVEN / f"{name}.csv"), on=key, how="left", validate="many_to_one")
    deals["weekday"] = deals["engaged"].dt.day_name()
    deals["day_of_month"] = deals["engaged"].dt.day.astype(float)
    told = ["opportunity_id", "deal_stage", "engage_date", "close_date", "close_value", "engage_quarter"]
    return deals.drop(columns=[*told, "close_quarter"]).sort_values(["engaged", "closed"], ignore_index=True)


def bank_calls(step: int = 1) -> Table:
    """Calls in the order of time: 70 % to learn from, 30 % to be judged by, without their duration."""
    if not BANK.is_file():
        raise TableMissingError(f"no data in {BANK}")
    with zipfile.ZipFile(BANK) as archive:
        text = archive.read("bank-additional/bank-additional-full.csv")
    calls = pd.read_csv(io.BytesIO(text), sep=";").iloc[::step]
    won, X = (calls["y"] == "yes").to_numpy(float), plain(calls.drop(columns=["y", "duration"]))
    order, cut = np.arange(len(calls)), int(0.7 * len(calls))
    split = Split(
        X[:cut], won[:cut], X[cut:].reset_index(drop=True), won[cut:], order[cut:] // ROWS_A_BLOCK,
        time=order[:cut], matured=order[:cut], time_test=order[cut:], matured_test=order[cut:] + LABELS_LATE,
    )  # fmt: skip
    about = f"bank calls in the order of time, win rate {won[:cut].mean():.1%}, later {won[cut:].mean():.1%}"
    return Table("bank_calls", about, [split], segment="job", cluster=f"block of {ROWS_A_BLOCK} calls")


def leadforge(seed: int = 11, folds: int = 5) -> Table:
    """Simulated leads of intermediate difficulty, in folds of whole accounts; their hidden traits give the ceiling."""
    if find_spec("leadforge") is None:
        raise TableMissingError("leadforge is not installed (extra `benchmark`)")
    leads, latents = _leads(seed)
    won, accounts = leads.pop("converted_within_90_days").to_numpy(float), leads["account_id"].to_numpy(str)
    X = plain(leads.drop(columns=["account_id", "contact_id", "lead_id", "lead_created_at", TRAP]))
    splits, said = [], np.empty(len(won))
    seen = pd.concat([latents, X.select_dtypes("float64").fillna(0.0)], axis=1)
    for train, test in GroupKFold(folds).split(X, won, accounts):
        splits.append(
            Split(X.iloc[train].reset_index(drop=True), won[train], X.iloc[test].reset_index(drop=True), won[test],
                  accounts[test], groups=accounts[train])
        )  # fmt: skip
        oracle = make_pipeline(StandardScaler(), LogisticRegression()).fit(seen.iloc[train], won[train])
        said[test] = oracle.predict_proba(seen.iloc[test])[:, 1]
    about = f"leadforge leads, seed {seed}, intermediate, {folds} folds of whole accounts"
    return Table("leadforge", about, splits, segment="industry", team="region", cluster="account",
                 ceiling=log_loss(won, said))  # fmt: skip


def _leads(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """All leads as the public sees them, and beside them the traits that only the simulator knows."""
    make = import_module("leadforge.api").Generator.from_recipe
    with tempfile.TemporaryDirectory() as folder:
        for mode in ("student_public", "research_instructor"):
            world = make("b2b_saas_procurement_v1", seed=seed, exposure_mode=mode).generate(difficulty="intermediate")
            world.save(f"{folder}/{mode}")
        parts = sorted(Path(folder, "student_public", "tasks", "converted_within_90_days").glob("*.parquet"))
        leads = pd.concat([pd.read_parquet(part) for part in parts]).sort_values("lead_id", ignore_index=True)
        hidden = json.loads(Path(folder, "research_instructor", "metadata", "latent_registry.json").read_text())
    latents = [
        pd.DataFrame.from_dict(hidden[f"{kind}_latents"], orient="index").reindex(leads[f"{kind}_id"].astype(object))
        for kind in ("account", "contact", "lead")
    ]
    return leads, pd.concat([part.reset_index(drop=True) for part in latents], axis=1)
