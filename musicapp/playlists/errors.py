"""What playlists refuse, in words for the person who asked."""

from __future__ import annotations


class PlaylistError(Exception):
    """Something can't be done; str() says why and what to do."""


class PlaylistNotFoundError(PlaylistError):
    """There is no such playlist for this user: pages answer 404."""

    def __init__(self, words: str = "This playlist isn't here. It may be deleted, or private.") -> None:
        super().__init__(words)


class PlaylistForbiddenError(PlaylistError):
    """The user sees the playlist but may not do this: pages answer 403."""


class PlaylistInputError(PlaylistError):
    """A field can't be stored as it is. `field` names it: forms show the words there."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(words)
        self.field = field


class PlaylistFullError(PlaylistError):
    """The tracks don't fit; none of them was added."""


class NothingToUndoError(PlaylistError):
    """There is no such change any more, or others have changed all of it since."""


class PlaylistInvitationError(PlaylistError):
    """An invitation can't be made or used; the words say why."""


class PlaylistMemberError(PlaylistError):
    """A member can't get this role, leave or be removed."""


class ExchangeError(PlaylistError):
    """A playlist file can't be read; the words say why."""
