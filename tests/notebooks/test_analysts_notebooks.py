"""The analysts' notebooks run from end to end, and what they show are results, not merely the absence of errors."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from spm_models import crm
from spm_models.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
MAVEN = ROOT.parent / "shared" / "data" / "maven_crm"
RUN = """
import json, sys, papermill
job = json.loads(sys.argv[1])
papermill.execute_notebook(job["notebook"], job["output"], parameters=job["parameters"], kernel_name="python3",
                           cwd=job["folder"], progress_bar=False, request_save_on_cell_execute=False)
"""


@dataclass(frozen=True)
class Executed:
    """A notebook that was run by papermill in a process of its own."""

    code: int
    said: str
    cells: dict[str, Any]

    def succeeded(self) -> bool:
        """The process ended well, every code cell was run, and none holds an error."""
        code = [cell for cell in self.cells.values() if cell.cell_type == "code"]
        wrong = [out for cell in code for out in cell.outputs if out.output_type == "error" or _stderr(out)]
        return self.code == 0 and bool(code) and all(cell.execution_count for cell in code) and not wrong

    def shown(self, cell: str, kind: str = "text/plain") -> str:
        """What a cell displays as its result."""
        (result,) = [out for out in self.cells[cell].outputs if out.output_type == "execute_result"]
        return str(result["data"][kind])

    def table(self, cell: str, number: int = 0) -> pd.DataFrame:
        """A table that a cell displays."""
        found = BeautifulSoup(self.shown(cell, "text/html"), "html.parser").find_all("table")[number]
        rows = [[part.get_text(strip=True) for part in row.find_all(["th", "td"])] for row in found.find_all("tr")]
        return pd.DataFrame(rows[1:], columns=rows[0])

    def chart(self, cell: str) -> int:
        """Drawn paths of the chart that a cell displays."""
        return len(re.findall(r"<path|<use", self.shown(cell, "image/svg+xml")))


def _stderr(out: Any) -> bool:
    return out.output_type == "stream" and out.name == "stderr"


def run(name: str, folder: Path, workspace: Path, **parameters: Any) -> Executed:
    path = next((ROOT / "notebooks").glob(f"{name}_*.ipynb"))
    output = folder / f"{name}.ipynb"
    job = {"notebook": str(path), "output": str(output), "folder": str(path.parent),
           "parameters": {"workspace": str(workspace), **parameters}}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", RUN, json.dumps(job)], capture_output=True, text=True, check=False)
    cells = nbformat.read(output, as_version=4).cells if output.exists() else []
    return Executed(done.returncode, done.stderr, {cell.id: cell for cell in cells})


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small committed sample, loaded."""
    folder = tmp_path_factory.mktemp("company")
    shutil.copy(ROOT / "data/sample/spm.toml", folder)
    shutil.copytree(ROOT / "data/sample/tables", folder / "tables")
    text = (folder / "spm.toml").read_text(encoding="utf-8")
    assert "\n[models]\n" in text
    (folder / "spm.toml").write_text(text.replace("\n[models]\n", "\n[models]\ndraws = 300\n"), encoding="utf-8")
    loaded = crm.load(Workspace.open(folder), run_id="test")
    assert loaded.quality.read > 10_000
    return folder


@pytest.fixture(scope="module")
def deals() -> pd.DataFrame:
    """The deals as they stand in the file, read without the package."""
    return pd.read_csv(ROOT / "data/sample/tables/opportunities.csv", parse_dates=["closed_on"])


@pytest.fixture(scope="module")
def maven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real export without any history."""
    if not MAVEN.is_dir():
        pytest.skip(f"no data in {MAVEN}")
    folder = tmp_path_factory.mktemp("maven")
    text = (ROOT / "data/examples/maven/spm.toml").read_text(encoding="utf-8")
    assert "\n[source]\n" in text
    settings = text.replace("\n[source]\n", f'\n[source]\npath = "{MAVEN.as_posix()}"\n')
    (folder / "spm.toml").write_text(settings, encoding="utf-8")
    return folder


def test_check_data_shows_the_figures_of_the_files(company: Path, deals: pd.DataFrame, tmp_path: Path) -> None:
    book = run("01", tmp_path, company)
    assert book.succeeded(), book.said
    assert f"opportunities: {len(deals):,} rows" in book.shown("health", "text/html")
    assert "spm run weekly" in book.shown("health", "text/html")
    kpis = book.table("kpis").set_index("KPI")
    won = deals[deals["closed_on"].between("2026-04-01", "2026-06-30") & (deals["stage"] == "Closed Won")]
    assert "2026-Q2" in book.shown("quarter") and kpis["Value"]["Deals won"] == str(len(won))
    assert kpis["Value"]["Win rate"].endswith("%") and "won" in kpis["Definition"]["Win rate"].lower()
    filled = book.table("filled").set_index("column")
    assert filled["earlier"]["competitor"] == "0%", "no history records it, so no past value may be known"


def test_win_probability_scores_and_explains(company: Path, deals: pd.DataFrame, tmp_path: Path) -> None:
    book = run("02", tmp_path, company, number=5)
    assert book.succeeded(), book.said
    still_open = deals[~deals["stage"].isin(["Closed Won", "Closed Lost"])]
    assert f"{len(still_open):,} open" in book.shown("known")
    assert book.table("summary")["deals"].astype(int).sum() == len(still_open)
    scores = book.table("scores")
    chances = scores[["low", "win_probability", "high"]].apply(lambda column: column.str.rstrip("%").astype(int))
    assert len(scores) == 5 and (chances.diff(axis=1).iloc[:, 1:] >= 0).all(axis=None)
    assert book.shown("fit").strip("'") in {"model", "stage_rate", "rep_rate", "base_rate"}
    assert book.chart("reliability") > 20
    assert book.table("why")["rank"][0] == "0"


def test_forecast_adds_up_and_draws(company: Path, tmp_path: Path) -> None:
    book = run("03", tmp_path, company, level="rep")
    assert book.succeeded(), book.said
    parts = book.table("summary").set_index("part").map(lambda text: float(re.sub(r"[^\d.-]", "", text)))
    assert list(parts.index) == ["closed", "open", "slipped", "renewals", "not_yet_created", "total"]
    assert parts["mean"]["total"] == pytest.approx(parts["mean"].iloc[:5].sum(), abs=2)
    assert parts.loc["total", ["p10", "p50", "p90"]].is_monotonic_increasing and parts["mean"]["total"] > 0
    assert min(book.chart(cell) for cell in ("range", "history", "units")) > 20
    assert "2026-Q3" in book.shown("known") and set(book.table("chances")["tier"]) == {"minimum", "standard", "maximum"}


def test_coaching_judges_every_rep(company: Path, tmp_path: Path) -> None:
    book = run("04", tmp_path, company, signal="activity")
    assert book.succeeded(), book.said
    verdicts = book.table("verdicts")
    counts = book.table("review").set_index("signal").drop(columns="expected_false").astype(int)
    assert counts.loc["rep"].sum() == len(verdicts) > 0
    assert set(verdicts["verdict"]) <= {"coaching_suggestion", "watch", "doing_well", "fine", "not_enough_data"}
    assert min(book.chart(cell) for cell in ("signal", "signals", "gap")) > 10


def test_coaching_tells_the_gap_in_steps_that_add_up(company: Path, tmp_path: Path) -> None:
    book = run("04", tmp_path, company)
    assert book.succeeded(), book.said
    steps = book.table("gap-figures").set_index("step")["amount"].str.replace(r"[^\d-]", "", regex=True).astype(float)
    assert steps.index[0] == "start" and steps.index[-1] == "end" and len(steps) > 5
    assert steps.iloc[:-1].sum() == pytest.approx(steps.iloc[-1], abs=len(steps))  # shown in whole units
    assert {"activity", "wins"} & set(book.table("warnings")["watch"])
    assert {"remedy", "goal", "reached_by", "peers"} <= set(book.table("plan").columns)
    flags = book.table("why-flagged")
    assert set(flags["probability_below"].str.strip("%").astype(float).between(0, 100)) == {True}
    assert {"quarters_below", "detectable", "verdict"} <= set(flags.columns)
    places = book.table("places").astype({"rank_low": int, "rank": int, "rank_high": int})
    assert (places["rank_low"] <= places["rank"]).all() and (places["rank"] <= places["rank_high"]).all()


def test_backtest_names_what_it_compared(company: Path, tmp_path: Path) -> None:
    book = run("05", tmp_path, company, test_from="2025-12-01")
    assert book.succeeded(), book.said
    assert "2025-12-01" in book.shown("test-from")
    models = book.table("evaluation", 1).set_index("")
    assert {"base_rate", "stage_rate"} <= set(models.index) and models["log_loss"].astype(float).between(0.2, 1.2).all()
    assert "simulation" in set(book.table("replay")["method"]) and "replayed" in book.shown("verdict")
    assert book.chart("past-forecasts") > 10 and book.chart("reliability") > 20


def test_a_deal_is_explored_and_asked_what_if(company: Path, deals: pd.DataFrame, tmp_path: Path) -> None:
    open_ones = deals[~deals["stage"].isin(["Closed Won", "Closed Lost"])].sort_values("opportunity_id")
    one = open_ones[open_ones["created_on"] < "2026-05-01"].iloc[0]
    book = run("06", tmp_path, company, deal=one["opportunity_id"], weeks=4, more_meetings=2)
    assert book.succeeded(), book.said
    past = book.table("past")
    assert 2 <= len(past) <= 5 and past["stage"].iloc[-1] == one["stage"]
    assert one["opportunity_id"] in book.shown("deal") and book.chart("trend") > 10
    assert "not cause" in book.shown("what-if", "text/html") and "more_meetings=2" in book.shown("what-if")
    scores = book.table("scores").set_index("deal")
    assert book.shown("deal").split(": ")[1].startswith(scores["win_probability"]["as it is"])
    assert list(scores.index) == ["as it is", "what if"] and len(book.table("difference")) >= 1
    assert set(book.table("variable")["input"]) >= {"stage", "amount", "expected_close_on", "more_meetings"}
    (still,) = [out for out in book.cells["controls"].outputs if out.output_type == "execute_result"]
    assert set(still["data"]) == {"text/html", "text/plain"}, "nobody can move a control under papermill"
    assert book.table("controls").shape == (2, 3)


def test_the_pipeline_is_reviewed_stage_by_stage(company: Path, deals: pd.DataFrame, tmp_path: Path) -> None:
    book = run("07", tmp_path, company, number=5)
    assert book.succeeded(), book.said
    still_open = deals[~deals["stage"].isin(["Closed Won", "Closed Lost"])]
    assert book.table("stages")["deals"].astype(int).sum() == len(still_open)
    stuck = book.table("stuck")
    assert len(stuck) == 5 and set(stuck["opportunity_id"]) <= set(still_open["opportunity_id"])
    reasons = book.table("reasons")
    assert list(dict.fromkeys(reasons["opportunity_id"])) == list(stuck["opportunity_id"])
    assert reasons["reason"].str.contains("nine of ten won deals").all()
    assert set(book.table("bottlenecks")["verdict"]) <= {"bottleneck", "fine"} and book.chart("dwell") > 10
    assert book.chart("relation-chart") > 10 and len(book.table("losses")) >= 2


@pytest.mark.parametrize("name", ["01", "02"])
def test_a_source_without_history_runs_as_well(maven: Path, tmp_path: Path, name: str) -> None:
    book = run(name, tmp_path, maven)
    assert book.succeeded(), book.said
    assert "2,089 open and 6,711 closed deals" in book.shown("known")
    if name == "01":
        filled = book.table("filled").set_index("column")
        assert filled["earlier"]["stage"] == "0%" and "no history" in book.shown("health", "text/html")
    else:
        assert (
            book.table("summary")["deals"].str.replace(",", "").astype(int).sum() == 2089
            and book.chart("reliability") > 20
        )


def test_a_day_after_the_data_is_refused_in_words(company: Path, tmp_path: Path) -> None:
    book = run("01", tmp_path, company, as_of="2031-01-01")
    assert not book.succeeded() and "lies after the last day of the data" in book.said
