"""KPI scorecards as Excel and CSV files: numbers as numbers in their own unit, text as text, and the provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from spm_models.charts.kpis import dimension_word, unit_word, verdict_word
from spm_models.errors import SpmError
from spm_models.kpis.listing import title
from spm_models.kpis.registry import KPIS
from spm_models.kpis.scorecard import Scorecard
from spm_models.reports.export import Column, Sheet, to_csv, to_workbook
from spm_models.translations import Translator

ENDINGS = (".xlsx", ".csv")
_FIGURES = ("value", "low", "high", "numerator", "denominator", "previous", "peers", "target")
_FORMATS = {"share": "0.0%", "money": "#,##0", "money_per_day": "#,##0", "count": "#,##0", "ratio": "0.00"}
_DECIMAL = "#,##0.0"  #: days, hours, seconds and whatever is counted per something


def write_scorecard(card: Scorecard, t: Translator, path: Path, *, facts: Mapping[str, str]) -> Path:
    """Write a scorecard to a file, as its ending says.

    Parameters
    ----------
    card : Scorecard
    t : Translator
        Language of headings, names of KPIs and verdicts; in Arabic the sheets run from right to left.
    path : Path
        ``.xlsx``: the scorecard, where it comes from, and the definitions, a sheet each. ``.csv``: the scorecard, each
        row with the day and the fingerprint of the data.
    facts : mapping of str to str
        ``company``, ``data_hash`` and whatever else tells where it comes from: keys of ``scorecard`` in the catalogues.

    Raises
    ------
    SpmError
        When the file's ending is another one.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise SpmError(
            "This kind of file cannot be written", where=str(path), found=ending or "no ending",
            remedy=f"End its name with {' or '.join(ENDINGS)}.",
        )  # fmt: skip
    rows, columns = _rows(card, t), _columns(card, t)
    told = _provenance(card, facts)
    if ending == ".csv":
        marks = ("as_of", "data_hash")
        marked = rows.assign(**{name: told[name] for name in marks if name in told})
        columns += [Column(name, t(f"scorecard.{name}")) for name in marks if name in told]
        return to_csv(marked, columns, path)
    widths = [34, *([24] * (len(columns) - len(_FIGURES) - 4)), 18, 14, *([14] * len(_FIGURES)), 30]
    sheets = [
        Sheet(t("scorecard.title"), rows, columns, widths), _about(t, told), _definitions(card, t),
    ]  # fmt: skip
    return to_workbook(sheets, path, rtl=t.direction == "rtl")


def _rows(card: Scorecard, t: Translator) -> pd.DataFrame:
    """The table with words beside its numbers; money is rounded to cents, and each number has its format."""
    records: list[Any] = card.table.to_dict("records")
    words: dict[str, list[Any]] = {
        "kpi_word": [title(t, row["kpi"]) for row in records],
        "period_word": [t.period(row["period"]) for row in records],
        "unit_of_value": [_unit(t, row["unit"]) for row in records],
        "verdict_word": [verdict_word(t, row) for row in records],
        "format": [_FORMATS.get(row["unit"], _DECIMAL) for row in records],
    }
    for name in card.by:
        words[f"{name}_word"] = [unit_word(t, row, [name]) for row in records]
    found = card.table.assign(**words)
    found[list(_FIGURES)] = found[list(_FIGURES)].round(6)
    return found


def _unit(t: Translator, unit: str) -> str:
    return t.currency or "" if unit == "money" else t(f"kpi_units.{unit}")


def _columns(card: Scorecard, t: Translator) -> list[Column]:
    plain = ("numerator", "denominator")  # of another unit than the value
    return [
        Column("kpi_word", t("scorecard.kpi")),
        *(Column(f"{name}_word", dimension_word(t, name)) for name in card.by),
        Column("period_word", t("common.period")), Column("unit_of_value", t("scorecard.measure")),
        *(Column(name, t(f"scorecard.{name}"), number=True, format_from="" if name in plain else "format")
          for name in _FIGURES),
        Column("verdict_word", t("scorecard.verdict")),
    ]  # fmt: skip


def _provenance(card: Scorecard, facts: Mapping[str, str]) -> dict[str, str]:
    told = {"company": "", "as_of": card.as_of.isoformat(), "data_hash": "", "pack": card.choice.pack}
    told |= {"periods": ", ".join(f"{one.label} ({one.start} – {one.end})" for one in card.periods)} | dict(facts)
    return {name: text for name, text in told.items() if text}


def _about(t: Translator, told: Mapping[str, str]) -> Sheet:
    frame = pd.DataFrame({"item": [t(f"scorecard.{name}") for name in told], "told": list(told.values())})
    columns = [Column("item", t("scorecard.item")), Column("told", t("scorecard.value"))]
    return Sheet(t("scorecard.provenance"), frame, columns, [28, 90])


def _definitions(card: Scorecard, t: Translator) -> Sheet:
    names = card.kpis
    frame = pd.DataFrame(
        {
            "id": [KPIS[name].id for name in names], "kpi": [title(t, name) for name in names],
            "definition": [KPIS[name].definition for name in names],
            "low": [_ends(card, name)[0] for name in names], "high": [_ends(card, name)[1] for name in names],
            "source": [card.choice.sources.get(name, KPIS[name].source) for name in names],
            "format": [_FORMATS.get(KPIS[name].unit, _DECIMAL) for name in names],
        }
    )  # fmt: skip
    band = t("scorecard.band")
    columns = [
        Column("id", "#"), Column("kpi", t("scorecard.kpi")), Column("definition", t("scorecard.definition")),
        Column("low", f"{band} ≥", number=True, format_from="format"),
        Column("high", f"{band} ≤", number=True, format_from="format"), Column("source", t("scorecard.source")),
    ]  # fmt: skip
    return Sheet(t("scorecard.definitions"), frame, columns, [6, 34, 90, 14, 14, 50])


def _ends(card: Scorecard, name: str) -> tuple[float, float]:
    return card.choice.band(name) or (float("nan"), float("nan"))
