"""Reads: who hears whom, and what a page suggests."""

from __future__ import annotations

import numpy as np
from sqlalchemy import select, union_all

from musicapp.catalog.models import AlbumCredit, Artist, Artwork
from musicapp.catalog.queries import ArtistCard
from musicapp.catalog.queries.artists import HEARD
from musicapp.catalog.queries.pictures import PICTURE, picture_in
from musicapp.core.db import db
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike
from musicapp.playback.models import Play
from musicapp.recommendations.models import SimilarArtist
from musicapp.recommendations.similarity import Ids
from musicapp.stats.credits import tracks_of_artists

READ_AT_ONCE = 50_000
MOST_PAIRS = 10_000_000
"""160 MB while they are read. A site that has more is known well enough by these."""


def fans_also_like(artist_id: int, limit: int = 8) -> list[ArtistCard]:
    """Artists whom the same people hear, most similar first, that have something published; in one statement."""
    found = (
        select(Artist.id, Artist.name, *PICTURE)
        .join(SimilarArtist, SimilarArtist.other_id == Artist.id)
        .outerjoin(Artwork, Artwork.id == Artist.picture_id)
        .where(SimilarArtist.artist_id == artist_id, Artist.deleted_at.is_(None), HEARD)
        .order_by(SimilarArtist.place)
        .limit(limit)
    )
    return [ArtistCard(row.id, row.name, picture_in(row)) for row in db.session.execute(found)]


def who_hears_whom() -> tuple[Ids, Ids]:
    """(user ids, artist ids), pair by pair: plays, likes and follows. What was taken out of a history is no one's."""
    pairs = tracks_of_artists().subquery()
    played = (
        select(Play.user_id, pairs.c.artist_id)
        .join(pairs, pairs.c.track_id == Play.track_id)
        .where(Play.user_id.is_not(None), Play.deleted_at.is_(None))
        .distinct()
    )
    liked = select(TrackLike.user_id, pairs.c.artist_id).join(pairs, pairs.c.track_id == TrackLike.track_id)
    liked_albums = select(AlbumLike.user_id, AlbumCredit.artist_id).join(
        AlbumCredit, AlbumCredit.album_id == AlbumLike.album_id
    )
    followed = select(ArtistFollow.user_id, ArtistFollow.artist_id)
    every = union_all(played, liked, liked_albums, followed).limit(MOST_PAIRS)
    parts = [
        np.array([tuple(row) for row in rows], dtype=np.int64)
        for rows in db.session.execute(every, execution_options={"yield_per": READ_AT_ONCE}).partitions()
    ]
    both = np.concatenate(parts) if parts else np.empty((0, 2), dtype=np.int64)
    return both[:, 0], both[:, 1]
