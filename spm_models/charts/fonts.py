"""The fonts of every chart, page and report: ours, never the machine's."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from spm_models.errors import ReportError

FAMILIES = ("SPM Sans", "SPM Sans Arabic")
_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE.parent / "templates" / "fonts", _PACKAGE / "templates" / "fonts")


def folder() -> Path:
    """Where the font files lie: beside the code, or where a wheel puts them."""
    for place in _PLACES:
        if (place / "SPMSans-Regular.ttf").is_file():
            return place
    raise ReportError(
        "The fonts are missing", where=" or ".join(map(str, _PLACES)), found="no SPMSans-Regular.ttf",
        remedy="Install the package again, or run it from its source folder.",
    )  # fmt: skip


@cache
def register() -> tuple[str, ...]:
    """Make the fonts known to matplotlib, once; return the families in the order in which they are tried."""
    from matplotlib import font_manager

    for file in sorted(folder().glob("*.ttf")):
        font_manager.fontManager.addfont(file)
    return FAMILIES
