"""Mails through real workers: SMTP and Redis away at that moment, and a worker killed in the middle of a mailing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from musicapp import create_app
from musicapp.accounts import services as accounts
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album, Artist
from musicapp.core.db import db, reading
from musicapp.jobs.models import Job
from musicapp.notifications.telling import tell
from tests.notifications.world import add_user
from tests.servers import MailSink, Site, wait_for

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]


READERS = 12


class ThinkingSink(MailSink):
    """Takes the fifth mail in and then never answers it."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        self.begun += 1
        if self.begun == 5:
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


def tell_many(site: Site) -> None:
    """A mailing to READERS people about alice's album."""
    app = create_app(site.environ)
    with app.app_context():
        names = [f"reader{n}" for n in range(READERS)]
        users = [add_user(name, email=f"{name}@example.org") for name in names]
        album_id = db.session.scalars(db.select(Album.id)).one()
        about = {"user_ids": [user.id for user in users]}
        tell("album_created", subject_id=album_id, arguments=about, reason="to many")
        db.session.commit()
        db.session.remove()
        db.engine.dispose()


def test_a_worker_killed_in_the_middle_of_a_mailing_sends_every_mail_once(site: Site) -> None:
    sink = ThinkingSink()
    sink.start()
    site.environ.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=str(sink.port))
    site.migrate()
    make_album(site)
    tell_many(site)
    site.start_worker("default")
    site.start_beat()
    wait_for(lambda: sink.begun == 5, 40, "the fifth mail")
    site.kill("worker-default")
    assert len(sink.messages) == 4
    site.start_worker("default")
    wait_for(lambda: mail_jobs(site) == [("succeeded", None)] * 2, 60, "the mails to be sent")
    names = ["alice", *(f"reader{n}" for n in range(READERS))]
    assert sorted(str(mail["To"]) for mail in sink.messages) == sorted(f"{name}@example.org" for name in names)
    assert len({mail["Message-ID"] for mail in sink.messages}) == 1 + READERS
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
