"""The page server answers to one session only, which a one-time address opened."""

from __future__ import annotations

import json
import re

import pytest


def test_without_a_session_every_address_is_refused_with_a_page_that_says_what_to_do(server):
    for path in ("/", "/pages/revenue-outlook", "/spm/static/page.css"):
        status, headers, text = server.ask(path, cookies={})
        assert status == 403, path
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    _, _, text = server.ask("/pages/revenue-outlook", cookies={})
    assert '<html lang="en" dir="ltr">' in text and "spm pages --workspace" in text


def test_the_address_works_once(server):
    assert server.ask(f"/enter/{server.token}", cookies={})[0] == 403
    assert server.ask("/enter/guessed", cookies={})[0] == 403


def test_the_cookie_is_for_this_site_only_and_out_of_reach_of_scripts(published, serve):
    fresh = serve(published())
    _, headers, text = fresh.ask(f"/enter/{fresh.token}", cookies={})
    assert re.search(r"HttpOnly; Path=/; SameSite=Strict$", headers["set-cookie"])
    assert 'http-equiv="refresh"' in text  # a redirect from elsewhere would leave the strict cookie behind


@pytest.mark.parametrize("how", [
    {"cookies": {"spm-session": "boss"}},
    {"cookies": {"spm-session": "2|1:0|10:1795354000|11:spm-session|8:Ym9zcw==|" + "0" * 64}},
    {"cookies": {}, "headers": {"Authorization": "token boss", "X-Forwarded-User": "boss", "Remote-User": "boss"}},
])  # fmt: skip
def test_forged_cookies_and_headers_open_nothing(server, how):
    assert server.ask("/pages/revenue-outlook", **how)[0] == 403


@pytest.mark.parametrize("path", ["/?token={token}", "/pages/revenue-outlook?token={token}&viewer=boss"])
def test_a_query_string_opens_nothing(server, path):
    assert server.ask(path.format(token=server.token), cookies={})[0] == 403


def test_another_host_name_is_refused(server):
    """A page elsewhere could point its own name at this machine."""
    assert server.ask("/pages/revenue-outlook", headers={"Host": "evil.example"})[0] == 403


@pytest.mark.parametrize("path", [
    "/voila/files/spm.toml", "/voila/tree", "/voila/render/revenue_outlook.ipynb",
    "/voila/templates/lab/static/voila.js",
    "/voila/api/contents/", "/api/contents", "/api/kernels", "/api/sessions", "/login", "/logout", "/tree",
    "/revenue_outlook.ipynb", "/spm/fonts/../../../pyproject.toml", "/spm/static/../index.html.j2", "/pages/unknown",
])  # fmt: skip
def test_what_is_not_a_page_is_not_served(server, path):
    assert server.ask(path)[0] in (403, 404)
    assert server.ask(path, cookies={})[0] in (403, 404)


def test_only_the_owner_touches_a_kernel_and_nobody_deletes_one(server):
    _, _, text = server.ask("/pages/revenue-outlook?theme=%22%3E%3Cscript%3Ealert(77)%3C/script%3E")
    assert "alert(77)" not in text
    kernel = json.loads(re.search(r'type="application/json">(.*?)</script>', text)[1])["kernelId"]
    assert server.ask(f"/api/kernels/{kernel}")[0] == 200
    assert server.ask(f"/api/kernels/{kernel}", cookies={})[0] == 403
    assert server.ask(f"/api/kernels/{kernel}", "DELETE", headers={"X-XSRFToken": server.cookies["_xsrf"]})[0] == 405
    assert server.ask(f"/voila/api/shutdown/{kernel}", "POST", cookies={})[0] == 403
    assert server.ask(f"/voila/api/shutdown/{kernel}", "POST")[0] == 403  # without the _xsrf field: forged elsewhere
    other = "00000000-0000-0000-0000-000000000000"
    assert server.ask(f"/api/kernels/{other}")[0] == 403
    body = f"_xsrf={server.cookies['_xsrf']}"
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert server.ask(f"/voila/api/shutdown/{kernel}", "POST", body=body, headers=form)[0] == 204
    assert server.ask(f"/api/kernels/{kernel}")[0] == 403  # gone, and nobody's
