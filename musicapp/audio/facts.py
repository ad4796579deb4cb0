"""What a probe finds out about a file."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class EmbeddedCover:
    """A picture found inside the file, as it stands there (not yet checked: see artwork.py)."""

    content: bytes = field(repr=False)
    mime: str


@dataclass(frozen=True, slots=True)
class AudioTags:
    """Embedded metadata, cleaned and bounded: no control characters, nothing longer than it may be."""

    title: str | None = None
    artists: tuple[str, ...] = ()
    album: str | None = None
    album_artists: tuple[str, ...] = ()
    track_number: int | None = None
    track_count: int | None = None
    disc_number: int | None = None
    date: str | None = None
    """YYYY, YYYY-MM or YYYY-MM-DD: as precise as the tag was."""
    genres: tuple[str, ...] = ()
    isrc: str | None = None
    musicbrainz_recording_id: str | None = None
    musicbrainz_track_id: str | None = None
    musicbrainz_release_id: str | None = None
    musicbrainz_artist_ids: tuple[str, ...] = ()
    lyrics: str | None = None
    synced_lyrics: str | None = None
    """LRC text."""
    replaygain_track_gain_db: float | None = None
    replaygain_track_peak: float | None = None
    """A linear factor: 1.0 is full scale."""
    comment: str | None = None
    cover: EmbeddedCover | None = None


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What the audio stream is, by trying to decode it."""

    container: str
    codec: str
    mime: str
    browser_playable: bool
    lossless: bool
    sample_rate_hz: int
    channels: int
    layout: str
    bit_depth: int | None
    bitrate_kbps: int | None
    declared_duration_ms: int | None
    encoder_delay_samples: int | None
    encoder_padding_samples: int | None


@dataclass(frozen=True, slots=True)
class AudioFacts(StreamFacts):
    """Technical facts and tags. The duration is a claim; only decoding (encode.py) tells the truth."""

    tags: AudioTags
