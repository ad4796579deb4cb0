"""A site with everything due, as `make run` starts it: each process is killed -9, Redis is away for half a minute."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from musicapp import create_app
from musicapp.catalog.models import Artist
from musicapp.core.db import db, utc_now
from musicapp.library.models import ArtistFollow
from tests.audio.make import tone
from tests.breakdowns.visitors import Visitors
from tests.notifications.world import add_album, add_artist, add_track, add_user
from tests.run.made_site import Site
from tests.servers import MailSink, RedisServer, wait_for

pytestmark = [pytest.mark.real, pytest.mark.timeout(400)]
READERS = 50
WITHOUT_REDIS_S = 30
ALICE = "alice@example.org"
NEWS = "New music: Dusk by The Auroras"
PATHS = ("/", "/albums/", "/albums/1", "/artists/1", "/studio/", "/notifications", "/settings")


class SlowSink(MailSink):
    """Takes a moment for each mail, so that there is a middle in which to be killed."""

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        await asyncio.sleep(0.1)
        return await super().handle_DATA(server, session, envelope)


@pytest.fixture
def sink() -> Iterator[SlowSink]:
    sink = SlowSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def site(own_redis: RedisServer, sink: SlowSink) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="ma-", dir="/tmp"))
    often = {"send the newsletter where it is morning": {"task": "notifications.send_newsletters", "schedule": 1}}
    site = Site(
        folder,
        REDIS_URL=own_redis.url,
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=str(sink.port),
        NEWSLETTER_AT=f"{utc_now():%H:%M}",
        ARTIST_INACTIVE_CHECK_HOURS="0.001",
        JOB_HEARTBEAT_TIMEOUT_SECONDS="6",
        JOB_SWEEP_SECONDS="2",
        CELERY_CONF_BEAT_SCHEDULE=json.dumps(often),
    )
    yield site
    site.end()
    print(site.said()[-20_000:])  # pytest shows it for failed tests only
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def rows_of(site: Site) -> Iterator[Flask]:
    app = create_app(site.settings)
    with app.app_context():
        yield app
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def fill(site: Site) -> None:
    """bob, whose artist is silent, and READERS who are told of Dusk in the morning."""
    with rows_of(site):
        now = utc_now()
        dusk = add_album(add_artist("The Auroras"), "Dusk", published_at=now - timedelta(hours=1))
        add_track(dusk, "First Light")
        bob = add_user("bob", email="bob@example.org")
        silent = add_artist("Stille", bob.id, created_at=now - timedelta(days=400))
        add_album(silent, "Old", created_at=now - timedelta(days=40))
        for number in range(READERS):
            add_user(f"reader{number}", email=f"reader{number}@example.org")


def let_follow(site: Site) -> None:
    with rows_of(site):
        alices = db.session.scalars(select(Artist.id).where(Artist.name == "Alice Ray")).one()
        db.session.add_all(ArtistFollow(user_id=user_id, artist_id=alices) for user_id in range(2, READERS + 2))


def register(site: Site) -> requests.Session:
    alice = requests.Session()
    account = {"username": "alice", "email": ALICE, "password": "three green kettles"}
    account |= {"is_musician": "1", "artist_name": "Alice Ray"}
    assert alice.post(f"{site.address}/register", data=account, timeout=20).ok
    return alice


def make_album(alice: requests.Session, site: Site, title: str) -> str:
    """Its number."""
    made = alice.post(f"{site.address}/studio/albums/new", data={"title": title, "kind": "album"}, timeout=30)
    assert made.ok, made.text[:1000]
    return str(re.findall(r"/studio/albums/(\d+)", made.url)[0])


def announce(alice: requests.Session, site: Site) -> None:
    words = {"title": "Tonight", "words": "We play at the harbour."}
    draft = alice.post(f"{site.address}/studio/announcements/new", data=words, timeout=20)
    assert alice.post(f"{draft.url}/send", data={"when": "now"}, timeout=20).ok, draft.url


def kill(site: Site, program: str) -> None:
    """By -9; the supervisor starts it again."""
    before = wait_for(lambda: site.first_process(program), 60, f"{program} runs")
    assert before is not None
    below = before.children()
    before.kill()
    # those of the web server go on with what they have for a moment
    wait_for(lambda: not any(one.is_running() for one in below), 60, f"what {program} had started ends")
    wait_for(lambda: site.first_process(program) not in {None, before}, 60, f"{program} runs again")


def ask(site: Site, question: str) -> list[tuple[Any, ...]]:
    address = f"file:{site.folder}/instance/musicapp.db?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True, timeout=20)) as database:
        return database.execute(question).fetchall()


def unfinished(site: Site) -> list[tuple[Any, ...]]:
    return ask(site, "SELECT kind, state, error, run_at FROM jobs WHERE state NOT IN ('succeeded', 'cancelled')")


def runs_since(site: Site, run_id: int) -> set[str]:
    """Tasks of the clock that succeeded after that run."""
    found = ask(site, f"SELECT DISTINCT task FROM periodic_runs WHERE id > {run_id} AND state = 'succeeded'")
    return {task for (task,) in found}


def expected_mails() -> list[tuple[str, str]]:
    """Address and subject. Alice may be too late for this morning's news."""
    readers = [f"reader{number}@example.org" for number in range(READERS)]
    mails = [(reader, subject) for reader in readers for subject in ("Alice Ray: Tonight", NEWS)]
    mails += [("bob@example.org", NEWS), ("bob@example.org", "Stille has been quiet for a while")]
    hers = ["Welcome to musicapp: confirm your address", "Congratulations on “Low Tide”"]
    hers += ["Congratulations on “Made in the Dark”", "“Low Tide”: your track is ready"]
    return [*mails, *((ALICE, subject) for subject in hers)]


def test_each_mail_arrives_once_through_a_kill_of_every_process_and_half_a_minute_without_redis(
    site: Site, sink: SlowSink, own_redis: RedisServer, tmp_path: Path
) -> None:
    site.start()
    fill(site)
    alice = register(site)
    low_tide = make_album(alice, site, "Low Tide")
    let_follow(site)
    song = tone(tmp_path / "song.flac", "-metadata", "title=Shells", seconds=30)
    with Visitors(site.address, PATHS, cookies=dict(alice.cookies)) as visitors:
        with song.open("rb") as audio:
            sent = alice.post(f"{site.address}/albums/{low_tide}/uploads", files={"files": ("song.flac", audio)})
        assert sent.ok
        announce(alice, site)
        kill(site, "worker-media")
        wait_for(lambda: len(sink.to("@example.org", "Tonight")) >= 5, 60, "the first followers")
        kill(site, "worker-default")
        wait_for(lambda: len(sink.to("@example.org", "Tonight")) >= 15, 60, "the next followers")
        kill(site, "beat")
        with visitors.gap():
            kill(site, "web")
            wait_for(site.answers, 60, "the site answers again")

        # From here on what nobody can answer is a complaint.
        own_redis.stop()
        begun = len(visitors.answers)
        ends = time.monotonic() + WITHOUT_REDIS_S
        alice.close()  # a browser, too, connects anew to a server that was started again
        make_album(alice, site, "Made in the Dark")
        alice.close()
        wait_for(lambda: time.monotonic() > ends, WITHOUT_REDIS_S + 10, "half a minute")
        meanwhile = visitors.answers[begun:]
        own_redis.start()

        wait_for(lambda: len(sink.to(ALICE, "Made in the Dark")) == 1, 90, "the second congratulation")
        wait_for(lambda: sink.to(ALICE, "track is ready"), 90, "what became of her upload")
        wait_for(lambda: sink.to("bob@example.org", "Stille has been quiet"), 60, "the reminder")
        wait_for(lambda: unfinished(site) == [], 90, "all jobs to end")
        ((last_run,),) = ask(site, "SELECT max(id) FROM periodic_runs")
        both = {"notifications.send_newsletters", "notifications.remind_silent_artists"}
        wait_for(lambda: both <= runs_since(site, last_run), 60, "another look of the clock")
        assert unfinished(site) == []

    each = {str(mail["Message-ID"]): (str(mail["To"]), str(mail["Subject"])) for mail in sink.messages}
    assert Counter(each.values()) - Counter([(ALICE, NEWS)]) == Counter(expected_mails())
    # The one on its way when the worker was killed, and one more when its successor died with Redis.
    assert len(sink.messages) - len(each) <= 2
    assert len(meanwhile) > WITHOUT_REDIS_S
    assert {answer.status for answer in meanwhile} == {200}
    assert visitors.complaints() == []
