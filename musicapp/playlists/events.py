"""What happens to playlists. Published inside the transaction that makes it true."""

from __future__ import annotations

from dataclasses import dataclass

from musicapp.core.events import Event


@dataclass(frozen=True, slots=True)
class PlaylistEvent(Event):
    """What happens to a playlist. Not published itself."""

    playlist_id: int


@dataclass(frozen=True, slots=True)
class PlaylistCreated(PlaylistEvent):
    """A playlist exists. Its first change is told by PlaylistChanged too."""


@dataclass(frozen=True, slots=True)
class PlaylistChanged(PlaylistEvent):
    """Its version went up by one: tracks, order or words changed. Once for each change."""

    change_id: int


@dataclass(frozen=True, slots=True)
class PlaylistVisibilityChanged(PlaylistEvent):
    """It is private, unlisted or public now, or has a new link. Whoever looks is asked for their rights again."""


@dataclass(frozen=True, slots=True)
class PlaylistEdited(PlaylistEvent):
    """Name, description, picture or who may see it changed; PlaylistChanged follows."""


@dataclass(frozen=True, slots=True)
class PlaylistDeleted(PlaylistEvent):
    """It is gone for everybody; its owner may restore it."""


@dataclass(frozen=True, slots=True)
class PlaylistRestored(PlaylistEvent):
    """A deletion was undone."""


@dataclass(frozen=True, slots=True)
class PlaylistFollowed(PlaylistEvent):
    """The number of followers changed, up or down."""

    user_id: int


@dataclass(frozen=True, slots=True)
class PlaylistMembersChanged(PlaylistEvent):
    """This user joined, left, was removed or has another role."""

    user_id: int


@dataclass(frozen=True, slots=True)
class PlaylistHandedOver(PlaylistEvent):
    """Somebody else owns it now; PlaylistMembersChanged comes for both."""


@dataclass(frozen=True, slots=True)
class UserInvitedToPlaylist(Event):
    """Somebody was invited by name. Not sent for links."""

    invitation_id: int


@dataclass(frozen=True, slots=True)
class PlaylistDigestDue(PlaylistEvent):
    """This user wants to hear what others changed: the changes after from_version, up to to_version.

    Never sent for changes that are only their own. queries.digest_of() has what there is to say.
    """

    user_id: int
    from_version: int
    to_version: int
