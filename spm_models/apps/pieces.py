"""Parts of a page that a notebook shows one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Pieces:
    """Parts of a page that a notebook shows one after the other: HTML, and widgets.

    Parameters
    ----------
    items : callable
        Makes them when they are shown.
    """

    items: Callable[[], Iterable[Any]]

    def _ipython_display_(self) -> None:
        from IPython.display import HTML, display

        for item in self.items():
            display(HTML(item) if isinstance(item, str) else item)  # type: ignore[no-untyped-call]
