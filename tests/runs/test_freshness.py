"""Stale data stop a run with a message, or are marked on every report and page; a replay of the past is meant."""

from __future__ import annotations

from datetime import date

import nbformat
import pytest

from spm_models.errors import RunError
from spm_models.published import Manifest
from spm_models.published.freshness import NOTE, Stale, staleness
from spm_models.runs import publishing
from spm_models.runs.freshness import check_freshness
from spm_models.runs.request import WeeklyRequest
from spm_models.runs.weekly import weekly
from spm_models.settings import Settings
from spm_models.workspace import Workspace

FRIDAY = date(2026, 7, 3)


def settings(**freshness: object) -> Settings:
    return Settings.model_validate({"freshness": freshness})


@pytest.mark.parametrize(
    ("weekend", "today", "days"),
    [
        (("saturday", "sunday"), "2026-07-06", 1),
        (("saturday", "sunday"), "2026-07-05", 1),  # Friday itself was not over for them
        (("friday", "saturday"), "2026-07-06", 1),
        (("friday", "saturday"), "2026-07-08", 3),
        (("saturday", "sunday"), "2026-07-13", 6),
    ],
)
def test_age_is_counted_in_working_days_of_the_company(weekend: tuple[str, ...], today: str, days: int) -> None:
    chosen = Settings.model_validate({"freshness": {"max_age_days": 0}, "calendar": {"weekend": weekend}})
    found = staleness(chosen, FRIDAY, date.fromisoformat(today))
    assert found == Stale(FRIDAY, days)


def test_without_a_limit_and_before_the_last_day_nothing_is_stale() -> None:
    assert staleness(Settings(), FRIDAY, date(2036, 1, 1)) is None
    assert staleness(settings(max_age_days=0), FRIDAY, date(2026, 7, 1)) is None


def test_the_gate_says_what_was_found_and_what_to_do(tmp_path) -> None:
    workspace = Workspace(tmp_path, settings(max_age_days=2))
    assert check_freshness(workspace, FRIDAY, today=date(2026, 7, 7)) is None
    with pytest.raises(RunError, match="3 working days old, 2 are allowed") as told:
        check_freshness(workspace, FRIDAY, today=date(2026, 7, 8))
    assert "2026-07-03" in str(told.value) and "--as-of 2026-07-03" in str(told.value)
    marked = Workspace(tmp_path, settings(max_age_days=2, when_stale="mark"))
    assert check_freshness(marked, FRIDAY, today=date(2026, 7, 8)) == Stale(FRIDAY, 3)


def test_a_note_comes_back_as_it_was() -> None:
    assert Stale.of_note(Stale(FRIDAY, 3).note()) == Stale(FRIDAY, 3) and Stale.of_note(None) is None


def test_stale_data_stop_a_run_and_a_replay_is_not_stopped(company: Workspace, monkeypatch) -> None:
    file = company.root / "spm.toml"
    file.write_text(file.read_text(encoding="utf-8") + "\n[freshness]\nmax_age_days = 3\n", encoding="utf-8")
    company = Workspace.open(company.root)
    with pytest.raises(RunError, match="working days old, 3 are allowed"):
        weekly(company)
    day = publishing.crm.load(company, run_id="x").tables.extracted_on
    inputs = publishing.read_inputs(company, WeeklyRequest(as_of=day), lambda *told: None)
    assert inputs.stale is None


def test_every_report_and_index_says_it(tmp_path) -> None:
    from spm_models.reports.index import write_index
    from spm_models.reports.stale import banner
    from spm_models.translations import LOCALES, Translator

    manifest = Manifest("r", FRIDAY, "d" * 64, "c" * 64, notes={NOTE: Stale(FRIDAY, 3).note()})
    for locale in LOCALES:
        t = Translator(locale)
        text = write_index(tmp_path / locale, [], t, manifest, "Acme").read_text(encoding="utf-8")
        assert str(banner(t, Stale(FRIDAY, 3))) in text and t("common.stale_title") in text
    assert banner(Translator("en"), None) == ""


@pytest.mark.parametrize("limit", ["", "[freshness]\nmax_age_days = 2\n"])
def test_cards_made_by_hand_say_it_too(tmp_path, monkeypatch, limit: str) -> None:
    from types import SimpleNamespace

    import nbformat.v4 as v4

    from spm_models.runs import model_card

    shown = v4.new_output("display_data", {"text/html": "<main><h1>Card</h1></main>"})
    book = tmp_path / "done.ipynb"
    nbformat.write(v4.new_notebook(cells=[v4.new_code_cell("1", outputs=[shown])]), book)
    monkeypatch.setattr(model_card, "execute", lambda *given: SimpleNamespace(notebook=book))
    (tmp_path / "spm.toml").write_text(f"{limit}[reports]\npdf = false\n", encoding="utf-8")
    facts = {"as_of": "2020-01-01", "data_hash": "d", "code_hash": "c", "seed": 1}
    text = model_card.write_card(Workspace.open(tmp_path), model_card.SCORECARD, facts).html.read_text(encoding="utf-8")
    assert ('<aside class="stale"' in text) is bool(limit)
