"""A play queue's order: pure functions from one list of entries to the next.

js/player/order.js does the same sums, so that a device shows the outcome before the server has answered. Both compare
`hash_of` afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

Entry = list[int]
"""[entry id, track id, place before shuffling]. Never changed in place: a list may be what the database row holds."""
_32_BITS = 0xFFFFFFFF
_31_BITS = 0x7FFFFFFF


def index_of(entries: Sequence[Entry], entry_id: int | None) -> int | None:
    """Where an entry stands; None when it isn't there."""
    return next((index for index, entry in enumerate(entries) if entry[0] == entry_id), None)


def new_entries(track_ids: Sequence[int], first_entry_id: int, first_place: int = 0) -> list[Entry]:
    return [
        [entry_id, track_id, place]
        for place, (entry_id, track_id) in enumerate(enumerate(track_ids, first_entry_id), first_place)
    ]


def with_places(entries: Sequence[Entry]) -> list[Entry]:
    """The same order, as one that was never shuffled."""
    return [[entry_id, track_id, place] for place, (entry_id, track_id, _) in enumerate(entries)]


def added_last(entries: Sequence[Entry], track_ids: Sequence[int], first_entry_id: int) -> list[Entry]:
    """At the end, shuffled or not."""
    place = max((entry[2] for entry in entries), default=-1) + 1
    return [*entries, *new_entries(track_ids, first_entry_id, place)]


def added_next(
    entries: Sequence[Entry], track_ids: Sequence[int], first_entry_id: int, after: int | None
) -> list[Entry]:
    """Behind index `after` (None: at the start), and behind the same track once shuffling is undone."""
    place = entries[after][2] + 1 if after is not None else 0
    room = len(track_ids)
    moved = [entry if entry[2] < place else [entry[0], entry[1], entry[2] + room] for entry in entries]
    at = 0 if after is None else after + 1
    return [*moved[:at], *new_entries(track_ids, first_entry_id, place), *moved[at:]]


def without(entries: Sequence[Entry], entry_ids: Collection[int], *, is_shuffled: bool) -> list[Entry]:
    left = [entry for entry in entries if entry[0] not in entry_ids]
    return left if is_shuffled else with_places(left)


def moved_after(
    entries: Sequence[Entry], entry_id: int, after_entry_id: int | None, *, is_shuffled: bool
) -> list[Entry]:
    """Puts an entry behind another, or first. The same order when either is gone: somebody else was quicker."""
    index = index_of(entries, entry_id)
    if index is None or entry_id == after_entry_id:
        return list(entries)
    rest = [*entries[:index], *entries[index + 1 :]]
    after = index_of(rest, after_entry_id)
    if after is None and after_entry_id is not None:
        return list(entries)
    at = 0 if after is None else after + 1
    order = [*rest[:at], entries[index], *rest[at:]]
    return order if is_shuffled else with_places(order)


def shuffled(entries: Sequence[Entry], current: int | None, seed: int) -> list[Entry]:
    """The current entry first, then every other one once, in an order that `seed` decides."""
    rest = list(entries)
    first = [] if current is None else [rest.pop(current)]
    numbers = _random_numbers(seed)
    for last in range(len(rest) - 1, 0, -1):
        other = next(numbers) % (last + 1)
        rest[last], rest[other] = rest[other], rest[last]
    return [*first, *rest]


def unshuffled(entries: Sequence[Entry]) -> list[Entry]:
    """The order before shuffling; what was added since stands where it was put."""
    return with_places(sorted(entries, key=lambda entry: entry[2]))


def hash_of(entries: Sequence[Entry]) -> int:
    """31 bits that differ when an order differs: a device asks by them whether it holds the newest."""
    total = 0
    for entry_id, track_id, place in entries:
        total = (((total * 31 + entry_id) * 31 + track_id) * 31 + place) & _31_BITS
    return total


def _random_numbers(seed: int) -> Iterator[int]:
    """mulberry32: 32 bits of state are plenty for an order, and it is three lines in either language."""
    state = seed & _32_BITS
    while True:
        state = (state + 0x6D2B79F5) & _32_BITS
        mixed = ((state ^ state >> 15) * (state | 1)) & _32_BITS
        mixed ^= (mixed + (mixed ^ mixed >> 7) * (mixed | 61)) & _32_BITS
        yield mixed ^ mixed >> 14
