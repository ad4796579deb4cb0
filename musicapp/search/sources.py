"""What the index is rebuilt from: each kind's room declares a function that lists what everybody may find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewEntry:
    """What the index is told of a thing, as people wrote it. Genres are slugs, popularity is any count."""

    kind: str
    subject_id: int
    title: str
    words: str = ""
    popularity: int = 0
    year: int | None = None
    genres: tuple[str, ...] = ()


Source = Callable[[int, int], list[NewEntry]]
"""(after_id, limit) -> entries of the subjects with the next higher ids, by id; [] once there are none."""

SOURCES: dict[str, Source] = {}


def search_source(kind: str) -> Callable[[Source], Source]:
    """Declares the decorated function as the list of all things of a kind. Its module must be among features.py's."""

    def declare(source: Source) -> Source:
        SOURCES[kind] = source
        return source

    return declare
