"""Who may see a playlist's own picture: whoever may see the playlist.

An unlisted one's picture is open to everybody, as the address of a picture can't carry the playlist's link; it is
known by a bare number that says nothing about the playlist.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists

from musicapp.catalog.queries.pictures import USES_ELSEWHERE, PictureUse
from musicapp.playlists.models import Playlist, PlaylistMember


def _is_public(artwork_id: int) -> ColumnElement[bool]:
    return exists().where(
        Playlist.cover_id == artwork_id, Playlist.visibility != "private", Playlist.deleted_at.is_(None)
    )


def _is_shown_to(artwork_id: int, user_id: int) -> ColumnElement[bool]:
    return exists().where(
        Playlist.cover_id == artwork_id,
        Playlist.deleted_at.is_(None),
        PlaylistMember.playlist_id == Playlist.id,
        PlaylistMember.user_id == user_id,
    )


COVER_USE = PictureUse(Playlist.cover_id, _is_public, _is_shown_to)
USES_ELSEWHERE["playlists"] = COVER_USE
