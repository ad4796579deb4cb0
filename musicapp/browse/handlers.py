"""The home page follows what is published, the side bar who has which playlists."""

from __future__ import annotations

from sqlalchemy import select

from musicapp.catalog import events
from musicapp.core.db import db
from musicapp.core.events import on
from musicapp.live import services as live
from musicapp.playlists import events as playlist_events
from musicapp.playlists.models import PlaylistChange, PlaylistInvitation, PlaylistMember

RENAMING = ("edited", "undone", "restored")
"""Changes of a playlist that may have changed its name."""


@on(events.AlbumPublished)
def show_new_album(event: events.AlbumPublished) -> None:
    live.note("home", "new_album", event.album_id)


@on(events.AlbumUpdated)
@on(events.AlbumUnpublished)
@on(events.AlbumDeleted)
@on(events.AlbumRestored)
def show_changed_albums(event: events.AlbumEvent) -> None:
    live.note("home", "latest_albums", 0)


@on(playlist_events.PlaylistCreated)
@on(playlist_events.PlaylistVisibilityChanged)
@on(playlist_events.PlaylistDeleted)
@on(playlist_events.PlaylistRestored)
def show_playlists_of_members(event: playlist_events.PlaylistEvent) -> None:
    """Followers see it with their next page: ten thousand pokes would push everything else out of the live log."""
    members = select(PlaylistMember.user_id).where(PlaylistMember.playlist_id == event.playlist_id)
    for user_id in db.session.scalars(members):
        _poke(user_id)


@on(playlist_events.PlaylistChanged)
def show_renamed_playlist(event: playlist_events.PlaylistChanged) -> None:
    change = db.session.get(PlaylistChange, event.change_id)
    if change is not None and change.kind in RENAMING:
        show_playlists_of_members(event)


@on(playlist_events.PlaylistFollowed)
@on(playlist_events.PlaylistMembersChanged)
def show_playlists_of_user(event: playlist_events.PlaylistFollowed | playlist_events.PlaylistMembersChanged) -> None:
    _poke(event.user_id)


@on(playlist_events.UserInvitedToPlaylist)
def show_invitation(event: playlist_events.UserInvitedToPlaylist) -> None:
    invitation = db.session.get(PlaylistInvitation, event.invitation_id)
    if invitation is not None and invitation.user_id is not None:
        _poke(invitation.user_id)


def _poke(user_id: int) -> None:
    live.poke(f"library-{user_id}", "playlists-changed")
