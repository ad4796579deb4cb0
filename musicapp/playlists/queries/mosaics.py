"""Mosaics: the covers of the first albums in playlists, kept in Redis; for many playlists in two statements."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import String, cast, func, select

from musicapp.catalog.models import Album, Artwork, Track
from musicapp.catalog.queries.pictures import Picture, picture_of
from musicapp.core.cache import Kind
from musicapp.core.db import db
from musicapp.playlists.models import Playlist, PlaylistEntry

MOST = 4
LOOKED_AT = 32
"""Entries from the start in which covers are looked for: a long playlist costs no more than a short one."""

MOSAICS = Kind[tuple[Picture, ...]]("playlist_mosaic", tuple[Picture, ...])
"""Also of playlists without any cover: () is kept like others."""


def mosaics(playlist_ids: Collection[int]) -> dict[int, tuple[Picture, ...]]:
    """Playlist id -> up to four covers, only of published albums: the same for all. Without any: left out."""
    return {id_: pictures for id_, pictures in MOSAICS.get_many(playlist_ids, _load).items() if pictures}


def drop_mosaics_of_album(album_id: int) -> None:
    """With the commit, of all playlists in which one of the album's tracks stands."""
    tracks = select(Track.id).where(Track.album_id == album_id)
    standing = select(PlaylistEntry.playlist_id).where(
        PlaylistEntry.track_id.in_(tracks), PlaylistEntry.removed_at.is_(None)
    )
    MOSAICS.drop(*db.session.scalars(standing.distinct()))


def _load(playlist_ids: list[int]) -> dict[int, tuple[Picture, ...]]:
    first = (
        select(PlaylistEntry.track_id.label("track_id"), PlaylistEntry.order_key.label("order_key"))
        .where(PlaylistEntry.playlist_id == Playlist.id, PlaylistEntry.removed_at.is_(None))
        .order_by(PlaylistEntry.order_key)
        .limit(LOOKED_AT)
        .correlate(Playlist)
        .subquery()
    )
    covers = (
        select(cast(Album.cover_id, String).label("cover_id"))
        .select_from(first)
        .join(Track, Track.id == first.c.track_id)
        .join(Album, Album.id == Track.album_id)
        .where(
            Album.cover_id.is_not(None),
            Album.published_at.is_not(None),
            Album.deleted_at.is_(None),
            Track.deleted_at.is_(None),
        )
        .order_by(first.c.order_key)
        .correlate(Playlist)
        .subquery()
    )
    joined = select(func.aggregate_strings(covers.c.cover_id, ",")).correlate(Playlist).scalar_subquery()
    found = db.session.execute(
        select(Playlist.id, joined.label("covers")).where(Playlist.id.in_(playlist_ids), Playlist.cover_id.is_(None))
    )
    chosen = {row.id: [int(id_) for id_ in dict.fromkeys(row.covers.split(","))][:MOST] for row in found if row.covers}
    wanted = {id_ for ids in chosen.values() for id_ in ids}
    artworks = db.session.scalars(select(Artwork).where(Artwork.id.in_(wanted))) if wanted else ()
    pictures = {artwork.id: picture for artwork in artworks if (picture := picture_of(artwork))}
    return {
        playlist_id: tuple(pictures[id_] for id_ in chosen.get(playlist_id, ()) if id_ in pictures)
        for playlist_id in playlist_ids
    }
