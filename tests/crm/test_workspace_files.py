"""The data dictionary is current, and a new workspace's settings can be read."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from spm_models import crm
from spm_models.crm.dictionary import dictionary
from spm_models.crm.rules import REMEDIES
from spm_models.crm.schemas import TABLES
from spm_models.crm.workspaces import template
from spm_models.errors import WorkspaceError
from spm_models.settings import Settings
from spm_models.workspace import Workspace

ROOT = Path(__file__).parents[2]


def test_the_data_dictionary_is_current():
    assert (ROOT / "data" / "README.md").read_text(encoding="utf-8") == dictionary(), (
        "run `python -m spm_models.crm.dictionary > data/README.md`"
    )


def test_the_data_dictionary_names_every_table_column_and_rule():
    text = dictionary()
    for name, schema in TABLES.items():
        section = text.split(f"\n### {name}\n")[1].split("\n### ")[0]
        assert all(f"| `{column}` |" in section for column in schema.columns)
    assert all(f"| {rule} |" in text for rule in REMEDIES)


def test_init_writes_settings_that_can_be_read_and_overwrites_nothing(tmp_path):
    file = crm.init_workspace(tmp_path / "acme")
    assert Workspace.open(file.parent).settings.company.currency == "USD"
    assert Workspace.open(file.parent).source_dir.is_dir()
    with pytest.raises(WorkspaceError, match="already"):
        crm.init_workspace(tmp_path / "acme")


def test_the_template_shows_every_setting_with_its_default():
    uncommented = "\n".join(
        line[2:] if re.match(r'# ("[^"]+"|[A-Za-z_]+) = ', line) else line for line in template().splitlines()
    )
    shown = tomllib.loads(uncommented)
    settings = Settings.model_validate(shown)
    for name, section in Settings.model_fields.items():
        if name == "tables":
            continue
        fields = section.annotation.model_fields
        assert set(fields) == set(shown[name]), f"[{name}] in templates/workspace/spm.toml"
    for section, field in (
        ("source", "encoding"),
        ("source", "date_format"),
        ("gate", "max_rejected_share"),
        ("models", "draws"),
    ):
        assert getattr(getattr(settings, section), field) == getattr(getattr(Settings(), section), field)
    assert set(settings.tables["opportunities"].custom_fields) == {"plant_size"}
