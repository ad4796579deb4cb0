"""Whose a play is: every performer whom the track names, and where it names none, the album's artists."""

from __future__ import annotations

from typing import Any

from sqlalchemy import CompoundSelect, exists, select, union

from musicapp.catalog.models import AlbumCredit, Track, TrackCredit

PERFORMER = "performer"


def tracks_of_artists() -> CompoundSelect[Any]:
    """(artist_id, track_id), each pair once. Guests count as performers, writers and producers do not."""
    named = select(TrackCredit.artist_id, TrackCredit.track_id).where(TrackCredit.role == PERFORMER)
    has_performer = exists().where(TrackCredit.track_id == Track.id, TrackCredit.role == PERFORMER)
    by_album = (
        select(AlbumCredit.artist_id, Track.id)
        .join(Track, Track.album_id == AlbumCredit.album_id)
        .where(~has_performer)
    )
    return union(named, by_album)
