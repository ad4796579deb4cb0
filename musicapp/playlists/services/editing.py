"""What every change of a playlist is made of: the lock, the row that tells of it, the entries it touches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Integer, Row, func, insert, literal, select, update
from sqlalchemy.sql import FromClause

from musicapp.catalog.models import Track
from musicapp.core.db import UtcDateTime, db, utc_now
from musicapp.core.events import publish
from musicapp.core.settings import setting
from musicapp.playlists.errors import PlaylistForbiddenError, PlaylistFullError, PlaylistNotFoundError
from musicapp.playlists.events import PlaylistChanged
from musicapp.playlists.models import Playlist, PlaylistChange, PlaylistEntry, PlaylistMember
from musicapp.playlists.order import SHORT_KEY, is_too_long, keys_between
from musicapp.playlists.queries.batches import in_batches, rows_table

EDITORS = ("owner", "editor")
OWNER = ("owner",)
EVERYBODY = ("owner", "editor", "viewer")

SHOWN_ENTRIES = 3
"""Titles that a history shows of one change."""

_FORBIDDEN = {
    EDITORS: "Only the owner and editors can change this playlist. Ask its owner to make you an editor.",
    OWNER: "Only the owner of this playlist can do that.",
    EVERYBODY: "Only people who have joined this playlist can do that.",
}


@dataclass(slots=True)
class Ops:
    """What one change does, as PlaylistChange.changed keeps it."""

    added: list[tuple[Any, ...]] = field(default_factory=list)
    """Entry id, key, track id; of entries that are back also what they were while they were out: the version that had
    removed them, their key, the version that had placed them."""
    removed: list[tuple[int, str, int, int]] = field(default_factory=list)
    """Entry id, key, track id, the version written as that which removed it."""
    moved: list[tuple[int, str, str, int, int]] = field(default_factory=list)
    """Entry id, old key, new key, the version that had placed it, the one written as that which placed it."""
    rekeyed: list[tuple[int, str, str]] = field(default_factory=list)
    """Entry id, old key, new key: the same place, told otherwise."""
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    undoes: int | None = None
    restores: int | None = None

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.moved or self.fields)

    def as_json(self) -> dict[str, Any]:
        """Only what there is: most changes say one thing."""
        said = {
            "added": self.added,
            "removed": self.removed,
            "moved": self.moved,
            "rekeyed": self.rekeyed,
            "fields": self.fields,
            "undoes": self.undoes,
            "restores": self.restores,
        }
        return {name: value for name, value in said.items() if value}

    def summary(self) -> dict[str, Any]:
        """The same for people: how many, and which come first."""
        named = [entry[0] for entries in (self.added, self.removed, self.moved) for entry in entries[:SHOWN_ENTRIES]]
        said = {
            "added_count": len(self.added),
            "removed_count": len(self.removed),
            "moved_count": len(self.moved),
            "entry_ids": named[:SHOWN_ENTRIES],
            "fields": self.fields,
            "undoes": self.undoes,
            "restores": self.restores,
        }
        return {name: value for name, value in said.items() if value}


def locked(playlist_id: int, user_id: int, roles: tuple[str, ...] = EDITORS, *, even_deleted: bool = False) -> Playlist:
    """The playlist, locked until the transaction ends, for a user who has one of these roles.

    Whoever changes something comes through here first: so changes have an order, and it is that of their versions.
    Raises PlaylistNotFoundError for whom it doesn't exist, PlaylistForbiddenError for those who may only look.
    """
    playlist = locked_by_anybody(playlist_id, even_deleted=even_deleted)
    # Asked after the lock: who was removed a moment ago must not slip in.
    role = db.session.scalar(
        select(PlaylistMember.role).where(PlaylistMember.playlist_id == playlist_id, PlaylistMember.user_id == user_id)
    )
    if role in roles:
        return playlist
    # An unlisted playlist is not there for who has no link; who has one was let in by the door, which knows it.
    if role is None and (playlist.visibility != "public" or playlist.deleted_at is not None):
        raise PlaylistNotFoundError
    raise PlaylistForbiddenError(_FORBIDDEN[roles])


def locked_by_anybody(playlist_id: int, *, even_deleted: bool = False) -> Playlist:
    """The playlist, locked, whoever asks: the caller decides. Raises PlaylistNotFoundError."""
    playlist = db.session.scalar(
        select(Playlist).where(Playlist.id == playlist_id).with_for_update().execution_options(populate_existing=True)
    )
    if playlist is None or (playlist.deleted_at is not None and not even_deleted):
        raise PlaylistNotFoundError
    return playlist


def record(playlist: Playlist, user_id: int | None, kind: str, ops: Ops) -> PlaylistChange:
    """Counts the change, writes its row and publishes PlaylistChanged. The playlist is locked."""
    playlist.version += 1
    playlist.updated_at = utc_now()
    if ops.added or ops.removed:
        playlist.track_count += len(ops.added) - len(ops.removed)
        duration_ms = _durations_ms({entry[2] for entry in (*ops.added, *ops.removed)})
        delta = sum(duration_ms.get(entry[2], 0) for entry in ops.added)
        delta -= sum(duration_ms.get(entry[2], 0) for entry in ops.removed)
        # A track may have become shorter since it was added; tasks.purge counts anew where that left a difference.
        playlist.duration_ms = max(0, playlist.duration_ms + delta)
    change = PlaylistChange(
        playlist_id=playlist.id,
        version=playlist.version,
        user_id=user_id,
        kind=kind,
        changed=ops.as_json(),
        summary=ops.summary(),
    )
    db.session.add(change)
    db.session.flush()
    publish(PlaylistChanged(playlist.id, change.id))
    return change


def _durations_ms(track_ids: Collection[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for batch in in_batches(track_ids):
        rows = db.session.execute(select(Track.id, Track.duration_ms).where(Track.id.in_(batch)))
        found.update({row.id: row.duration_ms or 0 for row in rows})
    return found


def check_room(playlist: Playlist, more: int) -> None:
    """Raises PlaylistFullError where so many more entries are too many."""
    most = setting("PLAYLIST_MAX_TRACKS")
    if playlist.track_count + more > most:
        room = max(0, most - playlist.track_count)
        raise PlaylistFullError(
            f"A playlist holds at most {most:,} tracks, and {playlist.name} has room for {room:,} more. "
            f"Add fewer, remove some, or begin another playlist."
        )


LIVE: tuple[ColumnElement[bool], ...] = (PlaylistEntry.removed_at.is_(None),)


def edge_key(playlist_id: int, *, first: bool = False) -> str | None:
    """The key of the last (or first) entry; None in an empty playlist."""
    order = PlaylistEntry.order_key.asc() if first else PlaylistEntry.order_key.desc()
    found = select(PlaylistEntry.order_key).where(PlaylistEntry.playlist_id == playlist_id, *LIVE)
    return db.session.scalar(found.order_by(order).limit(1))


def key_after(playlist_id: int, key: str) -> str | None:
    """The key of the entry that follows a place; None at the end."""
    found = select(PlaylistEntry.order_key).where(
        PlaylistEntry.playlist_id == playlist_id, PlaylistEntry.order_key > key, *LIVE
    )
    return db.session.scalar(found.order_by(PlaylistEntry.order_key).limit(1))


def key_up_to(playlist_id: int, key: str) -> str | None:
    """The key of the entry at a place, or before it; None at the start."""
    found = select(PlaylistEntry.order_key).where(
        PlaylistEntry.playlist_id == playlist_id, PlaylistEntry.order_key <= key, *LIVE
    )
    return db.session.scalar(found.order_by(PlaylistEntry.order_key.desc()).limit(1))


def gap(playlist_id: int, after_entry_id: int | None) -> tuple[str | None, str | None]:
    """The keys between which something stands after an entry (None: at the end, 0: at the start).

    An entry that was removed meanwhile still says where it was. Raises PlaylistNotFoundError for an entry of
    another playlist, or one removed so long ago that nobody knows.
    """
    if after_entry_id is None:
        return edge_key(playlist_id), None
    if after_entry_id == 0:
        return None, edge_key(playlist_id, first=True)
    lower = db.session.scalar(
        select(PlaylistEntry.order_key).where(
            PlaylistEntry.playlist_id == playlist_id, PlaylistEntry.id == after_entry_id
        )
    )
    if lower is None:
        raise PlaylistNotFoundError("That place isn't in the playlist any more. Load the page again.")
    return lower, key_after(playlist_id, lower)


def keys_in_gap(playlist_id: int, lower: str | None, upper: str | None, count: int, ops: Ops) -> list[str]:
    """New keys for `count` entries in a gap. Where they would be too long, the entries around get shorter ones."""
    keys = keys_between(lower, upper, count)
    if not is_too_long(keys):
        return keys
    return keys_between(*_widened(playlist_id, lower, upper, ops), count)


def _widened(playlist_id: int, lower: str | None, upper: str | None, ops: Ops) -> tuple[str | None, str | None]:
    """Gives every entry around a gap a short key, removed ones too, and returns the gap's new bounds."""
    of_playlist = PlaylistEntry.playlist_id == playlist_id
    short = (of_playlist, func.length(PlaylistEntry.order_key) <= SHORT_KEY, *LIVE)
    low = high = None
    if lower is not None:
        found = select(func.max(PlaylistEntry.order_key)).where(*short, PlaylistEntry.order_key <= lower)
        low = db.session.scalar(found)
    if upper is not None:
        found = select(func.min(PlaylistEntry.order_key)).where(*short, PlaylistEntry.order_key >= upper)
        high = db.session.scalar(found)
    stretch = select(PlaylistEntry.id, PlaylistEntry.order_key, PlaylistEntry.removed_at).where(of_playlist)
    if low is not None:
        stretch = stretch.where(PlaylistEntry.order_key > low)
    if high is not None:
        stretch = stretch.where(PlaylistEntry.order_key < high)
    rows = db.session.execute(stretch.order_by(PlaylistEntry.order_key)).all()
    old = sorted({row.order_key for row in rows} | {key for key in (lower, upper) if key not in (None, low, high)})
    new = dict(zip(old, keys_between(low, high, len(old)), strict=True))
    there = [row for row in rows if row.removed_at is None]
    lift(row.id for row in there)
    write_keys({row.id: new[row.order_key] for row in rows})
    put_down(row.id for row in there)
    ops.rekeyed += [(row.id, row.order_key, new[row.order_key]) for row in there]
    return new.get(lower, lower) if lower else None, new.get(upper, upper) if upper else None


def lift(entry_ids: Iterable[int]) -> None:
    """Takes entries out of the order for a moment, so that no two of them meet on the way to their new keys."""
    _write([(id_, "", 0) for id_ in entry_ids], lambda given: {"removed_at": utc_now()})


def put_aside(entries: Sequence[tuple[int, str, int]]) -> None:
    """Gives removed entries (id, key, version that placed them) the place that they come back to."""
    _write(entries, lambda given: {"order_key": given.c.key, "placed_version": given.c.version})


def put_down(entry_ids: Iterable[int]) -> None:
    """Undoes lift."""
    _write([(id_, "", 0) for id_ in entry_ids], lambda given: {"removed_at": None})


def write_keys(keys: Mapping[int, str]) -> None:
    """Gives entries other keys at the places they have."""
    _write([(id_, key, 0) for id_, key in keys.items()], lambda given: {"order_key": given.c.key})


def place(entries: Sequence[tuple[int, str, int]]) -> None:
    """Puts lifted or removed entries (id, key, version that placed them) into the playlist."""
    _write(
        entries,
        lambda given: {
            "order_key": given.c.key,
            "placed_version": given.c.version,
            "removed_at": None,
            "removed_version": None,
        },
    )


def take_out(entries: Iterable[tuple[int, int]]) -> None:
    """Marks entries (id, version that removes them) as removed; they keep their keys."""
    _write(
        [(id_, "", version) for id_, version in entries],
        lambda given: {"removed_at": utc_now(), "removed_version": given.c.version},
    )


def _write(entries: Sequence[tuple[int, str, int]], values: Callable[[FromClause], dict[str, Any]]) -> None:
    if entries:
        given = rows_table(entries)
        db.session.execute(
            update(PlaylistEntry).where(PlaylistEntry.id == given.c.id).values(values(given)),
            execution_options={"synchronize_session": False},
        )


def standing(playlist_id: int, entry_ids: Iterable[int]) -> Sequence[Row[Any]]:
    """Those of the entries that stand in the playlist, in order: id, order_key, track_id, placed_version."""
    rows: list[Row[Any]] = []
    for batch in in_batches(set(entry_ids)):
        rows += db.session.execute(
            select(
                PlaylistEntry.id, PlaylistEntry.order_key, PlaylistEntry.track_id, PlaylistEntry.placed_version
            ).where(PlaylistEntry.playlist_id == playlist_id, PlaylistEntry.id.in_(batch), *LIVE)
        )
    return sorted(rows, key=lambda row: row.order_key)


def insert_entries(
    playlist_id: int, user_id: int | None, track_ids: Sequence[int], keys: Sequence[str], version: int
) -> list[tuple[int, str, int]]:
    """New entries in two statements, however many there are; returns (entry id, key, track id) in order."""
    given = rows_table([(track_id, key, version) for track_id, key in zip(track_ids, keys, strict=True)])
    columns = {
        "playlist_id": literal(playlist_id),
        "track_id": given.c.id,
        "order_key": given.c.key,
        "added_by_id": literal(user_id, Integer),
        "added_at": literal(utc_now(), UtcDateTime),
        "placed_version": given.c.version,
    }
    db.session.execute(insert(PlaylistEntry).from_select(list(columns), select(*columns.values())))
    ids = db.session.scalars(
        select(PlaylistEntry.id)
        .where(
            PlaylistEntry.playlist_id == playlist_id,
            PlaylistEntry.order_key >= keys[0],
            PlaylistEntry.order_key <= keys[-1],
            PlaylistEntry.placed_version == version,
            *LIVE,
        )
        .order_by(PlaylistEntry.order_key)
    ).all()
    return list(zip(ids, keys, track_ids, strict=True))
