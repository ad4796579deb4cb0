"""Tracks: the rows of an album, the page of one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from musicapp.catalog.models import Album, Artwork, Original, Rendition, Track
from musicapp.catalog.queries import kept
from musicapp.catalog.queries.pictures import PICTURE, picture_in
from musicapp.catalog.queries.rights import sees
from musicapp.catalog.queries.rows import FROM_ORIGINAL, READY, WAITING, Credit, TrackRow, credits_of_tracks
from musicapp.core.db import db

_NUMBER = func.row_number().over(partition_by=Track.disc_number, order_by=(Track.position, Track.id))


def _numbered(album_id: Any) -> Select[Any]:
    """Every track of an album with its number: counted here, because positions have gaps where tracks were deleted."""
    return select(Track.id.label("id"), _NUMBER.label("number")).where(
        Track.album_id == album_id, Track.deleted_at.is_(None)
    )


_ROW: tuple[Any, ...] = (
    *(Track.id, Track.disc_number, Track.title, Track.album_id, Track.duration_ms, Track.track_gain_db),
    *(Track.true_peak_dbtp, Track.play_count, Track.ready_at, Album.title.label("album")),
    *(Original.is_browser_playable, *PICTURE),
)


def _joined(found: Select[Any]) -> Select[Any]:
    return (
        found.join(Album, Album.id == Track.album_id)
        .outerjoin(Artwork, Artwork.id == Album.cover_id)
        .outerjoin(Original, Original.track_id == Track.id)
    )


def _track_row(row: Any, number: int, credits: dict[int, list[Credit]]) -> TrackRow:
    return TrackRow(
        id=row.id,
        number=number,
        disc_number=row.disc_number,
        title=row.title,
        credits=tuple(credits.get(row.id, ())),
        album_id=row.album_id,
        album=row.album,
        picture=picture_in(row),
        duration_ms=row.duration_ms,
        gain_db=row.track_gain_db,
        true_peak_dbtp=row.true_peak_dbtp,
        play_count=row.play_count,
        state=READY if row.ready_at else FROM_ORIGINAL if row.is_browser_playable else WAITING,
    )


def _rows(album_id: Any, only_track_id: int | None = None) -> list[TrackRow]:
    numbered = _numbered(album_id).subquery()
    found = (
        _joined(select(*_ROW, numbered.c.number).join(numbered, numbered.c.id == Track.id))
        .where(Album.deleted_at.is_(None))
        .order_by(Track.disc_number, numbered.c.number)
    )
    ids: Any = select(Track.id).where(Track.album_id == album_id, Track.deleted_at.is_(None))
    if only_track_id is not None:
        found, ids = found.where(Track.id == only_track_id), [only_track_id]
    rows = db.session.execute(found).all()
    credits = credits_of_tracks(ids) if rows else {}
    return [_track_row(row, row.number, credits) for row in rows]


def track_rows(album_id: int) -> list[TrackRow]:
    """The tracks of an album in order, in two statements."""
    return _rows(album_id)


def track_row_by_id(track_id: int) -> TrackRow | None:
    """One row, with the number that it has on its album; None when the track or its album is gone."""
    album_id = select(Track.album_id).where(Track.id == track_id).scalar_subquery()
    rows = _rows(album_id, track_id)
    return rows[0] if rows else None


def play_counts(album_id: int) -> dict[int, int]:
    """Track id -> its plays, of an album's tracks."""
    found = select(Track.id, Track.play_count).where(Track.album_id == album_id, Track.deleted_at.is_(None))
    return {row.id: row.play_count for row in db.session.execute(found)}


def rows_of_tracks(track_ids: Collection[int]) -> dict[int, TrackRow]:
    """Track id -> row, whoever may see it, in two statements. `number` is 0."""
    found = _joined(select(*_ROW)).where(Track.id.in_(track_ids), Track.deleted_at.is_(None))
    rows = db.session.execute(found).all()
    credits = credits_of_tracks([row.id for row in rows]) if rows else {}
    return {row.id: _track_row(row, 0, credits) for row in rows}


def visible_rows(track_ids: Collection[int], user_id: int | None) -> dict[int, TrackRow]:
    """Track id -> row, of those tracks that this user (None: a stranger) may see, in three statements.

    For lists that mix albums: playlists, likes, history, the play queue, what was searched for. `number` is 0. Rows
    of published tracks come from the cache; who may see them, and their plays, are asked of the database.
    """
    if not track_ids:
        return {}
    found = (
        select(Track.id, Track.play_count, Album.published_at)
        .join(Album, Album.id == Track.album_id)
        .where(Track.id.in_(track_ids), Track.deleted_at.is_(None), Album.deleted_at.is_(None), sees(user_id))
    )
    seen = db.session.execute(found).all()
    rows = kept.TRACK_ROWS.get_many([row.id for row in seen if row.published_at], rows_of_tracks)
    if drafts := [row.id for row in seen if not row.published_at]:
        rows.update(rows_of_tracks(drafts))
    return {row.id: with_plays(rows[row.id], row.play_count) for row in seen if row.id in rows}


def with_plays(row: TrackRow, play_count: int) -> TrackRow:
    """The row with its plays as they are now: they change too often to drop it from the cache each time."""
    return row if row.play_count == play_count else replace(row, play_count=play_count)


def editable_track(track_id: int) -> Track | None:
    """A track with all that its form shows, also when it is deleted: it may be restored."""
    return db.session.scalar(
        select(Track)
        .join(Track.album)
        .options(contains_eager(Track.album).joinedload(Album.artist), selectinload(Track.credits))
        .where(Track.id == track_id)
    )


@dataclass(frozen=True, slots=True)
class TrackPage:
    """A track with all that its page shows."""

    row: TrackRow
    is_published: bool
    genre: str | None
    recorded_on: str | None
    isrc: str | None
    lyrics: str | None
    has_synced_lyrics: bool
    integrated_loudness_lufs: float | None
    original: Original | None
    renditions: tuple[Rendition, ...]
    created_at: datetime

    @property
    def other_credits(self) -> dict[str, list[Credit]]:
        """Role -> names, for everybody who did something else than perform."""
        by_role: dict[str, list[Credit]] = {}
        for credit in self.row.credits:
            if credit.role != "performer":
                by_role.setdefault(credit.role, []).append(credit)
        return by_role


def track_page(track_id: int) -> TrackPage | None:
    """The page of a track that is not deleted; who may see it is another question (rights.visible_track)."""
    row = track_row_by_id(track_id)
    if row is None:
        return None
    track = db.session.scalars(
        select(Track)
        .where(Track.id == track_id)
        .options(joinedload(Track.album), joinedload(Track.original), selectinload(Track.renditions))
    ).one()
    return TrackPage(
        row=row,
        is_published=track.album.is_published,
        genre=track.genre,
        recorded_on=track.recorded_on,
        isrc=track.isrc,
        lyrics=track.lyrics or _words_of_lrc(track.synced_lyrics),
        has_synced_lyrics=bool(track.synced_lyrics),
        integrated_loudness_lufs=track.integrated_loudness_lufs,
        original=track.original,
        renditions=tuple(sorted(track.renditions, key=lambda r: r.bitrate_kbps)),
        created_at=track.created_at,
    )


def _words_of_lrc(lrc: str | None) -> str | None:
    """The words of LRC text, without its time stamps and headers."""
    if not lrc:
        return None
    lines = []
    for line in lrc.splitlines():
        rest = line.strip()
        while rest.startswith("[") and "]" in rest:
            stamp, rest = rest[1:].split("]", 1)
            if not stamp[:1].isdigit() and ":" in stamp:
                rest = ""
                break
        else:
            lines.append(rest.strip())
            continue
    return "\n".join(lines).strip() or None
