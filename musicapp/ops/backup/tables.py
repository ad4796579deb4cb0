"""Rows of any database as lists of plain values, and back. Tables are as the database has them, not as models say.

So an old backup is read at its own migration, and tables of other packages come along.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Float,
    LargeBinary,
    MetaData,
    Numeric,
    Table,
    column,
    func,
    insert,
    select,
    table,
    text,
)
from sqlalchemy.types import NullType, TypeEngine

from musicapp.core.db import UtcDateTime

ROWS_AT_ONCE = 1000
NOT_OURS_TO_KEEP = ("alembic_version", "search_index", "sqlite_")
"""Beginnings of names: the migration stands in the manifest, and triggers fill what finds."""

KINDS: dict[str, TypeEngine[Any]] = {
    "instant": UtcDateTime(),
    "date": Date(),
    "json": JSON(none_as_null=True),
    "bytes": LargeBinary(),
    "bool": Boolean(),
    "int": BigInteger(),
    "float": Float(),
    "decimal": Numeric(),
    "text": NullType(),  # a cast to text would not fit into a column of an enumeration of PostgreSQL's
}
_BY_PYTHON = {
    datetime: "instant",
    date: "date",
    bytes: "bytes",
    bool: "bool",
    int: "int",
    float: "float",
    Decimal: "decimal",
}


def tables_now(connection: Connection) -> list[Table]:
    """The tables that hold something of the site, those that others refer to first."""
    found = MetaData()
    found.reflect(connection, only=lambda name, _: not name.startswith(NOT_OURS_TO_KEEP))
    return found.sorted_tables


def columns_of(a_table: Table) -> list[tuple[str, str]]:
    """(name, kind) of its columns."""
    return [(each.name, _kind(each)) for each in a_table.columns]


def _kind(each: Column[Any]) -> str:
    if isinstance(each.type, JSON):
        return "json"
    return _BY_PYTHON.get(each.type.python_type, "text")


def rows_of(connection: Connection, a_table: Table) -> Iterator[list[Any]]:
    """All rows in the order of their key, as plain values."""
    kinds = [kind for _, kind in columns_of(a_table)]
    # As core.db keeps instants; a reflected DATETIME of SQLite's would have no zone.
    typed = table(a_table.name, *(column(name, KINDS[kind]) for name, kind in columns_of(a_table)))
    statement = select(*typed.columns).order_by(*(typed.columns[key.name] for key in a_table.primary_key))
    for row in connection.execution_options(yield_per=ROWS_AT_ONCE).execute(statement):
        yield [_plain(value, kind) for value, kind in zip(row, kinds, strict=True)]


def _plain(value: Any, kind: str) -> Any:
    if value is None or kind in {"json", "bool", "int", "float", "text"}:
        return value
    if kind == "instant":
        return value.astimezone(UTC).isoformat()
    if kind == "bytes":
        return base64.b64encode(value).decode()
    if kind == "decimal":
        return format(value.normalize(), "f")
    return value.isoformat()


def load(connection: Connection, name: str, columns: list[tuple[str, str]], rows: Iterable[list[Any]]) -> int:
    """Writes rows into an empty table; returns how many. Raises what the database says of a row that it refuses."""
    names = [each for each, _ in columns]
    kinds = [kind for _, kind in columns]
    # A bare table: no default of a model fills in what was NULL.
    target = table(name, *(column(each, KINDS[kind]) for each, kind in columns))
    count = 0
    waiting = iter(rows)
    while batch := list(islice(waiting, ROWS_AT_ONCE)):
        values = [
            {each: _value(value, kind) for each, kind, value in zip(names, kinds, row, strict=True)} for row in batch
        ]
        connection.execute(insert(target), values)
        count += len(batch)
    return count


def _value(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "instant":
        return datetime.fromisoformat(value)
    if kind == "date":
        return date.fromisoformat(value)
    if kind == "decimal":
        return Decimal(value)
    return base64.b64decode(value) if kind == "bytes" else value


def count_rows(connection: Connection, name: str) -> int:
    return connection.scalar(select(func.count()).select_from(table(name))) or 0


def last_id(connection: Connection, a_table: Table) -> int | None:
    """The highest id the table ever gave, also to rows that are gone; None for a table without numbers of its own."""
    if connection.dialect.name == "sqlite":
        if not connection.scalar(text("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_sequence'")):
            return None
        found = connection.scalar(text("SELECT seq FROM sqlite_sequence WHERE name = :name"), {"name": a_table.name})
        return None if found is None else int(found)
    sequence = _sequence(connection, a_table)
    if sequence is None:
        return None
    given: int | None = connection.scalar(
        text("SELECT pg_sequence_last_value(CAST(:sequence AS regclass))"), {"sequence": sequence}
    )
    return given


def set_last_id(connection: Connection, a_table: Table, number: int) -> None:
    """The next row gets a higher id: what names a row that is gone must never mean a new one."""
    if connection.dialect.name == "sqlite":
        # "sqlite_sequence" has no unique key to conflict with
        connection.execute(text("DELETE FROM sqlite_sequence WHERE name = :name"), {"name": a_table.name})
        values = {"name": a_table.name, "seq": number}
        connection.execute(text("INSERT INTO sqlite_sequence (name, seq) VALUES (:name, :seq)"), values)
        return
    sequence = _sequence(connection, a_table)
    if sequence is not None:
        values = {"sequence": sequence, "number": number}
        connection.execute(text("SELECT setval(CAST(:sequence AS regclass), :number)"), values)


def _sequence(connection: Connection, a_table: Table) -> str | None:
    if "id" not in a_table.columns:
        return None
    found: str | None = connection.scalar(
        text("SELECT pg_get_serial_sequence(:name, 'id')"), {"name": f'"{a_table.name}"'}
    )
    return found
