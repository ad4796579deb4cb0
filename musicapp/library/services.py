"""Writes of the library: likes and follows. Each says whether something changed; doing it twice changes nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete

from musicapp.catalog.queries import may_see_album, visible_track
from musicapp.core.db import db, insert_into
from musicapp.core.events import publish
from musicapp.library.events import (
    AlbumLiked,
    AlbumUnliked,
    ArtistFollowed,
    ArtistUnfollowed,
    TrackLiked,
    TrackUnliked,
)
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike
from musicapp.library.queries import may_see_artist
from musicapp.live import services as live

Kept = type[TrackLike] | type[AlbumLike] | type[ArtistFollow]


class NothingThereError(LookupError):
    """What should be liked or followed is not there for this user."""


def like_track(user_id: int, track_id: int) -> bool:
    """Raises NothingThereError for a track that the user may not see."""
    if visible_track(user_id, track_id) is None:
        raise NothingThereError(f"track {track_id}")
    return _keep(TrackLike, user_id, TrackLiked(user_id, track_id), track_id=track_id)


def unlike_track(user_id: int, track_id: int) -> bool:
    return _drop(TrackLike, user_id, TrackUnliked(user_id, track_id), track_id=track_id)


def like_album(user_id: int, album_id: int) -> bool:
    """Raises NothingThereError for an album that the user may not see."""
    if not may_see_album(user_id, album_id):
        raise NothingThereError(f"album {album_id}")
    return _keep(AlbumLike, user_id, AlbumLiked(user_id, album_id), album_id=album_id)


def unlike_album(user_id: int, album_id: int) -> bool:
    return _drop(AlbumLike, user_id, AlbumUnliked(user_id, album_id), album_id=album_id)


def follow_artist(user_id: int, artist_id: int) -> bool:
    """Raises NothingThereError for an artist without a page."""
    if not may_see_artist(artist_id):
        raise NothingThereError(f"artist {artist_id}")
    return _keep(ArtistFollow, user_id, ArtistFollowed(user_id, artist_id), artist_id=artist_id)


def unfollow_artist(user_id: int, artist_id: int) -> bool:
    return _drop(ArtistFollow, user_id, ArtistUnfollowed(user_id, artist_id), artist_id=artist_id)


def empty_library(user_id: int) -> None:
    """Forgets all that a user likes and follows. Tells nobody."""
    for model in (TrackLike, AlbumLike, ArtistFollow):
        db.session.execute(delete(model).where(model.user_id == user_id))


def _keep(model: Kept, user_id: int, event: Any, **what: int) -> bool:
    # Two devices may press the same button at once: the second finds the row and changes nothing.
    added = insert_into(model).values(user_id=user_id, **what).on_conflict_do_nothing().returning(model.user_id)
    return _tell(user_id, event, db.session.scalar(added))


def _drop(model: Kept, user_id: int, event: Any, **what: int) -> bool:
    gone = delete(model).filter_by(user_id=user_id, **what).returning(model.user_id)
    return _tell(user_id, event, db.session.scalar(gone))


def _tell(user_id: int, event: Any, changed: int | None) -> bool:
    if changed is None:
        return False
    publish(event)
    live.poke(f"library-{user_id}")
    return True
