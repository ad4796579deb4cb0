"""A place: kind, popularity and subject of an entry in one number, so that reading in order finds the popular first.

FTS5 hands out its matches by rowid. With the place as rowid a search stops after the few that a page shows, however
many match; ranking all matches of one letter would read half the index. Places of one kind lie together.
"""

from __future__ import annotations

from musicapp.core.db import LARGEST_ID

KINDS = ("artist", "album", "track", "playlist", "person")

_ID_BITS = 31
_POPULARITY_BITS = 6
KIND_SHIFT = _ID_BITS + _POPULARITY_BITS
_LEAST = (1 << _POPULARITY_BITS) - 1


def place_of(kind: str, subject_id: int, popularity: int = 0) -> int:
    """Popularity counts in steps of about 1.4, so that a play more seldom moves an entry; then the newest is first."""
    unpopularity = max(0, _LEAST - (max(0, popularity) ** 2).bit_length())
    return (KINDS.index(kind) << KIND_SHIFT) | (unpopularity << _ID_BITS) | (LARGEST_ID - subject_id)


def subject_at(place: int) -> tuple[str, int]:
    """Kind and subject_id of the entry at a place."""
    return KINDS[place >> KIND_SHIFT], LARGEST_ID - (place & LARGEST_ID)


def places_of(kind: str) -> tuple[int, int]:
    """The first and the last place that an entry of this kind can have."""
    first = KINDS.index(kind) << KIND_SHIFT
    return first, first + (1 << KIND_SHIFT) - 1
