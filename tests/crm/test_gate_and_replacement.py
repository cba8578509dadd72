"""The gate stops bad sources, and a warehouse is replaced whole or not at all."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import date

import duckdb
import pytest

from spm_models import crm
from spm_models.errors import MissingTableError, QualityGateError, SourceError

HEADER = "opportunity_id,rep_id,created_on,closed_on,status,amount\n"
GOOD = "".join(f"o{i},r1,2026-01-05,,open,{i}\n" for i in range(18))
BAD = "x1,r1,2026-01-05,,open,many\nx2,r1,soon,,open,5\n"


def test_too_many_rejects_stop_with_the_reason_and_an_example(company):
    workspace = company(opportunities=HEADER + GOOD + BAD)
    with pytest.raises(QualityGateError) as stopped:
        crm.load(workspace, run_id="test")
    message = str(stopped.value)
    assert "2 of 20 rows of opportunities (10.0%)" in message
    assert "more than the 5.0% allowed" in message
    assert "amount unparsable 1 times, for example opportunities.csv line 20: 'many'" in message
    assert "locale" in message and "max_rejected_share" in message
    assert stopped.value.values["share"] == 0.1


def test_the_gate_is_a_setting_and_spares_small_tables(company):
    crm.load(company("[gate]\nmax_rejected_share = 0.1", opportunities=HEADER + GOOD + BAD), run_id="test")
    crm.load(company("[gate]\nmin_rows = 21", opportunities=HEADER + GOOD + BAD), run_id="test")


def test_a_required_table_without_a_good_row_stops(company):
    for empty in (HEADER, ""):
        with pytest.raises(SourceError, match="has no rows"):
            crm.load(company(opportunities=empty), run_id="test")
        with pytest.raises(SourceError, match="has no rows"):
            crm.load(company(reps=empty.replace("opportunity_id", "rep")), run_id="test")
    with pytest.raises(QualityGateError, match="1 of 1 rows"):
        crm.load(company(opportunities=HEADER + "o1,,2026-01-05,,open,5\n"), run_id="test")


def test_a_stopped_load_keeps_its_quarantine_and_the_previous_warehouse(company):
    workspace = company(opportunities=HEADER + GOOD)
    crm.load(workspace, run_id="first")
    with pytest.raises(QualityGateError):
        crm.load(company(opportunities=HEADER + GOOD + BAD), run_id="second")
    assert crm.open_tables(workspace)["opportunities"].count().execute() == 18
    kept = duckdb.connect(str(workspace.state / "rejected.duckdb"), read_only=True)
    rows = kept.execute("SELECT run_id, line, raw FROM quarantine ORDER BY line").fetchall()
    kept.close()
    assert rows == [("second", 20, "x1,r1,2026-01-05,,open,many"), ("second", 21, "x2,r1,soon,,open,5")]
    crm.load(company(opportunities=HEADER + GOOD + "y,r1,2026-01-05,,open,5\n"), run_id="third")
    assert not (workspace.state / "rejected.duckdb").exists()
    assert crm.open_tables(workspace)["opportunities"].count().execute() == 19


def test_who_has_the_old_warehouse_open_keeps_reading_it(company):
    workspace = company(opportunities=HEADER + GOOD)
    old = crm.load(workspace, run_id="first").tables
    new = crm.load(company(opportunities=HEADER + "z,r1,2026-01-05,,open,1\n"), run_id="second").tables
    assert old["opportunities"].count().execute() == 18
    assert new["opportunities"].count().execute() == 1
    assert not list(workspace.state.glob("loading-*"))


def test_a_full_disk_is_an_error_and_the_previous_warehouse_stays(company):
    workspace = company()
    crm.load(workspace, run_id="first")
    code = f"""
        import resource
        from spm_models import crm
        from spm_models.workspace import Workspace
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))  # no file may grow beyond
        crm.load(Workspace.open({str(workspace.root)!r}), run_id="second")
    """
    many = HEADER + "".join(f"o{i},r1,2026-01-05,,open,{i}\n" for i in range(2000))
    company(opportunities=many)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert "WorkspaceError: The source could not be loaded" in done.stderr, done.stderr
    assert crm.open_tables(workspace)["opportunities"].count().execute() == 4
    assert not list(workspace.state.glob("loading-*"))


def test_a_file_replaced_while_it_is_read_is_refused(company):
    workspace = company()
    reps = workspace.source_dir / "reps.csv"

    def replace(what: str, done: int, total: int) -> None:
        if done == total:
            reps.write_text("rep_id,name\nr1,Ada\nr9,Eve\n", encoding="utf-8")

    with pytest.raises(SourceError, match="changed while it was read"):
        crm.load(workspace, run_id="test", progress=replace)
    with pytest.raises(MissingTableError):
        crm.open_tables(workspace)


def test_unchanged_sources_are_not_read_again(company):
    workspace = company()
    first = crm.load(workspace, run_id="first")
    stamp = workspace.warehouse.stat().st_mtime_ns
    told: list[str] = []
    second = crm.load(company(), run_id="second", progress=lambda what, done, total: told.append(what))
    assert (first.unchanged, second.unchanged, told) == (False, True, [])
    assert second.quality == first.quality and second.tables.data_hash == first.tables.data_hash
    assert workspace.warehouse.stat().st_mtime_ns == stamp


@pytest.mark.parametrize(
    "settings",
    ['[tables.reps.defaults]\nteam = "A"', '[company]\ncurrency = "TRY"', "[source]\nextracted_on = 2026-06-30",
     '[models]\nknown_at_creation = ["source"]', '[stages]\norder = ["Offer"]'],
)  # fmt: skip
def test_what_shapes_the_tables_is_part_of_the_data_hash(company, settings):
    before = crm.load(company(), run_id="a").tables.data_hash
    assert crm.load(company(settings), run_id="b").tables.data_hash != before


def test_what_does_not_shape_the_tables_is_not(company):
    before = crm.load(company(), run_id="a").tables.data_hash
    assert crm.load(company("[models]\nseed = 7\n[gate]\nmin_rows = 9"), run_id="b").unchanged
    assert crm.open_tables(company()).data_hash == before


def test_a_stricter_gate_stops_unchanged_data_too(company):
    crm.load(company("[gate]\nmax_rejected_share = 0.2", opportunities=HEADER + GOOD + BAD), run_id="a")
    with pytest.raises(QualityGateError):
        crm.load(company(opportunities=HEADER + GOOD + BAD), run_id="b")


def test_opening_needs_a_load(company):
    with pytest.raises(MissingTableError, match="Nothing has been loaded"):
        crm.open_tables(company())


def test_progress_begins_and_ends(company):
    told: list[tuple[str, int, int]] = []
    crm.load(company(), run_id="a", progress=lambda *step: told.append(step))
    assert told[0][1] == 0 and told[-1][1] == told[-1][2]
    assert len({what for what, _, _ in told}) == 1 and [done for _, done, _ in told] == sorted(d for _, d, _ in told)


def test_the_day_of_the_export(load):
    plans = "opportunity_id,rep_id,created_on,closed_on,expected_close_on,status\n"
    rows = "o1,r1,2026-01-05,2026-02-01,2026-02-01,won\no2,r1,2026-01-06,,2027-01-01,open\n"
    assert load(opportunities=plans + rows).tables.extracted_on == date(2026, 2, 1)
    calls = "activity_id,rep_id,kind,due_at,happened_at\na,r1,call,2026-09-01T00:00:00Z,2026-03-31T22:00:00Z\n"
    settings = '[company]\ntime_zone = "Europe/Istanbul"'
    assert load(settings, opportunities=plans + rows, activities=calls).tables.extracted_on == date(2026, 4, 1)
    assert load("[source]\nextracted_on = 2026-05-01").tables.extracted_on == date(2026, 5, 1)
