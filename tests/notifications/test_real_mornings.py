"""Beat, a worker and a mail server, all real, with the intervals shortened by settings; each process is killed once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from datetime import timedelta

import pytest

from musicapp import create_app
from musicapp.core.db import db, utc_now
from tests.notifications.world import add_album, add_artist, add_plays, add_track, add_user
from tests.servers import REPOSITORY, MailSink, Site, wait_for

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
READERS = 40


def _make_rows(site: Site) -> None:
    app = create_app(site.environ)
    with app.app_context():
        now = utc_now()
        alice = add_user("alice", email="alice@example.org")
        silent = add_artist("Stille", alice.id, created_at=now - timedelta(days=400))
        track = add_track(add_album(silent, "Old", published_at=now, created_at=now), "Song", silent.id)
        track.album.published_at = track.album.created_at = now - timedelta(days=40)
        add_plays(track, now - timedelta(days=8), "visitor-1")
        add_album(add_artist("The Auroras"), "Low Tide", published_at=now - timedelta(hours=1))
        for number in range(READERS):
            add_user(f"reader{number}", email=f"reader{number}@example.org")
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def test_each_mail_of_the_clock_arrives_once_through_a_kill_of_worker_and_beat(site: Site) -> None:
    sink = MailSink()
    sink.start()
    often = {"send the newsletter where it is morning": {"task": "notifications.send_newsletters", "schedule": 1}}
    site.environ.update(
        MAIL_SERVER="127.0.0.1",
        MAIL_PORT=str(sink.port),
        NEWSLETTER_AT=f"{utc_now():%H:%M}",
        ARTIST_INACTIVE_CHECK_HOURS="0.001",
        CELERY_CONF_BEAT_SCHEDULE=json.dumps(often),
    )
    site.migrate()
    _make_rows(site)
    site.start_worker("default")
    site.start_beat()
    wait_for(lambda: len(sink.messages) >= 5, 90, "the first mails")
    site.kill("worker-default")
    site.kill("beat")
    site.start_worker("default")
    site.start_beat()
    newsletters = "New music: Low Tide by The Auroras"
    # everybody's, and one more reader: alice
    wait_for(lambda: len(sink.to("@example.org", newsletters)) >= READERS + 1, 90, "the newsletter")
    wait_for(lambda: sink.to("alice@example.org", "Stille has been quiet"), 90, "the reminder")
    asked = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "tasks", "run", "notifications.send_figures"],
        cwd=REPOSITORY,
        env=site.environ,
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    assert "time_zones" in asked.stdout
    wait_for(lambda: sink.to("alice@example.org", "Stille: "), 90, "the figures")

    each = Counter((str(mail["To"]), str(mail["Subject"])) for mail in sink.messages)
    ids = Counter(str(mail["Message-ID"]) for mail in sink.messages)
    assert len(each) == READERS + 3
    assert len(ids) == READERS + 3, "a mail that was sent again is known by its Message-ID"
    # Only the mail under way while the worker was killed may have come twice.
    assert sum(each.values()) <= READERS + 4
    sink.stop()
