"""Attacks on the page server, each tried for real. The run's summary counts how many were tried and how many held."""

from __future__ import annotations

import asyncio
import json
import re
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import jwt
import pandas as pd
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from spm_models.apps.accounts import Accounts
from spm_models.apps.kernels import MOST

pytestmark = [pytest.mark.attacks, pytest.mark.slow, pytest.mark.xdist_group("attacks")]
RIGHT = "correct horse battery"
PEOPLE = ("r1", "r2", "r3", "r4", "r5", "r6", "m1", "m2", "m3", "boss")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def company(published_richly):
    roles = 'roles = { boss = "executive" }\nadministrators = ["boss"]'
    made = published_richly(pages=roles)
    accounts = Accounts(made.accounts_db)
    for person in PEOPLE:
        accounts.add(person, RIGHT, person=person)
    return made


@pytest.fixture(scope="module")
def server(company, serve):
    return serve(company)


@pytest.fixture(scope="module")
def signed_in(server):
    known = {}

    def who(person):
        if person not in known:
            known[person] = server.as_somebody()
            assert known[person].sign_in(person, RIGHT)[0] == 303
        return known[person]

    return who


def kernel_of(text):
    return json.loads(re.search(r'type="application/json">(.*?)</script>', text)[1])["kernelId"]


def cookie_of(one):
    return "; ".join(f"{name}={value}" for name, value in one.cookies.items())


def frames(one, kernel, messages=(), *, protocol=None, seconds=4.0, **headers):
    """Open a kernel's websocket, send messages, and give back what came within some seconds."""

    async def talk():
        request = HTTPRequest(
            f"ws://{one.host}/api/kernels/{kernel}/channels?session_id=attack",
            headers={"Cookie": cookie_of(one), **headers},
        )
        socket = await websocket_connect(request, subprotocols=[protocol] if protocol else None)
        for message in messages:
            await socket.write_message(message, binary=isinstance(message, bytes))
        heard, until = [], time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                frame = await asyncio.wait_for(socket.read_message(), left)
            except TimeoutError:
                break
            if frame is None:
                break
            heard.append(frame if isinstance(frame, bytes) else frame.encode())
        socket.close()
        return heard

    return asyncio.run(talk())


def message(kind, content):
    header = {"msg_id": "m-1", "msg_type": kind, "session": "attack", "username": "x", "version": "5.3",
              "date": datetime.now(UTC).isoformat()}  # fmt: skip
    return {"header": header, "parent_header": {}, "metadata": {}, "content": content, "channel": "shell"}


def packed(kind, content):
    """The same in the binary protocol v1.kernel.websocket.jupyter.org."""
    one = message(kind, content)
    parts = [b"shell", *(json.dumps(one[name]).encode() for name in ("header", "parent_header", "metadata", "content"))]
    offsets = [8 * (len(parts) + 2)]
    for part in parts:
        offsets.append(offsets[-1] + len(part))
    return b"".join(number.to_bytes(8, "little") for number in (len(offsets), *offsets)) + b"".join(parts)


# Kernels


@pytest.mark.parametrize("protocol", [None, "v1.kernel.websocket.jupyter.org"])
@pytest.mark.parametrize("kind", ["execute_request", "complete_request", "inspect_request", "history_request"])
def test_code_is_not_run_by_anybody(signed_in, tmp_path, protocol, kind):
    one, trace = signed_in("r1"), tmp_path / "trace"
    kernel = kernel_of(one.ask("/pages/revenue-outlook")[2])
    content = {"code": f"open({str(trace)!r}, 'w').write('x')", "silent": False, "cursor_pos": 4, "detail_level": 0,
               "hist_access_type": "tail", "output": True, "raw": True, "n": 5}  # fmt: skip
    sent = packed(kind, content) if protocol else json.dumps(message(kind, content))
    heard = b"".join(frames(one, kernel, [sent], protocol=protocol, seconds=2.5))
    assert kind.replace("_request", "_reply").encode() not in heard and not trace.exists()


@pytest.mark.parametrize("protocol", [None, "v1.kernel.websocket.jupyter.org"])
@pytest.mark.parametrize("thief", ["r2", "m1", "nobody"])
def test_a_kernel_of_somebody_else_is_neither_joined_nor_ended(server, signed_in, thief, protocol):
    owner = signed_in("r1")
    kernel = kernel_of(owner.ask("/pages/revenue-outlook")[2])
    other = server.as_somebody() if thief == "nobody" else signed_in(thief)
    with pytest.raises(HTTPClientError) as refused:
        frames(other, kernel, protocol=protocol)
    assert refused.value.code == 403
    assert other.ask(f"/api/kernels/{kernel}")[0] == 403
    assert other.send(f"/voila/api/shutdown/{kernel}")[0] == 403
    assert owner.ask(f"/api/kernels/{kernel}")[0] == 200


def test_a_socket_from_a_foreign_page_is_refused(signed_in):
    one = signed_in("r1")
    kernel = kernel_of(one.ask("/pages/revenue-outlook")[2])
    with pytest.raises(HTTPClientError) as refused:
        frames(one, kernel, Origin="https://evil.example")
    assert refused.value.code == 403


def test_an_open_socket_ends_with_its_session(server, company):
    one = server.as_somebody()
    one.sign_in("r6", RIGHT)
    kernel = kernel_of(one.ask("/pages/revenue-outlook")[2])
    Accounts(company.accounts_db).close(one.cookies["spm-session"])  # ended elsewhere: nobody asked the server to
    began = time.monotonic()
    assert one.ask(f"/api/kernels/{kernel}")[0] == 403
    again = server.as_somebody()
    again.sign_in("r6", RIGHT)
    while again.ask(f"/api/kernels/{kernel}")[0] == 200 and time.monotonic() - began < 45:
        time.sleep(1)
    assert again.ask(f"/api/kernels/{kernel}")[0] == 403


def test_the_oldest_of_too_many_open_pages_goes_to_sleep(server, signed_in):
    one = signed_in("r5")
    kernels = [kernel_of(one.ask("/pages/home")[2]) for _ in range(MOST + 1)]
    assert one.ask(f"/api/kernels/{kernels[0]}")[0] == 403  # gone, and nobody's
    assert [one.ask(f"/api/kernels/{kernel}")[0] for kernel in kernels[1:]] == [200] * MOST


# Identity


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    return {
        "right": ed25519.Ed25519PrivateKey.generate(), "other": ed25519.Ed25519PrivateKey.generate(),
        "rsa": rsa.generate_private_key(public_exponent=65537, key_size=2048),
        "ec": ec.generate_private_key(ec.SECP256R1()),
    }  # fmt: skip


@pytest.fixture(scope="module")
def behind(published, serve, keys, tmp_path_factory):
    """The same behind a proxy that signs its tokens."""
    pem = (
        keys["right"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    file = tmp_path_factory.mktemp("keys") / "proxy.pem"
    file.write_bytes(pem)
    more = (
        f'[pages.proxy]\nheader = "X-Forwarded-Access-Token"\nkey_file = "{file}"\n'
        'issuer = "https://login.example"\naudience = "spm"\nclaim = "email"\nsign_out = "/oauth2/sign_out"\n'
    )
    running = serve(published(pages='host = "sales.example"\nroles = { "boss@example.com" = "executive" }', more=more))
    running.pem = pem
    return running


def claims(**changed):
    now = datetime.now(UTC)
    usual = {"sub": "1", "email": "boss@example.com", "iss": "https://login.example", "aud": "spm", "iat": now,
             "exp": now + timedelta(minutes=5)}  # fmt: skip
    return {name: value for name, value in (usual | changed).items() if value is not None}


def asked(server, *tokens, path="/pages/home", header="X-Forwarded-Access-Token"):
    """Status of a request with these values of the header, each on a line of its own."""
    import http.client

    connection = http.client.HTTPConnection(server.host, timeout=60)
    connection.putrequest("GET", path, skip_host=True)
    connection.putheader("Host", "sales.example")
    for token in tokens:
        connection.putheader(header, token)
    connection.endheaders()
    answer = connection.getresponse()
    answer.read()
    return answer.status


def signed(keys, key="right", algorithm="EdDSA", **changed):
    return jwt.encode(claims(**changed), keys[key], algorithm=algorithm)


def test_a_right_token_opens_the_pages_to_whom_it_names(behind, keys):
    """No attack, but without it the following would prove nothing."""
    assert asked(behind, signed(keys)) == 200
    assert asked(behind, "Bearer " + signed(keys)) == 200


PAST, FUTURE = timedelta(minutes=-10), timedelta(minutes=10)
BAD = {
    "none at all": lambda keys: [],
    "empty": lambda keys: [""],
    "no token": lambda keys: ["boss@example.com"],
    "expired": lambda keys: [signed(keys, exp=datetime.now(UTC) + PAST)],
    "not yet valid": lambda keys: [signed(keys, nbf=datetime.now(UTC) + FUTURE)],
    "from the future": lambda keys: [signed(keys, iat=datetime.now(UTC) + FUTURE)],
    "without an end": lambda keys: [signed(keys, exp=None)],
    "without a beginning": lambda keys: [signed(keys, iat=None)],
    "without a subject": lambda keys: [signed(keys, sub=None)],
    "for another audience": lambda keys: [signed(keys, aud="other")],
    "without an audience": lambda keys: [signed(keys, aud=None)],
    "of another issuer": lambda keys: [signed(keys, iss="https://evil.example")],
    "without a person": lambda keys: [signed(keys, email=None)],
    "with a list of persons": lambda keys: [signed(keys, email=["boss@example.com"])],
    "for somebody unknown": lambda keys: [signed(keys, email="nobody@example.com")],
    "signed by another key": lambda keys: [signed(keys, "other")],
    "signed by another kind of key": lambda keys: [signed(keys, "rsa", "RS256")],
    "signed by a curve": lambda keys: [signed(keys, "ec", "ES256")],
    "not signed": lambda keys: [jwt.encode(claims(), None, algorithm="none")],
    "changed after signing": lambda keys: [changed_after(signed(keys))],
    "twice": lambda keys: [signed(keys), signed(keys)],
    "joined": lambda keys: [signed(keys) + ", " + signed(keys)],
    "two persons": lambda keys: [signed(keys), signed(keys, email="r1")],
    "cut off": lambda keys: [signed(keys)[:-6]],
    "enormous": lambda keys: [signed(keys, pad="x" * 20_000)],
}


def changed_after(token):
    head, _, signature = token.split(".")
    body = jwt.utils.base64url_encode(json.dumps(claims(email="r1"), default=lambda day: int(day.timestamp())).encode())
    return ".".join([head, body.decode(), signature])


@pytest.mark.parametrize("how", BAD)
def test_a_bad_token_opens_nothing(behind, keys, how):
    assert asked(behind, *BAD[how](keys)) in (400, 403, 431)


def test_a_token_signed_with_the_public_key_as_a_secret_opens_nothing(behind, keys):
    head = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT"}').decode()
    body = jwt.utils.base64url_encode(json.dumps(claims(), default=lambda day: int(day.timestamp())).encode()).decode()
    import hashlib
    import hmac

    digest = hmac.new(behind.pem, f"{head}.{body}".encode(), hashlib.sha256).digest()
    assert asked(behind, f"{head}.{body}.{jwt.utils.base64url_encode(digest).decode()}") == 403


@pytest.mark.parametrize("header", ["X-Forwarded-User", "X-Forwarded-Email", "Remote-User", "Authorization", "Cookie"])
def test_another_header_opens_nothing(behind, keys, header):
    assert asked(behind, signed(keys), header=header) == 403


def test_behind_a_proxy_there_is_no_other_door(behind):
    for path in ("/enter/guessed", "/sign-in"):
        assert behind.ask(path)[0] in (403, 404, 405)
    assert behind.ask("/sign-in", "POST", body="login=boss&password=x")[0] in (403, 404)


@pytest.mark.parametrize(
    "path", ["/?token={token}", "/pages/home?session={token}", "/pages/home?viewer=boss&role=executive"]
)
def test_nothing_in_an_address_makes_somebody_of_nobody(server, signed_in, path):
    token = signed_in("boss").cookies["spm-session"]
    assert server.as_somebody().ask(path.format(token=token))[0] == 403


@pytest.mark.parametrize("value", ["boss", "", "0" * 43, "../accounts.db", "' OR 1=1 --", "\x7f"])
def test_a_guessed_cookie_opens_nothing(server, value):
    assert server.as_somebody().ask("/pages/home", cookies={"spm-session": value})[0] in (400, 403)


def test_a_session_that_was_planted_before_signing_in_is_not_used(server):
    one = server.as_somebody()
    planted = "p" * 43
    one.cookies["spm-session"] = planted
    assert one.sign_in("r2", RIGHT)[0] == 303
    assert one.cookies["spm-session"] != planted
    assert server.as_somebody().ask("/pages/home", cookies={"spm-session": planted})[0] == 403


def test_passwords_are_not_guessed_quickly(server, company):
    Accounts(company.accounts_db).add("target", RIGHT, person="r3")
    one, statuses = server.as_somebody(), []
    for n in range(9):
        statuses.append(one.sign_in("target", f"guess number {n}")[0])
    assert statuses[:5] == [403] * 5 and statuses.count(429) >= 2
    status, headers, _ = one.sign_in("TARGET", RIGHT)
    assert status == 429 and int(headers["retry-after"]) >= 1 and "session" not in headers.get("set-cookie", "")


@pytest.mark.parametrize("fields", [{}, {"_xsrf": "guessed"}])
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out", "/look-as", "/write/note"])
def test_a_form_that_is_not_ours_does_nothing(server, signed_in, path, fields):
    one = signed_in("boss")
    body = urlencode({"login": "boss", "password": RIGHT, "person": "r1", "rep": "r1", "text": "x"} | fields)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Origin": "https://evil.example"}
    assert one.ask(path, "POST", body=body, headers=headers)[0] in (403, 404)
    assert one.ask("/pages/company")[0] == 200


# What is served


@pytest.mark.parametrize("path", [
    "/voila/files/spm.toml", "/voila/files/state/accounts.db", "/files/spm.toml", "/state/accounts.db", "/accounts.db",
    "/pages/..%2f..%2fspm.toml", "/pages/%2e%2e/spm.toml", "/spm/static/..%2findex.html.j2",
    "/spm/static/%2e%2e/index.html.j2",
    "/spm/fonts/..%2f..%2fpyproject.toml", "/voila/labextensions/../../../../etc/passwd",
    "/voila/labextensions/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/spm/static//etc/passwd", "/api/contents/spm.toml",
    "/voila/render/home.ipynb", "/voila/query/1", "/api/sessions", "/api/terminals", "/api/kernels", "/metrics",
])  # fmt: skip
def test_files_outside_are_not_served(signed_in, path):
    status, _, text = signed_in("boss").ask(path)
    assert status in (400, 403, 404), text[:200]


@pytest.mark.parametrize("query", [
    "theme=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "template=../../etc", "voila-theme=dark&voila-template=lab",
    "theme=../../x&template=%7B%7B7*7%7D%7D", "rep=" + quote(HOSTILE), "unit=rep:" + quote(HOSTILE),
    "period=" + quote("'\"><b>"),
    "deal=" + quote("D1' OR '1'='1"), "stage=" + quote("</script>" + HOSTILE), "kernelId=x&baseUrl=//evil.example",
])  # fmt: skip
def test_an_address_puts_nothing_of_its_own_into_a_page(signed_in, query):
    for slug in ("deals", "revenue-outlook", "coaching"):
        status, _, text = signed_in("m1").ask(f"/pages/{slug}?{query}")
        assert status == 200
        assert (
            HOSTILE not in text and "<script>alert" not in text and "//evil.example" not in text and ">49<" not in text
        )


def test_nothing_may_be_kept_framed_or_loaded_from_elsewhere(signed_in):
    _, headers, _ = signed_in("r1").ask("/pages/my-performance")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe-eval" not in policy
    assert headers["cache-control"] == "no-store" and headers["x-content-type-options"] == "nosniff"


# What is whose


@pytest.mark.parametrize(
    "kind", ["note", "agreement", "observation", "recognition", "override", "submission", "target"]
)
def test_a_rep_writes_nothing_about_another(signed_in, company, kind):
    one = signed_in("r1")
    one.ask("/pages/home")
    fields = {"rep": "r3", "topic": "win_rate", "text": "x", "actions": "x", "opening": "3", "opening_note": "x",
              "deal": "D5", "chance": "50%", "reason": "x", "of": "r3", "period": "2026-Q3", "commit": "1",
              "best_case": "2"}  # fmt: skip
    status, _, text = one.send(f"/write/{kind}", **fields)
    assert status in (400, 403) and "refused" in text
    assert "r3" not in str(_journal(company, "r3"))


def _journal(company, rep):
    from spm_models.access import Scope
    from spm_models.journal import Journal

    journal = Journal(company, Scope.of_company())
    try:
        return pd.DataFrame([entry.__dict__ for entry in journal.entries(rep_id=rep, author="r1")])
    finally:
        journal.close()
