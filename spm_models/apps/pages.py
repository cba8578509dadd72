"""Which pages there are, in the order of the navigation, who may open each, and how one is addressed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlencode

from spm_models.access.viewer import Role
from spm_models.errors import PageError
from spm_models.settings import Settings

ALL: frozenset[Role] = frozenset(get_args(Role))
LEADS: frozenset[Role] = frozenset({"manager", "executive"})
#: What an address may ask for. A wish, never a right: each page looks it up within the viewer's scope.
ASKED = ("rep", "deal", "unit", "period", "view", "kpi", "grain", "stage", "page")
_LONGEST = 200


@dataclass(frozen=True)
class PageKind:
    """One page.

    Parameters
    ----------
    name : str
        Of its notebook; with dashes, of its address.
    roles : frozenset of str
        Who may open it.
    optional : bool
        Nobody sees it until the company turns it on.
    live : bool
        It holds widgets: their front end is fetched while the page is still being made.
    """

    name: str
    roles: frozenset[Role]
    optional: bool = False
    live: bool = False

    @property
    def slug(self) -> str:
        """Its name in an address."""
        return self.name.replace("_", "-")


PAGES = (
    PageKind("home", ALL),
    PageKind("my_team", frozenset({"manager"})),
    PageKind("my_performance", frozenset({"rep"})),
    PageKind("deals", ALL),
    PageKind("revenue_outlook", ALL, live=True),
    PageKind("pipeline_health", ALL),
    PageKind("coaching", LEADS),
    PageKind("company", frozenset({"executive", "analyst"})),
    PageKind("data_health", frozenset({"analyst", "executive"})),
    PageKind("leaderboard", ALL, optional=True),
)
_BY_SLUG = {page.slug: page for page in PAGES}


def open_to(role: Role, slugs: Iterable[str], turned_on: Iterable[str] = ()) -> list[str]:
    """Those of the served pages that a role may open, in the order of the navigation.

    A page that is not in :data:`PAGES` (a company's own notebook) is open to all and stands last.

    Examples
    --------
    >>> open_to("rep", ["deals", "company", "my-performance", "our-own"])
    ['my-performance', 'deals', 'our-own']
    """
    served, on = list(slugs), set(turned_on)
    known = [
        page.slug for page in PAGES
        if page.slug in served and role in page.roles and (not page.optional or page.slug in on)
    ]  # fmt: skip
    return known + [slug for slug in served if slug not in _BY_SLUG]


def turned_on(settings: Settings) -> list[str]:
    """The optional pages that a company wants."""
    team = settings.team
    return ["leaderboard"] if team.leaderboard or team.badges or team.board else []


def is_live(slug: str) -> bool:
    """Whether a page holds widgets; of a company's own page it shows only when it is there."""
    return slug in _BY_SLUG and _BY_SLUG[slug].live


def link(slug: str, **asked: str) -> str:
    """Address of a page, and of what it is to show.

    Raises
    ------
    PageError
        When no page can be asked for this.

    Examples
    --------
    >>> link("coaching", rep="R0010"), link("deals")
    ('/pages/coaching?rep=R0010', '/pages/deals')
    """
    if unknown := sorted(set(asked) - set(ASKED)):
        raise PageError("No page can be asked for this", where=slug, found=", ".join(unknown), remedy=f"Use {ASKED}.")
    wished = {name: value for name, value in asked.items() if value}
    return f"/pages/{slug}" + (f"?{urlencode(wished)}" if wished else "")


def asked_of(given: Mapping[str, str]) -> dict[str, str]:
    """What an address asks for: known names only, short, nothing that is not a sign of a text.

    Examples
    --------
    >>> asked_of({"rep": " R0010 ", "theme": "dark", "deal": "x" * 999})
    {'rep': 'R0010'}
    """
    wished = {name: given[name].strip() for name in ASKED if name in given}
    return {name: value for name, value in wished.items() if 0 < len(value) <= _LONGEST and _plain(value)}


def _plain(text: str) -> bool:
    return not any(unicodedata.category(sign).startswith("C") for sign in text)
