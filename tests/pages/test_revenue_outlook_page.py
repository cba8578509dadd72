"""The revenue outlook in a real browser: what a manager, a screen reader and an attacker would find."""

from __future__ import annotations

import json
import time
from urllib.parse import unquote, urlsplit

import pytest

pytestmark = pytest.mark.browser
WAIT = 60_000
#: Voila's own bundle says these about itself; they are no faults of the page (after the last, the page begins again).
KNOWN = ("Unsatisfied version", "No satisfying version", "Error: widget model not found")


def opened(page, server):
    page.goto(f"http://{server.host}/pages/revenue-outlook", wait_until="commit")
    page.wait_for_selector("#how, [data-page-failed]", timeout=WAIT)
    assert page.locator("[data-page-failed]").count() == 0
    return page


def alive(page):
    page.wait_for_selector('[data-live="alive"] .noUi-handle', timeout=WAIT)
    return page


def test_the_one_time_address_leads_to_the_page(published, serve, browser):
    running = serve(published())
    context = browser.new_context()
    page = context.new_page()
    page.goto(running.address)
    page.wait_for_selector("footer.foot", timeout=WAIT)
    assert page.url == f"http://{running.host}/pages/home"
    again = browser.new_context().new_page()
    assert again.goto(running.address).status == 403
    assert "no longer opens" in again.inner_text("h1")
    context.close()


def test_a_control_that_the_widget_manager_gave_up_makes_the_page_begin_again_once(server, page_of):
    page = opened(page_of(server), server)
    page.wait_for_selector("[data-live]", state="attached", timeout=WAIT)
    give_up = """document.querySelector(".live-control").innerHTML = "Error displaying widget: model not found";
      document.querySelectorAll("[role=slider]").forEach(one => one.remove())"""
    page.add_init_script("window.begun = (Number(sessionStorage.begun) || 0) + 1; sessionStorage.begun = window.begun")
    page.add_init_script(f"""new MutationObserver((_, watch) => {{
      if (document.querySelector(".live-control")) {{ watch.disconnect(); {give_up} }}
    }}).observe(document, {{childList: true, subtree: true}})""")
    page.goto(page.url, wait_until="commit")
    page.wait_for_selector("footer.foot", timeout=WAIT)
    page.wait_for_timeout(6000)
    assert page.evaluate("Number(sessionStorage.begun)") == 2  # once more, and no loop
    assert page.locator("h1").count() == 1


def test_content_comes_first_then_the_control_and_nothing_is_asked_of_another_machine(server, page_of):
    page = opened(page_of(server), server)
    assert page.inner_text("h1").startswith("Q3 2026")
    assert page.title() == "Revenue outlook · Northwind"
    assert page.locator(".skeleton").is_hidden()
    sections = page.locator("section.card").evaluate_all("all => all.map(one => one.id)")
    assert sections == ["range", "pace", "what-if", "change", "movement", "people", "months", "target", "history",
                        "units", "deals", "replay", "how"]  # fmt: skip
    assert page.locator("figure.chart svg").count() >= 10
    alive(page)
    assert page.locator("#what-if .wait").is_hidden()

    handle = page.locator("#what-if .noUi-handle").first
    handle.focus()
    for _ in range(3):
        handle.press("ArrowRight")
    page.locator("#what-if .tiles").get_by_text("against today").wait_for(timeout=WAIT)

    assert {urlsplit(url).netloc for url in page.heard["requests"] if not url.startswith("data:")} == {server.host}
    faults = [text for text in page.heard["errors"] if not text.startswith(KNOWN)]
    assert faults == []  # the content security policy speaks here too

    kernel = json.loads(page.locator("#jupyter-config-data").text_content())["kernelId"]
    assert server.ask(f"/api/kernels/{kernel}")[0] == 200
    page.goto("about:blank")
    until = time.monotonic() + 30
    while server.ask(f"/api/kernels/{kernel}")[0] == 200 and time.monotonic() < until:
        page.wait_for_timeout(250)
    assert server.ask(f"/api/kernels/{kernel}")[0] == 403  # leaving the page ended its kernel


def test_names_from_data_never_run_and_a_download_holds_no_formula(server, page_of):
    page = opened(page_of(server), server)
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert page.heard["dialogs"] == []
    assert page.locator("main img, main b:text-is('Kaya')").count() == 0
    assert page.get_by_text("<img src=x onerror=alert(1)>").count() >= 1
    with page.expect_download() as caught:
        page.locator("#deals a[download]").click()
    assert caught.value.suggested_filename == "deals-2026-Q3.csv"
    text = unquote(page.locator("#deals a[download]").get_attribute("href").split(",", 1)[1])
    assert "\n" in text and ",=HYPERLINK" not in text and "'=HYPERLINK" in text


def test_no_width_scrolls_sideways(server, page_of):
    page = alive(opened(page_of(server), server))
    for width in (390, 768, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator(".narrow-draw svg" if width < 640 else ".wide-draw svg").first.is_visible()


def test_columns_end_together_and_the_links_follow_the_page(server, page_of):
    page = opened(page_of(server, viewport={"width": 1440, "height": 900}), server)
    ends = page.locator(".column").evaluate_all(
        "all => all.map(one => one.lastElementChild.getBoundingClientRect().bottom)"
    )
    assert len(ends) == 2 and abs(ends[0] - ends[1]) < 2
    there = page.locator("main section[id]").evaluate_all("all => all.map(one => one.id)")
    jumps = page.locator(".jumps a").evaluate_all("all => all.map(one => one.hash.slice(1))")
    assert [name for name in there if name in jumps] == jumps


def test_on_paper_nothing_is_folded_and_cards_may_break(server, page_of):
    page = opened(page_of(server, viewport={"width": 690, "height": 900}), server)
    page.emulate_media(media="print")
    look = "(all, name) => all.map(one => getComputedStyle(one)[name])"
    assert set(page.locator(".page, .column").evaluate_all(look, "display")) == {"block"}
    assert set(page.locator(".card:not([data-live])").evaluate_all(look, "break-inside")) == {"auto"}
    assert set(page.locator(".card h2").evaluate_all(look, "break-after")) == {"avoid"}
    assert not any(one.is_visible() for one in page.locator("details, .jumps, summary").all())
    assert page.evaluate("document.documentElement.scrollWidth") <= 690


@pytest.mark.parametrize(("locale", "direction", "heading", "scheme"), [
    ("en", "ltr", "Revenue outlook", "dark"), ("tr", "ltr", "Gelir görünümü", "light"),
    ("ar", "rtl", "آفاق الإيرادات", "light"),
])  # fmt: skip
def test_every_language_renders_and_nobody_is_shut_out(published, serve, page_of, locale, direction, heading, scheme):
    from axe_playwright_python.sync_playwright import Axe

    running = serve(published(locale))
    running.enter()
    page = alive(opened(page_of(running, color_scheme=scheme), running))
    assert page.locator("html").get_attribute("lang") == locale
    assert page.locator("html").get_attribute("dir") == direction
    assert page.title().startswith(heading)
    assert page.locator("#lost").is_hidden() and page.locator("#what-if .dead").is_hidden()
    handles = page.locator("#what-if .noUi-handle")
    assert all(0 < handle.bounding_box()["x"] < 1280 for handle in handles.all())
    names = handles.evaluate_all("all => all.map(one => one.ariaLabel)")
    assert len(set(names)) == 5 and all(names)  # each slider by its own name
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    results = Axe().run(page)
    serious = [found for found in results.response["violations"] if found["impact"] in ("serious", "critical")]
    assert [(found["id"], [node["html"][:200] for node in found["nodes"][:3]]) for found in serious] == []


def test_a_manager_sees_the_page_of_his_line_only(published, serve, page_of):
    running = serve(published("en", 'viewer = "m1"'))
    running.enter()
    page = opened(page_of(running), running)
    assert "Elif Demir" in page.inner_text(".eyebrow")
    text = page.inner_text("main")
    assert "Ayşe Yılmaz" in text and "Maria Santos" not in text and "Omar Haddad" not in text
