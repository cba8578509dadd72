"""Local accounts on the page server: sign in, see what is one's own, sign out; administrators look as others do."""

from __future__ import annotations

import json
import re

import pytest

from spm_models.apps.accounts import Accounts
from spm_models.journal import AuditLog

RIGHT = "correct horse battery"
LOGINS = {"boss": "boss", "elif@example.com": "m1", "ayse": "r1", "can": "r2"}


@pytest.fixture(scope="module")
def company(published_richly):
    made = published_richly(pages='roles = { boss = "executive" }\nadministrators = ["boss"]')
    accounts = Accounts(made.accounts_db)
    for login, person in LOGINS.items():
        accounts.add(login, RIGHT, person=person)
    return made


@pytest.fixture(scope="module")
def server(company, serve):
    return serve(company)


@pytest.fixture
def somebody(server):
    def who(login):
        one = server.as_somebody()
        assert one.sign_in(login, RIGHT)[0] == 303
        return one

    return who


def recorded(company, **by):
    log = AuditLog(company)
    try:
        return log.entries(**by)
    finally:
        log.close()


def kernel_of(text):
    return json.loads(re.search(r'type="application/json">(.*?)</script>', text)[1])["kernelId"]


def test_who_is_not_signed_in_finds_the_form_in_three_languages_and_comes_back_to_his_page(server):
    one = server.as_somebody()
    status, _, text = one.ask("/pages/deals?stage=Demo")
    assert status == 403 and 'name="password"' in text and 'value="/pages/deals?stage=Demo"' in text
    for locale, word in (("tr", "Oturum aç"), ("ar", "تسجيل الدخول"), ("en", "Sign in")):
        one.ask(f"/language/{locale}?to=/pages/deals")
        _, _, text = one.ask("/pages/deals")
        assert f'<html lang="{locale}"' in text and word in text
    status, headers, _ = one.sign_in("ayse", RIGHT, to="/pages/deals?stage=Demo")
    assert (status, headers["location"]) == (303, "/pages/deals?stage=Demo")
    assert re.search(r"spm-session=[^;]{40,}; HttpOnly; Path=/; SameSite=Strict", headers["set-cookie"])
    assert one.ask("/pages/deals")[0] == 200


def test_a_wrong_password_and_an_unknown_login_get_the_same_answer(server, company):
    wrong, unknown = (server.as_somebody().sign_in(login, "wrong password") for login in ("can", "nobody"))
    plain = [re.sub(r'value="[^"]*"', "", text) for _, _, text in (wrong, unknown)]
    assert wrong[0] == unknown[0] == 403 and plain[0] == plain[1] and "eşleşmiyor" in plain[0]
    assert {"can", "nobody"} <= set(recorded(company).query("action == 'not signed in'")["person"])


def test_signing_out_ends_the_session_and_its_kernels_at_once(somebody):
    one = somebody("ayse")
    _, _, text = one.ask("/pages/revenue-outlook")
    kernel, before = kernel_of(text), dict(one.cookies)
    assert one.ask(f"/api/kernels/{kernel}")[0] == 200
    assert one.send("/sign-out")[0] == 303
    assert one.ask("/pages/home", cookies=before)[0] == 403  # a copy of the cookie is worth nothing
    again = somebody("ayse")
    assert again.ask(f"/api/kernels/{kernel}")[0] == 403  # gone, and nobody's


def test_each_sees_his_own_pages_by_his_role(somebody):
    boss, manager, rep = (somebody(login) for login in ("boss", "elif@example.com", "ayse"))
    assert [one.ask("/pages/company")[0] for one in (boss, manager, rep)] == [200, 403, 403]
    assert [one.ask("/pages/my-performance")[0] for one in (boss, manager, rep)] == [403, 403, 200]
    _, _, text = rep.ask("/pages/company")
    assert "Bu sayfa size açık değil" in text or "not meant for you" in text
    assert 'action="/look-as"' in boss.ask("/pages/home")[2] and 'action="/look-as"' not in rep.ask("/pages/home")[2]


def test_a_disabled_account_loses_its_open_pages(somebody, company):
    Accounts(company.accounts_db).add("guest", RIGHT, person="r5")
    one = somebody("guest")
    assert one.ask("/pages/home")[0] == 200
    Accounts(company.accounts_db).disable("guest")
    assert one.ask("/pages/home")[0] == 403


def test_an_administrator_looks_as_somebody_and_can_write_nothing_meanwhile(somebody, company):
    boss = somebody("boss")
    boss.ask("/pages/home")
    assert boss.send("/look-as", person="r2")[0] == 303
    status, _, text = boss.ask("/pages/my-performance")
    assert status == 200 and 'class="looks-as"' in text and "Can Öztürk" in text
    assert boss.ask("/pages/company")[0] == 403
    status, _, text = boss.send("/write/reply", topic="win_rate", text="x", rep="r2")
    assert status == 403 and 'class="refused"' in text
    assert boss.send("/look-as")[0] == 303
    assert boss.ask("/pages/company")[0] == 200
    seen = recorded(company, person="boss")
    done = list(zip(seen["action"], seen["what"], seen["looks_as"], strict=True))
    for row in (("looks as", "", "r2"), ("opened", "my-performance", "r2"), ("refused", "write reply", "r2"),
                ("looks himself", "", "r2"), ("opened", "company", "")):  # fmt: skip
        assert row in done


def test_nobody_else_may_look_as_somebody(somebody, company):
    one = somebody("elif@example.com")
    one.ask("/pages/home")
    assert one.send("/look-as", person="r1")[0] == 403
    one.cookies["spm-as"] = "guessed"
    assert one.ask("/pages/my-performance")[0] == 403
    assert "looks as" in set(recorded(company, person="m1").query("action == 'refused'")["what"])


def test_a_rep_is_told_who_looked_at_him(somebody):
    somebody("elif@example.com").ask("/pages/coaching?rep=r1")
    somebody("elif@example.com").ask("/pages/coaching?rep=r3")  # not his: leaves no trace with r3
    _, _, text = somebody("ayse").ask("/pages/my-performance")
    assert 'id="who-has-looked"' in text
    assert "Elif Demir" in re.search(r'id="who-has-looked".*?</section>', text, re.S)[0]


def test_what_was_seen_is_on_record(company, server):
    seen = recorded(company)
    assert {"signed in", "opened", "refused", "signed out"} <= set(seen["action"])
    about = seen[(seen["action"] == "opened") & (seen["what"] == "coaching?rep=r1")]
    assert set(about["person"]) == {"m1"} and set(about["rep_id"]) == {"r1"}
    assert seen[seen["what"] == "coaching?rep=r3"]["rep_id"].isna().all()


@pytest.mark.browser
def test_a_browser_signs_in_looks_as_somebody_and_signs_out(server, page_of):
    """A browser says in its own way where a form comes from: what a program sends does not prove that doors open."""
    page = page_of(server.as_somebody())
    page.goto(f"http://{server.host}/pages/company")
    page.fill("[name=login]", "boss")
    page.fill("[name=password]", RIGHT)
    page.click("main button")
    page.wait_for_selector("footer.foot", timeout=60_000)
    assert page.url == f"http://{server.host}/pages/company"
    page.click(".eyes summary")
    page.fill(".eyes [name=person]", "r2")
    page.click(".eyes button")
    page.wait_for_selector(".looks-as", timeout=60_000)
    assert "Can Öztürk" in page.inner_text(".looks-as")
    page.click(".looks-as button")
    page.wait_for_selector(".eyes", timeout=60_000)
    page.click(".out button")
    page.wait_for_selector("[name=password]", timeout=60_000)
    assert page.goto(f"http://{server.host}/pages/company").status == 403
