"""Albums: cards, the page of one, lists page by page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from musicapp.catalog.models import Album, AlbumCredit, ArtistMember
from musicapp.catalog.queries.pictures import Picture, picture_of
from musicapp.catalog.queries.rows import AlbumCard, Credit, TrackRow, credits_of_albums, line_of
from musicapp.catalog.queries.tracks import track_rows
from musicapp.core.db import LARGEST_ID, db

PUBLISHED = (Album.published_at.is_not(None), Album.deleted_at.is_(None))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def album_cards(found: Select[Album]) -> list[AlbumCard]:
    """Cards of the albums that a select finds, in its order: two statements however many there are."""
    albums = db.session.scalars(found.options(joinedload(Album.cover))).all()
    credits = credits_of_albums(album.id for album in albums) if albums else {}
    return [
        AlbumCard(
            id=album.id,
            title=album.title,
            kind=album.kind,
            artists=line_of(credits.get(album.id, [])),
            artist_id=credits[album.id][0].artist_id if credits.get(album.id) else album.artist_id,
            release_on=album.release_on,
            published_at=album.published_at,
            deleted_at=album.deleted_at,
            picture=picture_of(album.cover),
        )
        for album in albums
    ]


def latest_albums(limit: int = 24, before: str | None = None) -> list[AlbumCard]:
    """Published albums, newest first; `before` is the page_key of the last card of the page before."""
    found = select(Album).where(*PUBLISHED).order_by(Album.published_at.desc(), Album.id.desc()).limit(limit)
    if key := _read_page_key(before):
        at, album_id = key
        found = found.where(or_(Album.published_at < at, and_(Album.published_at == at, Album.id < album_id)))
    return album_cards(found)


def _read_page_key(key: str | None) -> tuple[datetime, int] | None:
    """None for what is no key: an address that somebody mended by hand shows the first page."""
    micros, _, album_id = (key or "").partition("-")
    try:
        return _EPOCH + timedelta(microseconds=int(micros)), min(max(int(album_id), 0), LARGEST_ID)
    except (ValueError, OverflowError):
        return None


def published_album_count() -> int:
    return db.session.scalar(select(func.count()).select_from(Album).where(*PUBLISHED)) or 0


def album_by_id(album_id: int) -> Album | None:
    return db.session.get(Album, album_id)


def credited_artist_ids(album_id: int) -> list[int]:
    """Ids of the artists on whose pages the album stands, or would."""
    return list(db.session.scalars(select(AlbumCredit.artist_id).where(AlbumCredit.album_id == album_id).distinct()))


def drafts_and_albums_of(user_id: int, *, deleted: bool = False, limit: int = 500) -> list[AlbumCard]:
    """Albums of the artists that this user is a member of, newest work first; or those they could restore."""
    found = (
        select(Album)
        .join(ArtistMember, ArtistMember.artist_id == Album.artist_id)
        .where(ArtistMember.user_id == user_id)
        .where(Album.deleted_at.is_not(None) if deleted else Album.deleted_at.is_(None))
        .order_by(Album.deleted_at.desc() if deleted else Album.created_at.desc(), Album.id.desc())
        .limit(limit)
    )
    return album_cards(found)


@dataclass(frozen=True, slots=True)
class AlbumPage:
    """An album with all that its page shows, read in five statements."""

    id: int
    title: str
    kind: str
    artist_id: int
    artist_name: str
    description: str
    release_on: Any
    published_at: datetime | None
    genres: tuple[str, ...]
    picture: Picture | None
    credits: tuple[Credit, ...]
    tracks: tuple[TrackRow, ...]

    @property
    def url(self) -> str:
        return f"/albums/{self.id}"

    @property
    def studio_url(self) -> str:
        return f"/studio/albums/{self.id}"

    @property
    def artists(self) -> str:
        return line_of(self.credits)

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def year(self) -> int | None:
        return self.release_on.year if self.release_on else None

    @property
    def duration_ms(self) -> int:
        return sum(track.duration_ms or 0 for track in self.tracks)

    @property
    def play_count(self) -> int:
        return sum(track.play_count for track in self.tracks)

    @property
    def playable_count(self) -> int:
        return sum(track.playable for track in self.tracks)

    @property
    def disc_numbers(self) -> list[int]:
        return sorted({track.disc_number for track in self.tracks})


def album_page(album_id: int) -> AlbumPage | None:
    """The page of an album that is not deleted; who may see it is another question (rights.may_see_album)."""
    album = db.session.scalar(
        select(Album)
        .join(Album.artist)
        .options(contains_eager(Album.artist), joinedload(Album.cover), selectinload(Album.genres))
        .where(Album.id == album_id, Album.deleted_at.is_(None))
    )
    if album is None:
        return None
    return AlbumPage(
        id=album.id,
        title=album.title,
        kind=album.kind,
        artist_id=album.artist_id,
        artist_name=album.artist.name,
        description=album.description,
        release_on=album.release_on,
        published_at=album.published_at,
        genres=tuple(genre.name for genre in album.genres),
        picture=picture_of(album.cover),
        credits=tuple(credits_of_albums([album_id]).get(album_id, ())),
        tracks=tuple(track_rows(album_id)),
    )


def albums_credited_to(artist_id: int) -> Select[Album]:
    """Published albums that name the artist, newest release first."""
    credited = select(AlbumCredit.album_id).where(AlbumCredit.artist_id == artist_id)
    return (
        select(Album)
        .where(Album.id.in_(credited), *PUBLISHED)
        .order_by(Album.release_on.desc().nulls_last(), Album.published_at.desc(), Album.id.desc())
        .limit(200)
    )
