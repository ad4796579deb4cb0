"""Artists: cards, the page of one, and who may open the studio."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.orm import joinedload

from musicapp.accounts.models import User
from musicapp.catalog.models import Album, AlbumCredit, Artist, ArtistMember, Track, TrackCredit
from musicapp.catalog.queries.albums import PUBLISHED, album_cards, albums_credited_to
from musicapp.catalog.queries.pictures import Picture, picture_of
from musicapp.catalog.queries.rows import AlbumCard
from musicapp.core.db import db


@dataclass(frozen=True, slots=True)
class ArtistCard:
    """An artist in a list."""

    id: int
    name: str
    picture: Picture | None

    @property
    def url(self) -> str:
        return f"/artists/{self.id}"

    @property
    def studio_url(self) -> str:
        return f"/studio/artists/{self.id}"


@dataclass(frozen=True, slots=True)
class ArtistPage:
    """An artist with all that their page shows."""

    id: int
    name: str
    bio: str
    picture: Picture | None
    albums: tuple[AlbumCard, ...]
    appears_on: tuple[AlbumCard, ...]


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Who may open a studio."""

    user_id: int
    username: str
    display_name: str
    role: str


def artist_cards(limit: int = 60, after_id: int | None = None) -> list[ArtistCard]:
    """Artists with something published, by sort name; `after_id` is the last one of the page before."""
    key = func.lower(Artist.sort_name)
    on_albums = select(AlbumCredit.artist_id).join(Album, Album.id == AlbumCredit.album_id).where(*PUBLISHED)
    found = (
        select(Artist)
        .where(Artist.deleted_at.is_(None), Artist.id.in_(on_albums))
        .options(joinedload(Artist.picture))
        .order_by(key, Artist.id)
        .limit(limit)
    )
    if after_id is not None:
        last = select(func.lower(Artist.sort_name)).where(Artist.id == after_id).scalar_subquery()
        found = found.where(or_(key > last, and_(key == last, Artist.id > after_id)))
    return [ArtistCard(a.id, a.name, picture_of(a.picture)) for a in db.session.scalars(found)]


def artists_of_user(user_id: int) -> list[ArtistCard]:
    """The artists whose studio this user may open."""
    found = (
        select(Artist)
        .join(ArtistMember, ArtistMember.artist_id == Artist.id)
        .where(ArtistMember.user_id == user_id, Artist.deleted_at.is_(None))
        .options(joinedload(Artist.picture))
        .order_by(func.lower(Artist.sort_name), Artist.id)
    )
    return [ArtistCard(a.id, a.name, picture_of(a.picture)) for a in db.session.scalars(found)]


def artist_page(artist_id: int, *, even_unheard: bool = False) -> ArtistPage | None:
    """The page of an artist; None for one that is deleted.

    A name that stands only in the credits of drafts is None too, or a draft's guests would be known before the
    album is; `even_unheard` is for members. An artist with a studio always has a page.
    """
    artist = db.session.scalar(
        select(Artist).where(Artist.id == artist_id, Artist.deleted_at.is_(None)).options(joinedload(Artist.picture))
    )
    if artist is None:
        return None
    albums = album_cards(albums_credited_to(artist_id))
    heard_on = (
        select(Track.album_id)
        .join(TrackCredit, TrackCredit.track_id == Track.id)
        .where(TrackCredit.artist_id == artist_id, Track.deleted_at.is_(None))
    )
    named = select(AlbumCredit.album_id).where(AlbumCredit.artist_id == artist_id)
    appears_on = album_cards(
        select(Album)
        .where(Album.id.in_(heard_on), Album.id.not_in(named), *PUBLISHED)
        .order_by(Album.release_on.desc().nulls_last(), Album.id.desc())
        .limit(100)
    )
    if not (albums or appears_on or even_unheard or _has_studio(artist_id)):
        return None
    return ArtistPage(
        id=artist.id,
        name=artist.name,
        bio=artist.bio,
        picture=picture_of(artist.picture),
        albums=tuple(albums),
        appears_on=tuple(appears_on),
    )


def _has_studio(artist_id: int) -> bool:
    return bool(db.session.scalar(select(exists().where(ArtistMember.artist_id == artist_id))))


def members_of(artist_id: int) -> list[MemberRow]:
    """Who may open the studio, owners first."""
    found = (
        select(ArtistMember, User)
        .join(User, User.id == ArtistMember.user_id)
        .where(ArtistMember.artist_id == artist_id, User.deleted_at.is_(None))
        .order_by(ArtistMember.role.desc(), User.username_key)
    )
    return [
        MemberRow(user.id, user.username, user.display_name, member.role) for member, user in db.session.execute(found)
    ]
