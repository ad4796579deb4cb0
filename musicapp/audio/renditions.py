"""A finished rendition, checked by reading it back."""

from dataclasses import dataclass
from pathlib import Path

from musicapp.audio.errors import EncodeError, NotAudioError
from musicapp.audio.ladder import RenditionProfile
from musicapp.audio.streams import read_stream

# ffmpeg's AAC encoder puts one frame in front and says so in an edit list, which PyAV does not show.
_AAC_DELAY_SAMPLES = 1024
# Encoders round up to frames; a rendition that lacks more than this was cut off.
_MISSING_MS = 2000


@dataclass(frozen=True, slots=True)
class RenditionFile:
    """One encoded version as it lies on the disk."""

    profile: RenditionProfile
    path: Path
    size_bytes: int
    duration_ms: int
    bitrate_kbps: int
    """What it came to, containers and all."""
    encoder_delay_samples: int | None
    encoder_padding_samples: int | None


def read_rendition(profile: RenditionProfile, path: Path, track_duration_ms: int) -> RenditionFile:
    """Return what was made. Raises EncodeError if it can't be played or lacks a part of the track."""
    try:
        facts = read_stream(path)[0]
    except (NotAudioError, OSError) as error:
        raise EncodeError("unplayable", f"The encoder for {profile.name} made a file without sound.") from error
    duration_ms = facts.declared_duration_ms or track_duration_ms
    delay_samples = facts.encoder_delay_samples
    if profile.codec == "opus" and delay_samples:
        duration_ms -= round(delay_samples / 48)  # pre-skip counts at 48 kHz, whatever went in
    if profile.codec == "aac":
        delay_samples = _AAC_DELAY_SAMPLES
    if duration_ms < track_duration_ms - _MISSING_MS:
        raise EncodeError("cut_short", f"The encoder for {profile.name} stopped before the end of the track.")
    size_bytes = path.stat().st_size
    return RenditionFile(
        profile=profile,
        path=path,
        size_bytes=size_bytes,
        duration_ms=duration_ms,
        bitrate_kbps=max(1, round(size_bytes * 8 / max(1, track_duration_ms))),
        encoder_delay_samples=delay_samples,
        encoder_padding_samples=facts.encoder_padding_samples,
    )
