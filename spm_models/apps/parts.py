"""Parts of a page as HTML: sections, tiles, tables, charts. Every text from data is escaped here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from math import isnan
from typing import TYPE_CHECKING
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup

from spm_models.reports.export import Column, csv_text
from spm_models.reports.parts import join, paragraph, table, tile, tiles
from spm_models.reports.stale import banner
from spm_models.translations import Translator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from spm_models.apps.session import Session

WIDE, NARROW = 600, 344  #: SVG units for which a chart of a page is drawn

__all__ = [
    "Column", "behind", "between", "cards", "chance", "csv_text", "download", "drawn", "figure", "go", "join", "lede",
    "legend", "paragraph", "section", "state", "table", "tile", "tiles", "top",
]  # fmt: skip


def section(name: str, title: str, *content: object, intro: str = "") -> Markup:
    """A landmark with a heading."""
    lead = Markup('<p class="intro">{}</p>').format(intro) if intro else ""
    return Markup(
        '<section id="{}" class="card" aria-labelledby="{}-title"><h2 id="{}-title">{}</h2>{}{}</section>'
    ).format(name, name, name, title, lead, join(content))


def between(low: str, high: str) -> Markup:
    """A range that breaks between its ends only."""
    return Markup("<span>{}</span> – <span>{}</span>").format(low, high)


def figure(name: str, alt: str, wide: str, narrow: str, *below: object) -> Markup:
    """A chart drawn for wide and for narrow windows, its words for those who do not see it, and what stands below.

    ``wide`` and ``narrow`` are SVG of ours, not text from data.
    """
    drawn = Markup('<div class="draw wide-draw" aria-hidden="true">{}</div>').format(Markup(wide))
    drawn += Markup('<div class="draw narrow-draw" aria-hidden="true">{}</div>').format(Markup(narrow))
    return Markup('<figure id="{}" class="chart"><div role="img" aria-label="{}">{}</div>{}</figure>').format(
        name, alt, drawn, join(below)
    )


def drawn(name: str, alt: str, draw: Callable[[int], Figure], *below: object) -> Markup:
    """A chart drawn for wide and for narrow windows, and what stands below it."""
    from spm_models.charts.style import inline_svg

    return figure(
        f"{name}-chart", alt, inline_svg(draw(WIDE), f"{name}-w"), inline_svg(draw(NARROW), f"{name}-n"), *below
    )


def legend(items: Iterable[tuple[str, str, str]]) -> Markup:
    """What the colours of a chart mean: (class of the swatch, word, value or "")."""
    rows = join(
        Markup('<li class="{}">{}{}</li>').format(
            swatch, word, Markup(": <b><bdi>{}</bdi></b>").format(value) if value else ""
        )
        for swatch, word, value in items
    )
    return Markup('<ul class="legend">{}</ul>').format(rows)


def behind(
    t: Translator, frame: pd.DataFrame, columns: Sequence[Column], caption: str, file: str, *, fold: str = ""
) -> Markup:
    """The table behind a chart, folded under a word of its own or a general one, with its download."""
    return Markup('<details data-print><summary>{}</summary>{}<p class="actions">{}</p></details>').format(
        fold or t("common.show_table"), table(frame, columns, caption), download(t, frame, columns, file)
    )


def download(t: Translator, frame: pd.DataFrame, columns: Sequence[Column], file: str) -> Markup:
    """A link that holds the table as a CSV file; nothing is asked of the server."""
    text = csv_text(frame, columns)
    return Markup('<a class="button quiet" download="{}.csv" href="data:text/csv;charset=utf-8,{}">{}</a>').format(
        file, quote("\ufeff" + text), t("common.download_csv")
    )


def top(session: Session, eyebrow: object, title: object, *content: object) -> Markup:
    """The head of a page: a warning where the data are too old, what it is about, and the finding in a sentence."""
    return Markup('{}<div class="hero"><p class="eyebrow">{}</p><h1>{}</h1>{}</div>').format(
        banner(session.reader.translator, session.stale), eyebrow, title, join(content)
    )


def lede(line: object) -> Markup:
    """What is said under the finding."""
    return Markup('<p class="lede">{}</p>').format(line)


def cards(*columns: Iterable[object]) -> Markup:
    """Sections of pages and reports one below the other, in one or two columns; what is empty leaves no gap."""
    made = [[part for part in column if part] for column in columns]
    made = [column for column in made if column]
    if not made:
        return Markup("")
    if len(made) == 1:
        return Markup('<div class="column said-in-reports">{}</div>').format(join(made[0]))
    inner = join(Markup('<div class="column said-in-reports">{}</div>').format(join(column)) for column in made)
    return Markup('<div class="page">{}</div>').format(inner)


def go(address: str, label: object) -> Markup:
    """Where more stands, one click down."""
    return Markup('<p class="more"><a href="{}">{}</a></p>').format(address, label)


def chance(t: Translator, probability: float, low: float, high: float) -> Markup:
    """A probability as a bar with its interval, and in words beside it."""
    if isnan(probability):
        return Markup('<span class="chance">{}</span>').format(t("common.not_enough_data"))
    known = not (isnan(low) or isnan(high))
    span = t("chance.between", low=t.percent(low), high=t.percent(high)) if known else ""
    whisker = (
        Markup('<i style="--from:{:.1f}%;--to:{:.1f}%"></i>').format(100 * low, 100 * high) if known else Markup("")
    )
    return Markup(
        '<span class="chance"><b><bdi>{}</bdi></b><span class="track" aria-hidden="true">'
        '<s style="--at:{:.1f}%"></s>{}</span><small><bdi>{}</bdi></small></span>'
    ).format(t.percent(probability), 100 * probability, whisker, span)


def state(title: str, *lines: str) -> Markup:
    """What stands where there is nothing to show, and why."""
    return Markup('<section class="state"><h1>{}</h1>{}</section>').format(
        title, join(Markup("<p>{}</p>").format(line) for line in lines)
    )
