"""What a published run was made from: enough to make it again, byte for byte."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from spm_models.published.schemas import VERSION
from spm_models.shipped import shipped

PACKAGE = Path(__file__).resolve().parents[1]
#: Packages whose version may change a published number or a report's look.
PACKAGES = (
    "spm-models", "numpy", "pandas", "scipy", "scikit-learn", "statsmodels", "duckdb", "ibis-framework", "pyarrow",
    "matplotlib", "weasyprint", "nbconvert", "papermill",
)  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """Provenance of one run; holds no clock time, so that the same inputs give the same file.

    Parameters
    ----------
    run_id : str
        Name of the run: snapshot day and the beginning of its key.
    as_of : datetime.date
        Day of the snapshot.
    data_hash, code_hash : str
        SHA-256 of the source data and of the code.
    parameters : dict
        Everything else that decides the result (seed, draws, settings).
    versions : dict
        Package versions.
    tables : dict
        Filled when published: rows and SHA-256 of each table's file.
    notes : dict
        Facts that readers should know (what the source lacks, what was switched off).
    """

    run_id: str
    as_of: date
    data_hash: str
    code_hash: str
    parameters: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    tables: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    schema_version: int = VERSION

    def to_json(self) -> str:
        """Sorted, indented JSON."""
        return json.dumps(asdict(self), indent=2, sort_keys=True, default=str, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Manifest:
        """Read what :meth:`to_json` wrote."""
        raw = json.loads(text)
        raw["as_of"] = date.fromisoformat(raw["as_of"])
        return cls(**raw)


@cache
def code_hash() -> str:
    """SHA-256 over everything in the package: code, catalogues, templates and report notebooks.

    Examples
    --------
    >>> len(code_hash())
    64
    """
    digest = hashlib.sha256()
    for folder in (PACKAGE, shipped("templates/fonts").parent, shipped("notebooks/reports")):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
                digest.update(path.relative_to(folder).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()


@cache
def versions() -> dict[str, str]:
    """Installed versions of the packages that may change a result."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def run_key(as_of: date, data_hash: str, parameters: dict[str, Any]) -> str:
    """SHA-256 that two runs share exactly when they must give the same results.

    Examples
    --------
    >>> day = date(2026, 6, 30)
    >>> run_key(day, "d", {"seed": 1}) == run_key(day, "d", {"seed": 1}) != run_key(day, "d", {"seed": 2})
    True
    """
    facts = [as_of.isoformat(), data_hash, code_hash(), versions(), parameters, VERSION]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()
