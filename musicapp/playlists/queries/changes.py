"""What happened to a playlist: for pages that follow it, for its history, and to see how it was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import defer

from musicapp.catalog.queries import visible_rows
from musicapp.core.db import db
from musicapp.playlists.models import Playlist, PlaylistChange, PlaylistEntry
from musicapp.playlists.queries.order import order
from musicapp.playlists.queries.people import Person, people_by_id

MOST_CHANGES = 500


@dataclass(frozen=True, slots=True)
class AddedEntry:
    """An entry that came, or came back."""

    entry_id: int
    order_key: str
    track_id: int


@dataclass(frozen=True, slots=True)
class MovedEntry:
    """An entry and the key that it has now."""

    entry_id: int
    order_key: str


@dataclass(frozen=True, slots=True)
class Change:
    """One change, the same for everybody. Applied one after the other by version, changes give every page the same
    rows: take the removed out, put the added in, give the moved their keys, sort by key."""

    id: int
    playlist_id: int
    version: int
    kind: str
    by: Person | None
    at: datetime
    added: tuple[AddedEntry, ...]
    removed: tuple[int, ...]
    moved: tuple[MovedEntry, ...]
    fields: dict[str, Any]
    """name, description, visibility, cover_id: the new values."""
    undoes: int | None
    restores: int | None


def change(change_id: int) -> Change | None:
    """One change by id; None when it is too old to be kept."""
    row = db.session.get(PlaylistChange, change_id)
    return _change(row, people_by_id([row.user_id])) if row else None


def changes_since(playlist_id: int, version: int, limit: int = MOST_CHANGES) -> list[Change] | None:
    """The changes after a version, oldest first, at most `limit`; None where some of them are no longer kept.

    Then, and where there are more than `limit`, the page reads the whole order again.
    """
    found = db.session.scalars(
        select(PlaylistChange)
        .where(PlaylistChange.playlist_id == playlist_id, PlaylistChange.version > version)
        .order_by(PlaylistChange.version)
        .limit(limit)
    ).all()
    if found and found[0].version != version + 1:
        return None
    people = people_by_id(row.user_id for row in found)
    return [_change(row, people) for row in found]


def _change(row: PlaylistChange, people: dict[int, Person]) -> Change:
    done = row.changed
    return Change(
        id=row.id,
        playlist_id=row.playlist_id,
        version=row.version,
        kind=row.kind,
        by=people.get(row.user_id) if row.user_id else None,
        at=row.created_at,
        added=tuple(AddedEntry(*entry[:3]) for entry in done.get("added", ())),
        removed=tuple(entry[0] for entry in done.get("removed", ())),
        moved=tuple(MovedEntry(entry[0], entry[2]) for name in ("moved", "rekeyed") for entry in done.get(name, ())),
        fields={name: new for name, (_, new) in done.get("fields", {}).items()},
        undoes=done.get("undoes"),
        restores=done.get("restores"),
    )


def keys_at(playlist_id: int, version: int) -> dict[int, str] | None:
    """Entry id -> key as they were after a version, unordered; None where the history doesn't reach back so far."""
    now = db.session.scalar(select(Playlist.version).where(Playlist.id == playlist_id))
    if now is None or not 0 <= version <= now:
        return None
    keys = dict(order(playlist_id))
    expected = now
    later = db.session.execute(
        select(PlaylistChange.version, PlaylistChange.changed)
        .where(PlaylistChange.playlist_id == playlist_id, PlaylistChange.version > version)
        .order_by(PlaylistChange.version.desc())
    )
    for found, done in later:
        if found != expected:
            return None
        expected -= 1
        for entry in (*done.get("moved", ()), *done.get("rekeyed", ())):
            keys[entry[0]] = entry[1]
        for entry in done.get("added", ()):
            keys.pop(entry[0], None)
        for entry in done.get("removed", ()):
            keys[entry[0]] = entry[1]
    return keys if expected == version else None


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One change in words' reach: who, when, how many, the first titles."""

    change_id: int
    version: int
    kind: str
    by: Person | None
    at: datetime
    added_count: int
    removed_count: int
    moved_count: int
    titles: tuple[str, ...]
    """Up to three of the tracks it is about, those that the viewer may see."""
    fields: dict[str, tuple[Any, Any]]
    """Field -> (old, new)."""
    undoes: int | None
    restores: int | None
    is_undone: bool

    @property
    def can_undo(self) -> bool:
        return not self.is_undone and self.kind != "created"


def history(
    playlist_id: int, viewer_id: int | None, *, before_version: int | None = None, limit: int = 50
) -> list[HistoryRow]:
    """Changes, newest first; `before_version` is the version of the last row of the page before."""
    found = (
        select(PlaylistChange)
        .options(defer(PlaylistChange.changed))
        .where(PlaylistChange.playlist_id == playlist_id)
        .order_by(PlaylistChange.version.desc())
        .limit(limit)
    )
    if before_version is not None:
        found = found.where(PlaylistChange.version < before_version)
    changes = db.session.scalars(found).all()
    track_of = _tracks_of({id_ for row in changes for id_ in row.summary.get("entry_ids", ())})
    seen = visible_rows(set(track_of.values()), viewer_id)
    people = people_by_id(row.user_id for row in changes)
    return [
        HistoryRow(
            change_id=row.id,
            version=row.version,
            kind=row.kind,
            by=people.get(row.user_id) if row.user_id else None,
            at=row.created_at,
            added_count=row.summary.get("added_count", 0),
            removed_count=row.summary.get("removed_count", 0),
            moved_count=row.summary.get("moved_count", 0),
            titles=tuple(
                seen[track_of[id_]].title for id_ in row.summary.get("entry_ids", ()) if track_of.get(id_) in seen
            ),
            fields={name: (old, new) for name, (old, new) in row.summary.get("fields", {}).items()},
            undoes=row.summary.get("undoes"),
            restores=row.summary.get("restores"),
            is_undone=row.undone_version is not None,
        )
        for row in changes
    ]


def _tracks_of(entry_ids: set[int]) -> dict[int, int]:
    if not entry_ids:
        return {}
    found = select(PlaylistEntry.id, PlaylistEntry.track_id).where(PlaylistEntry.id.in_(entry_ids))
    return {row[0]: row[1] for row in db.session.execute(found)}
