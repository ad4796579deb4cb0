"""A made-up library of 100,000 tracks: fills a database with it, and says how long that took.

    python bench/library.py --sqlite /tmp/big/musicapp.db     a new file, migrated and filled
    python bench/library.py --postgres postgresql://…/big     an empty database, the same
    python bench/library.py                                   both in a temporary folder, as a bench

`--scale 0.01` makes a hundredth. Everybody's password is "bench-password"; alice (user 1) owns playlist 1 with 10,000
tracks and playlists 2 to 11 with 100; bob (2) and the next 48 users edit them. Pictures and audio are rows without
files. To look around: INSTANCE_PATH=/tmp/big make run, with the file in that folder.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # also when started as `python bench/library.py`

from flask import Flask  # noqa: E402
from flask_migrate import upgrade  # noqa: E402

from bench.databases import databases  # noqa: E402
from bench.library_music import Size  # noqa: E402
from bench.library_rows import Library  # noqa: E402
from bench.library_store import fill  # noqa: E402
from musicapp import create_app  # noqa: E402
from musicapp.accounts.passwords import hash_password  # noqa: E402
from musicapp.core.db import Base, db  # noqa: E402

PASSWORD = "bench-password"
GOAL_S = 60


@dataclass(frozen=True, slots=True)
class Filled:
    """How long each part took."""

    rows: Mapping[str, int]
    migrate_s: float
    fill_s: float
    index_s: float


def make_library(database_url: str, instance: Path, size: Size | None = None, *, seed: int = 7) -> Filled:
    """Migrates and fills an empty database, and builds the search index as the site does."""
    app = create_app({"INSTANCE_PATH": str(instance), "SECRET_KEY": "bench", "DATABASE_URL": database_url})
    with app.app_context():
        began = time.perf_counter()
        upgrade(directory=str(REPOSITORY / "migrations"))
        db.session.remove()
        db.engine.dispose()
        migrated = time.perf_counter()
        library = Library(size or Size(), seed=seed, password_hash=hash_password(PASSWORD))
        rows = fill(db.engine, Base.metadata, library.tables())
        filled = time.perf_counter()
        rebuild_index(app)
        indexed = time.perf_counter()
        db.session.remove()
        db.engine.dispose()
    return Filled(rows, migrated - began, filled - migrated, indexed - filled)


def rebuild_index(app: Flask) -> None:
    """Fills the search index as an operator does."""
    done = app.test_cli_runner(catch_exceptions=False).invoke(args=["search", "rebuild"])
    if done.exit_code:
        print(f"search: not indexed: {done.output}", file=sys.stderr)


def sqlite_url(file: Path) -> str:
    return f"sqlite:///{file.resolve()}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sqlite", type=Path, help="the file to make")
    parser.add_argument("--postgres", help="address of an empty database")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    size = Size() if asked.scale == 1 else Size.of(asked.scale)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        if asked.sqlite:
            if asked.sqlite.exists():
                print(f"{asked.sqlite} is there already: name another file, or delete it first", file=sys.stderr)
                return 2
            asked.sqlite.parent.mkdir(parents=True, exist_ok=True)
            show("SQLite", make_library(sqlite_url(asked.sqlite), Path(folder), size, seed=asked.seed))
        if asked.postgres:
            show("PostgreSQL", make_library(asked.postgres, Path(folder), size, seed=asked.seed))
        if not asked.sqlite and not asked.postgres:
            return measure_both(Path(folder), size, asked.seed)
    return 0


def measure_both(folder: Path, size: Size, seed: int) -> int:
    slowest = 0.0
    with databases(folder) as found:
        for database in found:
            filled = make_library(database.url, folder / "instance", size, seed=seed)
            show(database.name, filled)
            slowest = max(slowest, filled.fill_s)
    print(f"\nGoal, filled in less than {GOAL_S} s: {'reached' if slowest < GOAL_S else 'MISSED'}")
    return 0 if slowest < GOAL_S else 1


def show(name: str, filled: Filled) -> None:
    print(f"{name}: {sum(filled.rows.values()):,} rows in {filled.fill_s:.1f} s; migrations {filled.migrate_s:.1f} s, "
          f"search index {filled.index_s:.1f} s")  # fmt: skip
    print("  " + ", ".join(f"{count:,} {table}" for table, count in filled.rows.items()), flush=True)


if __name__ == "__main__":
    sys.exit(main())
