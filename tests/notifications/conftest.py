from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from flask import Flask

from musicapp import create_app
from musicapp.accounts.models import User
from musicapp.catalog.services import create_album, create_artist
from musicapp.core.db import db
from musicapp.jobs import services as jobs
from tests.notifications.hostile_sink import HostileSink
from tests.servers import MailSink


@dataclass(frozen=True)
class Cast:
    """Alice and her draft. Making them added the jobs of their mails."""

    user_id: int
    album_id: int


def make_cast(title: str = "Morgenröte") -> Cast:
    user = User(
        username="alice", username_key="alice", display_name="Alice", email="alice@example.com", password_hash="x"
    )
    db.session.add(user)
    db.session.flush()
    artist_id = create_artist(name="Ala & Söhne", owner_id=user.id)
    album_id = create_album(artist_id=artist_id, title=title, user_id=user.id)
    # As releases before the tellings did: a mail that is a job of its own.
    jobs.add(
        "mail_album_created",
        subject_id=album_id,
        owner_id=user.id,
        unique_key=f"mail_album_created/{album_id}/{user.id}",
        arguments={"user_id": user.id},
    )
    db.session.commit()
    return Cast(user.id, album_id)


@pytest.fixture
def cast(context: Flask) -> Cast:
    return make_cast()


@pytest.fixture
def smtp_app(environ: dict[str, str], mail_sink: MailSink) -> Iterator[Flask]:
    """An app whose mails go to the sink, with its context pushed."""
    app = create_app(
        {**environ, "MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(mail_sink.port), "MAIL_TIMEOUT_SECONDS": "1"},
        TESTING=True,
    )
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


@pytest.fixture
def sink() -> Iterator[HostileSink]:
    """A mail server with moods."""
    sink = HostileSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture
def post(environ: dict[str, str], sink: HostileSink) -> Iterator[Flask]:
    """An app whose mails go to the sink, with its context pushed."""
    app = create_app({**environ, "MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(sink.port)}, TESTING=True)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()
