"""Who is told of what: kind -> a select of user ids. What they chose, and closed accounts, are seen to elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Select, select, union

from musicapp.accounts.models import User
from musicapp.catalog.models import Album, AlbumCredit, ArtistMember
from musicapp.library.models import ArtistFollow
from musicapp.notifications.models import Announcement
from musicapp.playlists.models import PlaylistInvitation

Audience = Callable[[int, Mapping[str, Any]], Select[Any]]


def audience_of(kind: str, subject_id: int, arguments: Mapping[str, Any]) -> Select[Any]:
    """A select of user ids; arguments that name people (`user_ids`) go before what the kind says."""
    if "user_ids" in arguments:
        return _named(subject_id, arguments)
    return AUDIENCES[kind](subject_id, arguments)


def _named(_subject_id: int, arguments: Mapping[str, Any]) -> Select[Any]:
    return select(User.id).where(User.id.in_(arguments.get("user_ids", ())))


def _members_of_artist(artist_id: int, _arguments: Mapping[str, Any]) -> Select[Any]:
    return select(ArtistMember.user_id).where(ArtistMember.artist_id == artist_id)


def _members_of_album(album_id: int, _arguments: Mapping[str, Any]) -> Select[Any]:
    return (
        select(ArtistMember.user_id).join(Album, Album.artist_id == ArtistMember.artist_id).where(Album.id == album_id)
    )


def _followers_of_album(album_id: int, arguments: Mapping[str, Any]) -> Select[Any]:
    """Who follows its artist or one that it names; not its own members, who hear that their album is public."""
    artists = union(
        select(Album.artist_id).where(Album.id == album_id),
        select(AlbumCredit.artist_id).where(AlbumCredit.album_id == album_id),
    )
    return select(ArtistFollow.user_id).where(
        ArtistFollow.artist_id.in_(artists), ArtistFollow.user_id.not_in(_members_of_album(album_id, arguments))
    )


def _readers_of_announcement(announcement_id: int, _arguments: Mapping[str, Any]) -> Select[Any]:
    """An artist's followers, or everybody."""
    artist_id = select(Announcement.artist_id).where(Announcement.id == announcement_id).scalar_subquery()
    follows = select(ArtistFollow.user_id).where(ArtistFollow.artist_id == artist_id)
    return select(User.id).where(artist_id.is_(None) | User.id.in_(follows))


def _invited(invitation_id: int, _arguments: Mapping[str, Any]) -> Select[Any]:
    return select(PlaylistInvitation.user_id).where(
        PlaylistInvitation.id == invitation_id,
        PlaylistInvitation.answered_at.is_(None),
        PlaylistInvitation.revoked_at.is_(None),
    )


AUDIENCES: dict[str, Audience] = {
    "new_release": _followers_of_album,
    "announcement": _readers_of_announcement,
    "invited_to_playlist": _invited,
    "playlist_changed": _named,
    "album_created": _members_of_album,
    "album_published": _members_of_album,
    "upload_finished": _named,
    "upload_failed": _named,
    "artist_inactive": _members_of_artist,
    "artist_figures": _members_of_artist,
    "album_moderated": _members_of_album,
    "report_decided": _named,
    "picture_ready": _named,
    "newsletter": _named,
}
