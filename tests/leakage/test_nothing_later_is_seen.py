"""Change everything dated after a day: pipelines and outcomes of that day do not change by a byte."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spm_models.snapshots import cutoff, month_ends, outcomes, pipelines

EXTRACTED = date(2026, 6, 30)
#: No history row dates these: empty on every day before the extract.
EMPTY = {"forecast_category", "competitor", "discount", "term_months", "field_mood"}
#: Settled at creation, or today's catalogue: the same in every future of a deal that is open in both.
SETTLED = EMPTY | {
    "account_id", "product_id", "segment", "industry", "family", "list_price", "source", "kind", "quarter_day",
    "days_to_quarter_end",
}  # fmt: skip
ZONES = ("UTC", "Europe/Istanbul", "America/Los_Angeles")
days = st.dates(date(2025, 2, 1), EXTRACTED - timedelta(days=1))
relaxed = settings(
    max_examples=5, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def options(zone: str) -> dict[str, object]:
    return {
        "time_zone": zone,
        "stages": ("Lead", "Meeting", "Offer"),
        "currency": "USD",
        "custom_fields": {"mood": "text"},
    }


def bytes_of(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode() + str(frame.dtypes.to_dict()).encode()


@relaxed
@given(as_of=days, zone=st.sampled_from(ZONES), seed=st.integers(0, 10**6))
def test_with_history_no_later_row_is_seen(company, another_future, tables_of, as_of, zone, seed):
    other = another_future(company, cutoff(as_of, zone), seed)
    real = tables_of(company, EXTRACTED, **options(zone))
    changed = tables_of(other, EXTRACTED, **options(zone))
    many = [*month_ends(date(2025, 1, 1), as_of), as_of]
    expected = pipelines(real, many)
    assert len(expected) and bytes_of(expected) == bytes_of(pipelines(changed, many))
    assert bytes_of(outcomes(real, as_of)) == bytes_of(outcomes(changed, as_of))


@relaxed
@given(as_of=days, seed=st.integers(0, 10**6))
def test_without_history_todays_values_never_stand_for_past_ones(company, another_future, tables_of, as_of, seed):
    bare = {name: frame for name, frame in company.items() if name != "opportunity_history"}
    other = another_future(bare, cutoff(as_of, "UTC"), seed)
    deals = other["opportunities"]
    settled = pd.to_datetime(deals["closed_on"]) <= pd.Timestamp(as_of)
    for column, value in {"amount": "5", "amount_company": 5.0, "stage": "Offer", "rep_id": "r9"}.items():
        deals[column] = deals[column].where(settled, value)
    deals.loc[~settled, "expected_close_on"] = "2030-01-01"
    vouched = options("UTC") | {"known_at_creation": frozenset({"product_id", "account_id"})}
    real, changed = tables_of(bare, EXTRACTED, **vouched), tables_of(other, EXTRACTED, **vouched)
    many = [*month_ends(date(2025, 1, 1), as_of), as_of]
    expected = pipelines(real, many)
    assert expected["segment"].notna().all() and expected["stage"].isna().all()
    assert bytes_of(expected) == bytes_of(pipelines(changed, many))
    assert bytes_of(outcomes(real, as_of)) == bytes_of(outcomes(changed, as_of))


def test_the_alteration_does_change_what_a_later_day_shows(company, another_future, tables_of):
    """The test above would prove nothing if the other future were the same."""
    other = another_future(company, cutoff(date(2025, 12, 31), "UTC"), 1)
    real, changed = (tables_of(frames, EXTRACTED, **options("UTC")) for frames in (company, other))
    later = [pipelines(tables, ["2026-01-31", "2026-02-28", "2026-03-31"]) for tables in (real, changed)]
    assert bytes_of(later[0]) != bytes_of(later[1])
    both = later[0].merge(later[1], on=["as_of", "opportunity_id"], suffixes=("", "_other"))
    pairs = {name: (both[name], both[f"{name}_other"]) for name in later[0] if f"{name}_other" in both}
    same = {name for name, (one, another) in pairs.items() if one.astype(object).equals(another.astype(object))}
    assert len(both) > 20 and same == SETTLED


def test_the_company_of_these_tests_shows_something_in_every_column(company, tables_of):
    """A column that is always empty, or always the same, could leak unseen."""
    frame = pipelines(tables_of(company, EXTRACTED, **options("UTC")), month_ends(date(2025, 1, 1), date(2026, 5, 31)))
    differ = frame.nunique()
    assert set(differ.index[differ < 2]) == EMPTY


@pytest.mark.parametrize("zone", ZONES)
def test_an_instant_belongs_to_the_day_of_the_companys_time_zone(tables_of, zone):
    end = cutoff(date(2026, 3, 28), zone)
    changes = [
        {"opportunity_id": "a", "changed_at": end - timedelta(microseconds=1), "field": "stage", "old": "Lead",
         "new": "Offer"},
        {"opportunity_id": "a", "changed_at": end, "field": "stage", "old": "Offer", "new": "Meeting"},
    ]  # fmt: skip
    deal = {"opportunity_id": "a", "rep_id": "r", "status": "open", "stage": "Meeting", "created_on": "2026-01-01"}
    frames = {"reps": [{"rep_id": "r"}], "opportunities": [deal], "opportunity_history": changes}
    tables = tables_of(frames, EXTRACTED, **options(zone))
    assert pipelines(tables, ["2026-03-28", "2026-03-29"])["stage"].tolist() == ["Offer", "Meeting"]
