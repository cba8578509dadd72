"""Customers, what they may buy, and what they say."""

from __future__ import annotations

from spm_models.crm.schemas.columns import TableSchema, column

ACCOUNTS = TableSchema(
    name="accounts",
    grain="one account",
    description="Companies that buy or might buy.",
    without="no view by segment or industry; win probability and fairness lose that context",
    columns={
        "account_id": column("text", "Identifier of the account.", key=True),
        "name": column("text", "Name of the company."),
        "segment": column("text", "Size class (small, mid_market, enterprise …)."),
        "industry": column("text", "Sector."),
        "region": column("text", "Where it is."),
        "created_on": column("date", "Day on which it entered the source."),
        "referred_by_account_id": column("text", "Customer who recommended us.", refers_to="accounts.account_id"),
    },
)

PRODUCTS = TableSchema(
    name="products",
    grain="one product",
    description="What is sold.",
    without="no list prices: an open deal without an amount has no expected value",
    columns={
        "product_id": column("text", "Identifier of the product.", key=True),
        "name": column("text", "Name of the product."),
        "family": column("text", "Product family."),
        "list_price": column("money", "Price before discounts.", low=0),
        "currency": column("text", "ISO 4217 code of the price."),
    },
)

CONTACTS = TableSchema(
    name="contacts",
    grain="one contact on one opportunity",
    description="People on the buyer's side.",
    dated_by="added_on",
    without="who is involved in a purchase is unknown",
    columns={
        "contact_id": column("text", "Identifier of the person.", key=True),
        "opportunity_id": column("text", "The deal.", key=True, refers_to="opportunities.opportunity_id"),
        "role": column("text", "Role in the purchase (decision_maker, champion, user, procurement …)."),
        "added_on": column("date", "Day on which the contact was added to the deal."),
    },
)

CONTRACTS = TableSchema(
    name="contracts",
    grain="one contract",
    description="Running and ended contracts.",
    dated_by="started_on",
    without="retention, annual contract value and renewals are off",
    columns={
        "contract_id": column("text", "Identifier of the contract.", key=True),
        "account_id": column("text", "The customer.", required=True, refers_to="accounts.account_id"),
        "opportunity_id": column("text", "The deal that led to it.", refers_to="opportunities.opportunity_id"),
        "started_on": column("date", "First day.", required=True),
        "ended_on": column("date", "Last day; empty while it runs."),
        "annual_value": column("money", "Value of one year, without one-offs.", low=0),
        "currency": column("text", "ISO 4217 code of the value."),
    },
)

SURVEYS = TableSchema(
    name="surveys",
    grain="one answer to a satisfaction survey",
    description="How satisfied customers are.",
    dated_by="answered_on",
    without="customer satisfaction (CSAT) is off",
    columns={
        "survey_id": column("text", "Identifier of the answer.", key=True),
        "account_id": column("text", "Who answered.", refers_to="accounts.account_id"),
        "opportunity_id": column("text", "About which deal, if any.", refers_to="opportunities.opportunity_id"),
        "answered_on": column("date", "Day of the answer.", required=True),
        "score": column("number", "From 1 (not at all) to 5 (very satisfied).", unit="points 1-5", low=1, high=5),
    },
)

LEADS = TableSchema(
    name="leads",
    grain="one lead",
    description="Enquiries and prospects before they become opportunities.",
    dated_by="created_at",
    without="lead conversion, waiting and first response times, new leads per quarter are off",
    columns={
        "lead_id": column("text", "Identifier of the lead.", key=True),
        "rep_id": column("text", "Who works on it.", refers_to="reps.rep_id"),
        "source": column("text", "Where it came from."),
        "campaign": column("text", "Marketing campaign."),
        "rating": column("text", "How promising.", accepted=("cold", "warm", "hot")),
        "created_at": column("instant", "When it arrived (UTC).", required=True),
        "first_response_at": column("instant", "When somebody first answered (UTC)."),
        "last_touched_at": column("instant", "When somebody last did something about it (UTC)."),
        "qualified_at": column("instant", "When it was found worth pursuing (UTC)."),
        "converted_at": column("instant", "When it became an opportunity (UTC)."),
        "opportunity_id": column("text", "The opportunity it became.", refers_to="opportunities.opportunity_id"),
    },
)
