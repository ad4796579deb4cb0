from __future__ import annotations

from musicapp.live.log import Cursor, LiveUpdate
from musicapp.live.merging import Merger


def update(kind: str, cursor: int | None = None) -> LiveUpdate:
    return LiveUpdate("home", kind, 1, Cursor(cursor, 0) if cursor else None)


def kinds(updates: list[LiveUpdate]) -> str:
    return "".join(found.kind for found in updates)


def test_first_change_leaves_at_once_and_the_next_ones_together() -> None:
    merger = Merger(merge_seconds=1, percent_seconds=4)
    merger.add(update("a", 1))
    assert kinds(merger.due(10.0, 9)) == "a"
    merger.add(update("a", 2))
    merger.add(update("a", 3))
    assert merger.due(10.5, 9) == []
    assert merger.next_due_at() == 11.0
    assert merger.due(11.0, 9) == [update("a", 3)]
    assert merger.next_due_at() is None


def test_cursors_leave_in_order() -> None:
    merger = Merger(merge_seconds=1, percent_seconds=4)
    merger.add(update("a", 1))
    merger.due(10.0, 9)
    merger.add(update("a", 2))
    merger.add(update("b", 3))
    assert merger.due(10.1, 9) == [], "b alone would say that a's second change was heard"
    merger.add(update("a", 4))
    assert kinds(merger.due(10.2, 9)) == "b", "a's next change has a later cursor"
    assert merger.due(11.0, 9) == [update("a", 4)]


def test_percent_waits_for_its_own_interval_only() -> None:
    merger = Merger(merge_seconds=1, percent_seconds=4)
    merger.add(update("a", 1))
    merger.add(update("p"))
    assert kinds(merger.due(10.0, 9)) == "ap"
    merger.add(update("a", 2))
    merger.add(update("p"))
    merger.add(update("q"))
    assert kinds(merger.due(10.1, 9)) == "q"
    assert kinds(merger.due(11.0, 9)) == "a"
    assert kinds(merger.due(14.0, 9)) == "p"


def test_logged_change_carries_the_percent_along() -> None:
    merger = Merger(merge_seconds=1, percent_seconds=4)
    merger.add(update("a"))
    merger.add(update("a", 1))
    assert merger.due(10.0, 9) == [update("a", 1)]
    assert merger.next_due_at() is None


def test_batch_has_a_limit_and_forgets_nothing() -> None:
    merger = Merger(merge_seconds=1, percent_seconds=4)
    for number, kind in enumerate("abcde", 1):
        merger.add(update(kind, number))
    assert [kinds(merger.due(10.0, 2)) for _ in range(4)] == ["ab", "cd", "e", ""]


def test_past_fragments_take_no_memory() -> None:
    merger = Merger(merge_seconds=1, percent_seconds=4)
    for number in range(1, 1000):
        merger.add(LiveUpdate("home", "a", number, Cursor(number, 0)))
        merger.due(float(number), 9)
    assert len(merger._left_at) <= 6
