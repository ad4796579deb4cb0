"""What mail costs: a mailing beside bare smtplib, an event with its job beside a bare insert, a single mail's wait.

    python bench/mail.py [--readers 10000] [--events 1000] [--uploads 50] [--seconds 180] [--json figures.json]

Mailing: an announcement to everybody, by the code that a worker runs, over SMTP to a sink in a process of its own;
beside it the same bytes by smtplib over one connection. Memory is the worker's, looked at after each part of its work.
Wait: real workers encode uploads while every half second somebody asks for a link to a new password. Zero leaves a
part out. Everything is made in a temporary folder.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import smtplib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from flask_migrate import upgrade
from sqlalchemy import func, insert, select

from bench.databases import Database, databases
from bench.pipeline import run_ffmpeg_plainly
from musicapp import create_app
from musicapp.accounts.events import EmailConfirmationRequested
from musicapp.accounts.models import User
from musicapp.catalog.services import create_album, create_artist
from musicapp.core.db import db, reading, utc_now
from musicapp.core.events import publish
from musicapp.core.storage import store
from musicapp.jobs import services as jobs
from musicapp.jobs.models import ENDED, Job
from musicapp.jobs.runner import run_next
from musicapp.notifications.letters import WRITERS, Occasion
from musicapp.notifications.models import QUEUED, Announcement, Delivery
from musicapp.notifications.telling import tell
from musicapp.uploads.models import Upload
from musicapp.uploads.services import accept_upload
from tests.servers import REPOSITORY, RedisServer, Site, free_port, wait_for

WORDS = "We spent the winter in a house by the sea and recorded what you will hear in March. " * 12
LETTERS = 500
TRACK_S = 150
MAIL_EVERY_S = 0.5
WAIT_GOAL_S = 2.0
GROWTH_GOAL_MIB = 8.0


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    folder = Path(tempfile.mkdtemp(prefix="ma-"))  # a socket's path must be short
    server = RedisServer(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Sink:
    """The sink's process; `counted` is there once it has ended."""

    def __init__(self, folder: Path) -> None:
        self.port, self.file = free_port(), folder / "counted.json"
        self.counted: dict[str, Any] = {}

    def __enter__(self) -> Sink:
        self.process = subprocess.Popen([sys.executable, "bench/mail_sink.py", str(self.port), str(self.file)])
        wait_for(self._answers, 10, "the sink")
        return self

    def _answers(self) -> bool:
        try:
            smtplib.SMTP("127.0.0.1", self.port).quit()
        except OSError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)
        self.counted = json.loads(self.file.read_text())


# ---- a mailing ----


def send_mailing(readers: int) -> None:
    """In a process of its own: fills an empty database, tells everybody, and prints what it took as JSON."""
    app = create_app(os.environ)
    with app.app_context():
        upgrade(directory=str(REPOSITORY / "migrations"))
        rows = ({"username": f"r{n}", "username_key": f"r{n}", "email": f"r{n}@example.org"} for n in range(readers))
        db.session.execute(
            insert(User), [{**row, "password_hash": "x", "email_confirmed_at": utc_now()} for row in rows]
        )
        announcement = Announcement(title="A record in March", words=WORDS, state=QUEUED)
        db.session.add(announcement)
        db.session.flush()
        announcement_id = announcement.id
        job_id = tell("announcement", subject_id=announcement_id)
        db.session.commit()
        letters_per_s = _letters_per_s(announcement_id, min(readers, LETTERS))
        worker, samples = psutil.Process(), []
        while True:
            if run_next("tell") is None and _is_ended(job_id):
                break
            with reading():
                sent = db.session.scalar(select(func.count()).where(Delivery.state == "sent"))
                db.session.rollback()
            samples.append((sent, worker.memory_info().rss))
        times: Any = select(func.min(Delivery.sent_at), func.max(Delivery.sent_at), func.count(Delivery.sent_at))
        first_at, last_at, sent = db.session.execute(times).one()
        print(json.dumps({
            "sent": sent,
            "mails_per_s": (sent - 1) / (last_at - first_at).total_seconds(),
            "letters_per_s": letters_per_s,
            "samples": samples,
        }))  # fmt: skip


def _is_ended(job_id: int) -> bool:
    db.session.rollback()
    return db.session.scalar(select(Job.state).where(Job.id == job_id)) in ENDED


def _letters_per_s(announcement_id: int, count: int) -> float:
    """How quickly they are written; nothing is sent."""
    with reading():
        ids = list(db.session.scalars(select(User.id).limit(count)))
        began = time.perf_counter()
        for user_id in ids:
            assert WRITERS["announcement"](Occasion("announcement", user_id, announcement_id, f"{user_id}", {}))
            db.session.rollback()
        return count / (time.perf_counter() - began)


def compare_mailing(database: Database, folder: Path, readers: int) -> dict[str, Any]:
    with redis_server() as redis, Sink(folder) as sink:
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MAIL_")},
            "INSTANCE_PATH": str(folder / "instance"),
            "DATABASE_URL": database.url,
            "REDIS_URL": redis.url,
            "SECRET_KEY": "bench",
            "SITE_URL": "http://localhost",
            "PYTHONPATH": str(REPOSITORY),
            "MAIL_SERVER": "127.0.0.1",
            "MAIL_PORT": str(sink.port),
        }
        command = [sys.executable, __file__, "--only-mailing", "--readers", str(readers)]
        ran = subprocess.run(command, env=environ, cwd=REPOSITORY, check=True, stdout=subprocess.PIPE, text=True)
        ours = json.loads(ran.stdout.splitlines()[-1])
    mails = sink.counted["mails"]
    with Sink(folder) as bare_sink:
        began = time.perf_counter()
        with smtplib.SMTP("127.0.0.1", bare_sink.port) as connection:
            for number in range(readers):
                connection.sendmail("musicapp@localhost", f"r{number}@example.org", mails[number % len(mails)].encode())
        bare_per_s = readers / (time.perf_counter() - began)
    # After the first tenth everything is imported, compiled and cached.
    settled = [memory for sent, memory in ours["samples"] if sent >= readers / 10]
    grown_mib = (settled[-1] - settled[0]) / 2**20
    print(f"| {database.name}: a mailing to {readers:,} | mails per second |\n|---|--:|")
    print(f"| the worker, {len(ours['samples'])} parts | {ours['mails_per_s']:.0f} |")
    print(f"| writing the letters alone | {ours['letters_per_s']:.0f} |")
    print(f"| bare smtplib, one connection, the same {len(mails[0]) / 1024:.1f} KiB | {bare_per_s:.0f} |")
    print(f"| **ratio to bare smtplib** | **{ours['mails_per_s'] / bare_per_s:.2f}** |\n")
    print(f"Taken by the sink: {sink.counted['count']:,}, different ones {sink.counted['different']:,}. "
          f"Memory of the worker: {settled[0] / 2**20:.0f} MiB after the first tenth, {settled[-1] / 2**20:.0f} MiB at "
          f"the end, {grown_mib:+.1f} (goal: at most {GROWTH_GOAL_MIB:+.0f}).\n", flush=True)  # fmt: skip
    taken = {name: sink.counted[name] for name in ("count", "different")}
    return {**ours, **taken, "bare_per_s": bare_per_s, "grown_mib": grown_mib}


# ---- an event ----


def compare_event(database: Database, folder: Path, events: int) -> dict[str, Any]:
    """An event whose handler adds a job, and the same row by a bare insert, in turns; each commits."""
    with redis_server() as redis:
        environ = {"INSTANCE_PATH": str(folder / "events"), "DATABASE_URL": database.url, "REDIS_URL": redis.url}
        app = create_app({**environ, "SECRET_KEY": "bench", "SITE_URL": "http://localhost"})
        took: dict[str, list[tuple[float, float]]] = {"bare": [], "event": []}
        with app.app_context():
            upgrade(directory=str(REPOSITORY / "migrations"))
            user_id = db.session.scalar(
                insert(User)
                .values(username="e", username_key="e", email="e@example.org", password_hash="x")
                .returning(User.id)
            )
            db.session.commit()
            for number in range(events + 20):
                for name, times in took.items():
                    began = time.perf_counter()
                    if name == "event":
                        publish(EmailConfirmationRequested(user_id or 0))
                    else:
                        values = {"kind": "mail_confirm_address", "subject_id": user_id, "owner_id": user_id}
                        db.session.execute(insert(Job).values(**values))
                    written = time.perf_counter()
                    db.session.commit()
                    if number >= 20:
                        times.append((written - began, time.perf_counter() - written))
            db.session.remove()
            db.engine.dispose()
    print(f"| {database.name}: {events:,} of each, median | in the transaction µs | commit and after µs | p99 µs |")
    print("|---|--:|--:|--:|")
    for name, words in (("bare", "a bare insert of the job's row"), ("event", "an event, its handler, the job")):
        inside, after = (statistics.median(part) * 1e6 for part in zip(*took[name], strict=True))
        slowest = sorted(sum(both) for both in took[name])[int(events * 0.99)] * 1e6
        print(f"| {words} | {inside:.0f} | {after:.0f} | {slowest:.0f} |")
    print(flush=True)
    return {name: [sum(both) for both in times] for name, times in took.items()}


# ---- a single mail's wait ----


def measure_wait(folder: Path, uploads: int, seconds: float) -> dict[str, Any]:
    """Workers as they are installed on two cores: two processes for mail and probes, one encodes."""
    with redis_server() as redis, Sink(folder) as sink:
        site = Site(folder, redis, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(sink.port))
        site.migrate()
        app = create_app(site.environ)
        try:
            with app.app_context():
                users = _people_and_uploads(folder, uploads)
                site.start_worker("default", concurrency=2)
                site.start_worker("media", concurrency=1)
                site.start_beat()
                wait_for(_encoding, 60, "the first encoding")
                probing, encoding, left = _ask_for_links(users, seconds)
                wait_for(lambda: _mails_sent() == len(probing) + len(encoding), 120, "the last mail")
                waits = {"they wait to be probed": _waits(probing), "they are encoded": _waits(encoding)}
        finally:
            site.stop()
            with app.app_context():
                db.session.remove()
                db.engine.dispose()
    print(f"| seconds until the 250, {uploads} uploads of {TRACK_S} s | mails | p50 | p99 | slowest |")
    print("|---|--:|--:|--:|--:|")
    for words, seconds_each in waits.items():
        if seconds_each:
            p50, p99 = seconds_each[len(seconds_each) // 2], seconds_each[int(len(seconds_each) * 0.99)]
            print(f"| while {words} | {len(seconds_each)} | {p50:.3f} | **{p99:.3f}** | {seconds_each[-1]:.3f} |")
    print(
        f"\nGoal: p99 under {WAIT_GOAL_S:.0f} s. {uploads - left} of {uploads} uploads were ready at the end.\n",
        flush=True,
    )
    return {"waits_s": waits, "uploads_left": left}


def _people_and_uploads(folder: Path, uploads: int) -> list[int]:
    """Ids of people who will forget their password; alice's uploads wait for the workers."""
    flac = folder / "track.flac"
    run_ffmpeg_plainly("-f", "lavfi", "-i", f"anoisesrc=c=pink:a=0.2:r=44100:d={TRACK_S}", "-ac", "2", str(flac))
    people = [
        {"username": f"r{n}", "username_key": f"r{n}", "email": f"r{n}@example.org", "password_hash": "x"}
        for n in range(50)
    ]
    users = list(db.session.scalars(insert(User).returning(User.id), people))
    album_id = create_album(
        artist_id=create_artist(name="Alice Ray", owner_id=users[0]), title="Tides", user_id=users[0]
    )
    db.session.commit()
    for number in range(uploads):
        copy = store().scratch_dir() / f"{number}.flac"
        shutil.copy(flac, copy)
        accept_upload(user_id=users[0], album_id=album_id, filename=f"{number}.flac", file=copy)
        db.session.commit()
    return users


def _ask_for_links(users: list[int], seconds: float) -> tuple[list[int], list[int], int]:
    """Jobs of mails asked for while uploads waited for the worker that sends mails too, those asked for later while
    they were only encoded, and how many uploads were not ready when that ended."""
    ends_at = time.monotonic() + seconds
    probing: list[int] = []
    encoding: list[int] = []
    while time.monotonic() < ends_at and _count(Upload.state != "ready"):
        is_probing = _count((Job.kind == "probe_upload") & Job.state.in_(("queued", "running"))) > 0
        user_id = users[(len(probing) + len(encoding)) % len(users)]
        job_id = jobs.add("mail_reset_password", subject_id=user_id, owner_id=user_id)
        db.session.commit()
        (probing if is_probing else encoding).append(job_id)
        time.sleep(MAIL_EVERY_S)
    return probing, encoding, _count(Upload.state != "ready")


def _encoding() -> bool:
    return _count((Job.kind == "encode_track") & (Job.state == "running")) > 0


def _mails_sent() -> int:
    return _count((Delivery.kind == "reset_password") & (Delivery.state == "sent"))


def _count(condition: Any) -> int:
    with reading():
        found = db.session.scalar(select(func.count()).where(condition)) or 0
        db.session.rollback()
    return found


def _waits(job_ids: list[int]) -> list[float]:
    """Seconds from asking to the server's 250, the shortest first."""
    with reading():
        rows: list[tuple[datetime, datetime]] = [
            (row.created_at, row.sent_at)
            for row in db.session.execute(
                select(Job.created_at, Delivery.sent_at).join(Job, Job.id == Delivery.job_id).where(Job.id.in_(job_ids))
            )
        ]
        db.session.rollback()
    return sorted((sent_at - created_at).total_seconds() for created_at, sent_at in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--uploads", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=180, help="longest time to ask for single mails")
    parser.add_argument("--databases", default="sqlite,postgresql")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--only-mailing", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_mailing:
        send_mailing(arguments.readers)
        return
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with databases(folder, arguments.databases) as found:
            for database in found:
                part = figures[database.name] = {}
                if arguments.readers:
                    part["mailing"] = compare_mailing(database, folder, arguments.readers)
                if arguments.events:
                    part["event"] = compare_event(database, folder, arguments.events)
        if arguments.uploads:
            (folder / "site").mkdir()
            figures["wait"] = measure_wait(folder / "site", arguments.uploads, arguments.seconds)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
