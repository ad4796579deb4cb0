"""What the search index is told of playlists: those that are public."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, select

from musicapp.accounts.models import User
from musicapp.core.db import db
from musicapp.playlists.models import Playlist
from musicapp.search.sources import NewEntry, search_source


@search_source("playlist")
def playlists_to_find(after_id: int, limit: int) -> list[NewEntry]:
    """For rebuilding the whole index."""
    return _entries(_public().where(Playlist.id > after_id).order_by(Playlist.id).limit(limit))


def playlist_to_find(playlist_id: int) -> NewEntry | None:
    """None for a playlist that only some may see."""
    found = _entries(_public().where(Playlist.id == playlist_id))
    return found[0] if found else None


def playlists_of_to_find(owner_id: int) -> list[NewEntry]:
    """All of one owner: they are found by the owner's name, too."""
    return _entries(_public().where(Playlist.owner_id == owner_id).order_by(Playlist.id))


def _public() -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(Playlist.id, Playlist.name, Playlist.description, Playlist.follower_count),
            *(User.username, User.display_name),
        )
        .join(User, User.id == Playlist.owner_id)
        .where(Playlist.visibility == "public", Playlist.deleted_at.is_(None))
    )


def _entries(found: Select[*tuple[Any, ...]]) -> list[NewEntry]:
    return [
        NewEntry(
            "playlist",
            row.id,
            row.name,
            words=f"{row.display_name} {row.username} {row.description[:500]}",
            popularity=row.follower_count,
        )
        for row in db.session.execute(found)
    ]
