"""Facts about each language that babel does not hold, and the bidirectional isolation of inserted text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from unicodedata import bidirectional

from babel import Locale

from spm_models.errors import TranslationError

Direction = Literal["ltr", "rtl"]

FSI, PDI, LRM, RLM = "\u2068", "\u2069", "\u200e", "\u200f"
#: Characters that steer direction. In text from data they could turn a whole sentence round, so they are dropped.
_STEERING = dict.fromkeys(
    [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)  # fmt: skip
ARABIC_INDIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


@dataclass(frozen=True)
class LocaleFacts:
    """What a language needs beside babel's data."""

    locale: str
    name: str  #: in the language itself
    direction: Direction
    digits: tuple[str, ...] = ("latn",)  #: numbering systems that its readers use; the first is the default
    percent_sign: str = "%"
    minus: str = "-"
    compact_money: str = "{symbol}{number}"  #: CLDR puts the lira sign last in short amounts and first in long ones


LOCALES: dict[str, LocaleFacts] = {
    "en": LocaleFacts("en", "English", "ltr"),
    "tr": LocaleFacts("tr", "Türkçe", "ltr"),
    "ar": LocaleFacts(
        "ar", "العربية", "rtl", ("latn", "arab"), "٪", f"{LRM}-", "{number}\u00a0{symbol}"
    ),  # the mark keeps a minus before its number
}  # fmt: skip


def facts(locale: str) -> LocaleFacts:
    """Facts about one of our languages."""
    if locale not in LOCALES:
        raise TranslationError("This language has no catalogue", found=locale, remedy=f"Use {', '.join(LOCALES)}.")
    return LOCALES[locale]


@lru_cache
def cldr(locale: str) -> Locale:
    """babel's data of one of our languages."""
    return Locale.parse(facts(locale).locale)


class Formatted(str):
    """Text that this room has formatted itself: it may keep its direction marks."""

    __slots__ = ()


class Clause(Formatted):
    """Part of a sentence in the reader's own language, put together here: it goes in as it is.

    An isolate around it would hide its direction: FIRST STRONG ISOLATE does not look into isolates inside, and a
    clause of nothing but inserted values would turn round.
    """

    __slots__ = ()


def isolate(text: str, direction: Direction) -> str:
    """Keep inserted text from turning the sentence round it, and the sentence from turning it.

    Wraps it in FIRST STRONG ISOLATE … POP DIRECTIONAL ISOLATE (Unicode Standard Annex 9) where the text could
    differ in direction from the sentence. Text from data loses its own direction characters first.

    Examples
    --------
    >>> isolate("Ayşe", "ltr"), isolate("Acme", "rtl") == FSI + "Acme" + PDI
    ('Ayşe', True)
    """
    if isinstance(text, Clause):
        return text
    clean = text if isinstance(text, Formatted) else text.translate(_STEERING)
    foreign = direction == "rtl" or any(bidirectional(char) in ("R", "AL", "AN") for char in clean)
    return f"{FSI}{clean}{PDI}" if foreign and clean else clean
