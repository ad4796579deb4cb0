"""Covers of playlists come from Redis, and never show what is gone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from musicapp.catalog import services as catalog
from musicapp.core import cache
from musicapp.core.db import db
from musicapp.core.redis import redis_client
from musicapp.playlists import services
from tests.playlists.conftest import Lists, give_cover


def kept_after_looks(lists: Lists, looks: Callable[[], bool]) -> None:
    """Two looks with the cover, the second without the database; then ten seconds have passed since."""
    with lists.app.app_context():
        for key in redis_client().scan_iter("cache/*"):
            redis_client().delete(key)
    assert looks()
    assert looks()
    with lists.app.app_context():
        assert cache.figures()["playlist_mosaic"].hits == 1


@pytest.mark.parametrize("hide", ["remove", "unpublish_album", "delete_album", "delete_track"])
def test_kept_cover_goes_with_its_track_and_album(lists: Lists, hide: str) -> None:
    with lists.app.app_context():
        cover = give_cover(lists.album)
        db.session.commit()
    playlist_id = lists.playlist(1)
    bob = lists.browser(lists.bob)

    def shows() -> bool:
        return f"/artwork/{cover}/" in bob.get(f"/playlists/{playlist_id}").text

    kept_after_looks(lists, shows)
    with lists.app.app_context():
        if hide == "remove":
            services.remove_entries(playlist_id, lists.bob, lists.entries(playlist_id))
        elif hide == "delete_track":
            catalog.delete_track(lists.tracks[0])
        else:
            getattr(catalog, hide)(lists.album)
        db.session.commit()
    assert not shows()
    assert not shows()


def test_track_that_comes_brings_its_cover_to_a_list_that_had_none(lists: Lists) -> None:
    with lists.app.app_context():
        cover = give_cover(lists.album)
        db.session.commit()
    empty = lists.playlist()
    bob = lists.browser(lists.bob)

    def shows() -> bool:
        return f"/artwork/{cover}/" in bob.get("/playlists/").text

    kept_after_looks(lists, lambda: not shows())
    with lists.app.app_context():
        services.add_tracks(empty, lists.bob, lists.tracks[:1])
        db.session.commit()
    assert shows()
