"""When the migrations are run, decided without importing the app."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from deploy.database import is_migrated, migrate, newest_revisions, reason_in
from deploy.settings import read_settings
from tests.run.conftest import clean_environ
from tests.servers import REPOSITORY

VERSIONS = REPOSITORY / "migrations" / "versions"


def write_revision(folder: Path, name: str, below: str) -> None:
    (folder / f"{name}.py").write_text(f'revision: str = "{name}"\ndown_revision = {below}\nbranch_labels = None\n')


def test_the_newest_revision_is_the_one_that_no_other_builds_on(tmp_path: Path) -> None:
    write_revision(tmp_path, "a1", "None")
    write_revision(tmp_path, "b2", '"a1"')
    assert newest_revisions(tmp_path) == {"b2"}
    write_revision(tmp_path, "c3", '"a1"')
    assert newest_revisions(tmp_path) == {"b2", "c3"}
    write_revision(tmp_path, "d4", '("b2", "c3")')
    assert newest_revisions(tmp_path) == {"d4"}


def test_alembic_finds_the_same_newest_revision_in_the_projects_migrations() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    settings = Config()
    settings.set_main_option("script_location", str(REPOSITORY / "migrations"))
    assert newest_revisions(VERSIONS) == set(ScriptDirectory.from_config(settings).get_heads())


def test_a_fresh_database_is_migrated_once(tmp_path: Path) -> None:
    settings = read_settings(clean_environ(INSTANCE_PATH=str(tmp_path)))
    settings.log_folder.mkdir()
    assert migrate(settings)
    assert not migrate(settings)

    migrated = tmp_path / "musicapp.db"
    assert is_migrated(migrated, VERSIONS)
    newer = tmp_path / "versions"
    shutil.copytree(VERSIONS, newer)
    (head,) = newest_revisions(VERSIONS)
    write_revision(newer, "zz99", f'"{head}"')
    assert not is_migrated(migrated, newer)


def test_a_database_that_can_not_be_read_is_left_to_the_migrations(tmp_path: Path) -> None:
    database = tmp_path / "some.db"
    assert not is_migrated(database, VERSIONS)
    assert not database.exists()
    database.write_bytes(b"not a database at all" * 100)
    assert not is_migrated(database, VERSIONS)
    database.unlink()
    sqlite3.connect(database).close()
    assert not is_migrated(database, VERSIONS)


def test_the_reason_of_a_failure_is_its_last_exception() -> None:
    output = "Traceback\n  File x\nsqlalchemy.exc.OperationalError: no such host\n(Background on this error …)\n"
    assert reason_in(output) == "sqlalchemy.exc.OperationalError: no such host"
    output = "Traceback\nImportError: no module\n\nUsage: flask\n\nError: No such command 'db'.\n"
    assert reason_in(output) == "ImportError: no module"
    assert reason_in("one\ntwo\n\n") == "two"
    assert reason_in("") == "it said nothing."
