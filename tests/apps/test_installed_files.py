"""What the page server needs beside the code is found in the source folder and comes with a wheel."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

from spm_models.shipped import shipped

ROOT = Path(__file__).parents[2]


def test_the_source_folder_has_them():
    assert shipped("templates/voila/spm/index.html.j2").is_file()
    assert shipped("notebooks/apps/revenue_outlook.ipynb").is_file()


def test_a_wheel_has_them(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=120)
    names = set(zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist())
    assert {
        "spm_models/templates/voila/spm/index.html.j2", "spm_models/templates/voila/spm/static/page.css",
        "spm_models/templates/fonts/SPMSans-Regular.woff2", "spm_models/notebooks/apps/revenue_outlook.ipynb",
    } <= names  # fmt: skip
