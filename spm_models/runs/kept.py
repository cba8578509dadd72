"""Work on the past that is kept on disk, named by a hash of all that it was made from, so that it is done once."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd
from pyarrow import ArrowException

from spm_models.published import versions
from spm_models.published.manifest import PACKAGE

_LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "statsmodels")


def read_kept(file: Path) -> pd.DataFrame | None:
    """What an earlier run wrote; None where there is nothing, or a damaged file: that work is done again."""
    try:
        return pd.read_parquet(file)
    except (OSError, ArrowException):
        return None


def keep(table: pd.DataFrame, file: Path, older: str) -> None:
    """Write a table whole or not at all, and remove what an earlier state of things said about the same."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    table.to_parquet(beside, index=False)
    for path in file.parent.glob(older):
        path.unlink(missing_ok=True)
    beside.replace(file)


@cache
def code_of(rooms: tuple[str, ...]) -> str:
    """SHA-256 of the code of some packages."""
    digest = hashlib.sha256()
    for room in rooms:
        for path in sorted((PACKAGE / room).rglob("*.py")):
            digest.update(path.relative_to(PACKAGE).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()


@dataclass(frozen=True)
class KeptWeeks:
    """Replayed weeks of the revenue forecast in a folder (a :class:`~spm_models.revenue_forecast.past_weeks.Keep`).

    Parameters
    ----------
    folder : Path
        Made when the first week is kept.
    """

    folder: Path

    def get(self, name: str, digest: str) -> pd.DataFrame | None:
        """What was kept of a week under this hash, by this code and these libraries."""
        return read_kept(self._file(name, digest))

    def put(self, name: str, digest: str, week: pd.DataFrame) -> None:
        """Keep a week in place of what was kept of it before."""
        self.folder.mkdir(parents=True, exist_ok=True)
        keep(week, self._file(name, digest), f"{name}-*.parquet")

    def _file(self, name: str, digest: str) -> Path:
        rooms = ("revenue_forecast", "win_probability", "inference", "evaluation", "snapshots")
        used = [digest, code_of(rooms), *(str(versions().get(library)) for library in _LIBRARIES)]
        return self.folder / f"{name}-{hashlib.sha256(' '.join(used).encode()).hexdigest()[:16]}.parquet"
