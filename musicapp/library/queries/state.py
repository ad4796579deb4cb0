"""What one viewer likes and follows of what a page shows, and what they may keep at all."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, exists, literal, or_, select, union_all
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
    """Of these tracks, albums and artists, those that the user likes or follows: one statement, whatever is asked."""
    if user_id is None:
        return ViewerState()
    kept: dict[str, set[int]] = {"track": set(), "album": set(), "artist": set()}
    asked = [
        select(literal(kind).label("kind"), column).where(owner == user_id, column.in_(ids))
        for kind, owner, column, ids in (
            ("track", TrackLike.user_id, TrackLike.track_id, track_ids),
            ("album", AlbumLike.user_id, AlbumLike.album_id, album_ids),
            ("artist", ArtistFollow.user_id, ArtistFollow.artist_id, artist_ids),
        )
        if ids
    ]
    if asked:
        for kind, id_ in db.session.execute(union_all(*asked)):
            kept[kind].add(id_)
    return ViewerState(frozenset(kept["track"]), frozenset(kept["album"]), frozenset(kept["artist"]), user_id)


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
