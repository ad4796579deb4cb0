"""Acts on albums and artists. The members hear of each, of an artist's albums together."""

from __future__ import annotations

from sqlalchemy import select

from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album, Artist
from musicapp.core.db import db
from musicapp.notifications.telling import tell
from musicapp.ops.audit import audit
from musicapp.playlists import services as playlists


def take_down_album(album_id: int, reason: str) -> bool:
    """Off the site, until give_album_back; False where it is down already."""
    done = _take_down(album_id, reason)
    if done:
        _tell(album_id, reason)
    return done


def give_album_back(album_id: int) -> bool:
    done = _give_back(album_id)
    if done:
        _tell(album_id)
    return done


def take_down_artist(artist_id: int, reason: str) -> int:
    """Every album of an artist that is there; returns how many."""
    ids = [album_id for album_id in catalog.album_ids_in_studio(artist_id) if _take_down(album_id, reason)]
    if ids:
        _tell(ids[-1], reason, count=len(ids))
        words = db.session.get_one(Artist, artist_id).name
        audit(
            "artist.take_down",
            subject_kind="artist",
            subject_id=artist_id,
            subject_words=words,
            albums=len(ids),
            reason=reason,
        )
    return len(ids)


def give_artist_back(artist_id: int) -> int:
    """Every album of an artist that was taken down; returns how many."""
    down = db.session.scalars(
        select(Album.id).where(Album.artist_id == artist_id, Album.taken_down_at.is_not(None)).order_by(Album.id)
    ).all()
    ids = [album_id for album_id in down if _give_back(album_id)]
    if ids:
        _tell(ids[-1], count=len(ids))
        words = db.session.get_one(Artist, artist_id).name
        audit("artist.give_back", subject_kind="artist", subject_id=artist_id, subject_words=words, albums=len(ids))
    return len(ids)


def hide_playlist(playlist_id: int, reason: str) -> bool:
    """Makes a playlist private; False where it is."""
    name = playlists.hide_playlist(playlist_id)
    if name is not None:
        audit("playlist.hide", subject_kind="playlist", subject_id=playlist_id, subject_words=name, reason=reason)
    return name is not None


def _take_down(album_id: int, reason: str) -> bool:
    done = catalog.take_down_album(album_id, reason)
    if done:
        words = db.session.get_one(Album, album_id).title
        audit("album.take_down", subject_kind="album", subject_id=album_id, subject_words=words, reason=reason)
    return done


def _give_back(album_id: int) -> bool:
    done = catalog.give_album_back(album_id)
    if done:
        words = db.session.get_one(Album, album_id).title
        audit("album.give_back", subject_kind="album", subject_id=album_id, subject_words=words)
    return done


def _tell(album_id: int, reason: str = "", *, count: int = 1) -> None:
    """Tells the members of this album; `count` with the others of its artist that went the same way."""
    album = db.session.get_one(Album, album_id)
    is_down = album.taken_down_at is not None
    stamp = (album.taken_down_at or album.updated_at).timestamp()
    tell(
        "album_moderated",
        subject_id=album_id,
        arguments={"is_down": is_down, "reason": reason[:300], "count": count},
        reason=f"album_moderated/{album_id}/{'down' if is_down else 'back'}/{stamp:.0f}",
    )
