from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from musicapp import create_app
from musicapp.accounts import services
from musicapp.accounts.models import Invitation, User, UserSession
from musicapp.catalog.models import Artist, ArtistMember
from musicapp.core.db import db
from tests.accounts.conftest import PASSWORD, SignUp, user_named

pytestmark = pytest.mark.one_database

# What the database has no part in is tried on one kind only.
one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

ALICE = {"username": "alice", "email": "Alice@Example.com", "password": PASSWORD}


def _label(page: str, words: str) -> str:
    """The id of the field that a label names; so a label that names nothing fails."""
    match = re.search(rf'<label[^>]*for="([^"]+)"[^>]*>(?:<input[^>]*>)?(?:<span>)?{words}(?:</span>)?</label>', page)
    assert match, f"no label {words}"
    assert f'id="{match[1]}"' in page
    return match[1]


@one_database
def test_pages_name_their_fields_and_buttons(client: FlaskClient) -> None:
    page = client.get("/login").text
    assert [_label(page, words) for words in ("Username", "Password")]
    assert re.search(r"<button[^>]*>Log in</button>", page)
    page = client.get("/register").text
    assert [_label(page, w) for w in ("Username", "Email", "Password", "I publish music", "Artist name")]
    assert re.search(r"<button[^>]*>Create account</button>", page)


@one_database
def test_pages_have_no_inline_style_or_script(alice: FlaskClient, client: FlaskClient) -> None:
    pages = [client.get(path).text for path in ("/login", "/register", "/forgot")]
    for page in [*pages, alice.get("/settings").text, alice.get("/people/alice").text]:
        assert not re.search(r"\sstyle=|<style|\son\w+=|<script(?![^>]*\ssrc=)", page)


def test_registering_signs_in_and_lands_at_home(client: FlaskClient, app: Flask) -> None:
    answer = client.post("/register", data=ALICE)
    assert (answer.status_code, answer.location) == (303, "/")
    assert "alice" in client.get("/settings").text
    with app.app_context():
        user = user_named("alice")
        assert (user.email, user.role, user.email_confirmed_at) == ("alice@example.com", "user", None)
        assert user.password_hash.startswith("$argon2id$")


def test_a_musician_gets_an_artist_and_lands_in_the_studio(client: FlaskClient, app: Flask) -> None:
    answer = client.post("/register", data={**ALICE, "is_musician": "1", "artist_name": "Ala"})
    assert (answer.status_code, answer.location) == (303, "/studio/")
    with app.app_context():
        artist = db.session.scalars(select(Artist)).one()
        member = db.session.scalars(select(ArtistMember)).one()
        assert (artist.name, member.artist_id, member.user_id) == ("Ala", artist.id, user_named("alice").id)


def test_a_listener_gets_no_artist(client: FlaskClient, app: Flask) -> None:
    client.post("/register", data={**ALICE, "artist_name": "Ala"})
    with app.app_context():
        assert db.session.scalars(select(Artist)).all() == []


@one_database
@pytest.mark.parametrize(
    ("changed", "field", "words"),
    [
        ({"username": ""}, "username", "2 to 40 letters"),
        ({"username": "a b"}, "username", "2 to 40 letters"),
        ({"username": "al@ice"}, "username", "2 to 40 letters"),
        ({"username": "../etc"}, "username", "2 to 40 letters"),
        ({"email": "nowhere"}, "email", "no e-mail address"),
        ({"email": "a@b.c\r\nBcc: x@y.z"}, "email", "no e-mail address"),
        ({"password": "short"}, "password", "at least 8"),
        ({"password": "x" * 1001}, "password", "at most 1000"),
        ({"password": "Password1"}, "password", "among the first"),
        ({"password": "alice@example.com"}, "password", "your name or address"),
        ({"is_musician": "1"}, "artist_name", "Which name"),
    ],
)
def test_an_invalid_form_comes_back_with_words(
    client: FlaskClient, app: Flask, changed: dict[str, str], field: str, words: str
) -> None:
    answer = client.post("/register", data={**ALICE, **changed})
    assert answer.status_code == 422
    assert f'aria-describedby="field-{field}-' in answer.text or f"field-{field}-error" in answer.text
    assert words in answer.text
    assert PASSWORD not in answer.text
    with app.app_context():
        assert db.session.scalars(select(User)).all() == []


@one_database
@pytest.mark.parametrize("email", ["alice@nas.local", "alice@localhost", "a.b+c@example.org", "alice@müller.example"])
def test_addresses_inside_a_house_are_fine(client: FlaskClient, email: str) -> None:
    assert client.post("/register", data={**ALICE, "email": email}).status_code == 303


@pytest.mark.parametrize("username", ["ALICE", "ａｌｉｃｅ"])
def test_two_people_never_share_a_name(alice: FlaskClient, client: FlaskClient, username: str) -> None:
    answer = client.post("/register", data={**ALICE, "email": "other@example.com", "username": username})
    assert answer.status_code == 422
    assert "This username is taken" in answer.text


def test_a_taken_address_is_told(alice: FlaskClient, client: FlaskClient) -> None:
    answer = client.post("/register", data={**ALICE, "username": "bob"})
    assert answer.status_code == 422
    assert "There is an account with this address" in answer.text


@pytest.mark.parametrize("name", ["alice", "ALICE", " alice ", "alice@example.com", "Alice@Example.COM"])
def test_log_in_by_username_or_address(alice: FlaskClient, client: FlaskClient, name: str) -> None:
    answer = client.post("/login", data={"username": name, "password": PASSWORD})
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/settings").status_code == 200


@pytest.mark.parametrize(("username", "password"), [("alice", "wrong horse"), ("nobody", PASSWORD), ("alice", "")])
def test_wrong_sign_ins_tell_nothing(alice: FlaskClient, client: FlaskClient, username: str, password: str) -> None:
    answer = client.post("/login", data={"username": username, "password": password})
    assert answer.status_code == 422
    assert client.get("/settings").status_code == 303
    if password:
        assert "Username and password don&#39;t fit together" in answer.text


def test_the_session_id_changes_at_sign_in(alice: FlaskClient, app: Flask) -> None:
    with alice.session_transaction() as session:
        first = session["_user_id"]
    alice.post("/login", data={"username": "alice", "password": PASSWORD})
    with alice.session_transaction() as session:
        assert session["_user_id"] != first
    with app.app_context():
        rows = db.session.scalars(select(UserSession).order_by(UserSession.id)).all()
        assert [row.revoked_at is None for row in rows] == [False, True]
        assert first not in {row.token_hash for row in rows}


def test_logging_out_ends_the_session_itself(alice: FlaskClient, app: Flask) -> None:
    stolen = alice.get_cookie("session")
    assert stolen is not None
    assert alice.post("/logout").status_code == 303
    assert alice.get("/settings").status_code == 303
    thief = app.test_client()
    thief.set_cookie("session", stolen.value)
    assert thief.get("/settings").status_code == 303


@one_database
def test_logging_out_needs_a_post(alice: FlaskClient) -> None:
    assert alice.get("/logout").status_code == 405


def test_a_suspended_account_is_told(alice: FlaskClient, client: FlaskClient, app: Flask) -> None:
    from musicapp.core.db import utc_now

    with app.app_context():
        user_named("alice").suspended_at = utc_now()
        db.session.commit()
    answer = client.post("/login", data={"username": "alice", "password": PASSWORD})
    assert answer.status_code == 422
    assert "suspended" in answer.text


def test_a_weaker_hash_is_renewed_at_sign_in(alice: FlaskClient, client: FlaskClient, app: Flask) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024).hash(PASSWORD)
    with app.app_context():
        user_named("alice").password_hash = weak
        db.session.commit()
    assert client.post("/login", data={"username": "alice", "password": PASSWORD}).status_code == 303
    with app.app_context():
        renewed = user_named("alice").password_hash
    assert renewed != weak
    assert client.post("/login", data={"username": "alice", "password": PASSWORD}).status_code == 303


@one_database
@pytest.mark.parametrize("target", ["/studio/", "/albums/3?tab=1", "/people/älice"])
def test_next_leads_back(alice: FlaskClient, client: FlaskClient, target: str) -> None:
    answer = client.post("/login", data={"username": "alice", "password": PASSWORD, "next": target})
    assert client.get("/login").status_code == 303
    assert answer.location is not None
    assert answer.location.startswith(target[:8])


@one_database
@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil",
        "/\t/evil.example",
        "javascript:alert(1)",
        "",
    ],
)
def test_next_never_leads_away(alice: FlaskClient, client: FlaskClient, target: str) -> None:
    answer = client.post("/login", data={"username": "alice", "password": PASSWORD, "next": target})
    assert answer.location == "/"


@pytest.mark.parametrize("door", ["closed", "invitation"])
def test_registration_can_be_shut(environ: dict[str, str], door: str) -> None:
    client = create_app({**environ, "REGISTRATION": door}, TESTING=True).test_client()
    assert client.get("/register").status_code == 403
    assert client.post("/register", data=ALICE).status_code == 403


def test_an_invitation_works_once(environ: dict[str, str]) -> None:
    app = create_app({**environ, "REGISTRATION": "invitation"}, TESTING=True)
    with app.app_context():
        token = services.invite(email=None)
        db.session.commit()
        assert db.session.scalars(select(Invitation)).one().token_hash != token
    client = app.test_client()
    assert f'value="{token}"' in client.get(f"/register?invitation={token}").text
    assert client.post("/register", data={**ALICE, "invitation": token}).status_code == 303
    bob = {**ALICE, "username": "bob", "email": "bob@example.com", "invitation": token}
    assert app.test_client().post("/register", data=bob).status_code == 403
    with app.app_context():
        assert [user.username for user in db.session.scalars(select(User))] == ["alice"]
        assert db.session.scalars(select(Invitation)).one().used_by_id == user_named("alice").id
        db.session.remove()
        db.engine.dispose()


def test_an_invitation_for_one_address_fits_no_other(environ: dict[str, str]) -> None:
    app = create_app({**environ, "REGISTRATION": "invitation"}, TESTING=True)
    with app.app_context():
        token = services.invite(email="alice@example.com")
        db.session.commit()
    client = app.test_client()
    assert 'value="alice@example.com"' in client.get(f"/register?invitation={token}").text
    answer = client.post("/register", data={**ALICE, "email": "eve@example.com", "invitation": token})
    assert answer.status_code == 422
    assert "for another address" in answer.text
    assert client.post("/register", data={**ALICE, "invitation": token}).status_code == 303


def test_a_failing_handler_leaves_no_account(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    from musicapp.accounts.events import UserRegistered

    def fail(_event: UserRegistered) -> None:
        raise RuntimeError("no artist today")

    monkeypatch.setitem(app.extensions["event_handlers"], UserRegistered, [fail])
    with pytest.raises(RuntimeError, match="no artist"):
        app.test_client().post("/register", data=ALICE)
    with app.app_context():
        assert db.session.scalars(select(User)).all() == []


@one_database
def test_a_form_of_another_site_is_refused(alice: FlaskClient, sign_up: SignUp) -> None:
    answer = alice.post("/logout", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert alice.get("/settings").status_code == 200
