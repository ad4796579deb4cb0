"""Which of a track's files a listener gets: by the quality asked for and by what the player can decode."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

QUALITIES = ("low", "normal", "high", "original")
NORMAL_MAX_KBPS = 160
"""`normal` is the best rendition up to here: where opus is transparent for nearly everybody."""

_ALIASES = {
    "ogg": ("opus", "vorbis"),
    "m4a": ("aac",),
    "mp4": ("aac",),
    "pcm": ("wav",),
}
_BY_MIME = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/ogg": "ogg",
    "application/ogg": "ogg",
    "audio/opus": "opus",
    "audio/vorbis": "vorbis",
    "audio/flac": "flac",
    "audio/x-flac": "flac",
    "audio/mp4": "aac",
    "audio/x-m4a": "aac",
    "audio/aac": "aac",
    "audio/aacp": "aac",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
}
# WebKit plays Ogg only from version 18.4 on; its media requests name the system, often not the browser.
_APPLE = re.compile(r"AppleCoreMedia|iPhone|iPad|iPod|Version/[\d.]+ (?:Mobile/\w+ )?Safari/")
_APPLE_FORMATS = frozenset({"mp3", "aac", "alac", "flac", "wav"})


@dataclass(frozen=True, slots=True)
class StoredAudio:
    """One file of a track: the original, or a rendition."""

    key: str
    codec: str
    mime: str
    bitrate_kbps: int
    """What a rendition's profile promises; 0 where an original does not say."""
    made_at: datetime
    is_original: bool = False
    can_browsers_play: bool = True

    @property
    def format(self) -> str:
        """What a player has to know: the codec, told apart from the same codec in a rarer wrapping."""
        if self.codec.startswith("pcm_"):
            return "wav" if "wav" in self.mime else "aiff"
        if self.codec == "flac" and "ogg" in self.mime:
            return "oggflac"
        return self.codec


@dataclass(frozen=True, slots=True)
class Player:
    """What is known about the program that asks."""

    formats: frozenset[str] | None = None
    """Names as StoredAudio.format has them; None: a browser that plays what browsers play."""
    is_guess: bool = False
    """Guessed from the User-Agent: better a file it may not play than none."""

    def can_play(self, audio: StoredAudio) -> bool:
        if self.formats is None:
            return audio.can_browsers_play
        return audio.format in self.formats


@lru_cache(maxsize=512)
def player_of(formats: str, accept: str, user_agent: str) -> Player:
    """Reads a player's own list (`mp3,opus`), else an Accept header without wildcards, else the User-Agent."""
    if named := _named(formats.lower().split(",")):
        return Player(named)
    types = [part.split(";")[0].strip().lower() for part in accept.split(",") if part.strip()]
    # Only types we know: `Accept: application/json` says nothing about audio.
    named = _named(_BY_MIME[kind] for kind in types if kind in _BY_MIME)
    if named and not any(kind.endswith("/*") for kind in types):
        return Player(named)
    if _APPLE.search(user_agent):
        return Player(_APPLE_FORMATS, is_guess=True)
    return Player()


def _named(names: Iterable[str]) -> frozenset[str]:
    return frozenset(known for name in names if name.strip() for known in _ALIASES.get(name.strip(), (name.strip(),)))


def choose(quality: str, files: Sequence[StoredAudio], player: Player) -> StoredAudio | None:
    """The file to send, or None where this player can play none of them.

    While there are no renditions every quality is the original. Raises ValueError for an unknown quality.
    """
    if quality not in QUALITIES:
        raise ValueError(f"quality is one of {', '.join(QUALITIES)}")
    playable = [audio for audio in files if player.can_play(audio)]
    if not playable and player.is_guess:
        playable = [audio for audio in files if audio.can_browsers_play]
    originals = [audio for audio in playable if audio.is_original]
    renditions = sorted((audio for audio in playable if not audio.is_original), key=lambda audio: audio.bitrate_kbps)
    if originals and (quality == "original" or not renditions):
        return originals[0]
    if not renditions:
        return None
    if quality == "low":
        return renditions[0]
    if quality == "normal":
        moderate = [audio for audio in renditions if audio.bitrate_kbps <= NORMAL_MAX_KBPS]
        return moderate[-1] if moderate else renditions[0]
    return renditions[-1]
