"""Artwork: pictures wait for a job that checks and resizes them; albums and artists name the result."""

from __future__ import annotations

import errno
import shutil
from typing import IO

from sqlalchemy import select

from musicapp.catalog.events import AlbumUpdated, ArtistUpdated
from musicapp.catalog.models import Album, Artist, Artwork
from musicapp.core.db import db
from musicapp.core.events import publish
from musicapp.core.storage import DiskFullError, store
from musicapp.jobs import services as jobs


def keep_picture(stream: IO[bytes], suffix: str) -> str:
    """Puts a chosen picture into the store as it came and returns its key. Raises DiskFullError."""
    key = store().new_key("pictures", suffix)
    path = store().path(key)
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file)
    except OSError as error:
        path.unlink(missing_ok=True)
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DiskFullError("The server's disk is full. Try again when there is room.") from error
        raise
    return key


def forget_picture(key: str | None) -> None:
    """Removes a kept picture that nobody asks for after all."""
    if key:
        store().delete(key)


def ask_for_album_cover(album_id: int, key: str, *, owner_id: int | None, only_if_none: bool = False) -> int:
    """Adds the job that makes the picture stored under `key` an album's cover; returns the job's id.

    The job owns the file from here on. `only_if_none` leaves a cover that is there: for pictures found in files.
    """
    return jobs.add(
        "make_album_cover",
        subject_id=album_id,
        owner_id=owner_id,
        arguments={"key": key, "only_if_none": only_if_none},
    )


def ask_for_artist_picture(artist_id: int, key: str, *, owner_id: int | None) -> int:
    """Adds the job that makes the picture stored under `key` an artist's picture; returns the job's id."""
    return jobs.add("make_artist_picture", subject_id=artist_id, owner_id=owner_id, arguments={"key": key})


def add_artwork(
    *, key: str, original_key: str | None, sha256: str, width: int, height: int, sizes: list[int], color: str
) -> int:
    """Stores a picture whose files `<key>-<size>.webp` and `.jpg` are in the store; returns its id."""
    artwork = Artwork(
        key=key, original_key=original_key, sha256=sha256, width=width, height=height, sizes=sizes, color=color
    )
    db.session.add(artwork)
    db.session.flush()
    return artwork.id


def set_album_cover(album_id: int, artwork_id: int | None, *, only_if_none: bool = False) -> bool:
    """Makes a picture the album's cover and publishes AlbumUpdated; False where the album is gone or keeps its own."""
    album = db.session.scalar(select(Album).where(Album.id == album_id).with_for_update())
    if album is None or (only_if_none and album.cover_id is not None):
        return False
    album.cover_id = artwork_id
    db.session.flush()
    publish(AlbumUpdated(album_id))
    return True


def set_artist_picture(artist_id: int, artwork_id: int | None) -> bool:
    """Makes a picture the artist's and publishes ArtistUpdated; False where the artist is gone."""
    artist = db.session.get(Artist, artist_id)
    if artist is None:
        return False
    artist.picture_id = artwork_id
    db.session.flush()
    publish(ArtistUpdated(artist_id))
    return True
