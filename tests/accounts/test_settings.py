from __future__ import annotations

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select

from musicapp.accounts.models import User, UserSession
from musicapp.accounts.routes._blueprint import describe_device
from musicapp.accounts.tasks import purge_sessions
from musicapp.core.db import db, utc_now
from musicapp.jobs.runner import run_next
from tests.accounts.conftest import PASSWORD, SignUp, user_named

pytestmark = pytest.mark.one_database

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/19.0 Mobile/15E148 Safari/604.1"
)


@pytest.mark.parametrize("number", ["2147483648", "99999999999999999999"])
def test_device_of_a_number_beyond_all_ids_is_nobodys(alice: FlaskClient, number: str) -> None:
    assert alice.post(f"/settings/devices/{number}/revoke").status_code == 404


def _picture(size: tuple[int, int] = (400, 300), image_format: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, image_format)
    return out.getvalue()


def _send_picture(client: FlaskClient, content: bytes, name: str = "me.png") -> int:
    answer = client.post("/settings/avatar", data={"picture": (io.BytesIO(content), name)})
    return answer.status_code


def _work(app: Flask) -> None:
    with app.app_context():
        for kind in ("resize_avatar", "delete_avatar"):
            while run_next(kind) is not None:
                pass


def _files(app: Flask) -> list[Path]:
    return [path for path in Path(app.config["MEDIA_PATH"]).rglob("*") if path.is_file()]


def test_the_profile_is_kept_and_shown(alice: FlaskClient, client: FlaskClient, app: Flask) -> None:
    form = {"display_name": "Ala <b>", "bio": "line one\r\nline two", "time_zone": "Asia/Tokyo", "locale": "en"}
    assert alice.post("/settings/profile", data=form).status_code == 303
    page = client.get("/people/alice").text
    assert "Ala &lt;b&gt;" in page
    assert "line one<br>line two" in page
    assert "alice@example.com" not in page
    with app.app_context():
        assert user_named("alice").time_zone == "Asia/Tokyo"


@pytest.mark.parametrize(
    ("field", "value"),
    [("display_name", ""), ("display_name", "x" * 121), ("time_zone", "Mars/Base"), ("locale", "xx")],
)
def test_a_profile_that_makes_no_sense_comes_back(alice: FlaskClient, field: str, value: str) -> None:
    form = {"display_name": "Ala", "bio": "kept words", "time_zone": "UTC", "locale": "en", field: value}
    answer = alice.post("/settings/profile", data=form)
    assert answer.status_code == 422
    assert f'aria-describedby="field-{field}-error"' in answer.text
    assert "kept words" in answer.text


def test_a_private_site_shows_nobody_to_strangers(app: Flask, client: FlaskClient, alice: FlaskClient) -> None:
    app.config["PUBLIC_LISTENING"] = False
    for name in ("alice", "nobody"):
        answer = client.get(f"/people/{name}", headers={"Accept": "text/html"})
        assert answer.status_code == 303
        assert "/login" in answer.location
    assert alice.get("/people/alice").status_code == 200


@pytest.mark.parametrize("path", ["/people/nobody", "/people/deleted-1", "/avatars/x-96.webp", "/avatars/..%2f..%2fx"])
def test_what_is_not_there_is_404(alice: FlaskClient, path: str) -> None:
    assert alice.get(path).status_code == 404


def test_the_password_changes_and_other_devices_are_signed_out(
    alice: FlaskClient, client: FlaskClient, app: Flask
) -> None:
    client.post("/login", data={"username": "alice", "password": PASSWORD})
    form = {"current_password": PASSWORD, "new_password": "battery staple"}
    assert alice.post("/settings/password", data=form).status_code == 303
    assert alice.get("/settings").status_code == 200
    assert client.get("/settings").status_code == 303
    assert client.post("/login", data={"username": "alice", "password": "battery staple"}).status_code == 303


@pytest.mark.parametrize(
    ("current", "new", "words"),
    [("wrong", "battery staple", "not your present password"), (PASSWORD, "short", "at least 8")],
)
def test_a_password_change_needs_the_present_one_and_a_good_one(
    alice: FlaskClient, current: str, new: str, words: str
) -> None:
    answer = alice.post("/settings/password", data={"current_password": current, "new_password": new})
    assert answer.status_code == 422
    assert words in answer.text
    assert alice.post("/login", data={"username": "alice", "password": PASSWORD}).status_code == 303


def test_devices_are_listed_and_revoked(alice: FlaskClient, client: FlaskClient, app: Flask) -> None:
    client.post("/login", data={"username": "alice", "password": PASSWORD}, headers={"User-Agent": FIREFOX})
    page = alice.get("/settings").text
    assert "Firefox on Linux" in page
    with app.app_context():
        other = db.session.scalars(select(UserSession).where(UserSession.device == "Firefox on Linux")).one().id
    assert f'id="device-{other}"' in page
    assert alice.post(f"/settings/devices/{other}/revoke").status_code == 303
    assert client.get("/settings").status_code == 303
    assert f'id="device-{other}"' not in alice.get("/settings").text
    assert alice.post(f"/settings/devices/{other}/revoke").status_code == 404


def test_devices_that_can_not_come_back_are_forgotten(alice: FlaskClient, app: Flask) -> None:
    for _ in range(3):
        app.test_client().post("/login", data={"username": "alice", "password": PASSWORD})
    with app.app_context():
        present, revoked, just_revoked, unseen = db.session.scalars(select(UserSession).order_by(UserSession.id)).all()
        revoked.revoked_at = utc_now() - timedelta(days=31)
        just_revoked.revoked_at = utc_now() - timedelta(days=29)
        unseen.last_seen_at = utc_now() - app.permanent_session_lifetime - timedelta(minutes=1)
        kept = {present.id, just_revoked.id}
        db.session.commit()
        assert purge_sessions() == 2
        assert set(db.session.scalars(select(UserSession.id))) == kept
    assert alice.get("/settings").status_code == 200


def test_nobody_revokes_the_devices_of_others(alice: FlaskClient, sign_up: SignUp, app: Flask) -> None:
    bob = sign_up("bob")
    assert bob.post("/settings/devices/1/revoke").status_code == 404
    assert alice.get("/settings").status_code == 200


def test_all_other_devices_can_be_revoked_at_once(alice: FlaskClient, app: Flask) -> None:
    others = [app.test_client() for _ in range(2)]
    for other in others:
        other.post("/login", data={"username": "alice", "password": PASSWORD})
    alice.post("/settings/devices/revoke-others")
    assert [other.get("/settings").status_code for other in others] == [303, 303]
    assert alice.get("/settings").status_code == 200


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (IPHONE, "Safari on iPhone"),
        ("curl/8.5.0", "curl"),
        ("", "Unknown device"),
        ("<script>", "Unknown device"),
    ],
)
def test_devices_have_names_that_people_know(user_agent: str, words: str) -> None:
    assert describe_device(user_agent) == words


def test_a_picture_is_made_by_a_job_and_kept_for_ever(alice: FlaskClient, client: FlaskClient, app: Flask) -> None:
    assert _send_picture(alice, _picture()) == 303
    assert "is being made" in alice.get("/settings").text
    _work(app)
    with app.app_context():
        key = user_named("alice").avatar_key
    assert key
    name = key.rsplit("/", 1)[-1]
    with client.get(f"/avatars/{name}-96.webp") as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "image/webp"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert Image.open(io.BytesIO(answer.data)).size == (96, 72)
        assert "Set-Cookie" not in answer.headers
    assert f"/avatars/{name}-320.webp" in client.get("/people/alice").text
    assert f"/avatars/{name}-96.webp" in alice.get("/settings").text
    assert client.get(f"/avatars/{name}-95.webp").status_code == 404
    assert len(_files(app)) == 2, "the upload is gone"


def test_settings_say_when_nobody_works_on_the_picture(alice: FlaskClient, app: Flask) -> None:
    app.extensions["started_at"] -= 61
    assert "No worker has reported" not in alice.get("/settings").text
    _send_picture(alice, _picture())
    assert "No worker has reported for a minute" in alice.get("/settings").text
    _work(app)
    assert "No worker has reported" not in alice.get("/settings").text


def test_a_new_picture_replaces_the_files_of_the_old(alice: FlaskClient, app: Flask) -> None:
    for content in (_picture(), _picture((50, 50), "JPEG")):
        _send_picture(alice, content)
        _work(app)
    assert len(_files(app)) == 2
    alice.post("/settings/avatar/delete")
    _work(app)
    assert _files(app) == []


def test_a_file_that_is_no_picture_is_refused_at_once(alice: FlaskClient, app: Flask) -> None:
    assert _send_picture(alice, b"<svg onload=alert(1)>", "me.png") == 422
    assert alice.post("/settings/avatar", data={}).status_code == 422
    assert _files(app) == []


def test_a_broken_picture_fails_with_words_and_leaves_nothing(alice: FlaskClient, app: Flask) -> None:
    assert _send_picture(alice, _picture()[:200]) == 303
    _work(app)
    assert "damaged" in alice.get("/settings").text
    assert _files(app) == []


def test_a_picture_that_is_too_big_is_refused(alice: FlaskClient, app: Flask) -> None:
    head = b'--x\r\nContent-Disposition: form-data; name="picture"; filename="me.png"\r\n\r\n'
    body = head + _picture() + bytes(26_000_000) + b"\r\n--x--\r\n"
    answer = alice.post("/settings/avatar", data=body, content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 413
    assert _files(app) == []


def test_the_export_holds_what_the_site_knows(sign_up: SignUp) -> None:
    alice = sign_up("alice", is_musician="1", artist_name="Ala")
    answer = alice.get("/settings/export")
    assert answer.headers["Content-Disposition"] == "attachment; filename=alice.json"
    assert answer.headers["Cache-Control"] == "private, no-store"
    content = json.loads(answer.data)
    assert content["profile"]["email"] == "alice@example.com"
    assert len(content["sessions"]) == 1
    assert [artist["name"] for artist in content["artists"]] == ["Ala"]
    for secret in ("argon2", "token", "hash"):
        assert secret not in answer.text


def test_closing_an_account_frees_its_name(
    alice: FlaskClient, client: FlaskClient, sign_up: SignUp, app: Flask
) -> None:
    _send_picture(alice, _picture())
    _work(app)
    client.post("/login", data={"username": "alice", "password": PASSWORD})
    answer = alice.post("/settings/delete", data={"sure": "1", "delete_password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/")
    for browser in (alice, client):
        assert browser.get("/settings").status_code == 303
    assert client.get("/people/alice").status_code == 404
    _work(app)
    assert _files(app) == []
    with app.app_context():
        row = db.session.scalars(select(User)).one()
        assert row.deleted_at is not None
        assert "alice" not in f"{row.username} {row.username_key} {row.display_name} {row.email} {row.bio}"
        assert db.session.scalars(select(UserSession)).all() == []
    assert client.post("/login", data={"username": "alice", "password": PASSWORD}).status_code == 422
    again = sign_up("alice")
    assert again.get("/settings").status_code == 200


@pytest.mark.parametrize("form", [{"sure": "1", "delete_password": "wrong"}, {"delete_password": PASSWORD}, {}])
def test_closing_an_account_needs_the_password_and_the_box(alice: FlaskClient, form: dict[str, str]) -> None:
    assert alice.post("/settings/delete", data=form).status_code == 422
    assert alice.get("/settings").status_code == 200


@pytest.mark.parametrize(("wanted", "kept"), [("dark", "dark"), ("light", "light"), ("", ""), ("pink", "")])
def test_the_theme_is_kept_in_a_cookie(client: FlaskClient, wanted: str, kept: str) -> None:
    answer = client.post("/theme", data={"theme": wanted, "next": "/login"})
    assert (answer.status_code, answer.location) == (303, "/login")
    cookie = client.get_cookie("theme")
    assert (cookie.value if cookie else "") == kept
    page = client.get("/login").text
    assert (f'data-theme="{kept}"' in page) == bool(kept)
