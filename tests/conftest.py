"""What every test shares: a real Redis, a migrated database, the app and the cast."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from musicapp import create_app
from tests.servers import REPOSITORY, MailSink, RedisServer, Site


@pytest.fixture(scope="session")
def short_dir() -> Iterator[Path]:
    """A folder whose path is short: a unix socket's may have 107 bytes."""
    folder = Path(tempfile.mkdtemp(prefix="ma-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def redis_server(short_dir: Path) -> Iterator[RedisServer]:
    server = RedisServer(short_dir)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    """A Redis that the test may stop."""
    folder = Path(tempfile.mkdtemp(prefix="ma-"))
    server = RedisServer(folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _migrated_database(short_dir: Path, redis_server: RedisServer) -> Path:
    """A SQLite file with all tables, made once by the real migrations and copied for each test."""
    instance = short_dir / "template"
    app = create_app({"INSTANCE_PATH": str(instance), "REDIS_URL": redis_server.url, "SECRET_KEY": "x"})
    with app.app_context():
        from flask_migrate import upgrade

        from musicapp.core.db import db

        upgrade(directory=str(REPOSITORY / "migrations"))
        db.session.remove()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("COMMIT")
            connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]
        db.engine.dispose()
    return instance / "musicapp.db"


@pytest.fixture
def environ(tmp_path: Path, redis_server: RedisServer, _migrated_database: Path) -> dict[str, str]:
    """The environment of an app of this test's own: database, media, mail folder and an emptied Redis."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    instance = tmp_path / "instance"
    instance.mkdir()
    database_url = _fresh_database(instance, _migrated_database)
    return {
        "INSTANCE_PATH": str(instance),
        "SECRET_KEY": secrets.token_hex(16),
        "REDIS_URL": redis_server.url,
        "DATABASE_URL": database_url,
        "SITE_URL": "http://localhost",
        "RATE_LIMITS": "false",
    }


def _fresh_database(instance: Path, migrated: Path) -> str:
    shutil.copy(migrated, instance / "musicapp.db")
    return f"sqlite:///{instance / 'musicapp.db'}"


@pytest.fixture
def app(environ: dict[str, str]) -> Iterator[Flask]:
    app = create_app(environ, TESTING=True)
    yield app
    from musicapp.core.db import db

    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def context(app: Flask) -> Iterator[Flask]:
    """The app with its context pushed, for tests of services and queries."""
    with app.app_context():
        yield app


@pytest.fixture
def mail_sink() -> Iterator[MailSink]:
    sink = MailSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def site(tmp_path: Path, own_redis: RedisServer, request: pytest.FixtureRequest) -> Iterator[Site]:
    """A site of real processes, none of them started yet. What they printed is shown when the test fails."""
    site = Site(tmp_path, own_redis)
    yield site
    site.stop()
    print(site.output())  # pytest shows it for failed tests only
