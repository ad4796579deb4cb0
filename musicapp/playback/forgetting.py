"""Plays that a listener takes out of their history. They stay counted; a day later nobody knows whose they were."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update

from musicapp.core.db import db, utc_now
from musicapp.playback.hearing import GAP
from musicapp.playback.models import ListeningEvent, Play

UNDO_TIME = timedelta(days=1)
"""How long a deletion can be undone."""
GOING_ON = timedelta(hours=1)
"""A track that was reported on so lately may still be heard: its next report would begin a hearing of its own."""
FORGOTTEN = "forgotten"
"""The listener of a play that is nobody's."""


def delete_plays(user_id: int, play_ids: Collection[int]) -> tuple[datetime, int]:
    """Takes plays out of a user's history; returns the instant that `restore_plays` asks for, and how many they were.

    Others' plays and those deleted before are left alone. The figures of the tracks stay.
    """
    return _delete(Play.user_id == user_id, Play.id.in_(play_ids))


def delete_plays_between(user_id: int, since: datetime | None, until: datetime | None) -> tuple[datetime, int]:
    """Takes out what began from `since` to just before `until`; None is without an end. Returns as `delete_plays`.

    What players reported in that time and did not become a play is deleted for good, at once.
    """
    events = [ListeningEvent.listener == f"user-{user_id}"]
    plays = [Play.user_id == user_id]
    if since is not None:
        events.append(ListeningEvent.at >= since)
        plays.append(Play.started_at >= since)
    if until is not None:
        events.append(ListeningEvent.at < until)
        plays.append(Play.started_at < until)
    lately = select(ListeningEvent.track_id).where(
        ListeningEvent.listener == f"user-{user_id}", ListeningEvent.at > utc_now() - GOING_ON
    )
    db.session.execute(
        delete(ListeningEvent)
        .where(*events, ListeningEvent.track_id.not_in(lately))
        .execution_options(synchronize_session=False)
    )
    return _delete(*plays)


def _delete(*which: ColumnElement[bool]) -> tuple[datetime, int]:
    deleted_at = utc_now()
    done = db.session.execute(
        update(Play)
        .where(*which, Play.deleted_at.is_(None))
        .values(deleted_at=deleted_at)
        .returning(Play.id)
        .execution_options(synchronize_session=False)
    )
    return deleted_at, len(done.all())


def restore_plays(user_id: int, deleted_at: datetime) -> int:
    """Puts back what one deletion took out; returns how many. Raises nothing when it is too late: 0."""
    done = db.session.execute(
        update(Play)
        .where(Play.user_id == user_id, Play.deleted_at == deleted_at)
        .values(deleted_at=None)
        .returning(Play.id)
        .execution_options(synchronize_session=False)
    )
    return len(done.all())


def forget_deleted_plays(limit: int = 200) -> int:
    """Cuts the tie between plays deleted a day ago and their listener, the reports behind them included.

    Returns how many were found, at most `limit`.
    """
    found = db.session.scalars(
        select(Play).where(Play.deleted_at < utc_now() - UNDO_TIME).order_by(Play.deleted_at).limit(limit)
    ).all()
    for play in found:
        same = (Play.listener == play.listener, Play.track_id == play.track_id)
        later = select(func.min(Play.started_at)).where(*same, Play.started_at > play.started_at, Play.id != play.id)
        until = min(db.session.scalar(later) or play.started_at + GAP, play.started_at + GAP)
        db.session.execute(
            delete(ListeningEvent).where(
                ListeningEvent.listener == play.listener,
                ListeningEvent.track_id == play.track_id,
                ListeningEvent.at >= play.started_at,
                ListeningEvent.at < until,
            )
        )
        play.user_id, play.listener, play.deleted_at = None, FORGOTTEN, None
        play.source = play.device = ""
    db.session.flush()
    return len(found)
