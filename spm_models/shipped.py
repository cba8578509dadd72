"""Files that come with the workbench but are no code: templates, fonts, notebooks."""

from __future__ import annotations

from pathlib import Path

from spm_models.errors import SpmError

_PACKAGE = Path(__file__).resolve().parent
_ROOTS = (_PACKAGE.parent, _PACKAGE)  # the source folder; the package that a wheel installed


def shipped(name: str) -> Path:
    """Where a shipped file or folder lies: beside the code, or where a wheel puts it.

    Parameters
    ----------
    name : str
        Its path in the source folder, such as ``templates/fonts``.

    Raises
    ------
    SpmError
        When it is in neither place.

    Examples
    --------
    >>> shipped("templates/workspace/spm.toml").name
    'spm.toml'
    """
    tried = [root / name for root in _ROOTS]
    for path in tried:
        if path.exists():
            return path
    raise SpmError(
        "A file of the workbench is missing", where=" or ".join(map(str, tried)),
        remedy="Install the package again, or run it from its source folder.",
    )  # fmt: skip
