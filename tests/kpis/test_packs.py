"""A pack says what a scorecard shows and is held against; a company changes it and is told what cannot be."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from spm_models.cli import app
from spm_models.errors import SpmError, WorkspaceError
from spm_models.kpis import KPIS
from spm_models.kpis.packs import Choice, from_file, grows, of_company, packs, read_pack
from spm_models.settings import Kpis
from spm_models.workspace import Workspace


@pytest.mark.parametrize("name", packs())
def test_every_pack_chooses_kpis_that_exist_and_says_where_its_figures_are_from(name):
    pack = read_pack(name)
    assert pack.pack == name and len(pack.kpis) == len(set(pack.kpis)) >= 6
    assert all(len(source) > 10 for source in pack.sources.values())
    banded = {kpi for kpi, ends in pack.bands.items() if not np.isnan(ends[0])}
    assert set(pack.sources) == banded | set(pack.targets)
    assert not any(grows(kpi) for kpi in (*banded, *pack.targets))
    shown = {KPIS[kpi].id for kpi in pack.kpis}
    assert "K07" in shown and "K21" in shown, "every business looks at its quota and revenue"


def test_without_a_pack_everything_is_shown_and_nothing_is_held_against_it():
    assert of_company(Kpis()) == Choice("", tuple(KPIS), {}, {}, {})
    assert of_company(Kpis(choose=("revenue", "win_rate"))).kpis == ("revenue", "win_rate")


def test_a_company_adds_leaves_out_and_overrides():
    mine = of_company(
        Kpis(
            pack="b2b_software", choose=("calls", "win_rate"), leave_out=("demos",), bands={"win_rate": (0.3, 0.4)},
            targets={"quota_attainment": 0.9, "loss_rate": 0.6},
        )
    )  # fmt: skip
    pack = read_pack("b2b_software")
    assert mine.kpis == (*(name for name in pack.kpis if name != "demos"), "calls")
    assert mine.band("win_rate") == (0.3, 0.4) and mine.band("sales_cycle") == (30, 90)
    assert mine.targets == {"quota_attainment": 0.9, "loss_rate": 0.6}
    assert "company" in mine.sources["win_rate"] and "inventory" in mine.sources["sales_cycle"]


WRONG = [
    ({"pack": "b2b"}, "no such KPI pack", "kpis.pack"),
    ({"choose": ["winrate"]}, "no such KPI", "kpis.choose"),
    ({"leave_out": ["winrate"]}, "no such KPI", "kpis.leave_out"),
    ({"bands": {"winrate": (0, 1)}}, "no such KPI", "kpis.bands"),
    ({"bands": {"win_rate": (0.4, 0.3)}}, "lower end first", "kpis.bands"),
    ({"bands": {"revenue": (1, 2)}}, "every person, team and period", "kpis.bands"),
    ({"targets": {"quota": 1}}, "better side", "kpis.targets"),
    ({"targets": {"meetings": 1}}, "better side", "kpis.targets"),
    ({"targets": {"deals_won": 3}}, "every person, team and period", "kpis.targets"),
    ({"targets": {"win_rate": float("nan")}}, "is a number", "kpis.targets"),
]


@pytest.mark.parametrize(("settings", "message", "place"), WRONG, ids=[message for _, message, _ in WRONG])
def test_what_cannot_be_is_refused_with_place_and_remedy(settings, message, place):
    with pytest.raises(WorkspaceError, match=message) as caught:
        of_company(Kpis(**settings))
    assert place in str(caught.value.where) and caught.value.remedy


def test_a_pack_file_that_cannot_be_read_says_what_it_needs(tmp_path: Path):
    file = tmp_path / "mine.toml"
    for text in ('kpis = ["win_rate"', 'kpi = ["win_rate"]', "kpis = []\n[bands.win_rate]\nlow = 0.1\nhigh = 0.2\n"):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(SpmError, match="cannot be read") as caught:
            from_file(file)
        assert str(file) == caught.value.where and "source" in caught.value.remedy


def test_nobody_is_judged_by_lateness_or_the_words_of_his_calls(monkeypatch: pytest.MonkeyPatch):
    from dataclasses import replace

    shown = replace(KPIS["win_rate"], name="lateness", id="K27")
    monkeypatch.setitem(KPIS, "lateness", shown)
    assert of_company(Kpis(choose=("lateness",))).kpis == ("lateness",)
    for settings in (Kpis(bands={"lateness": (0, 1)}), Kpis(targets={"lateness": 0})):
        with pytest.raises(WorkspaceError, match="Nobody is judged"):
            of_company(settings)


def test_the_list_of_a_workspace_is_its_choice(tmp_path: Path):
    (tmp_path / "spm.toml").write_text(
        '[company]\nlocale = "tr"\n[kpis]\npack = "distribution"\nleave_out = ["calls"]\n'
        "targets = { reps_at_quota = 0.7 }\n",
        encoding="utf-8",
    )
    result = CliRunner().invoke(app, ["kpis", "list", "--workspace", str(tmp_path), "--json"])
    rows = json.loads(result.stdout)
    assert tuple(row["name"] for row in rows) == of_company(Workspace.open(tmp_path).settings.kpis).kpis
    held = {row["name"]: row for row in rows}
    assert held["revenue"]["title"] == "Gelir" and held["win_rate"]["healthy"] is None
    assert held["reps_at_quota"]["target"] == 0.7 and held["reps_at_quota"]["healthy"] == [0.6, 0.8]
    people = CliRunner().invoke(app, ["kpis", "list", "-w", str(tmp_path), "--locale", "en"], env={"COLUMNS": "200"})
    assert "Revenue" in people.stdout and "target" in people.stdout and "K09" in people.stdout
