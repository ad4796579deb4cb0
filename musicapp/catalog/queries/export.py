"""What an account export says of a user's artists and albums."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from musicapp.catalog.models import Album, Artist, ArtistMember, Track
from musicapp.core.db import db


def artists_for_export(user_id: int) -> list[dict[str, Any]]:
    """The artists whose studio the user opens: name, biography, role."""
    found = (
        select(Artist, ArtistMember.role)
        .join(ArtistMember, ArtistMember.artist_id == Artist.id)
        .where(ArtistMember.user_id == user_id, Artist.deleted_at.is_(None))
        .order_by(Artist.id)
    )
    return [
        {"id": artist.id, "name": artist.name, "bio": artist.bio, "role": role, "created_at": artist.created_at}
        for artist, role in db.session.execute(found)
    ]


def albums_for_export(user_id: int) -> list[dict[str, Any]]:
    """Their albums, drafts too, with tracks and the names of the uploaded files."""
    albums = db.session.scalars(
        select(Album)
        .join(ArtistMember, ArtistMember.artist_id == Album.artist_id)
        .where(ArtistMember.user_id == user_id, Album.deleted_at.is_(None))
        .options(
            selectinload(Album.credits),
            selectinload(Album.genres),
            selectinload(Album.tracks).options(selectinload(Track.credits), joinedload(Track.original)),
        )
        .order_by(Album.id)
    ).all()
    return [
        {
            "id": album.id,
            "title": album.title,
            "kind": album.kind,
            "release_on": album.release_on,
            "published_at": album.published_at,
            "description": album.description,
            "genres": [genre.name for genre in album.genres],
            "artists": [credit.credited_as for credit in album.credits],
            "tracks": [_track_for_export(track) for track in album.tracks if track.deleted_at is None],
        }
        for album in albums
    ]


def _track_for_export(track: Track) -> dict[str, Any]:
    return {
        "id": track.id,
        "title": track.title,
        "artists": [{"name": credit.credited_as, "role": credit.role} for credit in track.credits],
        "disc_number": track.disc_number,
        "duration_ms": track.duration_ms,
        "genre": track.genre,
        "isrc": track.isrc,
        "lyrics": track.lyrics,
        "play_count": track.play_count,
        "original": track.original and {"filename": track.original.filename, "sha256": track.original.sha256},
    }
