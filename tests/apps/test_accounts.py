"""Local accounts: who may sign in, how guesses are slowed down, and when sessions end."""

from __future__ import annotations

import sqlite3
import stat
import time
from itertools import pairwise

import pytest

from spm_models.apps.accounts import FREE_GUESSES, LONGEST_WAIT, SESSION_SECONDS, Accounts, TooManyAttemptsError
from spm_models.errors import AccessDeniedError

RIGHT, ADDRESS = "correct horse battery", "192.0.2.7"


@pytest.fixture
def now():
    return [1_800_000_000.0]


@pytest.fixture
def accounts(tmp_path, now):
    made = Accounts(tmp_path / "state" / "accounts.db", clock=lambda: now[0])
    made.add("elif@example.com", RIGHT, person="m1")
    return made


def test_only_the_right_password_opens_a_session(accounts):
    number = accounts.sign_in(" Elif@Example.com", RIGHT, ADDRESS)
    assert accounts.session(number).person == "m1"
    assert accounts.sign_in("elif@example.com", RIGHT + "x", ADDRESS) is None
    assert accounts.sign_in("nobody@example.com", RIGHT, ADDRESS) is None
    assert accounts.session("guessed") is None and accounts.session("") is None


def test_logins_by_turkish_letters_are_kept_apart(accounts):
    accounts.add("ışık", RIGHT, person="r1")
    accounts.add("işik", RIGHT + "2", person="r2")
    assert accounts.session(accounts.sign_in("ışık", RIGHT, ADDRESS)).person == "r1"
    assert accounts.sign_in("işik", RIGHT, ADDRESS) is None
    with pytest.raises(AccessDeniedError, match="taken"):
        accounts.add("IŞIK", RIGHT, person="r3")


def test_neither_password_nor_session_lies_in_the_file_which_nobody_else_may_read(accounts):
    number = accounts.sign_in("elif@example.com", RIGHT, ADDRESS)
    assert stat.S_IMODE(accounts.file.stat().st_mode) == 0o600
    content = accounts.file.read_bytes()
    assert RIGHT.encode() not in content and number.encode() not in content
    with sqlite3.connect(accounts.file) as database:
        assert database.execute("SELECT hash FROM users").fetchone()[0].startswith("$argon2id$")


def test_sessions_end_by_time_by_signing_out_and_with_the_account(accounts, now):
    numbers = [accounts.sign_in("elif@example.com", RIGHT, ADDRESS) for _ in range(3)]
    accounts.close(numbers[0])
    assert [accounts.session(number) is not None for number in numbers] == [False, True, True]
    now[0] += SESSION_SECONDS
    assert accounts.session(numbers[1]) is None
    fresh = accounts.sign_in("elif@example.com", RIGHT, ADDRESS)
    accounts.disable("ELIF@example.com")
    assert accounts.session(fresh) is None and accounts.sign_in("elif@example.com", RIGHT, ADDRESS) is None
    accounts.set_password("elif@example.com", "another good one")
    assert accounts.session(fresh) is None
    assert accounts.sign_in("elif@example.com", RIGHT, ADDRESS) is None
    assert accounts.sign_in("elif@example.com", "another good one", ADDRESS)


def test_a_session_without_an_account_lives_on_its_own(accounts):
    number = accounts.open_session("boss")
    accounts.disable("elif@example.com")
    assert accounts.session(number).person == "boss"
    assert accounts.named(accounts.session(number).name) == accounts.session(number)


def test_guesses_are_slowed_down_also_after_a_restart_and_however_the_login_is_spelled(accounts, now):
    for spelled in (
        "elif@example.com",
        "ELIF@EXAMPLE.COM",
        "elİf@example.com",
        "elif@example.com ",
        "Elif@example.com",
    ):
        assert accounts.sign_in(spelled, "wrong", ADDRESS) is None
    assert FREE_GUESSES["login"] == 5
    again = Accounts(accounts.file, clock=lambda: now[0])
    with pytest.raises(TooManyAttemptsError) as wait:
        again.sign_in("elif@example.com", RIGHT, "198.51.100.1")  # the right one, from elsewhere, has to wait as well
    assert 0 < wait.value.seconds <= 1
    waits = []
    for _ in range(12):
        now[0] += again.wait("elif@example.com", ADDRESS)
        assert again.sign_in("elif@example.com", "wrong", ADDRESS) is None
        waits.append(again.wait("elif@example.com", ADDRESS))
    assert all(later >= earlier for earlier, later in pairwise(waits[:8]))
    assert max(waits) >= 128 and max(waits) <= LONGEST_WAIT
    now[0] += LONGEST_WAIT
    assert again.sign_in("elif@example.com", RIGHT, ADDRESS)
    assert again.wait("elif@example.com", "203.0.113.9") == 0  # a right one ends the count


def test_an_address_that_tries_many_logins_has_to_wait(accounts):
    for n in range(FREE_GUESSES["address"]):
        assert accounts.sign_in(f"guess{n}", "wrong", ADDRESS) is None
    with pytest.raises(TooManyAttemptsError):
        accounts.sign_in("guess-again", "wrong", ADDRESS)
    assert accounts.sign_in("elif@example.com", RIGHT, "198.51.100.1")


def test_an_unknown_login_takes_as_long_as_a_wrong_password(accounts):
    accounts.sign_in("nobody", "wrong", ADDRESS)  # makes the hash to compare with

    def fastest(login):
        took = []
        for n in range(4):
            begin = time.perf_counter()
            accounts.sign_in(login, "wrong", f"{login}{n}")
            took.append(time.perf_counter() - begin)
        return min(took)

    unknown, known = fastest("nobody"), fastest("elif@example.com")
    assert unknown > known / 3, "an unknown login answers without comparing a password"


@pytest.mark.parametrize("password", ["", "short", "x" * 1001])
def test_a_password_that_is_no_good_is_refused(accounts, password):
    with pytest.raises(AccessDeniedError, match="password"):
        accounts.add("new", password, person="r1")
    assert [one.login for one in accounts.listed()] == ["elif@example.com"]


def test_what_is_not_there_is_said(accounts, tmp_path):
    with pytest.raises(AccessDeniedError, match="no such account"):
        accounts.disable("nobody")
    with pytest.raises(AccessDeniedError, match="empty"):
        accounts.add("  ", RIGHT, person="r1")
    nothing = Accounts(tmp_path / "none.db")
    assert nothing.listed() == [] and nothing.session("x") is None and nothing.wait("x", ADDRESS) == 0
    assert not (tmp_path / "none.db").exists()
