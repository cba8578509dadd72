"""XLSX and Parquet give the same tables as CSV, typed or as text."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import openpyxl
import pytest

from spm_models import crm
from spm_models.crm.schemas import TABLES
from spm_models.errors import SourceError
from spm_models.workspace import Workspace

DEALS = [
    ("o1", "r1", datetime(2026, 1, 5), datetime(2026, 2, 1), "won", Decimal("1234.5"), 12, 0.1, True, "a,b"),
    ("o2", "r1", datetime(2026, 1, 6), None, "open", Decimal("1000"), None, None, None, 'said "x"'),
    ("o3", "r2", datetime(2026, 1, 7), datetime(2026, 3, 1), "lost", None, 24, 0.25, False, None),
]
NAMES = (
    "opportunity_id",
    "rep_id",
    "created_on",
    "closed_on",
    "status",
    "amount",
    "term_months",
    "discount",
    "hot",
    "source",
)
ACTIVITIES = [("a1", "r1", "call", datetime(2026, 1, 5, 10, 30), 12.5), ("a2", "r2", "email", None, None)]
DID = ("activity_id", "rep_id", "kind", "happened_at", "minutes")
SETTINGS = """
[company]
time_zone = "Europe/Istanbul"
[source]
locale = "tr"
date_format = "%d.%m.%Y"
instant_format = "%d.%m.%Y %H:%M"
separator = ";"
[tables.opportunities.custom_fields]
hot = { kind = "flag" }
"""


def workspace(folder: Path, settings: str = SETTINGS) -> Workspace:
    (folder / "tables").mkdir(parents=True)
    (folder / "spm.toml").write_text(settings)
    (folder / "tables" / "reps.csv").write_text("rep_id;name\nr1;Ada\nr2;Bob\n")
    return Workspace.open(folder)


def as_turkish(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "evet" if value else "hayır"
    if isinstance(value, datetime):
        return f"{value:%d.%m.%Y}" if value.hour == 0 else f"{value:%d.%m.%Y %H:%M}"
    if isinstance(value, float | Decimal):
        return f"{value:.4f}".replace(".", ",")
    return str(value)


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if text else ""


def write_csv(path: Path, names, rows) -> None:
    lines = [";".join(names), *(";".join(quoted(as_turkish(cell)) for cell in row) for row in rows)]
    path.with_suffix(".csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_xlsx(path: Path, names, rows) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(names)
    for row in rows:
        sheet.append(row)
    book.save(path.with_suffix(".xlsx"))


def write_xlsx_of_text(path: Path, names, rows) -> None:
    texts = [[as_turkish(cell) or None for cell in row] for row in rows]
    write_xlsx(path, names, texts)


def write_parquet(path: Path, names, rows, *, text: bool = False) -> None:
    types = {
        datetime: "TIMESTAMP",
        str: "VARCHAR",
        Decimal: "DECIMAL(12, 2)",
        int: "INTEGER",
        float: "DOUBLE",
        bool: "BOOLEAN",
    }
    con = duckdb.connect()
    if text:
        rows = [[as_turkish(cell) for cell in row] for row in rows]
    kinds = [next(types[type(row[i])] for row in rows if row[i] is not None) for i in range(len(names))]
    con.execute(f"CREATE TABLE t ({', '.join(f'{n} {k}' for n, k in zip(names, kinds, strict=True))})")
    con.executemany(f"INSERT INTO t VALUES ({', '.join('?' * len(names))})", rows)
    con.execute(f"COPY t TO '{path.with_suffix('.parquet')}' (FORMAT parquet)")


def write_parquet_of_text(path: Path, names, rows) -> None:
    write_parquet(path, names, rows, text=True)


def contents(loaded: crm.Loaded) -> dict[str, tuple[list[str], list[tuple[object, ...]]]]:
    con = loaded.tables.backend.con
    found = {}
    for name in loaded.tables:
        relation = con.sql(f'SELECT * FROM "{name}"')
        found[name] = ([str(t) for t in relation.types], relation.fetchall())
    return found


@pytest.mark.parametrize("write", [write_xlsx, write_xlsx_of_text, write_parquet, write_parquet_of_text])
def test_every_kind_of_file_gives_the_same_tables(tmp_path, write):
    results = []
    for name, how in (("csv", write_csv), ("other", write)):
        space = workspace(tmp_path / name)
        how(space.source_dir / "opportunities", NAMES, DEALS)
        how(space.source_dir / "activities", DID, ACTIVITIES)
        results.append(crm.load(space, run_id="test"))
    assert results[0].quality.rejected == results[1].quality.rejected == 0
    assert contents(results[0]) == contents(results[1])
    assert contents(results[0])["activities"][1][0][5] == datetime(2026, 1, 5, 7, 30)  # read in the company's zone
    assert contents(results[0])["opportunities"][1][0][11] == Decimal("1234.5000")


def test_tables_have_every_column_of_the_schema_with_its_type(load):
    result = load()
    for name in result.tables:
        found = result.tables[name].schema()
        assert list(found)[: len(TABLES[name].columns)] == list(TABLES[name].columns)
    assert str(result.tables["opportunities"].schema()["discount"]) == "float64"
    assert str(result.tables["opportunities"].schema()["amount_company"]) == "decimal(18, 4)"


def test_good_rows_satisfy_the_schemas(load):
    result = load(activities="activity_id,rep_id,kind,happened_at\na1,r1,call,2026-01-05T10:00:00Z\n")
    for name in result.tables:
        frame = result.tables[name].to_pandas()
        for column, kind in TABLES[name].frame.dtypes.items():
            if kind is not None:
                frame[column] = frame[column].astype(str(kind))
        TABLES[name].frame.validate(frame, lazy=True)


@pytest.mark.parametrize(("epoch", "serial"), [("1900", 46027), ("1904", 44565)])
def test_serial_days_of_both_epochs(tmp_path, epoch, serial):
    space = workspace(tmp_path / "book", '[source]\nseparator = ";"\n')
    book = openpyxl.Workbook()
    if epoch == "1904":
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
    book.active.append(["opportunity_id", "rep_id", "created_on", "status"])
    book.active.append(["o1", "r1", serial, "open"])
    book.save(space.source_dir / "opportunities.xlsx")
    found = crm.load(space, run_id="test").tables.backend.con.execute("SELECT created_on FROM opportunities").fetchone()
    assert f"{found[0]}" == "2026-01-05"


def test_sheets_blank_rows_and_stray_cells(tmp_path):
    settings = '[tables.opportunities]\nsheet = "Deals"\n'
    space = workspace(tmp_path / "book", '[source]\nseparator = ";"\n' + settings)
    book = openpyxl.Workbook()
    sheet = book.create_sheet("Deals")
    day = datetime(2026, 1, 5)
    sheet.append(["opportunity_id", "rep_id", "created_on", "status"])
    for row in (["o1", "r1", day, "open"], [], ["o2", "r1", day, "open", "stray"], ["o3", "r1", day, "paused"]):
        sheet.append(row)
    book.save(space.source_dir / "opportunities.xlsx")
    con = crm.load(space, run_id="test").tables.backend.con
    assert con.execute("SELECT opportunity_id FROM opportunities").fetchall() == [("o1",)]
    assert con.execute("SELECT line, rule FROM quarantine ORDER BY line").fetchall() == [
        (4, "too_many_fields"), (5, "not_accepted"),
    ]  # fmt: skip


def test_damaged_files_and_wrong_sheets_are_refused(tmp_path):
    for ending in ("xlsx", "parquet"):
        space = workspace(tmp_path / ending)
        (space.source_dir / f"opportunities.{ending}").write_bytes(b"not really")
        with pytest.raises(SourceError, match="cannot be read"):
            crm.load(space, run_id="test")
    space = workspace(tmp_path / "sheet", '[source]\nseparator = ";"\n[tables.opportunities]\nsheet = "Deals"\n')
    write_xlsx(space.source_dir / "opportunities", NAMES, DEALS)
    with pytest.raises(SourceError, match="Its sheets are Sheet"):
        crm.load(space, run_id="test")


def test_two_files_for_one_table_are_refused(tmp_path):
    space = workspace(tmp_path / "both")
    write_csv(space.source_dir / "opportunities", NAMES, DEALS)
    write_xlsx(space.source_dir / "opportunities", NAMES, DEALS)
    with pytest.raises(SourceError, match="Several files"):
        crm.load(space, run_id="test")


def test_names_of_files_may_have_capitals(company):
    workspace = company()
    (workspace.source_dir / "reps.csv").rename(workspace.source_dir / "Reps.CSV")
    assert crm.load(workspace, run_id="test").tables["reps"].count().execute() == 2


@pytest.mark.parametrize(("mark", "shown"), [(";", ";"), ("\t", "\\t"), ("|", "|")])
def test_another_separator_is_guessed_for_the_reader_of_the_error(company, mark, shown):
    workspace = company(reps=f"rep_id{mark}name\nr1{mark}Ada\n")
    with pytest.raises(SourceError) as refused:
        crm.load(workspace, run_id="test")
    assert f'[source] separator = "{shown}"' in str(refused.value.remedy)
