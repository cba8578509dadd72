"""What is said of one published table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedTable:
    """Grain, key and pandas types of one published table.

    ``scoped_by`` names the column that the reader filters by: a rep id (``rep_id``), or the pair
    ``level``/``key`` for tables that hold several levels of the organisation.
    """

    name: str
    grain: str
    key: tuple[str, ...]
    columns: dict[str, str]
    scoped_by: str | None
    decimals: int = 6


INTERVAL = {"low": "float64", "high": "float64"}
LEVEL = {"level": "str", "key": "str"}  # company | region | team | manager | rep, and its id ("" for company)
