"""A new workspace: a folder with a commented spm.toml and a place for CRM exports."""

from __future__ import annotations

from pathlib import Path

from spm_models.errors import WorkspaceError
from spm_models.shipped import shipped
from spm_models.workspace import FILE


def template() -> str:
    """The commented settings file, from the installed package or from the source tree.

    Examples
    --------
    >>> import tomllib
    >>> tomllib.loads(template())["company"]["currency"]
    'USD'
    """
    return shipped(f"templates/workspace/{FILE}").read_text(encoding="utf-8")


def init_workspace(folder: Path | str) -> Path:
    """Make a workspace; what is there already stays.

    Parameters
    ----------
    folder : path
        Made if missing.

    Returns
    -------
    Path
        The new spm.toml.

    Raises
    ------
    WorkspaceError
        When the folder has a spm.toml already.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> init_workspace(pathlib.Path(tempfile.mkdtemp()) / "acme").name
    'spm.toml'
    """
    folder = Path(folder)
    file = folder / FILE
    if file.exists():
        raise WorkspaceError(
            "This folder is a workspace already", where=str(file), remedy="Edit it, or choose another folder."
        )
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    file.write_text(template(), encoding="utf-8")
    ignore = folder / ".gitignore"
    if not ignore.exists():
        ignore.write_text("state/\n", encoding="utf-8")
    return file
