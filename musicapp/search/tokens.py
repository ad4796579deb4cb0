"""Text as the index reads it: tokens. Both databases split at the spaces between them and nowhere else. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from musicapp.catalog.text import fold

LONGEST_TITLE = 500
LONGEST_WORDS = 4000
LONGEST_TOKEN = 40
SHORTEST_FORGIVEN = 4
"""Letters of a word in which a typo is forgiven; shorter ones are one edit away from too many."""
LONGEST_QUERY = 200
MOST_GROUPS = 12
"""Words of a query that count. Nobody types more, and each costs."""

Group = tuple[str, ...]
"""Tokens that stand next to each other: a word is one, "東京" is two."""

# Scripts without spaces between words: each character is a token, and a run of them is looked for as a phrase.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)
_PLAIN_WORD = re.compile("[a-z0-9]+")
# Inside a word: "don't" is typed "dont".
_APOSTROPHES = re.compile("['\u2019\u2018\u02bc\u0060\u00b4\uff07]")


def is_unspaced(character: str) -> bool:
    """True for a character of a script without spaces between words."""
    return _UNSPACED.match(character) is not None


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def _groups(text: str) -> list[Group]:
    """Of folded text: its words, and the runs of characters of scripts without spaces."""
    if text.isascii():  # most of it is, and a library has a million words
        return [(word[:LONGEST_TOKEN],) for word in _PLAIN_WORD.findall(text)]
    groups: list[list[str]] = []
    run = before = ""
    for character in text:
        kind = "unspaced" if is_unspaced(character) else "word" if _is_letter(character) else ""
        if kind == "word":
            if before == "word":
                run += character
            else:
                run = character
                groups.append([run])
            groups[-1][-1] = run[:LONGEST_TOKEN]
        elif kind == "unspaced":
            if before == "unspaced":
                groups[-1].append(character)
            else:
                groups.append([character])
        before = kind
    return [tuple(group) for group in groups]


def _signs(text: str) -> list[Group]:
    """A title without letters ("!!!", "÷") is one token all the same."""
    bare = text.replace(" ", "").replace("\0", "")[: LONGEST_TOKEN // 6]
    return [(("signs" + bare.encode(errors="replace").hex())[:LONGEST_TOKEN],)] if bare else []


def groups_of(text: str, limit: int = LONGEST_QUERY) -> list[Group]:
    """What somebody typed, or a title, in groups: every one must be found."""
    folded = fold(text[:limit], limit)
    return _groups(_APOSTROPHES.sub("", folded)) or _signs(folded)


def tokens_of(text: str, limit: int) -> str:
    """The tokens of a text with single spaces, at most `limit` characters, cut between tokens."""
    joined = " ".join(token for group in groups_of(text, LONGEST_WORDS) for token in group)
    return joined if len(joined) <= limit else joined[: limit + 1].rpartition(" ")[0]


def other_spellings(text: str) -> str:
    """How the words of a title may be typed as well: "AC/DC" as "acdc", "l'amour" as "amour"."""
    found: list[str] = []
    for chunk in fold(text, LONGEST_TITLE).split():
        parts = [group[0] for group in _groups(chunk) if len(group) == 1]
        if len(parts) > 1:
            found += ["".join(parts)[:LONGEST_TOKEN]]
            found += [part for part in parts if _APOSTROPHES.search(chunk) and len(part) > 2]
    return " ".join(dict.fromkeys(found))


def facet_of_year(year: int) -> str:
    return f"year{year:04}"


def facet_of_genre(slug: str) -> str:
    """A slug may hold any script and hyphens; its short hash is one token."""
    return "genre" + hashlib.blake2s(slug.encode(errors="replace"), digest_size=6).hexdigest()


def facets_of_years(first: int, last: int) -> list[tuple[str, bool]]:
    """Tokens that stand for the years of a range, (token, is a prefix): whole decades are one."""
    found: list[tuple[str, bool]] = []
    year = first
    while year <= last:
        if year % 10 == 0 and year + 9 <= last:
            found.append((facet_of_year(year)[:-1], True))
            year += 10
        else:
            found.append((facet_of_year(year), False))
            year += 1
    return found


def words_to_remember(texts: Iterable[str]) -> list[str]:
    """The tokens of an entry long enough that one typo in them is forgiven, sorted."""
    tokens = {token for text in texts for token in text.split(" ")}
    return sorted(token for token in tokens if len(token) >= SHORTEST_FORGIVEN and not token.isdigit())
