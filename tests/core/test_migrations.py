"""Migrations: what they make is what the models say, and they keep every row, on both kinds of database."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade, upgrade
from sqlalchemy import CheckConstraint, Column, MetaData, Table, func, insert, inspect, select

from musicapp import create_app
from musicapp.core.db import db
from musicapp.search.models import is_model_table
from tests.servers import REPOSITORY, PostgresServer

MIGRATIONS = str(REPOSITORY / "migrations")
REVISIONS = [script.revision for script in ScriptDirectory(MIGRATIONS).walk_revisions()][::-1]

# Where a check allows only certain words.
WORDS = {
    ("albums", "kind"): "album",
    ("announcements", "state"): "draft",
    ("artist_members", "role"): "owner",
    ("celery_intervalschedule", "period"): "days",
    ("celery_solarschedule", "event"): "sunrise",
    ("deliveries", "state"): "waiting",
    ("digest_entries", "frequency"): "daily",
    ("jobs", "state"): "queued",
    ("notification_preferences", "frequency"): "now",
    ("periodic_runs", "state"): "running",
    ("play_queues", "repeat"): "off",
    ("playlist_invitations", "role"): "editor",
    ("playlist_members", "role"): "owner",
    ("playlists", "visibility"): "private",
    ("reports", "state"): "open",
    ("reports", "subject_kind"): "album",
    ("search_entries", "kind"): "track",
    ("uploads", "state"): "received",
    ("users", "role"): "user",
}
VALUES: dict[type, Any] = {
    int: 1,
    str: "x",
    float: 0.5,
    Decimal: 0.5,
    bool: True,
    datetime: datetime(2026, 3, 1, 12, tzinfo=UTC),
    date: date(2026, 3, 1),
    dict: {},
    object: {},  # JSON, as PostgreSQL reflects it
}


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_app(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """An app whose database has no tables yet, with its context pushed."""
    environ = {"INSTANCE_PATH": str(tmp_path / "instance"), "SECRET_KEY": "x"}
    name = f"empty_{secrets.token_hex(6)}"
    server: PostgresServer | None = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres_server")
        server.execute(f"CREATE DATABASE {name}")
        environ["DATABASE_URL"] = server.url(name)
    app = create_app(environ, TESTING=True)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()
    if server is not None:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def tables_now() -> list[Table]:
    """The tables as the database has them, parents first; without those that find, which triggers fill."""
    found = MetaData()
    found.reflect(db.engine, only=lambda name, _: is_model_table(name, "table", {}))
    return [table for table in found.sorted_tables if table.name != "alembic_version"]


def value_for(table: Table, column: Column[Any]) -> Any:
    return WORDS.get((table.name, column.name), VALUES[column.type.python_type])


def add_a_row_to_every_table() -> dict[str, int]:
    """Row 1 of each table that has none yet; every reference points at a row 1. Returns table -> rows."""
    tables = tables_now()
    with db.engine.begin() as connection:
        for table in tables:
            if connection.scalar(select(func.count()).select_from(table)) == 0:
                values = {column.name: value_for(table, column) for column in table.columns}
                connection.execute(insert(table).values(values))
    return row_counts()


def row_counts() -> dict[str, int]:
    tables = tables_now()
    with db.engine.connect() as connection:
        return {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


def broken_references() -> list[Any]:
    """What SQLite says about references; PostgreSQL lets none be broken."""
    if db.engine.dialect.name != "sqlite":
        return []
    with db.engine.connect() as connection:
        return list(connection.exec_driver_sql("PRAGMA foreign_key_check"))


def test_migrated_database_is_what_the_models_say(context: Flask) -> None:
    with db.engine.connect() as connection:
        compared = MigrationContext.configure(
            connection,
            opts={
                "compare_type": True,
                "compare_server_default": True,
                "target_metadata": db.metadata,
                "include_name": is_model_table,
            },
        )
        assert compare_metadata(compared, db.metadata) == []


def test_migrated_database_has_the_checks_of_the_models(context: Flask) -> None:
    inspector = inspect(db.engine)
    for name, table in db.metadata.tables.items():
        declared = sorted(str(check.name) for check in table.constraints if isinstance(check, CheckConstraint))
        assert sorted(str(check["name"]) for check in inspector.get_check_constraints(name)) == declared, name


def test_every_migration_keeps_every_row_there_and_back(empty_app: Flask) -> None:
    upgrade(MIGRATIONS, revision=REVISIONS[0])
    for revision in REVISIONS[1:]:
        before = add_a_row_to_every_table()
        upgrade(MIGRATIONS, revision=revision)
        assert {name: rows for name, rows in row_counts().items() if name in before} == before, revision
        assert broken_references() == []
    before = add_a_row_to_every_table()
    assert set(before.values()) == {1}
    for revision in REVISIONS[-2::-1]:
        downgrade(MIGRATIONS, revision=revision)
        assert {name: rows for name, rows in row_counts().items() if name in before} == row_counts(), revision
        assert broken_references() == []
    downgrade(MIGRATIONS, revision="base")
    assert tables_now() == []


def test_large_quota_does_not_stop_a_downgrade(empty_app: Flask) -> None:
    upgrade(MIGRATIONS, revision="0002")
    add_a_row_to_every_table()
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE users SET quota_bytes = 53687091200")
    downgrade(MIGRATIONS, revision="0001")
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT quota_bytes FROM users").scalar() is None
