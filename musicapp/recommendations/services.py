"""Writes of suggestions. Nothing here commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, select

from musicapp.catalog.models import Artist
from musicapp.core.db import db
from musicapp.recommendations.models import SimilarArtist
from musicapp.recommendations.similarity import Neighbour


def put_similar(found: Mapping[int, Sequence[Neighbour]]) -> int:
    """Replaces the suggestions beside these artists; returns how many stand now. Two statements and a look."""
    ids = {*found, *(neighbour.artist_id for neighbours in found.values() for neighbour in neighbours)}
    # They were read a while ago: one may have been purged since.
    there = set(db.session.scalars(select(Artist.id).where(Artist.id.in_(ids))))
    rows = [
        {"artist_id": artist_id, "place": place, "other_id": neighbour.artist_id, "score": neighbour.score}
        for artist_id, neighbours in found.items()
        if artist_id in there
        for place, neighbour in enumerate(n for n in neighbours if n.artist_id in there)
    ]
    db.session.execute(delete(SimilarArtist).where(SimilarArtist.artist_id.in_(list(found))))
    if rows:
        db.session.execute(insert(SimilarArtist), rows)
    return len(rows)


def forget_others(artist_ids: set[int]) -> int:
    """Removes the suggestions of all artists but these."""
    had = set(db.session.scalars(select(SimilarArtist.artist_id).distinct()))
    gone = sorted(had - artist_ids)
    for start in range(0, len(gone), 500):
        db.session.execute(delete(SimilarArtist).where(SimilarArtist.artist_id.in_(gone[start : start + 500])))
    return len(gone)
