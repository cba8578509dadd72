"""The tables of the workbench: names are the contract.

``TABLES`` maps each table's name to its :class:`TableSchema`; the data dictionary in ``data/README.md`` is
generated from it, readers and validation are driven by it, and the sample company is tested against it.
"""

from __future__ import annotations

from spm_models.crm.schemas import customers, deals, people, plans
from spm_models.crm.schemas.columns import TableSchema

TABLES: dict[str, TableSchema] = {
    schema.name: schema
    for schema in (
        people.REPS,
        people.REPORTING_LINES,
        people.TERRITORIES,
        customers.ACCOUNTS,
        customers.PRODUCTS,
        deals.OPPORTUNITIES,
        deals.OPPORTUNITY_LINES,
        customers.CONTACTS,
        deals.OPPORTUNITY_HISTORY,
        deals.ACTIVITIES,
        deals.DEAL_CONTRIBUTORS,
        people.ABSENCES,
        customers.LEADS,
        plans.QUOTAS,
        plans.GOALS,
        customers.CONTRACTS,
        deals.CALLS,
        people.SHIFTS,
        people.AGENT_STATUS,
        customers.SURVEYS,
        people.FEEDBACK_360,
        people.PULSE,
        people.COACHING_SESSIONS,
        plans.COSTS,
        plans.EXCHANGE_RATES,
    )
}
REQUIRED = tuple(name for name, schema in TABLES.items() if schema.required)

__all__ = ["REQUIRED", "TABLES", "TableSchema"]
