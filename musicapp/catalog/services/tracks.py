"""Tracks: made from uploads, edited and ordered by people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from musicapp.audio.facts import AudioFacts
from musicapp.catalog.errors import AlbumGoneError
from musicapp.catalog.events import (
    TrackAdded,
    TrackDeleted,
    TrackReady,
    TrackRestored,
    TracksReordered,
    TrackUpdated,
)
from musicapp.catalog.models import Album, Artist, Original, Rendition, Track, TrackCredit
from musicapp.catalog.services.credits import NewCredit, artists_for, cleaned, joined
from musicapp.catalog.text import clean_line, clean_text, fold, sort_name
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish

TITLE_LIMIT = 500
LYRICS_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class NewOriginal:
    """The file behind a new track: where it stands in the store, and whose quota it counts against."""

    key: str
    filename: str
    size_bytes: int
    owner_id: int | None
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class NewRendition:
    """One encoded file that is in the store already."""

    profile: str
    key: str
    codec: str
    mime: str
    bitrate_kbps: int
    size_bytes: int
    duration_ms: int
    encoder_delay_samples: int | None = None
    encoder_padding_samples: int | None = None
    pipeline_version: int = 1


@dataclass(frozen=True, slots=True)
class EncodeOutcome:
    """What one encoding found and made. `duration_ms` is the decoded truth; loudness is None for silence."""

    duration_ms: int
    renditions: tuple[NewRendition, ...] = ()
    integrated_loudness_lufs: float | None = None
    true_peak_dbtp: float | None = None
    track_gain_db: float | None = None
    waveform_key: str | None = None
    preview_key: str | None = None


def add_track(
    album_id: int,
    facts: AudioFacts,
    original: NewOriginal,
    *,
    fallback_title: str,
    fallback_track_number: int | None = None,
) -> int:
    """Makes the track of a probed file at its place on the album; returns its id. Publishes TrackAdded.

    Named from the tags, else by the fallbacks; without artists in the tags it is the album artist's. Raises
    AlbumGoneError when the album was deleted meanwhile.
    """
    # Locked: two files probed at once would take the same position.
    album = db.session.get(Album, album_id, with_for_update=True)
    if album is None or album.deleted_at is not None:
        raise AlbumGoneError("The album was deleted while this file was on its way. Restore it and try again.")
    tags = facts.tags
    track = Track(
        album_id=album_id,
        disc_number=min(max(tags.disc_number or 1, 1), 99),
        track_number=tags.track_number or fallback_track_number,
        duration_ms=facts.declared_duration_ms,
        recorded_on=tags.date,
        genre=clean_line("; ".join(tags.genres), 200) or None,
        isrc=tags.isrc[:12] if tags.isrc else None,
        musicbrainz_recording_id=tags.musicbrainz_recording_id,
        musicbrainz_track_id=tags.musicbrainz_track_id,
        lyrics=tags.lyrics,
        synced_lyrics=tags.synced_lyrics,
        replaygain_track_gain_db=tags.replaygain_track_gain_db,
        replaygain_track_peak=tags.replaygain_track_peak,
    )
    _set_title(track, tags.title or fallback_title)
    track.position = _make_room(album_id, track.disc_number, track.track_number)
    track.original = _original_row(facts, original)
    _set_credits(track, album.artist, joined(tags.artists))
    if not track.credits:
        track.credits = [
            TrackCredit(
                artist_id=credit.artist_id,
                credited_as=credit.credited_as,
                join_phrase=credit.join_phrase,
                position=credit.position,
            )
            for credit in album.credits
        ]
    db.session.add(track)
    db.session.flush()
    publish(TrackAdded(track.id, album_id))
    return track.id


def set_original_sha256(track_id: int, sha256: str) -> None:
    """Stores the hash of a track's original, for finding duplicates."""
    db.session.execute(update(Original).where(Original.track_id == track_id).values(sha256=sha256))


def set_track_ready(track_id: int, outcome: EncodeOutcome) -> tuple[str, ...]:
    """Stores what an encoding made and publishes TrackReady; without any rendition the track stays as it was to hear.

    Returns storage keys that nothing names any more (of an earlier encoding); delete them after the commit.
    """
    track = db.session.get_one(Track, track_id)
    made = {rendition.profile for rendition in outcome.renditions}
    stale = [r for r in track.renditions if r.profile in made]
    unused = [rendition.key for rendition in stale]
    unused += [k for k in (track.waveform_key, track.preview_key) if k]
    for rendition in stale:
        db.session.delete(rendition)
    # A profile is unique per track: the old row must be gone before the new one comes.
    db.session.flush()
    for new in outcome.renditions:
        db.session.add(Rendition(track_id=track_id, **{name: getattr(new, name) for name in NewRendition.__slots__}))
    track.duration_ms = outcome.duration_ms
    track.integrated_loudness_lufs = outcome.integrated_loudness_lufs
    track.true_peak_dbtp, track.track_gain_db = outcome.true_peak_dbtp, outcome.track_gain_db
    track.waveform_key, track.preview_key = outcome.waveform_key, outcome.preview_key
    if outcome.renditions:
        track.ready_at = utc_now()
    db.session.flush()
    db.session.expire(track, ["renditions"])
    publish(TrackReady(track_id, track.album_id))
    kept = {track.waveform_key, track.preview_key} | {r.key for r in outcome.renditions}
    return tuple(key for key in unused if key not in kept)


def update_track(
    track_id: int,
    *,
    title: str,
    credits: Sequence[NewCredit],
    disc_number: int = 1,
    track_number: int | None = None,
    isrc: str | None = None,
    genre: str | None = None,
    recorded_on: str | None = None,
    lyrics: str | None = None,
    synced_lyrics: str | None = None,
) -> None:
    """Changes a track's tags and credits; without any name it is the album artist's. Publishes TrackUpdated.

    A track that changes discs goes to the end of its new one.
    """
    track = _locked_track(track_id)
    _set_title(track, title)
    if disc_number != track.disc_number:
        track.disc_number, track.position = disc_number, _make_room(track.album_id, disc_number, None)
    track.track_number = track_number
    track.isrc, track.recorded_on = isrc or None, recorded_on or None
    track.genre = clean_line(genre or "", 200) or None
    track.lyrics = clean_text(lyrics or "", LYRICS_LIMIT) or None
    track.synced_lyrics = clean_text(synced_lyrics or "", LYRICS_LIMIT) or None
    home_artist = track.album.artist
    _set_credits(track, home_artist, credits or [NewCredit(home_artist.name)])
    db.session.flush()
    publish(TrackUpdated(track_id, track.album_id))


def reorder_tracks(album_id: int, track_ids: Sequence[int]) -> None:
    """Gives the tracks the order of `track_ids` within each disc; ones not named keep their order after the others.

    Ids of other albums are passed over: the page may be older than the album. Publishes TracksReordered.
    """
    db.session.get_one(Album, album_id, with_for_update=True)
    tracks = _ordered_tracks(album_id)
    wanted = {track_id: place for place, track_id in enumerate(track_ids)}
    tracks.sort(key=lambda t: (t.disc_number, wanted.get(t.id, len(wanted))))  # stable: the others keep their order
    for position, track in enumerate(tracks, 1):
        track.position = position
    db.session.flush()
    publish(TracksReordered(album_id))


def move_track(track_id: int, places: int) -> None:
    """Moves a track up (negative) or down within its disc; at the edge it stays."""
    track = _locked_track(track_id)
    if track.deleted_at is not None:
        return
    disc = [t.id for t in _ordered_tracks(track.album_id) if t.disc_number == track.disc_number]
    here = disc.index(track_id)
    disc.insert(max(0, here + places), disc.pop(here))
    reorder_tracks(track.album_id, disc)


def delete_track(track_id: int) -> None:
    """Takes a track off its album; restore_track undoes it."""
    track = db.session.get_one(Track, track_id)
    if track.deleted_at is None:
        track.deleted_at = utc_now()
        db.session.flush()
        publish(TrackDeleted(track_id, track.album_id))


def restore_track(track_id: int) -> None:
    """Undoes delete_track; the track stands where it stood."""
    track = db.session.get_one(Track, track_id)
    if track.deleted_at is not None:
        track.deleted_at = None
        db.session.flush()
        publish(TrackRestored(track_id, track.album_id))


def remove_refused_track(track_id: int) -> tuple[str, ...]:
    """Removes a track whose file turned out not to be usable, rows and all; there is nothing to restore.

    Returns the storage keys of its files; delete them after the commit. A track that is gone already is fine.
    """
    track = db.session.get(Track, track_id)
    if track is None:
        return ()
    keys = [rendition.key for rendition in track.renditions]
    keys += [track.original.key] if track.original else []
    keys += [key for key in (track.waveform_key, track.preview_key) if key]
    album_id = track.album_id
    db.session.expunge(track)
    db.session.execute(delete(Track).where(Track.id == track_id))
    publish(TrackDeleted(track_id, album_id))
    return tuple(keys)


def _locked_track(track_id: int) -> Track:
    """The track as it is once its album is ours: whoever changes order or credits waits for the one before."""
    track = db.session.get_one(Track, track_id)
    db.session.get_one(Album, track.album_id, with_for_update=True)
    return db.session.get_one(Track, track_id, populate_existing=True)


def _ordered_tracks(album_id: int) -> list[Track]:
    return list(
        db.session.scalars(
            select(Track)
            .where(Track.album_id == album_id, Track.deleted_at.is_(None))
            .order_by(Track.disc_number, Track.position, Track.id)
            # What was read before the album was locked may be old, and an old value set anew is not written.
            .execution_options(populate_existing=True)
        )
    )


def _make_room(album_id: int, disc_number: int, track_number: int | None) -> int:
    """The position for a new track: before the first one of a higher number, else at the end of its disc."""
    disc = (Track.album_id == album_id, Track.disc_number == disc_number)
    if track_number is not None:
        later = db.session.scalar(select(func.min(Track.position)).where(*disc, Track.track_number > track_number))
        if later is not None:
            db.session.execute(update(Track).where(*disc, Track.position >= later).values(position=Track.position + 1))
            return later
    return (db.session.scalar(select(func.max(Track.position)).where(*disc)) or 0) + 1


def _set_title(track: Track, title: str) -> None:
    track.title = clean_line(title, TITLE_LIMIT) or "–"
    track.sort_title, track.search_text = sort_name(track.title, TITLE_LIMIT), fold(track.title, 1000)


def _set_credits(track: Track, home_artist: Artist, credits: Sequence[NewCredit]) -> None:
    kept = cleaned(credits)
    artists = artists_for([credit.name for credit in kept], home_artist) if kept else []
    track.credits = [
        TrackCredit(artist_id=artist.id, credited_as=c.name, join_phrase=c.join_phrase, role=c.role, position=position)
        for position, (artist, c) in enumerate(zip(artists, kept, strict=True))
    ]


def _original_row(facts: AudioFacts, original: NewOriginal) -> Original:
    return Original(
        key=original.key,
        filename=clean_line(original.filename, 300) or "–",
        sha256=original.sha256,
        size_bytes=original.size_bytes,
        owner_id=original.owner_id,
        container=facts.container[:40],
        codec=facts.codec[:40],
        mime=facts.mime[:80],
        is_browser_playable=facts.browser_playable,
        is_lossless=facts.lossless,
        sample_rate_hz=facts.sample_rate_hz,
        channels=facts.channels,
        layout=facts.layout[:40] if facts.layout else None,
        bit_depth=facts.bit_depth,
        bitrate_kbps=facts.bitrate_kbps,
        encoder_delay_samples=facts.encoder_delay_samples,
        encoder_padding_samples=facts.encoder_padding_samples,
    )
