"""One event reaches people through several outlets, each once, also through crashes and by the thousand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, func, insert, select

from musicapp.accounts.models import User
from musicapp.catalog.events import AlbumPublished
from musicapp.catalog.models import Album
from musicapp.core import events
from musicapp.core.db import db, utc_now
from musicapp.jobs import runner
from musicapp.jobs.models import Job
from musicapp.library.models import ArtistFollow
from musicapp.live import presence
from musicapp.notifications import posting, preferences, readers, telling
from musicapp.notifications.audiences import AUDIENCES
from musicapp.notifications.kinds import DAILY, KINDS, MAIL, NOW, OFF, PAGE, WEEKLY
from musicapp.notifications.models import Delivery, DigestEntry, Notice
from musicapp.notifications.notices.words import WRITERS
from musicapp.notifications.outlets import OUTLETS, Outlet, Telling
from tests.notifications.conftest import Cast

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def unsent(monkeypatch: pytest.MonkeyPatch) -> None:
    """The post office is closed: deliveries stay as they were written."""
    monkeypatch.setattr(posting, "send_waiting", lambda _job: {"sent": 0})


def add_followers(artist_id: int, count: int, first: int = 1000) -> list[int]:
    ids = list(range(first, first + count))
    names = [{"id": id_, "username": f"u{id_}", "username_key": f"u{id_}", "email": f"u{id_}@x.org"} for id_ in ids]
    db.session.execute(insert(User), [{**name, "password_hash": "x"} for name in names])
    db.session.execute(insert(ArtistFollow), [{"user_id": id_, "artist_id": artist_id} for id_ in ids])
    db.session.commit()
    return ids


def publish(album_id: int) -> None:
    db.session.get_one(Album, album_id).published_at = utc_now()
    events.publish(AlbumPublished(album_id))
    db.session.commit()


def run_tells() -> None:
    while runner.run_next("tell"):
        pass


def kinds_told(model: Any, user_id: int) -> list[str]:
    return sorted(db.session.scalars(select(model.kind).where(model.user_id == user_id)))


def test_release_reaches_followers_once_as_they_chose(cast: Cast, unsent: None) -> None:
    artist_id = catalog_artist(cast)
    page_only, nothing, daily, weekly, closed = add_followers(artist_id, 5)
    preferences.save(page_only, {("new_release", MAIL): OFF})
    preferences.save(nothing, {("new_release", MAIL): OFF, ("new_release", PAGE): OFF})
    preferences.save(daily, {("new_release", MAIL): DAILY})
    preferences.save(weekly, {("new_release", MAIL): WEEKLY})
    db.session.get_one(User, closed).deleted_at = utc_now()
    publish(cast.album_id)
    run_tells()
    publish(cast.album_id)
    run_tells()
    told = db.session.scalars(select(Notice.user_id).where(Notice.kind == "new_release").order_by(Notice.user_id)).all()
    assert told == [page_only, daily, weekly]
    entries = db.session.execute(select(DigestEntry.user_id, DigestEntry.frequency).order_by(DigestEntry.user_id)).all()
    assert [tuple(row) for row in entries] == [(daily, DAILY), (weekly, WEEKLY)]
    # Its own member hears that it is public, not that somebody they follow has an album out.
    assert kinds_told(Notice, cast.user_id) == ["album_created", "album_published"]
    assert kinds_told(Delivery, cast.user_id) == ["album_created", "album_published"]


def catalog_artist(cast: Cast) -> int:
    return db.session.get_one(Album, cast.album_id).artist_id
