"""A track's files as HTTP knows them: which one a request gets, what it is called, how long it may be kept."""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote

from werkzeug.http import http_date

from musicapp.playback.choice import StoredAudio, choose, player_of
from musicapp.playback.queries import StoredTrack

_SUFFIXES = {"opus": "opus", "vorbis": "ogg", "oggflac": "oga", "aac": "m4a", "alac": "m4a", "aiff": "aiff"}
_PREVIEW_MIMES = {"mp3": "audio/mpeg", "opus": "audio/ogg", "ogg": "audio/ogg", "m4a": "audio/mp4"}


class NoFileError(LookupError):
    """There is no file for this request; the text is for whoever asked."""


class StillPreparingError(NoFileError):
    """There will be one soon."""


@dataclass(frozen=True, slots=True, eq=False)
class StoredFile:
    """A file of the store and how browsers are to take it. Compared by identity, so that caches are quick."""

    key: str
    mime: str
    made_at: datetime
    name: str
    """What it is called when saved, with its suffix."""
    cache_control: str
    is_as_uploaded: bool = False
    """A stranger made these bytes: never a page, whatever a browser thinks of them."""
    vary: str = ""
    """Request headers that decided for this file."""


@lru_cache(maxsize=4096)
def best_file(
    track: StoredTrack, quality: str, formats: str, accept: str, user_agent: str, lost: frozenset[str] = frozenset()
) -> StoredFile:
    """The file for a request, but none whose key is `lost`. Cached: a track is made anew when its rows change.

    Raises ValueError for an unknown quality, NoFileError and StillPreparingError.
    """
    files = [audio for audio in track.files if audio.key not in lost]
    audio = choose(quality, files, player_of(formats, accept, user_agent))
    if audio is not None:
        return audio_file(track, audio)
    if any(not audio.is_original for audio in files):
        names = ", ".join(sorted({audio.format for audio in files}))
        raise NoFileError(f"This track can be had as {names}.")
    raise StillPreparingError("This track is still being prepared.")


@lru_cache(maxsize=4096)
def audio_file(track: StoredTrack, audio: StoredAudio) -> StoredFile:
    return StoredFile(
        audio.key,
        audio.mime,
        audio.made_at,
        f"{track.title}.{_SUFFIXES.get(audio.format, audio.format)}",
        # An original that stands in for renditions must not outlive their making in a cache.
        "private, no-cache" if audio.is_original and not track.has_renditions else _kept(track),
        is_as_uploaded=audio.is_original,
        vary="Accept, User-Agent",
    )


def preview_file(track: StoredTrack) -> StoredFile:
    """Raises NoFileError."""
    if track.preview_key is None:
        raise NoFileError("This track has no preview yet.")
    suffix = track.preview_key.rpartition(".")[2]
    mime = _PREVIEW_MIMES.get(suffix, "audio/mpeg")
    return StoredFile(track.preview_key, mime, track.created_at, f"{track.title} (preview).{suffix}", _kept(track))


def waveform_file(track: StoredTrack) -> StoredFile:
    """Raises NoFileError."""
    if track.waveform_key is None:
        raise NoFileError("The waveform is still being prepared.")
    kept = "private, max-age=604800, immutable" if track.is_published else "private, no-cache"
    return StoredFile(track.waveform_key, "application/json", track.created_at, f"{track.title}.json", kept)


def _kept(track: StoredTrack) -> str:
    # What is a draft now may be withdrawn from a member at any time.
    return "private, max-age=3600" if track.is_published else "private, no-cache"


@lru_cache(maxsize=4096)
def etag_of(key: str) -> str:
    """Strong: a key's bytes never change. Hashed, because keys are nobody's business."""
    return hashlib.blake2s(key.encode(), digest_size=12).hexdigest()


@lru_cache(maxsize=4096)
def headers_of(stored: StoredFile) -> tuple[tuple[str, str], ...]:
    """What every answer about the file says, whoever sends the bytes."""
    headers = [
        ("Content-Type", stored.mime),
        ("Content-Disposition", _disposition(stored.name)),
        ("Cache-Control", stored.cache_control),
        ("Accept-Ranges", "bytes"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    if stored.vary:
        headers.append(("Vary", stored.vary))
    if stored.is_as_uploaded:
        headers.append(("Content-Security-Policy", "sandbox"))
    return tuple(headers)


@lru_cache(maxsize=4096)
def validators_of(stored: StoredFile) -> tuple[tuple[str, str], ...]:
    """ETag and Last-Modified: ours to say where no nginx says its own."""
    return ("ETag", f'"{etag_of(stored.key)}"'), ("Last-Modified", http_date(stored.made_at))


def _disposition(name: str) -> str:
    """`inline` with a name that no file system and no header parser can take amiss."""
    safe = "".join("_" if letter in '/\\:*?"<>|%' or not letter.isprintable() else letter for letter in name)
    stem, dot, suffix = safe.rpartition(".")
    stem = stem[:120].strip(" .") or "track"
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().strip(" .") or "track"
    plain = f'inline; filename="{ascii_stem}{dot}{suffix}"'
    return plain if ascii_stem == stem else f"{plain}; filename*=UTF-8''{quote(stem + dot + suffix, safe='')}"
