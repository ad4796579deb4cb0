"""What people keep. Each is sent when it becomes true: liking twice is one event."""

from __future__ import annotations

from dataclasses import dataclass

from musicapp.core.events import Event


@dataclass(frozen=True, slots=True)
class TrackLiked(Event):
    """A listener likes a track now."""

    user_id: int
    track_id: int


@dataclass(frozen=True, slots=True)
class TrackUnliked(Event):
    """A listener likes a track no longer."""

    user_id: int
    track_id: int


@dataclass(frozen=True, slots=True)
class AlbumLiked(Event):
    """A listener likes an album now. Says nothing of its tracks."""

    user_id: int
    album_id: int


@dataclass(frozen=True, slots=True)
class AlbumUnliked(Event):
    """A listener likes an album no longer."""

    user_id: int
    album_id: int


@dataclass(frozen=True, slots=True)
class ArtistFollowed(Event):
    """A listener wants to know what the artist publishes."""

    user_id: int
    artist_id: int


@dataclass(frozen=True, slots=True)
class ArtistUnfollowed(Event):
    """A listener follows an artist no longer."""

    user_id: int
    artist_id: int
