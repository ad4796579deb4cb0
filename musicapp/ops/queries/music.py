"""Artists and albums as the desk lists them: drafts, deleted and taken down ones too."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select

from musicapp.accounts.models import User
from musicapp.catalog.models import Album, Artist, ArtistMember, Original, Rendition, Track
from musicapp.catalog.queries import MemberRow, members_of
from musicapp.core.db import db
from musicapp.ops.queries.audit import AuditRow, entries_about
from musicapp.ops.queries.reports import ReportRow, reports_about

PER_PAGE = 50
ALBUM_SHOWS = ("all", "published", "drafts", "taken_down", "deleted")
ARTIST_SHOWS = ("all", "studios", "names")
"""`names` stand only in credits: nobody manages them."""
RECENT = 8


@dataclass(frozen=True, slots=True)
class AlbumRow:
    """A line of the list. `state` is published, draft, taken_down or deleted."""

    id: int
    title: str
    artist_id: int
    artist: str
    state: str
    track_count: int
    size_bytes: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AlbumList:
    rows: list[AlbumRow]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class ArtistRow:
    id: int
    name: str
    members: tuple[str, ...]
    album_count: int
    play_count: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ArtistList:
    rows: list[ArtistRow]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class AlbumDeskPage:
    """An album as an operator sees it. Bytes of originals and of renditions."""

    album: Album
    row: AlbumRow
    created_by: str | None
    members: list[MemberRow]
    play_count: int
    rendition_bytes: int
    reports: list[ReportRow]
    acts: list[AuditRow]


@dataclass(frozen=True, slots=True)
class ArtistDeskPage:
    artist: Artist
    members: list[MemberRow]
    albums: list[AlbumRow]
    reports: list[ReportRow]
    acts: list[AuditRow]

    @property
    def can_take_down(self) -> bool:
        return any(album.state in {"published", "draft"} for album in self.albums)

    @property
    def can_give_back(self) -> bool:
        return any(album.state == "taken_down" for album in self.albums)


def albums(text: str = "", show: str = "all", after: int | None = None) -> AlbumList:
    """Newest first; `text` stands in the title or in the artist's name, `show` is one of ALBUM_SHOWS."""
    found = _album_rows().where(*_album_filter(show)).order_by(Album.id.desc()).limit(PER_PAGE + 1)
    if text:
        found = found.where(Album.title.icontains(text, autoescape=True) | Artist.name.icontains(text, autoescape=True))
    if after is not None:
        found = found.where(Album.id < after)
    rows = _with_figures(found)
    return AlbumList(rows[:PER_PAGE], rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None)


def album_counts() -> dict[str, int]:
    """How many there are of each of ALBUM_SHOWS, in one statement."""
    counts = [func.count().filter(*_album_filter(show)) if show != "all" else func.count() for show in ALBUM_SHOWS]
    row = db.session.execute(select(*counts).select_from(Album)).one()
    return dict(zip(ALBUM_SHOWS, row, strict=True))


def album_exists(album_id: int) -> bool:
    return db.session.scalar(select(Album.id).where(Album.id == album_id)) is not None


def album_page(album_id: int) -> AlbumDeskPage | None:
    """None for an id that no album has (any more)."""
    album = db.session.get(Album, album_id)
    if album is None:
        return None
    [row] = _with_figures(_album_rows().where(Album.id == album_id))
    in_it = select(Track.id).where(Track.album_id == album_id)
    return AlbumDeskPage(
        album=album,
        row=row,
        created_by=db.session.scalar(select(User.username).where(User.id == album.created_by_id)),
        members=members_of(album.artist_id),
        play_count=db.session.scalar(select(func.sum(Track.play_count)).where(Track.album_id == album_id)) or 0,
        rendition_bytes=int(
            db.session.scalar(select(func.sum(Rendition.size_bytes)).where(Rendition.track_id.in_(in_it))) or 0
        ),
        reports=reports_about([("album", album_id)], tracks_of_album_id=album_id, limit=RECENT),
        acts=entries_about("album", album_id, limit=RECENT),
    )


def artists(text: str = "", show: str = "all", after: int | None = None) -> ArtistList:
    """Newest first; `show` is one of ARTIST_SHOWS."""
    has_studio = exists().where(ArtistMember.artist_id == Artist.id)
    found = (
        select(Artist.id, Artist.name, Artist.created_at)
        .where(Artist.deleted_at.is_(None))
        .order_by(Artist.id.desc())
        .limit(PER_PAGE + 1)
    )
    if show in {"studios", "names"}:
        found = found.where(has_studio if show == "studios" else ~has_studio)
    if text:
        found = found.where(Artist.name.icontains(text, autoescape=True))
    if after is not None:
        found = found.where(Artist.id < after)
    rows = db.session.execute(found).all()
    shown = rows[:PER_PAGE]
    members, figures = _members(row.id for row in shown), _artist_figures([row.id for row in shown])
    return ArtistList(
        [
            ArtistRow(row.id, row.name, members.get(row.id, ()), *figures.get(row.id, (0, 0)), row.created_at)
            for row in shown
        ],
        rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None,
    )


def artist_page(artist_id: int) -> ArtistDeskPage | None:
    artist = db.session.get(Artist, artist_id)
    if artist is None:
        return None
    own = _album_rows().where(Album.artist_id == artist_id).order_by(Album.id.desc()).limit(500)
    return ArtistDeskPage(
        artist=artist,
        members=members_of(artist_id),
        albums=_with_figures(own),
        reports=reports_about([("artist", artist_id)], limit=RECENT),
        acts=entries_about("artist", artist_id, limit=RECENT),
    )


def artist_exists(artist_id: int) -> bool:
    return db.session.scalar(select(Artist.id).where(Artist.id == artist_id)) is not None


def _album_filter(show: str) -> tuple[ColumnElement[bool], ...]:
    is_there, is_down = Album.deleted_at.is_(None), Album.taken_down_at.is_not(None)
    return {
        "published": (is_there, Album.published_at.is_not(None)),
        "drafts": (is_there, Album.published_at.is_(None), ~is_down),
        "taken_down": (is_down,),
        "deleted": (~is_there,),
    }.get(show, ())


def _album_rows() -> Any:
    return select(
        Album.id,
        Album.title,
        Album.artist_id,
        Artist.name.label("artist"),
        Album.published_at,
        Album.taken_down_at,
        Album.deleted_at,
        Album.created_at,
    ).join(Artist, Artist.id == Album.artist_id)


def _with_figures(found: Any) -> list[AlbumRow]:
    rows = db.session.execute(found).all()
    figures = _album_figures([row.id for row in rows])
    return [
        AlbumRow(
            id=row.id,
            title=row.title,
            artist_id=row.artist_id,
            artist=row.artist,
            state=_state_of(row),
            track_count=figures.get(row.id, (0, 0))[0],
            size_bytes=figures.get(row.id, (0, 0))[1],
            created_at=row.created_at,
        )
        for row in rows
    ]


def _state_of(row: Any) -> str:
    if row.taken_down_at is not None:
        return "taken_down"
    if row.deleted_at is not None:
        return "deleted"
    return "published" if row.published_at is not None else "draft"


def _album_figures(album_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Album id -> tracks that are there, bytes of their originals."""
    if not album_ids:
        return {}
    found = (
        select(Track.album_id, func.count(Track.id), func.coalesce(func.sum(Original.size_bytes), 0))
        .outerjoin(Original, Original.track_id == Track.id)
        .where(Track.album_id.in_(album_ids), Track.deleted_at.is_(None))
        .group_by(Track.album_id)
    )
    return {album_id: (count, int(size)) for album_id, count, size in db.session.execute(found)}


def _artist_figures(artist_ids: Collection[int]) -> dict[int, tuple[int, int]]:
    """Artist id -> albums in the studio that are there, plays of their tracks."""
    if not artist_ids:
        return {}
    found = (
        select(Album.artist_id, func.count(Album.id.distinct()), func.coalesce(func.sum(Track.play_count), 0))
        .outerjoin(Track, Track.album_id == Album.id)
        .where(Album.artist_id.in_(artist_ids), Album.deleted_at.is_(None))
        .group_by(Album.artist_id)
    )
    return {artist_id: (count, int(plays)) for artist_id, count, plays in db.session.execute(found)}


def _members(artist_ids: Any) -> dict[int, tuple[str, ...]]:
    ids = list(artist_ids)
    if not ids:
        return {}
    found = (
        select(ArtistMember.artist_id, User.username)
        .join(User, User.id == ArtistMember.user_id)
        .where(ArtistMember.artist_id.in_(ids), User.deleted_at.is_(None))
        .order_by(User.username_key)
    )
    names: dict[int, tuple[str, ...]] = {}
    for artist_id, name in db.session.execute(found):
        names[artist_id] = (*names.get(artist_id, ()), name)
    return names
