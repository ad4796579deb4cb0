"""What the pages of playlists ask besides rows and heads."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select

from musicapp.core.db import db
from musicapp.playlists.models import Playlist, PlaylistEntry
from musicapp.playlists.queries.batches import in_batches


def name_of(playlist_id: int) -> str:
    """The playlist's name, "" when it is gone."""
    return db.session.scalar(select(Playlist.name).where(Playlist.id == playlist_id)) or ""


def contained_count(playlist_id: int, track_ids: Sequence[int]) -> int:
    """How many of the tracks stand in the playlist already."""
    count = 0
    for batch in in_batches(dict.fromkeys(track_ids)):
        count += (
            db.session.scalar(
                select(func.count(PlaylistEntry.track_id.distinct())).where(
                    PlaylistEntry.playlist_id == playlist_id,
                    PlaylistEntry.track_id.in_(batch),
                    PlaylistEntry.removed_at.is_(None),
                )
            )
            or 0
        )
    return count
