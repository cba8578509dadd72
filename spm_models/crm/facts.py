"""What is known about a source as a whole: its day, its stages, and what may be used as of an earlier day."""

from __future__ import annotations

from datetime import date

from spm_models.crm.conversion import Rule
from spm_models.crm.loading import Loading, Typed, latest_day
from spm_models.crm.parsing import folded, text
from spm_models.crm.parsing import name as q
from spm_models.crm.schemas import TABLES
from spm_models.errors import SourceError, WorkspaceError

#: Columns that say when something really happened; plans (due days, quotas, expected closes) are not among them.
HAPPENED: dict[str, tuple[str, ...]] = {
    "opportunities": ("created_on", "closed_on"),
    "opportunity_history": ("changed_at",),
    "activities": ("happened_at",),
    "accounts": ("created_on",),
    "calls": ("offered_at",),
    "leads": ("created_at", "first_response_at", "last_touched_at", "qualified_at", "converted_at"),
    "contacts": ("added_on",),
    "surveys": ("answered_on",),
    "coaching_sessions": ("held_on",),
    "feedback_360": ("given_on",),
    "agent_status": ("ended_at",),
    "shifts": ("actual_start_at", "actual_end_at"),
}


def extracted_on(loading: Loading) -> date:
    """The day on which the source was written: as declared, or the latest day on which anything happened."""
    declared = loading.settings.source.extracted_on
    if declared is not None:
        return declared
    parts = []
    for typed in loading.typed.values():
        for name in HAPPENED.get(typed.name, ()):
            parts.append(f"SELECT {_day(typed, name, loading)} AS day, count(*) AS n FROM {typed.relation} GROUP BY 1")
    counted = f"SELECT day, sum(n)::BIGINT FROM ({' UNION ALL '.join(parts)})"
    query = f"{counted} WHERE day IS NOT NULL GROUP BY 1 ORDER BY 1 DESC"
    day = latest_day(loading.con.execute(query).fetchall()) if parts else None
    if day is None:
        raise SourceError(
            "No row of the source has a day on which anything happened, so its age is unknown",
            where="spm.toml [source] extracted_on",
            remedy="Map created_on and closed_on of opportunities, or set extracted_on.",
        )
    return day


def _day(typed: Typed, name: str, loading: Loading) -> str:
    if TABLES[typed.name].facts(name)["kind"] == "date":
        return q(name)
    zone = loading.settings.company.time_zone
    return f"CAST(timezone({text(zone)}, timezone('UTC', {q(name)})) AS DATE)"


def late_rules(loading: Loading, until: date) -> list[tuple[Typed, Rule]]:
    """Rules that need to know the day of the export."""
    rules = []
    for typed in loading.typed.values():
        for name in HAPPENED.get(typed.name, ()):
            after = f"{_day(typed, name, loading)} > DATE '{until}'"
            if name == "closed_on":
                after = f"status IN ('won', 'lost') AND {after}"
                rules.append((typed, Rule("closed_in_future", name, "error", after)))
            else:
                rules.append((typed, Rule("dated_in_future", name, "warning", after)))
    deals = loading.typed.get("opportunities")
    if deals is not None:
        usual = (
            f"SELECT quantile_disc(amount, 0.9)::DOUBLE FROM {deals.relation} WHERE amount > 0 HAVING count(*) >= 20"
        )
        rules.append((deals, Rule("implausible_amount", "amount", "warning", f"amount > 1000 * ({usual})")))
    return rules


def facts_of(loading: Loading, until: date, data_hash: str, run_id: str) -> dict[str, object]:
    """Everything that ``open_tables`` must know besides the rows."""
    settings = loading.settings
    present = [n for n in loading.typed if loading.con.execute(f"SELECT count(*) FROM {q(n)}").fetchone()[0]]
    deals = loading.typed.get("opportunities")
    custom = deals.file.settings.custom_fields if deals else {}
    return {
        "data_hash": data_hash,
        "run_id": run_id,
        "extracted_on": until.isoformat(),
        "extracted_on_declared": settings.source.extracted_on is not None,
        "currency": settings.company.currency,
        "time_zone": settings.company.time_zone,
        "present": present,
        "stages": _stages(loading, "opportunity_history" in present),
        "stages_declared": bool(settings.stages.order or settings.stages.status),
        "known_at_creation": _known_at_creation(loading, "opportunity_history" in present),
        "custom_fields": {name: declared.kind for name, declared in custom.items()},
    }


def _known_at_creation(loading: Loading, has_history: bool) -> list[str]:
    """Columns of opportunities that may be used as of any day after creation.

    Without history nobody can tell whether a value was filled in or changed after the deal was decided, so only
    the key, the day of creation and what the workspace vouches for are safe.
    """
    schema, settings = TABLES["opportunities"], loading.settings
    deals = loading.typed.get("opportunities")
    fields = deals.file.settings.custom_fields if deals else {}
    allowed = {*schema.columns, *(f"field_{name}" for name in fields)}
    vouched = {name if name in allowed else f"field_{name}" for name in settings.models.known_at_creation}
    unknown = sorted(vouched - allowed)
    if unknown:
        raise WorkspaceError(
            "A column that is vouched for does not exist", where="spm.toml [models] known_at_creation",
            found=unknown[0].removeprefix("field_"),
            remedy=f"Columns of opportunities are {', '.join(sorted(allowed))}.",
        )  # fmt: skip
    safe = {"opportunity_id", "created_on"} | vouched
    if has_history:
        safe |= {name for name in schema.columns if schema.facts(name)["known"] == "creation"}
        safe |= {f"field_{name}" for name, custom in fields.items() if custom.known == "creation"}
    return sorted(safe)


def _stages(loading: Loading, has_history: bool) -> list[str]:
    """Open stages in order: as declared; else in the order in which deals pass them; else by name."""
    settings = loading.settings
    if settings.stages.order:
        return list(settings.stages.order)
    declared = [stage for stage, meaning in settings.stages.status.items() if meaning == "open"]
    if declared:
        return declared
    con = loading.con
    found = [
        row[0]
        for row in con.execute(
            "SELECT DISTINCT stage FROM opportunities WHERE status = 'open' AND stage IS NOT NULL ORDER BY 1"
        ).fetchall()
    ]
    if not has_history:
        return found
    passed = con.execute(
        "SELECT new FROM (SELECT new, row_number() OVER (PARTITION BY opportunity_id ORDER BY changed_at) AS place "
        "FROM opportunity_history WHERE field = 'stage' AND new IS NOT NULL) GROUP BY new ORDER BY avg(place), new"
    ).fetchall()
    closing = {"won", "lost", "closed_won", "closed_lost"}
    closed = con.execute(
        "SELECT DISTINCT stage FROM opportunities WHERE status <> 'open' AND stage IS NOT NULL"
    ).fetchall()
    final = {stage for (stage,) in closed} - set(found)
    order = [stage for (stage,) in passed if stage not in final and folded(stage) not in closing]
    return order + [stage for stage in found if stage not in order]
