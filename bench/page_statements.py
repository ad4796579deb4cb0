"""The statements that a page runs, taken from the driver and played on a bare connection: the page's yardstick."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import Engine, event

from bench.databases import Database

Statement = tuple[str, Any]
_NOT_COUNTED = ("BEGIN", "PRAGMA", "SET ", "COMMIT", "ROLLBACK")


@contextmanager
def noted_statements() -> Iterator[list[Statement]]:
    """Whatever any engine runs inside, as the driver gets it. Transactions' own statements are left out."""
    noted: list[Statement] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        if not statement.startswith(_NOT_COUNTED):
            noted.append((statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def statements_of(app: Flask, path: str, cookie: str = "") -> list[Statement]:
    """What one GET of the page runs. Raises RuntimeError unless it is a 200."""
    headers = {"Cookie": cookie} if cookie else {}
    client = app.test_client(use_cookies=False)
    with noted_statements() as noted:
        answer = client.get(path, headers=headers, base_url=app.config["SITE_URL"])
    if answer.status_code != 200:
        raise RuntimeError(f"{path} answered {answer.status_code}: {answer.text[:500]}")
    return noted


@dataclass(frozen=True, slots=True)
class Bare:
    """A connection without SQLAlchemy, Flask or a pool."""

    connection: Any

    def play_ms(self, statements: list[Statement]) -> float:
        """Milliseconds for all of them, their rows fetched, in one transaction whose begin and end are not counted."""
        cursor = self.connection.cursor()
        cursor.execute("BEGIN")
        began = time.perf_counter()
        for statement, parameters in statements:
            cursor.execute(statement, parameters)
            if cursor.description is not None:
                cursor.fetchall()
        taken_ms = (time.perf_counter() - began) * 1000
        cursor.execute("ROLLBACK")
        return taken_ms


@contextmanager
def bare_connection(database: Database) -> Iterator[Bare]:
    connection: Any
    if database.is_sqlite:
        connection = sqlite3.connect(database.url.removeprefix("sqlite:///"), isolation_level=None)
    else:
        connection = psycopg.connect(database.url, autocommit=True)
    try:
        yield Bare(connection)
    finally:
        connection.close()
