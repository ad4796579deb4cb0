"""Credits: which artist a name stands for, and how names are stored on albums and tracks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from musicapp.catalog.models import Artist, ArtistMember
from musicapp.catalog.text import clean_line, fold, sort_name
from musicapp.core.db import db

NAME_LIMIT = 200
JOIN_LIMIT = 40
ROLES = ("performer", "composer", "lyricist", "arranger", "producer", "remixer", "engineer")


@dataclass(frozen=True, slots=True)
class NewCredit:
    """A name as it should stand, what stands between it and the next, and what the artist did."""

    name: str
    join_phrase: str = ""
    role: str = "performer"


def joined(names: Iterable[str], role: str = "performer") -> list[NewCredit]:
    """Credits for bare names: "A, B & C"."""
    kept = list(names)
    joins = [", "] * (len(kept) - 2) + [" & "] * (len(kept) > 1) + [""]
    return [NewCredit(name, join, role) for name, join in zip(kept, joins, strict=False)]


def cleaned(credits: Iterable[NewCredit]) -> list[NewCredit]:
    """Credits with clean names; empty ones are left out, and nothing hangs after the last name."""
    kept = []
    for credit in credits:
        if name := clean_line(credit.name, NAME_LIMIT):
            # A join phrase keeps its outer spaces: they are the space between two names.
            join = "".join(c for c in credit.join_phrase if c.isprintable())[:JOIN_LIMIT]
            kept.append(NewCredit(name, join, credit.role if credit.role in ROLES else "performer"))
    return [NewCredit(c.name, c.join_phrase if i + 1 < len(kept) else "", c.role) for i, c in enumerate(kept)]


def artists_for(names: Sequence[str], home_artist: Artist) -> list[Artist]:
    """The artist behind each name, made where there is none.

    A name stands for the album's own artist, else for one of the artists whose members share the album's
    studio, else for an artist without members. Never for somebody else's studio: whoever uploads a file could
    otherwise put tracks on any artist's page by writing a name into a tag.
    """
    wanted = {fold(name, 400) for name in names}
    members = select(ArtistMember.user_id).where(ArtistMember.artist_id == home_artist.id)
    taken = select(ArtistMember.artist_id)
    ours = select(ArtistMember.artist_id).where(ArtistMember.user_id.in_(members))
    found = db.session.scalars(
        select(Artist)
        .where(Artist.search_text.in_(wanted), Artist.deleted_at.is_(None))
        .where(Artist.id.in_(ours) | Artist.id.not_in(taken))
        .order_by(Artist.id.in_(ours).desc(), Artist.id)
    ).all()
    by_name: dict[str, Artist] = {}
    for artist in (home_artist, *found):
        by_name.setdefault(fold(artist.name, 400), artist)
    for name in names:
        if fold(name, 400) not in by_name:
            by_name[fold(name, 400)] = new_artist_row(name)
    db.session.flush()
    return [by_name[fold(name, 400)] for name in names]


def new_artist_row(name: str) -> Artist:
    artist = Artist(name=name, sort_name=sort_name(name, NAME_LIMIT), search_text=fold(name, 400))
    db.session.add(artist)
    return artist
