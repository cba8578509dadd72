"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CODE = sorted(
    path
    for folder in ("spm_models", "tests", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
TEXT = [
    path
    for folder in ("spm_models", "templates", "notebooks", "docs", "data/examples")
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".toml", ".j2", ".html", ".css", ".js", ".md", ".ipynb", ".json"}
]


def test_no_file_is_longer_than_400_lines() -> None:
    long = {str(path.relative_to(ROOT)): n for path in CODE if (n := len(path.read_text().splitlines())) > 400}
    assert len(CODE) > 20 and long == {}


def test_no_room_without_a_name() -> None:
    nameless = [path for path in CODE if {"utils", "helpers", "common", "misc"} & {path.stem, *path.parts}]
    assert nameless == []


def test_nothing_is_left_for_later_or_swallowed() -> None:
    marks = re.compile(r"\bTODO\b|\bFIXME\b|\bXXX\b|NotImplementedError|except( Exception)?: *(pass|\.\.\.)")
    found = [str(path) for path in CODE if path != Path(__file__).resolve() and marks.search(path.read_text())]
    assert found == []


def test_no_page_or_report_asks_the_network() -> None:
    address = re.compile(r"https?://(?!127\.0\.0\.1|localhost|www\.w3\.org|example\.(com|org|net)|[{<%])[\w.-]+")
    asks = re.compile(r"(src|href|url|@import)\s*[=(:]\s*[\"']?\s*https?://", re.I)
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path in TEXT
        if path.suffix in {".j2", ".html", ".css", ".js", ".ipynb"}
        for match in [asks.search(path.read_text(encoding="utf-8")) or address.search(path.read_text(encoding="utf-8"))]
        if match
    }
    assert found == {}


def test_public_functions_of_rooms_have_docstrings() -> None:
    without = []
    for path in CODE:
        if path.is_relative_to(ROOT / "spm_models"):
            for node in ast.parse(path.read_text()).body:
                public = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
                if public and not ast.get_docstring(node):
                    without.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert without == []


@pytest.mark.parametrize("room", ["apps", "published", "reports", "charts", "translations", "access", "cli"])
def test_light_rooms_load_no_model_library(room: str) -> None:
    heavy = "{'sklearn', 'statsmodels', 'scipy'} & set(sys.modules)"
    code = f"import sys, spm_models.{room}; print(sorted({heavy}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_list_of_features_names_only_what_is_there() -> None:
    from spm_models.published.schemas import TABLES

    rows = re.findall(r"^\| ([A-Z]\d\d) \| .+? \| (.+?) \| .+ \|$", (ROOT / "docs/features.md").read_text(), re.M)
    assert len(rows) > 60
    missing = []
    for feature, where in rows:
        folder = ROOT / "spm_models"
        for name in re.findall(r"`([^`]+)`", where):
            if name.endswith((".py", "/")):
                found = [path for path in (ROOT / "spm_models" / name, ROOT / name, folder / name) if path.exists()]
                missing += [] if found else [(feature, name)]
                folder = found[0] if found and name.endswith("/") else found[0].parent if found else folder
            elif re.fullmatch("[a-z_0-9]+", name) and name not in TABLES:
                missing.append((feature, name))
    assert missing == []
