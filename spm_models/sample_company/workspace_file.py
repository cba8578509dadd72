"""The settings of the sample company's workspace: a commented spm.toml beside its tables."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from spm_models.sample_company.buyers import STAGES
from spm_models.sample_company.organisation import EXECUTIVE
from spm_models.sample_company.plans import COMPANY

LAST_DAY = date(2026, 6, 30)
_TEMPLATE = """\
# Workspace of the sample company: a simulated Turkish software house (docs/sample_company.md).
# Its tables are in our own schema (data/README.md), so nothing has to be mapped.

[company]
name = "{name}"
currency = "TRY"
locale = "tr"
time_zone = "Europe/Istanbul"

[calendar]
fiscal_year_start_month = 1
week_start = "monday"
weekend = ["saturday", "sunday"]

[source]
path = "tables"
extracted_on = {last_day}      # the last simulated day; next steps are planned for days after it
time_zone = "UTC"              # of instants
# encoding = "utf-8", separator = ",", ISO dates: as they are by default

[stages]
order = [{order}]

[stages.status]
{status}

# Two columns of opportunities that only this company has.
[tables.opportunities.custom_fields.procurement]
kind = "text"                  # direct, tender or framework
known = "creation"

[tables.opportunities.custom_fields.budget_status]
kind = "text"                  # unknown, planned, approved, rejected; people fill it in after the decision
known = "changing"

[models]
# What is settled when a deal is created and is not changed afterwards.
known_at_creation = [
  "account_id", "product_id", "source", "kind", "created_on", "currency", "term_months", "procurement",
]

[kpis]
pack = "b2b_software"          # what scorecards show, and against which bands; `spm kpis list -w .`

[pages]
viewer = "{viewer}"                # the executive; M001 is a manager, R0001 a rep
"""


def workspace_file(folder: Path | str, *, last_day: date = LAST_DAY, viewer: str = EXECUTIVE) -> Path:
    """Write ``spm.toml`` for a sample company whose tables lie in ``folder/tables``.

    Parameters
    ----------
    folder : path
        The workspace; made if it is not there.
    last_day : datetime.date
        Last simulated day.
    viewer : str
        For whom the pages are opened: a rep's, manager's or the executive's id.

    Examples
    --------
    >>> import tempfile
    >>> from spm_models.workspace import Workspace
    >>> file = workspace_file(tempfile.mkdtemp())
    >>> Workspace.open(file.parent).settings.company.currency
    'TRY'
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    meaning = ["open"] * (len(STAGES) - 2) + ["won", "lost"]
    text = _TEMPLATE.format(
        name=COMPANY, last_day=last_day.isoformat(), viewer=viewer,
        order=", ".join(f'"{stage}"' for stage in STAGES[:-2]),
        status="\n".join(f'"{stage}" = "{status}"' for stage, status in zip(STAGES, meaning, strict=True)),
    )  # fmt: skip
    file = root / "spm.toml"
    file.write_text(text, encoding="utf-8")
    return file
