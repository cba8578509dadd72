"""What every KPI is, as rows for programs and as the page ``docs/kpis.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from spm_models.kpis.definition import Kpi
from spm_models.kpis.registry import KPIS

_REQUIRED = ("reps", "opportunities")
_INTERVALS = {
    "wilson": "Wilson", "mean": "mean ± normal quantile", "bootstrap": "bootstrap", "order_statistics":
    "order statistics", "kaplan_meier": "Kaplan–Meier", None: "",
}  # fmt: skip


def listing(kpis: Mapping[str, Kpi] = KPIS) -> list[dict[str, Any]]:
    """One row a KPI, by its number in the inventory and within it in the order of the registry.

    Returns
    -------
    list of dict
        ``id``, ``name``, ``definition``, ``unit``, ``direction``, ``tables`` (with the required ones), ``deal_scores``
        (whether published win probabilities are needed), ``ahead`` (whether it is known before the period begins),
        ``interval``, ``healthy`` (low and high, or None), ``source``.

    Examples
    --------
    >>> row = listing()[0]
    >>> row["id"], row["name"], row["interval"], row["healthy"]
    ('K01', 'win_rate', 'Wilson', [0.2, 0.3])
    """
    return [
        {
            "id": kpi.id,
            "name": kpi.name,
            "definition": kpi.definition,
            "unit": kpi.unit,
            "direction": kpi.direction,
            "tables": [*_REQUIRED, *kpi.needs],
            "deal_scores": kpi.needs_scores,
            "ahead": kpi.ahead,
            "interval": _INTERVALS[kpi.interval],
            "healthy": None if kpi.healthy is None else list(kpi.healthy),
            "source": kpi.source,
        }
        for kpi in sorted(kpis.values(), key=lambda kpi: kpi.id)
    ]


def band(healthy: list[float] | None, unit: str) -> str:
    """A healthy band in words.

    Examples
    --------
    >>> band([0.2, 0.3], "share"), band([3, 4], "ratio"), band(None, "days")
    ('20–30 %', '3–4 ×', '')
    """
    if healthy is None:
        return ""
    scale, ending = {"share": (100, " %"), "ratio": (1, " ×"), "days": (1, " days")}.get(unit, (1, ""))
    low, high = (f"{bound * scale:g}" for bound in healthy)
    return f"{low}–{high}{ending}"


def page() -> str:
    """The page ``docs/kpis.md``: ``python -m spm_models.kpis.listing > docs/kpis.md``."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# KPIs"
    yield ""
    yield "Written by `python -m spm_models.kpis.listing > docs/kpis.md` from the definitions in `spm_models/kpis`; a"
    yield "test holds the two together. `spm kpis list` shows the same, `--json` to programs."
    yield ""
    yield "Every KPI is computed for reps, teams, regions, managers and the company, by any period of the calendar. A"
    yield "KPI whose tables are missing is left out. Intervals are of 80 %. A healthy band is context, never a verdict"
    yield "by itself. *Ahead*: known before the period begins."
    yield ""
    yield "| id | name | definition | unit | better | interval | healthy | tables beside reps, opportunities | ahead |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in listing():
        tables = [f"`{name}`" for name in row["tables"][len(_REQUIRED) :]] + ["deal scores"] * row["deal_scores"]
        cells = (
            row["id"], f"`{row['name']}`", row["definition"].replace("|", "\\|"), row["unit"].replace("_", " "),
            "depends" if row["direction"] == "context" else row["direction"], row["interval"],
            band(row["healthy"], row["unit"]), ", ".join(tables), "yes" if row["ahead"] else "",
        )  # fmt: skip
        yield f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(page())
