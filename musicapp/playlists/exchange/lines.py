"""What a playlist file says, whatever its format."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileLine:
    """One entry of a file. Everything may be missing but its number."""

    number: int
    """Counted from 1."""
    address: str = ""
    """An address or a path."""
    label: str = ""
    """"Artist - Title", where the file doesn't tell them apart."""
    title: str = ""
    artist: str = ""
    duration_ms: int | None = None
    isrc: str | None = None
    musicbrainz_recording_id: str | None = None

    @property
    def words(self) -> str:
        """What to call it when it can't be found."""
        named = " - ".join(part for part in (self.artist, self.title) if part)
        return self.label or named or self.address or f"#{self.number}"


@dataclass(frozen=True, slots=True)
class PlaylistFile:
    """A file that was read."""

    name: str
    description: str
    lines: tuple[FileLine, ...]


@dataclass(frozen=True, slots=True)
class PlaylistWords:
    """What a file says of the whole playlist."""

    name: str
    owner: str
    description: str
    url: str
    """Absolute."""
