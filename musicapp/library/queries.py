"""Reads of the library: what one person likes and follows."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import select

from musicapp.core.db import db
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike


@dataclass(frozen=True, slots=True)
class ViewerState:
    """What one viewer likes and follows of the things on a page. Empty for strangers, whose user_id is None."""

    liked_track_ids: frozenset[int] = frozenset()
    liked_album_ids: frozenset[int] = frozenset()
    followed_artist_ids: frozenset[int] = frozenset()
    user_id: int | None = None


def viewer_state(
    user_id: int | None,
    *,
    track_ids: Collection[int] = (),
    album_ids: Collection[int] = (),
    artist_ids: Collection[int] = (),
) -> ViewerState:
    """Of these tracks, albums and artists, those that the user likes or follows: one statement for each kind asked."""
    if user_id is None:
        return ViewerState()
    tracks = select(TrackLike.track_id).where(TrackLike.user_id == user_id, TrackLike.track_id.in_(track_ids))
    albums = select(AlbumLike.album_id).where(AlbumLike.user_id == user_id, AlbumLike.album_id.in_(album_ids))
    artists = select(ArtistFollow.artist_id).where(
        ArtistFollow.user_id == user_id, ArtistFollow.artist_id.in_(artist_ids)
    )
    return ViewerState(
        frozenset(db.session.scalars(tracks)) if track_ids else frozenset(),
        frozenset(db.session.scalars(albums)) if album_ids else frozenset(),
        frozenset(db.session.scalars(artists)) if artist_ids else frozenset(),
        user_id,
    )
