"""Tables leave the house without anything that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from datetime import datetime

import pandas as pd
import pytest
from openpyxl import load_workbook

from spm_models.reports import to_csv, to_xlsx
from spm_models.reports.export import Column, csv_text

RISKY = ['=HYPERLINK("http://example.com")', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u00a0=1"]
FRAME = pd.DataFrame(
    {"name": [*RISKY, 'a "quoted", name\nof two lines', "سارة"], "amount": [-1.5, *range(9)],
     "day": [pd.Timestamp("2026-06-30")] * 9 + [pd.NaT]}
)  # fmt: skip
COLUMNS = [Column("name", "=Name"), Column("amount", "Amount", number=True), Column("day", "Day")]


def test_csv_leads_risky_text_by_an_apostrophe_and_leaves_numbers_alone():
    rows = list(csv.reader(io.StringIO(csv_text(FRAME, COLUMNS), newline="")))
    assert rows[0][0] == "'=Name"
    assert [row[0] for row in rows[1:]] == [f"'{text}" for text in RISKY] + FRAME["name"].tolist()[8:]
    assert rows[1][1] == "-1.5" and rows[1][2] == "2026-06-30" and rows[-1][2] == ""


def test_csv_is_read_as_utf8_by_spreadsheets(tmp_path):
    assert to_csv(FRAME, COLUMNS, tmp_path / "new" / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")


def test_xlsx_holds_text_as_text_numbers_as_numbers_days_as_days(tmp_path):
    sheet = load_workbook(to_xlsx(FRAME, COLUMNS, tmp_path / "t.xlsx", sheet="a/b[c]")).active
    cells = [row[0] for row in sheet.iter_rows(min_row=1)]
    assert {cell.data_type for cell in cells} == {"s"} and not any(cell.hyperlink for cell in cells)
    assert [cell.value for cell in cells[1:3]] == RISKY[:2] and cells[-1].value == "سارة"
    assert sheet["B2"].value == -1.5 and sheet["C2"].value == datetime(2026, 6, 30) and sheet["C11"].value is None
    assert sheet.title == "abc" and sheet.freeze_panes == "A2"


def test_xlsx_runs_from_right_to_left_on_demand(tmp_path):
    assert load_workbook(to_xlsx(FRAME, COLUMNS, tmp_path / "t.xlsx", rtl=True)).active.sheet_view.rightToLeft


@pytest.mark.parametrize("write", [to_csv, to_xlsx])
def test_the_same_table_gives_the_same_bytes(write, tmp_path):
    first, second = (write(FRAME, COLUMNS, tmp_path / name).read_bytes() for name in ("a", "b"))
    assert first == second


def test_characters_that_xml_cannot_hold_are_left_out(tmp_path):
    frame = pd.DataFrame({"name": ["a\x00b\x0bc"]})
    assert load_workbook(to_xlsx(frame, [Column("name", "Name")], tmp_path / "t.xlsx")).active["A2"].value == "abc"
