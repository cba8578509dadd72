"""How charts look: colours by role, type, direction, and how a figure becomes SVG in a page.

Text is drawn as paths, so that Arabic survives and nobody needs our fonts to look at a chart.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from spm_models.charts.figure import Chart
from spm_models.charts.fonts import FAMILIES, register
from spm_models.translations import Translator

#: Role of each colour. A page replaces them by its own for light and dark (`inline_svg`).
COLOURS = {
    "ink": "#16202a", "soft": "#4b5967", "line": "#d9e0e6", "closed": "#0f6177", "open": "#4f9fb6",
    "slipped": "#8795cf", "renewals": "#7dbf97",
    "new": "#b7dbe5", "past": "#93a7b6", "quota": "#b05a00", "range": "#22313f", "card": "#fdfefe",
}  # fmt: skip
SIZE = 12.5
LETTER = 0.53 * SIZE  #: width of an average letter
STYLE: Any = {
    "font.family": [*FAMILIES, "sans-serif"], "font.size": SIZE, "svg.fonttype": "path", "svg.hashsalt": "spm",
    "text.color": COLOURS["ink"], "axes.edgecolor": COLOURS["line"], "xtick.color": COLOURS["soft"],
    "ytick.color": COLOURS["soft"], "axes.labelcolor": COLOURS["soft"],
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}  # fmt: skip


def inline_svg(figure: Figure, name: str) -> str:
    """A figure as SVG for the middle of a page: no prolog, names of its own, colours that follow the page's theme.

    Each colour of :data:`COLOURS` becomes ``var(--chart-<role>, <colour>)``.
    """
    out = BytesIO()
    with mpl.rc_context(STYLE | {"svg.hashsalt": name}), _laid_out(figure):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = out.getvalue().decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*" height="[^"]*"', r'\1 focusable="false"', text, count=1)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r'(href="#|url\(#)', rf"\g<1>{name}-", text)
    text = re.sub(r"<style[^>]*>.*?</style>", "", text, flags=re.DOTALL)
    for role, colour in COLOURS.items():
        text = text.replace(colour, f"var(--chart-{role}, {colour})")
    return re.sub(r"\s*\n\s*", " ", text)


@contextmanager
def _laid_out(figure: Figure) -> Iterator[None]:
    """Lay the figure out as it will be saved: ``savefig`` would draw all of it twice, only to lay it out."""
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    canvas, dpi = figure.canvas, figure.dpi
    FigureCanvasSVG(figure)
    figure.dpi = 72
    try:
        engine.execute(figure)
        figure.set_layout_engine(None)
        figure.dpi = dpi
        yield
    finally:
        figure.dpi = dpi
        figure.set_layout_engine(engine)
        figure.set_canvas(canvas)


def new_axes(width: int, height: int) -> tuple[Figure, Axes]:
    """A figure of this many SVG units with one bare pair of axes; call it within ``mpl.rc_context(STYLE)``."""
    register()
    figure = Chart(figsize=(width / 72, height / 72), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=2 / 72, h_pad=2 / 72)
    axes = figure.add_subplot()
    for side in ("top", "left", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, pad=6)
    return figure, axes


def finish(t: Translator, axes: Axes) -> None:
    """Let the axes run the way the language does."""
    if t.direction == "rtl":
        axes.invert_xaxis()
        axes.yaxis.tick_right()
        axes.tick_params(length=0, pad=6)


def note(
    axes: Axes, text: str, at: tuple[float, float], shift: tuple[float, float], *, color: str = "ink", **how: Any
) -> None:
    """A text at a point of the data, shifted by SVG units."""
    axes.annotate(text, at, shift, textcoords="offset points", color=COLOURS[color], zorder=6, **how)
