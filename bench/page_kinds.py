"""Which pages are measured, and addresses of each: ids and words from the library, the popular ones more often."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any
from urllib.parse import quote

from bench.library_rows import HUNDRED_PLAYLIST_IDS, LONG_PLAYLIST_ID


class Sampler:
    """Draws addresses, the same ones for the same seed."""

    def __init__(self, connection: Any, chance: random.Random) -> None:
        self._connection = connection
        self._chance = chance
        self._album_count = self._one("SELECT count(*) FROM albums WHERE published_at IS NOT NULL")
        self._artist_count = self._one("SELECT count(*) FROM artists")
        self._words = self._words_of_titles()

    def _one(self, statement: str) -> int:
        return int(self._rows(statement)[0][0])

    def _rows(self, statement: str) -> list[Any]:
        cursor = self._connection.cursor()
        cursor.execute(statement)
        found: list[Any] = cursor.fetchall()
        return found

    def _words_of_titles(self) -> list[tuple[str, str]]:
        """(a word of a track's title, its artist's name), of every 97th track."""
        rows = self._rows(
            "SELECT t.title, c.credited_as FROM tracks t JOIN track_credits c ON c.track_id = t.id AND c.position = 0 "
            "WHERE t.id % 97 = 0 ORDER BY t.id"
        )
        return [(word, artist) for title, artist in rows for word in re.findall(r"[^\W\d_]+", title)]

    def albums(self, count: int) -> list[str]:
        return [f"/albums/{self._often(self._album_count)}" for _ in range(count)]

    def artists(self, count: int) -> list[str]:
        return [f"/artists/{self._often(self._artist_count)}" for _ in range(count)]

    def _often(self, count: int) -> int:
        return 1 + int(count * self._chance.random() ** 3)

    def search(self, count: int, make: Callable[[random.Random, str, str], str | None]) -> list[str]:
        """Addresses of searches; `make(chance, word, artist)` is None for a word that won't do."""
        found: list[str] = []
        while len(found) < count:
            text = make(self._chance, *self._chance.choice(self._words))
            if text:
                found.append(f"/search?q={quote(text)}")
        return found


@dataclass(frozen=True, slots=True)
class Kind:
    name: str
    paths: Callable[[Sampler, int], list[str]]


def _letters(count: int) -> Callable[[Sampler, int], list[str]]:
    """The beginning of a word, in any script."""
    return lambda sampler, samples: sampler.search(
        samples, lambda _chance, word, _artist: word[:count] if len(word) >= count else None
    )


def _two_words(sampler: Sampler, samples: int) -> list[str]:
    """A word of the title and one of the artist's name."""
    return sampler.search(samples, lambda chance, word, artist: f"{word} {chance.choice(artist.split())}")


def _typo(sampler: Sampler, samples: int) -> list[str]:
    return sampler.search(samples, _mistyped)


def _mistyped(chance: random.Random, word: str, _artist: str) -> str | None:
    """One letter of a longer word lost, doubled, changed or in the place of the next."""
    if len(word) < 6 or not word.isascii():
        return None
    at = chance.randrange(1, len(word) - 1)
    before, letter, after = word[:at], word[at], word[at + 1 :]
    return chance.choice(
        (before + after, before + letter * 2 + after, f"{before}{chance.choice('aeinrst')}{after}")
        + (f"{before}{after[0]}{letter}{after[1:]}",)
    )


def _fixed(*paths: str) -> Callable[[Sampler, int], list[str]]:
    """These in turn, as often as others are asked for."""
    return lambda _sampler, samples: list(islice(cycle(paths), samples))


KINDS = (
    Kind("home", _fixed("/")),
    Kind("album", lambda sampler, samples: sampler.albums(samples)),
    Kind("artist", lambda sampler, samples: sampler.artists(samples)),
    Kind("playlist, 100 tracks", _fixed(*(f"/playlists/{number}" for number in HUNDRED_PLAYLIST_IDS))),
    Kind("playlist, 10,000 tracks", _fixed(f"/playlists/{LONG_PLAYLIST_ID}")),
)
SEARCHES = (
    Kind("1 letter", _letters(1)),
    Kind("3 letters", _letters(3)),
    Kind("8 letters", _letters(8)),
    Kind("two words", _two_words),
    Kind("a typo", _typo),
)
