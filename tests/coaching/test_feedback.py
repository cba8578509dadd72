"""Feedback: every number recounted by hand, said only where it is true of enough deals, and something good first."""

import json
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from spm_models.coaching import CoachingReview, Evidence
from spm_models.coaching.features import DEAL_CONTEXT
from spm_models.coaching.plans import feedback, feedback_sentences
from spm_models.coaching.result import CoachingFindings, empty_table
from spm_models.published.schemas import TABLES
from spm_models.translations import Translator

AS_OF = date(2026, 6, 30)


def deals(rows):
    """Deals of two reps: ``rep won amount days silence`` and what else is named, closed in May 2026."""
    table = pd.DataFrame(rows)
    table["opportunity_id"] = [f"d{number:02d}" for number in range(len(table))]
    usual = {"closed_on": pd.Timestamp("2026-05-15"), "activities": 5.0, "price_kept": np.nan, "product": "p",
             "amount": 100.0, "days": 60.0}  # fmt: skip
    for name, value in usual.items():
        table[name] = table[name].fillna(value) if name in table else value
    for name in DEAL_CONTEXT:
        table[name] = table[name].fillna("x") if name in table else "x"
    return table.assign(created_on=table["closed_on"] - pd.to_timedelta(table["days"], unit="D"))


def lost(rep, silence, **more):
    return {"rep_id": rep, "won": False, "longest_silence": float(silence)} | more


def won(rep, silence, **more):
    return {"rep_id": rep, "won": True, "longest_silence": float(silence)} | more


def said(rows, signal, *, part="", stages=None, weeks=None, actual=0.4, expected=0.6):
    evidence = Evidence(AS_OF, date(2025, 7, 1), pd.DataFrame({"rep_id": ["a", "b"]}), deals(rows), {}, stages=stages,
                        weeks=pd.DataFrame() if weeks is None else weeks)  # fmt: skip
    finding = {"rep_id": "a", "signal": signal, "part": part, "actual": actual, "expected": expected, "pooled": actual,
               "verdict": "coaching_suggestion", "probability_above": 0.0}  # fmt: skip
    table = pd.concat([empty_table("coaching_findings"), pd.DataFrame([finding])])
    verdicts = pd.DataFrame({"rep_id": ["a"], "topic": [signal], "topic_part": [part]})
    return feedback(evidence, CoachingFindings(table, verdicts, 0.15, 0.1))


def values(table, sentence):
    row = table[table["sentence"] == sentence]
    assert len(row) == 1, table
    return json.loads(row["values"].iloc[0]), row["deals"].iloc[0].split()


def others_waited(*days):
    return [won("b", day) for day in days]


# -- the sentence of the issue: 5 of 8 lost deals waited more than 21 days, won ones 6
LOST = [lost("a", s, amount=a) for s, a in ((30, 1), (22, 9), (40, 5), (25, 7), (60, 3), (21, 99), (10, 99), (4, 99))]


def test_five_of_eight_lost_deals_waited_and_won_ones_six_days():
    table = said([*LOST, won("a", 5), *others_waited(4, 6, 6, 9)], "follow_up")
    found, named = values(table, "silence")
    assert (found["k"], found["n"], found["limit_days"], found["beside_days"]) == (5, 8, 21, 6)
    assert named == ["d01", "d03", "d02"]  # the largest of the five
    sentence = [str(words.striptags()) for stance, words in feedback_sentences(
        Translator("en", currency="USD"), table, {"d01": "Acme"}) if "5 of 8" in words.striptags()]  # fmt: skip
    assert sentence == [
        "Since May 15, 2026, 5 of 8 lost deals had more than 21 days without a contact; in won deals of this kind the "
        "longest wait was 6 days (the middle value). Deals: Acme, d03, and d02"
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [*LOST[:2], *LOST[5:], *others_waited(4, 6, 6, 9, 5)],  # two of five: not half of them
        [*LOST[:4], *others_waited(4, 6, 6, 9, 5)],  # four lost deals: too few
        [*LOST, *others_waited(4, 6, 6)],  # too few won deals to compare with
        [*LOST, *others_waited(15, 16, 17, 18, 19)],  # won deals waited nearly as long
        [*LOST, *[won("b", 6, segment="other") for _ in range(9)]],  # won deals of another kind
        [{**row, "longest_silence": np.nan} for row in [*LOST, *others_waited(4, 6, 6, 9, 5)]],  # nothing is recorded
    ],
)
def test_it_is_not_said_where_it_is_not_true_or_rests_on_too_little(rows):
    table = said([won("a", 3, amount=50), *rows], "follow_up")
    assert "silence" not in set(table["sentence"])


def test_recent_deals_are_spoken_of_where_there_are_enough():
    old = [lost("a", 3, closed_on=pd.Timestamp("2025-09-01")) for _ in range(20)]
    table = said([*LOST, *old, won("a", 5), *others_waited(4, 6, 6, 9)], "win_rate")
    assert values(table, "silence")[0]["n"] == 8
    few = said([*LOST[:4], *old, won("a", 5), *others_waited(4, 6, 6, 9)], "win_rate")
    assert "silence" not in set(few["sentence"])  # 4 of 24
    assert values(few, "win_rate")[0] == {"k": 1, "n": 25, "share": 0.04, "beside_share": 0.6}


def stage_rows(rows):
    table = pd.DataFrame(rows, columns=["opportunity_id", "rep_id", "stage", "place", "advanced", "days"])
    return table.assign(**dict.fromkeys(DEAL_CONTEXT, "x"), left_on=pd.Timestamp("2026-05-15"))


def test_long_stays_in_the_stage_where_deals_ended():
    own = [lost("a", 3) for _ in range(6)] + [won("a", 3)]
    rows = [*own, *others_waited(*[3] * 6)]
    stays = [(f"d{n:02d}", "a", "Proposal", 1, False, day) for n, day in enumerate([40, 30, 35, 50, 5, 8])]
    stays += [
        (f"d{n:02d}", "b", "Proposal", 1, True, day) for n, day in zip(range(6, 13), [6, 5, 7, 6, 6, 6, 8], strict=True)
    ]
    table = said(rows, "stage_conversion", part="Proposal", stages=stage_rows(stays))
    found, _ = values(table, "stage_wait")
    assert (found["k"], found["n"], found["limit_days"], found["beside_days"]) == (4, 6, 12, 6)
    share, ended = values(table, "stage_share")
    assert (share["k"], share["n"], share["stage"]) == (0, 6, "Proposal") and set(ended) <= {f"d0{n}" for n in range(6)}
    slow = [row if row[1] == "a" else (*row[:5], 30) for row in stays]  # won deals stayed as long
    assert "stage_wait" not in set(said(rows, "stage_conversion", part="Proposal", stages=stage_rows(slow))["sentence"])


def test_the_stage_in_which_time_goes():
    rows = [won("a", 3) for _ in range(6)] + others_waited(*[3] * 6)
    stays = [(f"d{n:02d}", "a" if n < 6 else "b", stage, place, True, days[n < 6] + n % 3)
             for n in range(12) for stage, place, days in (("A", 0, (10, 11)), ("B", 1, (10, 30)))]  # fmt: skip
    table = said(rows, "cycle", stages=stage_rows(stays), actual=70.0, expected=40.0)
    found, _ = values(table, "slow_stage")
    assert found == {"stage": "B", "n": 6, "days": 31, "beside_days": 11}
    assert values(table, "cycle")[0] == {"n": 12 - 6, "days": 60, "beside_days": 40}


def test_discounts_above_the_middle_value_of_colleagues():
    rows = [won("a", 3, price_kept=p) for p in (0.8, 0.85, 0.82, 0.88, 0.96, 0.81)]
    rows += [won("b", 3, price_kept=p) for p in (0.95, 0.9, 0.92, 0.94, 0.93)]
    table = said(rows, "price_kept", actual=0.85, expected=0.93)
    found, named = values(table, "discounts")
    assert (found["k"], found["n"], found["limit_share"]) == (5, 6, 0.07) and named == ["d00", "d05", "d02"]
    assert values(table, "price_kept")[0] == {"n": 6, "share": 0.85, "beside_share": 0.93}


def test_contacts_a_week_in_the_last_quarter():
    days = pd.date_range("2026-01-05", periods=26, freq="7D")
    weeks = pd.DataFrame({"rep_id": "a", "week": days, "days": 5.0, "activity": [20.0] * 13 + [8.0] * 13})
    weeks.loc[weeks.index[-1], ["days", "activity"]] = 0.0  # absent: neither worked nor counted
    table = said([won("a", 3)] * 3, "activity", weeks=weeks, actual=14.0, expected=19.0)
    assert values(table, "activity_recent")[0] == {"pace": 8.0, "weeks": 13, "beside_pace": 19.0}
    fine = weeks.assign(activity=[8.0] * 13 + [19.0] * 13)
    table = said([won("a", 3)] * 3, "activity", weeks=fine, actual=14.0, expected=19.0)
    assert values(table, "activity")[0] == {"pace": 14.0, "beside_pace": 19.0}


def test_contacts_of_won_and_lost_deals():
    rows = [won("a", 3, activities=8.0, days=56.0)] * 5 + [lost("a", 3, activities=16.0, days=56.0)] * 5
    rows += [won("b", 3, activities=24.0, days=56.0)] * 5 + [lost("b", 3, activities=8.0, days=56.0)] * 5
    found, named = values(said(rows, "focus"), "focus")
    assert found == {"won_pace": 1.0, "lost_pace": 2.0, "beside_won_pace": 3.0, "beside_lost_pace": 1.0}
    assert named == ["d05", "d06", "d07"]
    turned = [{**row, "rep_id": "a" if row["rep_id"] == "b" else "b"} for row in rows]
    assert "focus" not in set(said(turned, "focus")["sentence"])


def test_nothing_is_to_change_without_something_that_went_well():
    table = said([lost("a", 40) for _ in range(9)] + others_waited(*[5] * 6), "follow_up")
    assert table.empty
    good = said([*LOST, won("a", 3, amount=5000), *others_waited(*[5] * 6)], "follow_up")
    assert good["stance"].tolist()[0] == "well" and good["rank"].tolist() == list(range(1, len(good) + 1))
    assert values(good, "won_deal")[0] == {"amount": 5000.0, "day": "2026-05-15"}


def test_won_deals_that_were_kept_in_touch_with():
    rows = [won("a", s) for s in (5, 9, 30, 20)] + [won("a", 5, days=10.0), won("a", 12)]
    found, _ = values(said(rows, "deal_size"), "kept_in_touch")
    assert (found["k"], found["n"]) == (4, 5)  # a deal of ten days cannot be silent for three weeks
    table = said([won("a", s) for s in (5, 30, 30, 20, 25)], "deal_size")
    assert "kept_in_touch" not in set(table["sentence"])


# -- a whole company
@pytest.fixture(scope="module")
def world(company):
    evidence, _ = company(5, reps=30, quarters=4, spread=0.25, causes={"r001": "knowledge", "r002": "direction"})
    findings = CoachingReview().fit(evidence).predict(evidence)
    return SimpleNamespace(evidence=evidence, findings=findings, said=feedback(evidence, findings))


def test_a_company_hears_what_went_well_first_and_of_its_topic_alone(world):
    table = world.said
    assert table.dtypes.astype(str).to_dict() == TABLES["coaching_feedback"].columns
    assert not table.duplicated(["rep_id", "rank"]).any()
    topics = world.findings.verdicts.set_index("rep_id")["topic"]
    for rep, rows in table.groupby("rep_id"):
        stances = rows.sort_values("rank")["stance"].tolist()
        assert stances == sorted(stances, reverse=True) and stances[0] == "well"  # well before change
        assert stances.count("well") <= 2 and stances.count("change") <= 2
        assert set(rows.loc[rows["stance"] == "change", "signal"]) <= {topics[rep]}
    owner = world.evidence.deals.set_index("opportunity_id")["rep_id"]
    for row in table.itertuples():
        assert {owner[deal] for deal in row.deals.split()} <= {row.rep_id}  # nobody hears of others' deals


def test_counts_agree_with_the_findings(world):
    table = world.findings.table.set_index(["rep_id", "signal", "part"])
    checked = 0
    for row in world.said[
        world.said["sentence"].isin(["win_rate", "stage_share"]) & world.said["stance"].eq("change")
    ].itertuples():
        number = json.loads(row.values)
        assert number["k"] / number["n"] == pytest.approx(table.at[(row.rep_id, row.signal, row.part), "actual"])
        checked += 1
    assert checked


def test_praise_is_said_only_of_what_is_surely_above_expectation(world):
    above = world.said[world.said["stance"].eq("well") & ~world.said["sentence"].isin(["won_deal", "kept_in_touch"])]
    verdict = world.findings.table.set_index(["rep_id", "signal", "part"])["verdict"]
    assert len(above)
    assert {verdict[key] for key in above[["rep_id", "signal", "part"]].itertuples(index=False, name=None)} == {
        "doing_well"
    }


def test_absences_and_what_is_never_judged_are_in_no_sentence(world):
    less = replace(world.evidence, sessions=None, results=world.evidence.results.iloc[:0])
    pd.testing.assert_frame_equal(feedback(less, world.findings), world.said)
    columns = {*world.evidence.deals.columns, *world.evidence.stages.columns, *world.evidence.weeks.columns}
    assert not {name for name in columns if "late" in name or "transcript" in name}
