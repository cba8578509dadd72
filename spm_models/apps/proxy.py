"""A viewer who was signed in by a proxy before us: a signed token in one header, checked with each request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt

from spm_models.errors import PageError
from spm_models.workspace import Workspace

#: Signatures by a key that only the proxy has. None with a shared secret: whoever can check it could also sign.
ALGORITHMS = ["EdDSA", "ES256", "RS256"]
LEEWAY_SECONDS = 30
_REQUIRED = ["exp", "iat", "sub", "aud", "iss"]
_LONGEST = 16 * 1024


@dataclass(frozen=True)
class Token:
    """What a valid token says: who asks, and until when (seconds since 1970)."""

    person: str
    ends_at: float


class ProxyTokens:
    """Reads tokens by what ``[pages.proxy]`` of spm.toml says.

    Parameters
    ----------
    workspace : Workspace
        The key file may be named from its folder.

    Raises
    ------
    PageError
        When the key cannot be read, or something that must be checked is not stated.
    """

    def __init__(self, workspace: Workspace) -> None:
        settings, root = workspace.settings.pages.proxy, workspace.root
        self.header, self._settings = settings.header, settings
        where = f"{root / 'spm.toml'} [pages.proxy]"
        stated = {name: getattr(settings, name) for name in ("key_file", "issuer", "audience")}
        stated["host (in [pages])"] = workspace.settings.pages.host
        if missing := [name for name, value in stated.items() if not value]:
            raise PageError("Something that must be checked is not stated", where=where, found=", ".join(missing),
                            remedy="Name it; docs/access.md has an example.")  # fmt: skip
        try:
            self._key = (root / settings.key_file).read_bytes()
        except OSError as error:
            raise PageError("The proxy's public key cannot be read", where=where, found=str(error),
                            remedy="Write the path of its PEM file into key_file.") from error  # fmt: skip
        if b"PRIVATE" in self._key or b"BEGIN" not in self._key:
            raise PageError("This is no public key", where=where, found=settings.key_file,
                            remedy="Give the public half as PEM; the private one stays with the proxy.")  # fmt: skip

    def read(self, values: list[str]) -> Token | None:
        """What the header says; None for anything that is not exactly one valid token.

        Parameters
        ----------
        values : list of str
            Every value of the header, as often as it came.
        """
        if len(values) != 1 or "," in values[0] or len(values[0]) > _LONGEST:
            return None
        try:
            claims: dict[str, Any] = jwt.decode(
                values[0].removeprefix("Bearer ").strip(), self._key, algorithms=ALGORITHMS, leeway=LEEWAY_SECONDS,
                audience=self._settings.audience, issuer=self._settings.issuer, options={"require": _REQUIRED},
            )  # fmt: skip
        except (jwt.PyJWTError, ValueError, TypeError):  # a key of another kind than the token says, odd claims
            return None
        person = claims.get(self._settings.claim)
        if not isinstance(person, str) or not person.strip():
            return None
        return Token(person.strip(), float(claims["exp"]) + LEEWAY_SECONDS)
