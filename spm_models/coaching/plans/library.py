"""The coaching library: what helps with what, as exercises, questions and texts in the company's languages.

It is kept in ``templates/coaching``: one TOML file an item, and ``remedies.toml`` with the order in which remedies are
tried for a signal and a cause. A company may keep its own files in a folder of its workspace: an item of the same name
replaces ours, its rules come before ours.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from spm_models.errors import SpmError
from spm_models.shipped import shipped

FOLDER = "templates/coaching"
OWN_FOLDER = "coaching"  #: of a workspace
RULES = "remedies.toml"
REMEDIES = ("learning", "role_play", "call_review", "shadowing", "mentoring", "deal_review", "time_blocks", "talk",
            "focus_deals", "fewer_deals", "target_update", "territory_review")  # fmt: skip
CAUSES = ("knowledge", "motivation", "direction", "context", "")
Remedy = Literal[
    "learning", "role_play", "call_review", "shadowing", "mentoring", "deal_review", "time_blocks", "talk",
    "focus_deals", "fewer_deals", "target_update", "territory_review",
]  # fmt: skip


_Kind = TypeVar("_Kind", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    """An item in one language."""

    title: str = Field(min_length=1, max_length=90)
    text: str = Field(min_length=1, max_length=900)
    question: str = Field(min_length=1, max_length=250)
    exercise: str = Field(min_length=1, max_length=500)


class Item(_Part):
    """One thing to learn or practise: ``stages`` empty means any, ``skill`` as coaching sessions name it."""

    signals: tuple[str, ...] = Field(min_length=1)
    stages: tuple[str, ...] = ()
    skill: str
    minutes: int = Field(gt=0, le=480)
    en: Words
    tr: Words | None = None
    ar: Words | None = None

    def words(self, locale: str) -> Words:
        """The item in a language; in English where a company wrote nothing else."""
        found: Words | None = getattr(self, locale, None)
        return found or self.en


class Rule(_Part):
    """Remedies in the order in which they are tried; an empty tuple of signals or causes means any."""

    signals: tuple[str, ...] = ()
    causes: tuple[Literal["knowledge", "motivation", "direction", "context", ""], ...] = ()
    remedies: tuple[Remedy, ...] = Field(min_length=1)


class _Rules(_Part):
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Library:
    """Items by name, and rules of which the first that fits holds."""

    items: Mapping[str, Item]
    rules: tuple[Rule, ...]

    def remedies(self, signal: str, cause: str) -> tuple[str, ...]:
        """What to try, best first.

        Examples
        --------
        >>> read_library().remedies("stage_conversion", "knowledge")[:2]
        ('role_play', 'mentoring')
        """
        for rule in self.rules:
            if (not rule.signals or signal in rule.signals) and (not rule.causes or cause in rule.causes):
                return rule.remedies
        return ()

    def item(self, signal: str, part: str = "") -> str:
        """Name of the item for a signal: the one about its stage where there is one; empty without any.

        Examples
        --------
        >>> read_library().item("stage_conversion", "Proposal"), read_library().item("follow_up")
        ('proposal', 'follow_up')
        """
        fitting = [name for name in sorted(self.items) if signal in self.items[name].signals]
        stage = part.casefold().strip()
        about = [name for name in fitting if stage and stage in map(str.casefold, self.items[name].stages)]
        general = [name for name in fitting if not self.items[name].stages]
        chosen = about or general
        # the item that is about nothing else comes first
        return min(chosen, key=lambda name: (len(self.items[name].signals), name)) if chosen else ""


def read_library(own: Path | None = None) -> Library:
    """The shipped library with a company's own files over it.

    Parameters
    ----------
    own : Path, optional
        A company's folder, such as ``workspace.root / OWN_FOLDER``; one that does not exist adds nothing.

    Raises
    ------
    SpmError
        When a file does not hold what it should.
    """
    folders = [shipped(FOLDER)]
    if own is not None and own.is_dir():
        folders.append(own)
    items: dict[str, Item] = {}
    rules: tuple[Rule, ...] = ()
    for folder in folders:
        for path in sorted(folder.glob("*.toml")):
            if path.name == RULES:
                rules = (*_read(path, _Rules).rules, *rules)
            else:
                items[path.stem] = _read(path, Item)
    return Library(items, rules)


def _read(path: Path, kind: type[_Kind]) -> _Kind:
    try:
        return kind.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise SpmError(
            "A file of the coaching library cannot be read", where=str(path), found=str(error).replace("\n", " "),
            remedy="Write it as those in templates/coaching: signals, skill, minutes, [en] title, text, question, "
            "exercise; in remedies.toml [[rules]] with signals, causes, remedies.",
        ) from error  # fmt: skip
