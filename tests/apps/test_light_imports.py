"""A page loads no model library: it shows what was published."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date

import pytest

from spm_models.published import Manifest, publish
from spm_models.workspace import Workspace

HEAVY = ("sklearn", "statsmodels", "scipy")


def loaded(code: str, **environ: str) -> set[str]:
    code = f"{code}\nimport sys\nprint('LOADED', *sorted({{name.split('.')[0] for name in sys.modules}}))"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPM_")} | environ
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split("LOADED", 1)[1].split())


def test_importing_the_pages_loads_no_model_library():
    assert loaded("import spm_models.apps, spm_models.apps.server").isdisjoint(HEAVY)


@pytest.mark.slow
def test_a_whole_page_loads_no_model_library(tmp_path, company):
    (tmp_path / "spm.toml").write_text('[company]\ncurrency = "USD"\n', encoding="utf-8")
    workspace = Workspace.open(tmp_path)
    publish(workspace, company, Manifest("run", date(2026, 8, 14), "0" * 64, "c" * 64))
    code = (
        "from spm_models.apps import Session, revenue_outlook\n"
        "outlook = revenue_outlook(Session.open())\n"
        "assert len(list(outlook.headline.items())) == 1 and len(list(outlook.first_charts.items())) == 1\n"
        "assert len(list(outlook.what_if.items())) == 3 and len(list(outlook.details.items())) == 1"
    )
    names = loaded(code, SPM_WORKSPACE=str(tmp_path), SPM_VIEWER="m1")
    assert names.isdisjoint(HEAVY) and "matplotlib" in names
