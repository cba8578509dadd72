"""A small company whose results are published into a real workspace: what the reports read."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from spm_models.access import Scope, Viewer, scope
from spm_models.journal import Journal
from spm_models.published import Manifest, publish
from spm_models.reports import coaching_report, team_digest
from spm_models.workspace import Workspace

AS_OF = date(2026, 8, 14)
SETTINGS = '[company]\nname = "Acme"\ncurrency = "TRY"\nlocale = "en"\ntime_zone = "Europe/Istanbul"\n'
HOSTILE = "<img src=x onerror=alert(1)>"
#: rep → topic, strength, verdict: one rep of each kind.
VERDICTS = [
    ("r1", "cycle", None, "coaching_suggestion"), ("r2", None, "win_rate", "doing_well"), ("r3", None, None, "fine"),
    ("r4", "win_rate", None, "coaching_suggestion"), ("r5", None, None, "watch"),
    ("r6", None, None, "not_enough_data"),
]  # fmt: skip


@pytest.fixture(scope="session")
def published_tables() -> dict[str, pd.DataFrame]:
    """Every table that a report reads: six reps under three managers, one verdict of each kind."""
    place = Path(__file__).parents[1] / "apps" / "company.py"
    spec = importlib.util.spec_from_file_location("outlook_company", place)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    tables: dict[str, pd.DataFrame] = module.company()
    return tables | _coaching() | _background()


def _coaching() -> dict[str, pd.DataFrame]:
    as_of = pd.Timestamp(AS_OF)
    verdicts = pd.DataFrame(
        [(as_of, rep, verdict, topic, strength, 420_000.0 if topic else None, 0.63 if rep != "r6" else None)
         for rep, topic, strength, verdict in VERDICTS],
        columns=["as_of", "rep_id", "verdict", "topic", "strength", "money_at_stake", "detectable"],
    )  # fmt: skip
    rows = [
        ("win_rate", 0.31, 0.40, 0.35, 0.30, 0.41, 60.0), ("activity", 12.0, 14.0, 13.1, 12.2, 14.1, 180.0),
        ("pipeline_creation", 3.0, 4.0, 3.4, 2.9, 4.1, 180.0), ("cycle", 95.0, 70.0, 86.0, 76.0, 97.0, 24.0),
    ]  # fmt: skip
    names = ["signal", "actual", "expected", "pooled", "low", "high", "n"]
    findings = verdicts[["as_of", "rep_id", "topic", "strength", "verdict"]].merge(
        pd.DataFrame(rows, columns=names), how="cross"
    )
    special = (findings["signal"] == findings["topic"]) | (findings["signal"] == findings["strength"])
    unsure = findings["verdict"].isin(["watch", "not_enough_data"])
    findings["verdict"] = findings["verdict"].where(special | unsure, "fine")
    findings["money_at_stake"] = 420_000.0
    findings["probability_below"] = 0.9
    findings = findings.assign(part="", margin=0.15, detectable=0.4, probability_above=0.02, quarters_below=2)
    verdicts = verdicts.assign(topic_part="", strength_part="", cause="", cause_probability=None)
    examples = pd.DataFrame(
        [("r1", "cycle", "", "example", 1, "W1", 24.0), ("r1", "cycle", "", "counter_example", 1, "W2", 131.0)],
        columns=["rep_id", "signal", "part", "kind", "rank", "opportunity_id", "value"],
    )
    return {
        "coaching_verdicts": verdicts, "coaching_findings": findings.drop(columns=["topic", "strength"]),
        "coaching_examples": examples, **_behind(),
    }  # fmt: skip


def _behind() -> dict[str, pd.DataFrame]:
    """What stands behind the suggestion to r1: causes, feedback, a plan, and the gap in money."""
    causes = pd.DataFrame(
        [("r1", "direction", 1, 0.72, True, ""), ("r1", "knowledge", 2, 0.2, False, ""),
         ("r1", "motivation", 3, 0.05, False, ""), ("r1", "context", 4, 0.03, False, ""),
         ("r4", "knowledge", 1, 0.4, False, ""), ("r4", "context", 2, 0.35, False, ""),
         ("r4", "motivation", 3, 0.15, False, ""), ("r4", "direction", 4, 0.1, False, "")],
        columns=["rep_id", "cause", "place", "probability", "stated", "confirmed"],
    )  # fmt: skip
    told = pd.DataFrame(
        [("r1", "direction", 1, "for", "low", "focus", "", 0.55, 0.78, 1.1),
         ("r1", "direction", 2, "against", "usual", "activity", "", 13.1, 14.0, -0.4)],
        columns=["rep_id", "cause", "rank", "stance", "reading", "signal", "part", "value", "beside", "weight"],
    )  # fmt: skip
    values = '{"k": 5, "n": 8, "limit_days": 21, "beside_days": 6, "since": "2026-02-10"}'
    feedback = pd.DataFrame(
        [("r1", 1, "change", "silence", "follow_up", "", values, "W2")],
        columns=["rep_id", "rank", "stance", "sentence", "signal", "part", "values", "deals"],
    )
    plan = pd.DataFrame(
        [("r1", 1, "goal", "cycle", "cycle", "", "days", 86.0, 75.0, 6, 12, pd.Timestamp("2026-09-30"), "", "", "")],
        columns=["rep_id", "rank", "remedy", "item", "signal", "part", "unit", "baseline", "goal", "reached_by",
                 "peers", "due_on", "with_id", "with_name", "opportunity_id"],
    )  # fmt: skip
    steps = [("start", "", 900_000.0, False), ("absence", "", -20_000.0, False), ("territory", "", 60_000.0, False),
             ("effort", "", 15_000.0, True), ("conversion", "Proposal", -180_000.0, True),
             ("luck", "", 25_000.0, False), ("end", "", 800_000.0, False)]  # fmt: skip
    gap = pd.DataFrame(
        [("r1", "peers", step, part, place, amount, amount - 9_000, amount + 9_000, coachable)
         for place, (step, part, amount, coachable) in enumerate(steps)],
        columns=["rep_id", "reference", "step", "part", "place", "amount", "low", "high", "coachable"],
    )  # fmt: skip
    return {"coaching_causes": causes, "coaching_evidence": told, "coaching_feedback": feedback, "coaching_plan": plan,
            "coaching_gap": gap}  # fmt: skip


def _background() -> dict[str, pd.DataFrame]:
    closed = pd.DataFrame(
        [("W1", "r1", "Quick & Co", True, "2026-07-10", "2026-08-03", 700_000.0),
         ("W2", "r1", HOSTILE, True, "2026-01-10", "2026-05-21", 450_000.0),
         ("L1", "r1", "Lost Ltd", False, "2026-02-01", "2026-06-11", 300_000.0)],
        columns=["opportunity_id", "rep_id", "account_name", "won", "created_on", "closed_on", "amount"],
    )  # fmt: skip
    days = {"created_on": "datetime64[s]", "closed_on": "datetime64[s]"}
    sessions = pd.DataFrame(
        [("s1", "r1", "m1", "2026-08-01", "one_to_one", "next_step", f"Call {HOSTILE} by Friday", "2026-08-20")],
        columns=["session_id", "rep_id", "manager_id", "held_on", "kind", "skill", "actions", "due_on"],
    ).astype({"held_on": "datetime64[s]", "due_on": "datetime64[s]"})
    agreed = pd.DataFrame(
        [("r1", "s1", 1, "m1", "2026-08-01", f"Call {HOSTILE} by Friday", "2026-08-20", "open", "", None, "")],
        columns=["rep_id", "session_id", "number", "manager_id", "held_on", "action", "due_on", "state", "said_by",
                 "said_on", "note"],
    ).astype({"held_on": "datetime64[s]", "due_on": "datetime64[s]", "said_on": "datetime64[s]"})  # fmt: skip
    return {"closed_deals": closed.astype(days), "coaching_sessions": sessions, "agreed_actions": agreed}


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory, published_tables: Mapping[str, pd.DataFrame]) -> Workspace:
    folder = tmp_path_factory.mktemp("acme")
    (folder / "spm.toml").write_text(SETTINGS, encoding="utf-8")
    opened = Workspace.open(folder)
    manifest = Manifest("2026-08-14-test", AS_OF, "d" * 64, "c" * 64, notes={"data": ["missing: opportunity_history"]})
    publish(opened, dict(published_tables), manifest)
    return opened


@pytest.fixture
def rep_report(workspace: Workspace) -> Callable[..., Any]:
    """Open a rep's report as the runner would."""

    def opened(rep_id: str, locale: str = "en", allowed: Scope | None = None) -> Any:
        given = {"SPM_SCOPE": (allowed or Scope.of_rep(rep_id)).to_json()}
        return coaching_report(str(workspace.root), rep_id, locale, environ=given)

    return opened


@pytest.fixture
def journal(workspace: Workspace) -> Iterator[Callable[..., Journal]]:
    """Open the journal as somebody on a day; what was written goes with the test."""

    def opened(viewer: Scope, day: date) -> Journal:
        return Journal(workspace, viewer, clock=lambda: datetime(day.year, day.month, day.day, tzinfo=UTC))

    yield opened
    for file in workspace.people_db.parent.glob(f"{workspace.people_db.name}*"):
        file.unlink()


@pytest.fixture
def digest(workspace: Workspace, published_tables: Mapping[str, pd.DataFrame]) -> Callable[..., Any]:
    """Open a manager's digest as the runner would."""

    def opened(manager_id: str, locale: str = "en", allowed: Scope | None = None) -> Any:
        given = allowed or scope(Viewer(manager_id, "manager"), published_tables["reps"])
        return team_digest(str(workspace.root), manager_id, locale, environ={"SPM_SCOPE": given.to_json()})

    return opened
