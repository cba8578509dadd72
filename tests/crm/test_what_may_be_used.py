"""What is known at creation, and the order of stages, with and without history."""

from __future__ import annotations

HISTORY = (
    "opportunity_id,changed_at,field,old,new\n"
    "o1,2026-01-05T00:00:00Z,stage,,New\no1,2026-01-06T00:00:00Z,stage,New,Demo\n"
    "o1,2026-01-07T00:00:00Z,stage,Demo,Sold\no2,2026-01-06T00:00:00Z,stage,,New\n"
)
DEALS = (
    "opportunity_id,rep_id,created_on,closed_on,status,stage,plant,mood\n"
    "o1,r1,2026-01-05,2026-02-01,won,Sold,3,x\no2,r1,2026-01-06,,open,New,4,y\n"
)
CUSTOM = """
[tables.opportunities.custom_fields]
plant = { kind = "number", known = "creation" }
mood = { kind = "text" }
"""


def test_without_history_only_what_is_vouched_for(load):
    tables = load(CUSTOM, opportunities=DEALS).tables
    assert tables.known_at_creation == {"opportunity_id", "created_on"}
    tables = load('[models]\nknown_at_creation = ["source", "plant"]\n' + CUSTOM, opportunities=DEALS).tables
    assert tables.known_at_creation == {"opportunity_id", "created_on", "source", "field_plant"}


def test_with_history_what_the_schema_and_the_workspace_declare(load):
    tables = load(CUSTOM, opportunities=DEALS, opportunity_history=HISTORY).tables
    assert tables.known_at_creation == {
        "opportunity_id", "created_on", "account_id", "product_id", "source", "kind", "currency", "field_plant",
    }  # fmt: skip


def test_stages_are_ordered_as_declared_or_as_deals_pass_them(load):
    assert load(opportunities=DEALS, opportunity_history=HISTORY).tables.stages == ("New", "Demo")
    assert load('[stages]\norder = ["Demo", "New"]', opportunities=DEALS).tables.stages == ("Demo", "New")
    settings = '[stages.status]\nNew = "open"\nDemo = "open"\nSold = "won"'
    assert load(settings, opportunities=DEALS).tables.stages == ("New", "Demo")
    assert load(opportunities=DEALS).tables.stages == ("New",)
