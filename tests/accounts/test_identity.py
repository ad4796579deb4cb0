from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select, update

from musicapp import create_app
from musicapp.accounts import services, session_cache
from musicapp.accounts.identity import STRANGER, Viewer, current_viewer
from musicapp.accounts.models import UserSession
from musicapp.accounts.tokens import hash_token
from musicapp.core.db import db, utc_now
from musicapp.core.redis import redis_client
from musicapp.core.security import public
from tests.accounts.conftest import PASSWORD, SignUp, user_named
from tests.servers import RedisServer

pytestmark = pytest.mark.one_database


@pytest.fixture
def app(app: Flask) -> Flask:
    """The app with a view that shows who asks."""

    @app.route("/whoami", methods=["GET", "POST"])
    @public
    def whoami() -> dict[str, Any]:
        viewer = current_viewer()
        return {"id": viewer.id, "name": viewer.display_name, "is_authenticated": viewer.is_authenticated}

    @app.get("/private")
    def private() -> str:
        return "secret"

    return app


@pytest.fixture
def statements(app: Flask) -> Iterator[list[str]]:
    """What the database is asked."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


def _age_session(app: Flask, age: timedelta) -> None:
    with app.app_context():
        db.session.execute(update(UserSession).values(last_seen_at=utc_now() - age))
        db.session.commit()
        redis_client().flushall()


def _last_seen(app: Flask) -> timedelta:
    with app.app_context():
        return utc_now() - db.session.scalars(select(UserSession.last_seen_at)).one()


def test_a_request_knows_its_viewer_without_a_query(alice: FlaskClient, statements: list[str]) -> None:
    assert alice.get("/whoami").json == {"id": 1, "name": "alice", "is_authenticated": True}
    statements.clear()
    assert alice.get("/whoami").json["is_authenticated"]  # type: ignore[index]
    assert statements == []


def test_a_stranger_costs_no_query(client: FlaskClient, statements: list[str]) -> None:
    assert client.get("/whoami").json == {"id": None, "name": "", "is_authenticated": False}
    assert statements == []


def test_a_redis_that_forgot_everything_signs_nobody_out(alice: FlaskClient, app: Flask) -> None:
    with app.app_context():
        redis_client().flushall()
    assert alice.get("/private").text == "secret"


def test_pages_go_on_without_redis_and_with_it_again(environ: dict[str, str], own_redis: RedisServer) -> None:
    app = create_app({**environ, "REDIS_URL": own_redis.url}, TESTING=True)
    alice = app.test_client()
    form = {"username": "alice", "email": "alice@example.com", "password": PASSWORD}
    assert alice.post("/register", data=form).status_code == 303
    own_redis.stop()
    for _ in range(3):
        assert alice.get("/settings").status_code == 200
    own_redis.start()
    app.extensions.pop("session_cache_rest_until")
    assert alice.get("/settings").status_code == 200
    with app.app_context():
        assert len(list(redis_client().scan_iter("accounts/session/*"))) == 1
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


def test_reading_a_session_in_a_post_takes_no_write_lock(alice: FlaskClient, app: Flask) -> None:
    with app.app_context():
        redis_client().flushall()
        writer = db.session()
        writer.execute(update(UserSession).values(device="writing"))
        answers: list[int] = []

        def post() -> None:
            answers.append(alice.post("/whoami").status_code)

        thread = threading.Thread(target=post)
        thread.start()
        thread.join(4)  # SQLite's patience is 5 s
        assert answers == [200]
        writer.rollback()


def test_a_revoked_session_ends_at_once(alice: FlaskClient, app: Flask) -> None:
    assert alice.get("/private").status_code == 200
    with app.app_context():
        services.revoke_sessions(user_named("alice").id)
        db.session.commit()
    assert alice.get("/private").status_code == 303


def test_a_revocation_that_is_rolled_back_ends_nothing(alice: FlaskClient, app: Flask) -> None:
    with app.app_context():
        services.revoke_sessions(user_named("alice").id)
        db.session.rollback()
    assert alice.get("/private").status_code == 200


def test_a_reader_that_was_overtaken_by_a_revocation_stores_nothing(context: Flask) -> None:
    session_cache.drop({"h"})
    session_cache.keep("h", {"id": 1})  # what it read before
    assert session_cache.kept("h") is None


def test_a_changed_profile_shows_at_once(alice: FlaskClient) -> None:
    alice.get("/whoami")
    form = {"display_name": "Ala", "bio": "", "time_zone": "Europe/Berlin", "locale": "en"}
    assert alice.post("/settings/profile", data=form).status_code == 303
    assert alice.get("/whoami").json["name"] == "Ala"  # type: ignore[index]


def test_a_suspended_user_is_a_stranger(alice: FlaskClient, app: Flask) -> None:
    with app.app_context():
        user = user_named("alice")
        user.suspended_at = utc_now()
        services.refresh_viewers(user.id)
        db.session.commit()
    assert alice.get("/private").status_code == 303


def test_last_seen_is_written_every_ten_minutes(alice: FlaskClient, app: Flask, statements: list[str]) -> None:
    _age_session(app, timedelta(minutes=9))
    alice.get("/whoami")
    assert _last_seen(app) > timedelta(minutes=8)
    _age_session(app, timedelta(minutes=11))
    statements.clear()
    for _ in range(3):
        alice.get("/whoami")
    assert len([statement for statement in statements if statement.startswith("UPDATE")]) == 1
    assert _last_seen(app) < timedelta(minutes=1)


def test_last_seen_waits_for_no_other_writer(alice: FlaskClient, app: Flask) -> None:
    _age_session(app, timedelta(minutes=11))
    with app.app_context():
        writer = db.session()
        writer.execute(update(UserSession).values(device="writing"))
        began_at = utc_now()
        assert alice.get("/private").status_code == 200
        assert utc_now() - began_at < timedelta(seconds=2)
        writer.rollback()
    assert alice.get("/private").status_code == 200
    assert _last_seen(app) < timedelta(minutes=1)


def test_an_unused_device_is_signed_out_in_the_end(alice: FlaskClient, app: Flask) -> None:
    _age_session(app, timedelta(days=59))
    assert alice.get("/private").status_code == 200
    _age_session(app, timedelta(days=61))
    assert alice.get("/private").status_code == 303


def test_the_cookie_is_renewed_only_when_the_device_is_seen(alice: FlaskClient, app: Flask) -> None:
    assert "Set-Cookie" not in alice.get("/whoami").headers
    _age_session(app, timedelta(minutes=11))
    cookie = alice.get("/whoami").headers["Set-Cookie"]
    for words in ("HttpOnly", "SameSite=Lax", "Expires="):
        assert words in cookie


def test_the_database_has_only_a_hash_of_the_token(alice: FlaskClient, app: Flask) -> None:
    with alice.session_transaction() as session:
        token = session["_user_id"]
    with app.app_context():
        row = db.session.scalars(select(UserSession)).one()
        assert row.token_hash == hash_token(token) != token


def test_a_stranger_is_led_to_the_sign_in_page_and_back(client: FlaskClient, sign_up: SignUp) -> None:
    answer = client.get("/private?tab=1")
    assert (answer.status_code, answer.location) == (303, "/login?next=/private?tab%3D1")
    sign_up("alice")
    assert client.get(answer.location).status_code == 200
    form = {"username": "alice", "password": PASSWORD, "next": "/private?tab=1"}
    assert client.post("/login", data=form).location == "/private?tab=1"


def test_htmx_is_told_to_open_the_sign_in_page(client: FlaskClient) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/albums/3"}
    answer = client.get("/private", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/login?next=/albums/3"


def test_page_with_an_unreadable_address_is_led_to_the_sign_in_page(client: FlaskClient) -> None:
    answer = client.get("/private", headers={"HX-Request": "true", "HX-Current-URL": "http://["})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


@pytest.mark.parametrize("headers", [{"Accept": "application/json"}, {"Tus-Resumable": "1.0.0"}])
def test_programs_are_told_401(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get("/private", headers=headers)
    assert answer.status_code == 401
    assert answer.json == {"error": "Log in first."}


@pytest.mark.parametrize("path", ["/uploads/", "/settings", "/settings/export"])
def test_every_door_is_shut_to_strangers(client: FlaskClient, path: str) -> None:
    assert client.post(path).status_code in {303, 401, 405}
    assert client.get(path).status_code in {303, 401, 405}


def test_a_page_that_is_not_there_is_404_for_strangers(client: FlaskClient) -> None:
    assert client.get("/nothing/here").status_code == 404


def test_outside_a_request_the_viewer_is_a_stranger(context: Flask) -> None:
    assert current_viewer() == STRANGER == Viewer()


def test_a_forged_cookie_is_a_stranger(client: FlaskClient) -> None:
    client.set_cookie("session", "eyJfdXNlcl9pZCI6IngifQ.aaaa.bbbb")
    assert client.get("/whoami").json["is_authenticated"] is False  # type: ignore[index]
