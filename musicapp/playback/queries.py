"""Reads for streams and plays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from musicapp.catalog.models import Album, ArtistMember, Original, Rendition, Track
from musicapp.core.db import db
from musicapp.playback.choice import StoredAudio
from musicapp.playback.hearing import Report
from musicapp.playback.models import ListeningEvent, Play


@dataclass(frozen=True, slots=True)
class StoredTrack:
    """A track and all files there are of it."""

    id: int
    title: str
    artist_id: int
    is_published: bool
    created_at: datetime
    waveform_key: str | None
    preview_key: str | None
    files: tuple[StoredAudio, ...]
    """Renditions, and the original."""

    @property
    def has_renditions(self) -> bool:
        return any(not audio.is_original for audio in self.files)


_STORED_TRACK = (
    select(
        Track.title,
        Track.created_at,
        Track.waveform_key,
        Track.preview_key,
        Album.artist_id,
        Album.published_at,
        Original.key,
        Original.codec,
        Original.mime,
        Original.bitrate_kbps,
        Original.created_at,
        Original.is_browser_playable,
        Rendition.key,
        Rendition.codec,
        Rendition.mime,
        Rendition.profile,
        Rendition.created_at,
    )
    .join(Album, Album.id == Track.album_id)
    .outerjoin(Original, Original.track_id == Track.id)
    .outerjoin(Rendition, Rendition.track_id == Track.id)
    .where(Track.deleted_at.is_(None), Album.deleted_at.is_(None))
)


def stored_track(track_id: int) -> StoredTrack | None:
    """One statement, whatever the number of renditions; None for what is deleted or never was."""
    rows: Sequence[Sequence[Any]] = db.session.execute(_STORED_TRACK.where(Track.id == track_id)).all()
    if not rows:
        return None
    title, created_at, waveform_key, preview_key, artist_id, published_at = rows[0][:6]
    files = []
    for row in rows:
        key, codec, mime, profile, made_at = row[12:]
        if key is not None:
            files.append(StoredAudio(key, codec, mime, _promised_kbps(profile), made_at))
    key, codec, mime, bitrate_kbps, made_at, can_browsers_play = rows[0][6:12]
    if key is not None:
        files.append(StoredAudio(key, codec, mime, bitrate_kbps or 0, made_at, True, can_browsers_play))
    return StoredTrack(
        track_id, title, artist_id, published_at is not None, created_at, waveform_key, preview_key, tuple(files)
    )


def _promised_kbps(profile: str) -> int:
    """128 for `opus_128`: what the name promises orders the ladder, not what a quiet song came to."""
    kbps = profile.rpartition("_")[2]
    return int(kbps) if kbps.isdigit() else 0


def is_member(user_id: int, artist_id: int) -> bool:
    return (
        db.session.execute(
            select(ArtistMember.user_id).where(ArtistMember.user_id == user_id, ArtistMember.artist_id == artist_id)
        ).first()
        is not None
    )


@dataclass(frozen=True, slots=True)
class HeardTrack:
    """What counting needs to know about a track that a listener may hear."""

    id: int
    album_id: int
    duration_ms: int | None
    is_published: bool


def audible_tracks(track_ids: Collection[int], user_id: int | None) -> dict[int, HeardTrack]:
    """Those of `track_ids` that are published, or drafts of an artist whose member the user is."""
    membership = ArtistMember.user_id == user_id
    rows = db.session.execute(
        select(Track.id, Track.album_id, Track.duration_ms, Album.published_at, ArtistMember.user_id)
        .join(Album, Album.id == Track.album_id)
        .outerjoin(ArtistMember, (ArtistMember.artist_id == Album.artist_id) & membership)
        .where(Track.id.in_(track_ids), Track.deleted_at.is_(None), Album.deleted_at.is_(None))
    )
    return {
        id: HeardTrack(id, album_id, duration_ms, published_at is not None)
        for id, album_id, duration_ms, published_at, member_id in rows
        if published_at is not None or member_id is not None
    }


def play_count(track_id: int) -> int | None:
    return db.session.scalar(select(Track.play_count).where(Track.id == track_id))


REPORTS_AROUND = timedelta(hours=24)
"""How far around new reports others are read: longer than hearing.GAP and the longest track together."""
REPORTS_READ_MAX = 5000


def reports_around(listener: str, track_id: int, first: datetime, last: datetime) -> tuple[list[Report], bool]:
    """A listener's reports of a track around two instants, in order; True when older ones were left out.

    The last report before the span is read too: what is believed of the next one depends on it.
    """
    same = (ListeningEvent.listener == listener, ListeningEvent.track_id == track_id)
    since = first - REPORTS_AROUND
    before = db.session.scalar(select(func.max(ListeningEvent.at)).where(*same, ListeningEvent.at < since))
    rows = db.session.execute(
        select(ListeningEvent.event_id, ListeningEvent.kind, ListeningEvent.position_ms, ListeningEvent.at)
        .where(*same, ListeningEvent.at >= (before or since), ListeningEvent.at <= last + REPORTS_AROUND)
        .order_by(ListeningEvent.at.desc(), ListeningEvent.id.desc())
        .limit(REPORTS_READ_MAX)
    ).all()
    is_cut = before is not None or len(rows) == REPORTS_READ_MAX
    return [Report(*row) for row in reversed(rows)], is_cut


def counted_among(event_ids: Iterable[str]) -> set[str]:
    """Those of the events that are hearing_id of a play."""
    wanted = list(event_ids)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        found.update(
            db.session.scalars(select(Play.hearing_id).where(Play.hearing_id.in_(wanted[start : start + 500])))
        )
    return found


def plays_of_user(user_id: int) -> list[dict[str, Any]]:
    """Every counted play of a user, oldest first, for the export of the account."""
    rows = db.session.execute(
        select(Play.started_at, Play.track_id, Track.title, Album.title)
        .outerjoin(Track, Track.id == Play.track_id)
        .outerjoin(Album, Album.id == Play.album_id)
        .where(Play.user_id == user_id)
        .order_by(Play.started_at, Play.id)
    )
    return [
        {"started_at": started_at.isoformat(), "track_id": track_id, "track": track, "album": album}
        for started_at, track_id, track, album in rows
    ]
