from __future__ import annotations

import re

import pytest
from flask import Flask

from musicapp.accounts.passwords import password_matches
from musicapp.core.db import db
from tests.accounts.conftest import PASSWORD, SignUp, user_named


def test_an_admin_is_made_and_may_log_in(app: Flask) -> None:
    ran = app.test_cli_runner().invoke(
        args=["user", "create-admin"], input=f"root\nroot@example.com\n{PASSWORD}\n{PASSWORD}\n"
    )
    assert ran.exit_code == 0, ran.output
    assert "root is an admin now." in ran.output
    assert PASSWORD not in ran.output
    with app.app_context():
        user = user_named("root")
        assert user.role == "admin"
        assert user.email_confirmed_at is not None
    assert app.test_client().post("/login", data={"username": "root", "password": PASSWORD}).status_code == 303


@pytest.mark.parametrize("environ_password", [True, False])
def test_an_admin_is_made_without_questions(app: Flask, environ_password: bool) -> None:
    args = ["user", "create-admin", "--username", "root", "--email", "root@example.com"]
    env = {"MUSICAPP_PASSWORD": PASSWORD} if environ_password else None
    ran = app.test_cli_runner().invoke(args=args if environ_password else [*args, "--password", PASSWORD], env=env)
    assert ran.exit_code == 0, ran.output


def test_a_taken_name_is_told_in_one_line(app: Flask, sign_up: SignUp) -> None:
    sign_up("alice")
    args = ["user", "create-admin", "--username", "Alice", "--email", "a@example.com", "--password", PASSWORD]
    ran = app.test_cli_runner().invoke(args=args)
    assert ran.exit_code == 1
    assert ran.output == "Error: username: This username is taken. Try another one.\n"


def test_an_invitation_is_printed_as_a_link(app: Flask) -> None:
    ran = app.test_cli_runner().invoke(args=["user", "invite", "--email", "Bob@example.com"])
    assert ran.exit_code == 0, ran.output
    match = re.search(r"^http://localhost(/register\?invitation=\S+)$", ran.output, re.MULTILINE)
    assert match
    app.config["REGISTRATION"] = "invitation"
    assert 'value="bob@example.com"' in app.test_client().get(match[1]).text


def test_a_password_is_reset_and_devices_are_signed_out(app: Flask, sign_up: SignUp) -> None:
    alice = sign_up("alice")
    args = ["user", "reset-password", "alice@example.com", "--password", "battery staple"]
    ran = app.test_cli_runner().invoke(args=args)
    assert ran.exit_code == 0, ran.output
    assert alice.get("/settings").status_code == 303
    with app.app_context():
        password_hash = user_named("alice").password_hash
        db.session.rollback()
        assert password_matches(password_hash, "battery staple")
    assert app.test_cli_runner().invoke(args=["user", "reset-password", "nobody", "--password", "x" * 9]).exit_code == 1
