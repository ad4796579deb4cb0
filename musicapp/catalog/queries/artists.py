"""Artists: cards, the page of one, and who may open the studio."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import exists, func, literal, select, tuple_, union_all

from musicapp.accounts.models import User
from musicapp.catalog.models import Album, AlbumCredit, Artist, ArtistMember, Artwork, Track, TrackCredit
from musicapp.catalog.queries import kept
from musicapp.catalog.queries.albums import PUBLISHED, cards_of_albums
from musicapp.catalog.queries.pictures import PICTURE, Picture, picture_in
from musicapp.catalog.queries.rows import AlbumCard, ArtistCard, TrackRow
from musicapp.catalog.queries.tracks import rows_of_tracks, with_plays
from musicapp.core.db import db

ALBUMS_OF_ARTIST = 300


@dataclass(frozen=True, slots=True)
class ArtistPage:
    """An artist with all that their page shows."""

    id: int
    name: str
    bio: str
    picture: Picture | None
    albums: tuple[AlbumCard, ...]
    appears_on: tuple[AlbumCard, ...]
    may_edit: bool = False


@dataclass(frozen=True, slots=True)
class MemberRow:
    """Who may open a studio."""

    user_id: int
    username: str
    display_name: str
    role: str


HEARD = exists().where(AlbumCredit.artist_id == Artist.id, Album.id == AlbumCredit.album_id, *PUBLISHED)
"""For a statement with Artist in it: something that names them is published."""


def artist_cards(limit: int = 60, after_id: int | None = None, letter: str | None = None) -> list[ArtistCard]:
    """Artists with something published, by name; `after_id` is the last one of the page before."""
    found = (
        select(Artist.id, Artist.name, *PICTURE)
        .outerjoin(Artwork, Artwork.id == Artist.picture_id)
        .where(Artist.deleted_at.is_(None), HEARD)
        .order_by(Artist.shelf_key, Artist.id)
        .limit(limit)
    )
    if letter is not None:
        found = found.where(Artist.shelf_letter == letter)
    if after_id is not None:
        last = select(Artist.shelf_key).where(Artist.id == after_id).scalar_subquery()
        # The first half of a pair compared as such is what an index is searched by.
        found = found.where(tuple_(Artist.shelf_key, Artist.id) > tuple_(last, after_id))
    return [ArtistCard(row.id, row.name, picture_in(row)) for row in db.session.execute(found)]


def cards_of_artists(artist_ids: Collection[int]) -> list[ArtistCard]:
    """Cards in the order of the ids, from the cache where it has them. The caller has asked who may be seen."""

    def load(ids: list[int]) -> dict[int, ArtistCard]:
        found = select(Artist.id, Artist.name, *PICTURE).outerjoin(Artwork, Artwork.id == Artist.picture_id)
        rows = db.session.execute(found.where(Artist.id.in_(ids), Artist.deleted_at.is_(None)))
        return {row.id: ArtistCard(row.id, row.name, picture_in(row)) for row in rows}

    cards = kept.ARTIST_CARDS.get_many(artist_ids, load)
    return [cards[id] for id in artist_ids if id in cards]


def artists_of_user(user_id: int) -> list[ArtistCard]:
    """The artists whose studio this user may open."""
    found = (
        select(Artist.id, Artist.name, *PICTURE)
        .join(ArtistMember, ArtistMember.artist_id == Artist.id)
        .outerjoin(Artwork, Artwork.id == Artist.picture_id)
        .where(ArtistMember.user_id == user_id, Artist.deleted_at.is_(None))
        .order_by(Artist.shelf_key, Artist.id)
    )
    return [ArtistCard(row.id, row.name, picture_in(row)) for row in db.session.execute(found)]


def artist_page(artist_id: int, user_id: int | None = None, *, even_unheard: bool = False) -> ArtistPage | None:
    """The page of an artist; None for one that is deleted.

    A name that stands only in the credits of drafts is None too, or a draft's guests would be known before the
    album is; `even_unheard` is for members. An artist with a studio always has a page.
    """
    is_member = exists().where(ArtistMember.artist_id == artist_id, ArtistMember.user_id == user_id)
    has_studio = exists().where(ArtistMember.artist_id == artist_id)
    artist = db.session.execute(
        select(Artist.id, Artist.name, Artist.bio, *PICTURE, has_studio.label("has_studio"), is_member.label("is_mine"))
        .outerjoin(Artwork, Artwork.id == Artist.picture_id)
        .where(Artist.id == artist_id, Artist.deleted_at.is_(None))
    ).one_or_none()
    if artist is None:
        return None
    own, others = _album_ids(artist_id)
    if not (own or others or even_unheard or artist.has_studio):
        return None
    cards = {card.id: card for card in cards_of_albums([*own, *others])}
    return ArtistPage(
        id=artist.id,
        name=artist.name,
        bio=artist.bio,
        picture=picture_in(artist),
        albums=tuple(cards[id] for id in own if id in cards),
        appears_on=tuple(cards[id] for id in others if id in cards),
        may_edit=bool(artist.is_mine),
    )


def _album_ids(artist_id: int) -> tuple[list[int], list[int]]:
    """Published albums that name the artist, and those with only a track that does, newest release first."""
    named = select(AlbumCredit.album_id, literal(1).label("is_named")).where(AlbumCredit.artist_id == artist_id)
    heard_on = (
        select(Track.album_id, literal(0))
        .join(TrackCredit, TrackCredit.track_id == Track.id)
        .where(TrackCredit.artist_id == artist_id, Track.deleted_at.is_(None))
    )
    both = union_all(named, heard_on).subquery()
    grouped = select(both.c.album_id, func.max(both.c.is_named).label("is_named")).group_by(both.c.album_id).subquery()
    found = (
        select(Album.id, grouped.c.is_named)
        .join(grouped, grouped.c.album_id == Album.id)
        .where(*PUBLISHED)
        .order_by(
            grouped.c.is_named.desc(),
            Album.release_on.desc().nulls_last(),
            Album.published_at.desc(),
            Album.id.desc(),
        )
        .limit(ALBUMS_OF_ARTIST)
    )
    rows = db.session.execute(found).all()
    return [row.id for row in rows if row.is_named], [row.id for row in rows if not row.is_named]


def popular_rows(artist_id: int, limit: int = 10) -> list[TrackRow]:
    """An artist's published tracks that were heard most, numbered from 1; in four statements.

    Which they may be is kept, as some have a thousand tracks to choose from; whether they are still there, theirs and
    published, and their plays, are asked.
    """
    found = (
        select(Track.id, Track.play_count)
        .join(TrackCredit, TrackCredit.track_id == Track.id)
        .join(Album, Album.id == Track.album_id)
        .where(TrackCredit.artist_id == artist_id, TrackCredit.role == "performer", Track.deleted_at.is_(None))
        .where(*PUBLISHED)
        .group_by(Track.id, Track.play_count)
        .order_by(Track.play_count.desc(), Track.id)
    )
    ids = kept.POPULAR.get(artist_id, lambda: tuple(db.session.scalars(found.limit(3 * limit)))) or ()
    plays = {row.id: row.play_count for row in db.session.execute(found.where(Track.id.in_(ids)).limit(limit))}
    rows = kept.TRACK_ROWS.get_many(list(plays), rows_of_tracks)
    shown = [with_plays(rows[id], plays[id]) for id in plays if id in rows]
    return [replace(row, number=number) for number, row in enumerate(shown, 1)]


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
