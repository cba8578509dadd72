"""What a backtest of the forecast found, as files: read by reports, which load no model."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from spm_models.errors import NotEnoughDataError

FACTS = "facts.json"


@dataclass(frozen=True)
class ForecastBacktest:
    """How past forecasts did.

    Parameters
    ----------
    facts : dict
        Plain values: the verdict (:func:`~spm_models.revenue_forecast.accuracy.verdict`), what was replayed, and what
        it was made from.
    tables : dict of DataFrame
        ``replay`` (one forecast), ``accuracy`` (one method and week), ``levels``, ``placement``, ``weights``,
        ``submissions`` (one level and week).
    """

    facts: dict[str, Any]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def __getitem__(self, name: str) -> pd.DataFrame:
        return self.tables[name]

    def save(self, folder: Path) -> Path:
        """Write facts and tables beside ``folder``, then put them in its place; a stopped run leaves no half of it."""
        building = folder.with_name(f".{folder.name}.{os.getpid()}")
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        text = json.dumps(self.facts, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        (building / FACTS).write_text(text, encoding="utf-8")
        for name, table in self.tables.items():
            table.to_parquet(building / f"{name}.parquet", index=False)
        shutil.rmtree(folder, ignore_errors=True)
        building.rename(folder)
        return folder

    @classmethod
    def read(cls, folder: Path) -> ForecastBacktest:
        """Read what :meth:`save` wrote.

        Raises
        ------
        NotEnoughDataError
            When there is nothing.
        """
        if not (folder / FACTS).is_file():
            raise NotEnoughDataError(
                "There is no backtest of the forecast yet", where=str(folder),
                remedy="Run `spm backtest forecast` first.",
            )  # fmt: skip
        facts = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return cls(facts, {path.stem: pd.read_parquet(path) for path in sorted(folder.glob("*.parquet"))})
