"""Several people at the same moment, on real connections: what the database makes of it must be what they did."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from musicapp.core.db import db
from musicapp.playlists import queries, services
from musicapp.playlists.errors import NothingToUndoError
from musicapp.playlists.models import PlaylistChange
from tests.playlists.conftest import Lists
from tests.playlists.replay import assert_history_tells_everything

EDITORS, EDITS = 8, 25


def both(lists: Lists, *acts: Callable[[], object]) -> None:
    """Runs each in a transaction of its own, at once; each commits."""

    def run(act: Callable[[], object]) -> None:
        with lists.app.app_context():
            act()
            db.session.commit()

    with ThreadPoolExecutor(len(acts)) as threads:
        for ended in [threads.submit(run, act) for act in acts]:
            ended.result(60)


def test_moves_that_cross_each_other_both_survive(lists: Lists) -> None:
    playlist_id = lists.playlist(1, 2, 3, 4, 5, 6)
    with lists.app.app_context():
        entries = lists.entries(playlist_id)
    one, two, *_, five, six = entries
    both(
        lists,
        lambda: services.move_entries(playlist_id, lists.alice, [one, two], after_entry_id=five),
        lambda: services.move_entries(playlist_id, lists.bob, [five, six], after_entry_id=0),
    )
    with lists.app.app_context():
        assert sorted(lists.titles(playlist_id)) == list("123456")
        # Whoever was second moved behind, or in front of, where the other had put things.
        assert lists.titles(playlist_id) in ("563412", "512634")
        assert queries.version_of(playlist_id) == 3
        assert_history_tells_everything(playlist_id)


def test_adding_behind_what_is_being_removed_adds_it_there(lists: Lists) -> None:
    playlist_id = lists.playlist(1, 2, 3)
    with lists.app.app_context():
        _, second, _ = lists.entries(playlist_id)
    both(
        lists,
        lambda: services.remove_entries(playlist_id, lists.alice, [second]),
        lambda: services.add_tracks(playlist_id, lists.bob, lists.tracks[8:], after_entry_id=second),
    )
    with lists.app.app_context():
        assert lists.titles(playlist_id) == "193"
        assert_history_tells_everything(playlist_id)


def test_two_who_remove_the_same_remove_it_once(lists: Lists) -> None:
    playlist_id = lists.playlist(1, 2, 3)
    with lists.app.app_context():
        first, *_ = lists.entries(playlist_id)
    both(
        lists,
        lambda: services.remove_entries(playlist_id, lists.alice, [first]),
        lambda: services.remove_entries(playlist_id, lists.bob, [first]),
    )
    with lists.app.app_context():
        assert (lists.titles(playlist_id), queries.version_of(playlist_id)) == ("23", 2)
        assert_history_tells_everything(playlist_id)


def one_edit(lists: Lists, playlist_id: int, who: int, some: list[int], chance: random.Random) -> PlaylistChange | None:
    """Something that people do, with some of the entries that they think are there."""
    act = chance.choice(["add", "add", "remove", "move", "move", "move", "undo", "sort", "restore"])
    if act == "add":
        tracks = chance.choices(lists.tracks, k=2)
        return services.add_tracks(playlist_id, who, tracks, after_entry_id=some[0]).change
    if act == "remove":
        return services.remove_entries(playlist_id, who, some)
    if act == "move":
        place = chance.choice([0, None, some[-1]])
        return services.move_entries(playlist_id, who, some[:2], after_entry_id=place)
    if act == "undo":
        return services.undo_last(playlist_id, who)
    if act == "sort":
        return services.sort_entries(playlist_id, who, "title", chance.random() < 0.5)
    return services.restore_version(playlist_id, who, chance.randint(1, 20))


def test_nobody_loses_or_doubles_anything_when_eight_edit_at_once(lists: Lists) -> None:
    playlist_id = lists.playlist(1, 2, 3, 4, 5, 6, 7, 8, 9)

    def edit(number: int) -> int:
        """Edits as a page would that is some changes behind; returns how many changes that made."""
        chance, made = random.Random(number), 0
        who = lists.alice if number % 2 else lists.bob
        with lists.app.app_context():
            seen = lists.entries(playlist_id)
            db.session.commit()
            for turn in range(EDITS):
                if turn % 5 == 0:
                    seen = lists.entries(playlist_id) or seen
                    db.session.commit()
                some = chance.sample(seen, min(len(seen), chance.randint(1, 3)))
                try:
                    change = one_edit(lists, playlist_id, who, some, chance)
                except NothingToUndoError:
                    db.session.rollback()
                    continue
                db.session.commit()
                made += change is not None
        return made

    with ThreadPoolExecutor(EDITORS) as threads:
        made = sum(threads.map(edit, range(EDITORS)))
    with lists.app.app_context():
        assert queries.version_of(playlist_id) == 1 + made
        assert made > EDITORS * EDITS / 2
        assert_history_tells_everything(playlist_id)
