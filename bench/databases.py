"""Databases to measure on: a SQLite file, and a PostgreSQL of this run's own where its programs are installed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

START_S = 30


@dataclass(frozen=True, slots=True)
class Database:
    name: str
    url: str

    @property
    def is_sqlite(self) -> bool:
        return self.url.startswith("sqlite")


@contextmanager
def databases(folder: Path, wanted: str = "sqlite,postgresql") -> Iterator[list[Database]]:
    """Databases in a folder, empty where they are new. As durable as installed (fsync): writes are measured too."""
    found = []
    if "sqlite" in wanted:
        found.append(Database("SQLite", f"sqlite:///{(folder / 'musicapp.db').resolve()}"))
    programs = postgres_programs() if "postgresql" in wanted else None
    if "postgresql" in wanted and programs is None:
        print("PostgreSQL is not installed (initdb, postgres): left out", file=sys.stderr)
    if programs is None:
        yield found
        return
    with _postgres(folder, programs) as url:
        yield [*found, Database("PostgreSQL", url)]


def postgres_programs() -> Path | None:
    """The folder of initdb and postgres. Debian keeps it off PATH."""
    on_path = shutil.which("initdb")
    if on_path:
        return Path(on_path).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return folders[-1].parent if folders else None


@contextmanager
def _postgres(folder: Path, programs: Path) -> Iterator[str]:
    home = folder / "postgres"
    # The server refuses to run as root.
    user: dict[str, Any] = {"user": "nobody"} if os.getuid() == 0 else {}
    if not home.exists():  # else a bench before this one has filled it
        home.mkdir(mode=0o700)
        if user:
            folder.chmod(0o755)
            shutil.chown(home, "nobody")
        command: list[str | Path] = [programs / "initdb", "-D", home, "-U", "musicapp", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*command, "--locale=C.UTF-8"], check=True, capture_output=True, cwd="/", **user)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    server = subprocess.Popen(
        [str(programs / "postgres"), "-D", str(home), "-h", "127.0.0.1", "-p", str(port), "-k", str(home)]
        + ["-c", "shared_buffers=512MB", "-c", "max_connections=200"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        **user,
    )
    try:
        _create(port, "bench")
        yield f"postgresql://musicapp@127.0.0.1:{port}/bench"
    finally:
        server.send_signal(signal.SIGINT)  # "fast shutdown": open connections are cut
        server.wait(20)


def _create(port: int, name: str) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            with psycopg.connect(f"postgresql://musicapp@127.0.0.1:{port}/postgres", autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {name}".encode())
            return
        except psycopg.errors.DuplicateDatabase:
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
