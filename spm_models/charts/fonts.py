"""The fonts of every chart, page and report: ours, never the machine's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from spm_models.shipped import shipped

FAMILIES = ("SPM Sans", "SPM Sans Arabic")


def folder() -> Path:
    """Where the font files lie."""
    return shipped("templates/fonts/SPMSans-Regular.ttf").parent


@cache
def register() -> tuple[str, ...]:
    """Make the fonts known to matplotlib, once; return the families in the order in which they are tried."""
    from matplotlib import font_manager

    for file in sorted(folder().glob("*.ttf")):
        font_manager.fontManager.addfont(file)
    return FAMILIES
