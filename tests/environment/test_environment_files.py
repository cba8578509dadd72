"""pyproject.toml, requirements.lock and environment.yml name the same packages with the same limits."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from importlib.metadata import version as installed_version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
#: conda-forge's name where it differs from PyPI's.
CONDA_NAMES = {"ibis-duckdb": "ibis-framework", "python-duckdb": "duckdb"}
ONLY_CONDA = {"python", "pip"}
LOCKS = ["requirements.lock", "requirements-benchmark.lock", "requirements-benchmark-series.lock",
         "requirements-spark.lock"]  # fmt: skip


def wanted(extra: str = "test") -> dict[str, SpecifierSet]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = project["dependencies"] + project["optional-dependencies"][extra]
    requirements = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r.specifier for r in requirements}


def conda() -> dict[str, SpecifierSet]:
    found = {}
    for line in (ROOT / "environment.yml").read_text().splitlines():
        match = re.match(r"\s*- ([A-Za-z0-9_.-]+)\s*([<>=!~0-9.,]*)\s*(#.*)?$", line)
        if match and match[1] not in ONLY_CONDA | {"conda-forge"}:
            found[canonicalize_name(CONDA_NAMES.get(match[1], match[1]))] = SpecifierSet(match[2])
    return found


def locked(file: str = "requirements.lock") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for match in re.finditer(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)", (ROOT / file).read_text(), re.M):
        found.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return found


def test_conda_file_names_the_same_packages_and_limits() -> None:
    assert conda() == wanted()


def test_every_conda_line_gives_its_reason() -> None:
    lines = (ROOT / "environment.yml").read_text().splitlines()
    packages = [line for line in lines if re.match(r"\s+- [a-z]", line) and "conda-forge" not in line]
    without = [line for line in packages if "#" not in line and not line.rstrip().endswith("pip:")]
    assert len(packages) > 40 and without == []


@pytest.mark.parametrize("name", sorted(wanted()))
def test_lock_satisfies_the_limits(name: str) -> None:
    versions = locked().get(name, [])
    assert versions, f"{name} is not in requirements.lock: run `make lock`"
    assert all(Version(version) in wanted()[name] for version in versions)


def test_every_package_that_the_code_imports_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    sources = packages_distributions()
    imported = {
        name.split(".")[0]
        for path in (ROOT / "spm_models").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [one.name for one in node.names] if isinstance(node, ast.Import)
            else [str(node.module)] if isinstance(node, ast.ImportFrom) and node.level == 0 else []
        )
    } - {"spm_models", *sys.stdlib_module_names}  # fmt: skip
    names = {module: {canonicalize_name(name) for name in sources.get(module, [module])} for module in imported}
    assert len(names) > 20
    assert {module: found for module, found in names.items() if not found & declared} == {}


@pytest.mark.parametrize("file", LOCKS)
def test_lock_has_a_hash_for_every_package_and_names_no_registry(file: str) -> None:
    text = (ROOT / file).read_text()
    blocks = re.split(r"^(?=[a-z0-9])", text, flags=re.M)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|index-url|find-links", text)


def test_peers_are_locked_for_the_benchmark_alone_beside_the_same_versions_of_everything_else() -> None:
    peers, beside = locked("requirements-benchmark.lock"), wanted("benchmark")
    own = set(beside) - set(wanted())
    assert own == {"catboost", "leadforge", "lightgbm"}
    assert all(Version(version) in beside[name] for name in own for version in peers[name])
    assert not own & set(locked())
    assert {name: peers.get(name) for name in locked()} == locked()


def test_spark_is_locked_apart_beside_the_same_versions_of_everything_else() -> None:
    with_spark = locked("requirements-spark.lock")
    assert set(wanted("spark")) - set(wanted()) == {"pyspark"} and "pyspark" not in locked()
    assert all(Version(version) in wanted("spark")["pyspark"] for version in with_spark["pyspark"])
    assert {name: with_spark.get(name) for name in locked()} == locked()


def test_peers_of_series_are_locked_apart_because_of_their_pandas_beside_the_same_versions_of_everything_else() -> None:
    group = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]["benchmark-series"]
    beside = {canonicalize_name(r.name): r.specifier for r in map(Requirement, group)}
    peers, ours = locked("requirements-benchmark-series.lock"), locked()
    assert {"statsforecast", "pandas"} <= set(beside)
    assert all(Version(version) in limits for name, limits in beside.items() for version in peers[name])
    assert all(Version(version) < Version("3") for version in peers["pandas"])
    assert {name for name in set(peers) & set(ours) if peers[name] != ours[name]} == {"pandas"}
    assert not {"statsforecast", "numba"} & set(ours)


def test_every_lock_is_made_by_make_lock_and_every_environment_is_removed_and_not_recorded() -> None:
    makefile, ignored = (ROOT / "Makefile").read_text(), (ROOT / ".gitignore").read_text()
    recipe = re.search(r"^lock:.*\n((?:\t.*\n)+)", makefile, re.M)
    assert recipe and all(f"--output-file {file}" in recipe[1] for file in LOCKS)
    for folder in (".venv", ".venv-benchmark", ".venv-benchmark-series", ".venv-spark"):
        assert f"{folder}/\n" in ignored and re.search(rf"rm -rf .*{re.escape(folder)}( |$)", makefile, re.M)


def test_this_environment_is_the_locked_one() -> None:
    differing = {
        name: installed_version(name) for name in wanted() if installed_version(name) not in locked().get(name, [])
    }
    assert differing == {}


@pytest.mark.parametrize(("name", "limit"), [("duckdb", "2"), ("sqlglot", "30")])
def test_pairs_that_fail_at_run_time_are_kept_out(name: str, limit: str) -> None:
    assert Version(limit) not in wanted()[name]
    assert all(Version(version) < Version(limit) for version in locked()[name])
