from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask

from config import SettingError, load_settings
from musicapp.catalog.models import Album, Artist
from musicapp.core.db import db, utc_now
from musicapp.jobs.runner import run_next
from musicapp.notifications.inactivity import remind_silent_artists
from musicapp.notifications.models import NotificationPreference
from musicapp.schedule import schedule
from tests.notifications.world import add_album, add_artist, add_user, read_mails

ONCE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def _days_ago(days: float) -> datetime:
    return utc_now() - timedelta(days=days)


def _look(app: Flask) -> list[str]:
    """Looks for silent artists, sends what comes of it; subjects of all mails so far, in order of their names."""
    remind_silent_artists()
    while run_next("tell") is not None:
        pass
    return sorted(str(mail["Subject"]) for mail in read_mails(app))


def _make_album(artist_id: int, days_ago: float, published_days_ago: float | None = None) -> int:
    published_at = _days_ago(published_days_ago) if published_days_ago is not None else None
    artist = db.session.get_one(Artist, artist_id)
    album = add_album(artist, f"Album {days_ago}", created_at=_days_ago(days_ago), published_at=published_at)
    db.session.commit()
    return album.id


def _cast() -> tuple[int, int]:
    alice = add_user("alice").id
    artist = add_artist("The Auroras", alice, created_at=_days_ago(400)).id
    db.session.commit()
    return alice, artist


def test_a_silent_artist_is_reminded_once_for_each_silence(context: Flask) -> None:
    _, artist = _cast()
    _make_album(artist, days_ago=29.9)
    assert _look(context) == [], "an album within thirty days"
    db.session.query(Album).update({"created_at": _days_ago(30.1)})
    db.session.commit()
    assert _look(context) == ["The Auroras has been quiet for a while"]
    (mail,) = read_mails(context)
    assert mail["To"] == "alice@example.com"
    assert "List-Unsubscribe" in mail
    assert _look(context) == ["The Auroras has been quiet for a while"], "once"

    newer = _make_album(artist, days_ago=0)
    assert len(_look(context)) == 1
    db.session.get_one(Album, newer).deleted_at = utc_now()
    db.session.commit()
    assert len(_look(context)) == 1, "a draft that was thrown away begins no new silence"
    db.session.get_one(Album, newer).deleted_at = None
    db.session.commit()
    context.config["ARTIST_INACTIVE_AFTER_DAYS"] = 0
    assert len(_look(context)) == 2, "the album ended that silence, and here is the next"


@ONCE
def test_an_artist_without_albums_counts_from_its_first_day(context: Flask) -> None:
    alice = add_user("alice").id
    for name, age in (("New", 20), ("Old", 40)):
        add_artist(name, alice, created_at=_days_ago(age))
    add_artist("A name in credits only", created_at=_days_ago(40))
    gone = add_artist("Gone", alice, created_at=_days_ago(40))
    gone.deleted_at = utc_now()
    db.session.commit()
    assert _look(context) == ["Old has been quiet for a while"]
    assert "Old has no album here yet." in str(read_mails(context)[0])


@ONCE
def test_publishing_an_old_draft_is_no_silence_and_a_deleted_album_no_sign(context: Flask) -> None:
    alice, artist = _cast()
    _make_album(artist, days_ago=90, published_days_ago=5)
    other = add_artist("Other", alice, created_at=_days_ago(400)).id
    deleted = _make_album(other, days_ago=3)
    db.session.get_one(Album, deleted).deleted_at = utc_now()
    db.session.commit()
    assert _look(context) == ["Other has been quiet for a while"]


@ONCE
def test_whoever_does_not_want_to_be_reminded_is_not(context: Flask) -> None:
    alice, _ = _cast()
    bob = add_user("bob").id
    shared = add_artist("Two of us", alice, bob, created_at=_days_ago(40))
    db.session.add(NotificationPreference(user_id=alice, kind="artist_inactive", outlet="mail", frequency="off"))
    db.session.commit()
    assert shared.id
    _look(context)
    assert [mail["To"] for mail in read_mails(context)] == ["bob@example.com"]


@ONCE
def test_an_album_that_comes_before_the_mail_leaves_keeps_it_back(context: Flask) -> None:
    _, artist = _cast()
    remind_silent_artists()
    _make_album(artist, days_ago=0)
    run_next("tell")
    assert read_mails(context) == []


def test_how_often_it_is_looked_and_after_how_long_are_settings() -> None:
    settings = load_settings({"SECRET_KEY": "x", "ARTIST_INACTIVE_CHECK_HOURS": "0.01"})
    entries = {entry["task"]: entry["schedule"] for entry in schedule(settings).values()}
    assert entries["notifications.remind_silent_artists"] == 36
    assert settings["ARTIST_INACTIVE_AFTER_DAYS"] == 30
    for name, wrong in (("ARTIST_INACTIVE_AFTER_DAYS", "a month"), ("ARTIST_INACTIVE_CHECK_HOURS", "0")):
        with pytest.raises(SettingError, match=name):
            load_settings({"SECRET_KEY": "x", name: wrong})
