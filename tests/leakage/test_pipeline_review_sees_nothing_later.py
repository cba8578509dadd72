"""Change everything dated after a day: what the pipeline review says of that day does not change by a byte."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from spm_models.pipeline_health import gather, review
from spm_models.snapshots import cutoff

EXTRACTED = date(2026, 6, 30)
DAYS = (date(2025, 9, 30), date(2026, 2, 28))


def options(zone: str) -> dict[str, object]:
    return {"time_zone": zone, "stages": ("Lead", "Meeting", "Offer"), "currency": "USD",
            "custom_fields": {"mood": "text"}}  # fmt: skip


def bytes_of(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False).encode() + str(frame.dtypes.to_dict()).encode()


@pytest.mark.parametrize(("day", "seed"), [(DAYS[0], 1), (DAYS[1], 2)], ids=str)
def test_no_later_row_is_seen(company, another_future, tables_of, day, seed):
    zone = "Europe/Istanbul"
    leads = pd.DataFrame(
        {"lead_id": ["l1", "l2"], "rep_id": "r1", "created_at": pd.Timestamp("2025-06-01"),
         "first_response_at": [pd.Timestamp("2025-06-02"), pd.Timestamp(cutoff(day, zone))]}
    )  # fmt: skip
    company = company | {"leads": leads}
    other = another_future(company, cutoff(day, zone), seed)
    other["leads"] = leads.assign(first_response_at=[leads["first_response_at"][0], pd.NaT])
    real, altered = (tables_of(frames, EXTRACTED, **options(zone)) for frames in (company, other))
    first, second = review(real, day), review(altered, day)
    facts, same = first.facts, second.facts
    for name in ("open_deals", "deals", "visits", "touches", "contacts", "leads", "plans"):
        assert len(getattr(facts, name)) > 0, name
        assert bytes_of(getattr(facts, name)) == bytes_of(getattr(same, name)), name
    assert facts.pushes.equals(same.pushes) and facts.off == same.off
    for name, table in first.tables.items():
        assert bytes_of(table) == bytes_of(second[name]), name


def test_days_in_the_stage_are_those_of_the_snapshot(company, tables_of):
    facts = gather(tables_of(company, EXTRACTED, **options("UTC")), DAYS[1])
    still = facts.visits[facts.visits["ended"].isna()].set_index("opportunity_id")
    deals = facts.open_deals[facts.open_deals["stage"].isin(facts.stages)]
    assert (
        len(deals) > 10 and still["days"].reindex(deals["opportunity_id"]).tolist() == deals["days_in_stage"].tolist()
    )
    assert still["stage"].reindex(deals["opportunity_id"]).tolist() == deals["stage"].tolist()
