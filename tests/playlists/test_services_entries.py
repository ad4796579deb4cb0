from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from musicapp.catalog.models import Track
from musicapp.core.db import db
from musicapp.playlists import queries, services
from musicapp.playlists.errors import PlaylistForbiddenError, PlaylistFullError, PlaylistNotFoundError
from musicapp.playlists.models import PlaylistChange, PlaylistEntry
from musicapp.playlists.order import LONGEST_KEY
from musicapp.playlists.services.editing import Ops, gap, insert_entries, keys_in_gap
from tests.catalog.conftest import statements
from tests.playlists.conftest import Lists, add_tracks
from tests.playlists.replay import assert_history_tells_everything


def test_tracks_stand_in_the_order_they_were_added_in(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(3, 1)
    added = services.add_tracks(playlist_id, lists.bob, [lists.tracks[4], lists.tracks[1]])
    assert lists.titles(playlist_id) == "3152"
    assert added.entry_ids == tuple(lists.entries(playlist_id)[2:])
    head = queries.playlist_head(playlist_id)
    assert head is not None
    assert (head.version, head.track_count, head.duration_ms) == (2, 4, (3 + 1 + 5 + 2) * 60_000)
    assert queries.rows(playlist_id, lists.dave)[2].added_by == queries.members(playlist_id)[1].person


def test_tracks_are_added_at_the_start_and_behind_an_entry(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3)
    first = lists.entries(playlist_id)[0]
    services.add_tracks(playlist_id, lists.alice, [lists.tracks[3], lists.tracks[4]], after_entry_id=first)
    services.add_tracks(playlist_id, lists.alice, [lists.tracks[5]], after_entry_id=0)
    assert lists.titles(playlist_id) == "614523"


def test_duplicates_are_added_or_skipped_as_asked(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2)
    one, two, three, *_ = lists.tracks
    added = services.add_tracks(playlist_id, lists.alice, [two, three, three], duplicates="skip")
    assert (lists.titles(playlist_id), added.skipped_track_ids) == ("123", (two,))
    services.add_tracks(playlist_id, lists.alice, [two, two])
    assert lists.titles(playlist_id) == "12322"
    nothing = services.add_tracks(playlist_id, lists.alice, [one, two, three], duplicates="skip")
    assert (nothing.change, nothing.skipped_track_ids) == (None, (one, two, three))
    assert queries.version_of(playlist_id) == 3


def test_nobody_adds_what_they_may_not_see(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    added = services.add_tracks(playlist_id, lists.bob, [lists.draft_track, 999_999, 2**40, lists.tracks[1]])
    assert lists.titles(playlist_id) == "12"
    assert added.gone_track_ids == (lists.draft_track, 999_999, 2**40)


def test_track_of_a_draft_shows_to_its_members_only(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    services.add_tracks(playlist_id, lists.alice, [lists.draft_track])
    assert lists.titles(playlist_id, lists.alice) == "1Unheard"
    assert lists.titles(playlist_id, lists.bob) == "1?"
    assert queries.track_ids_of(playlist_id, lists.bob) == [lists.tracks[0]]


def test_full_playlist_takes_nothing_and_says_why(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2)
    context.config["PLAYLIST_MAX_TRACKS"] = 4
    with pytest.raises(PlaylistFullError, match="at most 4 tracks, and Evening has room for 2 more"):
        services.add_tracks(playlist_id, lists.alice, lists.tracks[:3])
    services.add_tracks(playlist_id, lists.alice, lists.tracks[:2])
    assert lists.titles(playlist_id) == "1212"


def test_entries_are_removed_and_the_rest_keeps_its_order(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3, 4)
    entries = lists.entries(playlist_id)
    services.remove_entries(playlist_id, lists.bob, [entries[2], entries[0]])
    assert lists.titles(playlist_id) == "24"
    assert services.remove_entries(playlist_id, lists.alice, [entries[2]]) is None
    services.remove_entries(playlist_id, lists.alice, [entries[2], entries[3]])
    head = queries.playlist_head(playlist_id)
    assert head is not None
    assert (lists.titles(playlist_id), head.version, head.track_count, head.duration_ms) == ("2", 3, 1, 120_000)


def test_moved_entries_keep_their_order(lists: Lists, context: Flask) -> None:
    for moved, behind, expected in (
        ("2", "start", "2134567"),
        ("7", "2", "1273456"),
        ("1", "7", "2345671"),
        ("52", "7", "1346725"),
        ("24", "3", "1324567"),
        ("14", "4", "2314567"),
        ("61", "end", "2345716"),
        ("76", "start", "6712345"),
        ("1357", "4", "2413576"),
    ):
        playlist_id = lists.playlist(1, 2, 3, 4, 5, 6, 7)
        entry = dict(zip("1234567", lists.entries(playlist_id), strict=True)) | {"start": 0}
        services.move_entries(
            playlist_id, lists.bob, [entry[title] for title in moved], after_entry_id=entry.get(behind)
        )
        assert lists.titles(playlist_id) == expected, (moved, behind)


def test_move_to_where_something_stands_is_no_change(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3)
    entries = lists.entries(playlist_id)
    assert services.move_entries(playlist_id, lists.bob, entries[1:], after_entry_id=entries[0]) is None
    assert services.move_entries(playlist_id, lists.bob, entries[:1], after_entry_id=0) is None
    assert services.move_entries(playlist_id, lists.bob, entries, after_entry_id=None) is None
    assert (lists.titles(playlist_id), queries.version_of(playlist_id)) == ("123", 1)


def test_move_leaves_out_what_was_removed_and_finds_a_removed_place(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3, 4, 5)
    entries = lists.entries(playlist_id)
    services.remove_entries(playlist_id, lists.alice, [entries[1], entries[4]])
    services.move_entries(playlist_id, lists.bob, [entries[0], entries[4]], after_entry_id=entries[3])
    assert lists.titles(playlist_id) == "341"
    services.move_entries(playlist_id, lists.bob, [entries[3]], after_entry_id=entries[1])
    assert lists.titles(playlist_id) == "431"
    services.add_tracks(playlist_id, lists.bob, [lists.tracks[7]], after_entry_id=entries[4])
    assert lists.titles(playlist_id) == "4318"


def test_entry_of_another_playlist_is_no_place(lists: Lists, context: Flask) -> None:
    playlist_id, other_id = lists.playlist(1, 2), lists.playlist(3)
    (foreign,) = lists.entries(other_id)
    with pytest.raises(PlaylistNotFoundError):
        services.add_tracks(playlist_id, lists.alice, [lists.tracks[0]], after_entry_id=foreign)
    assert services.remove_entries(playlist_id, lists.alice, [foreign]) is None
    assert services.move_entries(playlist_id, lists.alice, [foreign], after_entry_id=0) is None


def test_order_of_a_column_is_kept(lists: Lists, context: Flask) -> None:
    ids = add_tracks(lists.album, lists.artist, ["Éclair", "alpha", "Éclat", "Zulu"])
    for place, (id_, minutes) in enumerate(zip(ids, (3, 4, 1, 2), strict=True)):
        values = {"duration_ms": minutes * 60_000, "play_count": 9 - place, "position": place}
        db.session.execute(update(Track).where(Track.id == id_).values(values))
    for column, descending, expected in (
        ("title", False, "2134"),
        ("title", True, "4312"),
        ("length", False, "3412"),
        ("plays", True, "1234"),
        ("added", False, "3142"),
        ("added", True, "2413"),
        ("artist", False, "1234"),
        ("album", True, "1234"),
    ):
        playlist_id = lists.playlist()
        for number in (3, 1, 4, 2):
            services.add_tracks(playlist_id, lists.alice, [ids[number - 1]])
        first = lists.entries(playlist_id)[0]
        services.move_entries(playlist_id, lists.alice, [first], after_entry_id=None)
        services.sort_entries(playlist_id, lists.bob, column, descending)
        shown = queries.rows(playlist_id, lists.alice)
        assert "".join(str(ids.index(row.track_id) + 1) for row in shown) == expected, column
        assert services.sort_entries(playlist_id, lists.bob, column, descending) is None


def test_sorting_changes_only_what_is_out_of_place(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(9, 1, 2, 3, 4, 5, 6, 7, 8)
    change = services.sort_entries(playlist_id, lists.bob, "title")
    assert change is not None
    assert (lists.titles(playlist_id), change.summary["moved_count"]) == ("123456789", 1)


def test_only_editors_change_and_strangers_find_nothing(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2)
    entries = lists.entries(playlist_id)
    attempts: list[Callable[[int], object]] = [
        lambda who: services.add_tracks(playlist_id, who, lists.tracks),
        lambda who: services.remove_entries(playlist_id, who, entries),
        lambda who: services.move_entries(playlist_id, who, entries[:1], after_entry_id=None),
        lambda who: services.sort_entries(playlist_id, who, "title"),
        lambda who: services.edit_playlist(playlist_id, who, name="x", description="", visibility="private"),
        lambda who: services.undo_last(playlist_id, who),
        lambda who: services.restore_version(playlist_id, who, 1),
        lambda who: services.delete_playlist(playlist_id, who),
        lambda who: services.renew_link(playlist_id, who),
        lambda who: services.invite_by_link(playlist_id, who, "editor"),
        lambda who: services.ask_for_cover(playlist_id, who, "pictures/x"),
    ]
    for attempt in attempts:
        with pytest.raises(PlaylistNotFoundError):
            attempt(lists.charlie)
        with pytest.raises(PlaylistForbiddenError):
            attempt(lists.dave)
    assert queries.version_of(playlist_id) == 1


def test_keys_stay_short_after_two_thousand_insertions_at_one_place(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3)
    first, second, _ = lists.entries(playlist_id)
    gone = services.add_tracks(playlist_id, lists.alice, [lists.tracks[4]], after_entry_id=first).entry_ids
    services.remove_entries(playlist_id, lists.alice, gone)
    expected: list[int] = []
    longest = rekeyed = 0
    # The keys are the same on both databases; one of them is enough for so many.
    insertions = 2_000 if db.engine.dialect.name == "sqlite" else 50
    for _ in range(insertions):
        ops = Ops()
        keys = keys_in_gap(playlist_id, *gap(playlist_id, first), 1, ops)
        expected[:0] = [entry[0] for entry in insert_entries(playlist_id, None, lists.tracks[:1], keys, 0)]
        longest, rekeyed = max(longest, len(keys[0])), rekeyed + bool(ops.rekeyed)
    assert longest <= LONGEST_KEY
    assert rekeyed == (1 if insertions == 2_000 else 0)
    order = [entry_id for entry_id, _ in queries.order(playlist_id)]
    assert order == [first, *expected, second, order[-1]]


def test_shorter_keys_are_told_and_nothing_leaves_its_place(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2)
    first, second = lists.entries(playlist_id)
    low = queries.order(playlist_id)[0][1]
    # As after a thousand insertions: two entries between which only a very long key fits.
    long_key = low + "0" * (LONGEST_KEY - 3) + "1"
    db.session.execute(update(PlaylistEntry).where(PlaylistEntry.id == second).values(order_key=long_key))
    change = services.add_tracks(playlist_id, lists.alice, lists.tracks[2:3], after_entry_id=first).change
    assert lists.titles(playlist_id) == "132"
    assert change is not None
    told = queries.change(change.id)
    assert told is not None
    assert [moved.entry_id for moved in told.moved] == [second]
    assert len(told.moved[0].order_key) < 10
    assert dict(queries.order(playlist_id))[second] == told.moved[0].order_key
    services.undo_last(playlist_id, lists.alice)
    assert lists.titles(playlist_id) == "12"


def test_adding_to_ten_thousand_runs_what_adding_to_none_runs(lists: Lists, context: Flask) -> None:
    empty, long = lists.playlist(), lists.playlist()
    services.add_tracks(long, lists.alice, lists.tracks * 1_110)
    db.session.commit()
    ran: list[list[str]] = []
    for playlist_id in (empty, long):
        db.session.expunge_all()
        with statements() as seen:
            services.add_tracks(playlist_id, lists.bob, lists.tracks[:5])
            db.session.flush()
        ran.append(list(seen))
        db.session.commit()
    assert len(ran[0]) == len(ran[1]) <= 12
    for statement in ran[1]:
        if db.engine.dialect.name == "sqlite" and statement.startswith("SELECT"):
            assert "count(" not in statement.lower()
    assert db.session.scalar(select(func.count(PlaylistEntry.id)).where(PlaylistEntry.playlist_id == long)) == 9_995
    assert_history_tells_everything(long)


def test_change_says_who_did_what(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2)
    change = services.add_tracks(playlist_id, lists.bob, lists.tracks[2:4]).change
    assert change is not None
    told = queries.change(change.id)
    assert told is not None
    assert told.by is not None
    assert (told.kind, told.version, told.by.username) == ("added", 2, "bob")
    assert [(one.entry_id, one.order_key) for one in told.added] == queries.order(playlist_id)[2:]
    assert [one.track_id for one in told.added] == lists.tracks[2:4]
    assert queries.changes_since(playlist_id, 1) == [told]
    assert queries.changes_since(playlist_id, 2) == []
    db.session.execute(delete(PlaylistChange).where(PlaylistChange.version == 1))
    assert queries.changes_since(playlist_id, 0) is None
