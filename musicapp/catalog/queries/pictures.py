"""Pictures and their addresses, and who may fetch one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select

from musicapp.catalog.models import Album, Artist, ArtistMember, Artwork
from musicapp.core.db import db


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as pages draw it."""

    id: int
    width: int
    height: int
    sizes: tuple[int, ...]
    color: str

    def url(self, size_px: int) -> str:
        """Address of the smallest file that fills `size_px`, else of the largest there is."""
        fitting = [size for size in self.sizes if size >= size_px]
        return f"/artwork/{self.id}/{min(fitting) if fitting else max(self.sizes)}.webp"

    @property
    def sources(self) -> list[tuple[str, int]]:
        """(address, width in px) for srcset. Sizes past the picture's own hold the same pixels; one of them stands."""
        longer = max(self.width, self.height, 1)
        by_width: dict[int, str] = {}
        for size in self.sizes:
            width = max(1, round(min(size, longer) * self.width / longer))
            by_width.setdefault(width, f"/artwork/{self.id}/{size}.webp")
        return [(address, width) for width, address in by_width.items()]


def picture_of(artwork: Artwork | None) -> Picture | None:
    if artwork is None or not artwork.sizes:
        return None
    return Picture(artwork.id, artwork.width, artwork.height, tuple(sorted(artwork.sizes)), artwork.color)


PICTURE = (
    Artwork.id.label("picture_id"),
    Artwork.width.label("picture_width"),
    Artwork.height.label("picture_height"),
    Artwork.sizes.label("picture_sizes"),
    Artwork.color.label("picture_color"),
)
"""Columns for `picture_in`; the statement joins Artwork outside. Entities would take ten times as long to build."""


def picture_in(row: Any) -> Picture | None:
    """The picture in a row with the columns PICTURE."""
    if row.picture_id is None or not row.picture_sizes:
        return None
    sizes = tuple(sorted(row.picture_sizes))
    return Picture(row.picture_id, row.picture_width, row.picture_height, sizes, row.picture_color)


@dataclass(frozen=True, slots=True)
class ServedArtwork:
    """What the door for pictures needs: where the files are, and whether a shared cache may keep them."""

    key: str
    sizes: tuple[int, ...]
    is_public: bool


@dataclass(frozen=True, slots=True)
class PictureUse:
    """What another room shows artworks for."""

    column: Any
    """The column that names an artwork: one named there is kept."""
    is_public: Callable[[int], ColumnElement[bool]]
    """Of an artwork's id: everybody may see it there."""
    is_shown_to: Callable[[int, int], ColumnElement[bool]]
    """Of an artwork's id and a user's."""


USES_ELSEWHERE: dict[str, PictureUse] = {}
"""Filled by the rooms above when they are imported."""


def artwork_for(user_id: int | None, artwork_id: int) -> ServedArtwork | None:
    """A picture that this user may see: one of a published album or of an artist, or of an album they edit.

    Or one that another room shows them: USES_ELSEWHERE.
    """
    shown = or_(
        exists().where(Album.cover_id == artwork_id, Album.published_at.is_not(None), Album.deleted_at.is_(None)),
        exists().where(Artist.picture_id == artwork_id, Artist.deleted_at.is_(None)),
        *(use.is_public(artwork_id) for use in USES_ELSEWHERE.values()),
    )
    edited: Any = or_(
        exists().where(
            and_(
                Album.cover_id == artwork_id,
                ArtistMember.artist_id == Album.artist_id,
                ArtistMember.user_id == user_id,
            )
        ),
        *(use.is_shown_to(artwork_id, user_id or 0) for use in USES_ELSEWHERE.values()),
    )
    row = db.session.execute(
        select(Artwork.key, Artwork.sizes, shown.label("is_public"), edited.label("is_edited")).where(
            Artwork.id == artwork_id
        )
    ).one_or_none()
    if row is None or not (row.is_public or (user_id is not None and row.is_edited)):
        return None
    return ServedArtwork(row.key, tuple(row.sizes), bool(row.is_public))
