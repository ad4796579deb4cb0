"""A worker is killed -9 at every point of every kind of job; the next one ends what it began, and nothing is told."""

from __future__ import annotations

import contextlib
import gc
import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import select

from musicapp import create_app
from musicapp.core.db import db, reading
from musicapp.jobs import runner
from musicapp.jobs.models import ENDED, QUEUED, Job
from musicapp.jobs.registry import KINDS
from tests.audio.make import tone
from tests.breakdowns import stored
from tests.breakdowns.clock import set_clock
from tests.breakdowns.killing import Killed, Points, in_process, let_go
from tests.breakdowns.scenes import SCENES, Scene
from tests.servers import MailSink, RedisServer

pytestmark = pytest.mark.timeout(120)
MOST_ROUNDS = 12


@dataclass
class Stage:
    """One app whose database and files are put back before each run."""

    app: Flask
    folder: Path
    sink: MailSink
    redis_server: RedisServer

    @property
    def database(self) -> Path:
        return self.folder / "instance" / "musicapp.db"

    def put_back(self, kept: Path) -> None:
        for name in ("musicapp.db", "musicapp.db-wal", "musicapp.db-shm"):
            (self.database.parent / name).unlink(missing_ok=True)
        shutil.rmtree(self.database.parent / "media", ignore_errors=True)
        shutil.copytree(kept, self.database.parent, dirs_exist_ok=True)
        self.sink.messages.clear()
        with redis.Redis.from_url(self.redis_server.url) as client:
            client.flushall()

    def keep(self, kept: Path) -> None:
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        kept.mkdir()
        shutil.copy(self.database, kept / "musicapp.db")
        media = self.database.parent / "media"
        media.mkdir(exist_ok=True)
        shutil.copytree(media, kept / "media")

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """The app's context; afterwards no connection is open that a forked process would share."""
        with self.app.app_context():
            yield
            db.session.remove()
            db.engine.dispose()
        let_go(self.app)

    def mails(self) -> list[tuple[str, str]]:
        """Address and subject of each mail, those of one Message-ID once."""
        each = {str(mail["Message-ID"]): mail for mail in self.sink.messages}
        return [(str(mail["To"]), str(mail["Subject"])) for mail in each.values()]

    def unmarked(self) -> set[str]:
        """Message-IDs of mails that the server has and the ledger does not know to have left."""
        with contextlib.closing(sqlite3.connect(self.database)) as database:
            known = {row[0] for row in database.execute("SELECT message_id FROM deliveries WHERE state = 'sent'")}
        return {str(mail["Message-ID"]) for mail in self.sink.messages} - known


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tone(tmp_path_factory.mktemp("song") / "song.flac", tags={"title": "Blue Hour"})


@pytest.fixture(scope="module")
def stage(
    tmp_path_factory: pytest.TempPathFactory, redis_server: RedisServer, migrated_sqlite: Path
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    sink = MailSink()
    sink.start()
    app = create_app(
        {
            "INSTANCE_PATH": str(folder / "instance"),
            "SECRET_KEY": secrets.token_hex(16),
            "REDIS_URL": redis_server.url,
            "SITE_URL": "http://localhost",
            "RATE_LIMITS": "false",
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(sink.port),
            "RENDITIONS": "opus_64",
        },
        TESTING=True,
    )
    gc.freeze()  # forked processes share what nobody walks over
    (folder / "empty").mkdir()
    shutil.copy(migrated_sqlite, folder / "empty" / "musicapp.db")
    yield Stage(app, folder, sink, redis_server)
    gc.unfreeze()
    sink.stop()


def build(scene: Scene, song: Path) -> None:
    scene.build(song)
    db.session.commit()


def do(kind: str) -> None:
    """Does all jobs of the kind that are due, as a worker."""
    with set_clock() as clock:
        clock.forward(seconds=10)
        while runner.run_next(kind) is not None:
            pass


def do_until(kind: str, fatal: int, *, everywhere: bool) -> None:
    """The same, killed at its point number `fatal`, unless it has not so many."""
    Points(fatal, everywhere=everywhere)
    do(kind)


def finish() -> dict[str, Any]:
    """What other workers and the sweep do in the next minutes; then what is stored."""
    with set_clock() as clock:
        for _ in range(MOST_ROUNDS):
            clock.forward(minutes=2)
            runner.reap(30)
            with reading():
                waiting = list(db.session.scalars(select(Job.kind).where(Job.state == QUEUED).distinct()))
                db.session.rollback()
            if not waiting:
                break
            for kind in waiting:
                while runner.run_next(kind) is not None:
                    pass
        jobs = {f"{job.kind} {job.state} {job.error}" for job in db.session.scalars(select(Job))}
        stored.clean_up()
        return {"jobs": jobs, "files": stored.files(), "missing": stored.missing_files(), **stored.rows()}


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Lines that only one of them has."""
    lines = []
    for name in expected:
        more, less = Counter(found[name]) - Counter(expected[name]), Counter(expected[name]) - Counter(found[name])
        lines += [f"{name}: + {line}" for line in more] + [f"{name}: - {line}" for line in less]
    return lines


def test_every_kind_of_job_has_a_scene() -> None:
    assert {scene.kind for scene in SCENES.values()} == set(KINDS)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_worker_killed_at_any_point_changes_nothing_of_what_comes_out(
    stage: Stage, song: Path, tmp_path: Path, name: str
) -> None:
    scene = SCENES[name]
    stage.put_back(stage.folder / "empty")
    with stage.at_work():
        build(scene, song)
    stage.keep(tmp_path / "kept")
    # Here, so that the processes forked below have statements and templates compiled.
    with stage.at_work():
        do(scene.kind)
        undisturbed = finish()
        stuck = [line for line in undisturbed["jobs"] if line.split()[1] not in ENDED]
        assert not stuck
    assert len(stage.sink.messages) == scene.mails
    expected_mails = sorted(stage.mails())

    for point in count(1, scene.every):
        stage.put_back(tmp_path / "kept")
        try:
            in_process(stage.app, partial(do_until, scene.kind, point, everywhere=scene.everywhere))
            break
        except Killed as killed:
            where = f"killed at point {point}, {killed}"
        may_come_again = stage.unmarked()
        assert len(may_come_again) <= 1, where
        different = differences(in_process(stage.app, finish), undisturbed)
        assert not different, "\n".join([where, *different])
        came = Counter(str(mail["Message-ID"]) for mail in stage.sink.messages)
        assert sorted(stage.mails()) == expected_mails, where
        assert {mail for mail, times in came.items() if times > 1} <= may_come_again, where
        assert max(came.values(), default=1) <= 2, where
    assert point > 4, "claim and end, before and after"
