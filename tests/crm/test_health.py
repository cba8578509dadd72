"""What `spm doctor` says, loaded or not, on good and on bad data."""

from __future__ import annotations

from datetime import date

from spm_models import crm

HEADER = "opportunity_id,rep_id,created_on,closed_on,status,amount,account_id\n"


def test_a_workspace_never_loaded_is_examined_and_left_alone(company):
    workspace = company()
    health = crm.check(workspace, today=date(2026, 3, 11))
    assert health.well and not health.loaded
    assert (health.extracted_on, health.age_days) == (date(2026, 3, 1), 10)
    assert [(t.name, t.rows, t.first, t.last) for t in health.tables] == [
        ("opportunities", 4, date(2026, 1, 5), date(2026, 3, 1)),
        ("reps", 2, None, None),
    ]
    assert not workspace.warehouse.exists()
    crm.load(workspace, run_id="a")
    assert crm.check(workspace).loaded


def test_missing_tables_say_what_they_cost(company):
    lines = "\n".join(crm.check(company()).lines())
    assert "quotas: attainment, gap to target" in lines
    assert "no history: the pipeline cannot be seen as it was" in lines
    assert "the day of the export is not declared" in lines


def test_findings_come_with_example_and_remedy(company):
    bad = HEADER + "o1,r1,2026-01-05,,open,many,\no2,r1,,,open,5,\n"
    health = crm.check(company(opportunities=bad))
    lines = "\n".join(health.lines())
    assert "opportunities.amount: unparsable in 1 of 2 rows, for example opportunities.csv line 2: 'many'" in lines
    assert "1 open deals have no creation date" in lines
    assert [f.severity for f in health.findings] == ["error", "warning"]


def test_a_gate_that_would_stop_is_reported_not_raised(company):
    rows = "".join(f"o{i},r1,2026-01-05,,maybe,5,\n" for i in range(25))
    health = crm.check(company(opportunities=HEADER + rows))
    assert not health.well and "25 of 25 rows" in str(health.gate)
    assert any("A run would stop" in line for line in health.lines())


def test_a_source_that_cannot_be_read_is_reported_not_raised(company):
    workspace = company()
    (workspace.source_dir / "reps.csv").unlink()
    health = crm.check(workspace)
    assert not health.well and "no table reps" in str(health.problem)
    assert health.lines()[0].endswith("the source cannot be read")
    assert not crm.check(company('[tables.reps.columns]\nrep_id = "Nr"')).well


def test_blanks_that_give_the_outcome_away_are_told(company):
    rows = "".join(f"w{i},r1,2026-01-05,2026-02-01,won,5,a\no{i},r1,2026-01-05,,open,5,\n" for i in range(4))
    lines = "\n".join(crm.check(company(opportunities=HEADER + rows)).lines())
    assert "account_id is empty on 100% of open and 0% of closed deals" in lines


FIELDS = "[tables.opportunities.custom_fields]\n" + "".join(
    f'{name} = {{kind = "{kind}", known = "creation"}}\n'
    for name, kind in [("reason", "text"), ("code", "text"), ("score", "number"), ("own", "text"), ("rival", "text")]
)


def test_custom_fields_that_give_the_outcome_away_are_told_and_honest_ones_are_not(company):
    head = "opportunity_id,rep_id,created_on,closed_on,status,amount,reason,code,score,own,rival\n"
    rows = ""
    for i in range(120):
        won = i % 3 == 0
        day, status = ("2026-02-01", "won" if won else "lost") if i < 100 else ("", "open")
        reason = "price" if i < 100 and not won else ""  # filled when a deal is lost
        code = ("A" if won else "B") if i % 50 else "A"  # known on open deals too, and nearly the outcome
        score = (900 if won else 100) + i % 7
        rows += f"o{i},r1,2026-01-05,{day},{status},5,{reason},{code},{score},n{i},{'xyz'[i % 2]}\n"
    lines = [line for line in crm.check(company(FIELDS, opportunities=head + rows)).lines() if "field_" in line]
    told = {field: [line for line in lines if line.strip().startswith(f"field_{field} ")] for field in
            ("reason", "code", "score", "own", "rival")}  # fmt: skip
    assert "is empty on 100% of open and 34% of closed deals" in told["reason"][0]
    assert all("sorts" in told[field][-1] and "where always saying the same sorts 66%" in told[field][-1]
               for field in ("reason", "code", "score"))  # fmt: skip
    assert "[tables.opportunities.custom_fields]" in told["code"][0] and not told["own"] and not told["rival"]


def test_a_notebook_shows_it_with_text_from_the_data_escaped(company):
    bad = HEADER + "o1,r1,2026-01-05,,open,<img src=x>,\no2,r1,,,open,5,\n"
    html = crm.check(company(opportunities=bad))._repr_html_()
    assert "<img" not in html and "&lt;img src=x&gt;" in html and "<b>Tables</b>" in html


def test_rings_of_managers_and_days_after_today_are_told(company):
    workspace = company(reps="rep_id,name,manager_id\nr1,Ann,r2\nr2,Bob,r1\nr3,Cem,nobody\n")
    lines = "\n".join(crm.check(workspace, today=date(2026, 2, 1)).lines())
    assert "people who report to each other in a ring, so that each sees the others' figures: r1, r2" in lines
    assert "managers whom the table reps does not list: nobody" in lines
    assert "28 days after today" in lines


def test_a_renamed_export_is_told_from_both_sides(company):
    workspace = company(surveys="survey_id,answered_on,score\ns1,2026-01-09,5\n")
    assert "surveys" in crm.load(workspace, run_id="a").tables
    (workspace.source_dir / "surveys.csv").rename(workspace.source_dir / "Surveys 2026.csv")
    lines = "\n".join(crm.check(workspace).lines())
    assert "in the source folder, but no table: Surveys 2026.csv" in lines
    assert "there at the last load and missing now: surveys" in lines
    assert crm.load(workspace, run_id="b").lost == ("surveys",)
