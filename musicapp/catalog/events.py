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
class AlbumCreated(Event):
    """A draft exists; `user_id` made it. Sent once in an album's life."""

    album_id: int
    user_id: int


@dataclass(frozen=True, slots=True)
class AlbumUpdated(Event):
    """Something that its pages show changed: title, credits, genres, cover."""

    album_id: int


@dataclass(frozen=True, slots=True)
class AlbumPublished(Event):
    """Everybody may see it. Sent again when it is published again."""

    album_id: int


@dataclass(frozen=True, slots=True)
class AlbumUnpublished(Event):
    """It is a draft again."""

    album_id: int


@dataclass(frozen=True, slots=True)
class AlbumDeleted(Event):
    """It is gone for everybody; its members may restore it."""

    album_id: int


@dataclass(frozen=True, slots=True)
class AlbumRestored(Event):
    """A deletion was undone; it is published if it was."""

    album_id: int


@dataclass(frozen=True, slots=True)
class TrackAdded(Event):
    """A track exists, made from an upload. It plays if its original does."""

    track_id: int
    album_id: int


@dataclass(frozen=True, slots=True)
class TrackUpdated(Event):
    """Its title, credits or numbers changed."""

    track_id: int
    album_id: int


@dataclass(frozen=True, slots=True)
class TrackReady(Event):
    """Its renditions are made. Sent again after a re-encode."""

    track_id: int
    album_id: int


@dataclass(frozen=True, slots=True)
class TrackDeleted(Event):
    """It is gone from its album; its members may restore it (not so where its file was refused)."""

    track_id: int
    album_id: int


@dataclass(frozen=True, slots=True)
class TrackRestored(Event):
    """A deletion was undone."""

    track_id: int
    album_id: int


@dataclass(frozen=True, slots=True)
class TracksReordered(Event):
    """The tracks of an album stand in another order."""

    album_id: int
