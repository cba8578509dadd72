"""The company's data: read, checked, stored, and who belonged where.

``load`` reads a workspace's source into its warehouse, ``open_tables`` opens what was loaded, ``check`` says how
healthy it is, ``init_workspace`` makes a new workspace. All but ``organisation`` are loaded when first used: pages
need to know who belongs where, not how files are read.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from spm_models.crm.organisation import organisation

if TYPE_CHECKING:
    from spm_models.crm.health import Health, TableHealth, check
    from spm_models.crm.loading import Progress
    from spm_models.crm.quality import Finding, QualityReport, TableQuality
    from spm_models.crm.tables import Tables
    from spm_models.crm.warehouse import Loaded, load, open_tables
    from spm_models.crm.workspaces import init_workspace

_HOMES = {
    "Finding": "quality", "Health": "health", "Loaded": "warehouse", "Progress": "loading", "QualityReport": "quality",
    "TableHealth": "health", "TableQuality": "quality", "Tables": "tables", "check": "health",
    "init_workspace": "workspaces", "load": "warehouse", "open_tables": "warehouse",
}  # fmt: skip
__all__ = [
    "Finding",
    "Health",
    "Loaded",
    "Progress",
    "QualityReport",
    "TableHealth",
    "TableQuality",
    "Tables",
    "check",
    "init_workspace",
    "load",
    "open_tables",
    "organisation",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
