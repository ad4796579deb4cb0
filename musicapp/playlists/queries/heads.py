"""A playlist without its rows: the head of its page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from musicapp.accounts.models import User
from musicapp.catalog.models import Artwork
from musicapp.catalog.queries.pictures import Picture, picture_of
from musicapp.core.db import db
from musicapp.playlists.models import Playlist
from musicapp.playlists.queries.mosaics import mosaics
from musicapp.playlists.queries.people import PERSON, MemberRow, Person, members


@dataclass(frozen=True, slots=True)
class PlaylistHead:
    """What everybody who may see a playlist sees of it above the rows. Neutral: it fits into a live fragment."""

    id: int
    name: str
    description: str
    visibility: str
    owner: Person
    members: tuple[MemberRow, ...]
    """Owner first."""
    version: int
    track_count: int
    duration_ms: int
    follower_count: int
    created_at: datetime
    updated_at: datetime
    cover: Picture | None
    """Its own picture; None: draw the mosaic."""
    mosaic: tuple[Picture, ...]
    """Up to four covers of its first albums."""

    @property
    def url(self) -> str:
        return f"/playlists/{self.id}"

    @property
    def editors(self) -> list[MemberRow]:
        return [row for row in self.members if row.role != "viewer"]


def playlist_head(playlist_id: int) -> PlaylistHead | None:
    """The head of a playlist that isn't deleted; who may see it is another question (may_see). Four statements."""
    row = db.session.execute(
        select(Playlist, Artwork, *PERSON)
        .join(User, User.id == Playlist.owner_id)
        .outerjoin(Artwork, Artwork.id == Playlist.cover_id)
        .where(Playlist.id == playlist_id, Playlist.deleted_at.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        return None
    playlist: Playlist = row.Playlist
    return PlaylistHead(
        id=playlist.id,
        name=playlist.name,
        description=playlist.description,
        visibility=playlist.visibility,
        owner=Person(*row[2:]),
        members=tuple(members(playlist_id)),
        version=playlist.version,
        track_count=playlist.track_count,
        duration_ms=playlist.duration_ms,
        follower_count=playlist.follower_count,
        created_at=playlist.created_at,
        updated_at=playlist.updated_at,
        cover=picture_of(row.Artwork),
        mosaic=mosaics([playlist_id]).get(playlist_id, ()) if playlist.cover_id is None else (),
    )


def version_of(playlist_id: int) -> int | None:
    """The number of the last change; None for a playlist that is deleted."""
    return db.session.scalar(select(Playlist.version).where(Playlist.id == playlist_id, Playlist.deleted_at.is_(None)))
