"""The e-mail that brings a report: readable in three languages, safe whatever names hold, the same bytes each time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path

import pytest

from spm_models.reports.mail import Envelope, Letter, compose
from spm_models.translations import LOCALES, Translator

OWN = Letter("coaching_report", "rep", "Ayşe Yılmaz", "Ayşe Yılmaz", "2026-W27", date(2026, 7, 3), "Atlas & Co",
             date(2026, 7, 7), "Sales cycle", "https://sales.example.com")  # fmt: skip
COPY = replace(OWN, role="manager", reader="Nour Erdoğan")
OTHERS = [
    replace(OWN, report="team_digest", role="manager", manager_on=None, topic=""),
    replace(OWN, report="team_monthly", role="manager", period="2026-06", manager_on=None, topic=""),
    replace(OWN, report="executive_report", role="executive", period="2026-06", manager_on=None, topic=""),
    replace(OWN, report="executive_quarterly", role="executive", period="2026-Q2", manager_on=None, topic=""),
]
ENVELOPE = Envelope(
    "spm@atlas.example", "ayse@atlas.example", "<abc@atlas.example>", datetime(2026, 7, 6, 5, tzinfo=UTC)
)
HOSTILE = '<img src=x onerror=alert(1)>\r\nBcc: thief@evil.example\u202e\x00 "a" <b@c.example>, x'


@pytest.fixture
def report(tmp_path: Path) -> Path:
    file = tmp_path / "r.pdf"
    file.write_bytes(b"%PDF-1.7 \x00\xff")
    return file


def read(letter: Letter, report: Path, locale: str = "en", envelope: Envelope = ENVELOPE):
    raw = compose(letter, envelope, report, Translator(locale)).as_bytes()
    return message_from_bytes(raw, policy=policy.default), raw


def text(message, kind: str) -> str:
    return message.get_body((kind,)).get_content()


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("letter", [OWN, COPY, *OTHERS], ids=lambda letter: f"{letter.report}-{letter.role}")
def test_each_mail_says_what_it_is_in_the_readers_language(letter: Letter, report: Path, locale: str) -> None:
    message, raw = read(letter, report, locale)
    t = Translator(locale)
    html, plain = text(message, "html"), text(message, "plain")
    assert f'lang="{locale}" dir="{t.direction}"' in html and message["Content-Language"] == locale
    for part in (html, plain):
        assert t("mail.foot") in part and "https://sales.example.com" in part and t.day(letter.as_of, "long") in part
    assert len(plain) < 900 and raw.isascii() and max(map(len, raw.splitlines())) < 998
    (attached,) = message.iter_attachments()
    assert attached.get_content() == b"%PDF-1.7 \x00\xff" and attached.get_content_type() == "application/pdf"
    tags = Tags()
    tags.feed(html)
    assert not {"script", "img", "link", "form", "iframe"} & {tag for tag, _ in tags.found}
    assert [attrs["href"] for tag, attrs in tags.found if "href" in attrs] == ["https://sales.example.com"]


def test_the_rep_reads_that_he_is_first_and_when_his_manager_has_it(report: Path) -> None:
    plain = text(read(OWN, report)[0], "plain")
    assert "You have it first" in plain and "Tue, Jul 7, 2026" in plain and "Sales cycle" in plain
    alone = text(read(replace(OWN, manager_on=None, topic=""), report)[0], "plain")
    assert "You alone receive it" in alone and "manager receives" not in alone and "worth a talk" not in alone
    manager = text(read(COPY, report)[0], "plain")
    assert manager.startswith("Hello Nour Erdoğan,") and "not a judgement" in manager and "since Tue" in manager


def test_who_answers_is_named_only_where_somebody_does(report: Path) -> None:
    silent, _ = read(OWN, report)
    assert silent["Reply-To"] is None and "reply to this" not in text(silent, "plain")
    answered, _ = read(OWN, report, envelope=replace(ENVELOPE, reply_to="ops@atlas.example"))
    assert answered["Reply-To"] == "ops@atlas.example" and "reply to this e-mail" in text(answered, "plain")


@pytest.mark.parametrize("locale", LOCALES)
def test_hostile_names_stay_names(report: Path, locale: str) -> None:
    letter = Letter("coaching_report", "manager", HOSTILE, HOSTILE, "2026-W27", date(2026, 7, 3), HOSTILE,
                    date(2026, 7, 7), HOSTILE)  # fmt: skip
    message, raw = read(letter, report, locale)
    head = raw.split(b"\r\n\r\n")[0]
    assert b"\nBcc" not in head and message["Bcc"] is None and message["To"].addresses[0].addr_spec == ENVELOPE.to
    assert len(message["To"].addresses) == 1 and len(message["From"].addresses) == 1
    assert "\u202e" not in message["Subject"] and "\n" not in message["Subject"]
    tags = Tags()
    tags.feed(text(message, "html"))
    assert not {"img", "b"} & {tag for tag, _ in tags.found}
    (attached,) = message.iter_attachments()
    name = attached.get_filename()
    assert not set(name) & set('<>/\\"\r\n;: ') and name.endswith("-2026-07-03.pdf") and ".." not in name


def test_the_same_letter_is_the_same_bytes_but_for_its_day(report: Path) -> None:
    first, again = read(OWN, report)[1], read(OWN, report)[1]
    assert first == again
    tomorrow = read(OWN, report, envelope=replace(ENVELOPE, sent=datetime(2026, 7, 7, 5, tzinfo=UTC)))[1]
    differing = [a for a, b in zip(first.splitlines(), tomorrow.splitlines(), strict=True) if a != b]
    assert len(differing) == 1 and differing[0].startswith(b"Date: ")


@pytest.mark.parametrize("locale", LOCALES)
def test_a_managers_attachments_can_be_told_apart(report: Path, locale: str) -> None:
    names = {
        next(read(replace(COPY, about=name), report, locale)[0].iter_attachments()).get_filename()
        for name in ("Ayşe Yılmaz", "Çağrı Öz", "ليلى")
    }
    assert names == {f"coaching-report-{who}-2026-07-03.pdf" for who in ("Ayşe-Yılmaz", "Çağrı-Öz", "ليلى")}
