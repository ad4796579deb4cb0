"""Lists to browse, paged by key: a page's address shows the same rows while others come before or after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, extract, func, select, tuple_

from musicapp.catalog.models import Album, AlbumCredit, AlbumGenre, Artist, Artwork, Genre
from musicapp.catalog.queries import kept
from musicapp.catalog.queries.albums import PUBLISHED, cards_of_albums, read_page_key
from musicapp.catalog.queries.artists import HEARD, cards_of_artists
from musicapp.catalog.queries.pictures import PICTURE, picture_in
from musicapp.catalog.queries.rows import AlbumCard, ArtistCard, GenreCard
from musicapp.catalog.shuffle import Shuffle
from musicapp.core.db import LARGEST_ID, db

SORTS = ("new", "title", "year")
UNDATED = "undated"


@dataclass(frozen=True, slots=True)
class AlbumShelf:
    """One page of albums, and the key of the next one if there is one."""

    albums: list[AlbumCard]
    next_key: str | None


def album_shelf(
    limit: int, *, sort: str = "new", after: str | None = None, genre_id: int | None = None, year: int | None = None
) -> AlbumShelf:
    """Published albums by publication, title or release, newest first where it is a time; at most four statements.

    `after` is the next_key of the page before; what is no key shows the first page.
    """
    conditions: list[ColumnElement[bool]] = [*PUBLISHED]
    if genre_id is not None:
        conditions.append(exists().where(AlbumGenre.album_id == Album.id, AlbumGenre.genre_id == genre_id))
    if year is not None:
        conditions += [Album.release_on >= date(year, 1, 1), Album.release_on <= date(year, 12, 31)]
    found: Any = select(Album.id, Album.published_at, Album.release_on).where(*conditions).limit(limit + 1)
    by_sort = {"title": _by_title, "year": _by_release}.get(sort, _by_publication)
    rows = by_sort(found, after or "", limit + 1)
    return AlbumShelf(
        cards_of_albums([row.id for row in rows[:limit]]), _key_of(rows[limit - 1], sort) if len(rows) > limit else None
    )


def latest_album_ids(limit: int) -> list[int]:
    """Ids of the albums published last, newest first."""
    found = select(Album.id).where(*PUBLISHED).order_by(Album.published_at.desc(), Album.id.desc()).limit(limit)
    return list(db.session.scalars(found))


def _key_of(row: Any, sort: str) -> str:
    if sort == "title":
        return str(row.id)
    if sort == "year":
        return f"{row.release_on.isoformat() if row.release_on else UNDATED}.{row.id}"
    return f"{round(row.published_at.timestamp() * 1_000_000)}-{row.id}"


def _by_publication(found: Select[Any], after: str, _limit: int) -> list[Any]:
    if key := read_page_key(after):
        found = found.where(tuple_(Album.published_at, Album.id) < tuple_(*key))
    return list(db.session.execute(found.order_by(Album.published_at.desc(), Album.id.desc())))


def _by_title(found: Select[Any], after: str, _limit: int) -> list[Any]:
    if after.isdecimal() and int(after) <= LARGEST_ID:
        last = select(Album.shelf_key).where(Album.id == int(after)).scalar_subquery()
        found = found.where(tuple_(Album.shelf_key, Album.id) > tuple_(last, int(after)))
    return list(db.session.execute(found.order_by(Album.shelf_key, Album.id)))


def _by_release(found: Select[Any], after: str, limit: int) -> list[Any]:
    """Dated ones, then those without a date: two walks through an index instead of a sort of everything."""
    day, _, number = after.partition(".")
    album_id = int(number) if number.isdecimal() and int(number) <= LARGEST_ID else None
    rows: list[Any] = []
    if day != UNDATED or album_id is None:
        dated = found.where(Album.release_on.is_not(None))
        if album_id is not None and (released_on := _day(day)):
            dated = dated.where(tuple_(Album.release_on, Album.id) < tuple_(released_on, album_id))
        rows += db.session.execute(dated.order_by(Album.release_on.desc(), Album.id.desc()))
        album_id = None
    if len(rows) < limit:
        undated = found.where(Album.release_on.is_(None))
        if album_id is not None:
            undated = undated.where(Album.id < album_id)
        rows += db.session.execute(undated.order_by(Album.id.desc()).limit(limit - len(rows)))
    return rows


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def random_shelf(shuffle: Shuffle, start: int, limit: int) -> AlbumShelf:
    """Published albums in a shuffle's order from place `start` on; whatever is published later is not in it.

    The next key is a place. Ids whose albums are drafts or gone are passed over: where most are, a page is short.
    """
    found: list[tuple[int, int]] = []
    place = start
    for amount in (2 * limit, 10 * limit, 30 * limit):
        numbers = shuffle.numbers(place, amount)
        seen = set(db.session.scalars(select(Album.id).where(Album.id.in_(numbers), *PUBLISHED)))
        found += [(place + offset, number) for offset, number in enumerate(numbers) if number in seen]
        place += len(numbers)
        if len(found) > limit or place >= shuffle.size:
            break
    next_place = found[limit][0] if len(found) > limit else place
    return AlbumShelf(
        cards_of_albums([number for _, number in found[:limit]]), str(next_place) if next_place < shuffle.size else None
    )


def new_shuffle() -> Shuffle:
    """An order of all albums there are now."""
    return Shuffle.new(db.session.scalar(select(func.max(Album.id))) or 1)


def genre_cards() -> tuple[GenreCard, ...]:
    """Genres with something published, by name."""

    def load() -> tuple[GenreCard, ...]:
        counted = (
            select(
                AlbumGenre.genre_id,
                func.count().label("album_count"),
                func.max(Album.cover_id).label("cover_id"),
            )
            .join(Album, Album.id == AlbumGenre.album_id)
            .where(*PUBLISHED)
            .group_by(AlbumGenre.genre_id)
            .subquery()
        )
        found = (
            select(Genre.id, Genre.name, Genre.slug, counted.c.album_count, *PICTURE)
            .join(counted, counted.c.genre_id == Genre.id)
            .outerjoin(Artwork, Artwork.id == counted.c.cover_id)
            .order_by(Genre.slug)
        )
        return tuple(
            GenreCard(row.id, row.name, row.slug, row.album_count, picture_in(row)) for row in db.session.execute(found)
        )

    return kept.GENRES.get(0, load) or ()


def heard_genres() -> list[Genre]:
    """The same genres without counts and pictures: to choose from. A hundredth of the time of `genre_cards`."""
    is_heard = exists().where(AlbumGenre.genre_id == Genre.id, Album.id == AlbumGenre.album_id, *PUBLISHED)
    return list(db.session.scalars(select(Genre).where(is_heard).order_by(Genre.slug)))


def genre_by_slug(slug: str) -> Genre | None:
    """A genre that something published has; one of drafts only is None."""
    is_heard = exists().where(AlbumGenre.genre_id == Genre.id, Album.id == AlbumGenre.album_id, *PUBLISHED)
    return db.session.scalar(select(Genre).where(Genre.slug == slug, is_heard))


def artists_of_genre(genre_id: int, limit: int) -> list[ArtistCard]:
    """Artists with the most published albums of a genre. Who they are is kept; that they are heard is asked."""

    def load() -> tuple[int, ...]:
        found = (
            select(AlbumCredit.artist_id)
            .join(AlbumGenre, AlbumGenre.album_id == AlbumCredit.album_id)
            .join(Album, Album.id == AlbumCredit.album_id)
            .where(AlbumGenre.genre_id == genre_id, *PUBLISHED)
            .group_by(AlbumCredit.artist_id)
            .order_by(func.count().desc(), AlbumCredit.artist_id)
            .limit(limit)
        )
        return tuple(db.session.scalars(found))

    ids = kept.GENRE_ARTISTS.get(genre_id, load) or ()
    still = exists().where(
        AlbumCredit.artist_id == Artist.id,
        AlbumGenre.album_id == AlbumCredit.album_id,
        AlbumGenre.genre_id == genre_id,
        Album.id == AlbumCredit.album_id,
        *PUBLISHED,
    )
    heard = set(db.session.scalars(select(Artist.id).where(Artist.id.in_(ids), Artist.deleted_at.is_(None), still)))
    return cards_of_artists([id for id in ids if id in heard])


def years() -> tuple[tuple[int, int], ...]:
    """(year, how many albums were released in it), the latest first."""

    def load() -> tuple[tuple[int, int], ...]:
        year = extract("year", Album.release_on)
        found = select(year, func.count()).where(*PUBLISHED, Album.release_on.is_not(None)).group_by(year)
        return tuple(sorted(((int(row[0]), row[1]) for row in db.session.execute(found)), reverse=True))

    return kept.YEARS.get(0, load) or ()


def artist_letters() -> tuple[str, ...]:
    """The letters under which somebody with something published stands: "#", A to Z, other scripts."""

    def load() -> tuple[str, ...]:
        found = select(Artist.shelf_letter).where(Artist.deleted_at.is_(None), HEARD).distinct()
        return tuple(sorted(db.session.scalars(found)))

    return kept.LETTERS.get(0, load) or ()
