"""What somebody keeps, filtered, sorted and page by page. Only what they may see today: the rest waits in its table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select

from musicapp.catalog.models import Album, AlbumCredit, AlbumGenre, Artist, Genre, Track, TrackCredit
from musicapp.catalog.queries.rights import sees
from musicapp.catalog.text import fold
from musicapp.core.db import LARGEST_ID, db
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike
from musicapp.library.queries.state import artist_is_shown

KINDS = ("tracks", "albums", "artists")
SORTS = {
    "tracks": ("added", "title", "artist", "plays"),
    "albums": ("added", "title", "artist", "plays"),
    "artists": ("added", "title"),
}
"""The first is the one that a library opens with."""
WORDS_MAX = 8
COUNTED_MOST = 1000
"""Further a figure beside a word is not counted: rights are looked up for each row."""
KEY_LENGTH = 80
"""Letters of a title that a list is sorted and paged by: they stand in the address of the next page."""
_ADDED_AT: dict[str, Any] = {
    "tracks": TrackLike.created_at,
    "albums": AlbumLike.created_at,
    "artists": ArtistFollow.created_at,
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A view of a library. `genre` is a slug; `q` is as typed."""

    kind: str = "tracks"
    sort: str = "added"
    q: str = ""
    genre: str = ""

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.genre)


@dataclass(frozen=True, slots=True)
class KeptPage:
    """Ids in order. `next_key` is where the page after begins, None at the end."""

    ids: list[int]
    next_key: str | None


@dataclass(frozen=True, slots=True)
class _Order:
    """What a list is sorted by, and how its value is written into an address and read again."""

    by: Any
    is_down: bool = False
    written: Callable[[Any], str] = str
    read: Callable[[str], Any] = str


def _written_instant(at: datetime) -> str:
    return str((at - _EPOCH) // timedelta(microseconds=1))


def _read_instant(text: str) -> datetime:
    return _EPOCH + timedelta(microseconds=int(text))


def _read_count(text: str) -> int:
    return max(-LARGEST_ID, min(int(text), LARGEST_ID))


def _first_name(credit: type[AlbumCredit] | type[TrackCredit], of: ColumnElement[bool]) -> Any:
    """Under which name a shelf has it."""
    found = select(Artist.shelf_key).join(credit, credit.artist_id == Artist.id).where(of)
    if credit is TrackCredit:
        found = found.where(TrackCredit.role == "performer")
    return func.coalesce(found.order_by(credit.position).limit(1).scalar_subquery(), "")


def _order_of(wanted: Wanted) -> _Order:
    if wanted.sort == "added" or wanted.sort not in SORTS[wanted.kind]:
        return _Order(_ADDED_AT[wanted.kind], True, _written_instant, _read_instant)
    if wanted.kind == "artists":
        return _Order(func.substr(Artist.shelf_key, 1, KEY_LENGTH))
    if wanted.kind == "albums":
        title = func.substr(Album.shelf_key, 1, KEY_LENGTH)
        plays = select(func.coalesce(func.sum(Track.play_count), 0)).where(
            Track.album_id == Album.id, Track.deleted_at.is_(None)
        )
        names = _first_name(AlbumCredit, AlbumCredit.album_id == Album.id)
        count: Any = plays.scalar_subquery()
    else:
        title = func.substr(Track.search_text, 1, KEY_LENGTH)
        names = _first_name(TrackCredit, TrackCredit.track_id == Track.id)
        count = Track.play_count
    if wanted.sort == "plays":
        return _Order(count, True, str, _read_count)
    return _Order(title if wanted.sort == "title" else func.substr(names, 1, KEY_LENGTH) + " " + title)


def _everything(user_id: int, kind: str, column: Any = None) -> Select[Any]:
    """A select of `column` (by default the id) of all that this user keeps and may see."""
    if kind == "artists":
        found = select(Artist.id if column is None else column).select_from(ArtistFollow)
        joined = found.join(Artist, Artist.id == ArtistFollow.artist_id)
        return joined.where(ArtistFollow.user_id == user_id, artist_is_shown())
    if kind == "albums":
        found = select(Album.id if column is None else column).select_from(AlbumLike)
        joined = found.join(Album, Album.id == AlbumLike.album_id).where(AlbumLike.user_id == user_id)
    else:
        found = select(Track.id if column is None else column).select_from(TrackLike)
        joined = found.join(Track, Track.id == TrackLike.track_id).join(Album, Album.id == Track.album_id)
        joined = joined.where(TrackLike.user_id == user_id, Track.deleted_at.is_(None))
    return joined.where(Album.deleted_at.is_(None), sees(user_id))


def _in_genre(kind: str, genre: Any) -> ColumnElement[bool]:
    """Of an album's genres; an artist is in those of the albums that name them."""
    on_album = exists().where(AlbumGenre.genre_id == Genre.id, genre)
    if kind != "artists":
        return on_album.where(AlbumGenre.album_id == Album.id)
    return on_album.where(
        AlbumGenre.album_id == AlbumCredit.album_id,
        AlbumCredit.artist_id == Artist.id,
        Album.id == AlbumCredit.album_id,
        Album.published_at.is_not(None),
        Album.deleted_at.is_(None),
    )


def _matches(kind: str, word: str) -> ColumnElement[bool]:
    """One folded word, anywhere in the title, the album's title or a name."""

    def holds(column: Any) -> ColumnElement[bool]:
        found: ColumnElement[bool] = column.contains(word, autoescape=True)
        return found

    if kind == "artists":
        return holds(Artist.search_text)
    named = exists().where(Artist.id == AlbumCredit.artist_id, AlbumCredit.album_id == Album.id)
    if kind == "albums":
        return or_(holds(Album.search_text), named.where(holds(Artist.search_text)))
    heard = exists().where(Artist.id == TrackCredit.artist_id, TrackCredit.track_id == Track.id)
    return or_(holds(Track.search_text), holds(Album.search_text), heard.where(holds(Artist.search_text)))


def _found(user_id: int, wanted: Wanted) -> Select[Any]:
    found = _everything(user_id, wanted.kind)
    if wanted.genre:
        found = found.where(_in_genre(wanted.kind, Genre.slug == wanted.genre))
    for word in fold(wanted.q, 200).split()[:WORDS_MAX]:
        found = found.where(_matches(wanted.kind, word))
    return found


def _id_of(kind: str) -> Any:
    return {"tracks": Track.id, "albums": Album.id, "artists": Artist.id}[kind]


def _sorted(found: Select[Any], kind: str, order: _Order) -> Select[Any]:
    keys = (order.by, _id_of(kind))
    return found.order_by(*(key.desc() if order.is_down else key for key in keys))


def kept(user_id: int, wanted: Wanted, *, limit: int, after: str | None = None) -> KeptPage:
    """One page of a library; `after` is the next_key of the page before. What is no key shows the first page."""
    order, id_column = _order_of(wanted), _id_of(wanted.kind)
    found = _sorted(_found(user_id, wanted).add_columns(order.by), wanted.kind, order).limit(limit + 1)
    if key := _read_key(after, order):
        value, last_id = key
        is_past = (order.by < value, id_column < last_id) if order.is_down else (order.by > value, id_column > last_id)
        found = found.where(or_(is_past[0], and_(order.by == value, is_past[1])))
    rows = db.session.execute(found).all()
    next_key = f"{rows[limit - 1][0]}.{order.written(rows[limit - 1][1])}" if len(rows) > limit else None
    return KeptPage([row[0] for row in rows[:limit]], next_key)


def _read_key(key: str | None, order: _Order) -> tuple[Any, int] | None:
    last_id, _, value = (key or "").partition(".")
    try:
        return order.read(value), min(max(int(last_id), 0), LARGEST_ID)
    except (ValueError, OverflowError):
        return None


def track_ids_kept(user_id: int, wanted: Wanted, *, limit: int) -> list[int]:
    """Liked tracks as a view of the library has them in order, to be played."""
    found = _sorted(_found(user_id, wanted), "tracks", _order_of(wanted))
    return list(db.session.scalars(found.limit(limit)))


def kept_counts(user_id: int) -> dict[str, int]:
    """How many tracks, albums and artists a library shows unfiltered, in one statement. It counts to COUNTED_MOST."""
    counts = [
        select(func.count())
        .select_from(_everything(user_id, kind).limit(COUNTED_MOST).subquery())
        .scalar_subquery()
        .label(kind)
        for kind in KINDS
    ]
    return dict(db.session.execute(select(*counts)).one()._mapping)


def genres_kept(user_id: int, kind: str) -> list[tuple[str, str]]:
    """(slug, name) of the genres that occur among what is kept, by name."""
    found = select(Genre.slug, Genre.name).where(
        Genre.id.in_(
            _everything(user_id, kind, AlbumGenre.genre_id).join(AlbumGenre, AlbumGenre.album_id == Album.id)
            if kind != "artists"
            else _everything(user_id, kind, AlbumGenre.genre_id)
            .join(AlbumCredit, AlbumCredit.artist_id == Artist.id)
            .join(Album, Album.id == AlbumCredit.album_id)
            .join(AlbumGenre, AlbumGenre.album_id == Album.id)
            .where(Album.published_at.is_not(None), Album.deleted_at.is_(None))
        )
    )
    return [(slug, name) for slug, name in db.session.execute(found.order_by(func.lower(Genre.name), Genre.id))]
