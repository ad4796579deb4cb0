"""What every test shares: a real Redis, a migrated database of either kind, the app, an SMTP sink."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import Connection, Engine, event
from werkzeug.routing import Rule
from xdist.scheduler import LoadScopeScheduling

from musicapp import create_app
from musicapp.core.db import db
from tests.servers import REPOSITORY, MailSink, PostgresServer, RedisServer, Site


class CompiledOnce(Rule):
    """An address whose builders are compiled once for all apps of the run: that is most of what making an app takes."""

    _compiled: dict[Any, Any] = {}

    def _compile_builder(self, append_unknown: bool = True) -> Any:
        # The function that comes out takes the rule as an argument, so rules of one form can share it.
        key = (tuple(self._trace), repr(self.defaults), append_unknown)
        if key not in self._compiled:
            self._compiled[key] = super()._compile_builder(append_unknown)
        return self._compiled[key]


Flask.url_rule_class = CompiledOnce

ALONE = (
    "tests/e2e/test_gapless.py",
    "tests/e2e/front_end/test_joined_tracks.py",
    "tests/run/test_second_start.py",
)
"""They record what a browser plays, which stutters when a neighbour takes both cores, or look at a clock."""

_engines: WeakSet[Engine] = WeakSet()


class TestsByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Tests of one file share a process where several run. All browser tests are one group.

    Two browsers at once would wait for each other, and beside the others one is all that two cores can do. xdist's own
    groups (loadgroup) are lost with pytest 9: it no longer reads the name that they are written into.
    """

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ALONE):
            return "alone"
        return "browser" if nodeid.startswith("tests/e2e/") else nodeid.partition("::")[0]

    def _reschedule(self, node: Any) -> None:
        # the last process takes the group that wants no neighbour; those before it end instead
        if list(self.workqueue) == ["alone"] and any(n is not node and not n.shutting_down for n in self.nodes):
            node.shutdown()
        else:
            super()._reschedule(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return TestsByFile(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Doors whose statements are tested elsewhere on both databases (mark `one_database`) run on SQLite only.

    Browsers begin first: they take longest. Last comes what wants no neighbour.
    """
    twice = [item for item in items if item.get_closest_marker("one_database") and _database(item) == "postgresql"]
    config.hook.pytest_deselected(items=twice)
    left_out = set(twice)
    items[:] = [item for item in items if item not in left_out]
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: (item.nodeid.startswith(ALONE), not item.nodeid.startswith("tests/e2e/")))


def _database(item: pytest.Item) -> str | None:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("database_url") if callspec else None


@event.listens_for(Engine, "engine_connect")
def _note_engine(connection: Connection) -> None:
    _engines.add(connection.engine)


@pytest.fixture(autouse=True)
def connections_given_back() -> Iterator[None]:
    """A test that makes an app of its own need not close it: psycopg warns of connections that are just dropped."""
    yield
    for engine in list(_engines):
        engine.dispose()
    _engines.clear()


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
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL; its tests are skipped where it isn't on PATH, and CI says that it must be."""
    folder = Path(tempfile.mkdtemp(prefix="ma-"))
    try:
        server = PostgresServer(folder)
    except FileNotFoundError as error:
        if os.environ.get("MUSICAPP_REQUIRE_POSTGRES"):
            raise
        pytest.skip(f"PostgreSQL is not here: {error} is not on PATH")
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def _migrate(environ: dict[str, str]) -> None:
    app = create_app(environ)
    with app.app_context():
        upgrade(directory=str(REPOSITORY / "migrations"))
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def migrated_sqlite(short_dir: Path) -> Path:
    """A SQLite file with all tables, made once by the real migrations and copied for each test."""
    _migrate({"INSTANCE_PATH": str(short_dir / "template"), "SECRET_KEY": "x"})
    return short_dir / "template" / "musicapp.db"


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: PostgresServer, short_dir: Path) -> PostgresServer:
    """A database `migrated` with all tables, the template of each test's own."""
    postgres_server.execute("CREATE DATABASE migrated")
    _migrate(
        {
            "INSTANCE_PATH": str(short_dir / "template-postgres"),
            "SECRET_KEY": "x",
            "DATABASE_URL": postgres_server.url("migrated"),
        }
    )
    return postgres_server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty migrated database of this test's own. Whatever touches the database runs on both kinds."""
    if request.param == "sqlite":
        migrated: Path = request.getfixturevalue("migrated_sqlite")
        shutil.copy(migrated, tmp_path / "musicapp.db")
        return f"sqlite:///{tmp_path / 'musicapp.db'}"
    server: PostgresServer = request.getfixturevalue("migrated_postgres")
    return server.emptied("test", template="migrated")


@pytest.fixture
def environ(tmp_path: Path, redis_server: RedisServer, database_url: str) -> dict[str, str]:
    """The environment of an app of this test's own: database, media, mail folder and an emptied Redis."""
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return {
        "INSTANCE_PATH": str(tmp_path / "instance"),
        "SECRET_KEY": secrets.token_hex(16),
        "REDIS_URL": redis_server.url,
        "DATABASE_URL": database_url,
        "SITE_URL": "http://localhost",
        "RATE_LIMITS": "false",
    }


@pytest.fixture(scope="session")
def compiled_templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates compiled once for all apps of the run: else each app's first page spends four fifths on that."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(environ: dict[str, str], compiled_templates: FileSystemBytecodeCache) -> Iterator[Flask]:
    app = create_app(environ, TESTING=True)
    app.jinja_env.bytecode_cache = compiled_templates
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()
    if "live_hub" in app.extensions:
        app.extensions["live_hub"].stop()
        app.extensions["live_hub"].wait_until_stopped()
    if "live_publisher" in app.extensions:
        app.extensions["live_publisher"].close()


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
def site(tmp_path: Path, own_redis: RedisServer) -> Iterator[Site]:
    """A site of real processes, none of them started yet. What they printed is shown when the test fails."""
    site = Site(tmp_path, own_redis)
    yield site
    site.stop()
    print(site.output())  # pytest shows it for failed tests only
