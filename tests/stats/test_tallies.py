from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select

from musicapp.catalog.models import AlbumCredit, Track
from musicapp.core.db import db, utc_now
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike
from musicapp.playback.models import Play
from musicapp.stats.models import ArtistDay, TrackDay
from musicapp.stats.queries import Figure, weeks_of_artists
from musicapp.stats.services import tally_day
from musicapp.stats.tasks import RECOUNTED_DAYS, tally
from tests.notifications.world import add_album, add_artist, add_plays, add_track, add_user
from tests.test_statements import statements_of

DAY = date(2026, 7, 8)


def _at(hour: int, minute: int = 0, day: date = DAY) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def _days() -> tuple[dict[int, int], dict[int, tuple[int, int]]]:
    """(track -> plays, artist -> (plays, listeners)) of DAY."""
    tracks = db.session.execute(select(TrackDay.track_id, TrackDay.plays).where(TrackDay.day == DAY))
    artists = db.session.execute(
        select(ArtistDay.artist_id, ArtistDay.plays, ArtistDay.listeners).where(ArtistDay.day == DAY)
    )
    return {row[0]: row[1] for row in tracks}, {row[0]: (row[1], row[2]) for row in artists}


def test_a_play_counts_for_every_performer_of_its_track_and_is_counted_anew_without_harm(context: Flask) -> None:
    bob, charlie = add_user("bob"), add_user("charlie")
    home, guest, label = add_artist("Home"), add_artist("Guest"), add_artist("Various")
    album = add_album(home, "Album", published_at=utc_now())
    duet, solo = add_track(album, "Duet", home.id, guest.id), add_track(album, "Solo", home.id)
    compilation = add_album(label, "Compilation", published_at=utc_now())
    nameless = add_track(compilation, "Nameless")
    add_plays(duet, _at(0), bob, charlie, "visitor-1")
    add_plays(duet, _at(23, 59), bob)
    add_plays(solo, _at(12), bob)
    add_plays(nameless, _at(12), bob)
    add_plays(solo, _at(0, day=DAY + timedelta(days=1)), bob)
    db.session.commit()

    expected = (
        {duet.id: 4, solo.id: 1, nameless.id: 1},
        {home.id: (5, 3), guest.id: (4, 3), label.id: (1, 1)},
    )
    for _again in range(2):
        assert tally_day(DAY) == 6
        db.session.commit()
        assert _days() == expected
    add_plays(solo, _at(20), charlie)
    assert tally_day(DAY) == 7, "a play that was reported late"
    db.session.execute(delete(Track).where(Track.id == duet.id))
    assert tally_day(DAY) == 3, "a track that was purged has no tally any more; its plays stay"


def test_the_clock_counts_what_is_new_and_the_last_days_anew(context: Flask) -> None:
    artist = add_artist("Home")
    track = add_track(add_album(artist, "Album", published_at=utc_now()), "Song", artist.id)
    db.session.commit()
    assert tally() == {"days": 0, "plays": 0}
    now = utc_now()
    add_plays(track, now - timedelta(days=20), "visitor-1")
    add_plays(track, now, "visitor-1")
    db.session.commit()
    assert tally() == {"days": 21, "plays": 2}, "from the first play on"
    add_plays(track, now - timedelta(days=RECOUNTED_DAYS), "visitor-2")
    db.session.commit()
    assert tally() == {"days": RECOUNTED_DAYS + 1, "plays": 2}


def test_a_week_of_an_artist_stands_beside_the_week_before(context: Flask) -> None:
    users = [add_user(name) for name in ("anna", "ben", "cleo")]
    artist, silent = add_artist("Home"), add_artist("Silent")
    album = add_album(artist, "Album", published_at=utc_now())
    draft = add_album(artist, "Draft")
    hit, other, hidden = (
        add_track(album, "Hit", artist.id),
        add_track(album, "Other", artist.id),
        add_track(draft, "Hidden", artist.id),
    )
    first, before = DAY, DAY - timedelta(days=7)
    for day in range(14):
        at = _at(10, day=before + timedelta(days=day))
        add_plays(hit, at, users[0])
        if day >= 7:
            add_plays(other, at, *users[:2]) if day == 7 else None
            add_plays(hit, at + timedelta(hours=1), "visitor-1")
        add_plays(hidden, at, users[2]) if day == 0 else None
        db.session.commit()
        tally_day(before + timedelta(days=day))
    db.session.add_all(
        [
            ArtistFollow(user_id=users[0].id, artist_id=artist.id, created_at=_at(10)),
            ArtistFollow(user_id=users[1].id, artist_id=artist.id, created_at=_at(10, day=before)),
            TrackLike(user_id=users[0].id, track_id=hit.id, created_at=_at(10)),
            AlbumLike(user_id=users[0].id, album_id=album.id, created_at=_at(10)),
            TrackLike(user_id=users[1].id, track_id=hit.id, created_at=_at(10, day=DAY + timedelta(days=7))),
        ]
    )
    db.session.commit()
    week, quiet = weeks_of_artists([artist.id, silent.id], first)
    assert week.plays == Figure(16, 8)
    assert week.listeners == Figure(3, 2)
    assert week.followers == Figure(1, 1)
    assert week.likes == Figure(2, 0)
    assert week.top_tracks == (("Hit", 14), ("Other", 2))
    assert (week.plays.change, week.plays.percent, week.likes.percent) == (8, 100, None)
    assert quiet.is_silent
    assert not week.is_silent
    assert db.session.query(AlbumCredit).count() == 2
    assert db.session.query(Play).count() == 24


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_figures_of_many_artists_take_as_many_statements_as_of_one(context: Flask) -> None:
    ids = [add_artist(f"Artist {number}").id for number in range(30)]
    db.session.commit()
    with statements_of(context) as few:
        weeks_of_artists(ids[:1], DAY)
    with statements_of(context) as many:
        weeks_of_artists(ids, DAY)
    assert len(few) == len(many) == 10
