"""Who may open the pages: whoever holds the one-time address, and after that the session it opened."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from tornado import web

SESSION_SECONDS = 12 * 3600
COOKIE = "spm-session"


@dataclass
class OneTimeAccess:
    """A token that opens one session, and the sessions that it opened; both die with the server.

    Parameters
    ----------
    viewer : str
        Id of the person the sessions are for.
    clock : callable
        Seconds on a clock that only goes forward.

    Examples
    --------
    >>> access = OneTimeAccess("boss")
    >>> session = access.redeem(access.token)
    >>> access.redeem(access.token) is None  # works once
    True
    >>> access.viewer_of(session), access.viewer_of("guessed")
    ('boss', None)
    """

    viewer: str
    clock: Callable[[], float] = time.monotonic
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    _used: bool = False
    _sessions: dict[str, float] = field(default_factory=dict, repr=False)

    def redeem(self, token: str) -> str | None:
        """Turn the token into a session; None when it is wrong or was used before."""
        right = secrets.compare_digest(token.encode(), self.token.encode())
        if self._used or not right:
            return None
        self._used = True
        session = secrets.token_urlsafe(32)
        self._sessions[session] = self.clock() + SESSION_SECONDS
        return session

    def viewer_of(self, session: str) -> str | None:
        """Who a session belongs to; None when it is unknown or has ended."""
        ends = self._sessions.get(session)
        if ends is None:
            return None
        if self.clock() >= ends:
            self.close(session)
            return None
        return self.viewer

    def close(self, session: str) -> None:
        """End a session."""
        self._sessions.pop(session, None)


class SessionIdentity(IdentityProvider):
    """Knows a request by its session cookie and by nothing else: no token, header or query string counts."""

    @property
    def access(self) -> OneTimeAccess:
        """Sessions of this server."""
        server: Any = self.parent
        access: OneTimeAccess = server.access
        return access

    async def get_user(self, handler: web.RequestHandler) -> User:
        """The viewer of the request's session; without one the request ends with 403."""
        viewer = self.viewer_of(handler)
        if viewer is None:
            # Jupyter's own error page asks for the user, who must then be known to be nobody.
            handler.current_user = None
            handler._jupyter_current_user = None  # type: ignore[attr-defined]
            raise web.HTTPError(403)
        return User(username=viewer)

    def viewer_of(self, handler: web.RequestHandler) -> str | None:
        """Id of the viewer of a request, from its signed cookie."""
        cookie = handler.get_signed_cookie(COOKIE, max_age_days=1)
        return self.access.viewer_of(cookie.decode()) if cookie else None

    def open_session(self, handler: web.RequestHandler, session: str) -> None:
        """Give the browser the session's cookie."""
        handler.set_signed_cookie(COOKIE, session, expires_days=None, httponly=True, samesite="Strict", path="/")

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
        return owner is not None and owner == user.username
