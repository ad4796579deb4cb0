from __future__ import annotations

import pytest
from flask import Flask

from musicapp import create_app
from musicapp.core.limits import RateLimitSettingError, visitor_address
from tests.accounts.conftest import PASSWORD
from tests.servers import RedisServer

pytestmark = pytest.mark.one_database

ALICE = {"username": "alice", "email": "alice@example.com", "password": PASSWORD}
WRONG = {"username": "alice", "password": "wrong horse"}


def test_sign_ins_are_counted_per_address_and_account(limited_app: Flask) -> None:
    client = limited_app.test_client()
    client.post("/register", data=ALICE)
    client.post("/logout")
    assert [client.post("/login", data=WRONG).status_code for _ in range(4)] == [422, 422, 422, 429]
    answer = client.post("/login", data={**WRONG, "password": PASSWORD})
    assert answer.status_code == 429, "the right one, too, or the limit would tell"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert "Wait a little" in answer.text
    assert client.post("/login", data={**WRONG, "username": "bob"}).status_code == 422
    elsewhere = {"REMOTE_ADDR": "192.0.2.7"}
    assert client.post("/login", data={**WRONG, "password": PASSWORD}, environ_base=elsewhere).status_code == 303


def test_many_accounts_from_one_address_are_counted_too(limited_app: Flask) -> None:
    client = limited_app.test_client()
    codes = [client.post("/login", data={"username": f"user{n}", "password": ""}).status_code for n in range(31)]
    assert codes == [422] * 30 + [429]


def test_registrations_are_counted(limited_app: Flask) -> None:
    client = limited_app.test_client()
    codes = [client.post("/register", data={}).status_code for _ in range(3)]
    assert codes == [422, 422, 429]


def test_resets_are_counted_per_address(limited_app: Flask) -> None:
    client = limited_app.test_client()
    codes = [client.post("/forgot", data={"email": "a@example.com"}).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert client.post("/forgot", data={"email": "b@example.com"}).status_code == 200


def test_without_redis_counted_doors_say_later_and_signed_in_pages_go_on(
    limited_app: Flask, own_redis: RedisServer
) -> None:
    client = limited_app.test_client()
    assert client.post("/register", data=ALICE).status_code == 303
    stranger = limited_app.test_client()
    own_redis.stop()
    for path in ("/login", "/register", "/forgot"):
        answer = stranger.post(path, data={**ALICE, "username": "bob"})
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "20"
        assert "Try again in half a minute" in answer.text
        assert stranger.get(path).status_code == 200
    assert client.get("/settings").status_code == 200
    form = {"display_name": "Ala", "time_zone": "UTC", "locale": "en"}
    assert client.post("/settings/profile", data=form).status_code == 303
    own_redis.start()
    assert stranger.post("/login", data={"username": "alice", "password": PASSWORD}).status_code == 303


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("address", "counted_as"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("unix:", "unix:"),
    ],
)
def test_one_ipv6_customer_is_one_visitor(app: Flask, address: str, counted_as: str) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert visitor_address() == counted_as


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_limit_that_makes_no_sense_is_an_error_at_start(environ: dict[str, str]) -> None:
    with pytest.raises(RateLimitSettingError, match="LOGIN_RATE_LIMIT"):
        create_app({**environ, "LOGIN_RATE_LIMIT": "ten a day"})
