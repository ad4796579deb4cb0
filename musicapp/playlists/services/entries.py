"""What stands in a playlist: added, removed, moved, sorted. Each is one change."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from musicapp.catalog.models import Album, Track
from musicapp.catalog.queries.rights import sees
from musicapp.core.db import LARGEST_ID, db
from musicapp.playlists.models import PlaylistChange, PlaylistEntry
from musicapp.playlists.order import arranged
from musicapp.playlists.queries.batches import in_batches
from musicapp.playlists.queries.order import order, sorted_entry_ids
from musicapp.playlists.services.editing import (
    LIVE,
    Ops,
    check_room,
    gap,
    insert_entries,
    key_up_to,
    keys_in_gap,
    lift,
    locked,
    place,
    put_down,
    record,
    standing,
    take_out,
)


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding tracks."""

    change: PlaylistChange | None
    """None where nothing was added."""
    entry_ids: tuple[int, ...]
    skipped_track_ids: tuple[int, ...]
    """Left out because they stand in the playlist already."""
    gone_track_ids: tuple[int, ...]
    """Left out because this user can't see them, or because there are no such tracks."""


def add_tracks(
    playlist_id: int,
    user_id: int,
    track_ids: Sequence[int],
    *,
    after_entry_id: int | None = None,
    duplicates: str = "add",
) -> Added:
    """Adds tracks in their order after an entry (None: at the end, 0: at the start); `duplicates` is add or skip.

    Takes as long in a long playlist as in an empty one. Raises PlaylistFullError, and then nothing is added.
    """
    playlist = locked(playlist_id, user_id)
    visible = visible_ids(track_ids, user_id)
    wanted = [id_ for id_ in track_ids if id_ in visible]
    gone = tuple(dict.fromkeys(id_ for id_ in track_ids if id_ not in visible))
    skipped: tuple[int, ...] = ()
    if duplicates == "skip":
        there = _tracks_standing(playlist_id, wanted)
        kept = [id_ for id_ in dict.fromkeys(wanted) if id_ not in there]
        skipped = tuple(dict.fromkeys(id_ for id_ in wanted if id_ in there))
        wanted = kept
    if not wanted:
        return Added(None, (), skipped, gone)
    check_room(playlist, len(wanted))
    ops = Ops()
    keys = keys_in_gap(playlist_id, *gap(playlist_id, after_entry_id), len(wanted), ops)
    ops.added += insert_entries(playlist_id, user_id, wanted, keys, playlist.version + 1)
    change = record(playlist, user_id, "added", ops)
    return Added(change, tuple(entry[0] for entry in ops.added), skipped, gone)


def visible_ids(track_ids: Collection[int], user_id: int | None) -> set[int]:
    """Those of the tracks that this user may see."""
    found: set[int] = set()
    for batch in in_batches(dict.fromkeys(id_ for id_ in track_ids if 0 < id_ <= LARGEST_ID)):
        found.update(
            db.session.scalars(
                select(Track.id)
                .join(Album, Album.id == Track.album_id)
                .where(Track.id.in_(batch), Track.deleted_at.is_(None), Album.deleted_at.is_(None), sees(user_id))
            )
        )
    return found


def _tracks_standing(playlist_id: int, track_ids: Collection[int]) -> set[int]:
    found: set[int] = set()
    for batch in in_batches(dict.fromkeys(track_ids)):
        found.update(
            db.session.scalars(
                select(PlaylistEntry.track_id).where(
                    PlaylistEntry.playlist_id == playlist_id, PlaylistEntry.track_id.in_(batch), *LIVE
                )
            )
        )
    return found


def remove_entries(playlist_id: int, user_id: int, entry_ids: Collection[int]) -> PlaylistChange | None:
    """Takes entries out; those that somebody else took out meanwhile are no error. None where none was left."""
    playlist = locked(playlist_id, user_id)
    rows = standing(playlist_id, entry_ids)
    if not rows:
        return None
    version = playlist.version + 1
    take_out([(row.id, version) for row in rows])
    ops = Ops(removed=[(row.id, row.order_key, row.track_id, version) for row in rows])
    return record(playlist, user_id, "removed", ops)


def move_entries(
    playlist_id: int, user_id: int, entry_ids: Collection[int], *, after_entry_id: int | None
) -> PlaylistChange | None:
    """Moves entries, in the order they have, to behind another one (0: to the start, None: to the end).

    Those that somebody removed meanwhile are left out; an entry to move behind that was removed, or that moves too,
    still says where it was. None where everything stood there already.
    """
    playlist = locked(playlist_id, user_id)
    rows = standing(playlist_id, entry_ids)
    if not rows:
        return None
    version = playlist.version + 1
    lift(row.id for row in rows)
    lower, upper = gap(playlist_id, after_entry_id)
    before = key_up_to(playlist_id, lower) if lower else None
    if (before is None or rows[0].order_key >= before) and (upper is None or rows[-1].order_key < upper):
        put_down(row.id for row in rows)
        return None
    ops = Ops()
    keys = keys_in_gap(playlist_id, lower, upper, len(rows), ops)
    place([(row.id, key, version) for row, key in zip(rows, keys, strict=True)])
    ops.moved = [(row.id, row.order_key, key, row.placed_version, version) for row, key in zip(rows, keys, strict=True)]
    return record(playlist, user_id, "moved", ops)


def sort_entries(playlist_id: int, user_id: int, column: str, descending: bool = False) -> PlaylistChange | None:
    """Keeps the order of a column (see queries.SORT_COLUMNS) as the playlist's own. None where it has it already."""
    playlist = locked(playlist_id, user_id)
    ops = bring_into_order(playlist_id, sorted_entry_ids(playlist_id, column, descending), playlist.version + 1)
    return record(playlist, user_id, "sorted", ops) if ops else None


def bring_into_order(playlist_id: int, wanted: Sequence[int], version: int) -> Ops:
    """Moves as few of the standing entries as bring them into this order; `wanted` names each of them once."""
    keys = dict(order(playlist_id))
    changed = arranged(wanted, keys)
    rows = standing(playlist_id, changed)
    lift(changed)
    place([(id_, key, version) for id_, key in changed.items()])
    return Ops(moved=[(row.id, row.order_key, changed[row.id], row.placed_version, version) for row in rows])
