"""The cast: alice owns, bob listens, charlie must see nothing, admin runs the place. Without the price of argon2."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from musicapp.accounts import services as accounts
from musicapp.core.db import db


def register(app: Flask, name: str, *, artist_name: str | None = None, role: str = "user") -> int:
    """Makes a user with a confirmed address, through the real service and its handlers; returns the id."""
    with app.app_context():
        user = accounts.register(
            username=name,
            email=f"{name}@example.org",
            password_hash="x",
            artist_name=artist_name,
            role=role,
            is_email_confirmed=True,
        )
        user_id = user.id
        db.session.commit()
        return user_id


def sign_in(app: Flask, user_id: int) -> FlaskClient:
    """A browser of its own that is signed in."""
    client = app.test_client()
    with app.app_context():
        token = accounts.open_session(user_id, device="test", ip_address="127.0.0.1")
        db.session.commit()
    with client.session_transaction() as session:
        session["_user_id"] = token
        session["_fresh"] = True
    return client
