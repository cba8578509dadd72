"""Who asks: the person of a proxy's signed token, or of a local account's session. There is no other way."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from tornado import web

from spm_models.access import Viewer
from spm_models.apps.accounts import Accounts
from spm_models.apps.proxy import ProxyTokens

COOKIE, AS_COOKIE = "spm-session", "spm-as"
AS_SECONDS = 3600


@dataclass(frozen=True)
class SignedIn:
    """A person whom somebody we trust signed in.

    Parameters
    ----------
    person : str
        As the sign-in names him.
    session : str
        Name of what lets him in; when it ends, his kernels end.
    ends_at : float
        Seconds since 1970.
    """

    person: str
    session: str
    ends_at: float


class SignIn(Protocol):
    """A way to be known."""

    form: bool  #: whether login and password are asked for

    def find(self, handler: web.RequestHandler) -> SignedIn | None:
        """Who sent a request; None: nobody we know."""

    def lasts(self, signed_in: SignedIn) -> bool:
        """Whether what let him in has not ended since."""

    def end(self, handler: web.RequestHandler) -> str:
        """End what let him in; an address to go on to, or nothing."""


class AccountSignIn:
    """Sessions of local accounts, by a cookie; one is also opened by the address that a terminal here shows once."""

    form = True

    def __init__(self, accounts: Accounts, *, secure: bool = False) -> None:
        self.accounts, self.secure = accounts, secure
        #: there is somebody who could fill in the form
        self.form = any(account.usable for account in accounts.listed())

    def find(self, handler: web.RequestHandler) -> SignedIn | None:
        """Whose session the cookie names."""
        number = handler.get_cookie(COOKIE)
        found = self.accounts.session(number) if number else None
        return SignedIn(found.person, found.name, found.ends_at) if found else None

    def lasts(self, signed_in: SignedIn) -> bool:
        """Whether nobody signed out, disabled the account, or let time pass."""
        return self.accounts.named(signed_in.session) is not None

    def begin(self, handler: web.RequestHandler, number: str) -> None:
        """Give the browser the session's cookie; another one that it brought is worth nothing from now on."""
        if earlier := handler.get_cookie(COOKIE):
            self.accounts.close(earlier)
        handler.set_cookie(COOKIE, number, httponly=True, samesite="Strict", secure=self.secure, path="/")

    def end(self, handler: web.RequestHandler) -> str:
        """Sign out."""
        if number := handler.get_cookie(COOKIE):
            self.accounts.close(number)
        handler.clear_cookie(COOKIE, path="/")
        return "/"


class ProxySignIn:
    """The signed token that a proxy adds to every request."""

    form = False

    def __init__(self, tokens: ProxyTokens, sign_out: str, clock: Callable[[], float] = time.time) -> None:
        self.tokens, self.sign_out, self.clock = tokens, sign_out, clock

    def find(self, handler: web.RequestHandler) -> SignedIn | None:
        """Whom the token names."""
        found = self.tokens.read(handler.request.headers.get_list(self.tokens.header))
        return SignedIn(found.person, f"token of {found.person}", found.ends_at) if found else None

    def lasts(self, signed_in: SignedIn) -> bool:
        """Whether the token has not expired."""
        return self.clock() < signed_in.ends_at

    def end(self, handler: web.RequestHandler) -> str:
        """The proxy's own session ends at the proxy."""
        return self.sign_out


@dataclass
class OneTimeAddress:
    """A token that whoever started the server sees on his terminal; it opens one session and is void.

    Examples
    --------
    >>> address = OneTimeAddress("boss")
    >>> address.redeem("guessed"), address.redeem(address.token), address.redeem(address.token)
    (False, True, False)
    """

    person: str
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _used: bool = False

    def redeem(self, token: str) -> bool:
        """Whether this is the token, for the first time."""
        right = secrets.compare_digest(token.encode(), self.token.encode())
        if self._used or not right:
            return False
        self._used = True
        return True


@dataclass
class ViewAs:
    """Which administrator looks with whose eyes; forgotten when the server ends.

    Examples
    --------
    >>> now = [0.0]
    >>> eyes = ViewAs(clock=lambda: now[0])
    >>> number = eyes.begin("boss", "r1")
    >>> eyes.person(number, "boss"), eyes.person(number, "r2"), eyes.person("guessed", "boss")
    ('r1', None, None)
    >>> now[0] = AS_SECONDS; eyes.person(number, "boss") is None
    True
    """

    clock: Callable[[], float] = time.monotonic
    _open: dict[str, tuple[str, str, float]] = field(default_factory=dict, repr=False)

    def begin(self, administrator: str, person: str) -> str:
        """Look as a person from now on; returns the number for the cookie."""
        number = secrets.token_urlsafe(32)
        self._open[number] = (administrator, person, self.clock() + AS_SECONDS)
        return number

    def person(self, number: str | None, administrator: str) -> str | None:
        """Whose eyes this administrator has; None: his own."""
        known, person, ends = self._open.get(number or "", ("", "", 0.0))
        return person if known == administrator and self.clock() < ends else None

    def end(self, number: str | None) -> None:
        """Look with one's own eyes again."""
        self._open.pop(number or "", None)


@dataclass
class PageUser(User):
    """A signed-in person, the viewer whose figures he sees, and what let him in."""

    viewer: Viewer = field(kw_only=True)
    signed_in: SignedIn = field(kw_only=True)

    @property
    def looks_as(self) -> str:
        """Whose eyes an administrator has; empty: his own."""
        return self.viewer.id if self.viewer.id != self.signed_in.person else ""


class PageIdentity(IdentityProvider):
    """Knows a request by what the server's one way to sign in says, and by nothing else in it."""

    async def get_user(self, handler: web.RequestHandler) -> User:
        """The person who sent a request; from nobody it ends with 403."""
        user = self.user_of(handler)
        if user is None:
            # Jupyter's own error page asks for the user, who must then be known to be nobody.
            handler.current_user = None
            handler._jupyter_current_user = None  # type: ignore[attr-defined]
            raise web.HTTPError(403)
        return user

    def user_of(self, handler: web.RequestHandler) -> PageUser | None:
        """The same, or None."""
        server: Any = self.parent
        signed_in: SignedIn | None = server.sign_in.find(handler)
        if signed_in is None:
            return None
        eyes = server.view_as.person(handler.get_cookie(AS_COOKIE), signed_in.person)
        name = f"{signed_in.person} as {eyes}" if eyes else signed_in.person
        return PageUser(name, viewer=server.viewer_called(eyes or signed_in.person), signed_in=signed_in)

    def get_handlers(self) -> list[tuple[str, object]]:
        """No login form and no logout of Jupyter's."""
        return []


class OwnerOnly(Authorizer):
    """Denies everything but one's own kernels."""

    async def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        """Whether this user started the kernel that the request is about."""
        kernel_id = handler.path_kwargs.get("kernel_id", "")
        if resource != "kernels" or action not in ("read", "execute") or not kernel_id:
            return False
        owner = handler.kernel_manager.owners.get(kernel_id)
        return owner is not None and owner.username == user.username
