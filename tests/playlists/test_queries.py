from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from flask import Flask
from sqlalchemy import select, update

from musicapp.catalog import services as catalog
from musicapp.catalog.queries import artwork_for
from musicapp.core.db import db, utc_now
from musicapp.playlists import queries, services
from musicapp.playlists.models import Playlist
from musicapp.search.models import SearchEntry
from tests.catalog.conftest import statements
from tests.playlists.conftest import Lists, add_tracks, give_cover


def test_head_shows_up_to_four_covers_of_what_everybody_sees(lists: Lists, context: Flask) -> None:
    albums = [
        catalog.create_album(artist_id=lists.artist, user_id=lists.alice, title=f"Album {number}")
        for number in range(6)
    ]
    covers = [give_cover(album) for album in albums]
    tracks = [add_tracks(album, lists.artist, ["A", "B"]) for album in albums]
    for album in albums[1:]:
        catalog.publish_album(album, lists.alice)
    playlist_id = lists.playlist(1)
    services.add_tracks(playlist_id, lists.alice, [id_ for both in tracks for id_ in both])
    head = queries.playlist_head(playlist_id)
    assert head is not None
    assert [picture.id for picture in head.mosaic] == covers[1:5]
    assert head.cover is None
    assert (head.owner.username, [row.role for row in head.members]) == ("alice", ["owner", "editor", "viewer"])
    assert queries.mosaics([playlist_id, lists.playlist(1)]) == {playlist_id: head.mosaic}


def test_cover_is_seen_by_whoever_sees_the_playlist(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    artwork_id = give_cover(lists.album)
    catalog.unpublish_album(lists.album)
    services.set_cover(playlist_id, lists.bob, artwork_id)
    assert [artwork_for(who, artwork_id) is not None for who in (None, lists.charlie, lists.dave)] == [
        False,
        False,
        True,
    ]
    services.edit_playlist(playlist_id, lists.alice, name="Evening", description="", visibility="public")
    served = artwork_for(None, artwork_id)
    assert served is not None
    assert served.is_public
    services.delete_playlist(playlist_id, lists.alice)
    assert artwork_for(lists.dave, artwork_id) is None


def test_rows_are_numbered_over_the_whole_playlist(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(9, 8, 7, 6, 5)
    entries = lists.entries(playlist_id)
    window = queries.rows(playlist_id, None, start=3, limit=10)
    assert [(row.number, row.entry_id, row.track_id) for row in window] == [
        (4, entries[3], lists.tracks[5]),
        (5, entries[4], lists.tracks[4]),
    ]
    services.remove_entries(playlist_id, lists.alice, entries[:1])
    chosen = queries.rows_by_entry_ids(playlist_id, None, [entries[4], entries[0], entries[1]])
    assert [(row.number, row.entry_id) for row in chosen] == [(4, entries[4]), (1, entries[1])]
    assert chosen[0].track is not None
    assert chosen[0].track.title == "Track 5"
    assert queries.rows_by_entry_ids(playlist_id, None, []) == []


def test_reads_run_as_many_statements_for_many_rows_as_for_few(lists: Lists, context: Flask) -> None:
    few, many = lists.playlist(1), lists.playlist(*range(1, 10))
    services.add_tracks(many, lists.bob, lists.tracks * 40)
    for number in range(30):
        services.create_playlist(lists.bob, f"List {number}", track_ids=lists.tracks[:3])
    db.session.commit()
    db.session.scalar(select(1))  # SQLite's BEGIN is a statement, too
    counts = []
    for playlist_id, user_id in ((few, lists.dave), (many, lists.bob)):
        with statements() as ran:
            queries.access(user_id, playlist_id)
            queries.playlist_head(playlist_id)
            queries.rows(playlist_id, user_id)
            queries.following(user_id, playlist_id)
        page = len(ran)
        with statements() as ran:
            queries.playlists_of(user_id)
        shelf = len(ran)
        with statements() as ran:
            queries.history(playlist_id, user_id)
        counts.append((page, shelf, len(ran)))
    assert counts[1] <= (10, 3, 6)
    assert counts[0] == counts[1]


def test_ones_playlists_are_those_made_joined_and_followed(lists: Lists, context: Flask) -> None:
    first, second = lists.playlist(1, name="First"), lists.playlist(2, name="Second")
    third = services.create_playlist(lists.charlie, "Third", visibility="public").id
    services.follow(third, lists.bob)
    services.add_tracks(first, lists.alice, lists.tracks[:1])
    shelf = queries.playlists_of(lists.bob)
    assert [(card.id, card.role, card.is_followed) for card in shelf] == [
        (first, "editor", False),
        (third, None, True),
        (second, "editor", False),
    ]
    assert [card.id for card in queries.editable_playlists_of(lists.bob)] == [first, second]
    assert queries.editable_playlists_of(lists.dave) == []
    choice = {card.id: card.containing_count for card in queries.editable_playlists_of(lists.bob, lists.tracks[:2])}
    assert choice == {first: 1, second: 1}


def test_public_playlists_page_by_key_while_others_change(lists: Lists, context: Flask) -> None:
    for number in range(7):
        services.create_playlist(lists.bob, f"List {number}", visibility="public")
    lists.playlist(1, name="Hidden")
    lists.playlist(1, name="By link", visibility="unlisted")
    db.session.execute(update(Playlist).values(updated_at=utc_now() - timedelta(hours=1)))  # all at one moment
    names: list[str] = []
    before: str | None = None
    while page := queries.public_playlists(before=before, limit=3):
        names += [card.name for card in page]
        before = page[-1].page_key
        services.create_playlist(lists.alice, "New", visibility="public")
    assert names == [f"List {number}" for number in reversed(range(7))]
    assert len(queries.public_playlists(before="nonsense", limit=100)) == 7 + 3
    assert {card.owner.username for card in queries.public_playlists(owner_id=lists.bob)} == {"bob"}


def test_public_playlists_are_found_and_no_others(lists: Lists, context: Flask) -> None:
    def found() -> list[str]:
        titles = select(SearchEntry.title).where(SearchEntry.kind == "playlist").order_by(SearchEntry.subject_id)
        return [title.strip() for title in db.session.scalars(titles)]

    playlist_id = lists.playlist(1, name="Evening")
    assert found() == []
    services.edit_playlist(playlist_id, lists.alice, name="Night", description="", visibility="public")
    services.follow(playlist_id, lists.charlie)
    assert found() == ["night"]
    entries = queries.playlists_to_find(0, 10)
    assert [(entry.title, entry.popularity) for entry in entries] == [("Night", 1)]
    services.delete_playlist(playlist_id, lists.alice)
    assert found() == []
    services.restore_playlist(playlist_id, lists.alice)
    services.edit_playlist(playlist_id, lists.bob, name="Late", description="", visibility="public")
    assert found() == ["late"]
    services.edit_playlist(playlist_id, lists.alice, name="Late", description="", visibility="unlisted")
    assert found() == []


def test_copy_is_private_and_holds_what_its_maker_may_see(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(3, 1, visibility="public")
    services.add_tracks(playlist_id, lists.alice, [lists.draft_track])
    copy = services.duplicate_playlist(playlist_id, lists.charlie)
    assert (lists.titles(copy.id, lists.charlie), copy.visibility, copy.owner_id) == ("31", "private", lists.charlie)
    assert (copy.version, copy.track_count) == (1, 2)
    assert lists.titles(playlist_id) == "31Unheard"


def test_export_of_an_account_has_its_playlists(lists: Lists, context: Flask) -> None:
    lists.playlist(2, 1, name="Evening")
    (exported,) = queries.playlists_for_export(lists.bob)
    assert (exported["name"], exported["role"]) == ("Evening", "editor")
    assert [track["title"] for track in exported["tracks"]] == ["Track 2", "Track 1"]


def test_neighbouring_pages_of_history_and_rows_meet_without_gaps(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(*range(1, 10))
    windows = [queries.rows(playlist_id, None, start=start, limit=4) for start in (0, 4, 8)]
    numbers = [row.number for window in windows for row in window]
    assert numbers == list(range(1, 10))
    keys = [row.order_key for window in windows for row in window]
    assert all(one < other for one, other in pairwise(keys))
