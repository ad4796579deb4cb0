from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from musicapp.accounts.models import User
from musicapp.core.db import db

ALICE = {"username": "alice", "email": "alice@example.com", "password": "correct horse"}


def test_registering_signs_in_and_lands_at_home(client: FlaskClient, app: Flask) -> None:
    answer = client.post("/register", data=ALICE)
    assert (answer.status_code, answer.location) == (303, "/")
    assert client.get("/jobs/workers").status_code == 200
    with app.app_context():
        user = db.session.scalars(select(User)).one()
        assert (user.username, user.email, user.role) == ("alice", "alice@example.com", "user")
        assert user.password_hash.startswith("$argon2id$")
        assert user.email_confirmed_at is None


def test_login_page_names_its_fields(client: FlaskClient) -> None:
    page = client.get("/login").text
    for words in (">Username</label>", ">Password</label>", ">Log in</button>"):
        assert words in page
    page = client.get("/register").text
    for words in (
        ">Username</label>",
        ">Email</label>",
        ">Password</label>",
        "I publish music",
        ">Artist name</label>",
    ):
        assert words in page
    assert ">Create account</button>" in page
