"""The company's data: read, checked, stored, and who belonged where.

``load`` reads a workspace's source into its warehouse, ``open_tables`` opens what was loaded, ``check`` says how
healthy it is, ``init_workspace`` makes a new workspace.
"""

from spm_models.crm.health import Health, TableHealth, check
from spm_models.crm.loading import Progress
from spm_models.crm.organisation import organisation
from spm_models.crm.quality import Finding, QualityReport, TableQuality
from spm_models.crm.tables import Tables
from spm_models.crm.warehouse import Loaded, load, open_tables
from spm_models.crm.workspaces import init_workspace

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
