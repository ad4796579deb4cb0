"""What happens to artists, albums and tracks."""

from __future__ import annotations

from dataclasses import dataclass

from musicapp.core.events import Event


@dataclass(frozen=True, slots=True)
class ArtistCreated(Event):
    """A performing name with a studio exists. Not sent for names that stand only in credits."""

    artist_id: int


@dataclass(frozen=True, slots=True)
class ArtistUpdated(Event):
    """Name, biography or picture changed."""

    artist_id: int


@dataclass(frozen=True, slots=True)
class ArtistMembersChanged(Event):
    """Somebody may open the studio, or may no longer."""

    artist_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class AlbumEvent(Event):
    """What happens to an album. Not published itself."""

    album_id: int


@dataclass(frozen=True, slots=True)
class TrackEvent(Event):
    """What happens to a track. Not published itself."""

    track_id: int
    album_id: int


@dataclass(frozen=True, slots=True)
class AlbumCreated(AlbumEvent):
    """A draft exists; `user_id` made it. Sent once in an album's life."""

    user_id: int


@dataclass(frozen=True, slots=True)
class AlbumUpdated(AlbumEvent):
    """Something that its pages show changed: title, credits, genres, cover."""


@dataclass(frozen=True, slots=True)
class AlbumPublished(AlbumEvent):
    """Everybody may see it. Sent again when it is published again."""


@dataclass(frozen=True, slots=True)
class AlbumUnpublished(AlbumEvent):
    """It is a draft again."""


@dataclass(frozen=True, slots=True)
class AlbumDeleted(AlbumEvent):
    """It is gone for everybody; its members may restore it."""


@dataclass(frozen=True, slots=True)
class AlbumRestored(AlbumEvent):
    """A deletion was undone; it is published if it was."""


@dataclass(frozen=True, slots=True)
class TrackAdded(TrackEvent):
    """A track exists, made from an upload. It plays if its original does."""


@dataclass(frozen=True, slots=True)
class TrackUpdated(TrackEvent):
    """Its title, credits or numbers changed."""


@dataclass(frozen=True, slots=True)
class TrackReady(TrackEvent):
    """Its renditions are made. Sent again after a re-encode."""


@dataclass(frozen=True, slots=True)
class TrackDeleted(TrackEvent):
    """It is gone from its album; its members may restore it (not so where its file was refused)."""


@dataclass(frozen=True, slots=True)
class TrackRestored(TrackEvent):
    """A deletion was undone."""


@dataclass(frozen=True, slots=True)
class TracksReordered(AlbumEvent):
    """The tracks of an album stand in another order."""
