"""The index of a run's reports leads to each of them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from spm_models.published import Manifest
from spm_models.reports.index import write_index
from spm_models.runs.reporting import _cards
from spm_models.settings import Settings
from spm_models.translations import LOCALES, Translator
from spm_models.workspace import Workspace


def _index(folder: Path, locale: str, rows):
    return write_index(folder, rows, Translator(locale), Manifest("run-1", date(2026, 8, 14), "d", "c"), "A & B")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_index_leads_to_every_report_and_says_what_failed(tmp_path, locale):
    rows = [
        ("coaching_report", "<b>Can</b>", "coaching_report/r2.html", None, None),
        ("coaching_report", "Ayşe", "coaching_report/r1.html", "coaching_report/r1.pdf", None),
        ("team_digest", "Elif", None, None, "broken: /secret/path"),
    ]
    text = _index(tmp_path, locale, rows).read_text(encoding="utf-8")
    links = re.findall(r'href="([^"]+)"', text)
    assert links == ["coaching_report/r2.html", "coaching_report/r1.html", "coaching_report/r1.pdf"]
    assert "&lt;b&gt;Can" in text and "secret" not in text and "A &amp; B" in text
    assert Translator(locale)("index.failed") in text and f'lang="{locale}"' in text
    assert _index(tmp_path / "again", locale, rows).read_text(encoding="utf-8") == text


def test_the_index_leads_to_the_card_of_the_last_backtest_with_its_day(tmp_path):
    workspace = Workspace(tmp_path, Settings())
    words, manifest = Translator("en"), Manifest("run-1", date(2026, 8, 14), "d", "c")
    assert _cards(workspace, words) == []
    file = workspace.reports_dir / "model_card" / "win_probability.en.html"
    file.parent.mkdir(parents=True)
    file.write_text('<meta content="2026-06-30" name="spm.as_of"/>', encoding="utf-8")
    assert _cards(workspace, Translator("tr")) == []
    rows = [("team_digest", "Elif", "team_digest/m1.html", None, None)]
    folder = workspace.reports_dir / "run-1"
    text = write_index(folder, rows, words, manifest, "A", _cards(workspace, words)).read_text(encoding="utf-8")
    links = re.findall(r'href="([^"]+)"', text)
    assert len(links) == 2 and (folder / links[1]).resolve() == file.resolve()
    assert words("common.data_as_of", day=date(2026, 6, 30)) in text and words("card.title") in text


def test_an_index_of_nothing_says_so(tmp_path):
    assert Translator("en")("index.none") in _index(tmp_path, "en", []).read_text(encoding="utf-8")
