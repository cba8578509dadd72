"""Every notebook is thin: it loads, calls one thing a cell, shows it. What thinks lies in spm_models."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted(p for p in (ROOT / "notebooks").rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
ANALYSTS = [path for path in NOTEBOOKS if path.parent == ROOT / "notebooks"]
LINES, CELLS = 6, 25
STATEMENTS = (
    ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.For, ast.AsyncFor, ast.While, ast.ListComp,
    ast.SetComp, ast.DictComp, ast.GeneratorExp,
)  # fmt: skip
#: Methods that turn one table into another; a notebook asks for the table that it wants to show.
RESHAPING = {
    "groupby", "pivot", "pivot_table", "melt", "merge", "join", "stack", "unstack", "apply", "applymap", "map", "agg",
    "aggregate", "transform", "resample", "rolling", "explode", "assign", "pipe", "iterrows", "itertuples", "concat",
}  # fmt: skip
SECRET = re.compile(r"password|secret|token|api_?key|viewer|scope", re.IGNORECASE)
ANNOTATIONS = {"str": str, "int": int, "float": float, "bool": bool}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT / "notebooks"))


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def code_cells(book: dict[str, Any]) -> list[dict[str, Any]]:
    return [cell for cell in book["cells"] if cell["cell_type"] == "code"]


def opens_a_session(book: dict[str, Any]) -> bool:
    """Whether it is a page, which the page server starts."""
    return any("Session.open()" in source(cell) for cell in code_cells(book))


def is_parameters(cell: dict[str, Any]) -> bool:
    return "parameters" in cell["metadata"].get("tags", [])


def faults(text: str) -> Iterator[str]:
    """What makes a cell thick."""
    lines = [line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    if len(lines) > LINES:
        yield f"{len(lines)} lines"
    if re.search(r"^\s*[%!]", text, re.MULTILINE):
        yield "a magic or shell line"
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, STATEMENTS):
            yield type(node).__name__
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called == "print":
                yield "print"
            elif isinstance(node.func, ast.Attribute) and called in RESHAPING and not _of_text(node.func):
                yield f"reshaping: {called}"
        elif isinstance(node, ast.Import | ast.ImportFrom):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (
                f"imports {module}" for module in modules if module.split(".")[0] in ("pandas", "numpy", "ibis")
            )


def _of_text(attribute: ast.Attribute) -> bool:
    """``" ".join(...)`` is no reshaping."""
    return isinstance(attribute.value, ast.Constant) and isinstance(attribute.value.value, str)


@pytest.fixture(params=NOTEBOOKS, ids=name_of)
def path(request: pytest.FixtureRequest) -> Path:
    chosen: Path = request.param
    return chosen


@pytest.fixture
def book(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def test_the_search_finds_what_it_should() -> None:
    thick = {
        "def f(): pass": "FunctionDef", "for x in y: x": "For", "[x for x in y]": "ListComp", "print(1)": "print",
        'frame.groupby("a").sum()': "reshaping: groupby", "import pandas as pd": "imports pandas",
        "f = lambda x: x": "Lambda", "%matplotlib inline": "a magic or shell line", "\n".join("abcdefg"): "7 lines",
        "class A: pass": "ClassDef", "frame.T.merge(other)": "reshaping: merge",
    }  # fmt: skip
    assert {text: next(faults(text), "") for text in thick} == thick
    assert list(faults('from spm_models.reports import x\n\nx.open("w")\n" ".join(words)')) == []


def test_there_are_notebooks_to_look_at() -> None:
    assert any(path.parent.name == "apps" for path in NOTEBOOKS)
    assert any(path.parent.name == "reports" for path in NOTEBOOKS)


def test_cells_are_thin(book: dict[str, Any]) -> None:
    found = [
        (cell.get("id"), fault)
        for cell in code_cells(book)
        if not is_parameters(cell)
        for fault in faults(source(cell))
    ]
    assert found == []
    assert 1 <= len(code_cells(book)) <= CELLS


def test_parameters_are_annotated_literals_with_a_word_each(book: dict[str, Any]) -> None:
    tagged = [cell for cell in code_cells(book) if is_parameters(cell)]
    if not tagged and opens_a_session(book):
        return  # a page is told by its address what to show
    assert len(tagged) == 1
    text = source(tagged[0])
    for node in ast.parse(text).body:
        assert isinstance(node, ast.AnnAssign), f"no annotation: {ast.unparse(node)}"
        assert isinstance(node.target, ast.Name) and node.value is not None
        kind = ANNOTATIONS[ast.unparse(node.annotation)]
        assert type(ast.literal_eval(node.value)) is kind, ast.unparse(node)
        assert not SECRET.search(node.target.id), "who looks and secrets come by the environment"
        assert "#" in text.splitlines()[node.lineno - 1], f"say what {node.target.id} is"


def test_nothing_that_ran_is_kept(book: dict[str, Any]) -> None:
    assert [cell["outputs"] for cell in code_cells(book) if cell["outputs"]] == []
    assert [cell["execution_count"] for cell in code_cells(book) if cell["execution_count"] is not None] == []
    assert "papermill" not in book["metadata"] and not any("papermill" in cell["metadata"] for cell in book["cells"])
    assert not any("raises-exception" in cell["metadata"].get("tags", []) for cell in book["cells"])
    assert all(cell.get("id") for cell in book["cells"]) and book["metadata"]["kernelspec"]["name"] == "python3"


def test_words_for_readers_come_from_the_catalogues(path: Path, book: dict[str, Any]) -> None:
    if path in ANALYSTS:
        pytest.skip("analysts' notebooks are written in English")
    assert [cell.get("id") for cell in book["cells"] if cell["cell_type"] != "code"] == []


@pytest.mark.parametrize("analysts", ANALYSTS, ids=name_of)
def test_analysts_notebooks_have_one_title_and_headings_below_it(analysts: Path) -> None:
    cells = json.loads(analysts.read_text(encoding="utf-8"))["cells"]
    headings = [
        line for c in cells if c["cell_type"] == "markdown" for line in source(c).splitlines() if line.startswith("#")
    ]
    assert source(cells[0]).startswith("# ") and cells[0]["cell_type"] == "markdown"
    assert sum(line.startswith("# ") for line in headings) == 1
    assert any(line.startswith("## ") for line in headings)
