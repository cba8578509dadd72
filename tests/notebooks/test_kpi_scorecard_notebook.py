"""The notebook of the KPI scorecard shows the company's choice in the reader's language and writes it to a file."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from openpyxl import load_workbook

ROOT = Path(__file__).resolve().parents[2]
RUN = "import json, sys, papermill; papermill.execute_notebook(**json.loads(sys.argv[1]), progress_bar=False)"
SETTINGS = """
[kpis]
choose = ["win_rate", "revenue", "meetings_per_week"]
targets = { meetings_per_week = 1000 }
"""


def test_the_scorecard_of_teams_in_turkish(tmp_path: Path) -> None:
    folder, output, written = tmp_path / "company", tmp_path / "09.ipynb", tmp_path / "kpis.xlsx"
    shutil.copytree(ROOT / "data/sample", folder, ignore=shutil.ignore_patterns("state"))
    settings = (folder / "spm.toml").read_text(encoding="utf-8")
    (folder / "spm.toml").write_text(re.sub(r"\[kpis\]\npack = .*\n", SETTINGS, settings), encoding="utf-8")
    job = {"input_path": str(ROOT / "notebooks/09_kpi_scorecard.ipynb"), "output_path": str(output),
           "kernel_name": "python3", "cwd": str(ROOT / "notebooks"),
           "parameters": {"workspace": str(folder), "grain": "month", "last": 4, "locale": "tr", "kpi": "revenue",
                          "out": str(written)}}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", RUN, json.dumps(job)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    cells = {cell.id: cell for cell in nbformat.read(output, as_version=4).cells}

    def shown(name: str, kind: str = "text/html") -> str:
        (result,) = [out for out in cells[name].outputs if out.output_type == "execute_result"]
        return str(result["data"][kind])

    def lines(name: str) -> list[list[str]]:
        rows = BeautifulSoup(shown(name), "html.parser").find_all("tr")
        return [[cell.get_text(strip=True) for cell in row.find_all(["th", "td"])] for row in rows]

    heads, *card = lines("unit")
    assert heads[0] == "Gösterge (KPI)" and "Şirket · Haziran 2026" in shown("unit")
    assert [line[0] for line in card] == ["Kazanma oranı", "Gelir", "Haftalık toplantı sayısı"], "as it was chosen"
    assert card[2][-1] == "Hedefe ulaşılmadı" and card[1][1].startswith("₺")
    teams = [line[0] for line in lines("everybody")[1:]]
    assert len(teams) >= 2 and "Gelir · Haziran 2026" in shown("everybody")
    assert [line[0] for line in lines("history")[1:]] == ["Mart 2026", "Nisan 2026", "Mayıs 2026", "Haziran 2026"]
    assert shown("chart", "image/svg+xml").count("<path") > 20
    assert set(teams) == {row[1] for row in load_workbook(written).worksheets[0].iter_rows(min_row=2, values_only=True)}
