"""Parts of a page as HTML: sections, tiles, tables, charts. Every text from data is escaped here."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import isnan
from typing import Any
from urllib.parse import quote

import pandas as pd
from markupsafe import Markup, escape

from spm_models.translations import Translator

_RISKY = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Column:
    """One column of a table: where its values are, what it is called, how they read."""

    name: str
    label: str
    text: Callable[[Any], str] = str
    number: bool = False


def join(pieces: Iterable[object]) -> Markup:
    """Escaped pieces one after the other; what is Markup already stays as it is."""
    return Markup("").join(escape(piece) for piece in pieces)


def section(name: str, title: str, *content: object, intro: str = "") -> Markup:
    """A landmark with a heading."""
    lead = Markup('<p class="intro">{}</p>').format(intro) if intro else ""
    return Markup(
        '<section id="{}" class="card" aria-labelledby="{}-title"><h2 id="{}-title">{}</h2>{}{}</section>'
    ).format(name, name, name, title, lead, join(content))


def between(low: str, high: str) -> Markup:
    """A range that breaks between its ends only."""
    return Markup("<span>{}</span> – <span>{}</span>").format(low, high)


def tile(label: str, value: str, note: str = "", *, tone: str = "") -> Markup:
    """One figure with its name; the note says what it is compared with."""
    return Markup('<div class="tile {}"><dt>{}</dt><dd><strong><bdi>{}</bdi></strong>{}</dd></div>').format(
        tone, label, value, Markup("<small>{}</small>").format(note) if note else ""
    )


def tiles(items: Iterable[Markup]) -> Markup:
    """Tiles side by side."""
    return Markup('<dl class="tiles">{}</dl>').format(join(items))


def figure(name: str, alt: str, wide: str, narrow: str, *below: object) -> Markup:
    """A chart drawn for wide and for narrow windows, its words for those who do not see it, and what stands below.

    ``wide`` and ``narrow`` are SVG of ours, not text from data.
    """
    drawn = Markup('<div class="draw wide-draw" aria-hidden="true">{}</div>').format(Markup(wide))
    drawn += Markup('<div class="draw narrow-draw" aria-hidden="true">{}</div>').format(Markup(narrow))
    return Markup('<figure id="{}" class="chart"><div role="img" aria-label="{}">{}</div>{}</figure>').format(
        name, alt, drawn, join(below)
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


def behind(t: Translator, frame: pd.DataFrame, columns: Sequence[Column], caption: str, file: str) -> Markup:
    """The table behind a chart, folded, with its download."""
    return Markup('<details data-print><summary>{}</summary>{}<p class="actions">{}</p></details>').format(
        t("common.show_table"), table(frame, columns, caption), download(t, frame, columns, file)
    )


def download(t: Translator, frame: pd.DataFrame, columns: Sequence[Column], file: str) -> Markup:
    """A link that holds the table as a CSV file; nothing is asked of the server."""
    text = csv_text(frame, columns)
    return Markup('<a class="button quiet" download="{}.csv" href="data:text/csv;charset=utf-8,{}">{}</a>').format(
        file, quote("\ufeff" + text), t("common.download_csv")
    )


def csv_text(frame: pd.DataFrame, columns: Sequence[Column]) -> str:
    """A table as CSV that no spreadsheet takes for formulas: text that begins like one is led by an apostrophe.

    Examples
    --------
    >>> frame = pd.DataFrame({"name": ["=1+1"], "amount": [-2.5]})
    >>> csv_text(frame, [Column("name", "Name"), Column("amount", "Amount")]).splitlines()
    ['Name,Amount', "'=1+1,-2.5"]
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_safe(column.label) for column in columns])
    picked = frame[[column.name for column in columns]]
    writer.writerows([[_safe(value) for value in row] for row in picked.itertuples(index=False, name=None)])
    return out.getvalue()


def _safe(value: Any) -> Any:
    if isinstance(value, str):
        return f"'{value}" if value.lstrip(" \u00a0\u200e\u200f").startswith(_RISKY) else value
    if pd.isna(value):
        return ""
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else value


def chance(t: Translator, probability: float, low: float, high: float) -> Markup:
    """A probability as a bar with its interval, and in words beside it."""
    if isnan(probability):
        return Markup('<span class="chance">{}</span>').format(t("common.not_enough_data"))
    known = not (isnan(low) or isnan(high))
    span = t.range(t.percent(low), t.percent(high)) if known else ""
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
