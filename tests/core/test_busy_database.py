"""A database that is away for a moment is said in words, to people and to programs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from musicapp import create_app
from musicapp.core.db import db
from tests.people import register, sign_in
from tests.servers import RedisServer


@pytest.fixture
def alice_without_a_database(
    app: Flask, environ: dict[str, str], tmp_path: Path, redis_server: RedisServer
) -> Iterator[FlaskClient]:
    """alice's browser, on a site whose database can't be opened and whose Redis knows nobody."""
    browser = sign_in(app, register(app, "alice"))
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    away = create_app({**environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'nowhere' / 'no.db'}"})
    browser.application = away
    yield browser
    with away.app_context():
        db.engine.dispose()
    away.extensions["redis"].close()


@pytest.mark.parametrize("path", ["/", "/albums/1", "/settings", "/tracks/1/stream"])
def test_page_without_a_database_says_try_again(alice_without_a_database: FlaskClient, path: str) -> None:
    answer = alice_without_a_database.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "very busy just now" in answer.text


def test_program_without_a_database_is_told_the_same(alice_without_a_database: FlaskClient) -> None:
    answer = alice_without_a_database.post("/plays", data="[]")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "nothing was saved" in answer.json["error"]
