"""Albums: cards, the page of one, lists page by page."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from musicapp.catalog.models import Album, AlbumCredit, AlbumGenre, Artist, ArtistMember, Artwork, Genre
from musicapp.catalog.queries import kept
from musicapp.catalog.queries.pictures import PICTURE, picture_in
from musicapp.catalog.queries.rows import AlbumCard, AlbumPage, GenreName, credits_of_albums, line_of
from musicapp.catalog.queries.tracks import play_counts, track_rows, with_plays
from musicapp.core.db import LARGEST_ID, db

PUBLISHED: tuple[ColumnElement[bool], ...] = (Album.published_at.is_not(None), Album.deleted_at.is_(None))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


_CARD = (
    *(Album.id, Album.title, Album.kind, Album.artist_id, Album.release_on, Album.published_at, Album.deleted_at),
    *PICTURE,
)


def album_cards(found: Select[Album]) -> list[AlbumCard]:
    """Cards of the albums that a select finds, in its order: two statements however many there are."""
    columns = found.outerjoin(Artwork, Artwork.id == Album.cover_id).with_only_columns(
        *_CARD, maintain_column_froms=True
    )
    rows = db.session.execute(columns).all()
    credits = credits_of_albums(row.id for row in rows) if rows else {}
    return [
        AlbumCard(
            id=row.id,
            title=row.title,
            kind=row.kind,
            artists=line_of(credits.get(row.id, [])),
            artist_id=credits[row.id][0].artist_id if credits.get(row.id) else row.artist_id,
            release_on=row.release_on,
            published_at=row.published_at,
            deleted_at=row.deleted_at,
            picture=picture_in(row),
        )
        for row in rows
    ]


def latest_albums(limit: int = 24, before: str | None = None) -> list[AlbumCard]:
    """Published albums, newest first; `before` is the page_key of the last card of the page before."""
    found = select(Album).where(*PUBLISHED).order_by(Album.published_at.desc(), Album.id.desc()).limit(limit)
    if key := read_page_key(before):
        at, album_id = key
        found = found.where(or_(Album.published_at < at, and_(Album.published_at == at, Album.id < album_id)))
    return album_cards(found)


def read_page_key(key: str | None) -> tuple[datetime, int] | None:
    """None for what is no key: an address that somebody mended by hand shows the first page."""
    micros, _, album_id = (key or "").partition("-")
    try:
        return _EPOCH + timedelta(microseconds=int(micros)), min(max(int(album_id), 0), LARGEST_ID)
    except (ValueError, OverflowError):
        return None


def published_album_count() -> int:
    """How many albums everybody may see; from the cache in pages."""

    def count() -> int:
        return db.session.scalar(select(func.count()).select_from(Album).where(*PUBLISHED)) or 0

    return kept.ALBUM_COUNT.get(0, count) or 0


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


def album_page(album_id: int) -> AlbumPage | None:
    """The page of an album that is not deleted; who may see it is another question (rights.may_see_album)."""
    album = db.session.execute(
        select(*_CARD, Album.description, Artist.name.label("artist_name"))
        .join(Artist, Artist.id == Album.artist_id)
        .outerjoin(Artwork, Artwork.id == Album.cover_id)
        .where(Album.id == album_id, Album.deleted_at.is_(None))
    ).one_or_none()
    if album is None:
        return None
    genres = db.session.execute(
        select(Genre.name, Genre.slug)
        .join(AlbumGenre, AlbumGenre.genre_id == Genre.id)
        .where(AlbumGenre.album_id == album_id)
        .order_by(Genre.name)
    )
    return AlbumPage(
        id=album.id,
        title=album.title,
        kind=album.kind,
        artist_id=album.artist_id,
        artist_name=album.artist_name,
        description=album.description,
        release_on=album.release_on,
        published_at=album.published_at,
        genres=tuple(GenreName(name, slug) for name, slug in genres),
        picture=picture_in(album),
        credits=tuple(credits_of_albums([album_id]).get(album_id, ())),
        tracks=tuple(track_rows(album_id)),
    )


def shown_album_page(album_id: int) -> AlbumPage | None:
    """The page of a published album from the cache, with its plays as they are now. The caller has asked the rights."""
    page = kept.ALBUM_PAGES.get(album_id, lambda: _published_page(album_id))
    if page is None:
        return album_page(album_id)
    plays = play_counts(album_id)
    return replace(page, tracks=tuple(with_plays(track, plays.get(track.id, 0)) for track in page.tracks))


def _published_page(album_id: int) -> AlbumPage | None:
    page = album_page(album_id)
    return page if page and page.is_published else None


def cards_of_albums(album_ids: Collection[int]) -> list[AlbumCard]:
    """Cards in the order of the ids, from the cache where it has them. The caller has asked that they are published."""

    def load(ids: list[int]) -> dict[int, AlbumCard]:
        return {card.id: card for card in album_cards(select(Album).where(Album.id.in_(ids), *PUBLISHED))}

    cards = kept.ALBUM_CARDS.get_many(album_ids, load)
    return [cards[id] for id in album_ids if id in cards]
