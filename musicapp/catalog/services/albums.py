"""Albums: drafts, what is published, what is deleted and brought back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.exc import IntegrityError

from musicapp.accounts.models import User
from musicapp.catalog.errors import NotPublishableError
from musicapp.catalog.events import (
    AlbumCreated,
    AlbumDeleted,
    AlbumPublished,
    AlbumRestored,
    AlbumUnpublished,
    AlbumUpdated,
)
from musicapp.catalog.models import Album, AlbumCredit, Artist, Genre, Original, Track
from musicapp.catalog.services.credits import NewCredit, artists_for, cleaned
from musicapp.catalog.text import clean_line, clean_text, fold, shelf_key, slug, sort_name
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish

TITLE_LIMIT = 300
DESCRIPTION_LIMIT = 10_000
GENRE_LIMIT = 80
MAX_GENRES = 10


def create_album(
    *,
    artist_id: int,
    user_id: int,
    title: str,
    kind: str = "album",
    release_on: date | None = None,
    genres: Iterable[str] = (),
    description: str = "",
) -> int:
    """A draft credited to the artist; returns its id. Publishes AlbumCreated(album_id, user_id).

    The caller has checked that the user is a member (queries.may_edit_artist). A cover is asked for
    afterwards: ask_for_album_cover.
    """
    artist = db.session.get_one(Artist, artist_id)
    album = Album(artist_id=artist_id, created_by_id=user_id, kind=kind, release_on=release_on)
    _set_words(album, title, description)
    album.credits = [AlbumCredit(artist_id=artist_id, credited_as=artist.name)]
    album.genres = _genres(genres)
    db.session.add(album)
    db.session.flush()
    publish(AlbumCreated(album.id, user_id))
    return album.id


def update_album(
    album_id: int,
    *,
    title: str,
    kind: str,
    release_on: date | None,
    genres: Iterable[str],
    description: str,
    credits: Sequence[NewCredit] | None = None,
) -> None:
    """Changes what an album says of itself; `credits` None leaves them. Publishes AlbumUpdated."""
    # Locked: of two savings at once the second must see the credits and genres that the first has written.
    album = db.session.get_one(Album, album_id, with_for_update=True, populate_existing=True)
    _set_words(album, title, description)
    album.kind, album.release_on, album.genres = kind, release_on, _genres(genres)
    if credits is not None and (kept := cleaned(credits)):
        artists = artists_for([credit.name for credit in kept], album.artist)
        album.credits = [
            AlbumCredit(artist_id=artist.id, credited_as=c.name, join_phrase=c.join_phrase, position=position)
            for position, (artist, c) in enumerate(zip(artists, kept, strict=True))
        ]
    db.session.flush()
    publish(AlbumUpdated(album_id))


def publish_album(album_id: int, user_id: int, *, needs_confirmed_email: bool = False) -> None:
    """Shows an album to everybody; once published, publishing again changes nothing.

    Raises NotPublishableError while no track plays, for an unconfirmed address where the site asks for one, and for
    an album that an operator took down.
    """
    album = db.session.get_one(Album, album_id, with_for_update=True)
    if album.is_published:
        return
    if album.taken_down_at is not None:
        raise NotPublishableError(
            "The people who run this site took this album down, and only they can give it back. Write to them if you "
            "think that this is wrong."
        )
    if needs_confirmed_email and db.session.get_one(User, user_id).email_confirmed_at is None:
        raise NotPublishableError(
            "Please confirm your e-mail address first: open the link in the mail we sent you, or ask for a new "
            "one in the settings."
        )
    if db.session.scalar(select(Track.id).where(*playable_track_of(album_id)).limit(1)) is None:
        raise NotPublishableError("No track of this album plays yet. Upload one, or wait until the first one is ready.")
    album.published_at = utc_now()
    db.session.flush()
    publish(AlbumPublished(album_id))


def playable_track_of(album_id: int) -> tuple[ColumnElement[bool], ...]:
    """Conditions for a track of the album that somebody can hear now: from a rendition or from its original."""
    original_plays = exists().where(Original.track_id == Track.id, Original.is_browser_playable.is_(True))
    return (
        Track.album_id == album_id,
        Track.deleted_at.is_(None),
        or_(Track.ready_at.is_not(None), original_plays),
    )


def unpublish_album(album_id: int) -> None:
    """Makes a published album a draft again; its tracks stop streaming for strangers at once."""
    album = db.session.get_one(Album, album_id)
    if album.published_at is None:
        return
    album.published_at = None
    db.session.flush()
    publish(AlbumUnpublished(album_id))


def delete_album(album_id: int) -> None:
    """Hides an album from everybody; restore_album undoes it."""
    album = db.session.get_one(Album, album_id)
    if album.deleted_at is None:
        album.deleted_at = utc_now()
        db.session.flush()
        publish(AlbumDeleted(album_id))


def restore_album(album_id: int) -> None:
    """Undoes delete_album: a published album is published again, at its old place."""
    album = db.session.get_one(Album, album_id)
    if album.deleted_at is not None:
        album.deleted_at = None
        db.session.flush()
        publish(AlbumRestored(album_id))


def _set_words(album: Album, title: str, description: str) -> None:
    album.title = clean_line(title, TITLE_LIMIT)
    album.sort_title, album.search_text = sort_name(album.title, TITLE_LIMIT), fold(album.title, 600)
    album.shelf_key = shelf_key(album.sort_title)
    album.description = clean_text(description, DESCRIPTION_LIMIT)


def _genres(names: Iterable[str]) -> list[Genre]:
    wanted: dict[str, str] = {}
    for name in names:
        line = clean_line(name, GENRE_LIMIT)
        if key := slug(line):
            wanted.setdefault(key, line)
    wanted = dict(list(wanted.items())[:MAX_GENRES])
    found = {g.slug: g for g in db.session.scalars(select(Genre).where(Genre.slug.in_(wanted)))}
    for key, name in wanted.items():
        if key not in found:
            found[key] = _new_genre(key, name)
    return [found[key] for key in wanted]


def _new_genre(key: str, name: str) -> Genre:
    try:
        with db.session.begin_nested():
            genre = Genre(name=name, slug=key)
            db.session.add(genre)
        return genre
    except IntegrityError:  # somebody else wrote the same genre a moment ago
        return db.session.scalars(select(Genre).where(Genre.slug == key)).one()
