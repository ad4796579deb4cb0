"""What operators do with albums: take them off the site, and give them back."""

from __future__ import annotations

from sqlalchemy import select

from musicapp.catalog.events import AlbumRestored, AlbumUnpublished
from musicapp.catalog.models import Album
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish

REASON_LIMIT = 1000


def take_down_album(album_id: int, reason: str) -> bool:
    """Makes an album a draft that its members can't publish; False where it is down already.

    Publishes AlbumUnpublished where it was public. `reason` is read by its members.
    """
    album = db.session.get_one(Album, album_id, with_for_update=True, populate_existing=True)
    if album.taken_down_at is not None:
        return False
    album.taken_down_at, album.taken_down_reason = utc_now(), reason[:REASON_LIMIT]
    album.taken_down_published_at, album.published_at = album.published_at, None
    db.session.flush()
    if album.taken_down_published_at is not None:
        publish(AlbumUnpublished(album_id))
    return True


def give_album_back(album_id: int) -> bool:
    """Undoes take_down_album: what was public stands at its old place again. False where it isn't down."""
    album = db.session.get_one(Album, album_id, with_for_update=True, populate_existing=True)
    if album.taken_down_at is None:
        return False
    album.published_at, album.taken_down_published_at = album.taken_down_published_at, None
    album.taken_down_at = album.taken_down_reason = None
    db.session.flush()
    if album.is_published:
        publish(AlbumRestored(album_id))
    return True


def album_ids_in_studio(artist_id: int) -> list[int]:
    """Ids of the artist's own albums that are not deleted and not taken down."""
    return list(
        db.session.scalars(
            select(Album.id)
            .where(Album.artist_id == artist_id, Album.deleted_at.is_(None), Album.taken_down_at.is_(None))
            .order_by(Album.id)
        )
    )
