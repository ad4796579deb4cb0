"""What listeners hear of: an album of somebody they follow, the newsletter, announcements."""

from __future__ import annotations

from flask_babel import gettext as _
from sqlalchemy import select

from musicapp.accounts.models import User
from musicapp.accounts.queries import user_by_id
from musicapp.catalog.models import Album, Artist
from musicapp.catalog.queries import AlbumCard, album_cards, cards_of_albums
from musicapp.core.db import db
from musicapp.notifications.letters.writing import Letter, Line, Occasion, cover_of, paragraphs_of, site_url, write
from musicapp.notifications.models import Announcement

COVER_PX = 640


def album_line(card: AlbumCard, *, is_followed: bool = False) -> Line:
    """An album in a list."""
    return Line(
        title=card.title,
        link=site_url(card.url),
        cover=cover_of(card.title, card.picture),
        details=(card.artists,),
        mark=_("You follow them") if is_followed else "",
    )


def card_of(album_id: int) -> AlbumCard | None:
    """The card of an album that is not deleted, a draft's too."""
    cards = album_cards(select(Album).where(Album.id == album_id, Album.deleted_at.is_(None)))
    return cards[0] if cards else None


def new_release(occasion: Occasion) -> Letter | None:
    """Subject: the album."""
    user = user_by_id(occasion.user_id)
    card = card_of(occasion.subject_id)
    if user is None or card is None or card.published_at is None:
        return None
    return write(
        occasion,
        user,
        title=card.title,
        artist_name=card.artists,
        kind=card.kind,
        cover=cover_of(card.title, card.picture, COVER_PX),
        link=site_url(card.url),
    )


def newsletter(occasion: Occasion) -> Letter | None:
    """Arguments: album_ids in order, followed_ids among them. Albums hidden since are left out."""
    user = user_by_id(occasion.user_id)
    if user is None:
        return None
    ids = occasion.arguments["album_ids"]
    # Kept in Redis: a thousand readers of one morning get the same albums.
    cards = {card.id: card for card in cards_of_albums(ids) if card.published_at is not None}
    followed = [cards[id] for id in ids if id in cards and id in set(occasion.arguments.get("followed_ids", ()))]
    others = [cards[id] for id in ids if id in cards and cards[id] not in followed]
    if not (followed or others):
        return None
    return write(
        occasion,
        user,
        first=(followed or others)[0],
        count=len(followed) + len(others),
        followed=[album_line(card) for card in followed],
        others=[album_line(card) for card in others],
    )


def announcement(occasion: Occasion) -> Letter | None:
    """Subject: the announcement. Its words go out as they were written, with addresses as links."""
    user = user_by_id(occasion.user_id)
    row = db.session.get(Announcement, occasion.subject_id)
    if user is None or row is None:
        return None
    artist = db.session.get(Artist, row.artist_id) if row.artist_id is not None else None
    return write_announcement(occasion, user, row, artist)


def write_announcement(occasion: Occasion, user: User, row: Announcement, artist: Artist | None) -> Letter | None:
    """Also what its author previews. None where the artist is gone."""
    if row.artist_id is not None and (artist is None or artist.deleted_at is not None):
        return None
    return write(
        occasion,
        user,
        title=row.title,
        words=row.words,
        paragraphs=paragraphs_of(row.words),
        artist_name=artist.name if artist else "",
        link=site_url(f"/artists/{artist.id}") if artist else site_url("/"),
    )
