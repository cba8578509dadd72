"""What a row must satisfy beyond its single columns, table by table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spm_models.crm.conversion import Rule
from spm_models.crm.mapping import MappedColumn
from spm_models.crm.parsing import date as day
from spm_models.crm.parsing import fold, folded, number, one_of, recode, text
from spm_models.crm.parsing import name as q
from spm_models.crm.schemas.deals import FORECAST_CATEGORIES
from spm_models.crm.sources import SourceFile
from spm_models.errors import SourceError
from spm_models.settings import Settings

_SPANS = (
    ("valid_from", "valid_to"), ("starts_on", "ends_on"), ("period_start", "period_end"), ("started_on", "ended_on"),
    ("scheduled_start_at", "scheduled_end_at"), ("actual_start_at", "actual_end_at"), ("started_at", "ended_at"),
    ("hired_on", "left_on"),
)  # fmt: skip
#: Stages that say themselves what they mean, in folded form.
_PLAIN_STAGES = {"won": "won", "closed_won": "won", "lost": "lost", "closed_lost": "lost", "open": "open"}

#: What each rule means, and what to do; the words of ``spm doctor`` and of the gate.
REMEDIES: dict[str, str] = {
    "missing": "A required value is empty. Complete it in the source, or give [tables.<table>.defaults].",
    "unparsable": "The text is no such value. Check locale, date_format and instant_format in spm.toml.",
    "day_and_month_swapped": "The day fits only with day and month exchanged, so other days may be read wrong. "
    "Export all days in one format.",
    "not_accepted": "The value is not one of those accepted. Map it under [tables.<table>.values.<column>].",
    "out_of_limits": "The value is outside its limits. Correct it in the source.",
    "undecodable": "Bytes do not fit the encoding. Set encoding in spm.toml, for example cp1254.",
    "hidden_characters": "Invisible characters were removed.",
    "skipped_by_clock_change": "That local time does not exist; it was moved forward. Export instants with an offset.",
    "too_few_fields": "The line has fewer fields than the header. Check the separator and quotes.",
    "too_many_fields": "The line has more fields than the header. Check the separator and quotes.",
    "truncated_line": "The last line is cut off. Export the file again.",
    "broken_quote": "A quote is not closed, or text follows it. Export the file again.",
    "ends_before_start": "The end lies before the start. Correct it in the source.",
    "unknown_stage": "Nothing says what the stage means. Add it to [stages.status] or to [stages] order.",
    "undeclared_stage": "The stage is not in [stages] order, so the deal has no place in the process. Add it there.",
    "closed_before_created": "The deal was closed before it was created. Correct one of the days.",
    "closed_without_date": "The deal is won or lost, but there is no day on which it closed.",
    "closed_in_future": "The deal is won or lost on a day after the export.",
    "dated_in_future": "The row is dated after the export.",
    "open_with_close_date": "The deal is open, so its day of closing was left out.",
    "won_without_amount": "The deal was won, but its amount is empty or zero.",
    "open_without_creation_date": "An open deal without a day of creation has no age.",
    "conflicting_rows": "Rows with the same key differ; the last one in the file was kept.",
    "field_not_used": "The history of that field is not used; such rows were left out. Map the field under "
    "[tables.opportunity_history.values.field] if it is one of ours.",
    "repeated_row": "The same row occurs more than once; it was kept once.",
    "unknown_reference": "The value is not in the table that it refers to. Correct it, or map it under "
    "[tables.<table>.values.<column>].",
    "written_differently": "The value was found in another spelling (capitals, dotted i, 15 or 18 characters) "
    "and read as that.",
    "value_mapped": "Read as spm.toml says.",
    "currency_without_rate": "There is no exchange rate for that currency on or before that day. Add it to "
    "exchange_rates.",
    "implausible_amount": "The amount is over a thousand times what nine in ten deals reach. Check its separators.",
    "no_rows": "The file has a header and no rows, or nothing at all. Is it the right export?",
}


def row_rules(table: str, columns: Sequence[MappedColumn], settings: Settings) -> list[Rule]:
    """Rules that compare columns of one row."""
    names = {column.name for column in columns}
    rules = [
        Rule("ends_before_start", end, "error", f"{q(end)} < {q(start)}")
        for start, end in _SPANS
        if start in names and end in names
    ]
    if table == "opportunity_history":
        rules.append(Rule("field_not_used", "field", "warning", "t_field IS NOT NULL AND field IS NULL"))
    if table == "opportunities":
        rules += _deal_rules({column.name: column for column in columns})
        if settings.stages.order:
            order = ", ".join(text(stage) for stage in settings.stages.order)
            outside = f"status = 'open' AND stage NOT IN ({order})"
            rules.append(Rule("undeclared_stage", "stage", "warning", outside))
    return rules


def _deal_rules(columns: Mapping[str, MappedColumn]) -> list[Rule]:
    closed, shared = "status IN ('won', 'lost')", _shares_close_date(columns)
    rules = [
        Rule("closed_before_created", "closed_on", "error", f"{closed} AND closed_on < created_on"),
        Rule("closed_without_date", "closed_on", "error", f"{closed} AND t_closed_on IS NULL"),
        Rule("won_without_amount", "amount", "warning", "status = 'won' AND coalesce(amount, 0) = 0"),
        Rule(
            "open_without_creation_date", "created_on", "warning", "status = 'open' AND t_created_on IS NULL"
        ),
    ]  # fmt: skip
    if not shared:
        rules.append(Rule("open_with_close_date", "closed_on", "warning", "status = 'open' AND closed_on IS NOT NULL"))
    if not columns["status"].filled:
        rules.append(Rule("missing", "stage", "error", "t_stage IS NULL"))
        rules.append(Rule("unknown_stage", "stage", "error", "t_stage IS NOT NULL AND t_status IS NULL"))
    return rules


def _shares_close_date(columns: Mapping[str, MappedColumn]) -> bool:
    """Whether one column of the source serves as expected and as actual close date."""
    return columns["closed_on"].cell is not None and columns["closed_on"].cell == columns["expected_close_on"].cell


def derived_texts(table: str, columns: Sequence[MappedColumn], settings: Settings) -> dict[str, str]:
    """Text of columns that follow from the text of others: a deal's status from its stage."""
    status = next((column for column in columns if column.name == "status"), None)
    if table != "opportunities" or status is None or status.filled:
        return {}
    if not any(column.name == "stage" and column.filled for column in columns):
        raise SourceError(
            "Nothing says which opportunities are open, won or lost", where="spm.toml [tables.opportunities.columns]",
            remedy='Map status = "…", or stage = "…" and say under [stages.status] what each stage means.',
        )  # fmt: skip
    meanings = dict(_PLAIN_STAGES)
    meanings |= {folded(stage): "open" for stage in settings.stages.order}
    meanings |= {folded(stage): meaning for stage, meaning in settings.stages.status.items()}
    whens = " ".join(f"WHEN {text(stage)} THEN {text(meaning)}" for stage, meaning in meanings.items())
    return {"status": f"CASE {fold('t_stage')} {whens} END"}


def special_values(file: SourceFile, columns: Sequence[MappedColumn], deals: SourceFile | None) -> dict[str, str]:
    """Typed values that need more than their kind: the values inside the history."""
    if file.table != "opportunity_history":
        return {}
    values = {part: _history_value(f"t_{part}", file, deals) for part in ("old", "new")}
    return {part: sql for part, sql in values.items() if any(c.name == part and c.filled for c in columns)}


def _history_value(x: str, file: SourceFile, deals: SourceFile | None) -> str:
    """The text of one history value in canonical form: ISO days, amounts with a point, stages as mapped."""
    mapped = deals.settings.values if deals else {}
    amount = f"CAST({number(x, file.formats, kind='money')} AS VARCHAR)"
    expected = f"strftime({day(x, file.formats)}, '%Y-%m-%d')"
    category = one_of(f"({recode(x, mapped.get('forecast_category', {}))})", FORECAST_CATEGORIES)
    return (
        f"CASE p_field WHEN 'amount' THEN {amount} WHEN 'expected_close_on' THEN {expected} "
        f"WHEN 'forecast_category' THEN {category} WHEN 'stage' THEN {recode(x, mapped.get('stage', {}))} "
        f"WHEN 'rep_id' THEN {recode(x, mapped.get('rep_id', {}))} ELSE {x} END"
    )
