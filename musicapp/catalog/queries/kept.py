"""What of the catalog is kept in Redis: only what is published, and never who may see it. handlers.py drops it."""

from __future__ import annotations

from sqlalchemy import select, union

from musicapp.catalog.models import AlbumCredit, AlbumGenre, Track, TrackCredit
from musicapp.catalog.queries.rows import AlbumCard, AlbumPage, ArtistCard, GenreCard, TrackRow
from musicapp.core.cache import Kind
from musicapp.core.db import db

ALBUM_PAGES = Kind[AlbumPage]("album_page", AlbumPage)
ALBUM_CARDS = Kind[AlbumCard]("album_card", AlbumCard)
ARTIST_CARDS = Kind[ArtistCard]("artist_card", ArtistCard)
TRACK_ROWS = Kind[TrackRow]("track_row", TrackRow)
"""Without their number, and with plays that may be old."""

# One of each, id 0: counts of everything, which would read whole tables for every page.
ALBUM_COUNT = Kind[int]("album_count", int)
GENRES = Kind[tuple[GenreCard, ...]]("genres", tuple[GenreCard, ...])
YEARS = Kind[tuple[tuple[int, int], ...]]("years", tuple[tuple[int, int], ...])
LETTERS = Kind[tuple[str, ...]]("letters", tuple[str, ...])

GENRE_ARTISTS = Kind[tuple[int, ...]]("genre_artists", tuple[int, ...])
"""By the genre's id."""
POPULAR = Kind[tuple[int, ...]]("popular", tuple[int, ...])
"""By the artist's id: the tracks that were heard most, in an order that plays may have changed since."""


def drop_album(album_id: int) -> None:
    """An album came, went or changed: everything that names it, and what is counted over all albums."""
    drop_tracks_of(album_id)
    ALBUM_CARDS.drop(album_id)
    # A genre that it has no longer keeps its order of artists until CACHE_SECONDS are over.
    GENRE_ARTISTS.drop(*db.session.scalars(select(AlbumGenre.genre_id).where(AlbumGenre.album_id == album_id)))
    for counted in (ALBUM_COUNT, GENRES, YEARS, LETTERS):
        counted.drop(0)


def drop_tracks_of(album_id: int) -> None:
    ALBUM_PAGES.drop(album_id)
    TRACK_ROWS.drop(*db.session.scalars(select(Track.id).where(Track.album_id == album_id)))
    heard_on = select(TrackCredit.artist_id).join(Track, Track.id == TrackCredit.track_id)
    POPULAR.drop(*db.session.scalars(heard_on.where(Track.album_id == album_id).distinct()))


def drop_track(track_id: int, album_id: int) -> None:
    ALBUM_PAGES.drop(album_id)
    TRACK_ROWS.drop(track_id)
    POPULAR.drop(*db.session.scalars(select(TrackCredit.artist_id).where(TrackCredit.track_id == track_id)))


def drop_artist(artist_id: int) -> None:
    """A name or a picture changed, and with the name the credits that carried it."""
    ARTIST_CARDS.drop(artist_id)
    LETTERS.drop(0)
    track_ids = select(TrackCredit.track_id).where(TrackCredit.artist_id == artist_id)
    named = select(AlbumCredit.album_id).where(AlbumCredit.artist_id == artist_id)
    heard_on = select(Track.album_id).where(Track.id.in_(track_ids))
    album_ids = db.session.scalars(union(named, heard_on)).all()
    ALBUM_PAGES.drop(*album_ids)
    ALBUM_CARDS.drop(*album_ids)
    TRACK_ROWS.drop(*db.session.scalars(track_ids.distinct()))
