from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from musicapp.playlists.order import LONGEST_KEY, arranged, keys_between, settled


def test_keys_stand_between_their_bounds() -> None:
    for lower, upper in ((None, None), (None, "a0"), ("a0", None), ("a0", "a1"), ("a0", "a0V")):
        keys = keys_between(lower, upper, 50)
        assert keys == sorted(set(keys))
        assert lower is None or lower < keys[0]
        assert upper is None or keys[-1] < upper
    assert keys_between("a0", "a1", 0) == []


@settings(max_examples=60, deadline=None)
@given(st.permutations(range(12)), st.sets(st.integers(0, 11)))
def test_arranging_brings_the_wanted_order_and_moves_only_what_must(wanted: list[int], new: set[int]) -> None:
    names = keys_between(None, None, 12)
    keys = {id_: names[id_] for id_ in range(12) if id_ not in new}
    changed = arranged(wanted, keys)
    after = keys | changed
    assert sorted(wanted, key=lambda id_: after[id_]) == wanted
    assert len(set(after.values())) == len(wanted)
    if wanted == sorted(wanted):
        assert set(changed) == new


def test_one_entry_out_of_place_is_one_entry_moved() -> None:
    names = keys_between(None, None, 100)
    keys = dict(enumerate(names))
    assert set(arranged([*range(1, 60), 0, *range(60, 100)], keys)) == {0}


def test_keys_that_would_become_too_long_are_all_made_anew() -> None:
    keys = {1: "a0", 2: "a0" + "0" * (LONGEST_KEY - 3) + "1", 3: "a1"}
    changed = arranged([1, 3, 2], {1: keys[1], 2: keys[2]})
    after = keys | changed
    assert after[1] < after[3] < after[2]
    tight = arranged([1, 4, 2], {1: keys[1], 2: keys[2]})
    assert max(map(len, tight.values())) < 10


def test_who_returns_gets_the_old_key_or_one_right_behind_it() -> None:
    assert settled({7: "a1"}, ["a0", "a2"]) == {7: "a1"}
    found = settled({7: "a1", 8: "a1", 9: "a4"}, ["a0", "a1", "a2"])
    assert "a1" < found[7] < "a2"
    assert "a1" < found[8] < "a2"
    assert found[7] != found[8]
    assert found[9] == "a4"
