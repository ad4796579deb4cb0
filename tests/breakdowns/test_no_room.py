"""Somebody holds SQLite's write lock for longer than anybody waits; the disk is full."""

from __future__ import annotations

import errno
import io
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import event, select

from musicapp.catalog import services as catalog
from musicapp.catalog.models import Artist
from musicapp.core.db import db
from musicapp.jobs import runner
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.models import Job
from musicapp.jobs.registry import KINDS, JobKind
from musicapp.notifications.models import SENT, Delivery
from musicapp.ops.backup.archive import BackupError
from musicapp.ops.backup.writing import write_backup
from tests.breakdowns.clock import set_clock
from tests.notifications.conftest import smtp_app
from tests.notifications.world import add_artist, add_user
from tests.people import register, sign_in
from tests.servers import MailSink

__all__ = ["smtp_app"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

PATIENCE_MS = 100
HOLD = """
import sqlite3, sys
held = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=30)
held.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.readline()
held.rollback()
"""


class Holder:
    """Another process that has the write lock."""

    def __init__(self, database: str) -> None:
        command = [sys.executable, "-I", "-c", HOLD, database]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "held\n"

    def let_go(self) -> None:
        self.process.communicate("\n")


@pytest.fixture
def impatient(smtp_app: Flask) -> Flask:
    """As if half a minute were a tenth of a second."""

    @event.listens_for(db.engine, "connect")
    def _set_patience(connection: Any, _record: Any) -> None:
        connection.execute(f"PRAGMA busy_timeout={PATIENCE_MS}")

    db.session.remove()
    db.engine.dispose()
    return smtp_app


@pytest.fixture
def quiet_kind() -> Iterator[list[Any]]:
    """A kind of job that calls what is in the list."""
    acts: list[Any] = []

    def run(job: JobContext) -> dict[str, Any]:
        for act in acts:
            act()
        return {"attempt": job.attempt}

    KINDS["quiet"] = JobKind("quiet", "default", 3, run)
    yield acts
    del KINDS["quiet"]


def job_of(kind: str) -> Job:
    db.session.rollback()
    return db.session.scalars(select(Job).where(Job.kind == kind).execution_options(populate_existing=True)).one()


def test_a_mail_that_left_while_the_database_was_locked_is_noted_once_it_is_free(
    impatient: Flask, mail_sink: MailSink
) -> None:
    user_id = add_user("bob").id
    jobs.add("mail_reset_password", subject_id=user_id)
    db.session.commit()
    keep, database = mail_sink.handle_DATA, str(db.engine.url.database)

    async def lock_and_keep(server: Any, session: Any, envelope: Any) -> str:
        # Held while the first two tries to note it fail.
        threading.Timer(PATIENCE_MS * 4 / 1000, Holder(database).let_go).start()
        return await keep(server, session, envelope)

    mail_sink.handle_DATA = lock_and_keep  # type: ignore[method-assign,assignment]
    runner.run_next("mail_reset_password")
    assert job_of("mail_reset_password").state == "succeeded"
    assert db.session.scalars(select(Delivery.state)).all() == [SENT]
    assert len(mail_sink.messages) == 1


def test_a_job_that_ends_while_the_database_is_locked_is_ended_once_it_is_free(
    impatient: Flask, quiet_kind: list[Any]
) -> None:
    jobs.add("quiet")
    db.session.commit()
    database = str(db.engine.url.database)
    quiet_kind.append(lambda: threading.Timer(PATIENCE_MS * 2 / 1000, Holder(database).let_go).start())
    runner.run_next("quiet")
    assert job_of("quiet").result == {"attempt": 1}


def test_a_job_whose_end_could_not_be_written_at_all_is_done_again(impatient: Flask, quiet_kind: list[Any]) -> None:
    jobs.add("quiet")
    db.session.commit()
    holders: list[Holder] = []
    quiet_kind.append(lambda: holders.append(Holder(str(db.engine.url.database))))
    runner.run_next("quiet")
    holders[0].let_go()
    quiet_kind.clear()
    assert job_of("quiet").state == "running"
    db.session.rollback()
    with set_clock() as clock:
        clock.forward(minutes=1)
        assert runner.reap(30) == 1
        runner.run_next("quiet")
    assert job_of("quiet").result == {"attempt": 2}


def test_a_picture_on_a_full_disk_waits_with_words_and_is_drawn_when_there_is_room(
    smtp_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    artist_id = add_artist("The Auroras", add_user("alice").id).id
    content = io.BytesIO()
    Image.new("RGB", (400, 400), "teal").save(content, "PNG")
    content.seek(0)
    key = catalog.keep_picture(content, ".png")
    catalog.ask_for_artist_picture(artist_id, key, owner_id=None)
    db.session.commit()

    def no_room(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(Image.Image, "save", no_room)
        runner.run_next("make_artist_picture")
    waiting = job_of("make_artist_picture")
    assert (waiting.state, waiting.attempts) == ("queued", 1)
    assert "disk is full" in (waiting.error or "")
    db.session.rollback()
    with set_clock() as clock:
        clock.forward(minutes=2)
        runner.run_next("make_artist_picture")
    assert job_of("make_artist_picture").state == "succeeded"
    assert db.session.get_one(Artist, artist_id).picture_id is not None
    db.session.rollback()
    media = Path(smtp_app.config["MEDIA_PATH"])
    assert list((media / "scratch").iterdir()) == []


def test_a_database_without_room_says_so_and_saves_again_when_there_is_some(app: Flask) -> None:
    browser = sign_in(app, register(app, "alice", artist_name="The Auroras"))
    most_pages: list[int] = []
    with app.app_context():

        @event.listens_for(db.engine, "connect")
        def _limit(connection: Any, _record: Any) -> None:
            for number in most_pages:
                connection.execute(f"PRAGMA max_page_count={number}")

        most_pages.append(db.session.connection().exec_driver_sql("PRAGMA page_count").scalar_one())
        db.session.remove()
        db.engine.dispose()
    # more than fits into what is left of the last pages
    album = {"title": "Low Tide", "kind": "album", "description": "tide " * 4_000}
    refused = browser.post("/studio/albums/new", data=album)
    assert (refused.status_code, "disk is full" in refused.text) == (503, True)
    assert "</html>" in refused.text
    assert browser.get("/studio/").status_code == 200
    most_pages.clear()
    with app.app_context():
        db.engine.dispose()
    assert browser.post("/studio/albums/new", data=album).status_code == 303


def test_a_backup_that_finds_no_room_says_so_and_leaves_nothing(smtp_app: Flask, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small tmpfs can't be mounted here")
    try:
        add_user("alice", bio=secrets.token_hex(8_000))
        db.session.commit()
        with pytest.raises(BackupError, match="No space left"):
            write_backup(folder / "backup.zip")
        assert list(folder.iterdir()) == []
    finally:
        db.session.remove()
        subprocess.run(["umount", str(folder)], check=True)
