"""A backup holds everything, and a restore brings all of it back, on the same kind of database or the other."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select, text

from musicapp import create_app
from musicapp.accounts import services as accounts
from musicapp.catalog.models import Artist
from musicapp.core.db import db, reading
from musicapp.core.storage import store
from musicapp.core.version import VERSION
from musicapp.search.queries import search
from musicapp.search.services import put_entry
from tests.core.test_migrations import MIGRATIONS, add_a_row_to_every_table, tables_now
from tests.servers import REPOSITORY, PostgresServer, RedisServer

MakeSite = Callable[..., Flask]


@pytest.fixture
def make_site(
    tmp_path: Path, redis_server: RedisServer, request: pytest.FixtureRequest, migrated_sqlite: Path
) -> Iterator[MakeSite]:
    """make_site("sqlite" or "postgresql"): a site of its own, with tables and no rows, and its context is pushed."""
    pushed: list[tuple[Flask, Any]] = []
    made: list[str] = []

    def make(kind: str, **settings: str) -> Flask:
        for _, context in pushed:
            close(context)
        pushed.clear()
        name = f"backup_{secrets.token_hex(4)}"
        instance = tmp_path / name
        instance.mkdir()
        environ = {"INSTANCE_PATH": str(instance), "SECRET_KEY": "same key", "REDIS_URL": redis_server.url, **settings}
        if kind == "postgresql":
            server: PostgresServer = request.getfixturevalue("migrated_postgres")
            server.execute(f"CREATE DATABASE {name} TEMPLATE migrated STRATEGY FILE_COPY")
            made.append(name)
            environ["DATABASE_URL"] = server.url(name)
        else:
            shutil.copy(migrated_sqlite, instance / "musicapp.db")
        app = create_app(environ, TESTING=True)
        context = app.app_context()
        context.push()
        pushed.append((app, context))
        return app

    def close(context: Any) -> None:
        db.session.remove()
        db.engine.dispose()
        context.pop()

    yield make
    for app, context in pushed:
        close(context)
        app.extensions["redis"].close()
    for name in made:
        request.getfixturevalue("migrated_postgres").execute(f"DROP DATABASE {name} WITH (FORCE)")


def said(app: Flask, *arguments: str, code: int = 0) -> str:
    """What a command says; it must end with `code`."""
    done = app.test_cli_runner().invoke(args=list(arguments))
    assert done.exit_code == code, done.output
    return done.output


def parts_of(path: Path) -> dict[str, list[str]]:
    """The rows of each table as the archive has them."""
    with zipfile.ZipFile(path) as file:
        return {
            name: sorted(file.read(name).decode().splitlines())
            for name in file.namelist()
            if name.startswith("tables/")
        }


def add_an_account(name: str) -> int:
    user_id = accounts.register(
        username=name, email=f"{name}@example.org", password_hash="x", role="user", is_email_confirmed=True
    ).id
    db.session.commit()
    return user_id


def test_every_row_of_every_table_comes_back_on_the_other_kind_of_database(make_site: MakeSite, tmp_path: Path) -> None:
    """From SQLite to PostgreSQL and back: what is the same at both ends was understood on the way."""
    app = make_site("sqlite")
    assert set(add_a_row_to_every_table().values()) == {1}
    with db.engine.begin() as connection:
        connection.execute(text('UPDATE jobs SET result = NULL, arguments = \'{"words": "Ä “q” ☕"}\''))
        connection.execute(text("UPDATE sqlite_sequence SET seq = 70 WHERE name = 'plays'"))
    said(app, "backup", str(tmp_path / "one.musicapp"))

    other = make_site("postgresql")
    assert "rows are back" in said(other, "restore", str(tmp_path / "one.musicapp"))
    assert db.session.scalar(text("SELECT count(*) FROM jobs WHERE result IS NULL")) == 1, "NULL, and not JSON's null"
    assert db.session.scalar(text("SELECT nextval('plays_id_seq')")) == 71, "a lost row's number is not given again"
    db.session.rollback()
    said(other, "backup", str(tmp_path / "two.musicapp"))

    third = make_site("sqlite")
    said(third, "restore", str(tmp_path / "two.musicapp"))
    said(third, "backup", str(tmp_path / "three.musicapp"))
    first = parts_of(tmp_path / "one.musicapp")
    assert {f"tables/{table.name}.jsonl" for table in tables_now()} == set(first)
    assert first == parts_of(tmp_path / "two.musicapp") == parts_of(tmp_path / "three.musicapp")
    assert all(len(rows) == 1 for rows in first.values())


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_site_lives_on_after_its_restore(make_site: MakeSite, tmp_path: Path, kind: str) -> None:
    """Search finds, new rows get new ids, media that are missing are named, and copied where they are given."""
    app = make_site(kind)
    alice = add_an_account("alice")
    put_entry("artist", 1, title="Kettle Choir", words="")
    db.session.commit()
    key = store().new_key("originals", ".flac")
    store().path(key).write_bytes(b"sound")
    (tmp_path / "media").mkdir()
    file = tmp_path / "site.musicapp"
    assert "1 media files (5 B) are listed, 1 new ones copied." in said(
        app, "backup", str(file), "--media", str(tmp_path / "media")
    )
    assert "0 new ones copied." in said(app, "backup", str(file), "--media", str(tmp_path / "media"))
    assert file.stat().st_mode & 0o777 == 0o600

    fresh = make_site(kind, SECRET_KEY="another key")
    output = said(fresh, "restore", str(file), code=3)
    assert key in output
    assert "SECRET_KEY is another one" in output
    restored = said(fresh, "restore", str(file), "--force", "--media", str(tmp_path / "media"))
    assert "1 media files were copied" in restored
    assert store().path(key).read_bytes() == b"sound"
    assert add_an_account("bob") > alice
    assert search("kett").count == 1, "what finds is filled again"


def test_a_site_with_people_is_replaced_only_when_that_is_meant_and_is_kept_beside_it(
    make_site: MakeSite, tmp_path: Path
) -> None:
    app = make_site("sqlite")
    add_an_account("alice")
    said(app, "backup", str(tmp_path / "alice.musicapp"))
    app = make_site("sqlite")
    add_an_account("bob")
    assert "has accounts already" in said(app, "restore", str(tmp_path / "alice.musicapp"), code=1)

    output = said(app, "restore", str(tmp_path / "alice.musicapp"), "--force")
    with reading():
        assert db.session.scalar(text("SELECT username FROM users")) == "alice"
        db.session.remove()
    saved = re.search(r"is in (\S+\.musicapp)\.", output)
    assert saved is not None
    said(app, "restore", saved[1], "--force")
    with reading():
        assert db.session.scalar(text("SELECT username FROM users")) == "bob"
        db.session.remove()


def test_what_can_not_be_restored_says_why_and_changes_nothing(make_site: MakeSite, tmp_path: Path) -> None:
    app = make_site("sqlite")
    add_an_account("alice")
    whole = tmp_path / "whole.musicapp"
    said(app, "backup", str(whole))

    def altered(name: str, change: Callable[[bytes], bytes]) -> Path:
        path = tmp_path / "altered.musicapp"
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as target:
            for part in source.namelist():
                target.writestr(part, change(source.read(part)) if part == name else source.read(part))
        return path

    def newer(manifest: bytes) -> bytes:
        return json.dumps({**json.loads(manifest), "revision": "9999", "version": "7.0.0"}).encode()

    def of_another_format(manifest: bytes) -> bytes:
        return json.dumps({**json.loads(manifest), "format": 2}).encode()

    fresh = make_site("sqlite")
    path = altered("tables/users.jsonl", lambda rows: rows.replace(b"alice", b"mallo"))
    assert "is damaged" in said(fresh, "restore", str(path), code=1)
    assert "newer musicapp (7.0.0" in said(fresh, "restore", str(altered("manifest.json", newer)), code=1)
    assert "format 2" in said(fresh, "restore", str(altered("manifest.json", of_another_format)), code=1)
    half = tmp_path / "half.musicapp"
    half.write_bytes(whole.read_bytes()[:4000])
    assert "is no backup" in said(fresh, "restore", str(half), code=1)
    assert "can't be read" in said(fresh, "restore", str(tmp_path / "none.musicapp"), code=1)

    with reading(), db.engine.connect() as connection:  # as a web process has
        connection.execute(text("SELECT 1 FROM users"))
        assert "The site is running" in said(fresh, "restore", str(whole), code=1)
    assert db.session.scalar(select(func.count()).select_from(Artist)) == 0
    assert "The folder" in said(fresh, "backup", str(tmp_path / "nowhere" / "x.musicapp"), code=1)


def test_a_file_that_was_made_to_do_harm_changes_nothing_and_what_was_here_is_named(
    make_site: MakeSite, tmp_path: Path
) -> None:
    app = make_site("sqlite")
    add_an_account("alice")
    whole, made = tmp_path / "whole.musicapp", tmp_path / "made.musicapp"
    said(app, "backup", str(whole))

    def with_part(part: str, lines: list[Any], **more: Any) -> Path:
        """The same backup with another part, and a checksum that says that all is well."""
        packed = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(made, "w") as target:
            manifest = json.loads(source.read("manifest.json"))
            manifest["sha256"][part] = hashlib.sha256(packed).hexdigest()
            for name in source.namelist():
                if name not in ("manifest.json", part):
                    target.writestr(name, source.read(name))
            target.writestr(part, packed)
            target.writestr("manifest.json", json.dumps({**manifest, **more}))
        return made

    site = make_site("sqlite")
    add_an_account("bob")
    for key in ("../outside", "/etc/passwd", 7):
        path = with_part("media.jsonl", [{"key": key, "size_bytes": 1}])
        assert "no backup holds" in said(site, "restore", str(path), "--force", "--media", str(tmp_path), code=1)
    odd = {"genres": {"columns": [["id", "os.system"]], "rows": 0, "last_id": None}}
    assert "no backup holds" in said(site, "restore", str(with_part("tables/genres.jsonl", [], tables=odd)), code=1)
    unlisted = with_part("tables/genres.jsonl", [], sha256={})
    assert "is damaged" in said(site, "restore", str(unlisted), code=1)
    assert db.session.scalar(text("SELECT username FROM users")) == "bob"
    db.session.remove()
    refused = said(site, "restore", str(with_part("tables/users.jsonl", [[1, 2]])), "--force", code=1)
    assert re.search(r"What was here before is in \S+\.musicapp\.", refused), refused


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_older_backup_is_restored_at_its_migration_and_brought_up_to_date(
    make_site: MakeSite, tmp_path: Path, kind: str
) -> None:
    from musicapp.ops.backup import restoring

    app = make_site(kind)
    restoring._empty_database()
    upgrade(MIGRATIONS, revision="0004")
    add_a_row_to_every_table()
    said(app, "backup", str(tmp_path / "old.musicapp"))
    fresh = make_site(kind)
    said(fresh, "restore", str(tmp_path / "old.musicapp"))
    assert db.session.scalar(text("SELECT version_num FROM alembic_version")) > "0004"
    assert db.session.scalar(text("SELECT count(*) FROM genres")) == 1
    assert db.session.scalar(text("SELECT count(*) FROM deliveries")) == 0


def test_the_version_is_the_projects() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION
