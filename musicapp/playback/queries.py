"""Reads for streams and plays."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from musicapp.catalog.models import Album, ArtistMember, Original, Rendition, Track
from musicapp.core.db import db
from musicapp.playback.choice import StoredAudio


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
