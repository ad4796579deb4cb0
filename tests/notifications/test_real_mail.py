"""The congratulation through real workers: SMTP away at that moment, and a worker killed while the server thinks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from musicapp import create_app
from musicapp.accounts import services as accounts
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Artist
from musicapp.core.db import db, reading
from musicapp.jobs.models import Job
from tests.servers import MailSink, Site, wait_for

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


class ThinkingSink(MailSink):
    """Takes the first mail in and then never answers it."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.begun += 1
        if self.begun == 1:
            await asyncio.sleep(120)  # longer than the worker lives
        return await super().handle_DATA(server, session, envelope)


def make_album(site: Site) -> None:
    """alice makes an album as the web process does; nothing else of the site has to run for it."""
    app = create_app(site.environ)
    with app.app_context():
        user = accounts.register(
            username="alice",
            email="alice@example.org",
            password_hash="x",
            artist_name="Alice Ray",
            is_email_confirmed=True,
        )
        artist_id = db.session.scalars(db.select(Artist.id)).one()
        catalog.create_album(artist_id=artist_id, title="Low Tide", kind="album", user_id=user.id)
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def mail_jobs(site: Site) -> list[tuple[str, str | None]]:
    """State and error of the congratulations."""
    app = create_app(site.environ)
    with app.app_context(), reading():
        rows = db.session.execute(db.select(Job.state, Job.error).where(Job.kind == "tell"))
        found = [(row.state, row.error) for row in rows]
        db.session.remove()
        db.engine.dispose()
    return found


def test_worker_killed_while_the_mail_server_thinks_sends_it_once(site: Site) -> None:
    sink = ThinkingSink()
    sink.start()
    site.environ.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=str(sink.port))
    site.migrate()
    make_album(site)
    site.start_worker("default")
    site.start_beat()
    wait_for(lambda: sink.begun == 1, 40, "the first attempt")
    site.kill("worker-default")
    assert sink.messages == []
    site.start_worker("default")
    wait_for(lambda: mail_jobs(site) == [("succeeded", None)], 60, "the mail to be sent")
    [mail] = sink.to("alice@example.org", "Low Tide")
    assert mail["Message-ID"]
    sink.stop()


def test_mail_is_sent_when_redis_and_smtp_are_back(site: Site) -> None:
    sink = MailSink()
    site.environ.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=str(sink.port))
    site.migrate()
    site.redis.stop()
    make_album(site)
    site.redis.start()
    site.start_worker("default")
    site.start_beat()
    wait_for(lambda: "could not be reached" in (mail_jobs(site)[0][1] or ""), 40, "a try in vain")
    sink.start()
    wait_for(lambda: mail_jobs(site) == [("succeeded", None)], 60, "the mail to be sent")
    assert len(sink.to("alice@example.org", "Low Tide")) == 1
    sink.stop()
