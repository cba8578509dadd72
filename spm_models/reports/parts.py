"""Parts of a report as HTML: sections, tiles, tables, charts, bars. Every text from data is escaped here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import Markup, escape

from spm_models.reports.export import Column
from spm_models.translations import Translator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDE, NARROW = 640, 344


class Part(Markup):
    """A piece of HTML that a notebook shows as it is."""

    def _repr_html_(self) -> str:
        return str(self)


def join(pieces: Iterable[object]) -> Markup:
    """Escaped pieces one after the other; what is Markup already stays as it is."""
    return Markup("").join(escape(piece) for piece in pieces)


def paragraph(text: object, css: str = "") -> Markup:
    """One paragraph."""
    return Markup('<p class="{}">{}</p>').format(css, text) if css else Markup("<p>{}</p>").format(text)


def heading(eyebrow: object, title: object, note: object = "") -> Part:
    """What a report is about, and of when."""
    below = paragraph(note, "note") if note else ""
    return Part(Markup('<header><p class="eyebrow">{}</p><h1>{}</h1>{}</header>').format(eyebrow, title, below))


def section(name: str, title: object, *content: object, intro: object = "") -> Part:
    """A landmark with a heading."""
    lead = paragraph(intro, "intro") if intro else ""
    return Part(
        Markup('<section id="{}" aria-labelledby="{}-title"><h2 id="{}-title">{}</h2>{}{}</section>').format(
            name, name, name, title, lead, join(content)
        )
    )


def tile(label: object, value: object, note: object = "", *, tone: str = "") -> Markup:
    """One figure with its name; the note says what it is compared with."""
    below = Markup("<small>{}</small>").format(note) if note else ""
    return Markup('<div class="tile {}"><dt>{}</dt><dd><strong><bdi>{}</bdi></strong>{}</dd></div>').format(
        tone, label, value, below
    )


def tiles(items: Iterable[Markup]) -> Markup:
    """Tiles side by side."""
    return Markup('<dl class="tiles">{}</dl>').format(join(items))


def bullets(items: Iterable[object], css: str = "plain") -> Markup:
    """A list."""
    return Markup('<ul class="{}">{}</ul>').format(css, join(Markup("<li>{}</li>").format(item) for item in items))


def chart(name: str, title: str, description: str, draw: Callable[[int], Figure], *below: object) -> Markup:
    """A chart drawn for wide and for narrow windows, with a title and a description for those who do not see it."""
    drawn = join(
        Markup('<div class="{}-draw">{}</div>').format(
            css, _described(draw(width), f"{name}-{css}", title, description)
        )
        for css, width in (("wide", WIDE), ("narrow", NARROW))
    )
    return Markup('<figure class="chart">{}{}</figure>').format(drawn, join(below))


def _described(figure: Figure, name: str, title: str, description: str) -> Markup:
    from spm_models.charts.style import inline_svg

    svg = inline_svg(figure, name)
    opened = Markup('<svg role="img" aria-labelledby="{}-t {}-d"').format(name, name)
    words = Markup('<title id="{}-t">{}</title><desc id="{}-d">{}</desc>').format(name, title, name, description)
    head, rest = svg.split(">", 1)
    return Markup(head.replace("<svg", str(opened), 1) + ">" + str(words) + rest)


def legend(items: Iterable[tuple[str, object]]) -> Markup:
    """What the colours of a chart mean: (class of the swatch, word)."""
    return Markup('<ul class="legend">{}</ul>').format(
        join(Markup('<li class="{}">{}</li>').format(swatch, word) for swatch, word in items)
    )


def table(frame: pd.DataFrame, columns: Sequence[Column], caption: str) -> Markup:
    """A table with a caption; the first column names the row. It scrolls in itself when the window is narrow."""
    heads = join(
        Markup('<th scope="col"{}>{}</th>').format(Markup(' class="number"') if c.number else "", c.label)
        for c in columns
    )
    values = [[c.text(value) for value in frame[c.name]] for c in columns]
    rows = join(Markup("<tr>{}</tr>").format(join(_cells(row, columns))) for row in zip(*values, strict=True))
    return Markup(
        '<div class="scroll" role="region" aria-label="{}" tabindex="0"><table><caption>{}</caption>'
        "<thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>"
    ).format(caption, caption, heads, rows)


def _cells(row: Sequence[str], columns: Sequence[Column]) -> Iterable[Markup]:
    yield Markup('<th scope="row"><bdi>{}</bdi></th>').format(row[0])
    for text, column in zip(row[1:], columns[1:], strict=True):
        css = Markup(' class="number"') if column.number else ""
        yield Markup("<td{}><bdi>{}</bdi></td>").format(css, text)


def folded(t: Translator, frame: pd.DataFrame, columns: Sequence[Column], caption: str) -> Markup:
    """A table that opens on demand."""
    return Markup("<details><summary>{}</summary>{}</details>").format(
        t("common.show_table"), table(frame, columns, caption)
    )


def chance_bar(t: Translator, name: str, probability: float, low: float, high: float) -> Markup:
    """A probability as a bar with its interval as a thin line, and in figures beside it."""
    if probability != probability:
        return paragraph(t("common.not_enough_data"), "chance")
    known = low == low and high == high
    span = t("chance.between", low=t.percent(low), high=t.percent(high)) if known else ""
    whisker = (
        Markup(
            '<rect x="{:.1f}" y="4.25" width="{:.1f}" height="1.5" style="fill: var(--chart-range, #22313f)"/>'
        ).format(100 * low, 100 * (high - low))
        if known
        else ""
    )
    flipped = Markup(' transform="translate(100 0) scale(-1 1)"') if t.direction == "rtl" else ""
    bar = Markup(
        '<svg class="bar" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}: {}"><g{}>'
        '<rect width="100" height="10" style="fill: var(--chart-line, #d9e0e6)"/>'
        '<rect width="{:.1f}" height="10" style="fill: var(--chart-open, #4f9fb6)"/>{}</g></svg>'
    ).format(name, t.percent(probability), flipped, 100 * probability, whisker)
    below = Markup("<small>{}: <bdi>{}</bdi></small>").format(t("common.range80"), span) if span else ""
    return Markup('<p class="chance"><b><bdi>{}</bdi></b> {}{}{}</p>').format(
        t.percent(probability), Markup("<span>{}</span>").format(name), bar, below
    )
