"""Writes rows by the hundred thousand, past the ORM: executemany on SQLite, COPY on PostgreSQL."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import JSON, Boolean, Column, Date, Engine, MetaData, Table

from bench.library_music import NOW, Row
from musicapp.core.db import UtcDateTime

Convert = Callable[[Any], Any]


def fill(engine: Engine, metadata: MetaData, tables: Iterator[tuple[str, Iterator[Row]]]) -> dict[str, int]:
    """Writes all tables in one transaction; {table: rows}. Foreign keys are checked on both databases."""
    write = _fill_sqlite if engine.dialect.name == "sqlite" else _fill_postgres
    connection = engine.raw_connection()
    try:
        driver: Any = connection.driver_connection
        return write(driver, ((metadata.tables[name], rows) for name, rows in tables))
    finally:
        connection.close()


def _fill_sqlite(driver: sqlite3.Connection, tables: Iterator[tuple[Table, Iterator[Row]]]) -> dict[str, int]:
    written = {}
    # Checked once at the end instead of per row; a library that a crash spoils is made again.
    driver.execute("PRAGMA foreign_keys=OFF")
    driver.execute("PRAGMA synchronous=OFF")
    driver.execute("BEGIN IMMEDIATE")
    for table, rows in tables:
        lines = _Lines(table, rows, _sqlite_converters)
        marks = ", ".join("?" * len(lines.columns))
        driver.executemany(f"INSERT INTO {table.name} ({', '.join(lines.columns)}) VALUES ({marks})", lines)
        written[table.name] = lines.count
    broken = driver.execute("PRAGMA foreign_key_check").fetchmany(5)
    if broken:
        raise RuntimeError(f"rows without what they belong to: {broken}")
    driver.execute("COMMIT")
    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    driver.execute("PRAGMA synchronous=NORMAL")
    driver.execute("PRAGMA foreign_keys=ON")
    return written


def _fill_postgres(driver: psycopg.Connection[Any], tables: Iterator[tuple[Table, Iterator[Row]]]) -> dict[str, int]:
    written = {}
    with driver.cursor() as cursor:
        for table, rows in tables:
            lines = _Lines(table, rows, _postgres_converters)
            columns = sql.SQL(", ").join(map(sql.Identifier, lines.columns))
            name = sql.Identifier(table.name)
            with cursor.copy(sql.SQL("COPY {} ({}) FROM STDIN").format(name, columns)) as copy:
                for line in lines:
                    copy.write_row(line)
            if "id" in lines.columns:
                cursor.execute(
                    sql.SQL("SELECT setval(pg_get_serial_sequence({}, 'id'), (SELECT max(id) FROM {}))").format(
                        sql.Literal(table.name), name
                    )
                )
            written[table.name] = lines.count
    driver.commit()
    # A server that has run for a day has done this by itself; a fresh copy would be planned blindly.
    driver.autocommit = True
    driver.execute("VACUUM ANALYZE")
    driver.autocommit = False
    return written


class _Lines:
    """Rows as tuples for the driver. Columns a row leaves out get the model's own default, or NULL."""

    def __init__(self, table: Table, rows: Iterator[Row], converter: Callable[[Table, str], Convert | None]) -> None:
        self.count = 0
        # Every row of a table has the columns of its first.
        first = next(rows, None)
        self._rows = rows if first is None else chain([first], rows)
        given = list(first or {})
        left_out = [column for column in table.columns if column.name not in given and column.default is not None]
        self._defaults = [_default(column) for column in left_out]
        self.columns = [*given, *(column.name for column in left_out)]
        self._converters = [converter(table, name) for name in self.columns]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for row in self._rows:
            self.count += 1
            values = (*row.values(), *(default(row) for default in self._defaults))
            yield tuple(
                value if convert is None or value is None else convert(value)
                for convert, value in zip(self._converters, values, strict=True)
            )


def _default(column: Column[Any]) -> Callable[[Row], Any]:
    """What the ORM would write into a column that a row leaves out."""
    default: Any = column.default
    if default.is_scalar:
        return lambda _row: default.arg
    if _is_instant(column.type):
        return lambda _row: NOW
    return lambda row: default.arg(_Context(row))


@dataclass(frozen=True, slots=True)
class _Context:
    """What SQLAlchemy gives to a default that is made from other columns."""

    row: Row

    def get_current_parameters(self) -> Row:
        return self.row


def _is_instant(column_type: Any) -> bool:
    return isinstance(column_type, UtcDateTime)


def _converted(convert: Convert | None, value: Any) -> Any:
    return convert(value) if convert is not None and value is not None else value


def _sqlite_converters(table: Table, name: str) -> Convert | None:
    """As SQLAlchemy stores them: instants as UTC without a zone."""
    column_type = table.columns[name].type
    if _is_instant(column_type):
        return _sqlite_instant
    if isinstance(column_type, Date):
        return date.isoformat
    if isinstance(column_type, JSON):
        return json.dumps
    if isinstance(column_type, Boolean):
        return int
    return None


def _sqlite_instant(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def _postgres_converters(table: Table, name: str) -> Convert | None:
    return json.dumps if isinstance(table.columns[name].type, JSON) else None
