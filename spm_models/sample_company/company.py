"""A whole simulated company: made chunk by chunk, kept in memory or written to a folder as it is made."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import pandas as pd
import pyarrow as pa

from spm_models.sample_company import columns, sizes
from spm_models.sample_company.making import Making, Progress, usual_draws
from spm_models.sample_company.workspace_file import LAST_DAY, workspace_file
from spm_models.sample_company.writer import Writer

VERSION = 1  #: raised when the same recipe gives another company


@dataclass(frozen=True)
class Company:
    """A simulated company in memory.

    Parameters
    ----------
    tables : dict of DataFrame
        The CRM tables with the types of ``crm.schemas`` (amounts as floats), by name.
    truth : dict of DataFrame
        What no table says: causes, what coaching did, corrections after closing, true chances.
    """

    tables: dict[str, pd.DataFrame]
    truth: dict[str, pd.DataFrame]
    seed: int
    last_day: date


def simulate(
    size: str = "usual", *, seed: int = 1, months: int = 36, last_day: date = LAST_DAY,
    opportunities: int | None = None, truth_draws: int | None = None, drift: float = 0.0,
) -> Company:  # fmt: skip
    """Simulate a company and keep it in memory.

    Parameters
    ----------
    size : {"tiny", "small", "usual", "large"}
        3, 12, 40 or 400 reps.
    seed : int
        The same seed gives the same company.
    months : int
        Length of the records; they end on ``last_day``.
    opportunities : int, optional
        About so many opportunities instead of a named size.
    truth_draws : int, optional
        Futures from which true chances are counted; by default 200, fewer for large companies, 0 for none.
    drift : float
        With 1 the market gets worse, turns, and gets better: the win rate about doubles and the mix of deals changes.
        With -1 the other way round, down to about a third. Without it the market is steady.

    Examples
    --------
    >>> company = simulate("tiny", seed=7, months=6, truth_draws=0)
    >>> sorted(company.tables)[:3]
    ['absences', 'accounts', 'activities']
    """
    parts: dict[str, list[pa.Table]] = {}
    truth: dict[str, list[pa.Table]] = {}
    making = _making(size, seed, months, last_day, opportunities, truth_draws, drift)
    for kind, name, table in making.run(chunk_reps=80, progress=None):
        (parts if kind == "table" else truth).setdefault(name, []).append(table)
    return Company(
        {name: columns.typed(name, pa.concat_tables(pieces)) for name, pieces in parts.items()},
        {name: pa.concat_tables(pieces).to_pandas() for name, pieces in truth.items()},
        seed,
        last_day,
    )


def write(
    folder: Path | str, *, size: str = "usual", seed: int = 1, months: int = 36, last_day: date = LAST_DAY,
    opportunities: int | None = None, format: Literal["csv", "parquet"] = "csv",  # noqa: A002
    chunk_reps: int = 80, truth_draws: int | None = None, drift: float = 0.0, progress: Progress | None = None,
) -> Path:  # fmt: skip
    """Simulate a company and write it as it is made: ``folder/tables`` and ``folder/truth``.

    Memory depends on ``chunk_reps`` and not on the size of the company; the bytes written do not depend on it.

    Returns
    -------
    Path
        The folder with the tables.

    Examples
    --------
    >>> import tempfile
    >>> tables = write(tempfile.mkdtemp(), size="tiny", months=6, truth_draws=0)
    >>> (tables / "opportunities.csv").exists()
    True
    """
    root = Path(folder)
    making = _making(size, seed, months, last_day, opportunities, truth_draws, drift)
    with Writer(root / "tables", format) as tables, Writer(root / "truth", "parquet") as truth:
        for kind, name, table in making.run(chunk_reps, progress):
            (tables if kind == "table" else truth).add(name, table)
    return root / "tables"


def write_workspace(
    folder: Path | str,
    *,
    size: str = "usual",
    seed: int = 1,
    months: int = 36,
    drift: float = 0.0,
    keep: bool = False,
    progress: Progress | None = None,
) -> bool:
    """Write a sample company and its ``spm.toml``; what the workspace has made so far stays.

    Parameters
    ----------
    keep : bool
        Do nothing if the same company (size, seed and drift) is there already.

    Returns
    -------
    bool
        Whether it was written.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> write_workspace(folder, size="tiny"), write_workspace(folder, size="tiny", keep=True)
    (True, False)
    """
    root = Path(folder)
    made = root / "truth" / "made.json"
    recipe = {"size": size, "seed": seed, "months": months, "last_day": LAST_DAY.isoformat(), "version": VERSION}
    recipe |= {"drift": drift} if drift else {}
    if keep and made.is_file() and json.loads(made.read_text(encoding="utf-8")) == recipe:
        return False
    _refuse_foreign(root, made)
    for part in ("tables", "truth"):
        shutil.rmtree(root / part, ignore_errors=True)
    write(root, size=size, seed=seed, months=months, drift=drift, progress=progress)
    workspace_file(root)
    made.write_text(json.dumps(recipe, indent=1) + "\n", encoding="utf-8")
    return True


def _refuse_foreign(root: Path, made: Path) -> None:
    """Never write over tables that were not simulated here."""
    if (root / "tables").is_dir() and any((root / "tables").iterdir()) and not made.is_file():
        raise sizes.SampleError(
            "This folder holds tables that are not a sample company", where=str(root / "tables"),
            remedy="Name another folder, or move the tables away.",
        )  # fmt: skip


def _making(
    size: str, seed: int, months: int, last_day: date, opportunities: int | None,
    truth_draws: int | None, drift: float,
) -> Making:  # fmt: skip
    seats = sizes.seats_for(size, opportunities, months)
    return Making(seats, seed, months, last_day, usual_draws(seats) if truth_draws is None else truth_draws, drift)
