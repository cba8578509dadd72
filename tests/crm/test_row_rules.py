"""What a row must satisfy, what becomes of duplicates, and that no row is lost."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spm_models import crm
from spm_models.errors import SourceError, WorkspaceError

HEADER = "opportunity_id,rep_id,created_on,closed_on,status,amount\n"
GOOD = "o0,r1,2026-01-05,2026-06-01,won,5\n"


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        (",r1,2026-01-05,,open,5", ("opportunity_id", "missing", "error", 1)),
        ("o1,,2026-01-05,,open,5", ("rep_id", "missing", "error", 1)),
        ("o1,r1,2026-01-05,,,5", ("status", "missing", "error", 1)),
        ("o1,r1,2026-01-05,,pending,5", ("status", "not_accepted", "error", 1)),
        ("o1,r1,2026-01-05,2026-01-04,won,5", ("closed_on", "closed_before_created", "error", 1)),
        ("o1,r1,2026-01-05,,lost,5", ("closed_on", "closed_without_date", "error", 1)),
        ("o1,r1,2026-01-05,,won,5", ("closed_on", "closed_without_date", "error", 1)),
        ("o1,r1,2026-01-05,2026-07-01,won,5", ("closed_on", "closed_in_future", "error", 1)),
        ("o1,r1,2026-07-05,,open,5", ("created_on", "dated_in_future", "warning", 1)),
        ("o1,r1,2026-01-05,2026-02-01,won,0", ("amount", "won_without_amount", "warning", 1)),
        ("o1,r1,2026-01-05,2026-02-01,won,", ("amount", "won_without_amount", "warning", 1)),
        ("o1,r1,2026-01-05,2026-02-01,open,5", ("closed_on", "open_with_close_date", "warning", 1)),
        ("o1,r1,,,open,5", ("created_on", "open_without_creation_date", "warning", 1)),
        ("o1,r9,2026-01-05,,open,5", ("rep_id", "unknown_reference", "warning", 1)),
    ],
)
def test_rules_of_a_deal(load, row, finding):
    result = load("[source]\nextracted_on = 2026-06-30", opportunities=HEADER + GOOD + row + "\n")
    assert result.found() == {finding}
    kept = 1 if finding[2] == "error" else 2
    assert len(result.column("opportunity_id")) == kept
    [(_, line, column, rule, severity, _, raw)] = result.quarantine()
    assert (line, column, rule, severity, raw) == (3, *finding[:3], row)


def test_an_open_deal_has_no_close_date(load):
    rows = f"{HEADER}o1,r1,2026-01-05,2026-02-01,Open,5\n"
    assert load(opportunities=rows).column("closed_on") == [None]


def test_one_close_date_column_serves_open_and_closed_deals(load):
    header = "opportunity_id,rep_id,created_on,CloseDate,status\n"
    rows = header + "o1,r1,2026-01-05,2026-09-01,open\no2,r1,2026-01-05,2026-02-01,won\n"
    mapping = '[tables.opportunities.columns]\nclosed_on = "CloseDate"\nexpected_close_on = "CloseDate"\n'
    result = load("[source]\nextracted_on = 2026-06-30\n" + mapping, opportunities=rows)
    assert result.column("closed_on") == [None, date(2026, 2, 1)]
    assert result.column("expected_close_on") == [date(2026, 9, 1), date(2026, 2, 1)]
    assert result.found() == {("amount", "won_without_amount", "warning", 1)}


def test_ends_before_start(load):
    absences = "rep_id,starts_on,ends_on\nr1,2026-02-01,2026-01-31\nr1,2026-03-01,2026-03-01\n"
    assert load(absences=absences).found("absences") == {("ends_on", "ends_before_start", "error", 1)}


def test_an_amount_a_thousandfold_too_large_is_told(load):
    rows = "".join(f"o{i},r1,2026-01-05,,open,{100 + i}\n" for i in range(40)) + "x,r1,2026-01-05,,open,1000000000000\n"
    assert load(opportunities=HEADER + rows).found() == {("amount", "implausible_amount", "warning", 1)}


def test_a_usual_amount_that_is_itself_huge_ends_no_load(load):
    rows = "".join(f"o{i},r1,2026-01-05,,open,{10**12 if i % 3 else 100}\n" for i in range(40))
    assert load(opportunities=HEADER + rows).found() == set()


def test_equal_rows_are_kept_once_and_different_ones_quarantined_but_the_last(load):
    rows = (
        "a,r1,2026-01-05,,open,5\nb,r1,2026-01-05,,open,1\na,r1,2026-01-05,,open,5.00\n"
        "b,r1,2026-01-05,,open,2\nb,r1,2026-01-05,,open,3\nb,r1,2026-01-05,,open,3\n"
    )
    result = load(opportunities=HEADER + rows)
    assert [str(amount) for amount in result.column("amount")] == ["5.0000", "3.0000"]
    assert result.found() == {
        ("opportunity_id", "repeated_row", "warning", 2),
        ("opportunity_id", "conflicting_rows", "error", 2),
    }
    [table] = [t for t in result.quality.tables if t.table == "opportunities"]
    assert (table.read, table.loaded, table.rejected, table.repeated) == (6, 2, 2, 2)
    assert [row[1] for row in result.quarantine() if row[3] == "conflicting_rows"] == [3, 5]


def test_a_rejected_row_does_not_push_out_a_good_one_of_the_same_key(load):
    rows = "a,r1,2026-01-05,,open,5\na,r1,2026-01-05,,open,many\n"
    assert len(load(opportunities=HEADER + rows).column("amount")) == 1


STAGES = '[stages]\norder = ["Teklif", "Görüşme"]\n[stages.status]\n"Kazanıldı" = "won"\n"Kaybedildi" = "lost"\n'


def test_status_from_the_stage_whatever_its_capitals(load):
    stages = ["TEKLİF", "görüşme", "KAZANILDI", " kazanıldı ", "Kaybedıldı", "Closed Won"]
    rows = "".join(f"o{i},r1,2026-01-05,2026-02-01,{stage},5\n" for i, stage in enumerate(stages))
    result = load(STAGES, opportunities=HEADER.replace("status", "stage") + rows)
    assert result.column("status") == ["open", "open", "won", "won", "lost", "won"]


def test_a_stage_that_nothing_explains_is_rejected(load):
    rows = "o1,r1,2026-01-05,,Teklif,5\no2,r1,2026-01-05,,Demo,5\n"
    result = load(STAGES, opportunities=HEADER.replace("status", "stage") + rows)
    assert result.found() == {("stage", "unknown_stage", "error", 1)}
    assert result.column("opportunity_id") == ["o1"]


def test_a_renamed_stage_beside_a_status_column_is_told(load):
    rows = "opportunity_id,rep_id,created_on,stage,status\no1,r1,2026-01-05,Demo,open\no2,r1,2026-01-05,Teklif,open\n"
    assert load(STAGES, opportunities=rows).found() == {("stage", "undeclared_stage", "warning", 1)}


def test_references_in_other_capitals_or_salesforce_form_are_mended(load):
    reps = "rep_id,name\nAYŞE.IŞIK,A\n005D0000001KrpcIAC,B\nr1,C\nR2,D\nr2,E\n"
    rows = "o1,ayşe.ışık,2026-01-05,,open,5\no2,005D0000001Krpc,2026-01-05,,open,5\no3,R1,2026-01-05,,open,5\n"
    history = "opportunity_id,changed_at,field,old,new\no1,2026-01-06T00:00:00Z,rep_id,r1,Ayşe.Işık\n"
    result = load(reps=reps, opportunities=HEADER + rows, opportunity_history=history)
    assert result.column("rep_id") == ["AYŞE.IŞIK", "005D0000001KrpcIAC", "r1"]
    assert result.column("new", "opportunity_history") == ["AYŞE.IŞIK"]
    assert result.found() == {("rep_id", "written_differently", "warning", 3)}


def test_an_unknown_reference_comes_with_a_likely_meaning(load):
    products = "product_id,name\nGTX Pro,x\nMG Special,y\n"
    rows = "opportunity_id,rep_id,status,product_id,created_on\no1,r1,open,GTXPro,2026-01-05\n"
    result = load(products=products, opportunities=rows)
    [finding] = result.quality.findings
    assert finding.rule == "unknown_reference" and "did you mean 'GTX Pro'?" in finding.example
    assert result.column("product_id") == ["GTXPro"]


def test_history_values_become_canonical_text(load):
    settings_ = (
        '[source]\nlocale = "tr"\ndate_format = "%d.%m.%Y"\n'
        '[tables.opportunities.values.stage]\nOffer = "Teklif"\n'
        '[tables.opportunity_history.values.field]\nStageName = "stage"\n'
    )
    history = (
        "opportunity_id;changed_at;field;old;new\n"
        "o1;2026-01-06T00:00:00Z;amount;;1.234,50\n"
        "o1;2026-01-06T00:00:00Z;expected_close_on;01.02.2026;15.03.2026\n"
        "o1;2026-01-06T00:00:00Z;StageName;;Offer\n"
        "o1;2026-01-06T00:00:00Z;forecast_category;;Best Case\n"
        "o1;2026-01-07T00:00:00Z;amount;1.234,50;soon\n"
    )
    rows = HEADER + "o1,r1,05.01.2026,,open,5\n"
    mapping = '[tables.opportunity_history]\nseparator = ";"\n'
    result = load(mapping + settings_, opportunities=rows, opportunity_history=history)
    assert result.column("new", "opportunity_history") == ["1234.5000", "2026-03-15", "Teklif", "best_case"]
    assert result.column("old", "opportunity_history")[1] == "2026-02-01"
    assert ("new", "unparsable", "error", 1) in result.found("opportunity_history")


def test_the_history_of_fields_that_nothing_uses_is_left_out(load):
    history = "opportunity_id,changed_at,field,old,new\n"
    rows = "o1,2026-01-06T00:00:00Z,Probability,,10\no1,2026-01-06T00:00:00Z,Stage,,New\no1,soon,NextStep,,call\n"
    result = load(opportunity_history=history + rows)
    assert result.column("field", "opportunity_history") == ["stage"]
    [table] = [t for t in result.quality.tables if t.table == "opportunity_history"]
    assert (table.read, table.loaded, table.rejected, table.repeated, table.unused) == (3, 1, 1, 0, 1)


def test_a_deal_without_a_stage_from_which_its_status_could_follow(load):
    rows = "o1,r1,2026-01-05,,Teklif,5\no2,r1,2026-01-05,,,5\n"
    result = load(STAGES, opportunities=HEADER.replace("status", "stage") + rows)
    assert result.found() == {("stage", "missing", "error", 1)}


def test_mapping_defaults_values_and_custom_fields(load):
    rows = "Id,Owner,Owner Name,Created,Status,Fab\n1,r1,Ada,2026-01-05,Open,12\n2,r1,Ada,2026-01-05,,\n"
    mapping = """
[tables.opportunities.columns]
opportunity_id = "Id"
rep_id = "Owner"
source = "Owner"
created_on = "Created"
field_plant = "Fab"
status = "Status"
kind = ""
[tables.opportunities.values.source]
r1 = "partner"
[tables.opportunities.values.plant]
12 = "13"
[tables.opportunities.defaults]
status = "open"
currency = "TRY"
[tables.opportunities.custom_fields]
plant = { kind = "number", known = "creation" }
[company]
currency = "TRY"
"""
    result = load(mapping, opportunities=rows)
    assert result.column("source") == ["partner", "partner"]
    assert result.column("status") == ["open", "open"]
    assert result.column("currency") == ["TRY", "TRY"]
    assert result.column("field_plant") == [13.0, None]
    assert dict(result.tables.custom_fields) == {"plant": "number"}


@pytest.mark.parametrize(
    ("mapping", "error", "match"),
    [
        ('[tables.opportunities.columns]\namount = "Amuont"', SourceError, "Did you mean 'amount'"),
        ('[tables.opportunities.columns]\namounts = "amount"', WorkspaceError, "Did you mean amount"),
        ('[tables.oportunities.columns]\namount = "amount"', WorkspaceError, "does not exist"),
        ('[tables.opportunities]\nfile = "deals.csv"', SourceError, "does not exist"),
        ('[tables.reps.columns]\nrep_id = ""', SourceError, "needs the column rep_id"),
        ('[tables.reps.custom_fields]\nx = { kind = "text" }', WorkspaceError, "Only opportunities"),
        ('[tables.opportunities.columns]\nstatus = ""', SourceError, "open, won or lost"),
        ('[source]\nlocale = "turkish"', WorkspaceError, "locale"),
        ('[models]\nknown_at_creation = ["plant"]', WorkspaceError, "vouched"),
    ],
)
def test_settings_that_do_not_fit_the_source_say_so(company, mapping, error, match):
    with pytest.raises(error, match=match):
        crm.load(company(mapping), run_id="test")


def test_an_empty_optional_file_is_no_table_and_told(load):
    for content in ("", "account_id,name\n"):
        result = load(accounts=content)
        assert "accounts" not in result.tables
        assert result.found("accounts") == {("", "no_rows", "warning", 0)}


CELL = st.sampled_from(
    [
        "",
        "x",
        "o1",
        "o2",
        "o3",
        "r1",
        "r9",
        "open",
        "won",
        "2026-01-05",
        "2026-02-01",
        "2027-01-01",
        "5",
        "-5",
        '"',
        "1,5",
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.lists(CELL, min_size=4, max_size=8), min_size=1, max_size=8))
def test_no_row_is_lost(company, rows):
    text = HEADER + GOOD + "".join(",".join(row) + "\n" for row in rows)
    workspace = company("[gate]\nmax_rejected_share = 1.0\n[source]\nextracted_on = 2026-06-30", opportunities=text)
    report = crm.load(workspace, run_id="test").quality
    for table in report.tables:
        assert table.read == table.loaded + table.rejected + table.repeated + table.unused
    [deals] = [table for table in report.tables if table.table == "opportunities"]
    quarantined = (
        crm.open_tables(workspace)
        .backend.con.execute(
            "SELECT count(DISTINCT line) FROM quarantine WHERE severity = 'error' AND \"table\" = 'opportunities'"
        )
        .fetchone()[0]
    )
    assert quarantined == deals.rejected
    if '"' not in text:  # two open quotes may make one row of several lines
        assert deals.read == len(rows) + 1


def test_what_is_not_filled_refers_to_nothing_even_where_nobody_is_named(load):
    """A column of team names that is there and empty: SQL finds no value, not even a missing one, in an empty list."""
    reps = "rep_id,team\nr1,\n"
    costs = "month,category,team,amount\n2026-01-01,travel,,5\n2026-02-01,travel,North,5\n"
    result = load(reps=reps, costs=costs, opportunities=HEADER + GOOD)
    assert {(f.column, f.rule, f.rows) for f in result.quality.findings if f.column == "team"} <= {
        ("team", "unknown_reference", 1)
    }
