"""``spm coaching assign``, ``orders`` and ``effects``: who may draw, what stays written, what is shown."""

from __future__ import annotations

import csv
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from spm_models.access import Scope
from spm_models.cli import app
from spm_models.coaching.effects import draw_order
from spm_models.errors import AccessDeniedError, JournalError, SpmError
from spm_models.published import Manifest, publish
from spm_models.published.schemas import TABLES
from spm_models.published.writer import empty
from spm_models.runs.coaching_orders import assign, order_of, order_table, orders, seen_by
from spm_models.settings import Settings
from spm_models.workspace import Workspace

AS_OF = date(2026, 6, 30)
NEEDS = ("coaching_suggestion", "watch", "fine", "coaching_suggestion", "watch", "not_enough_data")


def now() -> datetime:
    return datetime(2026, 7, 1, 9, tzinfo=UTC)


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """Two teams of six with their managers, one executive, and published verdicts."""
    monkeypatch.delenv("SPM_VIEWER", raising=False)
    (tmp_path / "spm.toml").write_text('[company]\nname = "Firm"\n', encoding="utf-8")
    workspace = Workspace(tmp_path, Settings())
    sellers = [(f"R{n}", f"M{n // 6}", ("North", "South")[n // 6], "rep") for n in range(12)]
    leaders = [("M0", "E", "North", "manager"), ("M1", "E", "South", "manager"), ("E", None, None, "executive")]
    people = pd.DataFrame([*sellers, *leaders], columns=["rep_id", "manager_id", "team", "role"])
    reps = empty(TABLES["reps"])
    people = people.reindex(columns=list(reps.columns)).assign(name=people["rep_id"])
    verdicts = empty(TABLES["coaching_verdicts"])
    judged = pd.DataFrame({"rep_id": [row[0] for row in sellers], "verdict": NEEDS * 2, "as_of": pd.Timestamp(AS_OF)})
    judged = judged.reindex(columns=list(verdicts.columns)).astype(verdicts.dtypes.to_dict())
    tables = {"reps": people.astype(reps.dtypes.to_dict()), "coaching_verdicts": judged}
    publish(workspace, tables, Manifest("run", AS_OF, "d", "c"))
    return workspace


def test_a_manager_draws_among_those_of_his_people_who_need_it(planned: Workspace) -> None:
    entry = assign(planned, "value", capacity=1, person="M0", clock=now)
    assert (entry.kind, entry.author, entry.about_kind, entry.about_id) == ("coaching_order", "M0", "manager", "M0")
    order = order_of(entry)
    assert sorted(order.places["rep_id"]) == ["R0", "R1", "R3", "R4"]
    assert order.starts_on == date(2026, 7, 6) and order.waves == 4
    again = draw_order(
        order.places.drop(columns="wave").assign(tier=0), skill="value", starts_on=order.starts_on,
        capacity=entry.body["capacity"], seed=order.seed,
    )  # fmt: skip
    pd.testing.assert_frame_equal(again.places, order.places)


def test_who_is_not_on_the_lot_is_coached_at_once_and_shown(planned: Workspace) -> None:
    entry = assign(planned, "value", capacity=1, everybody=True, first=["R3"], person="M0", clock=now)
    assert entry.body["first"] == ["R3"] and "R3" not in order_of(entry).places["rep_id"].tolist()
    table = order_table(entry)
    assert table.loc[table["wave"] == 0, "rep_id"].tolist() == ["R3"] and len(table) == 6
    needing = order_of(entry).places.set_index("rep_id")["wave"]
    assert needing[["R0", "R1", "R4"]].max() < needing[["R2", "R5"]].min()


def test_an_order_is_not_drawn_again_until_it_suits(planned: Workspace) -> None:
    first = assign(planned, "value", capacity=1, person="M0", clock=now)
    with pytest.raises(JournalError, match="already stands"):
        assign(planned, "closing", capacity=1, person="M0", clock=now)
    with pytest.raises(JournalError, match="already stands"):
        assign(planned, "value", capacity=1, person="E", again="We know better.", clock=now)
    second = assign(planned, "value", capacity=1, person="M0", seed=9, again="R0 was ill.", clock=now)
    assert second.supersedes == first.id and [entry.id for entry in orders(planned)] == [second.id]
    later = assign(planned, "value", capacity=1, start="2027-11-29", person="M0", clock=now)
    assert later.supersedes is None


@pytest.mark.parametrize(
    ("person", "more"),
    [("R0", {}), ("M0", {"reps": ["R6", "R7", "R8", "R9"]}), ("M0", {"first": ["R6"]}), ("M0", {"start": "soon"})],
)
def test_nobody_draws_for_people_whom_he_does_not_lead(planned: Workspace, person: str, more: dict) -> None:
    with pytest.raises(SpmError):
        assign(planned, "value", capacity=1, person=person, clock=now, **more)
    assert orders(planned) == []


def test_each_sees_the_orders_of_his_own_people_only(planned: Workspace) -> None:
    assign(planned, "value", capacity=1, person="M0", clock=now)
    assign(planned, "value", capacity=1, person="M1", clock=now)
    assert [len(orders(planned, allowed=seen_by(planned, who))) for who in ("M0", "E", "R0")] == [1, 2, 0]
    assert orders(planned, before=datetime(2026, 6, 30)) == []
    with pytest.raises(AccessDeniedError):
        seen_by(planned, "nobody")
    assert Scope.of_company().allows("manager", "M0")


def test_the_command_draws_shows_and_exports(planned: Workspace, tmp_path: Path) -> None:
    runner, place = CliRunner(), ["--workspace", str(planned.root), "--as", "M0", "--locale", "en"]
    file = tmp_path / "order.csv"
    done = runner.invoke(app, ["coaching", "assign", "=value", "--capacity", "1", "--out", str(file), *place])
    assert done.exit_code == 0, done.exception
    assert "Everybody on the list is coached" in done.stdout.replace("\n", " ")
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    assert len(rows) == 4 and rows[0]["skill"] == "'=value"  # no spreadsheet runs it
    shown = runner.invoke(app, ["coaching", "orders", "--json", *place])
    assert json.loads(shown.stdout)["seed"] == int(rows[0]["seed"])
    none = runner.invoke(app, ["coaching", "orders", "99", *place])
    assert "No order has been drawn yet" in none.stdout


def test_the_command_says_what_the_sample_company_shows(company: Workspace) -> None:
    """Three reps are too few for any figure, and it says so."""
    done = CliRunner().invoke(
        app, ["coaching", "effects", "--workspace", str(company.root), "--locale", "en", "--json"]
    )
    assert done.exit_code == 0, done.exception
    rows = json.loads(done.stdout) if done.stdout.strip().startswith("[") else []
    assert all(row["verdict"] == "not_enough_data" and row["effect"] is None for row in rows)
    assert rows or "No coaching programme" in done.stdout
    assert set(TABLES["coaching_effects"].columns) >= set(rows[0] if rows else [])
