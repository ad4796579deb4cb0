"""Writes of playback: listening events, and the plays that are counted from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import Insert

from musicapp.catalog.models import Track
from musicapp.core.db import db, insert_into, is_sqlite, utc_now
from musicapp.core.events import publish
from musicapp.live.services import note
from musicapp.playback import queries
from musicapp.playback.events import PlayCounted
from musicapp.playback.forgetting import FORGOTTEN
from musicapp.playback.hearing import OLDEST, Hearing, hearings, is_play, mend_clocks
from musicapp.playback.models import ListeningEvent, Play
from musicapp.playback.queries import HeardTrack

EVENTS_KEPT = OLDEST + timedelta(days=30)
"""What a player reports late is counted beside what it reported before, and no report counts as older than OLDEST."""


@dataclass(frozen=True, slots=True)
class ReceivedReport:
    """One listening event as a player sent it, checked in form."""

    event_id: str
    track_id: int
    kind: str
    position_ms: int
    at: datetime
    source: str = ""
    """The page it was started from, as in `album-3`."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who heard it: a user, or a visitor known by a random id."""

    name: str
    """`user-5` or `visitor-<random>`."""
    user_id: int | None = None

    @classmethod
    def user(cls, user_id: int) -> Listener:
        return cls(_name_of(user_id), user_id)

    @classmethod
    def visitor(cls, visitor_id: str) -> Listener:
        return cls(f"visitor-{visitor_id}")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a batch: stored now, stored before, of no track this listener may hear, and new plays."""

    accepted: int
    repeated: int
    ignored: int
    counted: int


def record_reports(listener: Listener, received: Sequence[ReceivedReport], device: str = "") -> Recorded:
    """Stores listening events and counts the hearings that have become plays. `device` is in words.

    Repeating a batch, or sending one to two processes at once, changes nothing more.
    """
    now = utc_now()
    unique = {report.event_id: report for report in reversed(received)}
    times = mend_clocks([report.at for report in unique.values()], now)
    reports = [replace(report, at=at) for report, at in zip(unique.values(), times, strict=True)]
    reports.reverse()

    _take_turn(listener)
    tracks = queries.audible_tracks({report.track_id for report in reports}, listener.user_id)
    wanted = [report for report in reports if report.track_id in tracks]
    ignored = sum(report.track_id not in tracks for report in received)
    new = _store(listener, wanted, now, device[:80])
    counted = 0
    # In the order of ids: two transactions that count the same tracks must not wait for each other.
    for track_id in sorted({report.track_id for report in new}):
        counted += _count_plays(listener, tracks[track_id], [report for report in new if report.track_id == track_id])
    return Recorded(len(new), len(received) - ignored - len(new), ignored, counted)


def _take_turn(listener: Listener) -> None:
    """One listener's batches go one after another: each must see the others' events. SQLite has one writer anyway."""
    if not is_sqlite():
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtext(f"plays {listener.name}"))))


def purge_events(limit: int = 1000) -> int:
    """Removes the oldest listening events, at most `limit`, if they are older than EVENTS_KEPT; returns how many."""
    oldest = select(ListeningEvent.id, ListeningEvent.received_at).order_by(ListeningEvent.id).limit(limit)
    before = utc_now() - EVENTS_KEPT
    ids = [row.id for row in db.session.execute(oldest) if row.received_at < before]
    if ids:
        statement = delete(ListeningEvent).where(ListeningEvent.id.in_(ids))
        db.session.execute(statement.execution_options(synchronize_session=False))
    return len(ids)


def _insert(model: type[ListeningEvent] | type[Play], unique: str) -> Insert:
    statement: Insert = insert_into(model).on_conflict_do_nothing(index_elements=[unique])
    return statement


def _store(listener: Listener, reports: Sequence[ReceivedReport], now: datetime, device: str) -> list[ReceivedReport]:
    """Stores the events and returns those that were new."""
    if not reports:
        return []
    rows = [
        {
            "event_id": report.event_id,
            "listener": listener.name,
            "track_id": report.track_id,
            "kind": report.kind,
            "position_ms": report.position_ms,
            "at": report.at,
            "received_at": now,
            "source": report.source,
            "device": device,
        }
        for report in reports
    ]
    statement = _insert(ListeningEvent, "event_id").returning(ListeningEvent.event_id)
    new = set(db.session.scalars(statement, rows))
    return [report for report in reports if report.event_id in new]


def _count_plays(listener: Listener, track: HeardTrack, new: Sequence[ReceivedReport]) -> int:
    """Counts the hearings that the new reports belong to and that are plays now; returns how many."""
    if not track.is_published:
        # Members listen to their drafts: that is work, not an audience.
        return 0
    times = [report.at for report in new]
    reports, is_cut = queries.reports_around(listener.name, track.id, min(times), max(times))
    found = hearings(reports, track.duration_ms)
    new_ids = {report.event_id for report in new}
    candidates = [
        hearing
        # What a cut hearing began with is unknown; it was weighed when its reports came.
        for hearing in found[1 if is_cut else 0 :]
        if is_play(hearing.heard_ms, track.duration_ms) and not new_ids.isdisjoint(hearing.event_ids)
    ]
    counted_ids = queries.counted_among(event_id for hearing in candidates for event_id in hearing.event_ids)
    counted = sum(
        _add_play(listener, track, hearing) for hearing in candidates if counted_ids.isdisjoint(hearing.event_ids)
    )
    if counted:
        db.session.execute(
            update(Track)
            .where(Track.id == track.id)
            .values(play_count=Track.play_count + counted)
            .execution_options(synchronize_session=False)
        )
        note(f"album-{track.album_id}", "play_count", track.id)
        publish(PlayCounted(listener.user_id, track.id, track.album_id))
    return counted


def _add_play(listener: Listener, track: HeardTrack, hearing: Hearing) -> bool:
    source, device = queries.whence(hearing.event_ids)
    added = db.session.scalar(
        _insert(Play, "hearing_id")
        .values(
            hearing_id=hearing.hearing_id,
            user_id=listener.user_id,
            listener=listener.name,
            track_id=track.id,
            album_id=track.album_id,
            started_at=hearing.started_at,
            counted_at=utc_now(),
            source=source,
            device=device,
        )
        .returning(Play.id)
    )
    return added is not None


def forget_listener(user_id: int) -> None:
    """Deletes what a user's players reported; the plays stay counted, as nobody's."""
    db.session.execute(delete(ListeningEvent).where(ListeningEvent.listener == _name_of(user_id)))
    db.session.execute(
        update(Play)
        .where(Play.user_id == user_id)
        .values(user_id=None, listener=FORGOTTEN, source="", device="", deleted_at=None)
    )


def _name_of(user_id: int) -> str:
    return f"user-{user_id}"
