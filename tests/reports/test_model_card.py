"""The model card: the verdict in words, figures that are those of the backtest, three languages, any amount of data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup

from spm_models.access import Scope
from spm_models.errors import AccessDeniedError, NotEnoughDataError
from spm_models.reports import model_card, render_html
from spm_models.reports.execute import execute
from spm_models.reports.per_model import ModelCard
from spm_models.shipped import shipped
from spm_models.translations import Translator
from spm_models.win_probability import Backtest, prove
from spm_models.win_probability.past_months import SCORED

COMPANY = {"SPM_SCOPE": Scope.of_company().to_json()}
HOSTILE = "<img src=x onerror=alert(1)>"
FACTS = {
    "company": f"Acme {HOSTILE}", "as_of": "2026-06-30", "replayed": ["2025-09", "2025-10"], "closed_deals": 900,
    "open_deals": 40, "snapshots": 5000, "first_deal": "2023-02-01", "rows_read": 12000, "rows_rejected": 7,
    "missing_tables": ["calls"], "custom_fields": ["field_budget"], "version": 3, "version_hash": "ab" * 32,
    "data_hash": "cd" * 32, "code_hash": "ef" * 32, "seed": 5, "versions": {"numpy": "2.4"},
}  # fmt: skip


def backtest(known: float, *, lift: float = 0.0, seed: int = 1) -> Backtest:
    """A replayed company; ``known`` is how much of the truth the model sees, ``lift`` a level that moves half-way."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2025-07-31", periods=10, freq="ME").as_unit("s")
    n = 1500
    deal = np.arange(n)
    truth = rng.normal(-0.4, 1.2, n)
    moved = truth + lift * (deal >= n // 2)
    scored = pd.DataFrame(
        {"as_of": days[deal * 10 // n], "opportunity_id": [f"o{k}" for k in deal], "rep_id": "r", "stage": "Offer",
         "segment": np.where(deal % 2, HOSTILE, "small"), "product_id": "p", "family": "f", "region": "east",
         "kind": np.where(deal % 3, "new", "renewal"), "stage_order": 0.0, "rep_tenure_days": 40.0 * (deal % 50),
         "amount": 1.0, "learned_deals": 300}
    )  # fmt: skip
    chance = {name: np.full(n, 0.42) for name in ("base_rate", "stage_rate", "rep_rate", "boosting")}
    chance |= {"model": 1 / (1 + np.exp(-(known * truth - 0.4 * (1 - known)))), "logistic": np.full(n, 0.41)}
    scored = scored.assign(**chance, low=chance["model"] - 0.05, high=chance["model"] + 0.05)[list(SCORED)].astype(
        SCORED
    )
    outcomes = pd.DataFrame(
        {"opportunity_id": scored["opportunity_id"], "won": rng.random(n) < 1 / (1 + np.exp(-moved)),
         "closed_on": scored["as_of"] + pd.to_timedelta(rng.integers(1, 30, n), unit="D")}
    )  # fmt: skip
    found = prove(scored, outcomes, "2026-06-30")
    return Backtest(found.facts | FACTS, found.tables)


@pytest.fixture(scope="module")
def telling() -> Backtest:
    return backtest(1.0)


def text(part: Any) -> str:
    return BeautifulSoup(str(part), "html.parser").get_text(" ", strip=True)


@pytest.mark.parametrize("locale", ["tr", "en", "ar"])
def test_every_section_speaks_the_readers_language(telling: Backtest, locale: str, tmp_path: Path) -> None:
    card = ModelCard(Translator(locale, currency="TRY"), telling, {"SPM_RESULT": str(tmp_path / "record.json")})
    parts = [getattr(card, name) for name in card.SECTIONS]
    whole = " ".join(text(part) for part in parts)
    assert not re.search(r"card\.\w+|\{\w+\}|\bnan\b|None", whole)
    assert HOSTILE not in "".join(parts) and "&lt;img" in "".join(parts)
    assert all(f"<h2 id={name!r}" not in part for name, part in zip(card.SECTIONS, parts, strict=True))
    card.finish()
    assert '"ok": true' in (tmp_path / "record.json").read_text()


def test_the_figures_are_those_of_the_backtest(telling: Backtest) -> None:
    card = ModelCard(Translator("en"), telling)
    verdict = text(card.verdict)
    assert "Publish the model." in verdict and f"{telling.facts['deals']:,}" in verdict
    soup = BeautifulSoup(card.comparison, "html.parser")
    rows = {row.th.get_text(): [cell.get_text() for cell in row.find_all("td")] for row in soup.tbody.find_all("tr")}
    assert len(rows) == 6
    assert rows["Our model"][:2] == [f"{telling.value('model', m):.3f}" for m in ("log_loss", "brier")]
    assert rows["Our model"][2] == f"{telling.value('model', 'auc'):.0%}"
    assert len(BeautifulSoup(card.groups, "html.parser").find_all("h3")) == 3, "segment, kind, tenure"


def test_right_probabilities_are_called_right_and_shifted_ones_are_not(telling: Backtest) -> None:
    assert "no larger than chance explains" in text(ModelCard(Translator("en"), telling).calibration)
    moved = ModelCard(Translator("en"), backtest(1.0, lift=1.2))
    assert "larger than chance explains" in text(moved.calibration) and "Not exactly" in text(moved.calibration)
    assert "drift apart by more than chance" in text(moved.over_time)


def test_where_there_is_nothing_to_learn_it_says_so_in_words() -> None:
    nothing = backtest(0.0)
    card = ModelCard(Translator("en"), nothing)
    assert nothing.facts["published"] == "base_rate" and nothing.facts["nothing_to_learn"]
    verdict = text(card.verdict)
    assert "Publish a plain rate: Win rate of the company." in verdict
    assert "nothing tells in advance which deals will be won" in verdict
    assert "Closest to what happened" not in text(card.comparison)


@pytest.mark.parametrize("locale", ["tr", "en", "ar"])
def test_too_little_data_gives_a_card_that_says_so(locale: str) -> None:
    t = Translator(locale)
    empty = {"published": None, "baseline": None, "reason": "too_few_outcomes"} | FACTS
    card = ModelCard(t, Backtest(empty | {"first_deal": None, "closed_deals": 0, "version": None}))
    parts = {name: getattr(card, name) for name in card.SECTIONS}
    assert t("card.verdict.none") in parts["verdict"] and t("card.provenance.no_version") in parts["provenance"]
    assert [name for name, part in parts.items() if not part] == ["calibration", "comparison", "over_time", "groups"]
    assert parts["limits"] and parts["use"] and "<svg" not in "".join(parts.values())


def test_one_good_stretch_is_explained(telling: Backtest) -> None:
    facts = telling.facts | {"published": "base_rate", "reason": "one_period_decides"}
    verdict = text(ModelCard(Translator("en"), Backtest(facts, telling.tables)).verdict)
    assert "One good quarter is no proof." in verdict


def test_it_is_for_those_who_may_see_the_whole_company(workspace: Any) -> None:
    with pytest.raises(AccessDeniedError):
        model_card(str(workspace.root), environ={"SPM_SCOPE": Scope.of_rep("r1").to_json()})
    with pytest.raises(NotEnoughDataError, match="spm backtest win"):
        model_card(str(workspace.root), environ=COMPANY)


def test_the_notebook_ends_with_its_record_and_renders(telling: Backtest, workspace: Any, tmp_path: Path) -> None:
    telling.save(workspace.state / "backtest" / "win_probability" / "result")
    done = execute(
        shipped("notebooks/reports/model_card.ipynb"), tmp_path / "card.ipynb",
        {"workspace": str(workspace.root), "locale": "ar"}, COMPANY,
    )  # fmt: skip
    assert done.record["ok"] and done.record["report"] == "model_card" and done.record["locale"] == "ar"
    page = render_html(done.notebook, tmp_path / "c.html", translator=Translator("ar"), title="c", provenance={})
    html = page.read_text(encoding="utf-8")
    assert 'dir="rtl"' in html and html.count("<h2") == 11 and "<script" not in html
    assert len(re.findall(r'role="img"', html)) >= 8


def test_a_lead_of_the_level_alone_is_called_that(telling: Backtest) -> None:
    assert telling.facts["tells_apart"]
    facts = telling.facts | {"tells_apart": False}
    verdict = text(ModelCard(Translator("en"), Backtest(facts, telling.tables)).verdict)
    assert "does not tell one deal from another" in verdict
    assert not backtest(0.0).facts["tells_apart"]
