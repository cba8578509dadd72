"""360° feedback: what is shown, and that whoever keeps every weekly publication cannot single anybody out."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from spm_models.coaching.people import Releases, feedback_360, manager_skills
from spm_models.coaching.people.releases import ROUND_DAYS
from spm_models.errors import StatisticsError

START = date(2025, 1, 6)
PEOPLE = pd.DataFrame({"rep_id": ["r1", "r2"]})
FIGURES = ["n", "mean", "low", "high"]


def answers(n=5, score=4.0, day="2026-06-10", about="r1", side="peer", dimension="value", first=0, comment=None):
    return pd.DataFrame({
        "feedback_id": [f"{side}-{dimension}-{about}-{first + i:03}" for i in range(n)], "about_rep_id": about,
        "given_by": side, "dimension": dimension, "score": score, "comment": comment,
        "given_on": pd.Series([pd.Timestamp(day)] * n, dtype="datetime64[s]"),
    })  # fmt: skip


def shown(found, side="peer", about="r1", dimension="value"):
    return found.table.set_index(["rep_id", "given_by", "dimension"]).loc[(about, side, dimension)]


def test_four_answers_show_nothing_and_five_show_a_mean_with_its_range():
    four = feedback_360(answers(4, comment="Good."), PEOPLE, date(2026, 6, 30))
    assert shown(four)["state"] == "too_few" and shown(four)["n"] == 0 and shown(four)[FIGURES[1:]].isna().all()
    assert four.comments.empty
    five = feedback_360(answers(5, [3, 4, 4, 5, 4], comment="Good."), PEOPLE, date(2026, 6, 30))
    # mean 4, variance 1/2 and 1/12 for whole points, t(0.9; 4) = 1.533: 4 ± 1.533 · sqrt(0.5833 / 5) = 4 ± 0.52
    assert shown(five)[FIGURES].tolist() == [5, 4.0, 3.5, 4.5] and five.comments["comment"].tolist() == ["Good."]


def test_groups_are_not_joined_across_sides_or_dimensions_to_reach_the_least_size():
    mixed = pd.concat([answers(4), answers(4, side="customer"), answers(4, dimension="opening")])
    found = feedback_360(mixed, PEOPLE, date(2026, 6, 30))
    assert set(found.table["state"]) == {"too_few"} and len(found.table) == 2 * 4 * 2


def test_answers_wait_for_the_last_day_of_the_month():
    given = answers(5, day="2026-06-10")
    assert feedback_360(given, PEOPLE, date(2026, 6, 29)).table.empty
    assert shown(feedback_360(given, PEOPLE, date(2026, 6, 30)))["state"] == "shown"


def test_fewer_than_five_cannot_be_asked_for():
    with pytest.raises(StatisticsError, match="name those"):
        feedback_360(answers(5), PEOPLE, date(2026, 6, 30), minimum=4)


def test_one_person_who_answers_every_half_year_never_makes_a_group():
    each = [answers(1, day=str(START + timedelta(days=ROUND_DAYS * i)), side="manager", first=i) for i in range(8)]
    found = feedback_360(pd.concat(each), PEOPLE, date(2029, 6, 30))
    assert shown(found, "manager")["state"] == "too_few"


def world(seed, weeks=70):
    """Answers with the week in which each arrives, late or not, and weeks in which it is altered or deleted."""
    rng = np.random.default_rng(seed)
    n = 160
    given = rng.integers(0, weeks * 7, n)
    rows = pd.DataFrame({
        "feedback_id": [f"f{i:04}" for i in rng.permutation(n)], "about_rep_id": rng.choice(["r1", "r2"], n),
        "given_by": rng.choice(["peer", "customer", "manager"], n, p=[0.6, 0.3, 0.1]),
        "dimension": rng.choice(["value", "opening"], n), "score": rng.integers(1, 6, n).astype(float),
        "comment": [f"comment {i}" if rng.random() < 0.3 else None for i in range(n)],
        "given_on": pd.to_datetime([START + timedelta(days=int(day)) for day in given]).astype("datetime64[s]"),
    })  # fmt: skip
    late = rng.random(n) < 0.25
    rows["arrives"] = np.ceil(given / 7) + np.where(late, rng.integers(1, 12, n), 0)
    rows["altered"] = np.where(rng.random(n) < 0.2, rows["arrives"] + rng.integers(1, 20, n), 10**6)
    rows["deleted"] = np.where(rng.random(n) < 0.2, rows["arrives"] + rng.integers(1, 20, n), 10**6)
    return rows


def publications(rows, weeks=70):
    """What each weekly run publishes, with what earlier ones have released kept as text."""
    kept = Releases().to_json()
    for week in range(1, weeks + 1):
        there = rows[(rows["arrives"] <= week) & (rows["deleted"] > week)]
        score = there["score"].where(there["altered"] > week, 6 - there["score"])
        comment = there["comment"].where((there["altered"] > week) | there["comment"].isna(), "altered")
        now = there.assign(score=score, comment=comment).drop(columns=["arrives", "altered", "deleted"])
        as_of = START + timedelta(days=7 * week)
        found = feedback_360(now, PEOPLE, as_of, before=Releases.from_json(kept), seed=1)
        kept = found.releases.to_json()
        yield as_of, found


@pytest.mark.parametrize("seed", range(3))
def test_an_attacker_who_keeps_every_publication_sees_only_groups_of_five_or_more(seed):
    rows = world(seed)
    seen = list(publications(rows))
    whole = pd.concat([found.table.assign(as_of=day) for day, found in seen])
    released = 0
    for _, series in whole.groupby(["rep_id", "given_by", "dimension"]):
        assert series.loc[series["n"] == 0, FIGURES[1:]].isna().all(axis=None)
        for before, after in pairwise(series[FIGURES].fillna(-1.0).itertuples(index=False)):
            assert after.n - before.n == 0 or after.n - before.n >= 5
            assert after.n != before.n or after == before  # late, altered and deleted answers change nothing
            released += after.n > before.n
    assert released >= 8
    # everything published is a sum over batches: no sum of published figures stands for fewer than five answers
    batches = seen[-1][1].releases.batches
    ids = sorted({name for batch in batches for name in batch.answers})
    matrix = np.array([[name in batch.answers for name in ids] for batch in batches], dtype=float)
    assert (matrix.sum(axis=0) == 1).all() and (matrix.sum(axis=1) >= 5).all()
    projection = np.linalg.pinv(matrix) @ matrix  # onto what linear combinations can tell
    assert np.diag(projection).max() <= 1 / 5 + 1e-9


@pytest.mark.parametrize("seed", range(2))
def test_comments_come_with_their_group_and_tell_nothing_else(seed):
    rows, before = world(seed), pd.DataFrame({"rep_id": [], "given_by": [], "comment": []}, dtype="str")
    said = rows.set_index("comment")
    for day, found in publications(rows):
        now, key = found.comments, ["rep_id", "given_by", "comment"]
        new = now.merge(before, on=key, how="left", indicator=True).query("_merge == 'left_only'")
        for row in new.itertuples():
            mates = [b for b in found.releases.batches if b.about == row.rep_id and b.given_by == row.given_by]
            fresh = [batch for batch in mates if (day - batch.released_on).days < 7]
            assert fresh and min(batch.n for batch in fresh) >= 5
            if row.comment != "altered":
                assert said.loc[row.comment, "about_rep_id"] == row.rep_id
        assert list(now.columns) == ["rep_id", "rank", "given_by", "comment"]
        before = now[key]


def test_the_order_of_comments_depends_on_their_words_and_the_seed_alone():
    five = answers(5, comment=[f"words {i}" for i in range(5)])
    turned = five.assign(feedback_id=five["feedback_id"].to_numpy()[::-1], given_on=pd.Timestamp("2026-06-01"))
    as_of = date(2026, 6, 30)
    first, again = (feedback_360(given, PEOPLE, as_of, seed=3).comments for given in (five, turned.sample(frac=1)))
    pd.testing.assert_frame_equal(first, again)
    other = [feedback_360(five, PEOPLE, as_of, seed=seed).comments["comment"].tolist() for seed in range(6)]
    assert len({tuple(order) for order in other}) > 1 and first["comment"].tolist() != five["comment"].tolist()


def test_a_past_day_shows_what_was_shown_then():
    rows = world(1)
    seen = list(publications(rows))
    kept, now = seen[-1][1].releases, rows.drop(columns=["arrives", "altered", "deleted"])
    for day, found in seen[::12]:
        again = feedback_360(now, PEOPLE, day, before=kept, seed=1).table
        both = again.merge(found.table, on=["rep_id", "given_by", "dimension"], suffixes=("", "_then"))
        assert len(both) == len(found.table)
        for name in FIGURES:
            np.testing.assert_array_equal(both[name], both[f"{name}_then"])


def test_a_damaged_memory_is_refused_and_not_passed_over():
    with pytest.raises(StatisticsError, match="cannot be read"):
        Releases.from_json('{"through": "2026-06-30"}')


def test_managers_are_scored_by_groups_of_their_people_and_see_their_own_view():
    forms = pd.concat([answers(5, [2, 3, 3, 2, 3], about="m1", side="rep", dimension="listening"),
                       answers(4, about="m2", side="rep", dimension="listening"),
                       answers(1, 5.0, about="m1", side="self", dimension="listening")])  # fmt: skip
    table, _ = manager_skills(forms, ["m1", "m2"], date(2026, 6, 30))
    assert len(table) == 10
    rows = table[table["skill"] == "listening"].set_index("key")
    assert rows.loc["m1", ["own", "n", "mean", "state"]].tolist() == [5.0, 5, 2.6, "shown"]
    assert rows.loc["m2", ["n", "state"]].tolist() == [0, "too_few"] and np.isnan(rows.loc["m2", "mean"])
