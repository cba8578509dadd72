"""The doors of the page server: sign in, sign out, the address that works once, and an administrator's other eyes."""

from __future__ import annotations

import asyncio
import math
from typing import Any

from jupyter_server.auth.decorator import allow_unauthenticated
from tornado import web

from spm_models.apps.accounts import TooManyAttemptsError
from spm_models.apps.handlers import Door, Page, own_page
from spm_models.apps.identity import AS_COOKIE, AccountSignIn, PageUser
from spm_models.errors import SpmError


class AccountDoor(Door):
    """A door that leads to a session of a local account."""

    @property
    def accounts(self) -> AccountSignIn:
        """The local accounts; behind a proxy there is no such door."""
        if not isinstance(self.pages.sign_in, AccountSignIn):
            raise web.HTTPError(404)
        found: AccountSignIn = self.pages.sign_in
        return found


class Enter(AccountDoor):
    """Turns the one-time address into a session."""

    @allow_unauthenticated
    def get(self, token: str) -> None:
        """Open a session and go on to the pages.

        The page forwards by itself instead of redirecting: after a redirect from elsewhere a browser would
        hold the SameSite=Strict cookie back.
        """
        door, address = self.accounts, self.pages.address
        if address is None or not address.redeem(token):
            raise web.HTTPError(403)
        door.begin(self, door.accounts.open_session(address.person))
        self.pages.record.add("signed in", address.person, "one-time address")
        self.finish(self.words.entry_page())


class SignInForm(AccountDoor):
    """Takes login and password."""

    @allow_unauthenticated
    async def post(self) -> None:
        """Open a session, or say that the two do not belong together, and not which is wrong."""
        door, loop = self.accounts, asyncio.get_running_loop()
        login, password = (
            self.get_body_argument("login", "").strip(),
            self.get_body_argument("password", "", strip=False),
        )
        to = own_page(self.get_body_argument("to", ""))
        try:
            number = await loop.run_in_executor(None, door.accounts.sign_in, login, password, self.address)
        except TooManyAttemptsError as error:
            self.pages.record.add("not signed in", login, f"too many attempts from {self.address}")
            self.set_status(429)
            self.set_header("Retry-After", str(math.ceil(error.seconds)))
            self.finish(self.sign_in_page(to, problem="too_many", minutes=math.ceil(error.seconds / 60)))
            return
        if number is None:
            self.pages.record.add("not signed in", login, self.address)
            self.set_status(403)
            self.finish(self.sign_in_page(to, problem="wrong"))
            return
        door.begin(self, number)
        found = door.accounts.session(number)
        self.pages.record.add("signed in", found.person if found else login, self.address)
        self.redirect(to, status=303)

    @property
    def address(self) -> str:
        """Where the request comes from; behind a proxy of this machine, the last address that it added."""
        forwarded = self.request.headers.get_list("X-Forwarded-For") if self.pages.workspace.settings.pages.host else []
        return (forwarded[-1].split(",")[-1].strip() if forwarded else "")[:60] or str(self.request.remote_ip)


class SignOut(Page):
    """Ends what let somebody in, and his kernels with it."""

    @web.authenticated
    async def post(self) -> None:
        """Sign out."""
        user: PageUser = self.current_user
        self.pages.view_as.end(self.get_cookie(AS_COOKIE))
        self.clear_cookie(AS_COOKIE, path="/")
        to = self.pages.sign_in.end(self)
        self.pages.record.add("signed out", user.signed_in.person)
        kernels: Any = self.kernel_manager  # a ViewerKernels
        await kernels.end_where(lambda signed_in: signed_in.session == user.signed_in.session)
        self.redirect(to or "/", status=303)


class LookAs(Page):
    """Lets an administrator see the pages as somebody else does; he can write nothing meanwhile."""

    @web.authenticated
    async def post(self) -> None:
        """Begin, or with no person named, end."""
        user: PageUser = self.current_user
        administrator, number = user.signed_in.person, self.get_cookie(AS_COOKIE)
        wished = self.get_body_argument("person", "").strip()
        if not self.pages.is_administrator(administrator):
            self.pages.record.add("refused", administrator, "looks as", looks_as=wished)
            raise web.HTTPError(403)
        self.pages.view_as.end(number)
        self.clear_cookie(AS_COOKIE, path="/")
        if wished:
            try:
                reader = self.pages.reader_of(self.pages.viewer_called(wished))
            except SpmError as error:
                raise web.HTTPError(404) from error
            begun = self.pages.view_as.begin(administrator, reader.viewer.id)
            self.set_cookie(AS_COOKIE, begun, httponly=True, samesite="Strict", path="/", secure=self.pages.secure)
        elif number is None:
            raise web.HTTPError(404)
        self.pages.record.add(
            "looks as" if wished else "looks himself", administrator, looks_as=wished or user.looks_as
        )
        self.redirect("/", status=303)
