"""Reads for streams and plays."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Engine, bindparam, func, literal, select, union_all
from sqlalchemy.exc import OperationalError

from musicapp.catalog.models import Album, ArtistMember, Original, Rendition, Track
from musicapp.core.db import UtcDateTime, db
from musicapp.playback.choice import StoredAudio
from musicapp.playback.hearing import Report
from musicapp.playback.models import ListeningEvent, Play


@dataclass(frozen=True, slots=True, eq=False)
class StoredTrack:
    """A track and all files there are of it. Compared by identity, so that caches are quick."""

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
        Track.id,
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
    .where(Track.deleted_at.is_(None), Album.deleted_at.is_(None), Track.id == bindparam("track_id"))
    .order_by(Rendition.id)
)


class StoredTracks:
    """Reads tracks for streaming, one statement each, whatever the number of renditions.

    A player asks for every 64 KiB, and the session's way to a row costs four times as much as all the rest of such a
    request. So the statement is compiled once and goes to the driver; the rows are read anew each time, because rights
    may have changed, but what is made of them is kept for as long as they are the same.
    """

    KEPT_MAX = 4096

    def __init__(self, engine: Engine) -> None:
        self._sql = str(_STORED_TRACK.compile(engine))
        # SQLite's driver numbers its parameters, PostgreSQL's names them.
        self._is_positional = engine.dialect.positional
        self._driver_failure: type[Exception] = engine.dialect.loaded_dbapi.OperationalError
        as_instant: Any = UtcDateTime().dialect_impl(engine.dialect).result_processor(engine.dialect, None)
        self._as_instant: Callable[[Any], datetime] = as_instant or (lambda value: value)
        self._kept: dict[int, tuple[Sequence[Any], StoredTrack]] = {}

    def get(self, engine: Engine, track_id: int) -> StoredTrack | None:
        """None for what is deleted or never was."""
        try:
            connection = engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute(self._sql, (track_id,) if self._is_positional else {"track_id": track_id})
                rows = cursor.fetchall()
            finally:
                connection.close()  # back to the pool, which ends the transaction
        except self._driver_failure as error:
            # As the session says it, and as those know it who answer for a database that is away.
            raise OperationalError(self._sql, None, error) from error
        if not rows:
            return None
        kept = self._kept.get(track_id)
        if kept is not None and kept[0] == rows:
            return kept[1]
        if len(self._kept) >= self.KEPT_MAX:
            self._kept.clear()
        track = self._made_of(rows)
        self._kept[track_id] = (rows, track)
        return track

    def _made_of(self, rows: Sequence[Sequence[Any]]) -> StoredTrack:
        files = []
        for row in rows:
            key, codec, mime, profile, made_at = row[13:]
            if key is not None:
                files.append(StoredAudio(key, codec, mime, _promised_kbps(profile), self._as_instant(made_at)))
        id, title, created_at, waveform_key, preview_key, artist_id, published_at, *original = rows[0][:13]
        key, codec, mime, bitrate_kbps, made_at, can_browsers_play = original
        if key is not None:
            made_at = self._as_instant(made_at)
            files.append(StoredAudio(key, codec, mime, bitrate_kbps or 0, made_at, True, bool(can_browsers_play)))
        return StoredTrack(
            id=id,
            title=title,
            artist_id=artist_id,
            is_published=published_at is not None,
            created_at=self._as_instant(created_at),
            waveform_key=waveform_key,
            preview_key=preview_key,
            files=tuple(files),
        )


def stored_track(track_id: int) -> StoredTrack | None:
    """The track with all its files; None for what is deleted or never was."""
    return stored_track_of(db.engine, track_id)


def stored_track_of(engine: Engine, track_id: int) -> StoredTrack | None:
    """The same outside an application context."""
    reader = _readers.get(engine)
    if reader is None:
        reader = _readers[engine] = StoredTracks(engine)
    return reader.get(engine, track_id)


_readers: WeakKeyDictionary[Engine, StoredTracks] = WeakKeyDictionary()


def _promised_kbps(profile: str) -> int:
    """128 for `opus_128`: what the name promises orders the ladder, not what a quiet song came to."""
    kbps = profile.rpartition("_")[2]
    return int(kbps) if kbps.isdigit() else 0


@dataclass(frozen=True, slots=True)
class AudioFacts:
    """What a player must know of a file to join it to the next one without a gap, as found when it came in."""

    codec: str
    mime: str
    is_original: bool
    size_bytes: int
    bitrate_kbps: int | None
    duration_ms: int | None
    """Without delay and padding."""
    encoder_delay_samples: int | None
    """What the encoder put in front: for opus at 48 kHz, for mp3 without the decoder's own 529 samples."""
    encoder_padding_samples: int | None


def audio_facts(key: str) -> AudioFacts | None:
    """The facts about a rendition or an original, by its key in the store; None for what is gone."""
    rendition = select(
        Rendition.codec,
        Rendition.mime,
        literal(False),
        Rendition.size_bytes,
        Rendition.bitrate_kbps,
        Rendition.duration_ms,
        Rendition.encoder_delay_samples,
        Rendition.encoder_padding_samples,
    ).where(Rendition.key == key)
    original = (
        select(
            Original.codec,
            Original.mime,
            literal(True),
            Original.size_bytes,
            Original.bitrate_kbps,
            Track.duration_ms,
            Original.encoder_delay_samples,
            Original.encoder_padding_samples,
        )
        .join(Track, Track.id == Original.track_id)
        .where(Original.key == key)
    )
    row: Any = db.session.execute(union_all(rendition, original)).first()
    return AudioFacts(row[0], row[1], bool(row[2]), *row[3:]) if row else None


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


def whence(event_ids: Sequence[str]) -> tuple[str, str]:
    """Where a hearing was started from and on which device: as the first of its events says that says so."""
    told = db.session.execute(
        select(ListeningEvent.source, ListeningEvent.device)
        # A hearing of days has thousands of events; it was begun in the first.
        .where(ListeningEvent.event_id.in_(event_ids[:100]))
        .order_by(ListeningEvent.at, ListeningEvent.id)
    ).all()
    source = next((row.source for row in told if row.source), "")
    return source, next((row.device for row in told if row.device), "")


def plays_of_user(user_id: int) -> list[dict[str, Any]]:
    """Every counted play of a user, oldest first, for the export of the account."""
    rows = db.session.execute(
        select(Play.started_at, Play.track_id, Track.title, Album.title, Play.source, Play.device)
        .outerjoin(Track, Track.id == Play.track_id)
        .outerjoin(Album, Album.id == Play.album_id)
        .where(Play.user_id == user_id, Play.deleted_at.is_(None))
        .order_by(Play.started_at, Play.id)
    )
    return [
        {
            "started_at": started_at.isoformat(),
            "track_id": track_id,
            "track": track,
            "album": album,
            "source": source,
            "device": device,
        }
        for started_at, track_id, track, album, source, device in rows
    ]
