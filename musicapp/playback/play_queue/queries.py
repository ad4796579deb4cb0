"""Reads of the play queue: its state without the order, the order, rows of tracks for people and players."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from musicapp.catalog.models import Album, Track
from musicapp.catalog.queries import TrackRow, visible_rows
from musicapp.catalog.queries.rights import sees
from musicapp.core.db import db, is_sqlite, utc_now
from musicapp.core.settings import setting
from musicapp.playback.models import PlayQueue
from musicapp.playback.play_queue import positions
from musicapp.playback.play_queue.entries import Entry, index_of

SILENT_AFTER = timedelta(seconds=20)
"""Four reports long: a player that says nothing for so long doesn't play any more, whatever it said last."""
REPEATS = ("off", "all", "one")


Kept = Callable[[int], positions.Position | None]


@dataclass(frozen=True, slots=True)
class QueueState:
    """All of a play queue but its order."""

    version: int = 0
    entries_hash: int = 0
    current_entry_id: int | None = None
    position_ms: int = 0
    """Now: what has played since the last report is in it."""
    is_playing: bool = False
    is_shuffled: bool = False
    repeat: str = "off"
    source: str = ""
    device_id: str = ""
    device: str = ""


_STATE = (
    *(PlayQueue.version, PlayQueue.entries_hash, PlayQueue.current_entry_id, PlayQueue.position_ms),
    *(PlayQueue.is_playing, PlayQueue.is_shuffled, PlayQueue.repeat, PlayQueue.source, PlayQueue.device_id),
    *(PlayQueue.device, PlayQueue.reported_at),
)


def state(user_id: int, *, kept: Kept | None = None) -> QueueState:
    """In one statement; the state of an empty queue for whoever never had one.

    `kept` answers for positions.kept, where Redis was asked already.
    """
    row = db.session.execute(select(*_STATE).where(PlayQueue.user_id == user_id)).one_or_none()
    return _state_of(user_id, row, kept) if row else QueueState()


def _state_of(user_id: int, row: Any, kept: Kept | None = None) -> QueueState:
    position_ms, is_playing = _where_it_is(user_id, row, utc_now(), kept or positions.kept)
    return QueueState(
        version=row.version,
        entries_hash=row.entries_hash,
        current_entry_id=row.current_entry_id,
        position_ms=position_ms,
        is_playing=is_playing,
        is_shuffled=row.is_shuffled,
        repeat=row.repeat,
        source=row.source,
        device_id=row.device_id,
        device=row.device,
    )


def _where_it_is(user_id: int, row: Any, now: datetime, kept: Kept) -> tuple[int, bool]:
    """Position in ms and whether it plays, by the newer of what the database and Redis have."""
    position_ms, reported_at = row.position_ms, row.reported_at
    if not row.is_playing:
        return position_ms, False
    newer = kept(user_id)
    if newer and newer.entry_id == row.current_entry_id and newer.reported_at > reported_at:
        position_ms, reported_at = newer.position_ms, newer.reported_at
    age = now - reported_at
    if age > SILENT_AFTER:
        # It ended without a word, somewhere in the seconds after: nothing that was not heard may be skipped.
        return position_ms, False
    return position_ms + max(0, round(age / timedelta(milliseconds=1))), True


def order(user_id: int) -> list[Entry]:
    """The entries in playing order."""
    return db.session.scalar(select(PlayQueue.entries).where(PlayQueue.user_id == user_id)) or []


def state_and_order(user_id: int) -> tuple[QueueState, list[Entry]]:
    """Both, as they stood at one instant."""
    row = db.session.execute(select(*_STATE, PlayQueue.entries).where(PlayQueue.user_id == user_id)).one_or_none()
    return (_state_of(user_id, row), row.entries) if row else (QueueState(), [])


def track_ids(user_id: int) -> list[int]:
    """The tracks in playing order, each as often as it stands there: what "save as playlist" saves."""
    return [track_id for _, track_id, _ in order(user_id)]


def visible_ids(wanted: Sequence[int], user_id: int) -> list[int]:
    """`wanted` without what this user may not see, in the same order, doubles too."""
    if not wanted:
        return []
    ids: Any = sorted(set(wanted))
    if is_sqlite():
        # One value instead of a statement with ten thousand parameters, whose text alone takes 20 ms to make.
        among: Any = Track.id.in_(select(func.json_each(func.json(str(ids))).table_valued("value").c.value))
    else:
        among = Track.id == func.any(ids)
    found = set(
        db.session.scalars(
            select(Track.id)
            .join(Album, Album.id == Track.album_id)
            .where(among, Track.deleted_at.is_(None), Album.deleted_at.is_(None), sees(user_id))
        )
    )
    return [track_id for track_id in wanted if track_id in found]


def visible_ids_of_album(album_id: int, user_id: int) -> list[int]:
    """An album's tracks in order, as far as this user may see them; those still being prepared too."""
    return list(
        db.session.scalars(
            select(Track.id)
            .join(Album, Album.id == Track.album_id)
            .where(Album.id == album_id, Track.deleted_at.is_(None), Album.deleted_at.is_(None), sees(user_id))
            .order_by(Track.disc_number, Track.position, Track.id)
        )
    )


def player_tracks(wanted: Collection[int], user_id: int) -> dict[int, dict[str, Any]]:
    """Track id -> what a player needs to know, as the rows of pages carry it in data-track."""
    return {id: player_track(row) for id, row in visible_rows(wanted, user_id).items()}


def player_track(row: TrackRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "title": row.title,
        "artists": row.artists,
        "artist_url": row.artist_url,
        "album": row.album,
        "album_url": row.album_url,
        "album_id": row.album_id,
        "cover": row.cover,
        "duration_ms": row.duration_ms,
        "gain_db": row.gain_db,
        "true_peak_dbtp": row.true_peak_dbtp,
        "playable": row.playable,
    }


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A line of the queue's page. `track` is None for one that this user may no longer see."""

    entry_id: int
    index: int
    track: TrackRow | None
    is_current: bool


@dataclass(frozen=True, slots=True)
class QueuePage:
    """A piece of the play queue with what stands around it."""

    state: QueueState
    rows: list[QueueRow]
    first: int
    """Index of the first row."""
    length: int
    current: QueueRow | None
    limit: int
    before_entry_ids: dict[int, int | None]
    """Entry id -> behind which entry it comes to stand by "Move up"."""
    after_entry_ids: dict[int, int]
    """Entry id -> behind which entry it comes to stand by "Move down"."""

    @property
    def earlier(self) -> int | None:
        """Where the page before this one begins."""
        return max(0, self.first - self.limit) if self.first > 0 else None

    @property
    def later(self) -> int | None:
        after = self.first + self.limit
        return after if after < self.length else None


def queue_page(user_id: int, first: int | None, limit: int) -> QueuePage:
    """`limit` entries from index `first` on, in 3 statements. None: from the current one, or so that they fill up."""
    found, entries = state_and_order(user_id)
    current = index_of(entries, found.current_entry_id)
    if first is None or first >= len(entries):
        first = min(current or 0, max(0, len(entries) - limit))
    shown = list(enumerate(entries[first : first + limit], first))
    wanted = {entry[1] for _, entry in shown} | ({entries[current][1]} if current is not None else set())
    tracks = visible_rows(wanted, user_id)

    def row(index: int, entry: Entry) -> QueueRow:
        return QueueRow(entry[0], index, tracks.get(entry[1]), index == current)

    ids = [entry[0] for entry in entries]
    return QueuePage(
        state=found,
        rows=[row(index, entry) for index, entry in shown],
        first=first,
        length=len(entries),
        current=row(current, entries[current]) if current is not None else None,
        limit=limit,
        before_entry_ids={ids[at]: ids[at - 2] if at > 1 else None for at, _ in shown if at > 0},
        after_entry_ids={ids[at]: ids[at + 1] for at, _ in shown if at + 1 < len(ids)},
    )


def most_tracks() -> int:
    return int(setting("PLAY_QUEUE_MAX_TRACKS"))
