"""What one viewer likes and follows of what a page shows, and what they may keep at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.orm import aliased

from musicapp.catalog.models import Album, AlbumCredit, Artist, ArtistMember, Track, TrackCredit
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


def artist_is_shown() -> ColumnElement[bool]:
    """For a statement with Artist in it: a studio, or something published that names the artist. Deleted: nobody."""
    # Under names of their own: the statement around may have albums in it too. One exists inside the other: SQLite
    # would else begin with all published albums for each artist.
    album, track = aliased(Album), aliased(Track)
    named, heard, member = aliased(AlbumCredit), aliased(TrackCredit), aliased(ArtistMember)

    def is_open(album_id: Any) -> ColumnElement[bool]:
        return exists().where(album.id == album_id, album.published_at.is_not(None), album.deleted_at.is_(None))

    on_album = exists().where(named.artist_id == Artist.id, is_open(named.album_id))
    plays = exists().where(track.id == heard.track_id, track.deleted_at.is_(None), is_open(track.album_id))
    on_track = exists().where(heard.artist_id == Artist.id, plays)
    has_studio = exists().where(member.artist_id == Artist.id)
    return Artist.deleted_at.is_(None) & or_(has_studio, on_album, on_track)


def may_see_artist(artist_id: int) -> bool:
    """Whether the artist has a page: a name that stands only in drafts is known to nobody."""
    return db.session.scalar(select(Artist.id).where(Artist.id == artist_id, artist_is_shown())) is not None
