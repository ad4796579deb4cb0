"""Tracks: the rows of an album, the page of one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import contains_eager, joinedload, selectinload

from musicapp.catalog.models import Album, Artwork, Original, Rendition, Track
from musicapp.catalog.queries.pictures import picture_of
from musicapp.catalog.queries.rights import sees
from musicapp.catalog.queries.rows import FROM_ORIGINAL, READY, WAITING, Credit, TrackRow, credits_of_tracks
from musicapp.core.db import db

_NUMBER = func.row_number().over(partition_by=Track.disc_number, order_by=(Track.position, Track.id))


def _numbered(album_id: Any) -> Select[Any]:
    """Every track of an album with its number: counted here, because positions have gaps where tracks were deleted."""
    return select(Track.id.label("id"), _NUMBER.label("number")).where(
        Track.album_id == album_id, Track.deleted_at.is_(None)
    )


def _rows(album_id: Any, only_track_id: int | None = None) -> list[TrackRow]:
    numbered = _numbered(album_id).subquery()
    found = (
        select(Track, numbered.c.number, Album.title, Artwork, Original.is_browser_playable)
        .join(numbered, numbered.c.id == Track.id)
        .join(Album, Album.id == Track.album_id)
        .outerjoin(Artwork, Artwork.id == Album.cover_id)
        .outerjoin(Original, Original.track_id == Track.id)
        .where(Album.deleted_at.is_(None))
        .order_by(Track.disc_number, numbered.c.number)
    )
    ids: Any = select(numbered.c.id)
    if only_track_id is not None:
        found, ids = found.where(Track.id == only_track_id), [only_track_id]
    rows = db.session.execute(found).all()
    credits = credits_of_tracks(ids) if rows else {}
    return [
        TrackRow(
            id=track.id,
            number=number,
            disc_number=track.disc_number,
            title=track.title,
            credits=tuple(credits.get(track.id, ())),
            album_id=track.album_id,
            album=album_title,
            picture=picture_of(artwork),
            duration_ms=track.duration_ms,
            gain_db=track.track_gain_db,
            true_peak_dbtp=track.true_peak_dbtp,
            play_count=track.play_count,
            state=READY if track.ready_at else FROM_ORIGINAL if original_plays else WAITING,
        )
        for track, number, album_title, artwork, original_plays in rows
    ]


def track_rows(album_id: int) -> list[TrackRow]:
    """The tracks of an album in order, in two statements."""
    return _rows(album_id)


def track_row_by_id(track_id: int) -> TrackRow | None:
    """One row, with the number that it has on its album; None when the track or its album is gone."""
    album_id = select(Track.album_id).where(Track.id == track_id).scalar_subquery()
    rows = _rows(album_id, track_id)
    return rows[0] if rows else None


def visible_rows(track_ids: Collection[int], user_id: int | None) -> dict[int, TrackRow]:
    """Track id -> row, of those tracks that this user (None: a stranger) may see, in two statements.

    For lists that mix albums: playlists, likes, history, the play queue, what was searched for. `number` is 0.
    """
    if not track_ids:
        return {}
    found = (
        select(
            *(Track.id, Track.disc_number, Track.title, Track.album_id, Track.duration_ms, Track.track_gain_db),
            *(Track.true_peak_dbtp, Track.play_count, Track.ready_at, Album.title.label("album")),
            *(Artwork, Original.is_browser_playable),
        )
        .join(Album, Album.id == Track.album_id)
        .outerjoin(Artwork, Artwork.id == Album.cover_id)
        .outerjoin(Original, Original.track_id == Track.id)
        .where(Track.id.in_(track_ids), Track.deleted_at.is_(None), Album.deleted_at.is_(None), sees(user_id))
    )
    rows = db.session.execute(found).all()
    credits = credits_of_tracks([row.id for row in rows]) if rows else {}
    return {
        row.id: TrackRow(
            id=row.id,
            number=0,
            disc_number=row.disc_number,
            title=row.title,
            credits=tuple(credits.get(row.id, ())),
            album_id=row.album_id,
            album=row.album,
            picture=picture_of(row.Artwork),
            duration_ms=row.duration_ms,
            gain_db=row.track_gain_db,
            true_peak_dbtp=row.true_peak_dbtp,
            play_count=row.play_count,
            state=READY if row.ready_at else FROM_ORIGINAL if row.is_browser_playable else WAITING,
        )
        for row in rows
    }


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
