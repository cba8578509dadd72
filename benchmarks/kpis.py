"""All KPIs for all levels beside the same figures in plain pandas: agreement and time.

Run ``python benchmarks/kpis.py [--quick] [--json]``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from spm_models import kpis
from spm_models.crm import load, organisation
from spm_models.crm.tables import Tables
from spm_models.database import frame
from spm_models.periods import FiscalCalendar, Period
from spm_models.sample_company import write_workspace
from spm_models.snapshots import outcomes
from spm_models.workspace import Workspace

COMPARED = ("win_rate", "revenue", "average_deal_value", "sales_cycle", "activities", "new_opportunities")


def in_pandas(tables: Tables, period: Period) -> pd.DataFrame:
    """The same KPIs for reps, teams, regions, managers and the company, written once more without the registry."""
    people = organisation(tables, period.end)
    closed = outcomes(tables, period.end)
    closed = closed[closed["closed_on"].between(pd.Timestamp(period.start), pd.Timestamp(period.end))]
    closed = closed.assign(days=(closed["closed_on"] - closed["created_on"]).dt.days)
    deals = frame(tables["opportunities"].select("rep_id", "created_on"))
    created = deals[deals["created_on"].between(pd.Timestamp(period.start), pd.Timestamp(period.end))]
    done = frame(tables["activities"].select("rep_id", "happened_at"))
    local = (
        done["happened_at"].dt.tz_localize("UTC").dt.tz_convert(tables.time_zone).dt.tz_localize(None).dt.normalize()
    )
    done = done[local.between(pd.Timestamp(period.start), pd.Timestamp(period.end))]
    parts = []
    for level, column in {"rep": "rep_id", "team": "team", "region": "region", "manager": "manager_id"}.items():
        place = people.set_index("rep_id", drop=False)[column]
        by = [f["rep_id"].map(place) for f in (closed, created, done)]
        parts += _measured(level, closed, created, done, *by)
    everybody = [pd.Series("", index=f.index) for f in (closed, created, done)]
    return pd.concat([*parts, *_measured("company", closed, created, done, *everybody)])


def _measured(level: str, closed: pd.DataFrame, created: pd.DataFrame, done: pd.DataFrame, by_closed: pd.Series,
              by_created: pd.Series, by_done: pd.Series) -> list[pd.DataFrame]:  # fmt: skip
    won = closed[closed["won"]]
    found = {
        "win_rate": closed["won"].groupby(by_closed).mean(),
        "revenue": won["amount"].groupby(by_closed).sum(),
        "average_deal_value": won["amount"].groupby(by_closed).mean(),
        "sales_cycle": won["days"].groupby(by_closed).median(),
        "activities": done.groupby(by_done).size(),
        "new_opportunities": created.groupby(by_created).size(),
    }
    return [
        pd.DataFrame({"kpi": kpi, "level": level, "key": values.index, "value": values.to_numpy(dtype=float)})
        for kpi, values in found.items()
    ]


def measure(size: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        write_workspace(Path(folder), size=size, seed=1)
        workspace = Workspace.open(folder)
        tables = load(workspace, run_id="benchmark").tables
        period = FiscalCalendar.of(workspace.settings.calendar).quarter(tables.extracted_on)
        start = time.perf_counter()
        ours = kpis.levels(tables, period, as_of=period.end)
        middle = time.perf_counter()
        peer = in_pandas(tables, period)
        end = time.perf_counter()
        both = peer.merge(ours, on=["kpi", "level", "key"], how="left", suffixes=("_peer", ""))
        difference = (both["value"] - both["value_peer"]).abs() / both["value_peer"].abs().clip(lower=1)
        return {
            "opportunities": float(tables["opportunities"].count().to_pandas()),
            "activities": float(tables["activities"].count().to_pandas()),
            "kpis": float(ours["kpi"].nunique()), "rows": float(len(ours)), "compared": float(len(both)),
            "missing": float(both["value"].isna().sum()), "largest_relative_difference": float(np.nanmax(difference)),
            "seconds_all_kpis": middle - start, "seconds_pandas_six_kpis": end - middle,
        }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small companies only")
    parser.add_argument("--json", action="store_true", help="the same figures as one flat JSON object")
    options = parser.parse_args()
    table = pd.DataFrame(
        {size: measure(size) for size in (("small", "usual") if options.quick else ("usual", "large"))}
    )
    if options.json:
        print(
            json.dumps({f"kpis.{size}.{k}": v for size, column in table.items() for k, v in column.items()}, indent=1)
        )
        return
    print(f"All KPIs for all levels, and the six of {', '.join(COMPARED)} in plain pandas")
    print(table.round(6).to_string())


if __name__ == "__main__":
    main()
