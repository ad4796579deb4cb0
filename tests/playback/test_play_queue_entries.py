"""The sums behind a play queue's order."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from musicapp.playback.play_queue.entries import (
    Entry,
    added_last,
    added_next,
    hash_of,
    index_of,
    moved_after,
    new_entries,
    shuffled,
    unshuffled,
    with_places,
    without,
)

TRACK_IDS = st.lists(st.integers(1, 40), max_size=30)
SEEDS = st.integers(0, 2**32 - 1)


def ids(entries: list[Entry]) -> list[int]:
    return [entry[0] for entry in entries]


def tracks(entries: list[Entry]) -> list[int]:
    return [entry[1] for entry in entries]


@settings(deadline=None)
@given(TRACK_IDS, SEEDS, st.data())
def test_shuffling_plays_every_entry_once_and_is_undone(track_ids: list[int], seed: int, data: st.DataObject) -> None:
    entries = new_entries(track_ids, 7)
    current = data.draw(st.integers(0, len(entries) - 1)) if entries else None
    mixed = shuffled(entries, current, seed)
    assert sorted(mixed) == entries
    if current is not None:
        assert mixed[0] == entries[current]
    assert unshuffled(mixed) == entries


@settings(deadline=None)
@given(TRACK_IDS, TRACK_IDS, SEEDS, st.sampled_from(["next", "last"]), st.data())
def test_what_is_added_while_shuffled_has_a_sensible_place_afterwards(
    track_ids: list[int], more: list[int], seed: int, place: str, data: st.DataObject
) -> None:
    entries = new_entries(track_ids, 1)
    mixed = shuffled(entries, 0 if entries else None, seed)
    current = data.draw(st.integers(0, len(mixed) - 1)) if mixed else None
    before = mixed[current] if current is not None else None
    added = added_next(mixed, more, 100, current) if place == "next" else added_last(mixed, more, 100)
    fresh = list(range(100, 100 + len(more)))
    at = len(mixed) if place == "last" else 0 if current is None else current + 1
    assert ids(added)[at : at + len(more)] == fresh
    back = unshuffled(added)
    assert [one for one in ids(back) if one < 100] == ids(entries)
    at = len(entries) if place == "last" else 0 if before is None else entries.index(before) + 1
    assert ids(back)[at : at + len(more)] == fresh


@settings(deadline=None)
@given(TRACK_IDS, SEEDS, st.booleans(), st.data())
def test_removing_and_moving_lose_and_double_nothing(
    track_ids: list[int], seed: int, is_shuffled: bool, data: st.DataObject
) -> None:
    entries = new_entries(track_ids, 1)
    if is_shuffled and entries:
        entries = shuffled(entries, 0, seed)
    known = st.sampled_from(ids(entries) or [0])
    gone = data.draw(st.sets(known))
    left = without(entries, gone, is_shuffled=is_shuffled)
    assert ids(left) == [one for one in ids(entries) if one not in gone]
    one, after = data.draw(known), data.draw(st.none() | known)
    moved = moved_after(entries, one, after, is_shuffled=is_shuffled)
    assert sorted(ids(moved)) == sorted(ids(entries))
    if entries and one != after:
        at = index_of(moved, one)
        assert at is not None
        assert (moved[at - 1][0] if at else None) == after
    if not is_shuffled:
        assert moved == with_places(moved)
        assert left == with_places(left)


def test_move_behind_an_entry_that_is_gone_changes_nothing() -> None:
    entries = new_entries([1, 2, 3], 1)
    assert moved_after(entries, 1, 99, is_shuffled=False) == entries
    assert moved_after(entries, 99, 1, is_shuffled=False) == entries


def test_same_seed_gives_the_same_order_on_server_and_device() -> None:
    # js/player/order.js has the same numbers: tests/e2e/test_play_queue.py compares the two in a browser.
    mixed = shuffled(new_entries(list(range(10, 18)), 1), 2, 2026)
    assert tracks(mixed)[0] == 12
    assert mixed == shuffled(new_entries(list(range(10, 18)), 1), 2, 2026)
    assert mixed != shuffled(new_entries(list(range(10, 18)), 1), 2, 2027)
    assert hash_of(mixed) != hash_of(unshuffled(mixed))
    assert hash_of([]) == 0
