"""Amounts in the company's currency, by the rate of the day, exact to four decimals."""

from __future__ import annotations

from datetime import date

from spm_models.crm.conversion import Rule, Severity
from spm_models.crm.loading import Loading, Typed
from spm_models.crm.parsing import name as q
from spm_models.crm.parsing import text

#: Day whose rate counts, per table; the day of the export where it is empty.
DATED = {
    "opportunities": ("closed_on", "created_on"),
    "quotas": ("period_start",),
    "costs": ("month",),
    "contracts": ("started_on",),
    "products": (),
}
AMOUNTS = {
    "opportunities": "amount", "quotas": "amount", "costs": "amount", "contracts": "annual_value",
    "products": "list_price",
}  # fmt: skip

#: A list price that cannot be converted is no reason to lose the product.
_SEVERITY: dict[str, Severity] = {"products": "warning"}


def find_rates(loading: Loading, until: date) -> None:
    """Find the rate of every amount in a foreign currency; quarantine rows that have none on or before their day."""
    con, own = loading.con, text(loading.settings.company.currency)
    con.execute("CREATE TABLE stage.rates (tbl VARCHAR, _line BIGINT, rate DECIMAL(18, 8))")
    known = loading.typed.get("exchange_rates")
    rates = (
        loading.good(known) if known else "SELECT NULL::VARCHAR AS currency, NULL::DATE AS day, NULL AS rate LIMIT 0"
    )
    for name, amount in AMOUNTS.items():
        typed = loading.typed.get(name)
        if typed is None:
            continue
        day = f"coalesce({', '.join([*DATED[name], f'DATE {text(until)}'])})"
        foreign = (
            f"SELECT _line, currency, {day} AS day FROM {typed.relation} "
            f"WHERE {q(amount)} IS NOT NULL AND currency <> {own}"
        )
        con.execute(
            f"INSERT INTO stage.rates SELECT {text(name)}, a._line, CAST(r.rate AS DECIMAL(18, 8)) FROM ({foreign}) a "
            f"ASOF LEFT JOIN ({rates}) r ON a.currency = r.currency AND a.day >= r.day"
        )
        without = f"_line IN (SELECT _line FROM stage.rates WHERE tbl = {text(name)} AND rate IS NULL)"
        loading.apply(typed, Rule("currency_without_rate", "currency", _SEVERITY.get(name, "error"), ""), without)


def company_column(loading: Loading, typed: Typed) -> str | None:
    """SQL of the ``<amount>_company`` column of a table ``t`` joined to its rates ``r``."""
    amount = AMOUNTS.get(typed.name)
    if amount is None:
        return None
    own = text(loading.settings.company.currency)
    # Two decimals of 18 digits are multiplied in 64 bits and overflow; 20 digits are multiplied in 128.
    converted = f"TRY_CAST(round(CAST(t.{q(amount)} AS DECIMAL(20, 4)) * r.rate, 4) AS DECIMAL(18, 4))"
    here = f"coalesce(t.currency, {own}) = {own}"  # an empty currency is the company's
    return f"CASE WHEN {here} THEN t.{q(amount)} ELSE {converted} END AS {q(amount + '_company')}"
