"""Lines that are no rows: nothing of them is lost, and everything after them is read."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spm_models.crm.readers import delimited
from spm_models.crm.sources import SourceFile, TextFormats
from spm_models.database import connect
from spm_models.settings import TableSource

HEADER = "opportunity_id,rep_id,created_on,closed_on,status,amount\n"
GOOD = "o{},r1,2026-01-05,,open,5\n"


def staged(path, *, fast):
    con = connect().con
    con.execute("ATTACH ':memory:' AS stage")
    con.execute("CREATE TABLE stage.broken (tbl VARCHAR, line BIGINT, raw VARCHAR, rule VARCHAR, found VARCHAR)")
    file = SourceFile("reps", path, "csv", "utf-8", ",", None, TextFormats(), TableSource())
    result = delimited.stage(con, file, fast=fast)
    rows = con.execute(f"SELECT * FROM {result.relation} ORDER BY _line").fetchall()
    broken = con.execute("SELECT line, raw, rule FROM stage.broken ORDER BY line").fetchall()
    return result.header, [tuple(value or None for value in row) for row in rows], broken


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("o2,r1,2026-01-05\n", "too_few_fields"),
        ("o2,r1,2026-01-05,,open,5,6\n", "too_many_fields"),
        ('o2,"r1,2026-01-05,,open,5\n', "broken_quote"),
        ('o2,"r1"x,2026-01-05,,open,5\n', "broken_quote"),
    ],
)
def test_a_broken_line_is_kept_with_its_number_and_text(load, line, rule):
    result = load(opportunities=HEADER + GOOD.format(1) + line + GOOD.format(3))
    assert result.column("opportunity_id") == ["o1", "o3"]
    [(table, number, column, found_rule, severity, _, raw)] = result.quarantine()
    assert (table, number, column, found_rule, severity) == ("opportunities", 3, "", rule, "error")
    assert raw == line.rstrip("\n")


def test_a_last_line_cut_off_is_told_as_such(load):
    result = load(opportunities=HEADER + GOOD.format(1) + "o2,r1,2026-0")
    assert [(row[1], row[3], row[6]) for row in result.quarantine()] == [(3, "truncated_line", "o2,r1,2026-0")]


def test_a_last_line_without_an_end_is_a_row(load):
    assert load(opportunities=HEADER + GOOD.format(1) + GOOD.format(2).rstrip("\n")).column("opportunity_id") == [
        "o1",
        "o2",
    ]


def test_quoted_line_breaks_and_quotes_are_text_and_lines_keep_their_numbers(load):
    reps = 'rep_id,name,role\nr1,"Ada\nLovelace ""A""",rep\n\nr2,Bob,captain\n'
    result = load(reps=reps)
    assert result.column("name", "reps") == ['Ada\nLovelace "A"']
    assert [(row[1], row[3], row[6]) for row in result.quarantine() if row[0] == "reps"] == [
        (5, "not_accepted", "r2,Bob,captain")
    ]


def test_an_open_quote_does_not_swallow_the_rest_of_the_file(load):
    rows = "".join(GOOD.format(i) for i in range(3, 1200))
    result = load(opportunities=HEADER + GOOD.format(1) + 'o2,"r1,2026-01-05,,open,5\n' + rows)
    assert len(result.column("opportunity_id")) == 1198
    assert [row[3] for row in result.quarantine()] == ["broken_quote"]


def test_windows_line_ends_and_semicolons(load):
    text = "opportunity_id;rep_id;created_on;closed_on;status;amount\r\no1;r1;2026-01-05;;open;1,5\r\n"
    settings_ = '[tables.opportunities]\nseparator = ";"\nlocale = "tr"'
    assert [str(amount) for amount in load(settings_, opportunities=text).column("amount")] == ["1.5000"]


def test_a_file_read_in_parallel_keeps_its_order_and_line_numbers(tmp_path):
    path = tmp_path / "reps.csv"
    path.write_text("x,y\n" + "".join(f"{i},{'a' * 60}\n" for i in range(250_000)))
    con = connect(threads=4).con
    con.execute("ATTACH ':memory:' AS stage")
    file = SourceFile("reps", path, "csv", "utf-8", ",", None, TextFormats(), TableSource())
    relation = delimited.stage(con, file).relation
    wrong = con.execute(f"SELECT count(*) FROM {relation} WHERE _line <> c0::BIGINT + 2").fetchone()[0]
    assert (wrong, "rowid" in relation) == (0, True)


CELLS = st.text(st.sampled_from(list("ab \",;\n\r\t'’éİ0123456789.-")), max_size=6)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=6), end=st.sampled_from(["\n", "\r\n"]))
def test_both_ways_of_reading_agree_with_each_other_and_with_csv(tmp_path, rows, end):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["x", "y", "z"], *rows])
    path = tmp_path / "reps.csv"
    path.write_bytes(text.getvalue().encode())
    fast, slow = staged(path, fast=True), staged(path, fast=False)
    assert fast == slow
    assert [row[1:] for row in fast[1]] == [tuple(cell or None for cell in row) for row in rows]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.text(st.sampled_from(list('a,"\n\r 1é')), max_size=40))
def test_both_ways_of_reading_agree_on_anything(tmp_path, body):
    path = tmp_path / "reps.csv"
    path.write_bytes(f"x,y\n{body}".encode())
    assert staged(path, fast=True) == staged(path, fast=False)
