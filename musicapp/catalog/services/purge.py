"""The end of what was deleted: rows whose time to be restored is over, pictures that nothing shows any more."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, exists, select

from musicapp.catalog.models import Album, Artist, Artwork, Track
from musicapp.catalog.queries.pictures import USES_ELSEWHERE
from musicapp.core.db import db, utc_now

RESTORABLE_FOR = timedelta(days=30)
UNUSED_PICTURE_FOR = timedelta(days=1)
"""Longer than a page that shows the old picture stays open."""
BATCH = 200
"""Rows of one transaction: the lock is not held for a whole library."""


def purge_deleted() -> int:
    """Removes albums and tracks that were deleted long ago, at most a batch; returns how many.

    Their originals and renditions go with the sweep of files that no row names. Plays keep their ids.
    """
    before = utc_now() - RESTORABLE_FOR
    removed = 0
    for table in (Track, Album):
        ids = db.session.scalars(select(table.id).where(table.deleted_at < before).limit(BATCH)).all()
        if ids:
            db.session.execute(delete(table).where(table.id.in_(ids)))
        removed += len(ids)
    return removed


def forget_unused_artwork() -> list[str]:
    """Removes rows of pictures that nothing shows, at most a batch; returns the keys of their files.

    Delete them after the commit: they are `<key>` and everything that begins with `<key>-`.
    """
    covers = select(Album.cover_id).where(Album.cover_id.is_not(None))
    pictures = select(Artist.picture_id).where(Artist.picture_id.is_not(None))
    unused = db.session.scalars(
        select(Artwork)
        .where(Artwork.id.not_in(covers), Artwork.id.not_in(pictures))
        .where(*(~exists().where(use.column == Artwork.id) for use in USES_ELSEWHERE.values()))
        .where(Artwork.created_at < utc_now() - UNUSED_PICTURE_FOR)
        .limit(BATCH)
    ).all()
    keys = [key for artwork in unused for key in (artwork.key, artwork.original_key) if key]
    if unused:
        db.session.execute(delete(Artwork).where(Artwork.id.in_([artwork.id for artwork in unused])))
    return keys
