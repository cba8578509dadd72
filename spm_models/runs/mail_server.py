"""The conversation with a mail server: what it surely took, surely refused, or may have taken.

Whatever goes wrong before the text of a mail was begun is a refusal. Once it was begun, a lost connection leaves in
doubt whether the mail arrived; an answer of the server, whichever, does not.
"""

from __future__ import annotations

import base64
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from types import TracebackType

from spm_models.credentials import mail_password, redact, remember
from spm_models.errors import RunError
from spm_models.workspace import Workspace

_PASSING = range(400, 500)
_CLOSING, _LOGGED_IN = 421, 235
_CUT = -1  #: in place of an answer: the line was cut


@dataclass(frozen=True)
class Outcome:
    """What became of one mail: ``sent``, ``failed`` or ``held``, whether another try may help, and what was said."""

    state: str
    said: str = ""
    again: bool = False


class MailServer:
    """One connection for many mails, opened when it is first needed.

    Parameters
    ----------
    workspace : Workspace
        Its ``[mail]`` says where and how.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._root, self._mail = workspace.root, workspace.settings.mail
        self._line: smtplib.SMTP | None = None
        self._used = False

    def __enter__(self) -> MailServer:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        line = self._line
        if line is not None:
            with suppress(OSError, smtplib.SMTPException):
                line.quit()
        self._close()

    def connect(self) -> None:
        """Open the connection, encrypted and logged in as the settings want it; nothing if it is open.

        Raises
        ------
        RunError
            When there is no server, it does not encrypt, or it refuses the login: nothing was sent.
        WorkspaceError
            When there is a user but no password that may be used.
        """
        if self._line is not None:
            return
        secret = mail_password(self._mail.password_file, self._root) if self._mail.user else ""
        remember(f"\0{self._mail.user}\0{secret}" if secret else "")
        try:
            self._line = self._greeted()
            if secret:
                _log_in(self._line, self._mail.user, secret)
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            raise RunError(
                "The mail server cannot be used",
                where=f"{self._mail.host}:{self._mail.port}",
                found=_said(error),
                remedy="See [mail] in spm.toml; nothing was sent, and it is tried again later.",
            ) from None  # fmt: skip – the cause holds what was sent to the server
        self._used = False

    def send(self, message: EmailMessage, sender: str, address: str) -> Outcome:
        """Give one mail to the server; a connection that it closed between two mails is opened once more."""
        outcome = self._try(message, sender, address)
        if outcome is None:
            self.connect()
            outcome = self._try(message, sender, address)
        self._used = True
        return outcome or Outcome("failed", "the server ended the connection", again=True)

    def _try(self, message: EmailMessage, sender: str, address: str) -> Outcome | None:
        """None where a server that took mails before has closed the line between two of them."""
        self.connect()
        line = self._line
        assert line is not None
        for command in (lambda: line.mail(sender), lambda: line.rcpt(address)):
            code, said = _answer(command)
            if code in (_CLOSING, _CUT):
                self._close()
                if self._used:
                    self._used = False
                    return None
            if code not in (250, 251):
                return self._refused(code, said)
        try:
            code, reply = line.data(message.as_bytes())
        except smtplib.SMTPDataError as error:  # it did not want the text at all
            return self._refused(error.smtp_code, _text(error.smtp_error))
        except (OSError, smtplib.SMTPException) as error:
            self._close()
            return Outcome("held", f"The connection broke after the text was begun ({_said(error)}): it may have "
                           "arrived, or not.")  # fmt: skip
        if code // 100 in (4, 5):
            return self._refused(code, _text(reply))
        return (
            Outcome("sent") if code // 100 == 2 else Outcome("held", f"The server answered {code}: it may have arrived")
        )

    def _greeted(self) -> smtplib.SMTP:
        mail, context = self._mail, ssl.create_default_context()
        where = (mail.host, mail.port)
        if mail.security == "tls":
            line: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=mail.timeout_seconds, context=context)
        else:
            line = smtplib.SMTP(*where, timeout=mail.timeout_seconds)
        try:
            if mail.security == "starttls":
                line.starttls(context=context)  # raises where the server does not offer it
            line.ehlo_or_helo_if_needed()
        except BaseException:
            line.close()
            raise
        return line

    def _refused(self, code: int, said: str) -> Outcome:
        if self._line is not None:
            with suppress(OSError, smtplib.SMTPException):
                self._line.rset()
        again = code in _PASSING or code == _CUT
        return Outcome("failed", said if code == _CUT else f"{code} {said}", again)

    def _close(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


def _log_in(line: smtplib.SMTP, user: str, secret: str) -> None:
    if f"{user}{secret}".isascii():
        line.login(user, secret)
        return
    line.ehlo_or_helo_if_needed()  # smtplib knows plain letters only, RFC 4616 all
    told = base64.b64encode(f"\0{user}\0{secret}".encode()).decode()
    code, reply = line.docmd("AUTH", f"PLAIN {told}")
    if code != _LOGGED_IN:
        raise smtplib.SMTPAuthenticationError(code, reply)


def _answer(command: Callable[[], tuple[int, bytes]]) -> tuple[int, str]:
    try:
        code, said = command()
    except (OSError, smtplib.SMTPException) as error:
        return _CUT, _said(error)
    return code, _text(said)


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return redact(f"{error.smtp_code} {_text(error.smtp_error)}")
    return redact(" ".join(str(error).split()) or type(error).__name__)


def _text(reply: bytes | str) -> str:
    """An answer as one line without anything that a terminal would obey."""
    said = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return redact(" ".join("".join(c if c.isprintable() else " " for c in said).split())[:300])
