"""The notebook of targets runs on a published company and shows its targets, reasons and goals."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import nbformat

from spm_models.published import Manifest, publish
from spm_models.published.schemas import TABLES
from spm_models.runs.known import Known
from spm_models.workspace import Workspace

ROOT = Path(__file__).resolve().parents[2]
RUN = "import json, sys, papermill; papermill.execute_notebook(**json.loads(sys.argv[1]), progress_bar=False)"


def test_targets_are_shown_and_explained(tmp_path: Path) -> None:
    folder, output = tmp_path / "company", tmp_path / "08.ipynb"
    shutil.copytree(ROOT / "data/sample", folder, ignore=shutil.ignore_patterns("state"))
    people = Known.of(folder).people
    published = {"reps": people.reindex(columns=list(TABLES["reps"].columns))}
    publish(Workspace.open(folder), published, Manifest("run", date(2026, 6, 30), "d", "c"))
    job = {"input_path": str(ROOT / "notebooks/08_targets.ipynb"), "output_path": str(output), "kernel_name": "python3",
           "cwd": str(ROOT / "notebooks"), "parameters": {"workspace": str(folder), "rep": "R0001"}}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", RUN, json.dumps(job)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cells = {cell.id: cell for cell in nbformat.read(output, as_version=4).cells}

    def shown(name: str, kind: str = "text/plain") -> str:
        (result,) = [out for out in cells[name].outputs if out.output_type == "execute_result"]
        return str(result["data"][kind])

    assert "R0001" in shown("targets", "text/html") and "1,739,000" in shown("targets", "text/html")
    assert "A year ago you won" in shown("why") and "plan adds" in shown("why")
    assert "not_enough_data" in shown("attainability", "text/html"), "no forecast was published"
    assert "G00007" in shown("goals", "text/html") and "Cannot be told" in shown("checks")
