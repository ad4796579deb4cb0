"""The end of what is old: deleted playlists, history, entries that nobody can bring back; and totals counted anew."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from musicapp.catalog.models import Track
from musicapp.core.db import db, utc_now
from musicapp.core.settings import setting
from musicapp.playlists.models import Playlist, PlaylistChange, PlaylistEntry, PlaylistInvitation
from musicapp.playlists.services.editing import locked_by_anybody

RESTORABLE_FOR = timedelta(days=30)
ALWAYS_KEPT_CHANGES = 200
BATCH = 100
"""Playlists of one transaction: on SQLite nobody else writes meanwhile."""


def purge_deleted() -> int:
    """Removes playlists that were deleted a month ago, at most a batch; returns how many."""
    ids = db.session.scalars(
        select(Playlist.id).where(Playlist.deleted_at < utc_now() - RESTORABLE_FOR).limit(BATCH)
    ).all()
    if ids:
        db.session.execute(delete(Playlist).where(Playlist.id.in_(ids)))
    return len(ids)


def playlists_with_old_changes() -> list[int]:
    """Playlists with changes older than PLAYLIST_HISTORY_DAYS and more changes than are always kept."""
    before = utc_now() - timedelta(days=setting("PLAYLIST_HISTORY_DAYS"))
    found = (
        select(PlaylistChange.playlist_id)
        .join(Playlist, Playlist.id == PlaylistChange.playlist_id)
        .where(PlaylistChange.created_at < before, PlaylistChange.version <= Playlist.version - ALWAYS_KEPT_CHANGES)
        .distinct()
    )
    return list(db.session.scalars(found.order_by(PlaylistChange.playlist_id)))


def purge_history(playlist_id: int) -> int:
    """Removes a playlist's old changes, and removed entries that no kept change can bring back; returns how many."""
    playlist = locked_by_anybody(playlist_id, even_deleted=True)
    before = utc_now() - timedelta(days=setting("PLAYLIST_HISTORY_DAYS"))
    # From the oldest on, without gaps: clocks may step back between two versions.
    first_kept = db.session.scalar(
        select(func.min(PlaylistChange.version)).where(
            PlaylistChange.playlist_id == playlist_id, PlaylistChange.created_at >= before
        )
    )
    limit = playlist.version - ALWAYS_KEPT_CHANGES + 1
    first_kept = limit if first_kept is None else min(first_kept, limit)
    which = (PlaylistChange.playlist_id == playlist_id, PlaylistChange.version < first_kept)
    removed = db.session.execute(delete(PlaylistChange).where(*which)).rowcount  # type: ignore[attr-defined]
    db.session.execute(
        delete(PlaylistEntry).where(
            PlaylistEntry.playlist_id == playlist_id,
            PlaylistEntry.removed_at.is_not(None),
            PlaylistEntry.removed_version < first_kept,
        )
    )
    return int(removed)


def purge_invitations() -> int:
    """Forgets invitations that ended a month ago; returns how many."""
    before = utc_now() - RESTORABLE_FOR
    ended: Any = (PlaylistInvitation.expires_at < before) | (PlaylistInvitation.revoked_at < before)
    return int(db.session.execute(delete(PlaylistInvitation).where(ended)).rowcount)  # type: ignore[attr-defined]


def wrong_totals(after_id: int) -> tuple[int, list[tuple[int, int, int]]]:
    """Of the next playlists by id: the last id (0 at the end), and (playlist id, stored ms, true ms) where they differ.

    A track's length is only known for certain when it was encoded, and tracks go: sums that grow by what is added
    drift away from what stands there.
    """
    length = func.coalesce(func.sum(Track.duration_ms), 0)
    ids = db.session.scalars(select(Playlist.id).where(Playlist.id > after_id).order_by(Playlist.id).limit(BATCH)).all()
    found = db.session.execute(
        select(Playlist.id, Playlist.duration_ms, length.label("true_ms"))
        .outerjoin(PlaylistEntry, (PlaylistEntry.playlist_id == Playlist.id) & PlaylistEntry.removed_at.is_(None))
        .outerjoin(Track, Track.id == PlaylistEntry.track_id)
        .where(Playlist.id.in_(ids))
        .group_by(Playlist.id, Playlist.duration_ms)
    )
    wrong = [(row.id, row.duration_ms, int(row.true_ms)) for row in found if row.duration_ms != row.true_ms]
    return ids[-1] if ids else 0, wrong


def correct_total(playlist_id: int, stored_ms: int, true_ms: int) -> None:
    """Corrects a length, unless somebody has changed the playlist since it was counted."""
    db.session.execute(
        update(Playlist)
        .where(Playlist.id == playlist_id, Playlist.duration_ms == stored_ms)
        .values(duration_ms=true_ms)
    )
