"""How a report stands on a telephone, on a screen and on paper."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from spm_models.reports.export import Column
from spm_models.reports.parts import heading, join, paragraph, section, table, tile, tiles
from spm_models.reports.render import lacking, stylesheet

NAMES = ["Log loss", "Brier score", "AUC (telling deals apart)", "Gap of said and happened", "Gap by chance", "At most"]


def report(*before: str, rows: int = 5, count: int = 4, direction: str = "ltr") -> str:
    """A report with so many tiles, these paragraphs, and a section with a wide table."""
    frame = pd.DataFrame({"name": ["Default gradient boosting"] * rows} | dict.fromkeys(NAMES, "0.6821"))
    columns = [Column("name", "Method"), *(Column(name, name, number=True) for name in NAMES)]
    body = join([
        heading("Acme", "Model card"),
        section("top", "Trusted?", tiles(tile(f"Figure {k}", "1,500", "of them won: 637") for k in range(count)),
                *(paragraph(text) for text in before)),
        section("late", "Against others", paragraph("Ours is closest."), table(frame, columns, "All methods")),
    ])  # fmt: skip
    style = stylesheet(arabic=False)
    return f'<!DOCTYPE html><html lang="en" dir="{direction}"><style>{style}</style><body><main>{body}</main></body>'


def rows_of_tiles(tops: list[float]) -> list[int]:
    return [tops.count(top) for top in sorted(set(tops))]


@pytest.mark.browser
@pytest.mark.parametrize(("count", "rows"), [(3, [3]), (4, [2, 2]), (5, [3, 2])])
def test_tiles_fill_their_rows(browser: Any, count: int, rows: list[int]) -> None:
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_content(report(count=count))
    boxes = [one.bounding_box() for one in page.locator(".tile").all()]
    assert rows_of_tiles([round(box["y"]) for box in boxes]) == rows
    page.close()


@pytest.mark.browser
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_on_a_telephone_a_wide_table_scrolls_in_itself_and_keeps_its_first_column(browser: Any, direction: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    page.set_content(report(direction=direction))
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    first = page.locator("tbody th").first
    before = first.bounding_box()["x"]
    moved = page.locator(".scroll").evaluate("(one, to) => { one.scrollLeft = to; return Math.abs(one.scrollLeft); }",
                                             60 if direction == "ltr" else -60)  # fmt: skip
    assert moved > 30
    assert abs(first.bounding_box()["x"] - before) < 1
    page.close()


def tags(page: Any) -> list[str]:
    """Tags of the elements on a page of a PDF; an element has several boxes."""
    boxes = [box for box in page._page_box.descendants() if getattr(box, "element", None) is not None]
    return [element.tag for element in {id(box.element): box.element for box in boxes}.values()]


@pytest.mark.skipif(bool(lacking()), reason="The libraries that set type are not installed")
def test_on_paper_a_heading_stays_with_its_table_and_a_short_table_is_not_torn() -> None:
    from weasyprint import HTML

    line = "A sentence that fills the page, so that the heading falls near its foot. " * 2
    whole = []
    for count in (7, 8, 10, 13):  # from "all on one page" to "the heading would stand alone at the foot"
        first, *rest = HTML(string=report(*[line] * count, rows=6)).render().pages
        seen = tags(first)
        whole.append((seen.count("h2"), seen.count("tr"), len(rest)))
    assert whole == [(2, 7, 0), *[(1, 0, 1)] * 3]


@pytest.mark.skipif(bool(lacking()), reason="The libraries that set type are not installed")
def test_on_paper_four_tiles_stand_two_by_two_and_a_long_table_goes_on() -> None:
    from weasyprint import HTML

    pages = HTML(string=report(rows=80)).render().pages
    named = [box for box in pages[0]._page_box.descendants() if getattr(box, "element", None) is not None]
    boxes = [box for box in named if "tile" in (box.element.get("class") or "").split()]
    assert rows_of_tiles([round(box.position_y) for box in boxes]) == [2, 2]
    assert len(pages) > 1 and "tr" in tags(pages[0])
