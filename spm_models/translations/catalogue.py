"""Reading the message catalogues: dotted keys, plural forms, named placeholders."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any

from spm_models.errors import TranslationError
from spm_models.translations.locales import facts

#: Plural categories of the CLDR; a table with these keys only is one message with several forms.
PLURALS = ("zero", "one", "two", "few", "many", "other")
Pieces = tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Message:
    """One message: its forms by plural category (``other`` only, without plurals), cut into text and placeholders."""

    forms: dict[str, Pieces]
    plural: bool

    @property
    def placeholders(self) -> frozenset[str]:
        """Names that must be given. A plural message is chosen by ``n``, whether a form shows it or not."""
        named = {name for pieces in self.forms.values() for _, name in pieces if name is not None}
        return frozenset(named | {"n"} if self.plural else named)


@lru_cache
def catalogue(locale: str) -> dict[str, Message]:
    """All messages of one language by dotted key.

    Raises
    ------
    TranslationError
        When the language is unknown or a message cannot be read.

    Examples
    --------
    >>> catalogue("en")["common.days"].placeholders
    frozenset({'n'})
    """
    folder = files("spm_models.translations").joinpath(facts(locale).locale)
    found: dict[str, Message] = {}
    for file in sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name):
        name = f"{folder.name}/{file.name}"
        try:
            raw = tomllib.loads(file.read_text(encoding="utf-8"))
        except tomllib.TOMLDecodeError as error:
            raise TranslationError(
                "A catalogue is not valid TOML", where=name, found=str(error), remedy="Mend that line."
            ) from error
        messages = dict(_messages(raw, "", name))
        if twice := sorted(found.keys() & messages):
            raise TranslationError(
                "A message stands in two files", where=name, found=twice[0], remedy="Keep it in the file of its room."
            )
        found |= messages
    return found


def keys(prefix: str = "") -> list[str]:
    """Dotted keys that begin with ``prefix``, sorted (the catalogues have the same keys; a test holds them to it)."""
    return sorted(key for key in catalogue("en") if key.startswith(prefix))


def _messages(table: dict[str, Any], path: str, file: str) -> Iterator[tuple[str, Message]]:
    for name, value in table.items():
        key = f"{path}.{name}" if path else name
        if isinstance(value, str):
            yield key, Message({"other": _pieces(value, key, file)}, plural=False)
        elif isinstance(value, dict) and "other" in value and set(value) <= set(PLURALS):
            yield key, Message({form: _pieces(text, key, file) for form, text in value.items()}, plural=True)
        elif isinstance(value, dict):
            yield from _messages(value, key, file)
        else:
            raise TranslationError(
                "A message must be text or a table of plural forms", where=f"{file} [{key}]", found=value,
                remedy='Write key = "text".',
            )  # fmt: skip


def _pieces(text: str, key: str, file: str) -> Pieces:
    try:
        parsed = list(Formatter().parse(text))
    except ValueError as error:
        parsed = [("", "", str(error), None)]
    if any(
        name is not None and (spec or conversion or not name.isidentifier()) for _, name, spec, conversion in parsed
    ):
        raise TranslationError(
            "A placeholder is a plain name in braces", where=f"{file} [{key}]", found=text,
            remedy="Write {name}; the program formats numbers and dates before they come here.",
        )  # fmt: skip
    return tuple((literal, name) for literal, name, _, _ in parsed)
