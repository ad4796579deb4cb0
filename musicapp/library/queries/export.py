"""The library's part of an account's export."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from musicapp.catalog.models import Album, Artist, Track
from musicapp.core.db import db
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike


def likes_of_user(user_id: int) -> dict[str, list[dict[str, Any]]]:
    """Liked tracks and albums, first liked first. A title that was deleted or became a draft again is not told."""
    is_public = (Album.published_at.is_not(None), Album.deleted_at.is_(None))
    tracks = (
        select(TrackLike.created_at, Track.id, Track.title, Album.title)
        .join(Track, Track.id == TrackLike.track_id)
        .join(Album, Album.id == Track.album_id)
        .where(TrackLike.user_id == user_id, Track.deleted_at.is_(None), *is_public)
        .order_by(TrackLike.created_at, Track.id)
    )
    albums = (
        select(AlbumLike.created_at, Album.id, Album.title)
        .join(Album, Album.id == AlbumLike.album_id)
        .where(AlbumLike.user_id == user_id, *is_public)
        .order_by(AlbumLike.created_at, Album.id)
    )
    return {
        "tracks": [
            {"liked_at": at.isoformat(), "track_id": id, "track": title, "album": album}
            for at, id, title, album in db.session.execute(tracks)
        ],
        "albums": [
            {"liked_at": at.isoformat(), "album_id": id, "album": title} for at, id, title in db.session.execute(albums)
        ],
    }


def follows_of_user(user_id: int) -> list[dict[str, Any]]:
    """Followed artists, first followed first."""
    found = (
        select(ArtistFollow.created_at, Artist.id, Artist.name)
        .join(Artist, Artist.id == ArtistFollow.artist_id)
        .where(ArtistFollow.user_id == user_id)
        .order_by(ArtistFollow.created_at, Artist.id)
    )
    return [
        {"followed_at": at.isoformat(), "artist_id": id, "artist": name} for at, id, name in db.session.execute(found)
    ]
