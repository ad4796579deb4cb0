"""Lists of playlists: a person's own, those to add to, the public ones."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal, null, or_, select

from musicapp.accounts.models import User
from musicapp.catalog.models import Artwork
from musicapp.catalog.queries.pictures import Picture, picture_of
from musicapp.core.db import LARGEST_ID, db
from musicapp.playlists.models import Playlist, PlaylistEntry, PlaylistFollow, PlaylistMember
from musicapp.playlists.queries.mosaics import mosaics
from musicapp.playlists.queries.people import PERSON, Person

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_OF_ONE_USER = 1_000


@dataclass(frozen=True, slots=True)
class PlaylistCard:
    """A playlist in a grid, a list or the sidebar."""

    id: int
    name: str
    owner: Person
    visibility: str
    track_count: int
    duration_ms: int
    follower_count: int
    version: int
    updated_at: datetime
    cover: Picture | None
    mosaic: tuple[Picture, ...]
    role: str | None
    """The user's: owner, editor, viewer; None for one that they follow, or that anybody sees."""
    is_followed: bool
    has_news: bool
    """Changed since a follower last looked."""
    containing_count: int
    """How many of the tracks asked about stand in it already (editable_playlists_of)."""

    @property
    def url(self) -> str:
        return f"/playlists/{self.id}"

    @property
    def page_key(self) -> str:
        """Where the next page of a list by last change begins."""
        return f"{round((self.updated_at - _EPOCH) / timedelta(microseconds=1))}-{self.id}"


def is_kept_by(user_id: int) -> tuple[ColumnElement[bool], ...]:
    """Conditions for what this user made, joined or follows."""
    joined = select(PlaylistMember.playlist_id).where(PlaylistMember.user_id == user_id)
    followed = select(PlaylistFollow.playlist_id).where(PlaylistFollow.user_id == user_id)
    # One that became private since is nobody else's any more; an unlisted one was opened by its link.
    is_open = Playlist.visibility != "private"
    return Playlist.deleted_at.is_(None), or_(Playlist.id.in_(joined), and_(Playlist.id.in_(followed), is_open))


def playlists_of(user_id: int, *, limit: int = MOST_OF_ONE_USER, with_pictures: bool = True) -> list[PlaylistCard]:
    """What this user made, joined or follows, last changed first. One statement, two more for mosaics."""
    found = (
        select(
            *(Playlist, Artwork, *PERSON, PlaylistMember.role, PlaylistFollow.seen_version),
            literal(0).label("containing_count"),
        )
        .join(User, User.id == Playlist.owner_id)
        .outerjoin(Artwork, Artwork.id == Playlist.cover_id)
        .outerjoin(PlaylistMember, and_(PlaylistMember.playlist_id == Playlist.id, PlaylistMember.user_id == user_id))
        .outerjoin(PlaylistFollow, and_(PlaylistFollow.playlist_id == Playlist.id, PlaylistFollow.user_id == user_id))
        .where(*is_kept_by(user_id))
        .order_by(Playlist.updated_at.desc(), Playlist.id.desc())
        .limit(limit)
    )
    return _cards(found, with_pictures)


def editable_playlists_of(user_id: int, containing_track_ids: Collection[int] = ()) -> list[PlaylistCard]:
    """Playlists that this user may add to, last changed first; each says how many of the tracks it contains."""
    count: Any = literal(0)
    if containing_track_ids:
        count = (
            select(func.count(PlaylistEntry.track_id.distinct()))
            .where(
                PlaylistEntry.playlist_id == Playlist.id,
                PlaylistEntry.track_id.in_(list(containing_track_ids)[:MOST_OF_ONE_USER]),
                PlaylistEntry.removed_at.is_(None),
            )
            .correlate(Playlist)
            .scalar_subquery()
        )
    found = (
        select(
            *(Playlist, Artwork, *PERSON, PlaylistMember.role, null().label("seen_version")),
            count.label("containing_count"),
        )
        .join(PlaylistMember, PlaylistMember.playlist_id == Playlist.id)
        .join(User, User.id == Playlist.owner_id)
        .outerjoin(Artwork, Artwork.id == Playlist.cover_id)
        .where(
            PlaylistMember.user_id == user_id,
            PlaylistMember.role.in_(("owner", "editor")),
            Playlist.deleted_at.is_(None),
        )
        .order_by(Playlist.updated_at.desc(), Playlist.id.desc())
        .limit(MOST_OF_ONE_USER)
    )
    return _cards(found)


def public_playlists(*, before: str | None = None, limit: int = 48, owner_id: int | None = None) -> list[PlaylistCard]:
    """Public playlists, last changed first, of one owner or of all; `before` is the page_key of the last card."""
    found = _public().order_by(Playlist.updated_at.desc(), Playlist.id.desc()).limit(limit)
    if owner_id is not None:
        found = found.where(Playlist.owner_id == owner_id)
    if key := _read_page_key(before):
        at, playlist_id = key
        found = found.where(or_(Playlist.updated_at < at, and_(Playlist.updated_at == at, Playlist.id < playlist_id)))
    return _cards(found)


def public_cards(playlist_ids: Collection[int], *, with_pictures: bool = True) -> dict[int, PlaylistCard]:
    """Playlist id -> card, of those that are public: for what search found."""
    if not playlist_ids:
        return {}
    return {card.id: card for card in _cards(_public().where(Playlist.id.in_(playlist_ids)), with_pictures)}


def _public() -> Select[*tuple[Any, ...]]:
    return (
        select(
            *(Playlist, Artwork, *PERSON, null().label("role"), null().label("seen_version")),
            literal(0).label("containing_count"),
        )
        .join(User, User.id == Playlist.owner_id)
        .outerjoin(Artwork, Artwork.id == Playlist.cover_id)
        .where(Playlist.visibility == "public", Playlist.deleted_at.is_(None))
    )


def deleted_playlists_of(user_id: int) -> list[PlaylistCard]:
    """What this user could bring back, last deleted first, without pictures."""
    found = (
        select(
            *(Playlist, Artwork, *PERSON, literal("owner").label("role"), null().label("seen_version")),
            literal(0).label("containing_count"),
        )
        .join(User, User.id == Playlist.owner_id)
        .outerjoin(Artwork, Artwork.id == Playlist.cover_id)
        .where(Playlist.owner_id == user_id, Playlist.deleted_at.is_not(None))
        .order_by(Playlist.deleted_at.desc(), Playlist.id.desc())
        .limit(100)
    )
    return _cards(found, with_pictures=False)


def _cards(found: Select[*tuple[Any, ...]], with_pictures: bool = True) -> list[PlaylistCard]:
    rows = db.session.execute(found).all()
    tiles = mosaics([row.Playlist.id for row in rows if row.Playlist.cover_id is None]) if with_pictures else {}
    return [
        PlaylistCard(
            id=row.Playlist.id,
            name=row.Playlist.name,
            owner=Person(row.id, row.username, row.display_name, row.avatar_key),
            visibility=row.Playlist.visibility,
            track_count=row.Playlist.track_count,
            duration_ms=row.Playlist.duration_ms,
            follower_count=row.Playlist.follower_count,
            version=row.Playlist.version,
            updated_at=row.Playlist.updated_at,
            cover=picture_of(row.Artwork),
            mosaic=tiles.get(row.Playlist.id, ()),
            role=row.role,
            is_followed=row.seen_version is not None,
            has_news=row.seen_version is not None and row.Playlist.version > row.seen_version,
            containing_count=row.containing_count,
        )
        for row in rows
    ]


def _read_page_key(key: str | None) -> tuple[datetime, int] | None:
    """None for what is no key: an address that somebody mended by hand shows the first page."""
    micros, _, playlist_id = (key or "").partition("-")
    try:
        return _EPOCH + timedelta(microseconds=int(micros)), min(max(int(playlist_id), 0), LARGEST_ID)
    except (ValueError, OverflowError):
        return None
