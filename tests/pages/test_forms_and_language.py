"""What people send: forms become entries of the journal, the language is kept; neither can be sent from elsewhere."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import nbformat
import pytest

from spm_models.access import Scope
from spm_models.journal import Journal
from spm_models.workspace import Workspace


@pytest.fixture(scope="module")
def company(published) -> Workspace:
    return published(pages='viewer = "m1"')


@pytest.fixture(scope="module")
def manager(company, serve):
    running = serve(company)
    running.enter()
    running.ask("/pages/revenue-outlook")  # sets the cookie that forms need
    return running


def send(server, kind, **fields):
    given = {"_xsrf": server.cookies["_xsrf"], **fields.pop("more", {}), **fields}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-XSRFToken": given["_xsrf"]}
    return server.ask(f"/write/{kind}", "POST", body=urlencode(given), headers=headers)


def entries(company):
    journal = Journal(company, Scope.of_company())
    try:
        return journal.entries()
    finally:
        journal.close()


def test_a_form_becomes_an_entry_with_author_and_time_and_can_be_taken_back(manager, company):
    status, _, text = send(manager, "recognition", rep="r1", text="Calm in a hard talk", request="one")
    assert status == 200 and "Kept." in text and 'action="/write/undo"' in text
    kept = entries(company)[-1]
    assert (kept.author, kept.about_id, kept.kind, kept.body["text"]) == (
        "m1", "r1", "recognition", "Calm in a hard talk",
    )  # fmt: skip
    send(manager, "recognition", rep="r1", text="Calm in a hard talk", request="one")  # sent twice
    assert entries(company)[-1].id == kept.id
    assert "Taken back." in send(manager, "undo", number=str(kept.id))[2]
    assert entries(company)[-1].body["withdrawn"] is True


@pytest.mark.parametrize(("kind", "fields", "says"), [
    ("override", {"deal": "D1", "chance": "350%", "reason": "x"}, "between 0% and 100%"),
    ("agreement", {"rep": "r1", "actions": " "}, "at least one action"),
    ("observation", {"rep": "r1", "opening": "9", "opening_note": "x"}, "from 1 to 5"),
    ("undo", {"number": "999999"}, "no longer be taken back"),
])  # fmt: skip
def test_what_cannot_be_is_refused_with_what_to_do(manager, company, kind, fields, says):
    before = len(entries(company))
    status, _, text = send(manager, kind, **fields)
    assert (status == 400 and says in text and "nothing was kept" in text.lower()) or kind == "undo"
    assert len(entries(company)) == before


def test_about_somebody_elses_people_nothing_is_written(manager, company):
    before = len(entries(company))
    for kind, fields in (
        ("note", {"rep": "r3", "text": "x"}),
        ("cause", {"rep": "r3", "cause": "context", "says": "yes"}),
    ):
        status, _, text = send(manager, kind, **fields)
        assert status == 403 and "Nothing was kept" in text
    assert len(entries(company)) == before


@pytest.mark.parametrize("how", [
    {"headers": {}},
    {"headers": {"X-XSRFToken": "guessed"}},
    {"headers": {"Origin": "https://evil.example"}, "right": True},
    {"headers": {"Referer": "https://evil.example/"}, "right": False},
    {"cookies": {}, "headers": {}},
])  # fmt: skip
def test_a_form_from_elsewhere_is_refused(manager, company, how):
    before, headers = len(entries(company)), {"Content-Type": "application/x-www-form-urlencoded"} | how["headers"]
    fields = {"rep": "r1", "text": "forged"} | ({"_xsrf": manager.cookies["_xsrf"]} if how.get("right") else {})
    more = {"cookies": how["cookies"]} if "cookies" in how else {}
    status, _, text = manager.ask("/write/recognition", "POST", body=urlencode(fields), headers=headers, **more)
    assert status in (403, 404) and "refused" in text
    assert len(entries(company)) == before


def test_a_page_cannot_be_had_by_sending_and_no_other_kind_exists(manager):
    assert send(manager, "audit", action="x")[0] == 404
    assert manager.ask("/write/note")[0] in (404, 405)


def test_the_chosen_language_is_kept_and_a_way_back_leads_to_own_pages_only(manager):
    status, headers, _ = manager.ask("/language/ar?to=/pages/revenue-outlook?period%3D2026-Q3")
    assert status == 302 and headers["location"] == "/pages/revenue-outlook?period=2026-Q3"
    _, _, text = manager.ask("/pages/revenue-outlook")
    assert '<html lang="ar" dir="rtl">' in text and "البيانات" in text
    for elsewhere in ("https://evil.example/", "//evil.example", "/pages/x%0d%0aSet-Cookie:a=b", "javascript:alert(1)"):
        _, headers, _ = manager.ask(f"/language/en?{urlencode({'to': elsewhere})}")
        assert headers["location"] == "/"
    assert manager.ask("/language/xx")[0] == 404


def test_a_kernel_is_told_what_the_address_asks_for_and_in_which_language(serve, published, tmp_path):
    """And nothing that is not a known wish."""
    source = (
        'import json, os\nfrom IPython.display import HTML\nHTML("<pre>" + json.dumps(dict(os.environ)) + "</pre>")'
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, id="a")])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
    nbformat.write(book, tmp_path / "wishes.ipynb")
    running = serve(published(), notebooks=tmp_path)
    running.enter()
    running.ask("/language/tr")
    _, _, text = running.ask("/pages/wishes?rep=R%C4%B0&theme=dark&SPM_LOCALE=xx")
    environment = json.loads(text.split("<pre>")[1].split("</pre>")[0])
    assert json.loads(environment["SPM_ASKED"]) == {"rep": "Rİ"} and environment["SPM_LOCALE"] == "tr"


def test_a_page_that_is_not_for_ones_role_is_refused(serve, published, tmp_path):
    book = nbformat.v4.new_notebook(cells=[])
    book.metadata.kernelspec = {"name": "python3", "display_name": "Python", "language": "python"}
    for name in ("company", "my_team"):
        nbformat.write(book, tmp_path / f"{name}.ipynb")
    running = serve(published(pages='viewer = "r1"'), notebooks=tmp_path)
    running.enter()
    for page in ("company", "my-team"):
        status, _, text = running.ask(f"/pages/{page}")
        assert status == 403 and "<h1>" in text
