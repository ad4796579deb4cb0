from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicapp import create_app

pytestmark = pytest.mark.one_database


def test_every_page_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/", "/login", "/no-such-page"):
        headers = client.get(path, headers={"Accept": "text/html"}).headers
        policy = headers["Content-Security-Policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
def test_form_of_another_site_is_refused(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/login", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": "http://localhost"}, {}]
)
def test_own_forms_and_programs_are_let_in(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.post("/login", headers=headers).status_code == 422


def test_forwarded_headers_are_believed_from_trusted_proxies_only(environ: dict[str, str]) -> None:
    def address_seen(proxies: str) -> str:
        app: Flask = create_app({**environ, "TRUSTED_PROXY_COUNT": proxies})
        seen: list[str] = []
        app.before_request_funcs[None].insert(0, lambda: seen.append(_remote_address()))
        app.test_client().get("/healthz", headers={"X-Forwarded-For": "203.0.113.9"})
        return seen[0]

    assert address_seen("0") == "127.0.0.1"
    assert address_seen("1") == "203.0.113.9"


def _remote_address() -> str:
    from flask import request

    return request.remote_addr or ""


@pytest.mark.parametrize("path", ["/login", "/register", "/forgot", "/theme"])
def test_form_of_many_megabytes_is_not_kept_for_a_stranger(client: FlaskClient, path: str) -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="username"; filename="long.txt"\r\n\r\n'
    body = part + b"x" * 5_000_000 + b"\r\n--x--\r\n"
    answer = client.post(path, data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/people/%00", "/people/alice%00", "/avatars/%00", "/confirm/%00", "/uploads/%00"])
def test_address_with_a_null_character_is_nobodys(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404
    assert client.head(path).status_code == 404
