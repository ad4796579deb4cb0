"""What the home page shows of an album that was just published."""

from __future__ import annotations

from sqlalchemy import select

from musicapp.catalog import queries
from musicapp.catalog.models import Album

HOME_ALBUMS = 24


def published_card(album_id: int) -> queries.AlbumCard | None:
    """The card of an album, or None where it is not, or no longer, published."""
    cards = queries.album_cards(
        select(Album).where(Album.id == album_id, Album.published_at.is_not(None), Album.deleted_at.is_(None))
    )
    return cards[0] if cards else None
