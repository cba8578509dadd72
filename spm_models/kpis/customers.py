"""KPIs of customers: K14 cost of a new one, K15 lifetime value, K16 annual value, K17 retention, K18 and K19."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
from ibis import _

from spm_models.database import frame
from spm_models.kpis.definition import Kpi, facts
from spm_models.kpis.dimensions import COMPANY
from spm_models.kpis.facts import exact
from spm_models.kpis.source import Source
from spm_models.periods import Period
from spm_models.snapshots import outcomes_table

#: A contract that begins so many days around the end of another of the same customer renews it.
RENEWED_EARLY, RENEWED_LATE = 31, 90
#: Of the expected lifetime value: gross margin, discount rate a year, and how many years are looked ahead.
MARGIN, DISCOUNT, HORIZON = 0.7, 0.1, 5
_GUPTA = "S. Gupta and D. R. Lehmann, Managing Customers as Investments (2005), chapter 2"


def _won(s: Source) -> ir.Table:
    t = outcomes_table(s.tables, s.as_of)
    t = t.filter(t.status == "won", t.account_id.notnull())
    return t.select("opportunity_id", "account_id", "rep_id", "product_id", "kind", "source", "closed_on",
                    amount=exact(t.amount))  # fmt: skip


def _contracts(s: Source) -> ir.Table:
    t = s.tables["contracts"]
    t = t.filter(t.started_on <= ibis.literal(s.as_of))
    deals = s.tables["opportunities"].select("opportunity_id", "rep_id", "source")
    t = t.left_join(deals, "opportunity_id").drop("opportunity_id_right")
    t = t.rename(annual="annual_value_company")
    return t.select("contract_id", "account_id", "rep_id", "source", "started_on", "ended_on", "annual")


def _dealings(s: Source) -> ir.Table:
    """Wins and contracts of all accounts by day; ``place`` puts wins first."""
    won = _won(s)
    place = ibis.literal("0") + won.opportunity_id
    t = won.select("account_id", "rep_id", "source", day=won.closed_on, place=place)
    if "contracts" not in s.tables:
        return t
    c = _contracts(s)
    place = ibis.literal("1") + c.contract_id
    return t.union(c.select("account_id", "rep_id", "source", day=c.started_on, place=place))


def _beginnings(s: Source) -> ir.Table:
    """Each customer's first day: of the first win or of the first contract."""
    return _dealings(s).group_by("account_id").aggregate(since=_.day.min())


@facts("rep_id", "account_id", "source")
def new_customers(s: Source) -> ir.Table:
    """Customers whose first win or contract lies in the period, with the rep and source of that deal."""
    first = _beginnings(s)
    by_day = (
        _dealings(s)
        .group_by("account_id", "day")
        .aggregate(rep_id=_.rep_id.argmin(_.place), source=_.source.argmin(_.place))
    )
    t = first.left_join(by_day, [first.account_id == by_day.account_id, first.since == by_day.day])
    t = t.select("account_id", "since", "rep_id", "source")
    if "accounts" in s.tables:
        referred = s.tables["accounts"].filter(_.referred_by_account_id != _.account_id)
        by = referred.select("account_id", referrer=referred.referred_by_account_id)
        customers = first.select(referrer=first.account_id, referrer_since=first.since)
        by = by.inner_join(customers, "referrer")
        t = t.left_join(by, "account_id").drop("account_id_right")
        t = t.mutate(referred=t.referrer.notnull() & (t.referrer_since <= t.since))
    else:
        t = t.mutate(referred=ibis.null("boolean"))
    return s.within(t.select("account_id", "rep_id", "source", "since", "referred"), t.since)


@facts("account_id")
def customers(s: Source) -> ir.Table:
    """Everybody who had become a customer by the end of the period, with all that was sold to him until then."""
    won, spans = _won(s), s.spans()
    j = won.inner_join(spans, won.closed_on <= spans.last_day)
    return j.group_by("account_id", "period").aggregate(revenue=j.amount.sum())


@facts("rep_id", "account_id", tables=("contracts",))
def running_contracts(s: Source) -> ir.Table:
    """Contracts that run on the last day of the period."""
    t, spans = _contracts(s), s.spans()
    j = t.inner_join(spans, [t.started_on <= spans.last_day, t.ended_on.isnull() | (t.ended_on >= spans.last_day)])
    return j.select("rep_id", "account_id", "period", annual=exact(j.annual))


@facts("account_id", tables=("contracts",))
def renewals_due(s: Source) -> ir.Table:
    """Customers with contracts that ended in the period: their annual value, and that of what followed.

    Left out, renewed or not, is who still had time to renew: those who do so at once would stand for all others.
    Contracts that follow one another in the period, or after it, count once.
    """
    t = _contracts(s)
    ended = s.within(t.filter(t.ended_on.notnull()), _.ended_on)
    first_end = ended.ended_on.min().over(group_by=[ended.account_id, ended.period])
    ended = ended.mutate(first_end=first_end)
    due = ended.group_by("account_id", "period", "first_end").aggregate(
        due=exact(ended.annual.sum(where=ended.started_on <= ended.first_end)), last_end=ended.ended_on.max()
    )
    still_time = (due.last_end + ibis.interval(days=RENEWED_LATE)).cast("date") > ibis.literal(s.as_of)
    due = due.filter(~still_time)
    later = t.select("account_id", "started_on", "annual", until=t.ended_on)
    j = due.inner_join(later, "account_id")
    soon, late = ibis.interval(days=RENEWED_EARLY), ibis.interval(days=RENEWED_LATE)
    followed = j.started_on.between(j.first_end - soon, j.last_end + late) & (j.until.isnull() | (j.until > j.last_end))
    other = (j.started_on < j.first_end - soon) & (j.until.isnull() | (j.until > j.last_end))
    j = j.mutate(followed=followed, stays=followed | other)
    until = ibis.ifelse(j.followed, j.until.fill_null(ibis.literal(date(9999, 12, 31))), ibis.null("date"))
    j = j.mutate(first_until=until.min().over(group_by=[j.account_id, j.period]))
    found = j.group_by("account_id", "period", "due").aggregate(
        kept=exact(j.annual.sum(where=j.followed & (j.started_on <= j.first_until))), stays=j.stays.any()
    )
    kept = found.kept.fill_null(0)
    return found.select("account_id", "period", "due", "stays", kept=kept, gross=ibis.least(kept, found.due))


@facts("account_id")
def customers_at_start(s: Source) -> ir.Table:
    """Who was a customer when the period began: did he buy another product, or a larger contract, in it?"""
    first, spans, won = _beginnings(s), s.spans(), _won(s)
    there = first.inner_join(spans, first.since < spans.first_day)
    there = there.select("account_id", "period", "first_day", "last_day")
    j = there.inner_join(won, "account_id")
    before, inside = j.closed_on < j.first_day, j.closed_on.between(j.first_day, j.last_day)
    products = j.group_by("account_id", "period", "product_id").aggregate(
        had=before.any(), bought=inside.any(), cross=(inside & (j.kind == "cross_sell")).any(),
        up=(inside & (j.kind == "upsell")).any(),
    )  # fmt: skip
    other = products.bought & ~products.had & products.product_id.notnull()
    deals = products.group_by("account_id", "period").aggregate(
        had=products.had.any(), other=other.any(), cross=products.cross.any(), up=products.up.any()
    )
    t = there.left_join(deals, ["account_id", "period"]).drop("account_id_right", "period_right")
    cross = (t.cross | (t.had & t.other)).fill_null(False)
    t = t.select("account_id", "period", cross=cross, up=t.up.fill_null(False))
    return t if "contracts" not in s.tables else _with_larger(s, there, t)


def _with_larger(s: Source, there: ir.Table, t: ir.Table) -> ir.Table:
    c = _contracts(s)
    j = there.inner_join(c, "account_id")
    held = (j.started_on < j.first_day) & (
        j.ended_on.isnull() | (j.ended_on >= j.first_day - ibis.interval(days=RENEWED_LATE))
    )
    new = j.started_on.between(j.first_day, j.last_day)
    sizes = j.group_by("account_id", "period").aggregate(before=j.annual.max(where=held), now=j.annual.max(where=new))
    t = t.left_join(sizes, ["account_id", "period"]).drop("account_id_right", "period_right")
    return t.select("account_id", "period", "cross", up=t.up | (t.now > t.before).fill_null(False))


def _acquisition(source: Source, period: Period) -> pd.DataFrame:
    costs = source.table("costs")
    first, last = pd.Timestamp(period.start), pd.Timestamp(source.end(period))
    spent = costs.loc[costs["month"].between(first, last), "amount_company"].dropna()

    def make() -> pd.DataFrame:
        return frame(source.facts(new_customers).group_by("period").aggregate(n=_.count()))

    counted = source.keep("new customers by period", make).set_index("period")["n"]
    number = float(counted.get(period.label, 0))
    rows = [{"level": "company", "key": COMPANY, "numerator": float(spent.sum()), "denominator": number}]
    booked = number > 0 and len(spent) > 0
    return pd.DataFrame(rows if booked else [], columns=["level", "key", "numerator", "denominator"])


def _expected(v: Mapping[str, Any]) -> Any:
    """Margin of the next years, each renewed with the probability of retention, discounted."""
    step = v["customer_retention"] / (1 + DISCOUNT)
    return MARGIN * v["annual_value_per_customer"] * sum(step**year for year in range(1, HORIZON + 1))


KPIS = (
    Kpi(
        "new_customers", "K14", "count", "higher", "Accounts whose first win or contract lies in the period.",
        facts=new_customers, numerator=_.count(),
    ),
    Kpi(
        "acquisition_cost", "K14", "money", "lower",
        "CAC: costs of the period's months, sales and marketing together / new customers of the period.",
        rows=_acquisition, tables=("costs",), grains=("month", "quarter", "year"),
        source="P. W. Farris et al., Marketing Metrics (2010), section 5.4",
    ),
    Kpi(
        "lifetime_revenue", "K15", "money", "higher",
        "Observed lifetime value: mean of all that was sold to a customer by the end of the period.",
        facts=customers, statistic="mean", of=_.revenue, interval="bootstrap",
    ),
    Kpi(
        "expected_lifetime_value", "K15", "money", "higher",
        f"Expected margin of the next {HORIZON} years: {MARGIN:.0%} of the annual value per customer, kept each year "
        f"with the customer retention of the period, discounted by {DISCOUNT:.0%} a year.",
        parts=("annual_value_per_customer", "customer_retention"), formula=_expected, source=_GUPTA,
    ),
    Kpi(
        "annual_contract_value", "K16", "money", "higher",
        "ACV: mean annual value, without one-offs, of contracts that run on the last day of the period.",
        facts=running_contracts, statistic="mean", of=_.annual, interval="bootstrap",
    ),
    Kpi(
        "annual_value_per_customer", "K16", "money", "higher",
        "Annual value of contracts that run on the last day / customers who have one. Low: seek new customers.",
        facts=running_contracts, numerator=_.annual.sum(), denominator=_.account_id.nunique(where=_.annual.notnull()),
    ),
    Kpi(
        "customer_retention", "K17", "share", "higher",
        f"Customers who still had a contract, or a new one within {RENEWED_LATE} days / customers whose contracts "
        "ended in the period; left out is who still has that time.",
        facts=renewals_due, numerator=_.stays.sum(), denominator=_.count(), interval="wilson",
    ),
    Kpi(
        "gross_revenue_retention", "K17", "ratio", "higher",
        "Annual value of what followed, at most what had ended / annual value that ended in the period.",
        facts=renewals_due, numerator=_.gross.sum(), denominator=_.due.sum(),
    ),
    Kpi(
        "net_revenue_retention", "K17", "ratio", "higher",
        "Annual value of what followed, increases included / annual value that ended in the period.",
        facts=renewals_due, numerator=_.kept.sum(), denominator=_.due.sum(),
    ),
    Kpi(
        "referral_customers", "K18", "count", "higher", "New customers whom a customer had recommended.",
        facts=new_customers, tables=("accounts",), numerator=_.referred.sum(),
    ),
    Kpi(
        "cross_sell_rate", "K19", "share", "higher",
        "Customers who bought another product in the period / customers at its start.",
        facts=customers_at_start, numerator=_.cross.sum(), denominator=_.count(), interval="wilson",
    ),
    Kpi(
        "upsell_rate", "K19", "share", "higher",
        "Customers with an upsell won, or a larger contract begun, in the period / customers at its start.",
        facts=customers_at_start, numerator=_.up.sum(), denominator=_.count(), interval="wilson",
    ),
)  # fmt: skip
