"""Brings the database to the newest migration before anything uses it, and only when that is needed."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

from deploy.settings import ROOT, RunSettings, StartError

MIGRATION_TIMEOUT_SECONDS = 3600
_REVISION = re.compile(r"^revision\b[^=\n]*=\s*(.+)$", re.MULTILINE)
_DOWN_REVISION = re.compile(r"^down_revision\b[^=\n]*=\s*(.+)$", re.MULTILINE)
_NAME = re.compile(r"""["']([^"']+)["']""")


def newest_revisions(versions: Path) -> set[str]:
    """The revisions that no other one builds on, read from the files: importing the app would take a second."""
    made: set[str] = set()
    built_on: set[str] = set()
    for file in versions.glob("*.py"):
        text = file.read_text()
        for line in _REVISION.findall(text):
            made.update(_NAME.findall(line))
        for line in _DOWN_REVISION.findall(text):
            built_on.update(_NAME.findall(line))
    return made - built_on


def is_migrated(database: Path, versions: Path) -> bool:
    """Whether an SQLite file stands at the newest migration. In doubt: no."""
    if not database.exists():
        return False
    try:
        connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True, timeout=5)
        try:
            rows = connection.execute("SELECT version_num FROM alembic_version").fetchall()
        finally:
            connection.close()
    except sqlite3.Error:
        return False
    return {str(row[0]) for row in rows} == newest_revisions(versions)


def migrate(settings: RunSettings) -> bool:
    """Runs the migrations when they are needed; returns whether it did. Raises StartError with their last line."""
    url: str = settings.app["SQLALCHEMY_DATABASE_URI"]
    if url.startswith("sqlite:///") and is_migrated(
        Path(url.removeprefix("sqlite:///")), ROOT / "migrations" / "versions"
    ):
        return False
    try:
        done = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
            cwd=ROOT,
            env=settings.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=MIGRATION_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise StartError("The database's migrations did not end within an hour.") from None
    if done.returncode:
        log = settings.log_folder / "migrate.log"
        log.write_text(done.stdout)
        raise StartError(f"The database could not be migrated: {reason_in(done.stdout)} Whole output: {log}")
    return True


def reason_in(output: str) -> str:
    """The line of a program's output that says why it ended: the last exception, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    exceptions = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Exit|Unavailable)\b.*?: ", line)]
    return (exceptions or lines or ["it said nothing."])[-1]
