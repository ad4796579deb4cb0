"""The rows of a playlist: a window of them, or chosen ones, for one viewer. No statement runs per row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from musicapp.accounts.models import User
from musicapp.catalog.models import Album, Track
from musicapp.catalog.queries import TrackRow, visible_rows
from musicapp.catalog.queries.rights import sees
from musicapp.core.db import db
from musicapp.playlists.models import PlaylistEntry
from musicapp.playlists.queries.order import sorted_by
from musicapp.playlists.queries.people import Person


@dataclass(frozen=True, slots=True)
class EntryRow:
    """A place in a playlist and what this viewer sees there."""

    entry_id: int
    order_key: str
    number: int
    """Counted from 1, over the whole playlist as it is shown."""
    track_id: int
    track: TrackRow | None
    """None: the track is gone, or this viewer may not see it."""
    added_by: Person | None
    """None: whoever it was has left."""
    added_at: datetime


_COLUMNS = (
    PlaylistEntry.id,
    PlaylistEntry.order_key,
    PlaylistEntry.track_id,
    PlaylistEntry.added_by_id,
    PlaylistEntry.added_at,
    User.username,
    User.display_name,
    User.avatar_key,
)


def _entries() -> Any:
    return select(*_COLUMNS).outerjoin(User, (User.id == PlaylistEntry.added_by_id) & User.deleted_at.is_(None))


def rows(
    playlist_id: int, viewer_id: int | None, *, start: int = 0, limit: int = 100, column: str = "", down: bool = False
) -> list[EntryRow]:
    """`limit` rows from place `start`, counted from 0, or as `column` of SORT_COLUMNS sorts them. Four statements."""
    found = _entries()
    if column:
        found = sorted_by(found, playlist_id, column, down)
    else:
        found = found.where(PlaylistEntry.playlist_id == playlist_id, PlaylistEntry.removed_at.is_(None))
        found = found.order_by(PlaylistEntry.order_key)
    shown = db.session.execute(found.offset(start).limit(limit)).all()
    return _drawn(shown, {row.id: number for number, row in enumerate(shown, start + 1)}, viewer_id)


def rows_by_entry_ids(playlist_id: int, viewer_id: int | None, entry_ids: Collection[int]) -> list[EntryRow]:
    """Those of the entries that stand in the playlist, in the order asked for, at most a few hundred."""
    numbered = (
        _entries()
        .add_columns(func.row_number().over(order_by=PlaylistEntry.order_key).label("number"))
        .where(PlaylistEntry.playlist_id == playlist_id, PlaylistEntry.removed_at.is_(None))
        .subquery()
    )
    found = db.session.execute(select(numbered).where(numbered.c.id.in_(entry_ids))).all() if entry_ids else []
    by_id = {row.id: row for row in found}
    in_order = [by_id[id_] for id_ in entry_ids if id_ in by_id]
    return _drawn(in_order, {row.id: row.number for row in found}, viewer_id)


def _drawn(found: Collection[Any], numbers: dict[int, int], viewer_id: int | None) -> list[EntryRow]:
    tracks = visible_rows({row.track_id for row in found}, viewer_id)
    return [
        EntryRow(
            entry_id=row.id,
            order_key=row.order_key,
            number=numbers[row.id],
            track_id=row.track_id,
            track=tracks.get(row.track_id),
            added_by=Person(row.added_by_id, row.username, row.display_name, row.avatar_key) if row.username else None,
            added_at=row.added_at,
        )
        for row in found
    ]


def track_ids_of(playlist_id: int, viewer_id: int | None) -> list[int]:
    """The tracks in order that this viewer may see, with those that stand twice: for the play queue and copies."""
    return [track_id for _, track_id in entry_track_ids(playlist_id, viewer_id)]


def entry_track_ids(playlist_id: int, viewer_id: int | None) -> list[tuple[int, int]]:
    """(entry id, track id) in order, of what this viewer may see."""
    rows = db.session.execute(
        select(PlaylistEntry.id, PlaylistEntry.track_id)
        .join(Track, Track.id == PlaylistEntry.track_id)
        .join(Album, Album.id == Track.album_id)
        .where(
            PlaylistEntry.playlist_id == playlist_id,
            PlaylistEntry.removed_at.is_(None),
            Track.deleted_at.is_(None),
            Album.deleted_at.is_(None),
            sees(viewer_id),
        )
        .order_by(PlaylistEntry.order_key)
    )
    return [(row[0], row[1]) for row in rows]
