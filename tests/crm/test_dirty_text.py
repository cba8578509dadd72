"""Text as real exports have it: encodings, marks, signs, digits, hidden characters."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from spm_models import crm
from spm_models.errors import SourceError

HEADER = "opportunity_id,rep_id,created_on,closed_on,status,amount\n"


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [("cp1254", "cp1254"), ("utf-8-sig", "utf-8"), ("utf-8-sig", "cp1254"), ("utf-16", "utf-8"), ("utf-16", "utf-16"),
     ("utf-8", "utf-8"), ("utf-32", "utf-8")],
)  # fmt: skip
def test_encodings_and_byte_order_marks(load, encoding, declared):
    result = load(
        f'[tables.reps]\nencoding = "{declared}"', reps="rep_id,name\nr1,Şule Çağlı\nr2,İpek\n".encode(encoding)
    )
    assert result.column("name", "reps") == ["Şule Çağlı", "İpek"]
    assert result.quality.rejected == 0


def test_bytes_that_do_not_fit_the_encoding_are_rejected_not_mangled(load):
    result = load(reps="rep_id,name\nr1,Ada\nr2,Şule\n".encode("cp1254"))
    assert result.column("name", "reps") == ["Ada"]
    assert ("name", "undecodable", "error", 1) in result.found("reps")


@pytest.mark.parametrize(
    ("text", "locale", "amount"),
    [
        ("1234.5", "en", "1234.5"),
        ("1,234.50", "en", "1234.5"),
        ("1.234,50", "tr", "1234.5"),
        ("1.234", "tr", "1234"),
        ("1.234", "en", "1.234"),
        ("₺1.234,50", "tr", "1234.5"),
        ("1.234,50 TL", "tr", "1234.5"),
        ("TRY 1.234,50", "tr", "1234.5"),
        ("USD 12", "en", "12"),
        ("1\u00a0234\u00a0567,25", "tr", "1234567.25"),
        ("1\u202f234,5", "fr", "1234.5"),
        ("1'234.50", "de_CH", "1234.5"),
        ("١٬٢٣٤٫٥٠", "ar", "1234.5"),
        ("۱۲۳", "en", "123"),
        ("+7", "en", "7"),
        ("0.00005", "en", "0.0001"),
        ("99999999999999.9999", "en", "99999999999999.9999"),
        ("0.1", "en", "0.1"),
    ],
)
def test_amounts_in_the_declared_locale(load, text, locale, amount):
    row = f'{HEADER}o1,r1,2026-01-05,,open,"{text}"\n'
    result = load(f'[source]\nlocale = "{locale}"', opportunities=row)
    assert result.column("amount") == [Decimal(amount).quantize(Decimal("0.0001"))]
    assert result.column("amount_company") == result.column("amount")


@pytest.mark.parametrize(
    ("text", "locale"),
    [("1.234,56", "en"), ("1,234.56", "tr"), ("12.34", "tr"), ("1.2345", "tr"), ("1,23,456", "en"), ("1 2345", "en"),
     ("12abc", "en"), ("-", "en"), ("1e12", "en"), ("nan", "en"), ("100000000000000", "en"), ("=1+1", "en")],
)  # fmt: skip
def test_amounts_that_do_not_fit_the_locale_are_rejected(load, text, locale):
    row = f'{HEADER}o1,r1,2026-01-05,,open,5\no2,r1,2026-01-05,,open,"{text}"\n'
    result = load(f'[source]\nlocale = "{locale}"', opportunities=row)
    assert result.found() == {("amount", "unparsable", "error", 1)}
    assert result.column("opportunity_id") == ["o1"]
    assert result.quarantine()[0][5] == text


@pytest.mark.parametrize("text", ["(500)", "-500", "500-", "−500", "(₺500)", "-$500", "$-500"])
def test_negative_amounts_are_understood_and_out_of_limits(load, text):
    result = load(opportunities=f"{HEADER}o1,r1,2026-01-05,,open,1\no2,r1,2026-01-05,,open,{text}\n")
    assert result.found() == {("amount", "out_of_limits", "error", 1)}


def test_shares_may_be_written_in_percent(load):
    rows = "opportunity_id,rep_id,created_on,status,discount\no1,r1,2026-01-05,open,12.5 %\no2,r1,2026-01-05,open,0.2\n"
    assert load(opportunities=rows).column("discount") == [0.125, 0.2]


@pytest.mark.parametrize(
    ("text", "formats", "day"),
    [
        ("20-10-16", '"%d-%m-%y"', date(2016, 10, 20)),
        ("2016-10-20", '"%d-%m-%y"', date(2016, 10, 20)),
        ("20.10.2016", '["%d-%m-%y", "%d.%m.%Y"]', date(2016, 10, 20)),
        ("2016-10-20 14:05:00", '"%d.%m.%Y"', date(2016, 10, 20)),
        ("10/20/2016", '"%m/%d/%Y"', date(2016, 10, 20)),
    ],
)
def test_days_in_the_declared_formats_or_iso(load, text, formats, day):
    settings = f"[source]\ndate_format = {formats}\nextracted_on = 2026-06-30"
    assert load(settings, opportunities=f"{HEADER}o1,r1,{text},,open,1\n").column("created_on") == [day]


def test_midnight_utc_falls_on_the_day_of_the_company(load):
    settings = '[company]\ntime_zone = "America/New_York"'
    result = load(settings, opportunities=f"{HEADER}o1,r1,2026-01-05,2026-04-01T00:00:00Z,won,1\n")
    assert result.column("closed_on") == [date(2026, 3, 31)]  # another quarter


@pytest.mark.parametrize(
    ("text", "rule"),
    [("31.02.2016", "unparsable"), ("42663", "unparsable"), ("0017-03-01", "unparsable"), ("soon", "unparsable"),
     ("10.20.2016", "day_and_month_swapped")],
)  # fmt: skip
def test_days_that_are_none_are_rejected(load, text, rule):
    settings = '[source]\ndate_format = "%d.%m.%Y"'
    result = load(settings, opportunities=f"{HEADER}o1,r1,01.03.2016,,open,1\no2,r1,{text},,open,1\n")
    assert result.found() == {("created_on", rule, "error", 1)}


def instants(load, settings, *texts):
    rows = "".join(f"a{i},r1,call,{text}\n" for i, text in enumerate(texts))
    return load(settings, activities="activity_id,rep_id,kind,happened_at\n" + rows)


def test_instants_with_and_without_an_offset_become_utc(load):
    texts = (
        "2026-01-05T10:00:00",
        "2026-01-05T10:00:00Z",
        "2026-01-05 10:00:00+03:00",
        "2026-01-05T10:00",
        "2026-01-05",
    )
    result = instants(load, '[source]\ntime_zone = "Europe/Istanbul"', *texts)
    hours = [f"{at:%d %H:%M}" for at in result.column("happened_at", "activities")]
    assert hours == ["05 07:00", "05 10:00", "05 07:00", "05 07:00", "04 21:00"]


def test_declared_instant_formats_with_offset(load):
    settings = '[source]\ninstant_format = ["%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M %z"]\ntime_zone = "Europe/Istanbul"'
    result = instants(load, settings, "05.01.2026 10:00", "05.01.2026 10:00 +0100")
    assert [at.hour for at in result.column("happened_at", "activities")] == [7, 9]


def test_a_time_skipped_by_the_clock_change_is_moved_and_told(load):
    result = instants(load, '[source]\ntime_zone = "Europe/Berlin"', "2026-03-29T02:30:00", "2026-03-29T03:30:00")
    assert [f"{at:%H:%M}" for at in result.column("happened_at", "activities")] == ["01:30", "01:30"]
    assert result.found("activities") == {("happened_at", "skipped_by_clock_change", "warning", 1)}


def test_names_are_normalised_and_hidden_characters_removed(load):
    names = ("S\u0327ule", "\u202bAhmed\u202c\u200b", "\u00a0Ada\t", "<img onerror=alert(1)>", "=HYPERLINK(1)")
    rows = "".join(f'r{i},"{name}"\n' for i, name in enumerate(names))
    result = load(reps="rep_id,name\n" + rows)
    assert result.column("name", "reps") == ["Şule", "Ahmed", "Ada", "<img onerror=alert(1)>", "=HYPERLINK(1)"]
    assert result.found("reps") == {("name", "hidden_characters", "warning", 1)}


def test_codes_that_look_like_nothing_or_like_numbers_stay_text(load):
    codes = ["NA", "None", "null", "nan", "0012", "1e5", "-"]
    result = load(reps="rep_id,name\n" + "".join(f"{code},x\n" for code in codes))
    assert result.column("rep_id", "reps") == codes


def test_flags_in_three_languages(load):
    words = {"true": True, "Evet": True, "HAYIR": False, "نعم": True, "0": False, "": None}
    rows = "".join(f"c{i},2026-01-05,{word}\n" for i, word in enumerate(words))
    result = load(calls="call_id,offered_at,abandoned\n" + rows)
    assert result.column("abandoned", "calls") == list(words.values())


def test_unknown_encoding_and_separator_are_refused(company):
    with pytest.raises(SourceError, match="cp1254"):
        crm.load(company('[source]\nencoding = "turkish"'), run_id="test")
    with pytest.raises(SourceError, match="encoding"):
        crm.load(company('[source]\nencoding = "utf-16"'), run_id="test")  # the files are not
    with pytest.raises(SourceError, match="one character"):
        crm.load(company('[source]\nseparator = "::"'), run_id="test")
