from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from win import tables
from win.companies import snapshot_split
from win.split import Split, Table, plain
from win.tables import TableMissingError


def loaded(name: str) -> Table:
    try:
        return getattr(tables, name)()
    except TableMissingError as reason:
        pytest.skip(str(reason))


def test_maven_deals_are_split_by_closing_and_tell_neither_month_nor_outcome() -> None:
    split = loaded("maven_deals").splits[0]
    assert (split.matured < np.datetime64("2017-09-29")).all()
    assert (split.matured_test >= np.datetime64("2017-09-29")).all()
    assert len(split.y) + len(split.y_test) == 6711
    assert not [name for name in split.X if "clos" in name or "quarter" in name or name == "month" or "stage" in name]
    assert split.X["product"].nunique() == 7  # GTXPro is GTX Pro
    for X in (split.X, split.X_test):
        assert X[["sales_agent", "manager", "product", "account"]].notna().all().all()
        assert X.groupby("sales_agent")["manager"].nunique().max() == 1


def test_bank_calls_are_in_file_order_without_their_duration() -> None:
    split = loaded("bank_calls").splits[0]
    assert (len(split.y), len(split.y_test)) == (28_831, 12_357)
    assert (round(split.y.mean(), 3), round(split.y_test.mean(), 3)) == (0.056, 0.246)
    assert "duration" not in split.X
    assert (split.matured_test - split.time_test == 200).all()


@pytest.mark.skipif(find_spec("leadforge") is not None, reason="leadforge is installed: it would be simulated")
def test_a_table_whose_package_is_missing_says_which() -> None:
    with pytest.raises(TableMissingError, match=r"leadforge is not installed \(extra `benchmark`\)"):
        tables.leadforge()


def test_snapshots_are_learned_from_what_was_decided_and_judged_by_later_ones() -> None:
    days = pd.to_datetime(["2026-01-31", "2026-02-28", "2026-03-31"])
    deals = pd.DataFrame({
        "opportunity_id": ["a", "b", "c", "d"], "rep_id": ["r", "r", "s", "s"], "won": [True, False, True, False],
        "closed_on": pd.to_datetime(["2026-02-10", "2026-02-15", "2026-04-01", "2026-04-20"]),
    })  # fmt: skip
    snapshots = pd.DataFrame([
        {"as_of": day, "opportunity_id": deal, "rep_id": rep, "amount": amount, "account_id": None, "product_id": None,
         "territory": None, "manager_id": None}
        for day in days for deal, rep, amount in (("a", "r", 1.0), ("b", "r", 2.0), ("c", "s", 3.0), ("d", "s", 4.0))
    ]).merge(deals[["opportunity_id", "closed_on"]]).query("closed_on > as_of").drop(columns="closed_on")  # fmt: skip
    split = snapshot_split(snapshots, deals, pd.Timestamp("2026-03-01").date())
    assert split.groups.tolist() == ["a", "b"]
    assert split.y.tolist() == [1.0, 0.0]
    assert split.deal_test.tolist() == ["c", "d", "c", "d"]  # seen on the day of learning and later
    assert (split.time_test >= np.datetime64("2026-02-28")).all()


def test_clusters_and_deals_of_different_splits_are_told_apart() -> None:
    X, y = pd.DataFrame({"a": [1.0, 2.0]}), np.array([0.0, 1.0])
    split = Split(X, y, X, y, np.array(["one", "one"]))
    table = Table("t", "", [split, split], segment="a")
    assert len(set(table.clusters)) == 2
    assert len(set(table.deals)) == 4
    assert table.weight.tolist() == [1.0] * 4


def test_words_stay_with_their_rows_whatever_the_index() -> None:
    rows = pd.DataFrame({"n": [1, 2], "flag": [True, False], "w": ["a", None]}, index=[7, 3])
    found = plain(rows)
    assert found["n"].tolist() == [1.0, 2.0]
    assert found["flag"].tolist() == [1.0, 0.0]
    assert found["w"].fillna("-").tolist() == ["a", "-"]
    assert str(found["w"].dtype) == "str"


def test_a_fingerprint_changes_with_any_value_that_a_peer_sees() -> None:
    X, y = pd.DataFrame({"a": [1.0, 2.0]}), np.array([0.0, 1.0])
    same, other = Split(X, y, X, y, y), Split(X, y, X.assign(a=[1.0, 2.5]), y, y)
    assert Split(X.copy(), y, X, y, y).fingerprint == same.fingerprint
    assert len({same.fingerprint, other.fingerprint, Split(X, 1 - y, X, y, y).fingerprint}) == 3
