"""From a row of the outbox to the message that is sent, or written to a folder."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime
from email.message import EmailMessage
from pathlib import Path

from spm_models.access import Scope
from spm_models.errors import PublishedError
from spm_models.published import Results
from spm_models.reports.mail import Envelope, Letter, compose
from spm_models.reports.words import topic_of
from spm_models.runs.outbox import Mail
from spm_models.runs.status import has_hash
from spm_models.translations import Translator
from spm_models.workspace import Workspace

NOBODY = "nobody@example.invalid"  #: sender of letters that are only looked at, before there is one


def letter_of(workspace: Workspace, mail: Mail, other_day: date | None, now: datetime) -> EmailMessage:
    """The message of a mail.

    Parameters
    ----------
    workspace : Workspace
    mail : Mail
        With an address.
    other_day : datetime.date, optional
        To a rep: from which day on his manager may have it. To a manager: on which day his rep got it.
    now : datetime.datetime
        Date of the message.
    """
    settings = workspace.settings
    t = Translator(mail.locale, currency=settings.company.currency, time_zone=settings.company.time_zone)
    letter = Letter(
        mail.report, mail.role, mail.reader, mail.name, mail.period, date.fromisoformat(mail.as_of),
        settings.company.name, other_day, _topic(workspace, mail, t), settings.mail.pages_url,
    )  # fmt: skip
    sender = settings.mail.sender or NOBODY
    envelope = Envelope(sender, mail.address or "", mail.message_id, now, settings.mail.reply_to)
    return compose(letter, envelope, Path(mail.pdf or mail.html or ""), t)


def altered(mail: Mail) -> str:
    """Why the files of a mail are not those that were written; empty if they are."""
    files = [(mail.html, mail.sha256), *([(mail.pdf, mail.pdf_sha256)] if mail.pdf else [])]
    for path, sha256 in files:
        if path is None or not Path(path).is_file():
            return "The report's file is gone; run the report again, or drop this mail."
        if not has_hash(Path(path), sha256):
            return "The report's file is not the one that was written; run the report again, or drop this mail."
    return ""


def _topic(workspace: Workspace, mail: Mail, t: Translator) -> str:
    """The name of a rep's one topic, by what the report's own reader may see; empty without one."""
    if mail.report != "coaching_report":
        return ""
    with suppress(PublishedError, OSError):  # old results are cleared away; the report itself says it
        scope = Scope.of_rep(mail.about)
        verdicts = Results.open(workspace, scope=scope, run_id=mail.run_id)["coaching_verdicts"]
        for row in verdicts[verdicts["rep_id"] == mail.about].to_dict("records"):
            if row["verdict"] == "coaching_suggestion" and isinstance(row["topic"], str):
                return topic_of(t, row)
    return ""
