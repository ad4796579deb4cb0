"""The database: one `db`, one naming of constraints, one notion of an instant.

On SQLite a reading request opens a deferred transaction and a writing one takes the write lock at once: a
deferred one that upgrades loses its snapshot and fails with "database is locked" however long it waits.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from flask import has_request_context, request
from flask_sqlalchemy import SQLAlchemy
from gevent.monkey import is_module_patched
from sqlalchemy import DateTime, Dialect, Engine, MetaData, TypeDecorator, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.orm import DeclarativeBase, registry

LARGEST_ID = 2**31 - 1
"""What an INTEGER column holds on PostgreSQL; numbers from outside are compared with ids only up to here."""


def row_id(text: str) -> int:
    """For request.args.get(..., type=row_id): an id, or ValueError, which makes it None."""
    number = int(text)
    if not 0 <= number <= LARGEST_ID:
        raise ValueError("no id")
    return number


NAMING = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def utc_now() -> datetime:
    """The present instant, aware, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant. Stored as UTC; SQLite drops zones, so they are put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("An instant needs a time zone: use utc_now().")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)  # type: ignore[no-any-return]


class Base(DeclarativeBase):
    registry = registry(metadata=MetaData(naming_convention=NAMING), type_annotation_map={datetime: UtcDateTime})

    @classmethod
    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        table = cls.__dict__.get("__table__")
        if table is not None and table.columns.get("id") is not None:
            # SQLite would give the id of a deleted last row to the next one, and with it whatever names the old row:
            # a job's unique key, plays, a picture that browsers keep for a year.
            table.dialect_options["sqlite"]["autoincrement"] = True


db = SQLAlchemy(model_class=Base)

_reading: ContextVar[bool] = ContextVar("musicapp_reading", default=False)


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun inside take no write lock: for workers and the live hub, and for a POST's pages of refusal.

    Also a decorator. A transaction that is open already stays what it is: end it first.
    """
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


def _only_reads() -> bool:
    if _reading.get():
        return True
    return has_request_context() and request.method in {"GET", "HEAD", "OPTIONS"}


@event.listens_for(db.session, "after_begin")
def _note_begin(session: Any, _transaction: Any, _connection: Any) -> None:
    # Savepoints come here too; what counts is the outermost transaction, whose snapshot they share.
    if not session.in_nested_transaction():
        session.info["begun"] = (time.monotonic(), _only_reads())


@event.listens_for(db.session, "after_transaction_end")
def _forget_begin(session: Any, transaction: Any) -> None:
    if transaction.parent is None:
        session.info.pop("begun", None)


def seconds_of_reading() -> float | None:
    """How old the present transaction is, which reads only; 0.0 before it has begun. None inside one that writes."""
    begun_at, only_reads = db.session().info.get("begun", (time.monotonic(), True))
    return time.monotonic() - begun_at if only_reads and _only_reads() else None


def listen_to_engine(engine: Engine) -> None:
    """Sets up the SQLite side of an engine; other databases are left alone."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        # In a gevent process everybody waits with the writer, so it gives up sooner.
        patience_ms = 5_000 if is_module_patched("socket") else 30_000
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={patience_ms}", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN" if _only_reads() else "BEGIN IMMEDIATE")


def is_sqlite() -> bool:
    return db.engine.dialect.name == "sqlite"


def insert_into(table: Any) -> Any:
    """An INSERT of the database in use, which can say ON CONFLICT; both spell it alike. `table`: or its model."""
    return sqlite_insert(table) if is_sqlite() else postgresql_insert(table)
