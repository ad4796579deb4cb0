"""Where entries stand: keys between keys. Pure; keys are compared byte by byte."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

from fractional_indexing import generate_n_keys_between

LONGEST_KEY = 200
"""Characters. A key grows by one about every sixth insertion at the same place; the column holds 255."""
SHORT_KEY = 60
"""Bounds of a stretch that gets new keys: long enough to be found soon, short enough to last a thousand insertions."""


def keys_between(lower: str | None, upper: str | None, count: int) -> list[str]:
    """`count` keys in order above `lower` (None: the start) and below `upper` (None: the end)."""
    return list(generate_n_keys_between(lower, upper, count))


def is_too_long(keys: Iterable[str]) -> bool:
    return any(len(key) > LONGEST_KEY for key in keys)


def arranged(wanted: Sequence[int], keys: Mapping[int, str]) -> dict[int, str]:
    """New keys that bring entries into the order `wanted`, for as few entries as possible.

    `keys` holds those that entries have now, each once; entries without one get one. Where a key would become too
    long, every entry gets a new one.
    """
    kept = _longest_rising([(id_, keys[id_]) for id_ in wanted if id_ in keys])
    changed: dict[int, str] = {}
    waiting: list[int] = []
    lower: str | None = None

    def settle(upper: str | None) -> None:
        changed.update(zip(waiting, keys_between(lower, upper, len(waiting)), strict=True))
        waiting.clear()

    for id_ in wanted:
        if id_ in kept:
            settle(keys[id_])
            lower = keys[id_]
        else:
            waiting.append(id_)
    settle(None)
    if is_too_long(changed.values()):
        fresh = dict(zip(wanted, keys_between(None, None, len(wanted)), strict=True))
        return {id_: key for id_, key in fresh.items() if keys.get(id_) != key}
    return changed


def _longest_rising(pairs: Sequence[tuple[int, str]]) -> set[int]:
    """Ids of a longest run whose keys rise: what can stay where it is."""
    tails: list[str] = []
    tail_at: list[int] = []
    before: list[int | None] = []
    for at, (_, key) in enumerate(pairs):
        length = bisect_left(tails, key)
        before.append(tail_at[length - 1] if length else None)
        tails[length : length + 1] = [key]
        tail_at[length : length + 1] = [at]
    found: set[int] = set()
    at_or_none = tail_at[-1] if tail_at else None
    while at_or_none is not None:
        found.add(pairs[at_or_none][0])
        at_or_none = before[at_or_none]
    return found


def settled(wanted: Mapping[int, str], taken: Sequence[str]) -> dict[int, str]:
    """Keys for entries that want back to old ones: the old key, or one right after it where somebody else has it.

    `taken` are the keys of all other entries, sorted.
    """
    occupied = list(taken)
    found: dict[int, str] = {}
    for id_, key in sorted(wanted.items(), key=lambda pair: (pair[1], pair[0])):
        at = bisect_right(occupied, key)
        if at and occupied[at - 1] == key:
            key = keys_between(key, occupied[at] if at < len(occupied) else None, 1)[0]
        occupied.insert(at, key)
        found[id_] = key
    return found
