"""The house of the catalog's tests, with a library: bob keeps things, charlie must not see what is not published."""

from __future__ import annotations

from datetime import datetime, timedelta

from musicapp.catalog import services as catalog
from musicapp.core.db import db, utc_now
from musicapp.library import services
from musicapp.playback.models import Play
from tests.catalog.conftest import House, house, statements

__all__ = ["House", "house", "keep", "new_album", "play", "statements"]


def new_album(house: House, title: str, tracks: tuple[str, ...] = (), *, genres: tuple[str, ...] = ()) -> list[int]:
    """A published album of alice's; the ids of the album and of its tracks."""
    with house.context():
        album = catalog.create_album(artist_id=house.artist, user_id=house.alice, title=title, genres=list(genres))
        db.session.commit()
    ids = [house.add_track(track, album_id=album) for track in tracks]
    with house.context():
        if ids:
            catalog.publish_album(album, house.alice)
        db.session.commit()
    return [album, *ids]


def keep(house: House, user_id: int, *, tracks: tuple[int, ...] = (), albums: tuple[int, ...] = ()) -> None:
    with house.context():
        for track_id in tracks:
            services.like_track(user_id, track_id)
        for album_id in albums:
            services.like_album(user_id, album_id)
        db.session.commit()


_made = 0


def play(
    house: House, user_id: int, track_id: int, *, ago: timedelta = timedelta(), album_id: int = 0, source: str = ""
) -> int:
    """A counted play that began so long ago; its id."""
    global _made
    _made += 1
    with house.context():
        row = Play(
            hearing_id=f"hearing-{_made}",
            user_id=user_id,
            listener=f"user-{user_id}",
            track_id=track_id,
            album_id=album_id or house.album,
            started_at=moment(ago),
            source=source,
            device="Firefox on Linux",
        )
        db.session.add(row)
        db.session.commit()
        return row.id


def moment(ago: timedelta) -> datetime:
    return utc_now() - ago
