"""Where the page template, the fonts and the page notebooks lie: beside the code, or where a wheel puts them."""

from __future__ import annotations

from pathlib import Path

from spm_models.errors import PageError

_PACKAGE = Path(__file__).resolve().parents[1]
_ROOTS = (_PACKAGE.parent, _PACKAGE)  #: the source folder; the package that a wheel installed


def templates_folder() -> Path:
    """Folder of templates and fonts."""
    return _first("templates", marker="voila/spm/index.html.j2")


def notebooks_folder() -> Path:
    """Folder of the page notebooks; nothing else is served."""
    return _first("notebooks/apps", marker=".")


def _first(name: str, *, marker: str) -> Path:
    tried = [root / name for root in _ROOTS]
    for folder in tried:
        if (folder / marker).exists():
            return folder
    raise PageError(
        "A folder of the workbench is missing", where=" or ".join(map(str, tried)), found=f"no {marker}",
        remedy="Install the package again, or run it from its source folder.",
    )  # fmt: skip
