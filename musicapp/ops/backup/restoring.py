"""Fills a site from a backup, at the migration the backup was made at, and brings it to the newest one afterwards."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from alembic.script import ScriptDirectory
from flask import current_app
from flask_migrate import upgrade
from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from musicapp.core.db import db, is_sqlite, reading, utc_now
from musicapp.core.redis import RedisError, redis_client
from musicapp.core.storage import store
from musicapp.ops.backup import media, tables
from musicapp.ops.backup.archive import Archive, BackupError, opened
from musicapp.ops.backup.writing import key_print, revision_now, write_backup

MIGRATIONS = str(Path(__file__).resolve().parents[3] / "migrations")


@dataclass
class Restored:
    """What a restore did, and what the operator should know."""

    rows: int = 0
    made_at: str = ""
    saved_before: Path | None = None
    """Where what was here before stands now, after `force`."""
    media_copied: int = 0
    media_missing: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    """Tables that this site doesn't have."""
    is_other_key: bool = False
    is_redis_emptied: bool = False


def restore(path: Path, *, force: bool = False, media_folder: Path | None = None) -> Restored:
    """Replaces the site's database by the backup's. The site must be stopped.

    Raises BackupError, and then nothing was changed, or with `force` what was there stands in `saved_before`.
    """
    with opened(path) as archive:
        _refuse_newer(archive)
        _refuse_odd(archive)
        done = Restored(made_at=archive.manifest.made_at, is_other_key=archive.manifest.key_print != key_print())
        with _nobody_else():
            if _has_people():
                if not force:
                    raise BackupError(
                        "This site has accounts already. With --force it is replaced, after a backup of what is here."
                    )
                name = f"before-restore-{utc_now():%Y%m%d-%H%M%S}.musicapp"
                done.saved_before = Path(current_app.instance_path) / name
                write_backup(done.saved_before)
            _replace_database(archive, done)
            done.is_redis_emptied = _empty_redis()
        if media_folder is not None:
            done.media_copied, done.media_missing = media.copy(media_folder, store().root, archive.lines("media.jsonl"))
        else:
            done.media_missing = media.missing_of(store().root, archive.lines("media.jsonl"))
    return done


def _replace_database(archive: Archive, done: Restored) -> None:
    try:
        if not _is_fresh(archive.manifest.revision):
            _empty_database()
            _quietly_upgrade(archive.manifest.revision)
        _load(archive, done)
        _quietly_upgrade("head")
    except (SQLAlchemyError, BackupError, ValueError, TypeError) as error:
        db.session.rollback()
        saved = f" What was here before is in {done.saved_before}." if done.saved_before else ""
        words = str(error) if isinstance(error, BackupError) else f"The database refused it: {_first_line(error)}."
        raise BackupError(f"{words}{saved}") from error


def _first_line(error: Exception) -> str:
    return str(getattr(error, "orig", None) or error).strip().splitlines()[0].rstrip(".")


def _refuse_newer(archive: Archive) -> None:
    known = {script.revision for script in ScriptDirectory(MIGRATIONS).walk_revisions()}
    manifest = archive.manifest
    if manifest.revision not in known:
        raise BackupError(
            f"The backup is of a newer musicapp ({manifest.version}, migration {manifest.revision}). Upgrade this one."
        )


def _refuse_odd(archive: Archive) -> None:
    """A checksum says that the bytes are as they were written, not that this program wrote them."""
    try:
        kinds = {kind for part in archive.manifest.tables.values() for _name, kind in part.columns}
        is_odd = not all(media.is_key(file["key"]) for file in archive.lines("media.jsonl"))
        is_odd = is_odd or not kinds <= tables.KINDS.keys()
    except (KeyError, TypeError, ValueError, AttributeError):
        is_odd = True
    if is_odd:
        raise BackupError("This file holds what no backup holds. Take one that you made yourself.")


@contextmanager
def _nobody_else() -> Iterator[None]:
    """Holds the instance's lock, so that `make run` can't start meanwhile. Raises BackupError where the site runs."""
    running = BackupError("The site is running. Stop it (Ctrl-C of make run, docker compose stop), then restore.")
    folder = Path(current_app.instance_path) / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise running from None
        if _others_are_connected():
            raise running
        yield


def _others_are_connected() -> bool:
    db.session.remove()
    db.engine.dispose()
    if is_sqlite():
        database = _sqlite_file()
        if not database.exists():
            return False
        asking = sqlite3.connect(database, timeout=0.2)
        try:
            # Only the last one who has it open may take it out of WAL mode; that also leaves one whole file.
            asking.execute("PRAGMA journal_mode=DELETE")
        except sqlite3.OperationalError:
            return True
        finally:
            asking.close()
        return False
    with db.engine.connect() as connection:
        others = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        )
    return bool(others)


def _sqlite_file() -> Path:
    return Path(str(db.engine.url.database))


def _has_people() -> bool:
    with reading(), db.engine.connect() as connection:
        if not inspect(connection).has_table("users"):
            return False
        return tables.count_rows(connection, "users") > 0


def _is_fresh(revision: str) -> bool:
    """Whether the database stands at the migration already and holds no row."""
    with reading(), db.engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version") or revision_now(connection) != revision:
            return False
        return not any(tables.count_rows(connection, table.name) for table in tables.tables_now(connection))


def _empty_database() -> None:
    db.session.remove()
    db.engine.dispose()
    if is_sqlite():
        database = _sqlite_file()
        database.parent.mkdir(parents=True, exist_ok=True)
        for end in ("", "-wal", "-shm"):
            Path(f"{database}{end}").unlink(missing_ok=True)
        return
    with db.engine.begin() as connection:
        for name in connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")):
            connection.execute(text(f'DROP TABLE IF EXISTS "{name}" CASCADE'))
        # What belongs to an extension stays with it.
        ours = (
            "SELECT CAST(p.oid AS regprocedure) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname = current_schema()"
            " AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')"
        )
        for function in connection.scalars(text(ours)).all():
            connection.execute(text(f"DROP FUNCTION {function} CASCADE"))
        enumerations = (
            "SELECT CAST(t.oid AS regtype) FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace"
            " WHERE n.nspname = current_schema() AND t.typtype = 'e'"
        )
        for name in connection.scalars(text(enumerations)).all():
            connection.execute(text(f"DROP TYPE {name} CASCADE"))


def _quietly_upgrade(revision: str) -> None:
    alembic = logging.getLogger("alembic")
    before = alembic.level
    alembic.setLevel(logging.WARNING)
    try:
        upgrade(directory=MIGRATIONS, revision=revision)
    finally:
        alembic.setLevel(before)


def _load(archive: Archive, done: Restored) -> None:
    manifest = archive.manifest
    with db.engine.begin() as connection:
        here = {table.name: table for table in tables.tables_now(connection)}
        done.left_out = sorted(set(manifest.tables) - set(here))
        for name, table in here.items():
            part = manifest.tables.get(name)
            if part is None:
                continue
            columns = [(each, kind) for each, kind in part.columns]
            done.rows += tables.load(connection, name, columns, archive.lines(f"tables/{name}.jsonl"))
            if part.last_id is not None:
                tables.set_last_id(connection, table, part.last_id)
            found = tables.count_rows(connection, name)
            if found != part.rows:
                raise BackupError(f"{name} has {found} rows instead of {part.rows}: nothing was kept of this restore.")
        _check_references(connection)


def _check_references(connection: Connection) -> None:
    if connection.dialect.name == "sqlite" and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
        raise BackupError("Rows of the backup name others that it doesn't have: nothing was kept of this restore.")


def _empty_redis() -> bool:
    """What Redis keeps is of the site before: sessions, rows, tickets. Nothing of it is missed."""
    own = Path(current_app.instance_path) / "redis"
    try:
        redis_client().flushdb()
    except RedisError:
        if own.is_dir():  # of `make run`, which is stopped
            shutil.rmtree(own, ignore_errors=True)
            return True
        return not os.environ.get("REDIS_URL")  # without it there was none yet
    return True
