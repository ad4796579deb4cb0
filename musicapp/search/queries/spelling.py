"""What a mistyped word may have meant: words of the index that one edit leads to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import text

from musicapp.core.db import db, is_sqlite
from musicapp.search.tokens import SHORTEST_FORGIVEN, Group

MOST_CANDIDATES = 6
MOST_READ = 5_000


def forgiven(groups: Sequence[Group]) -> list[list[Group]]:
    """For each group its possible spellings, as typed first. One statement for all; [] where nothing is alike."""
    words = [group[0] for group in groups if len(group) == 1 and _is_forgivable(group[0])]
    if not words:
        return []
    known = _alike(words)
    wanted = [[group, *_spellings(group, known)] for group in groups]
    return wanted if any(len(spellings) > 1 for spellings in wanted) else []


def is_one_edit(typed: str, word: str) -> bool:
    """True where one letter too many, missing, wrong, or two letters in the wrong order is all that differs."""
    start = 0
    shorter = min(len(typed), len(word))
    while start < shorter and typed[start] == word[start]:
        start += 1
    end = 0
    while end < shorter - start and typed[-1 - end] == word[-1 - end]:
        end += 1
    left, right = typed[start : len(typed) - end], word[start : len(word) - end]
    if len(left) == len(right) == 2:
        return left == right[::-1]
    return max(len(left), len(right)) == 1


def _is_forgivable(word: str) -> bool:
    return len(word) >= SHORTEST_FORGIVEN and not word.isdigit()


def _spellings(group: Group, known: Iterable[str]) -> Sequence[Group]:
    typed = group[0]
    if len(group) > 1 or not _is_forgivable(typed):
        return []
    whole, begun = set(), set()
    for word in known:
        if is_one_edit(typed, word):
            whole.add(word)
        elif len(word) > len(typed):
            begun |= {word[:n] for n in range(len(typed) - 1, len(typed) + 2) if is_one_edit(typed, word[:n])}
    # Searched as prefixes, so a beginning stands for all words that have it.
    begun = {start for start in begun if not start.startswith(tuple(whole))} if whole else begun
    spellings = [*sorted(whole), *sorted(begun, key=lambda start: (-len(start), start))]
    return [(spelling,) for spelling in spellings[:MOST_CANDIDATES]]


def _alike(words: Sequence[str]) -> list[str]:
    """Words that share a half with one of these: an edit leaves the other half as it is.

    An edit between the halves is the exception, two letters swapped there: those are asked for as they should be.
    """
    starts, ends, parts = set(), set(), set()
    for word in words:
        half = len(word) // 2
        starts |= {word[:half], word[: half - 1] + word[half] + word[half - 1]}
        ends.add(word[half:])
        if len(word) - half > 2:
            parts.add(word[half:])
    if is_sqlite():
        asked = [f'"^{start}"' for start in starts] + [f'"{end}$"' for end in ends] + [f'"{part}"' for part in parts]
        statement = "SELECT word FROM search_index_words WHERE search_index_words MATCH :asked LIMIT :most"
        rows = db.session.execute(text(statement), {"asked": " OR ".join(asked), "most": MOST_READ})
        return [word[1:-1] for word in rows.scalars()]
    patterns = [f"{start}%" for start in starts] + [f"%{end}" for end in ends] + [f"%{part}%" for part in parts]
    likes = " OR ".join(f"word LIKE :like_{number}" for number in range(len(patterns)))
    parameters = {f"like_{number}": pattern for number, pattern in enumerate(patterns)}
    statement = f"SELECT word FROM search_words WHERE {likes} LIMIT :most"  # noqa: S608  patterns are parameters
    return list(db.session.execute(text(statement), {**parameters, "most": MOST_READ}).scalars())
