"""What a unit of the deal's currency was worth in the company's, as ``amount_company`` has it.

Closed deals take the rate of the closing day, open ones that of the day on which they were created: both were known
on every day on which the deal is looked at, and an amount does not move with the market.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from spm_models.crm.tables import Tables


def with_rate(tables: Tables, grid: ir.Table, day: str) -> ir.Table:
    """Add ``rate``: the last one dated on or before ``day``; 1 for the company's currency, empty where unknown.

    A deal without a currency is in the company's.
    """
    own = grid.currency.isnull() | (grid.currency == tables.currency)
    if "exchange_rates" not in tables:
        return grid.mutate(rate=ibis.ifelse(own, 1.0, ibis.null("float64")))
    quoted = tables["exchange_rates"].select("day", quoted_currency="currency", quoted="rate")
    wanted = grid.select(day, "currency").distinct()
    dated = wanted.inner_join(quoted, [wanted.currency == quoted.quoted_currency, quoted.day <= wanted[day]])
    latest = dated.group_by(day, "currency").aggregate(quoted=dated.quoted.argmax(dated.day))
    joined = grid.left_join(latest, [day, "currency"]).drop(f"{day}_right", "currency_right")
    return joined.mutate(rate=ibis.ifelse(own, 1.0, joined.quoted)).drop("quoted")
