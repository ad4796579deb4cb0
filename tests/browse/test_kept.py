"""Pages from the cache say what is true: after every kind of change, to everybody, at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import update

from musicapp.catalog import queries, services
from musicapp.catalog.models import Track
from musicapp.catalog.services import NewCredit
from musicapp.core import cache
from musicapp.core.db import db
from musicapp.core.redis import redis_client
from tests.catalog.conftest import House, house, outcome

__all__ = ["house"]


def make_cover(house: House) -> int:
    return services.add_artwork(
        key="artworks/x", original_key=None, sha256="x", width=640, height=640, sizes=[320, 640], color="#123456"
    )


def rename_album(house: House) -> None:
    services.update_album(
        house.album, title="Thaw", kind="ep", release_on=None, genres=["Folk"], description="", credits=None
    )


CHANGES: list[tuple[Callable[[House], object], str, str]] = [
    (rename_album, "Winter", "Thaw"),
    (lambda house: services.update_artist(house.artist, name="Boreal", bio=""), "The Auroras", "Boreal"),
    (lambda house: services.set_album_cover(house.album, make_cover(house)), "cover-made", "/artwork/1/"),
    (lambda house: services.update_track(1, title="Ice", credits=[NewCredit("Ida")]), ">Snow<", ">Ice<"),
    (lambda house: services.set_track_ready(2, outcome(2)), "Plays from the original", "4:01"),
    (lambda house: services.delete_track(1), ">Snow<", "1 track"),
    (lambda house: house.add_track("Melt"), "2 tracks", ">Melt<"),
]


@pytest.mark.parametrize(("change", "before", "after"), CHANGES, ids=[after.strip("><") for _, _, after in CHANGES])
def test_change_shows_at_once(house: House, change: Callable[[House], object], before: str, after: str) -> None:
    house.add_track("Snow")
    house.add_track("Wind")
    house.publish()
    if after == "4:01":
        with house.app.app_context():
            services.set_track_ready(1, outcome(1))
            db.session.commit()
    let_marks_go(house)
    stranger = house.app.test_client()
    addresses = (f"/albums/{house.album}", "/", f"/artists/{house.artist}")
    for address in (*addresses, *addresses):
        assert stranger.get(address).status_code == 200
    assert before in stranger.get(addresses[0]).text
    assert cache_hits(house, "album_page") >= 1
    with house.app.app_context():
        change(house)
        db.session.commit()
    text = stranger.get(addresses[0]).text
    assert after in text
    shown = [stranger.get(address).text for address in addresses]
    assert sum(after in text for text in shown) >= 1
    if before not in {"cover-made", "Plays from the original"}:
        assert all(before not in text for text in shown)


def let_marks_go(house: House) -> None:
    """As if ten seconds had passed since the last change: only then is anything kept."""
    redis = house.app.extensions["redis"]
    for key in redis.scan_iter("cache/*"):
        redis.delete(key)


def cache_hits(house: House, kind: str) -> int:
    with house.app.app_context():
        figures = cache.figures().get(kind)
    return figures.hits if figures else 0


def test_new_order_shows_at_once(house: House) -> None:
    first, second = house.add_track("Snow"), house.add_track("Wind")
    house.publish()
    let_marks_go(house)
    stranger = house.app.test_client()

    def order() -> bool:
        text = stranger.get(f"/albums/{house.album}").text
        return text.index(">Snow<") < text.index(">Wind<")

    assert order()
    assert order()
    with house.app.app_context():
        services.reorder_tracks(house.album, [second, first])
        db.session.commit()
    assert not order()


@pytest.mark.parametrize("hide", [services.unpublish_album, services.delete_album])
def test_hidden_album_is_nowhere_though_it_was_kept(house: House, hide: Callable[[int], None]) -> None:
    track = house.add_track("Snow")
    house.publish()
    let_marks_go(house)
    stranger, bob = house.app.test_client(), house.browser(house.bob)
    for browser in (stranger, bob, stranger):
        assert "Snow" in browser.get(f"/albums/{house.album}").text
        assert "Snow" in browser.get(f"/artists/{house.artist}").text
    with house.app.app_context():
        hide(house.album)
        db.session.commit()
    for browser in (stranger, bob):
        assert browser.get(f"/albums/{house.album}").status_code == 404
        assert browser.get(f"/tracks/{track}").status_code == 404
        assert "Snow" not in browser.get(f"/artists/{house.artist}").text
        assert "Winter" not in browser.get("/").text


def test_album_that_was_hidden_without_a_word_is_nowhere_either(house: House) -> None:
    """Rights are asked of the database: even where no event dropped anything."""
    house.add_track("Snow")
    house.publish()
    let_marks_go(house)
    stranger = house.app.test_client()
    for _ in range(2):
        stranger.get(f"/albums/{house.album}")
        stranger.get("/")
        stranger.get(f"/artists/{house.artist}")
    with house.app.app_context():
        album = queries.album_by_id(house.album)
        assert album is not None
        album.published_at = None
        db.session.commit()
    assert stranger.get(f"/albums/{house.album}").status_code == 404
    for address in ("/", "/albums/", f"/artists/{house.artist}"):
        assert "Winter" not in stranger.get(address).text, address
        assert "Snow" not in stranger.get(address).text, address


def test_drafts_are_never_kept(house: House) -> None:
    house.add_track("Snow")
    let_marks_go(house)
    alice = house.browser(house.alice)
    for _ in range(2):
        assert "Snow" in alice.get(f"/albums/{house.album}").text
        alice.get("/tracks/1/menu")
    with house.app.app_context():
        kept = [(key, redis_client().get(key)) for key in redis_client().scan_iter("cache/*/1")]
        kept = [(key, value) for key, value in kept if b"unread_notices" not in key]  # of a person, not of an album
    assert not [key for key, value in kept if isinstance(value, bytes) and value.startswith(b"v")]


def test_plays_are_counted_though_the_page_is_kept(house: House) -> None:
    track = house.add_track("Snow")
    house.publish()
    let_marks_go(house)
    stranger = house.app.test_client()
    addresses = (f"/albums/{house.album}", f"/artists/{house.artist}")
    for address in (*addresses, *addresses):
        assert stranger.get(address).status_code == 200
    with house.app.app_context():
        db.session.execute(update(Track).where(Track.id == track).values(play_count=7))
        db.session.commit()
    for address in addresses:
        assert f'id="plays-{track}" class="plays">7<' in stranger.get(address).text, address
