from __future__ import annotations

import pytest
from flask import Flask

from musicapp.core.db import db
from musicapp.playlists import queries, services
from musicapp.playlists.errors import PlaylistForbiddenError, PlaylistFullError, PlaylistNotFoundError
from musicapp.playlists.models import Playlist
from tests.playlists.conftest import Lists


def test_tracks_stand_in_the_order_they_were_added_in(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(3, 1)
    added = services.add_tracks(playlist_id, lists.bob, [lists.tracks[4], lists.tracks[1]])
    assert lists.titles(playlist_id) == "3152"
    assert added.entry_ids == tuple(lists.entries(playlist_id)[2:])
    head = queries.playlist_head(playlist_id)
    assert head is not None
    assert (head.version, head.track_count, head.duration_ms) == (2, 4, (3 + 1 + 5 + 2) * 60_000)


def test_tracks_are_added_at_the_start_and_behind_an_entry(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, 2, 3)
    first = lists.entries(playlist_id)[0]
    services.add_tracks(playlist_id, lists.alice, [lists.tracks[3], lists.tracks[4]], after_entry_id=first)
    services.add_tracks(playlist_id, lists.alice, [lists.tracks[5]], after_entry_id=0)
    assert lists.titles(playlist_id) == "614523"
