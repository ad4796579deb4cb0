"""Makes a backup of the running site: one snapshot of the database, then the list of its files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from musicapp.core.db import db, is_sqlite, reading, utc_now
from musicapp.core.storage import store
from musicapp.core.version import VERSION
from musicapp.ops.backup import media, tables
from musicapp.ops.backup.archive import BackupError, Manifest, TablePart, Writer, new_archive


@dataclass(frozen=True, slots=True)
class Written:
    """What a backup holds."""

    path: Path
    size_bytes: int
    rows: int
    media_files: int
    media_bytes: int
    media_copied: int
    media_gone: list[str]
    """Files that were deleted while they were copied, or have another size now."""


def key_print() -> str:
    """A few letters that tell one SECRET_KEY from another."""
    return hashlib.sha256(b"musicapp backup " + current_app.config["SECRET_KEY"].encode()).hexdigest()[:12]


def revision_now(connection: Connection) -> str:
    """The migration the database stands at. Raises BackupError for one that was never migrated."""
    try:
        found = connection.scalar(text("SELECT version_num FROM alembic_version"))
    except SQLAlchemyError as error:
        raise BackupError("The database has no tables yet. Run: flask --app wsgi db upgrade") from error
    return str(found)


def write_backup(path: Path, media_folder: Path | None = None) -> Written:
    """Writes a backup of everything to `path`, and with `media_folder` the files too. The site may go on meanwhile.

    Raises BackupError with what to do.
    """
    if not path.parent.is_dir():
        raise BackupError(f"The folder {path.parent} is not there. Make it first.")
    manifest = Manifest(
        made_at=utc_now().isoformat(timespec="seconds"),
        version=VERSION,
        revision="",
        database="sqlite" if is_sqlite() else "postgresql",
        site_url=current_app.config["SITE_URL"],
        key_print=key_print(),
    )
    with new_archive(path, manifest) as writer:
        with _snapshot() as connection:
            manifest.revision = revision_now(connection)
            checksums = _write_tables(connection, writer)
        # After the rows: every file that a row of the snapshot names is there by now.
        writer.lines("media.jsonl", _list_media(manifest, checksums))
        writer.lines("schedule.json", iter([_schedule()]))
    copied, gone = (0, list[str]()) if media_folder is None else _copy_media(media_folder)
    rows = sum(part.rows for part in manifest.tables.values())
    size_bytes = path.stat().st_size
    return Written(path, size_bytes, rows, manifest.media_files, manifest.media_bytes, copied, gone)


@contextmanager
def _snapshot() -> Iterator[Connection]:
    """A connection that sees the database as it is now, however long it reads."""
    with reading(), db.engine.connect() as connection:
        if not is_sqlite():  # a transaction of SQLite's in WAL mode sees one state anyway
            connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        yield connection


def _write_tables(connection: Connection, writer: Writer) -> dict[str, str]:
    """Writes all tables; returns the checksums of originals by their key."""
    checksums: dict[str, str] = {}
    for table in tables.tables_now(connection):
        columns = tables.columns_of(table)
        rows: Iterator[list[Any]] = tables.rows_of(connection, table)
        if table.name == "originals":
            names = [name for name, _ in columns]
            rows = _noting_checksums(rows, names.index("key"), names.index("sha256"), checksums)
        part = TablePart(columns)
        part.last_id = tables.last_id(connection, table)
        part.rows = writer.lines(f"tables/{table.name}.jsonl", rows)
        writer.manifest.tables[table.name] = part
    return checksums


def _noting_checksums(
    rows: Iterator[list[Any]], key_at: int, sha256_at: int, found: dict[str, str]
) -> Iterator[list[Any]]:
    for row in rows:
        if row[sha256_at]:
            found[row[key_at]] = row[sha256_at]
        yield row


def _list_media(manifest: Manifest, checksums: dict[str, str]) -> Iterator[dict[str, Any]]:
    for key, size_bytes in media.files_of(store().root):
        manifest.media_files += 1
        manifest.media_bytes += size_bytes
        known = {"sha256": checksums[key]} if key in checksums else {}
        yield {"key": key, "size_bytes": size_bytes, **known}


def _schedule() -> dict[str, Any]:
    """What the clock does by its settings; schedules in the database are rows among the others."""
    entries = current_app.extensions["celery"].conf.beat_schedule
    return {name: {"task": entry["task"], "schedule": str(entry["schedule"])} for name, entry in entries.items()}


def _copy_media(folder: Path) -> tuple[int, list[str]]:
    if not os.access(folder, os.W_OK | os.X_OK):
        raise BackupError(f"The folder {folder} for the media can't be written. Make it, or give it to this user.")
    listed = ({"key": key, "size_bytes": size_bytes} for key, size_bytes in media.files_of(store().root))
    return media.copy(store().root, folder, listed)
