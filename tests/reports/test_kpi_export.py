"""Scorecards leave the house with numbers as numbers, names as text whatever they look like, and their provenance."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from openpyxl import load_workbook

from spm_models.errors import SpmError
from spm_models.kpis.packs import Choice
from spm_models.kpis.scorecard import last_periods, scorecard
from spm_models.periods import FiscalCalendar
from spm_models.reports.kpi_export import write_scorecard
from spm_models.translations import Translator

DAY = date(2026, 6, 30)
HOSTILE = ['=HYPERLINK("http://example.com";"Zoe")', "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\tTab", "Ayşe"]
FACTS = {"company": "=Acme", "data_hash": "ab" * 32}
CHOICE = Choice("mine", ("win_rate", "revenue", "sales_cycle"), {}, {"win_rate": 0.25}, {"win_rate": "our board"})


@pytest.fixture
def card(tables_of):
    reps = [{"rep_id": f"r{i}", "name": name} for i, name in enumerate(HOSTILE)]
    deals = [
        {"opportunity_id": f"{rep['rep_id']}{i}", "rep_id": rep["rep_id"], "status": "won" if i < 2 else "lost",
         "stage": "x", "amount": 1050.5 if i == 0 else -2000 if rep["rep_id"] == "r5" else -50,
         "created_on": date(2026, 4, 1), "closed_on": date(2026, 5, 10 + i)}
        for rep in reps for i in range(8)
    ]  # fmt: skip
    tables = tables_of({"reps": reps, "opportunities": deals}, DAY)
    return scorecard(tables, last_periods(FiscalCalendar(), DAY), as_of=DAY, by="rep", choice=CHOICE)


def _cells(sheet):
    heads = [cell.value for cell in sheet[1]]
    return [dict(zip(heads, row, strict=True)) for row in sheet.iter_rows(min_row=2)]


def test_excel_holds_no_formula_and_every_number_in_the_format_of_its_unit(card, tmp_path):
    book = load_workbook(write_scorecard(card, Translator("en", currency="EUR"), tmp_path / "a.xlsx", facts=FACTS))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s", "n"} and not any(cell.hyperlink for cell in cells)
    rows = _cells(book["KPI scorecard"])
    assert {row["Rep"].value for row in rows} == set(HOSTILE)
    rate = next(row for row in rows if row["KPI"].value == "Win rate" and row["Rep"].value == HOSTILE[0])
    assert rate["Value"].value == 0.25 and rate["Value"].number_format == "0.0%" == rate["Target"].number_format
    assert rate["Numerator"].value == 2 and rate["Numerator"].number_format == "General"
    assert rate["In words"].value == "Target reached" and rate["Period"].value == "Q2 2026"
    assert rate["Peer average"].value == 0.25, "six units are enough"
    revenue = next(row for row in rows if row["KPI"].value == "Revenue" and row["Rep"].value == HOSTILE[1])
    assert revenue["Value"].value == 1000.5 and revenue["Value"].number_format == "#,##0"
    assert revenue["Unit of the value"].value == "EUR" and revenue["Target"].value is None


def test_the_other_sheets_say_where_it_comes_from_and_what_each_kpi_is(card, tmp_path):
    book = load_workbook(write_scorecard(card, Translator("en", currency="EUR"), tmp_path / "a.xlsx", facts=FACTS))
    about = {row["What"].value: row["Value"].value for row in _cells(book["Where it comes from"])}
    assert about["Company"] == "=Acme" and about["Data as of"] == "2026-06-30" and about["KPI pack"] == "mine"
    assert about["Fingerprint of the data"] == "ab" * 32 and about["Periods"].startswith("2026-Q2 (2026-04-01")
    told = {row["KPI"].value: row for row in _cells(book["Definitions"])}
    assert told["Win rate"]["Definition"].value == "Won / (won + lost), by close date."
    assert told["Win rate"]["Source"].value == "our board" and told["Win rate"]["Healthy band ≥"].value == 0.2


def test_an_arabic_workbook_runs_from_right_to_left_with_arabic_heads(card, tmp_path):
    book = load_workbook(write_scorecard(card, Translator("ar", currency="SAR"), tmp_path / "a.xlsx", facts=FACTS))
    assert all(sheet.sheet_view.rightToLeft for sheet in book) and book.sheetnames[0] == "بطاقة مؤشرات الأداء"
    heads = [cell.value for cell in book.worksheets[0][1]]
    assert heads[:3] == ["المؤشر", "مندوب المبيعات", "الفترة"] and "القيمة" in heads
    assert isinstance(book.worksheets[0].cell(2, heads.index("القيمة") + 1).value, float)


def test_csv_leads_risky_names_by_an_apostrophe_and_leaves_negative_numbers_alone(card, tmp_path):
    path = write_scorecard(card, Translator("tr", currency="TRY"), tmp_path / "a.csv", facts=FACTS)
    rows = list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")))
    assert {row["Satış temsilcisi"] for row in rows} == {*(f"'{name}" for name in HOSTILE[:5]), "Ayşe"}
    assert not any(str(value).startswith(("=", "+", "@", "\t", "\r")) for row in rows for value in row.values())
    assert {row["Verinin parmak izi"] for row in rows} == {"ab" * 32}
    assert {row["Değer"] for row in rows if row["Gösterge (KPI)"] == "Gelir"} == {"1000.5", "-949.5"}


def test_the_same_scorecard_gives_the_same_bytes_and_other_endings_are_refused(card, tmp_path):
    t = Translator("en", currency="EUR")
    first, second = (
        write_scorecard(card, t, tmp_path / name, facts=FACTS).read_bytes() for name in ("a.xlsx", "b.xlsx")
    )
    assert first == second
    with pytest.raises(SpmError, match=r"cannot be written.*\.xlsx or \.csv"):
        write_scorecard(card, t, tmp_path / "a.pdf", facts=FACTS)
