"""What everybody may find, as the catalog and the accounts have it: what the index should say."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, union

from musicapp.accounts.models import User
from musicapp.catalog.models import Album, AlbumCredit, AlbumGenre, Artist, ArtistMember, Genre, Track, TrackCredit
from musicapp.core.db import db
from musicapp.search.models import SearchEntry
from musicapp.search.sources import NewEntry, search_source

_PUBLISHED = (Album.published_at.is_not(None), Album.deleted_at.is_(None))
_ON_ALBUM = select(AlbumCredit.artist_id.label("artist_id"), AlbumCredit.album_id.label("album_id"))
_ON_TRACK = (
    select(TrackCredit.artist_id.label("artist_id"), Track.album_id.label("album_id"))
    .join(Track, Track.id == TrackCredit.track_id)
    .where(Track.deleted_at.is_(None))
)


@search_source("artist")
def artists_after(artist_id: int, limit: int) -> list[NewEntry]:
    return _artists(Artist.id > artist_id, limit)


@search_source("album")
def albums_after(album_id: int, limit: int) -> list[NewEntry]:
    return _albums(Album.id > album_id, limit)


@search_source("track")
def tracks_after(track_id: int, limit: int) -> list[NewEntry]:
    return _tracks(Track.id > track_id, limit)


@search_source("person")
def people_after(user_id: int, limit: int) -> list[NewEntry]:
    return _people(User.id > user_id, limit)


def artists_to_find(artist_ids: Collection[int]) -> list[NewEntry]:
    """Those of the artists who have something published, or a studio."""
    return _artists(Artist.id.in_(artist_ids))


def album_to_find(album_id: int) -> list[NewEntry]:
    """The album, [] where it is not published."""
    return _albums(Album.id == album_id)


def tracks_to_find(album_id: int, track_id: int | None = None) -> list[NewEntry]:
    """The tracks of a published album, or one of them."""
    return _tracks(Track.album_id == album_id if track_id is None else Track.id == track_id)


def person_to_find(user_id: int) -> list[NewEntry]:
    return _people(User.id == user_id)


def track_ids_of(album_id: int) -> list[int]:
    """Deleted tracks too: they may still have an entry."""
    return list(db.session.scalars(select(Track.id).where(Track.album_id == album_id)))


def artist_ids_on(album_id: int) -> set[int]:
    """Everybody whom the album or one of its tracks names."""
    named = union(_ON_ALBUM.where(AlbumCredit.album_id == album_id), _ON_TRACK.where(Track.album_id == album_id))
    return set(db.session.scalars(select(named.subquery().c.artist_id)))


def album_ids_naming(artist_id: int) -> set[int]:
    """Albums that name the artist, or have a track that does."""
    named = union(
        _ON_ALBUM.where(AlbumCredit.artist_id == artist_id), _ON_TRACK.where(TrackCredit.artist_id == artist_id)
    )
    return set(db.session.scalars(select(named.subquery().c.album_id)))


def artist_ids_found_by_words(kind: str, subject_id: int) -> set[int]:
    """Artists of the index whose names stand among an entry's words: it may have credited them until now."""
    words = (
        select(literal(" ") + SearchEntry.words + " ")
        .where(SearchEntry.kind == kind, SearchEntry.subject_id == subject_id)
        .scalar_subquery()
    )
    named = select(SearchEntry.subject_id).where(
        SearchEntry.kind == "artist", words.contains(literal(" ") + SearchEntry.title + " ")
    )
    return set(db.session.scalars(named))


def is_to_find(kind: str, subject_id: int) -> bool:
    """True where the index has it now."""
    return bool(
        db.session.scalar(select(exists().where(SearchEntry.kind == kind, SearchEntry.subject_id == subject_id)))
    )


def _in_order(found: Select[*tuple[Any, ...]], key: Any, limit: int | None) -> Any:
    return db.session.execute(found.order_by(key).limit(limit)).all()


def _artists(which: ColumnElement[bool], limit: int | None = None) -> list[NewEntry]:
    named = _ON_ALBUM.subquery(), _ON_TRACK.subquery()
    is_heard = [exists().where(on.c.artist_id == Artist.id, on.c.album_id == Album.id, *_PUBLISHED) for on in named]
    has_studio = exists().where(ArtistMember.artist_id == Artist.id)
    found = select(Artist.id, Artist.name).where(Artist.deleted_at.is_(None), which, or_(has_studio, *is_heard))
    rows = _in_order(found, Artist.id, limit)
    ids = [row.id for row in rows]
    plays = (
        select(TrackCredit.artist_id, func.sum(Track.play_count))
        .join(Track, Track.id == TrackCredit.track_id)
        .join(Album, Album.id == Track.album_id)
        .where(TrackCredit.artist_id.in_(ids), Track.deleted_at.is_(None), *_PUBLISHED)
        .group_by(TrackCredit.artist_id)
    )
    popularity = _pairs(plays, ids)
    genres = _lists(
        select(AlbumCredit.artist_id, Genre.slug)
        .join(Album, Album.id == AlbumCredit.album_id)
        .join(AlbumGenre, AlbumGenre.album_id == Album.id)
        .join(Genre, Genre.id == AlbumGenre.genre_id)
        .where(AlbumCredit.artist_id.in_(ids), *_PUBLISHED)
        .distinct(),
        ids,
    )
    return [
        NewEntry("artist", row.id, row.name, popularity=popularity.get(row.id, 0), genres=genres.get(row.id, ()))
        for row in rows
    ]


def _albums(which: ColumnElement[bool], limit: int | None = None) -> list[NewEntry]:
    rows = _in_order(select(Album.id, Album.title, Album.release_on).where(*_PUBLISHED, which), Album.id, limit)
    ids = [row.id for row in rows]
    plays = (
        select(Track.album_id, func.sum(Track.play_count))
        .where(Track.album_id.in_(ids), Track.deleted_at.is_(None))
        .group_by(Track.album_id)
    )
    popularity, names, genres = _pairs(plays, ids), _names_on_albums(ids), _genres_of_albums(ids)
    return [
        NewEntry(
            "album",
            row.id,
            row.title,
            " ".join(names.get(row.id, ())),
            popularity.get(row.id, 0),
            row.release_on.year if row.release_on else None,
            genres.get(row.id, ()),
        )
        for row in rows
    ]


def _tracks(which: ColumnElement[bool], limit: int | None = None) -> list[NewEntry]:
    found = (
        select(Track.id, Track.title, Track.play_count, Track.album_id, Album.title.label("album"), Album.release_on)
        .join(Album, Album.id == Track.album_id)
        .where(Track.deleted_at.is_(None), *_PUBLISHED, which)
    )
    rows = _in_order(found, Track.id, limit)
    ids, album_ids = [row.id for row in rows], list({row.album_id for row in rows})
    credited = (
        select(TrackCredit.track_id, TrackCredit.credited_as, Artist.name)
        .join(Artist, Artist.id == TrackCredit.artist_id)
        .where(TrackCredit.track_id.in_(ids))
        .order_by(TrackCredit.position, TrackCredit.id)
    )
    names, album_names = _lists(credited, ids), _names_on_albums(album_ids)
    genres = _genres_of_albums(album_ids)
    return [
        NewEntry(
            "track",
            row.id,
            row.title,
            " ".join(dict.fromkeys([*names.get(row.id, ()), *album_names.get(row.album_id, ()), row.album])),
            row.play_count,
            row.release_on.year if row.release_on else None,
            genres.get(row.album_id, ()),
        )
        for row in rows
    ]


def _people(which: ColumnElement[bool], limit: int | None = None) -> list[NewEntry]:
    found = select(User.id, User.username, User.display_name).where(
        User.deleted_at.is_(None), User.suspended_at.is_(None), which
    )
    return [
        NewEntry("person", row.id, row.display_name or row.username, row.username)
        for row in _in_order(found, User.id, limit)
    ]


def _names_on_albums(album_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    credited = (
        select(AlbumCredit.album_id, AlbumCredit.credited_as, Artist.name)
        .join(Artist, Artist.id == AlbumCredit.artist_id)
        .where(AlbumCredit.album_id.in_(album_ids))
        .order_by(AlbumCredit.position, AlbumCredit.id)
    )
    return _lists(credited, album_ids)


def _genres_of_albums(album_ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    found = (
        select(AlbumGenre.album_id, Genre.slug)
        .join(Genre, Genre.id == AlbumGenre.genre_id)
        .where(AlbumGenre.album_id.in_(album_ids))
        .order_by(Genre.slug)
    )
    return _lists(found, album_ids)


def _pairs(found: Select[*tuple[Any, ...]], ids: Collection[int]) -> dict[int, int]:
    return {key: int(count or 0) for key, count in db.session.execute(found)} if ids else {}


def _lists(found: Select[*tuple[Any, ...]], ids: Collection[int]) -> dict[int, tuple[str, ...]]:
    """First column -> the texts of the others, each once, in order."""
    lists: dict[int, list[str]] = {}
    rows: Iterable[Any] = db.session.execute(found) if ids else ()
    for key, *texts in rows:
        lists.setdefault(key, []).extend(texts)
    return {key: tuple(dict.fromkeys(texts)) for key, texts in lists.items()}
