"""What surrounds a deal on a day: who its owner belonged to, who takes part, and what else owner and account have."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from spm_models.crm.tables import Tables
from spm_models.snapshots.facts import Facts

#: Roles of those who sign or hold the budget, in English, Turkish and Arabic.
_DECIDES = r"decision|decider|economic|signatory|karar|متخذ القرار|صاحب القرار"


def belonging(tables: Tables, days: ir.Table) -> ir.Table:
    """One row per rep and day: manager, team, region, territory and tenure on that day.

    The same rules as :func:`spm_models.crm.organisation`, for many days at once: the dated assignment that holds on
    the day (the later start wins where two overlap), without such a table the undated columns of ``reps``. Who had
    left keeps the place of his last day; nobody is his own manager.
    """
    reps = tables["reps"]
    grid = reps.cross_join(days.select("as_of"))
    tenure = (grid.as_of.epoch_days() - grid.hired_on.epoch_days()).cast("float64")
    base = grid.select(
        "rep_id", "as_of", "team", "region", undated_manager=grid.manager_id,
        day=ibis.ifelse(grid.left_on <= grid.as_of, grid.left_on, grid.as_of),
        rep_tenure_days=ibis.ifelse(tenure >= 0, tenure, None),
    )  # fmt: skip
    base = _assigned(tables, base, "reporting_lines", "manager_id", base.undated_manager)
    base = _assigned(tables, base, "territories", "territory", base.region)
    return base.mutate(manager_id=base.manager_id.nullif(base.rep_id)).drop("undated_manager", "day")


def _assigned(tables: Tables, base: ir.Table, table: str, column: str, undated: ir.StringValue) -> ir.Table:
    """Add ``column`` from a dated assignment, or from what holds without dates."""
    if table not in tables:
        return base.mutate(**{column: undated})
    lines = tables[table].rename(line_rep="rep_id").select("line_rep", column, "valid_from", "valid_to")
    keys = base.select("rep_id", "as_of", "day")
    held = keys.inner_join(
        lines,
        [
            keys.rep_id == lines.line_rep,
            keys.day >= lines.valid_from,
            lines.valid_to.isnull() | (keys.day <= lines.valid_to),
        ],
    )
    latest = held.group_by("rep_id", "as_of").aggregate(**{column: held[column].argmax(held.valid_from)})
    return base.left_join(latest, ["rep_id", "as_of"]).drop("rep_id_right", "as_of_right")


def people(tables: Tables, keys: ir.Table) -> list[Facts]:
    """The buyer's people known by the day, and the reps who share in the deal."""
    of_deal = ("opportunity_id", "as_of")
    added = shared = None
    if "contacts" in tables:
        contacts = tables["contacts"].select("opportunity_id", "added_on", "role")
        j = keys.inner_join(contacts, ["opportunity_id", contacts.added_on <= keys.as_of])
        decides = j.role.lower().fill_null("").re_search(_DECIDES)
        added = j.group_by(*of_deal).aggregate(
            contacts=j.count(), contact_roles=j.role.nunique(), decision_makers=decides.sum()
        )
    if "deal_contributors" in tables:
        shares = tables["deal_contributors"].select("opportunity_id", "valid_from", "valid_to", contributor="rep_id")
        held = shares.valid_to.isnull() | (shares.valid_to >= keys.as_of)
        j = keys.inner_join(shares, ["opportunity_id", shares.valid_from <= keys.as_of, held])
        shared = j.group_by(*of_deal).aggregate(contributors=j.contributor.nunique())
    return [
        Facts(added, of_deal, counts=("contacts", "contact_roles", "decision_makers")),
        Facts(shared, of_deal, counts=("contributors",)),
    ]


def account_history(tables: Tables, keys: ir.Table) -> Facts:
    """The account's deals decided by the day."""
    deals = tables["opportunities"]
    decided = deals.filter(deals.account_id.notnull(), deals.status.isin(["won", "lost"]), deals.closed_on.notnull())
    decided = decided.select("account_id", "closed_on", won=decided.status == "won")
    wanted = keys.filter(keys.account_id.notnull()).select("account_id", "as_of").distinct()
    j = wanted.inner_join(decided, ["account_id", decided.closed_on <= wanted.as_of])
    latest = j.closed_on.max(where=j.won)
    facts = j.group_by("account_id", "as_of").aggregate(
        account_won=j.won.sum(),
        account_lost=(~j.won).sum(),
        days_since_account_won=(j.as_of.max().epoch_days() - latest.epoch_days()).cast("float64"),
    )
    return Facts(
        facts, ("account_id", "as_of"), counts=("account_won", "account_lost"), values=("days_since_account_won",),
        known=lambda t: t.account_id.notnull(),
    )  # fmt: skip


def load(held: ir.Table) -> list[Facts]:
    """Open deals of the owner on the day, this one included, and of the account, without this one.

    ``held`` are all deals open on the days, with ``rep_id`` and ``account_id`` as known then.
    """
    found = []
    for key, name in (("rep_id", "rep_open_deals"), ("account_id", "account_open_deals")):
        known = held.filter(held[key].notnull())
        sizes = known.group_by(key, "as_of").aggregate(deals=known.count())
        others = sizes.deals if key == "rep_id" else sizes.deals - 1
        found.append(Facts(sizes.select(key, "as_of", **{name: others}), (key, "as_of"), values=(name,)))
    return found
