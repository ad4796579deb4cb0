"""What leaves the house: a playlist as rows for a file, and all of a user's for their account's export."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from musicapp.catalog.models import Album, Track
from musicapp.catalog.queries.rights import sees
from musicapp.catalog.queries.rows import credits_of_tracks, line_of
from musicapp.core.db import db
from musicapp.playlists.models import Playlist, PlaylistEntry, PlaylistMember

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class ExportRow:
    """A track as a playlist file names it."""

    track_id: int
    title: str
    artists: str
    album: str
    duration_ms: int | None
    isrc: str | None
    musicbrainz_recording_id: str | None


def export_rows(playlist_id: int, viewer_id: int | None) -> Iterator[ExportRow]:
    """The tracks in order that the viewer may see, read a thousand at a time."""
    after: str | None = ""
    while after is not None:
        found = (
            select(
                *(PlaylistEntry.order_key, Track.id, Track.title, Track.duration_ms, Track.isrc),
                *(Track.musicbrainz_recording_id, Album.title.label("album")),
            )
            .join(Track, Track.id == PlaylistEntry.track_id)
            .join(Album, Album.id == Track.album_id)
            .where(
                PlaylistEntry.playlist_id == playlist_id,
                PlaylistEntry.removed_at.is_(None),
                PlaylistEntry.order_key > after,
                Track.deleted_at.is_(None),
                Album.deleted_at.is_(None),
                sees(viewer_id),
            )
            .order_by(PlaylistEntry.order_key)
            .limit(BATCH)
        )
        rows = db.session.execute(found).all()
        credits = credits_of_tracks([row.id for row in rows]) if rows else {}
        for row in rows:
            yield ExportRow(
                track_id=row.id,
                title=row.title,
                artists=line_of(credits.get(row.id, ())),
                album=row.album,
                duration_ms=row.duration_ms,
                isrc=row.isrc,
                musicbrainz_recording_id=row.musicbrainz_recording_id,
            )
        after = rows[-1].order_key if len(rows) == BATCH else None


def playlists_for_export(user_id: int) -> list[dict[str, Any]]:
    """For an account's export: what this user made or joined, with the tracks in order."""
    joined = (
        select(Playlist, PlaylistMember.role)
        .join(PlaylistMember, PlaylistMember.playlist_id == Playlist.id)
        .where(PlaylistMember.user_id == user_id, Playlist.deleted_at.is_(None))
        .order_by(Playlist.id)
    )
    return [
        {
            "id": playlist.id,
            "name": playlist.name,
            "description": playlist.description,
            "visibility": playlist.visibility,
            "role": role,
            "created_at": playlist.created_at,
            "updated_at": playlist.updated_at,
            "tracks": [
                {"id": row.track_id, "title": row.title, "artists": row.artists, "album": row.album}
                for row in export_rows(playlist.id, user_id)
            ],
        }
        for playlist, role in db.session.execute(joined).all()
    ]
