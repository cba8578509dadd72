"""The e-mail that brings a report: what it is, whose it is first, what to do about errors; the report attached.

Whatever comes from data is escaped in the text for browsers and cannot leave its header; the same letter gives the same
bytes, but for the day of sending.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cache
from pathlib import Path
from unicodedata import category

from jinja2 import Environment, FileSystemLoader, Template
from markupsafe import Markup

from spm_models.shipped import shipped
from spm_models.translations import Translator

_STEERING = re.compile("[\u2066-\u2069\u200e\u200f]")
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Letter:
    """What is told with a report, and to whom.

    Parameters
    ----------
    report : str
        Its kind, such as ``coaching_report``.
    role : str
        As what the reader gets it: rep, manager or executive.
    reader, about : str
        Names of the reader, and of whom the report is about.
    period : str
        Label of its week, month or quarter.
    as_of : datetime.date
        Day of the data.
    company : str
    manager_on : datetime.date, optional
        To a rep: the day from which his manager gets the same report. To a manager: the day on which his rep got it.
    topic : str
        Name of the one topic of a coaching report; empty without one.
    link : str
        Address of the pages; empty without one.
    """

    report: str
    role: str
    reader: str
    about: str
    period: str
    as_of: date
    company: str
    manager_on: date | None = None
    topic: str = ""
    link: str = ""


@dataclass(frozen=True)
class Envelope:
    """Who it is from and for, and its name for good."""

    sender: str
    to: str
    message_id: str
    sent: datetime
    reply_to: str = ""


def compose(letter: Letter, envelope: Envelope, report: Path, translator: Translator) -> EmailMessage:
    """The message with the report attached.

    Parameters
    ----------
    letter : Letter
    envelope : Envelope
        Plain addresses.
    report : Path
        PDF or HTML file.
    translator : Translator
        Of the reader.
    """
    t, message = translator, EmailMessage(policy=SMTP)
    message["From"] = Address(_in_header(letter.company), addr_spec=envelope.sender)
    message["To"] = Address(_in_header(letter.reader), addr_spec=envelope.to)
    if envelope.reply_to:
        message["Reply-To"] = Address(addr_spec=envelope.reply_to)
    subject = _in_header(subject_of(t, letter))
    message["Subject"] = subject
    message["Date"] = format_datetime(envelope.sent)
    message["Message-ID"] = envelope.message_id
    message["Auto-Submitted"] = "auto-generated"
    lines = list(_lines(t, letter, replies=bool(envelope.reply_to)))
    message.set_content(_text(t, letter, lines), cte="base64")
    message.add_alternative(_html(t, letter, lines, subject), subtype="html", cte="base64")
    kind = ("application", "pdf") if report.suffix == ".pdf" else ("text", "html")
    message.add_attachment(
        report.read_bytes(), maintype=kind[0], subtype=kind[1], filename=_file_name(letter, report.suffix)
    )
    message["Content-Language"] = t.locale  # now: parts that are added take such headers with them
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        part.set_boundary(f"=_{hashlib.sha256(f'{envelope.message_id}{number}'.encode()).hexdigest()[:32]}")
    return message


def subject_of(t: Translator, letter: Letter) -> str:
    """What the mail is called in a list of mails."""
    if letter.report == "coaching_report":
        own = letter.role == "rep"
        return (t("mail.own.subject", day=letter.as_of) if own
                else t("mail.copy.subject", name=letter.about, day=letter.as_of))  # fmt: skip
    if letter.report == "team_digest":
        return t("mail.team_digest.subject", day=letter.as_of)
    return t(f"mail.{letter.report}.subject", period=t.period(letter.period))


def _lines(t: Translator, letter: Letter, *, replies: bool) -> Iterator[tuple[str, Markup]]:
    """The paragraphs, each with its kind and as HTML that is safe."""
    day = t.day(letter.as_of, "long")
    then = t.day(letter.manager_on, "weekday") if letter.manager_on else ""
    if letter.report != "coaching_report":
        values = {"day": day} if letter.report == "team_digest" else {"period": t.period(letter.period), "day": day}
        yield "what", t.html(f"mail.{letter.report}.what", **values)
        yield "plain", t.html("mail.correct_reply" if replies else "mail.correct")
        return
    own = letter.role == "rep"
    yield "what", t.html("mail.own.what", day=day) if own else t.html("mail.copy.what", name=letter.about, day=day)
    if letter.topic:
        yield "topic", t.html("mail.own.topic" if own else "mail.copy.topic", topic=letter.topic)
    if then:
        yield "first", t.html("mail.own.first" if own else "mail.copy.first", day=then)
    elif own:
        yield "first", t.html("mail.own.only")
    if not own:
        yield "plain", t.html("mail.copy.ask")
    yield "plain", t.html("mail.correct_reply" if replies else "mail.correct")


def _html(t: Translator, letter: Letter, lines: list[tuple[str, Markup]], subject: str) -> str:
    return _template().render(
        lang=t.locale, direction=t.direction, subject=subject, lines=lines, link=letter.link, company=letter.company,
        greeting=t.html("mail.greeting", name=letter.reader), label=t("mail.link"), foot=t.html("mail.foot"),
        start="right" if t.direction == "rtl" else "left",
    )  # fmt: skip


def _text(t: Translator, letter: Letter, lines: list[tuple[str, Markup]]) -> str:
    parts = [t("mail.greeting", name=letter.reader), *(_plain(line, t.direction) for _, line in lines)]
    parts += [f"{t('mail.link')}: {letter.link}"] if letter.link else []
    return "\n\n".join([*parts, f"{letter.company}\n{t('mail.foot')}"]) + "\n"


def _plain(line: Markup, direction: str) -> str:
    """The same words without markup; where the sentence runs from the right, a bdi keeps its effect."""
    marks = ("\u2068", "\u2069") if direction == "rtl" else ("", "")
    text = str(line).replace("<bdi>", marks[0]).replace("</bdi>", marks[1])
    return Markup(text).unescape()


def _in_header(text: str) -> str:
    """Text in one line without control or direction characters."""
    plain = "".join(" " if category(char).startswith(("C", "Z")) else char for char in _STEERING.sub("", text))
    return " ".join(plain.split())[:_LONGEST_NAME]


def _file_name(letter: Letter, suffix: str) -> str:
    """Letters, figures and dashes only, whatever a name holds; a manager can tell the reports of his people apart."""
    about = "-".join(re.findall(r"[^\W_]+", _in_header(letter.about)))[:60]
    of = f"-{about}" if letter.role == "manager" and letter.report == "coaching_report" and about else ""
    return f"{letter.report.replace('_', '-')}{of}-{letter.as_of.isoformat()}{suffix}"


@cache
def _template() -> Template:
    loader = FileSystemLoader(shipped("templates/reports"))
    return Environment(loader=loader, autoescape=True).get_template("mail.html.j2")
