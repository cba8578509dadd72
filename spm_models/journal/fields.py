"""Fields of what people write: clean texts, single lines, exact amounts."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

#: Direction overrides and isolates can make a text look like another one; plain marks (LRM, RLM) are ordinary Arabic.
_STEERING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean_text(text: str) -> str:
    """One spelling of a text (NFC, plain line ends, no blank edges); refuses what has no business in one."""
    plain = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    for char in plain:
        if char in _STEERING or (unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"):
            raise ValueError(f"character U+{ord(char):04X} is not allowed")
    return plain


def one_line(text: str) -> str:
    """A clean text without line breaks or tabs."""
    if any(char in text for char in "\n\t"):
        raise ValueError("line breaks are not allowed")
    return text


def _no_float(value: object) -> object:
    if isinstance(value, float | bool):
        raise ValueError("an amount is given as text or a decimal, never as a float")
    return value


Text = Annotated[str, AfterValidator(clean_text), Field(min_length=1, max_length=4000)]
Line = Annotated[str, AfterValidator(clean_text), AfterValidator(one_line), Field(min_length=1, max_length=200)]
Amount = Annotated[Decimal, BeforeValidator(_no_float), Field(max_digits=18, decimal_places=4, allow_inf_nan=False)]


class Body(BaseModel):
    """Nothing but its fields, and nobody changes it."""

    model_config = ConfigDict(extra="forbid", frozen=True)
