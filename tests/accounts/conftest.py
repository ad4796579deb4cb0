from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from musicapp import create_app
from musicapp.accounts.models import User
from musicapp.core.db import db
from tests.servers import RedisServer

PASSWORD = "correct horse"

SignUp = Callable[..., FlaskClient]


@pytest.fixture
def sign_up(app: Flask) -> SignUp:
    """Registers somebody and returns their browser."""

    def register(username: str = "alice", **more: str) -> FlaskClient:
        browser = app.test_client()
        form = {"username": username, "email": f"{username}@example.com", "password": PASSWORD, **more}
        answer = browser.post("/register", data=form)
        assert answer.status_code == 303, answer.text
        return browser

    return register


@pytest.fixture
def alice(sign_up: SignUp) -> FlaskClient:
    return sign_up("alice")


@pytest.fixture
def limited_app(environ: dict[str, str], own_redis: RedisServer) -> Iterator[Flask]:
    """An app that counts visits, on a Redis that the test may stop."""
    app = create_app(
        {
            **environ,
            "REDIS_URL": own_redis.url,
            "RATE_LIMITS": "true",
            "LOGIN_RATE_LIMIT": "3 per minute",
            "REGISTER_RATE_LIMIT": "2 per hour",
            "RESET_RATE_LIMIT": "2 per hour",
        },
        TESTING=True,
    )
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


def user_named(username: str) -> User:
    """The row, in the pushed context."""
    return db.session.scalars(select(User).where(User.username == username)).one()
