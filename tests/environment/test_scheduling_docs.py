"""The examples for other schedulers name notebooks, parameters and commands that exist."""

from __future__ import annotations

import ast
import json
import re
import shlex
from pathlib import Path

from typer.testing import CliRunner

from spm_models.cli import app
from spm_models.reports.execute import declared_parameters

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "scheduling.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", TEXT, flags=re.DOTALL)[1]


def calls(name: str) -> dict[str, ast.expr]:
    found = [node for node in ast.walk(ast.parse(block("python"))) if isinstance(node, ast.Call)]
    (call,) = [node for node in found if isinstance(node.func, ast.Name) and node.func.id == name]
    return {keyword.arg: keyword.value for keyword in call.keywords}


def test_airflows_notebook_has_these_parameters_and_our_kernel() -> None:
    given = {name: ast.literal_eval(value) for name, value in calls("PapermillOperator").items()}
    notebook = ROOT / given["input_nb"].removeprefix("/opt/spm/")
    assert notebook.is_file() and set(given["parameters"]) <= set(declared_parameters(notebook))
    assert (ROOT / "templates" / "kernels" / given["kernel_name"] / "kernel.json").is_file()
    assert f"ipykernel install --prefix /opt/airflow --name {given['kernel_name']}" in TEXT  # in its own environment
    assert "{{ ds" not in str(given["parameters"])  # a week before the data, or a day after them
    assert "tz=" in block("python")


def test_no_example_gives_a_scope_as_a_parameter() -> None:
    given = ast.literal_eval(calls("PapermillOperator")["parameters"]) | json.loads(block("json"))["parameters"]
    assert set(given) == {"workspace", "as_of"}


def test_airflows_command_is_one_of_ours() -> None:
    made, line = ast.literal_eval(calls("BashOperator")["bash_command"]).split(" && ")
    written = ast.literal_eval(calls("PapermillOperator")["output_nb"])
    assert made == f"mkdir -p {Path(written).parent}"  # papermill makes no folders
    words = shlex.split(line)
    assert words[0].endswith("/spm")
    options = [word for word in words[3:] if word.startswith("--")]
    told = CliRunner().invoke(app, [*words[1:3], "--help"], terminal_width=200, env={"COLUMNS": "200"})
    assert told.exit_code == 0 and all(option in told.output for option in options)


def test_the_job_definition_names_a_notebook_its_parameters_and_the_fields_of_jupyter_scheduler() -> None:
    job = json.loads(block("json"))
    assert set(job["parameters"]) <= set(declared_parameters(ROOT / job["input_uri"]))
    fields = {  # of its model CreateJobDefinition
        "input_uri", "output_prefix", "runtime_environment_name", "runtime_environment_parameters", "output_formats",
        "parameters", "tags", "name", "output_filename_template", "compute_type", "schedule", "timezone",
    }  # fmt: skip
    assert set(job) <= fields and len(job["schedule"].split()) == 5
