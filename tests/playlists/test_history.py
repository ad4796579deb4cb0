from __future__ import annotations

import pytest
from flask import Flask

from musicapp.core.db import db
from musicapp.playlists import queries, services
from musicapp.playlists.errors import NothingToUndoError, PlaylistFullError
from musicapp.playlists.models import Playlist
from tests.playlists.conftest import Lists, give_cover
from tests.playlists.replay import assert_history_tells_everything


def test_last_change_of_ones_own_is_undone_and_others_edits_stay(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3, 4)
    entry = dict(zip("1234", lists.entries(playlist_id), strict=True))
    services.remove_entries(playlist_id, lists.alice, [entry["1"], entry["3"]])
    services.add_tracks(playlist_id, lists.bob, lists.tracks[4:6], after_entry_id=entry["2"])
    services.move_entries(playlist_id, lists.bob, [entry["4"]], after_entry_id=0)
    assert lists.titles(playlist_id) == "4256"
    services.undo_last(playlist_id, lists.alice)
    # 5 stands where 3 stood: after 2, and who is back stands beside.
    assert lists.titles(playlist_id) in ("412563", "412536")
    services.undo_last(playlist_id, lists.bob)
    services.undo_last(playlist_id, lists.bob)
    assert lists.titles(playlist_id) == "1234"
    with pytest.raises(NothingToUndoError):
        services.undo_last(playlist_id, lists.bob)
    assert_history_tells_everything(playlist_id)


def test_undo_goes_back_change_by_change(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(5, 3, 1)
    seen = [lists.titles(playlist_id)]
    services.sort_entries(playlist_id, lists.alice, "title")
    seen.append(lists.titles(playlist_id))
    services.move_entries(playlist_id, lists.alice, lists.entries(playlist_id)[:1], after_entry_id=None)
    seen.append(lists.titles(playlist_id))
    services.add_tracks(playlist_id, lists.alice, lists.tracks[7:9], after_entry_id=0)
    seen.append(lists.titles(playlist_id))
    services.remove_entries(playlist_id, lists.alice, lists.entries(playlist_id)[1:3])
    assert seen == ["531", "135", "351", "89351"]
    for expected in reversed(seen):
        services.undo_last(playlist_id, lists.alice)
        assert lists.titles(playlist_id) == expected
    assert_history_tells_everything(playlist_id)


def test_what_others_did_to_the_same_entry_since_stays(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3, 4)
    one, two, three, four = lists.entries(playlist_id)
    services.move_entries(playlist_id, lists.alice, [one, two], after_entry_id=four)
    services.move_entries(playlist_id, lists.bob, [one], after_entry_id=0)
    services.undo_last(playlist_id, lists.alice)
    assert lists.titles(playlist_id) == "1234"
    services.remove_entries(playlist_id, lists.alice, [three])
    services.undo_last(playlist_id, lists.alice)
    services.remove_entries(playlist_id, lists.bob, [three])
    # Alice's removal was undone before, and Bob's is his.
    with pytest.raises(NothingToUndoError):
        services.undo_last(playlist_id, lists.alice)
    assert lists.titles(playlist_id) == "124"
    added = services.add_tracks(playlist_id, lists.alice, lists.tracks[8:])
    services.remove_entries(playlist_id, lists.bob, added.entry_ids)
    with pytest.raises(NothingToUndoError):
        services.undo_last(playlist_id, lists.alice)
    assert_history_tells_everything(playlist_id)


def test_undone_change_is_done_again_by_undoing_the_undo(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3)
    change = services.remove_entries(playlist_id, lists.bob, lists.entries(playlist_id)[1:])
    assert change is not None
    undo = services.undo_change(playlist_id, lists.alice, change.id)
    assert lists.titles(playlist_id) == "123"
    with pytest.raises(NothingToUndoError, match="undone before"):
        services.undo_change(playlist_id, lists.alice, change.id)
    redo = services.undo_change(playlist_id, lists.alice, undo.id)
    assert lists.titles(playlist_id) == "1"
    assert [row.is_undone for row in queries.history(playlist_id, lists.alice)] == [False, True, False, False]
    services.undo_change(playlist_id, lists.bob, redo.id)
    assert lists.titles(playlist_id) == "123"
    assert_history_tells_everything(playlist_id)


def test_words_go_back_unless_somebody_wrote_others(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, name="Evening")
    services.edit_playlist(playlist_id, lists.alice, name="Night", description="Slow.", visibility="public")
    services.edit_playlist(playlist_id, lists.bob, name="Late night", description="Slow.", visibility="public")
    services.undo_last(playlist_id, lists.alice)
    head = queries.playlist_head(playlist_id)
    assert head is not None
    assert (head.name, head.description, head.visibility) == ("Late night", "", "private")
    first = queries.history(playlist_id, lists.alice)[2]
    assert first.fields["name"] == ("Evening", "Night")


def test_editor_does_not_bring_back_who_may_see_it(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, visibility="public")
    change = services.edit_playlist(playlist_id, lists.alice, name="Evening", description="", visibility="private")
    assert change is not None
    with pytest.raises(NothingToUndoError):
        services.undo_change(playlist_id, lists.bob, change.id)
    services.undo_change(playlist_id, lists.alice, change.id)
    assert queries.may_see(None, playlist_id)


def test_cover_comes_back_as_long_as_its_picture_is_kept(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    artwork_id = give_cover(lists.album)
    services.set_cover(playlist_id, lists.alice, artwork_id)
    services.remove_cover(playlist_id, lists.bob)
    services.undo_last(playlist_id, lists.bob)
    head = queries.playlist_head(playlist_id)
    assert head is not None
    assert head.cover is not None
    assert head.cover.id == artwork_id
    assert head.mosaic == ()


def test_earlier_version_comes_back_as_one_change(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3)
    services.add_tracks(playlist_id, lists.bob, lists.tracks[3:6], after_entry_id=0)
    version, expected = queries.version_of(playlist_id), lists.titles(playlist_id)
    assert version is not None
    services.sort_entries(playlist_id, lists.alice, "title")
    services.remove_entries(playlist_id, lists.bob, lists.entries(playlist_id)[1:4])
    services.add_tracks(playlist_id, lists.alice, lists.tracks[8:], after_entry_id=0)
    later = lists.titles(playlist_id)
    change = services.restore_version(playlist_id, lists.bob, version)
    assert lists.titles(playlist_id) == expected == "456123"
    assert (change.kind, change.version) == ("restored", 6)
    with pytest.raises(NothingToUndoError, match="looks as it did then"):
        services.restore_version(playlist_id, lists.bob, version)
    services.undo_last(playlist_id, lists.bob)
    assert lists.titles(playlist_id) == later
    services.restore_version(playlist_id, lists.alice, 1)
    assert lists.titles(playlist_id) == "123"
    for unknown in (-1, 99):
        with pytest.raises(NothingToUndoError):
            services.restore_version(playlist_id, lists.alice, unknown)
    assert_history_tells_everything(playlist_id)


def test_entries_removed_at_one_place_stand_beside_each_other_when_they_return(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2)
    first, _ = lists.entries(playlist_id)
    changes = []
    for number in (3, 4, 5):
        added = services.add_tracks(playlist_id, lists.alice, [lists.tracks[number - 1]], after_entry_id=first)
        changes.append(services.remove_entries(playlist_id, lists.alice, added.entry_ids))
    for change in changes:
        assert change is not None
        services.undo_change(playlist_id, lists.bob, change.id)
    assert sorted(lists.titles(playlist_id)[1:4]) == ["3", "4", "5"]
    assert_history_tells_everything(playlist_id)


def test_undo_never_makes_a_playlist_too_long(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3)
    context.config["PLAYLIST_MAX_TRACKS"] = 3
    services.remove_entries(playlist_id, lists.alice, lists.entries(playlist_id)[:2])
    services.add_tracks(playlist_id, lists.bob, lists.tracks[4:6])
    with pytest.raises(PlaylistFullError):
        services.undo_last(playlist_id, lists.alice)


def test_history_says_who_did_what_page_by_page(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2)
    services.add_tracks(playlist_id, lists.bob, [*lists.tracks[2:7]])
    services.add_tracks(playlist_id, lists.alice, [lists.draft_track])
    services.remove_entries(playlist_id, lists.bob, lists.entries(playlist_id)[:1])
    first, *rest = queries.history(playlist_id, lists.dave, limit=2)
    assert (first.kind, first.removed_count, first.titles, first.can_undo) == ("removed", 1, ("Track 1",), True)
    assert rest[0].titles == ()  # dave may not see the draft
    older = queries.history(playlist_id, lists.dave, before_version=rest[-1].version)
    assert [(row.kind, row.added_count) for row in older] == [("added", 5), ("created", 2)]
    assert older[0].by is not None
    assert (older[0].by.username, older[0].titles) == ("bob", ("Track 3", "Track 4", "Track 5"))
    assert not older[1].can_undo


def test_deleted_playlist_is_gone_for_all_and_comes_back_as_it_was(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, visibility="public")
    services.delete_playlist(playlist_id, lists.alice)
    assert not any(queries.may_see(who, playlist_id) for who in (None, lists.alice, lists.bob))
    assert queries.playlist_head(playlist_id) is None
    assert [card.id for card in queries.deleted_playlists_of(lists.alice)] == [playlist_id]
    assert queries.playlists_of(lists.bob) == []
    services.restore_playlist(playlist_id, lists.alice)
    assert (lists.titles(playlist_id), queries.role_of(lists.bob, playlist_id)) == ("12", "editor")
    assert db.session.get_one(Playlist, playlist_id).version == 1
