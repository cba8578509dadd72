"""An analyst's notebook reads like a text: question, parameters, imports, answers each read in words, next step."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(p for p in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
ANALYSTS = [path for path in NOTEBOOKS if path.parent == ROOT / "notebooks"]
IMPORTS = {"spm_models", "pandas", "pathlib", "datetime"}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT / "notebooks"))


def cells(path: Path, kind: str) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


every = pytest.mark.parametrize("path", NOTEBOOKS, ids=named)
analysts = pytest.mark.parametrize("path", ANALYSTS, ids=named)


def test_the_five_questions_are_there() -> None:
    assert [path.name[:2] for path in ANALYSTS][:5] == ["01", "02", "03", "04", "05"]


@every
def test_imports_come_from_the_package(path: Path) -> None:
    roots = set()
    for cell in cells(path, "code"):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import):
                roots |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                roots.add((node.module or "").split(".")[0])
    assert roots - IMPORTS == set() and "spm_models" in roots


@every
def test_cell_ids_are_unique_and_readable(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    ids = [cell.id for cell in book.cells]
    assert len(ids) == len(set(ids))
    assert [name for name in ids if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f-]{27})?", name)] == []  # as tools make them


@analysts
def test_one_title_first_and_nothing_else_at_its_level(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    headings = [line for cell in cells(path, "markdown") for line in cell.source.splitlines() if line.startswith("# ")]
    assert len(headings) == 1 and book.cells[0].source.startswith(headings[0])
    assert headings[0].endswith("?"), "the title is the question"


@analysts
def test_it_goes_from_the_question_to_the_next_step(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    kinds = [cell.cell_type for cell in book.cells]
    assert kinds[:3] == ["markdown", "code", "code"] and "parameters" in book.cells[1].metadata.get("tags", [])
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.parse(book.cells[2].source).body)
    assert kinds[-1] == "markdown" and book.cells[-1].source.startswith("## Next step")


@analysts
def test_every_answer_is_read(path: Path) -> None:
    """A code cell with a chart or table is followed by words, at the latest after one more cell."""
    kinds = [cell.cell_type for cell in nbformat.read(path, as_version=4).cells][3:]
    assert "code,code,code" not in ",".join(kinds)


@analysts
def test_links_lead_somewhere(path: Path) -> None:
    targets = [t for cell in cells(path, "markdown") for t in re.findall(r"\]\(([^)#]+)\)", cell.source)]
    assert [target for target in targets if not (path.parent / target).exists()] == []
