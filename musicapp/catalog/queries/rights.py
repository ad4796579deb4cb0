"""Who may see and who may change what. Drafts and whatever is deleted don't exist for strangers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import joinedload

from musicapp.catalog.models import Album, Artist, ArtistMember, Track
from musicapp.core.db import db


def _is_member(user_id: int | None, artist_id: object) -> ColumnElement[bool]:
    return exists().where(ArtistMember.artist_id == artist_id, ArtistMember.user_id == user_id)


def may_edit_artist(user_id: int | None, artist_id: int) -> bool:
    """True for members of an artist that is not deleted."""
    if user_id is None:
        return False
    found = select(Artist.id).where(Artist.id == artist_id, Artist.deleted_at.is_(None), _is_member(user_id, Artist.id))
    return db.session.scalar(found) is not None


def may_edit_album(user_id: int | None, album_id: int, *, even_deleted: bool = False) -> bool:
    """True for members of the album's artist; a deleted album can only be restored (`even_deleted`)."""
    if user_id is None:
        return False
    found = select(Album.id).where(Album.id == album_id, _is_member(user_id, Album.artist_id))
    if not even_deleted:
        found = found.where(Album.deleted_at.is_(None))
    return db.session.scalar(found) is not None


def sees(user_id: int | None) -> ColumnElement[bool]:
    """For a statement with Album in it: published, or this user's own. Deleted is asked for separately."""
    is_open = Album.published_at.is_not(None)
    return is_open if user_id is None else is_open | _is_member(user_id, Album.artist_id)


def may_see_album(user_id: int | None, album_id: int) -> bool:
    """True for everybody once it is published, for members before."""
    found = select(Album.id).where(Album.id == album_id, Album.deleted_at.is_(None), sees(user_id))
    return db.session.scalar(found) is not None


def visible_album(user_id: int | None, album_id: int) -> Album | None:
    """The album if this user (None: a stranger) may see it."""
    return db.session.scalar(select(Album).where(Album.id == album_id, Album.deleted_at.is_(None), sees(user_id)))


def visible_track(user_id: int | None, track_id: int) -> Track | None:
    """The track, with its album, if this user (None: a stranger) may see it."""
    return db.session.scalar(
        select(Track)
        .join(Track.album)
        .options(joinedload(Track.album))
        .where(Track.id == track_id, Track.deleted_at.is_(None), Album.deleted_at.is_(None), sees(user_id))
    )


def member_ids(artist_id: int) -> list[int]:
    """Ids of the users who may open the artist's studio."""
    return list(db.session.scalars(select(ArtistMember.user_id).where(ArtistMember.artist_id == artist_id)))


@dataclass(frozen=True, slots=True)
class AlbumAccess:
    """What somebody may do with an album that they may see."""

    is_published: bool
    may_edit: bool


def album_access(user_id: int | None, album_id: int) -> AlbumAccess | None:
    """None for an album that this user (None: a stranger) may not see; in one statement."""
    is_mine = _is_member(user_id, Album.artist_id)
    row = db.session.execute(
        select(Album.published_at, is_mine.label("is_mine")).where(Album.id == album_id, Album.deleted_at.is_(None))
    ).one_or_none()
    if row is None or not (row.published_at or row.is_mine):
        return None
    return AlbumAccess(is_published=row.published_at is not None, may_edit=bool(row.is_mine))


def published_among(album_ids: Collection[int]) -> set[int]:
    """Of these albums, those that everybody may see."""
    if not album_ids:
        return set()
    found = select(Album.id).where(Album.id.in_(album_ids), Album.published_at.is_not(None), Album.deleted_at.is_(None))
    return set(db.session.scalars(found))


def reason_taken_down(album_id: int) -> str | None:
    """Why an operator took the album off the site, "" where none was given; None for one that isn't."""
    row = db.session.execute(
        select(Album.taken_down_at, Album.taken_down_reason).where(Album.id == album_id)
    ).one_or_none()
    return None if row is None or row.taken_down_at is None else row.taken_down_reason or ""
