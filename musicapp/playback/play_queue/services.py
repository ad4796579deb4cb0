"""Writes of the play queue: one verb per use case, each a version more, each heard by the person's other devices."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum

from sqlalchemy import delete, select
from sqlalchemy.orm import defer

from musicapp.core.db import db, insert_into, utc_now
from musicapp.core.effects import after_commit
from musicapp.live.services import note
from musicapp.playback.models import PlayQueue
from musicapp.playback.play_queue import positions, queries
from musicapp.playback.play_queue.entries import (
    Entry,
    added_last,
    added_next,
    hash_of,
    index_of,
    moved_after,
    new_entries,
    shuffled,
    unshuffled,
    without,
)
from musicapp.playback.play_queue.positions import Position

DEVICES_FIRST_ENTRY_ID = 2**30
"""Devices choose the ids of what they add from here up, so that they can go on before the server has answered."""
DEVICES_LAST_ENTRY_ID = 2**31 - 1


class QueueFullError(ValueError):
    """More tracks than a play queue may hold; nothing was changed."""

    def __init__(self, most: int, wanted: int) -> None:
        super().__init__(f"The play queue holds {most} tracks, and these would be {wanted}.")
        self.most, self.wanted = most, wanted


@dataclass(frozen=True, slots=True)
class Added:
    """What became of tracks that were to be played or added."""

    entry_ids: Sequence[int] = ()
    hidden: int = 0
    """Left out, because this user may not see them."""
    too_many: int = 0
    """Left out, because a play queue is only so long."""


class Reported(Enum):
    KEPT = "kept"
    ELSEWHERE = "elsewhere"
    """Another device plays now: this one should fall silent."""
    TO_STORE = "to store"
    """Something changed that belongs into the database: call report_position."""


def replace(
    user_id: int,
    track_ids: Sequence[int],
    *,
    start: int = 0,
    source: str = "",
    play: bool = True,
    device_id: str = "",
    device: str = "",
    first_entry_id: int | None = None,
    seed: int | None = None,
) -> Added:
    """Puts these tracks in place of the queue, to be played from index `start` on; shuffled if the queue is.

    What the user may not see is left out, and so is what goes past the limit. `device_id` says which browser
    plays them; without one the one does that plays already. Repeating the call with the same `first_entry_id`
    changes nothing.
    """
    most = queries.most_tracks()
    begin = max(0, min(start, len(track_ids) - most))
    wanted = list(track_ids[begin : begin + most])
    visible = queries.visible_ids(wanted, user_id)
    # The track asked for, or what follows it where that one is hidden.
    index = len(queries.visible_ids(wanted[: start - begin], user_id)) if len(visible) < len(wanted) else start - begin
    queue = _open(user_id)
    if first_entry_id is not None and index_of(queue.entries, first_entry_id) is not None:
        return Added(range(first_entry_id, first_entry_id + len(visible)))
    first = _allocate(queue, [], first_entry_id, len(visible))
    entries = new_entries(visible, first)
    current = entries[max(0, min(index, len(entries) - 1))] if entries else None
    if queue.is_shuffled and current is not None:
        entries = shuffled(entries, entries.index(current), _seed(seed))
    queue.source = source
    _go_to(queue, current[0] if current else None)
    if play and device_id:
        queue.device_id, queue.device = device_id, device
    queue.is_playing = current is not None and play and (bool(device_id) or queue.is_playing)
    _close(queue, entries)
    return Added(range(first, first + len(visible)), len(wanted) - len(visible), too_many=len(track_ids) - len(wanted))


def add_tracks(
    user_id: int,
    track_ids: Sequence[int],
    *,
    place: str = "last",
    source: str = "",
    first_entry_id: int | None = None,
) -> Added:
    """Adds tracks behind the current one (`place="next"`) or at the end. Raises QueueFullError.

    `source` is taken only where the queue was empty: it belongs to what was played. Repeatable like `replace`.
    """
    visible = queries.visible_ids(track_ids, user_id)
    hidden = len(track_ids) - len(visible)
    if not visible:
        return Added(hidden=hidden)
    queue = _open(user_id)
    entries = queue.entries
    if first_entry_id is not None and index_of(entries, first_entry_id) is not None:
        return Added(range(first_entry_id, first_entry_id + len(visible)), hidden)
    most = queries.most_tracks()
    if len(entries) + len(visible) > most:
        raise QueueFullError(most, len(entries) + len(visible))
    first = _allocate(queue, entries, first_entry_id, len(visible))
    if place == "next":
        added = added_next(entries, visible, first, index_of(entries, queue.current_entry_id))
    else:
        added = added_last(entries, visible, first)
    if not entries:
        queue.source = source
        _go_to(queue, first)
    _close(queue, added)
    return Added(range(first, first + len(visible)), hidden)


def remove_entries(user_id: int, entry_ids: Collection[int]) -> None:
    """Takes entries out; the next one that stays becomes current where the current one goes."""
    queue = _open(user_id)
    gone = set(entry_ids)
    entries = without(queue.entries, gone, is_shuffled=queue.is_shuffled)
    if len(entries) == len(queue.entries):
        return
    if queue.current_entry_id in gone:
        at = index_of(queue.entries, queue.current_entry_id) or 0
        left = [entry[0] for entry in queue.entries[at:] if entry[0] not in gone] or [e[0] for e in entries[-1:]]
        _go_to(queue, left[0] if left else None)
    _close(queue, entries)


def move_entry(user_id: int, entry_id: int, after_entry_id: int | None) -> None:
    """Puts an entry behind another, or first (None). Nothing happens when one of them is gone."""
    queue = _open(user_id)
    entries = moved_after(queue.entries, entry_id, after_entry_id, is_shuffled=queue.is_shuffled)
    if entries != queue.entries:
        _close(queue, entries)


def jump(user_id: int, entry_id: int, *, play: bool = False, device_id: str = "", device: str = "") -> bool:
    """Makes an entry the current one, from its beginning; False when it is gone.

    With `play` it is to be heard: on `device_id`, or where music plays already.
    """
    queue = _open(user_id)
    if index_of(queue.entries, entry_id) is None:
        return False
    _go_to(queue, entry_id)
    if play:
        queue.is_playing = True
        if device_id:
            queue.device_id, queue.device = device_id, device
    _close(queue)
    return True


def clear(user_id: int) -> None:
    queue = _open(user_id)
    _go_to(queue, None)
    queue.source = ""
    _close(queue, [])


def shuffle(user_id: int, on: bool, seed: int | None = None) -> None:
    """Mixes what comes after the current track, all of it once; off puts the order back, with what was added since."""
    queue = _open(user_id)
    if queue.is_shuffled == on:
        return
    queue.is_shuffled = on
    if on:
        entries = shuffled(queue.entries, index_of(queue.entries, queue.current_entry_id), _seed(seed))
    else:
        entries = unshuffled(queue.entries)
    _close(queue, entries)


def set_repeat(user_id: int, repeat: str) -> None:
    """`off`, `all` or `one`. Raises ValueError for anything else."""
    if repeat not in queries.REPEATS:
        raise ValueError(f"repeat is one of {', '.join(queries.REPEATS)}")
    queue = _open(user_id, with_entries=False)
    if queue.repeat != repeat:
        queue.repeat = repeat
        _close(queue)


def play_here(
    user_id: int,
    device_id: str,
    device: str,
    *,
    entry_id: int | None = None,
    position_ms: int | None = None,
) -> None:
    """Makes a browser the one that plays: where the other one was, or at a place that it names itself."""
    newest = positions.kept(user_id)  # before the lock: nobody waits for Redis while it is held
    queue = _open(user_id, with_entries=False)
    if queue.current_entry_id is None:
        return
    found = queries.state(user_id, kept=lambda _: newest)
    same = entry_id is None or entry_id == queue.current_entry_id
    if entry_id is not None and not same and index_of(queue.entries, entry_id) is not None:
        queue.current_entry_id, same = entry_id, True
    queue.position_ms = position_ms if position_ms is not None and same else found.position_ms
    queue.reported_at = utc_now()
    queue.is_playing = True
    queue.device_id, queue.device = device_id, device
    _close(queue)


def keep_position(
    user_id: int, device_id: str, entry_id: int, position_ms: int, is_playing: bool, *, is_seek: bool = False
) -> Reported:
    """Takes a player's report without writing to the database, if that is enough."""
    found = queries.state(user_id)
    if found.device_id != device_id:
        return Reported.ELSEWHERE
    if is_seek or not is_playing or not found.is_playing or found.current_entry_id != entry_id:
        return Reported.TO_STORE
    is_kept = positions.keep(user_id, Position(entry_id, position_ms, utc_now()))
    return Reported.KEPT if is_kept else Reported.TO_STORE


def report_position(user_id: int, device_id: str, entry_id: int, position_ms: int, is_playing: bool) -> Reported:
    """Stores where the player is: at a pause, a seek, a change of track, a leave, and whenever Redis is away."""
    queue = _open(user_id, with_entries=False)
    if queue.device_id != device_id:
        return Reported.ELSEWHERE
    if entry_id != queue.current_entry_id:
        if index_of(queue.entries, entry_id) is None:
            return Reported.KEPT  # of a track that somebody has just removed
        queue.current_entry_id = entry_id
    queue.position_ms = position_ms
    queue.reported_at = utc_now()
    queue.is_playing = is_playing
    _close(queue)
    return Reported.KEPT


def forget(user_id: int) -> None:
    """Deletes the queue of somebody who left."""
    db.session.execute(delete(PlayQueue).where(PlayQueue.user_id == user_id))
    after_commit(lambda: positions.forget(user_id))


def _open(user_id: int, *, with_entries: bool = True) -> PlayQueue:
    """The row, locked: two devices at once take turns."""
    found = (
        select(PlayQueue)
        .where(PlayQueue.user_id == user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if not with_entries:
        found = found.options(defer(PlayQueue.entries))
    queue = db.session.scalar(found)
    if queue is None:
        new = {"user_id": user_id, "entries": []}
        db.session.execute(insert_into(PlayQueue).values(new).on_conflict_do_nothing(index_elements=["user_id"]))
        queue = db.session.scalars(found).one()
    return queue


def _close(queue: PlayQueue, entries: list[Entry] | None = None) -> None:
    if entries is not None:
        queue.entries = entries
        queue.entries_hash = hash_of(entries)
    queue.version += 1
    db.session.flush()
    note(f"queue-{queue.user_id}", "play_queue", queue.user_id)


def _go_to(queue: PlayQueue, entry_id: int | None) -> None:
    queue.current_entry_id = entry_id
    queue.position_ms = 0
    queue.reported_at = utc_now()
    if entry_id is None:
        queue.is_playing = False


def _allocate(queue: PlayQueue, entries: Sequence[Entry], first_entry_id: int | None, count: int) -> int:
    """The first of `count` ids that none of `entries` has: the wanted ones if they are free."""
    if first_entry_id is not None:
        wanted = range(first_entry_id, first_entry_id + count)
        if not any(entry[0] in wanted for entry in entries):
            return first_entry_id
    first = queue.next_entry_id
    queue.next_entry_id += count
    return first


def _seed(seed: int | None) -> int:
    return secrets.randbits(32) if seed is None else seed
