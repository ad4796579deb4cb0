"""Who may see and who may change a playlist. For strangers, what they may not see doesn't exist."""

from __future__ import annotations

import hmac

from sqlalchemy import and_, select

from musicapp.core.db import db
from musicapp.playlists.models import Playlist, PlaylistMember


def role_of(user_id: int | None, playlist_id: int) -> str | None:
    """owner, editor or viewer; None for everybody else, and when the playlist is deleted."""
    if user_id is None:
        return None
    return db.session.scalar(
        select(PlaylistMember.role)
        .join(Playlist, Playlist.id == PlaylistMember.playlist_id)
        .where(
            PlaylistMember.playlist_id == playlist_id,
            PlaylistMember.user_id == user_id,
            Playlist.deleted_at.is_(None),
        )
    )


def may_see(user_id: int | None, playlist_id: int, *, link_token: str | None = None) -> bool:
    """Public: everybody (who may listen at all: accounts.listening). Unlisted: members and whoever has the link's
    token. Private: members. One statement."""
    return access(user_id, playlist_id, link_token=link_token)[0]


def access(user_id: int | None, playlist_id: int, *, link_token: str | None = None) -> tuple[bool, str | None]:
    """(may_see, role_of) in one statement: what a page asks first."""
    row = db.session.execute(
        select(Playlist.visibility, Playlist.link_token, PlaylistMember.role)
        .outerjoin(
            PlaylistMember, and_(PlaylistMember.playlist_id == Playlist.id, PlaylistMember.user_id == (user_id or 0))
        )
        .where(Playlist.id == playlist_id, Playlist.deleted_at.is_(None))
    ).one_or_none()
    if row is None:
        return False, None
    has_link = link_token is not None and hmac.compare_digest(row.link_token.encode(), link_token.encode())
    is_open = row.visibility == "public" or (row.visibility == "unlisted" and has_link)
    return is_open or row.role is not None, row.role


def link_token_of(playlist_id: int) -> str | None:
    """What the address of an unlisted playlist ends with; show it to members only."""
    return db.session.scalar(select(Playlist.link_token).where(Playlist.id == playlist_id))
