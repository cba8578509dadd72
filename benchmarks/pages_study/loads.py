"""One load of a page in a real browser with an empty cache: when its moments come, and how soon a what-if answers."""

from __future__ import annotations

import json
from statistics import median

from playwright.sync_api import Browser, Page

from pages_study.servers import Site

#: ``content`` is the finding in words, ``charts`` the first drawing, ``control`` a slider that can be moved.
MOMENTS = {"skeleton": ".skeleton, #loading", "content": "h1", "charts": "figure svg", "control": ".noUi-handle"}
WATCH = """(() => {
  const moments = %s, seen = window.__seen = {};
  const look = () => {
    for (const [name, selector] of Object.entries(moments)) {
      const found = document.querySelector(selector);
      if (!(name in seen) && found && found.checkVisibility({ visibilityProperty: true, opacityProperty: true })
          && found.getBoundingClientRect().height > 0) seen[name] = performance.now();
    }
    requestAnimationFrame(look);
  };
  look();
})()"""
#: Moves the first slider by one step and waits until the answer has changed.
MOVE = """() => new Promise((done) => {
  const handle = document.querySelector(".noUi-handle"), answer = handle.closest(".widget-vbox").lastElementChild;
  const before = answer.innerHTML, began = performance.now();
  new MutationObserver((_, watch) => {
    if (answer.innerHTML !== before) { watch.disconnect(); done(performance.now() - began); }
  }).observe(answer, { childList: true, subtree: true, characterData: true });
  handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
})"""


def load(browser: Browser, site: Site, page: str, *, control: bool, moves: int = 0) -> dict[str, float]:
    """Seconds from navigation to each moment of one load.

    Parameters
    ----------
    browser : Browser
    site : Site
    page : str
        Name of the notebook.
    control : bool
        Wait until a control is alive as well.
    moves : int
        What-ifs to ask for after that; their median is ``whatif``.
    """
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.add_init_script(WATCH % json.dumps(MOMENTS))
    context.add_cookies([{"name": name, "value": value, "url": site.base} for name, value in site.cookies.items()])
    opened = context.new_page()
    try:
        opened.goto(site.page(page), wait_until="commit")
        seen = _seen(opened, "control" if control else "content")
        if moves:
            seen["whatif"] = median(_moved(opened) for _ in range(moves))
        return seen
    finally:
        opened.goto("about:blank")  # ends the kernel, as a reader who leaves
        context.close()


def _seen(page: Page, moment: str, seconds: float = 120) -> dict[str, float]:
    """Seconds until each moment, once this one has come (asked again and again: the page allows no code from text)."""
    for _ in range(int(seconds / 0.05)):
        found: dict[str, float] = page.evaluate("window.__seen")
        if moment in found:
            return {name: milliseconds / 1000 for name, milliseconds in found.items()}
        page.wait_for_timeout(50)
    raise TimeoutError(f"{moment} did not come within {seconds:.0f} s")


def _moved(page: Page) -> float:
    page.wait_for_timeout(300)
    return float(page.evaluate(MOVE)) / 1000
