"""SQL expressions that turn text into typed values, or into NULL where the text does not fit.

Every function takes SQL expressions and returns one; the engine evaluates them column by column. Plain ASCII text,
ISO days and plain numbers take a short way through each ``CASE``; only the rest pays for the long one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from spm_models.crm.sources import TextFormats

#: Zero-width and bidirectional control characters and controls other than tab and line ends.
HIDDEN = r"[\x{00AD}\x{061C}\x{180E}\x{200B}-\x{200F}\x{202A}-\x{202E}\x{2060}-\x{2069}\x{FEFF}\x00-\x08\x0E-\x1F\x7F]"
_PLAIN = r"[!-~]([ -~]*[!-~])?"
_EDGES = r"^[\s\p{Z}]+|[\s\p{Z}]+$"
_CURRENCY = r"(?:\p{Sc}|TL|[A-Z]{3})"
_EASTERN_DIGITS = "٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹"
_TRUE = ("true", "t", "yes", "y", "1", "evet", "e", "doğru", "نعم", "x")
_FALSE = ("false", "f", "no", "n", "0", "hayır", "h", "yanlış", "لا")
_DAY = r"\d{4}-\d{2}-\d{2}"
_CLOCK = r"\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?"
_OFFSET = r"\s?(?:Z|[+-]\d{2}(?::?\d{2})?)"


def name(identifier: str) -> str:
    """Quote an identifier."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: object) -> str:
    """Quote a text literal."""
    return "'" + str(value).replace("'", "''") + "'"


def clean(x: str) -> str:
    """Strip, normalise to NFC and remove hidden characters; empty text becomes NULL."""
    visible = f"regexp_replace({x}, {text(HIDDEN)}, '', 'g')"
    slow = f"NULLIF(nfc_normalize(regexp_replace({visible}, {text(_EDGES)}, '', 'g')), '')"
    return f"CASE WHEN regexp_full_match({x}, {text(_PLAIN)}) THEN {x} ELSE {slow} END"


def has_hidden(x: str) -> str:
    """Whether the raw text holds hidden characters."""
    return (
        f"CASE WHEN {x} IS NULL OR regexp_full_match({x}, {text(_PLAIN)}) THEN false "
        f"ELSE regexp_matches({x}, {text(HIDDEN)}) END"
    )


def caseless(x: str) -> str:
    """Lower case that reads İ, I, ı and i as one letter."""
    return f"replace(lower(translate({x}, 'İIı', 'iii')), '̇', '')"


def fold(x: str) -> str:
    """Text without case, and with spaces and hyphens as underscores."""
    return rf"regexp_replace({caseless(x)}, '[\s\p{{Z}}_-]+', '_', 'g')"


def folded(value: str) -> str:
    """Fold a Python string as :func:`fold` does in the engine.

    Examples
    --------
    >>> folded("KAZANILDI"), folded("Kazanıldı"), folded("Closed Won")
    ('kazanildi', 'kazanildi', 'closed_won')
    """
    lowered = value.translate(str.maketrans("İIı", "iii")).lower().replace("̇", "")
    return "_".join(lowered.replace("_", " ").replace("-", " ").split())


def recode(x: str, values: Mapping[str, str]) -> str:
    """Replace whole values."""
    if not values:
        return x
    whens = " ".join(f"WHEN {text(old)} THEN {text(new)}" for old, new in values.items())
    return f"CASE {x} {whens} ELSE {x} END"


def one_of(x: str, accepted: Sequence[str]) -> str:
    """The accepted value that the text means, whatever its case."""
    exact = ", ".join(text(value) for value in accepted)
    whens = " ".join(f"WHEN {text(folded(value))} THEN {text(value)}" for value in accepted)
    return f"CASE WHEN {x} IN ({exact}) THEN {x} ELSE CASE {fold(x)} {whens} END END"


def number(x: str, formats: TextFormats, *, kind: str, percent: bool = False) -> str:
    """A number in the declared locale.

    Parameters
    ----------
    x : str
        Expression of cleaned text.
    formats : TextFormats
        Decimal and thousands separators; ``1.234`` is a thousand and more where the decimal separator is a comma.
    kind : {"money", "number", "integer"}
        DECIMAL(18, 4), DOUBLE or BIGINT.
    percent : bool
        Read ``12 %`` as 0.12.
    """
    sql_type = {"money": "DECIMAL(18, 4)", "number": "DOUBLE", "integer": "BIGINT"}[kind]
    exponent = r"(?:[eE][+-]?\d+)?" if kind == "number" else ""
    fraction = "" if kind == "integer" else rf"(?:\.\d+)?{exponent}"
    plain = rf"-?\d+{fraction}" if formats.decimal == "." else r"-?\d+"
    plain = plain if kind != "integer" else r"-?\d+"
    slow = _grouped_number(x, formats, sql_type, exponent, whole=kind == "integer")
    if percent:
        share = _grouped_number(f"rtrim(rtrim({x}, '%'))", formats, sql_type, exponent, whole=False)
        slow = f"CASE WHEN {x} LIKE '%\\%' ESCAPE '\\' THEN {share} / 100 ELSE {slow} END"
    return f"CASE WHEN regexp_full_match({x}, {text(plain)}) THEN TRY_CAST({x} AS {sql_type}) ELSE {slow} END"


def _grouped_number(x: str, formats: TextFormats, sql_type: str, exponent: str, *, whole: bool) -> str:
    decimal, group = formats.decimal, formats.group
    s = f"translate({x}, {text(_EASTERN_DIGITS + '٫٬−')}, {text('0123456789' * 2 + decimal + _ascii(group) + '-')})"
    s = rf"regexp_replace({s}, '^([-+(]?)\s*{_CURRENCY}[\s\p{{Z}}]*', '\1')"
    s = rf"regexp_replace({s}, '[\s\p{{Z}}]*{_CURRENCY}([)-]?)$', '\1')"
    s = rf"regexp_replace({s}, '^\((.*)\)$|^([^-].*)-$', '-\1\2')"
    s = rf"regexp_replace({s}, '[\s\p{{Z}}''’]', {text(_ascii(group))}, 'g')"
    g, d = _escaped(_ascii(group)), _escaped(decimal)
    fraction = rf"(?:{d}0*)?" if whole else rf"(?:{d}\d+)?{exponent}"
    pattern = rf"[-+]?(?:\d{{1,3}}(?:{g}\d{{3}})+|\d+){fraction}"
    bare = f"replace(replace({s}, {text(_ascii(group))}, ''), {text(decimal)}, '.')"
    if whole:
        bare = rf"regexp_replace({bare}, '\.0*$', '')"
    return f"CASE WHEN regexp_full_match({s}, {text(pattern)}) THEN TRY_CAST({bare} AS {sql_type}) END"


def _ascii(group: str) -> str:
    """Spaces and apostrophes between thousands are all read as ``_``."""
    return "_" if group.isspace() or group in "'’\u202f\u00a0" else group


def _escaped(symbol: str) -> str:
    return rf"\{symbol}" if symbol in ".,+*?()[]{}|^$" else symbol


def flag(x: str) -> str:
    """Yes or no in three languages."""
    yes, no = (", ".join(text(folded(word)) for word in words) for words in (_TRUE, _FALSE))
    return f"CASE WHEN {fold(x)} IN ({yes}) THEN true WHEN {fold(x)} IN ({no}) THEN false END"


def date(x: str, formats: TextFormats) -> str:
    """A day: ISO, one of the declared formats, or the day of an ISO instant in the company's zone."""
    whens = []
    if _iso_fits(formats.dates):
        whens.append(f"WHEN regexp_full_match({x}, {text(_DAY)}) THEN TRY_CAST({x} AS DATE)")
    if formats.excel_epoch:
        serial = rf"regexp_full_match({x}, '\d{{5}}(?:[.,]\d+)?')"
        days = rf"TRY_CAST(regexp_extract({x}, '^\d+') AS INTEGER)"
        whens.append(f"WHEN {serial} THEN DATE {text(formats.excel_epoch)} + {days}")
    declared = ", ".join(text(f) for f in formats.dates)
    local = f"CAST(timezone({text(formats.company_zone)}, TRY_CAST({x} AS TIMESTAMPTZ)) AS DATE)"
    instant = f"{_DAY}[T ]{_CLOCK}"
    return (
        f"CASE {' '.join(whens)} "
        f"WHEN regexp_full_match({x}, {text(instant)}) THEN TRY_CAST(left({x}, 10) AS DATE) "
        f"WHEN regexp_full_match({x}, {text(instant + _OFFSET)}) THEN {local} "
        f"ELSE CAST(TRY_STRPTIME({x}, [{declared}]) AS DATE) END"
    )


def date_with_day_and_month_swapped(x: str, formats: TextFormats) -> str:
    """The day that the text would mean with day and month exchanged; NULL if no format has both as numbers."""
    swapped = [f.translate(str.maketrans("dm", "md")) for f in formats.dates if "%d" in f and "%m" in f]
    if not swapped:
        return "CAST(NULL AS DATE)"
    return f"CAST(TRY_STRPTIME({x}, [{', '.join(text(f) for f in swapped)}]) AS DATE)"


def local_instant(x: str, formats: TextFormats) -> str:
    """An instant without an offset as it stands; NULL if the text has an offset or is none."""
    whens = []
    if _iso_fits(formats.instants):
        whens.append(f"WHEN regexp_full_match({x}, {text(f'{_DAY}(?:[T ]{_CLOCK})?')}) THEN TRY_CAST({x} AS TIMESTAMP)")
    if formats.excel_epoch:
        serial = rf"regexp_full_match({x}, '\d{{5}}(?:[.,]\d+)?')"
        seconds = f"CAST(round(TRY_CAST(replace({x}, ',', '.') AS DECIMAL(18, 9)) * 86400) AS BIGINT)"
        whens.append(f"WHEN {serial} THEN TIMESTAMP {text(formats.excel_epoch)} + to_seconds({seconds})")
    declared = [f for f in formats.instants if "%z" not in f]
    other = f"TRY_STRPTIME({x}, [{', '.join(text(f) for f in declared)}])" if declared else "NULL"
    parsed = f"CASE {' '.join(whens)} ELSE {other} END" if whens else other
    return f"CAST({parsed} AS TIMESTAMP)"


def offset_instant(x: str, formats: TextFormats) -> str:
    """An instant that states its offset, as UTC; NULL otherwise."""
    iso = f"regexp_full_match({x}, {text(f'{_DAY}[T ]{_CLOCK}{_OFFSET}')})"
    whens = [f"WHEN {iso} THEN timezone('UTC', TRY_CAST({x} AS TIMESTAMPTZ))"]
    whens += [
        f"WHEN TRY_STRPTIME({x}, {text(f)}) IS NOT NULL THEN timezone('UTC', TRY_STRPTIME({x}, {text(f)}))"
        for f in formats.instants
        if "%z" in f
    ]
    return f"CASE {' '.join(whens)} END"


def to_utc(local: str, zone: str) -> str:
    """Naive local time of a zone as naive UTC; a time that a clock change skips moves forward by the change."""
    if zone == "UTC":
        return local
    return f"timezone('UTC', timezone({text(zone)}, {local}))"


def skipped(local: str, zone: str) -> str:
    """Whether a local time does not exist because the clocks were put forward."""
    if zone == "UTC":
        return "false"
    return f"coalesce(timezone({text(zone)}, timezone({text(zone)}, {local})) <> {local}, false)"


def _iso_fits(formats: Sequence[str]) -> bool:
    return not any(f.startswith("%Y-%d") for f in formats)


def plausible(column: str, sql_type: str) -> str:
    """A day or instant from 1900 on; 0017-03-01 is a two-digit year read with the wrong format."""
    return f"CASE WHEN {column} BETWEEN {sql_type} '1900-01-01' AND {sql_type} '9999-12-31' THEN {column} END"
