from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import redis
from flask import Flask
from sqlalchemy import select

from musicapp import create_app
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album, Artwork, Track
from musicapp.core.db import db
from musicapp.core.redis import redis_client
from musicapp.playlists.models import Playlist, PlaylistEntry
from musicapp.search.services import put_entry
from tests.catalog.conftest import House, house, statements
from tests.people import register, sign_in

__all__ = ["house"]

TYPED = {"HX-Request": "true", "HX-Boosted": "true", "X-Typed": "1"}


@pytest.fixture
def shop(house: House) -> House:
    """Winter, by The Auroras, with a dozen songs; a public playlist of bob's; all of it searchable."""
    for number in range(12):
        house.add_track(f"Winter song {number}")
    house.publish()
    with house.app.app_context():
        playlist = Playlist(owner_id=house.bob, name="Winter nights", sort_name="", visibility="public", link_token="x")
        db.session.add(playlist)
        db.session.flush()
        put_entry("playlist", playlist.id, title="Winter nights", words="bob")
        house.playlist = playlist.id  # type: ignore[attr-defined]
        db.session.commit()
    return house


def test_results_stand_in_sections_with_the_best_on_top(shop: House) -> None:
    text = shop.app.test_client().get("/search?q=winter").text
    top = text[text.index("Top result") : text.index('id="found-tracks"')]
    assert f'class="top-hit-name" href="/albums/{shop.album}"' in top
    assert text.count('class="track-row is-mixed"') == 5
    assert 'data-source="search"' in text
    assert f'id="album-card-{shop.album}"' in text
    assert f'id="playlist-card-{shop.playlist}"' in text  # type: ignore[attr-defined]
    assert "kind=track" in text
    assert "All tracks" in text
    assert "All albums" not in text  # there is but one
    assert 'value="winter"' in text


def test_words_of_the_artist_and_of_the_title_find_a_track(shop: House) -> None:
    text = shop.app.test_client().get("/search?q=auroras+song+7").text
    assert re.findall(r'class="row-title" href="[^"]*">([^<]*)', text) == ["Winter song 7"]


def test_one_kind_goes_on_by_key(shop: House) -> None:
    client = shop.app.test_client()
    shop_tracks: list[str] = []
    for number in range(40):
        with shop.app.app_context():
            put_entry("track", 9000 + number, title="Winter ghost", words="")  # of a track that is not there
            db.session.commit()
    url: str | None = "/search?q=winter&kind=track"
    pages = 0
    while url:
        text = client.get(url).text
        shop_tracks += re.findall(r'class="row-title" href="[^"]*">([^<]*)', text)
        more = re.search(r'href="(/search\?[^"]*after=[^"]*)"', text)
        url = more[1].replace("&amp;", "&") if more else None
        pages += 1
    assert pages == 2
    assert sorted(shop_tracks) == sorted(f"Winter song {number}" for number in range(12))


def test_filters_leave_what_fits_and_say_how_to_get_out(shop: House) -> None:
    client = shop.app.test_client()
    assert "Winter song" in client.get("/search?q=winter&genre=dream-pop").text
    text = client.get("/search?q=winter&genre=jazz&year=1990s").text
    assert "Winter song" not in text
    assert 'href="/search?q=winter"' in text
    assert "Search everything" in text
    assert "selected>1990" in text


def test_typo_is_forgiven_and_named(shop: House) -> None:
    text = shop.app.test_client().get("/search?q=wintre").text
    assert "Did you mean" in text
    assert '<a href="/search?q=winter"' in text
    assert f"/albums/{shop.album}" in text


def test_nothing_found_says_what_to_do(shop: House) -> None:
    text = shop.app.test_client().get("/search?q=qqqqqq").text
    assert "No results for “qqqqqq”" in text
    assert "Check the spelling" in text


def test_what_is_typed_is_shown_as_text(shop: House) -> None:
    text = shop.app.test_client().get("/search", query_string={"q": "<img src=x onerror=alert(1)>"}).text
    assert "<img src=x" not in text


def test_entry_of_something_hidden_shows_nothing(shop: House) -> None:
    """The index was not told: the page asks the rights itself."""
    with shop.app.app_context():
        drafts = catalog.create_album(artist_id=shop.artist, user_id=shop.alice, title="Secret winter")
        put_entry("album", drafts, title="Secret winter", words="")
        put_entry("artist", 4711, title="Secret artist", words="winter")
        put_entry("person", 4711, title="Secret person", words="winter")
        private = Playlist(owner_id=shop.bob, name="Secret list", sort_name="", visibility="private", link_token="y")
        db.session.add(private)
        db.session.flush()
        put_entry("playlist", private.id, title="Secret list winter", words="")
        db.session.commit()
    for client in (shop.app.test_client(), shop.browser(shop.alice)):
        assert "Secret" not in client.get("/search?q=winter").text


def test_private_site_answers_members_only(environ: dict[str, str]) -> None:
    app = create_app({**environ, "PUBLIC_LISTENING": "false"}, TESTING=True)
    bob = register(app, "bob")
    stranger = app.test_client().get("/search?q=bob")
    assert stranger.status_code in {303, 401}
    assert 'role="search"' not in app.test_client().get("/login").text
    assert "@bob" in sign_in(app, bob).get("/search?q=bob").text
    app.extensions["redis"].close()


def test_recent_searches_are_kept_per_person_and_deleted(shop: House) -> None:
    bob, alice = shop.browser(shop.bob), shop.browser(shop.alice)
    bob.get("/search?q=winter")
    bob.get("/search?q=Winter+song")
    bob.get("/search?q=nothinglikethis")
    bob.get("/search?q=win", headers=TYPED)
    assert bob.post("/search/recent", data={"q": "auroras"}).status_code == 204
    text = bob.get("/search").text
    assert re.findall(r'<a href="/search\?q=[^"]*" dir="auto">([^<]*)', text) == ["auroras", "Winter song", "winter"]
    assert "Recent searches" not in alice.get("/search").text
    bob.post("/search/recent/forget", data={"q": "winter"})
    assert ">winter</a>" not in bob.get("/search").text
    bob.post("/search/recent/forget")
    assert "Recent searches" not in bob.get("/search").text
    assert shop.app.test_client().post("/search/recent", data={"q": "x"}).status_code in {303, 401}


def test_recent_searches_end_with_the_account(shop: House) -> None:
    from musicapp.accounts import services as accounts

    shop.browser(shop.charlie).get("/search?q=winter")
    with shop.app.app_context():
        assert redis_client().exists(f"search/recent/{shop.charlie}")
        accounts.delete_account(shop.charlie)
        db.session.commit()
        assert not redis_client().exists(f"search/recent/{shop.charlie}")


@pytest.fixture
def counted(environ: dict[str, str]) -> Iterator[Flask]:
    app = create_app({**environ, "RATE_LIMITS": "true", "SEARCH_RATE_LIMIT": "3 per minute"}, TESTING=True)
    yield app
    app.extensions["redis"].close()


def test_searching_very_often_is_answered_in_words(counted: Flask) -> None:
    client, bob = counted.test_client(), sign_in(counted, register(counted, "bob"))
    for _ in range(3):
        assert client.get("/search?q=x").status_code == 200
    answer = client.get("/search?q=x", headers=TYPED)
    assert answer.status_code == 429
    assert "very often" in answer.text
    assert int(answer.headers["Retry-After"]) <= 60
    assert bob.get("/search?q=x").status_code == 200  # an account is counted for itself


def test_search_works_without_redis(environ: dict[str, str]) -> None:
    app = create_app({**environ, "RATE_LIMITS": "true", "REDIS_URL": "redis://127.0.0.1:1/0"}, TESTING=True)
    with app.app_context():
        put_entry("person", 1, title="x")
        db.session.rollback()
    assert app.test_client().get("/search?q=winter").status_code == 200
    app.extensions["redis"].close()


def test_page_runs_few_statements_whatever_it_shows(shop: House) -> None:
    """Also while the cache is cold. The playlist has a cover in its mosaic, as then there is one statement more."""
    with shop.app.app_context():
        cover = Artwork(key="a/1", sha256="x", width=640, height=640, sizes=[320], color="#204060")
        db.session.add(cover)
        db.session.flush()
        db.session.get_one(Album, shop.album).cover_id = cover.id
        track_id = db.session.scalars(select(Track.id)).first()
        entry = {"order_key": "a0", "track_id": track_id, "placed_version": 1}
        db.session.add(PlaylistEntry(playlist_id=shop.playlist, **entry))  # type: ignore[attr-defined]
        db.session.commit()
    bob = shop.browser(shop.bob)
    bob.get("/")  # the session is known
    for query in ("q=winter", "q=wintre", "q=w", "q=winter&kind=track&genre=dream-pop", "q=bob", ""):
        with redis.Redis.from_url(shop.app.config["REDIS_URL"]) as client:
            for key in client.scan_iter("cache*"):
                client.delete(key)
        with shop.app.app_context(), statements() as ran:
            assert bob.get(f"/search?{query}").status_code == 200
        counted = [one for one in ran if not one.startswith(("BEGIN", "PRAGMA"))]

        assert len(counted) <= 12, query


def test_nasty_addresses_are_answered(shop: House) -> None:
    client = shop.app.test_client()
    for value in ('"', "\0", "a" * 5000, "🎵", "'"):
        for name in ("q", "kind", "genre", "year", "after"):
            assert client.get("/search", query_string={"q": "winter", name: value}).status_code == 200, (name, value)
    assert client.get("/search?q=winter&year=99999").status_code == 200
    assert client.get("/search?q=winter&year=2020-1990").status_code == 200
