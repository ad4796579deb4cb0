"""Forgotten passwords and addresses to confirm: what the links in mails do."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import TimestampSigner
from sqlalchemy import select

from musicapp.accounts import tokens
from musicapp.accounts.models import User
from musicapp.core.db import db
from musicapp.jobs.models import Job
from tests.accounts.conftest import PASSWORD, SignUp, user_named

pytestmark = pytest.mark.one_database

NEW = "battery staple"


def _reset_path(app: Flask, username: str = "alice") -> str:
    with app.app_context():
        user = user_named(username)
        return f"/reset/{tokens.make_reset_token(user.id, user.password_hash)}"


def _confirm_path(app: Flask, email: str) -> str:
    with app.app_context():
        return f"/confirm/{tokens.make_confirm_token(user_named('alice').id, email)}"


def _kinds(app: Flask) -> list[str]:
    with app.app_context():
        return list(db.session.scalars(select(Job.kind).order_by(Job.id)))


def _grow_old(monkeypatch: pytest.MonkeyPatch, seconds: int) -> None:
    now = TimestampSigner("x").get_timestamp()
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _self: now + seconds)


def test_forgot_says_the_same_for_everybody(alice: FlaskClient, client: FlaskClient, app: Flask) -> None:
    known = client.post("/forgot", data={"email": "ALICE@example.com"})
    assert _kinds(app).count("mail_reset_password") == 1
    unknown = client.post("/forgot", data={"email": "nobody@example.com"})
    assert _kinds(app).count("mail_reset_password") == 1
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace("alice@example.com", "X") == unknown.text.replace("nobody@example.com", "X")
    assert client.post("/forgot", data={"email": "alice"}).status_code == 422


def test_a_reset_link_works_once_and_signs_other_devices_out(
    alice: FlaskClient, client: FlaskClient, app: Flask
) -> None:
    path = _reset_path(app)
    for _ in range(2):  # a mail scanner, then the person
        assert client.get(path).status_code == 200
    assert client.post(path, data={"password": "short"}).status_code == 422
    assert (client.post(path, data={"password": NEW}).status_code) == 303
    assert client.get("/settings").status_code == 200
    assert alice.get("/settings").status_code == 303
    assert client.get(path).status_code == 410
    assert client.post(path, data={"password": "another one"}).status_code == 410
    stranger = app.test_client()
    assert stranger.post("/login", data={"username": "alice", "password": PASSWORD}).status_code == 422
    assert stranger.post("/login", data={"username": "alice", "password": NEW}).status_code == 303


def test_an_older_reset_link_dies_with_the_password(alice: FlaskClient, client: FlaskClient, app: Flask) -> None:
    first, second = _reset_path(app), _reset_path(app)
    client.post(second, data={"password": NEW})
    assert client.get(first).status_code == 410


def test_links_grow_old(alice: FlaskClient, client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    reset, confirm = _reset_path(app), _confirm_path(app, "alice@example.com")
    _grow_old(monkeypatch, tokens.RESET_SECONDS + 60)
    assert client.get(reset).status_code == 410
    assert client.get(confirm).status_code == 200
    _grow_old(monkeypatch, tokens.CONFIRM_SECONDS + 60)
    assert client.get(confirm).status_code == 410


@pytest.mark.parametrize("path", ["/reset/x", "/reset/WzEsIngiXQ.a.b", "/confirm/x"])
def test_forged_links_are_refused(alice: FlaskClient, client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 410
    assert client.post(path, data={"password": NEW}).status_code == 410


def test_a_link_of_one_kind_is_no_link_of_another(alice: FlaskClient, client: FlaskClient, app: Flask) -> None:
    confirm = _confirm_path(app, "alice@example.com")
    assert client.get(confirm.replace("/confirm/", "/reset/")).status_code == 410


def test_registering_asks_for_confirmation(alice: FlaskClient, app: Flask) -> None:
    assert _kinds(app) == ["mail_confirm_address"]
    assert "not confirmed yet" in alice.get("/settings").text


def test_opening_a_link_confirms_nothing_and_the_button_does(
    alice: FlaskClient, client: FlaskClient, app: Flask
) -> None:
    path = _confirm_path(app, "alice@example.com")
    page = client.get(path)
    assert "Confirm address" in page.text
    with app.app_context():
        assert user_named("alice").email_confirmed_at is None
    for _ in range(2):
        assert client.post(path).status_code == 303
    with app.app_context():
        assert user_named("alice").email_confirmed_at is not None
    assert "not confirmed yet" not in alice.get("/settings").text


def test_a_new_address_counts_once_it_is_confirmed(alice: FlaskClient, app: Flask) -> None:
    form = {"new_email": "New@example.com", "email_password": PASSWORD}
    assert alice.post("/settings/email", data=form).status_code == 303
    with app.app_context():
        assert user_named("alice").email == "alice@example.com"
    assert alice.post(_confirm_path(app, "new@example.com")).status_code == 303
    with app.app_context():
        user = user_named("alice")
        assert (user.email, user.pending_email) == ("new@example.com", None)
        assert user.email_confirmed_at is not None
    assert _kinds(app)[-1] == "mail_email_changed"
    assert alice.post(_confirm_path(app, "alice@example.com")).status_code == 410


def test_a_new_address_needs_the_password(alice: FlaskClient, app: Flask) -> None:
    answer = alice.post("/settings/email", data={"new_email": "new@example.com", "email_password": "wrong"})
    assert answer.status_code == 422
    assert "not your present password" in answer.text
    with app.app_context():
        assert user_named("alice").pending_email is None


def test_an_address_somebody_took_meanwhile_is_refused(alice: FlaskClient, sign_up: SignUp, app: Flask) -> None:
    alice.post("/settings/email", data={"new_email": "bob@example.com", "email_password": PASSWORD})
    sign_up("bob")
    alice.post(_confirm_path(app, "bob@example.com"))
    with app.app_context():
        assert user_named("alice").email == "alice@example.com"
        assert len(db.session.scalars(select(User)).all()) == 2
    form = {"new_email": "bob@example.com", "email_password": PASSWORD}
    assert "Another account has this address" in alice.post("/settings/email", data=form).text


def test_the_link_can_be_sent_again_until_it_was_used(alice: FlaskClient, app: Flask) -> None:
    alice.post("/settings/email/confirm")
    assert _kinds(app) == ["mail_confirm_address"] * 2
    alice.post(_confirm_path(app, "alice@example.com"))
    alice.post("/settings/email/confirm")
    assert _kinds(app) == ["mail_confirm_address"] * 2
