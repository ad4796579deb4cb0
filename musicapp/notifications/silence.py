"""Reads about artists who have been silent: when the last album came, and whom nobody was told of yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select

from musicapp.catalog.models import Album, Artist, ArtistMember
from musicapp.core.db import db, utc_now
from musicapp.notifications.models import ArtistSilence


@dataclass(frozen=True, slots=True)
class LastSign:
    """The last album of an artist, or where there is none the day on which the artist was made."""

    at: datetime
    album_title: str
    """Empty where there is no album."""

    @property
    def days_ago(self) -> int:
        return max(0, (utc_now() - self.at).days)

    @property
    def is_recent(self) -> bool:
        return self.at > silent_since()


def silent_since() -> datetime:
    """Whoever has had no album since then is silent."""
    return utc_now() - timedelta(days=current_app.config["ARTIST_INACTIVE_AFTER_DAYS"])


def _sign_at() -> ColumnElement[datetime]:
    """When an album was last a sign of life: when it was made, or published if that came later."""
    is_later = and_(Album.published_at.is_not(None), Album.published_at > Album.created_at)
    return case((is_later, Album.published_at), else_=Album.created_at)


def _last_sign_at() -> ColumnElement[datetime]:
    """For a statement with Artist in it. Albums that were deleted are no sign."""
    albums = select(func.max(_sign_at())).where(Album.artist_id == Artist.id, Album.deleted_at.is_(None))
    return func.coalesce(albums.scalar_subquery(), Artist.created_at, type_=Artist.created_at.type)


def last_sign_of(artist_id: int) -> LastSign | None:
    """None for an artist that nobody has."""
    at = _sign_at()
    album = db.session.execute(
        select(at.label("at"), Album.title)
        .where(Album.artist_id == artist_id, Album.deleted_at.is_(None))
        .order_by(at.desc(), Album.id.desc())
        .limit(1)
    ).one_or_none()
    if album is not None:
        return LastSign(album.at, album.title)
    created_at = db.session.scalar(select(Artist.created_at).where(Artist.id == artist_id))
    return LastSign(created_at, "") if created_at else None


def silent_and_untold(limit: int) -> list[tuple[int, datetime]]:
    """(artist id, last sign) of those with members. A new album after the last reminder begins a new silence.

    An older album that is the last again, since the newer one was deleted, does not.
    """
    last = _last_sign_at()
    untold = or_(ArtistSilence.told_at.is_(None), ArtistSilence.told_at < last)
    found = (
        select(Artist.id, last.label("last_sign_at"))
        .outerjoin(ArtistSilence, ArtistSilence.artist_id == Artist.id)
        .where(Artist.deleted_at.is_(None), exists().where(ArtistMember.artist_id == Artist.id))
        .where(last <= silent_since(), untold)
        .order_by(Artist.id)
        .limit(limit)
    )
    return [(row.id, row.last_sign_at) for row in db.session.execute(found)]
