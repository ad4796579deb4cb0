"""What one user keeps of one playlist."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select, union_all
from sqlalchemy.sql import literal

from musicapp.core.db import db
from musicapp.playlists.models import PlaylistFollow, PlaylistMember


@dataclass(frozen=True, slots=True)
class Following:
    """Whether this user follows, and what they have seen and want to be told of."""

    is_followed: bool = False
    seen_version: int | None = None
    """None for members and for who doesn't follow."""
    wants_digest: bool = False
    """It is not muted."""


def following(user_id: int | None, playlist_id: int) -> Following:
    """One statement; nothing of anything for strangers."""
    if user_id is None:
        return Following()
    follow = select(PlaylistFollow.seen_version, PlaylistFollow.wants_digest).where(
        PlaylistFollow.playlist_id == playlist_id, PlaylistFollow.user_id == user_id
    )
    member = select(literal(-1), PlaylistMember.wants_digest).where(
        PlaylistMember.playlist_id == playlist_id, PlaylistMember.user_id == user_id
    )
    rows = db.session.execute(union_all(follow, member)).all()
    if not rows:
        return Following()
    seen_version, wants_digest = rows[0]
    is_followed = seen_version >= 0
    return Following(is_followed, seen_version if is_followed else None, bool(wants_digest))
