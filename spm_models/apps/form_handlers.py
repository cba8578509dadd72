"""What people send to the page server: a form that they filled in, and the language they want to read."""

from __future__ import annotations

import asyncio
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web

from spm_models.apps.forms import refused, said
from spm_models.apps.handlers import LANGUAGE, Door, Page, own_page
from spm_models.apps.writes import KINDS, Sent
from spm_models.errors import AccessDeniedError, SpmError
from spm_models.translations import LOCALES

LARGEST = 64 * 1024  #: bytes of a form
_YEAR = 365


class WriteForm(Page):
    """Takes one form, writes one entry, and answers with a sentence in the reader's language."""

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A sentence instead of a page: the form shows it."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(refused(self.words.t("write.lost" if status_code in (401, 403) else "write.failed")))

    @web.authenticated
    async def post(self, kind: str) -> None:
        """Check and write; whoever may not, or wrote something impossible, is told why."""
        if kind not in KINDS:
            raise web.HTTPError(404)
        if not self.check_origin() or len(self.request.body) > LARGEST:
            raise web.HTTPError(403)
        fields = {name: self.get_body_argument(name) for name in self.request.body_arguments if name != "_xsrf"}
        t, reader, user = self.words.t, self.reader, self.current_user
        self.set_header("Content-Type", "text/html; charset=utf-8")
        if user.looks_as:
            self.pages.record.add("refused", user.signed_in.person, f"write {kind}", looks_as=user.looks_as)
            self.set_status(403)
            self.finish(refused(t("write.looks_as")))
            return
        sent = Sent(self.pages.workspace, reader.viewer, t.locale, fields)
        try:
            entry = await asyncio.get_running_loop().run_in_executor(None, KINDS[kind].write, sent)
        except AccessDeniedError:
            self.pages.record.add("refused", user.signed_in.person, f"write {kind}")
            self.set_status(403)
            self.finish(refused(t("write.not_yours")))
        except (SpmError, ValueError) as error:
            what = error.what if isinstance(error, SpmError) else ""
            self.log.info("A form %s was not taken: %s", kind, what)
            self.set_status(400)
            self.finish(refused(t(f"write.check_{kind}" if t.has(f"write.check_{kind}") else "write.check")))
        else:
            self.pages.record.add("wrote", user.signed_in.person, kind, rep_id=entry.rep_id)
            done = t("write.undone" if kind == "undo" else "write.done")
            self.finish(said(t, done, undo=entry.id if KINDS[kind].undo else None))


class ChooseLanguage(Door):
    """Keeps the language that a viewer wants, and goes back to the page."""

    @allow_unauthenticated
    def get(self, locale: str) -> None:
        """Set the cookie; only own pages are gone back to."""
        if locale not in LOCALES:
            raise web.HTTPError(404)
        self.set_cookie(LANGUAGE, locale, expires_days=_YEAR, httponly=True, samesite="Strict", path="/")
        self.redirect(own_page(self.get_query_argument("to", "/")))
