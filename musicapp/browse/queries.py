"""What the home page and the side bar show: reads that mix rooms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Select, and_, literal, null, select

from musicapp.catalog import queries
from musicapp.catalog.models import Album, AlbumCredit
from musicapp.catalog.queries.albums import PUBLISHED
from musicapp.catalog.shuffle import Shuffle
from musicapp.core.db import db, utc_now
from musicapp.library.models import ArtistFollow
from musicapp.library.queries import recently_played
from musicapp.notifications.notices.queries import unread_notices
from musicapp.playlists.models import Playlist, PlaylistMember
from musicapp.playlists.queries import PlaylistCard, is_kept_by, playlists_of

HOME_ALBUMS = 24
SHELF_ALBUMS = 12
NEW_FOR = timedelta(days=90)
SIDE_PLAYLISTS = 200


@dataclass(frozen=True, slots=True)
class SidePlaylist:
    """A playlist as the side bar names it."""

    id: int
    name: str
    may_add: bool

    @property
    def url(self) -> str:
        return f"/playlists/{self.id}"


@dataclass(frozen=True, slots=True)
class Home:
    """What the home page shows besides its words. For strangers only what is new."""

    albums: list[queries.AlbumCard]
    album_count: int
    recent: list[queries.AlbumCard | SidePlaylist]
    followed: list[queries.AlbumCard]
    picks: list[queries.AlbumCard]
    playlists: list[PlaylistCard]
    side_playlists: list[SidePlaylist] | None = None
    """Read already, since something was played from a playlist: the side bar need not ask again."""


def published_card(album_id: int) -> queries.AlbumCard | None:
    """The card of an album, or None where it is not, or no longer, published."""
    cards = queries.album_cards(select(Album).where(Album.id == album_id, *PUBLISHED))
    return cards[0] if cards else None


def home(user_id: int | None, today: date) -> Home:
    """The home page of a user (None: a stranger), in at most eleven statements."""
    newest = queries.latest_album_ids(HOME_ALBUMS)
    album_count = queries.published_album_count()
    if user_id is None:
        return Home(queries.cards_of_albums(newest), album_count, [], [], [], [])
    recent = recently_played(user_id, SHELF_ALBUMS)
    followed = _new_from_followed(user_id)
    # The same all day for one user. Some may be drafts or gone.
    shuffle = Shuffle(f"{user_id}d{today.toordinal()}", max(newest, default=1))
    picked = [id for id in shuffle.numbers(0, 4 * SHELF_ALBUMS) if id not in newest]
    heard = [played.id for played in recent if played.kind == "album"]
    seen = queries.published_among([*heard, *picked, *newest[:1]])
    picked = [id for id in picked if id in seen][:SHELF_ALBUMS]
    wanted = [*newest, *followed, *picked, *(id for id in heard if id in seen)]
    cards = {card.id: card for card in queries.cards_of_albums(wanted)}
    names = side_playlists(user_id) if any(played.kind == "playlist" for played in recent) else None
    playlists = {playlist.id: playlist for playlist in names or ()}
    heard_cards = {id: cards[id] for id in heard if id in seen and id in cards}
    tiles = [(heard_cards if played.kind == "album" else playlists).get(played.id) for played in recent]

    def found(ids: list[int]) -> list[queries.AlbumCard]:
        return [cards[id] for id in ids if id in cards]

    return Home(
        albums=found(newest),
        album_count=album_count,
        recent=[tile for tile in tiles if tile],
        followed=found(followed),
        picks=found(picked),
        playlists=playlists_of(user_id, limit=SHELF_ALBUMS),
        side_playlists=names,
    )


def _new_from_followed(user_id: int) -> list[int]:
    """Ids of albums that artists whom the user follows published of late, latest first."""
    # Found from the follows, which are few beside what a large site publishes in three months.
    named = (
        select(AlbumCredit.album_id)
        .join(ArtistFollow, ArtistFollow.artist_id == AlbumCredit.artist_id)
        .where(ArtistFollow.user_id == user_id)
        .distinct()
        .subquery()
    )
    found = (
        select(Album.id)
        .join(named, named.c.album_id == Album.id)
        .where(*PUBLISHED, Album.published_at > utc_now() - NEW_FOR)
        .order_by(Album.published_at.desc(), Album.id.desc())
        .limit(SHELF_ALBUMS)
    )
    return list(db.session.scalars(found))


def side_playlists(user_id: int) -> list[SidePlaylist]:
    """What a user made, joined or follows, by name: names only, for every page shows them."""
    return _by_name(db.session.execute(_side_playlists_of(user_id)))


def side_bar(user_id: int) -> tuple[list[SidePlaylist], int]:
    """The side playlists, and how many notices are unread (as notices.queries.unread_count): one statement for both."""
    playlists = _side_playlists_of(user_id).subquery()
    unread = select(null(), null(), null(), null(), unread_notices(user_id).scalar_subquery())
    both = select(playlists, literal(0)).union_all(unread)
    *rows, last = db.session.execute(both).all()
    return _by_name(rows), last[4]


def _by_name(rows: Iterable[Any]) -> list[SidePlaylist]:
    """A union keeps no order that one could rely on."""
    ordered = sorted(rows, key=lambda row: (row.sort_name, row.id))
    return [SidePlaylist(row.id, row.name, may_add=row.role in ("owner", "editor")) for row in ordered]


def _side_playlists_of(user_id: int) -> Select[int, str, str, str]:
    return (
        select(Playlist.id, Playlist.name, PlaylistMember.role, Playlist.sort_name)
        .outerjoin(PlaylistMember, and_(PlaylistMember.playlist_id == Playlist.id, PlaylistMember.user_id == user_id))
        .where(*is_kept_by(user_id))
        .order_by(Playlist.sort_name, Playlist.id)
        .limit(SIDE_PLAYLISTS)
    )
