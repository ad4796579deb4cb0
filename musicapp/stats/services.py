"""Tallies per day, made from plays. A day is counted as a whole, so counting it again is always right."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import delete, distinct, func, insert, literal, select
from sqlalchemy.types import Date

from musicapp.catalog.models import Artist, Track
from musicapp.core.db import db
from musicapp.playback.models import Play
from musicapp.stats.credits import tracks_of_artists
from musicapp.stats.models import ArtistDay, TrackDay


def tally_day(day: date) -> int:
    """Counts one day (UTC) anew; returns its plays. Two inserts, whatever was heard.

    A play that its listener took out of a history stays counted, as everywhere.
    """
    since = datetime.combine(day, time(), UTC)
    that_day = (Play.started_at >= since, Play.started_at < since + timedelta(days=1))
    db.session.execute(delete(TrackDay).where(TrackDay.day == day))
    db.session.execute(delete(ArtistDay).where(ArtistDay.day == day))
    db.session.execute(
        insert(TrackDay).from_select(
            ["track_id", "day", "plays"],
            # Plays outlive their track; tallies don't.
            select(Track.id, literal(day, Date), func.count())
            .join(Play, Play.track_id == Track.id)
            .where(*that_day)
            .group_by(Track.id),
        )
    )
    pairs = tracks_of_artists().subquery()
    db.session.execute(
        insert(ArtistDay).from_select(
            ["artist_id", "day", "plays", "listeners"],
            select(Artist.id, literal(day, Date), func.count(), func.count(distinct(Play.listener)))
            .join(pairs, pairs.c.artist_id == Artist.id)
            .join(Play, Play.track_id == pairs.c.track_id)
            .where(*that_day)
            .group_by(Artist.id),
        )
    )
    return db.session.scalar(select(func.coalesce(func.sum(TrackDay.plays), 0)).where(TrackDay.day == day)) or 0
