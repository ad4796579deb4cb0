"""Lists to browse: complete, without repetition, and the same again while others are added."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from urllib.parse import unquote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicapp.catalog import queries, services
from musicapp.catalog.models import Album, AlbumCredit, Artist, Genre
from musicapp.catalog.shuffle import Shuffle
from musicapp.catalog.text import shelf_letter
from musicapp.core.db import db, utc_now
from tests.catalog.conftest import House, house

__all__ = ["house"]

NAMES = ("The Beatles", "ähnlich", "abba", "Zebra", "2 Unlimited", "Кино", "宇多田ヒカル", "きのこ", "Ørsted")


def add_albums(count: int, *, first: int = 0, genre: str = "Dub", is_published: bool = True) -> list[int]:
    """Albums of an artist each: every fourth without a date, three of a day."""
    found = db.session.query(Genre).filter_by(slug=genre.lower()).one_or_none() or Genre(name=genre, slug=genre.lower())
    ids = []
    for number in range(first, first + count):
        name = NAMES[number] if number < len(NAMES) else f"Artist {number:02}"
        artist = Artist(name=name, sort_name=name.removeprefix("The "))
        db.session.add(artist)
        db.session.flush()
        album = Album(
            artist_id=artist.id,
            title=f"Album {number % 7}",
            sort_title=f"Album {number % 7}",
            release_on=None if number % 4 == 3 else date(2019, 12, 31) + timedelta(days=number // 3),
            published_at=utc_now() if is_published else None,
            genres=[found],
            credits=[AlbumCredit(artist_id=artist.id, credited_as=name)],
        )
        db.session.add(album)
        db.session.flush()
        ids.append(album.id)
    db.session.commit()
    return ids


def pages(limit: int, **wanted: object) -> Iterator[list[int]]:
    after: str | None = None
    while True:
        shelf = queries.album_shelf(limit, after=after, **wanted)  # type: ignore[arg-type]
        yield [card.id for card in shelf.albums]
        after = shelf.next_key
        if after is None:
            return


@pytest.mark.parametrize("sort", ["new", "title", "year"])
@pytest.mark.usefixtures("context")
def test_every_sort_shows_each_album_once(house: House, sort: str) -> None:
    ids = add_albums(23)
    add_albums(2, first=30, is_published=False)
    in_one = [id for page in pages(100, sort=sort) for id in page]
    in_many = [id for page in pages(4, sort=sort) for id in page]
    assert in_one == in_many
    assert sorted(in_one) == ids


@pytest.mark.usefixtures("context")
def test_sorts_are_in_order(house: House) -> None:
    add_albums(23)

    def of(sort: str) -> list[queries.AlbumCard]:
        return queries.album_shelf(100, sort=sort).albums

    assert [card.title for card in of("title")] == sorted(card.title for card in of("title"))
    dated = [card.release_on for card in of("year")]
    assert dated == [*sorted(filter(None, dated), reverse=True), *[None] * dated.count(None)]
    assert [card.id for card in of("new")] == sorted((card.id for card in of("new")), reverse=True)


@pytest.mark.usefixtures("context")
def test_filters_leave_others_out(house: House) -> None:
    dub, jazz = add_albums(8), add_albums(8, first=20, genre="Jazz")
    genre = queries.genre_by_slug("jazz")
    assert genre is not None
    assert sorted(id for page in pages(3, genre_id=genre.id) for id in page) == jazz
    old = {id for page in pages(3, sort="title", year=2019) for id in page}
    assert old == {dub[0], dub[1], dub[2]}
    assert list(pages(3, genre_id=genre.id, year=2019)) == [[]]
    assert queries.genre_by_slug("dream-pop") is None, "it is only on a draft"
    assert [genre.slug for genre in queries.heard_genres()] == [card.slug for card in queries.genre_cards()]


@pytest.mark.parametrize("sort", ["new", "title", "year"])
def test_second_page_stays_the_same_while_albums_come(house: House, sort: str) -> None:
    with house.app.app_context():
        add_albums(60)
    browser = house.app.test_client()

    def second() -> tuple[str, list[str]]:
        address = next_page(browser, f"/albums/?sort={sort}") if not second_address else second_address[0]
        second_address[:] = [address]
        return address, shown(browser, address)

    second_address: list[str] = []
    address, before = second()
    assert len(before) == 12
    with house.app.app_context():
        queries.kept.drop_album(1)
        for number in (70, 71, 72):
            album = Album(
                artist_id=1,
                title="A first" if sort == "title" else "Album 9",
                sort_title="A first",
                published_at=utc_now(),
                release_on=date(2026, 1, number - 69),
            )
            db.session.add(album)
        db.session.commit()
    assert shown(browser, address) == before
    assert len(shown(browser, f"/albums/?sort={sort}")) == 48


def shown(browser: FlaskClient, address: str) -> list[str]:
    return re.findall(r'id="album-card-(\d+)"', browser.get(address).text)


def next_page(browser: FlaskClient, address: str) -> str:
    found = re.search(r'href="([^"]*after=[^"]*)"', browser.get(address).text)
    assert found
    return found[1].replace("&amp;", "&")


def test_key_that_is_none_shows_a_page(house: House) -> None:
    with house.app.app_context():
        add_albums(3)
    browser = house.app.test_client()
    for key in ("rubbish", "1-", "-1", "99999999999999999999", "2020-13-01.5", "undated.x", "%C2%B2", "%00"):
        for list_of in ("albums/?sort=new", "albums/?sort=title", "albums/?sort=year", "artists/?", "genres/dub?"):
            assert browser.get(f"/{list_of}&after={key}").status_code == 200, (list_of, key)
        assert browser.get(f"/random?seed=abc.9&after={key}").status_code == 200, key
    for address in ("/artists/?letter=%00", "/albums/?genre=%00&year=0", f"/artists/?letter={'x' * 500}"):
        assert browser.get(address).status_code == 200, address
    assert browser.get("/genres/%00").status_code == 404


def test_links_carry_only_what_the_pages_know(house: House) -> None:
    with house.app.app_context():
        add_albums(50)
    browser = house.app.test_client()
    foreign = "_external=1&_scheme=javascript&_anchor=x&_method=PUT&endpoint=elsewhere&slug=other"
    for address in ("/albums/?sort=title", "/genres/dub?x=1", "/random?seed=abc.99"):
        response = browser.get(f"{address}&{foreign}")
        assert response.status_code == 200, address
        found = next_page(house.app.test_client(), f"{address}&{foreign}")
        assert found.startswith(address.partition("?")[0] + "?"), found
        assert "scheme" not in found


def test_artists_stand_under_their_letters(house: House) -> None:
    with house.app.app_context():
        add_albums(len(NAMES))
    browser = house.app.test_client()
    text = browser.get("/artists/").text
    letters = [unquote(letter) for letter in re.findall(r'class="letter" href="/artists/\?letter=([^"]*)"', text)]
    assert letters == ["#", "A", "B", "O", "Z", "К", "き"]
    assert names(browser, "/artists/?letter=A") == ["abba", "ähnlich"]
    assert names(browser, "/artists/?letter=%23") == ["2 Unlimited", "宇多田ヒカル"]
    assert names(browser, "/artists/?letter=%D0%9A") == ["Кино"]
    assert "Nobody under this letter" in browser.get("/artists/?letter=Q").text
    assert names(browser, "/artists/")[:4] == ["2 Unlimited", "abba", "ähnlich", "The Beatles"]


def names(browser: FlaskClient, address: str) -> list[str]:
    return re.findall(r'class="album-card-title" href="/artists/\d+">([^<]*)<', browser.get(address).text)


@pytest.mark.parametrize(
    ("name", "letter"),
    [("Öland", "O"), ("ß", "S"), ("9 to 5", "#"), ("", "#"), ("½", "#"), ("한국", "ᄒ"), ("فيروز", "ف"), ("ǅ", "D")],
)
def test_letter_of_a_name(name: str, letter: str) -> None:
    assert shelf_letter(name) == letter


def test_genres_and_years_tell_how_many(house: House) -> None:
    with house.app.app_context():
        add_albums(8)
        add_albums(1, first=40, genre="Jazz")
    browser = house.app.test_client()
    text = browser.get("/genres/").text
    assert re.findall(r'class="genre-count figures">([^<]*)<', text) == ["8 albums", "1 album"]
    assert "Dream pop" not in text, "it is only on a draft"
    assert len(shown(browser, "/genres/dub")) == 8
    assert "The Beatles" in browser.get("/genres/dub").text
    years = browser.get("/years/").text
    assert 'href="/years/2020"' in years
    assert "2010s" in years
    assert len(shown(browser, "/years/2019")) == 3
    for missing in ("/genres/dream-pop", "/genres/nothing", "/years/1999", "/years/3", "/years/x"):
        assert browser.get(missing).status_code == 404, missing


@pytest.mark.parametrize("size", [1, 2, 3, 10, 100, 1000])
def test_shuffle_holds_every_number_once(size: int) -> None:
    shuffle = Shuffle("abc", size)
    assert sorted(shuffle.numbers(0, size + 5)) == list(range(1, size + 1))
    assert shuffle.numbers(0, size) != Shuffle("abd", size).numbers(0, size) or size < 4
    assert Shuffle.read(str(shuffle)) == shuffle


@pytest.mark.parametrize("text", [None, "", "abc", "abc.0", "abc.x", "ABC.5", "a.1234567890", "a/../b.5"])
def test_what_is_no_seed_is_none(text: str | None) -> None:
    assert Shuffle.read(text) is None


def test_random_page_stays_the_same_under_its_address(house: House) -> None:
    with house.app.app_context():
        add_albums(60)
        add_albums(30, first=100, is_published=False)
    browser = house.app.test_client()
    address = browser.get("/random").location
    assert address.startswith("/random?seed=")
    first = shown(browser, address)
    second_address = next_page(browser, address)
    second = shown(browser, second_address)
    assert len(first) == 48
    assert len({*first, *second}) == 60
    with house.app.app_context():
        add_albums(10, first=200)
    assert shown(browser, address) == first
    assert shown(browser, second_address) == second
    assert browser.get("/random").location != address


def test_private_site_shows_strangers_no_list(house: House) -> None:
    house.app.config["PUBLIC_LISTENING"] = False
    for address in ("/albums/", "/artists/", "/genres/", "/genres/dub", "/years/", "/years/2020", "/random"):
        assert house.app.test_client().get(address).location.startswith("/login"), address


def test_unpublished_album_leaves_every_list_at_once(house: House) -> None:
    house.add_track()
    house.publish()
    browser = house.app.test_client()
    addresses = ("/", "/albums/", "/genres/", "/genres/dream-pop", f"/artists/{house.artist}", "/artists/")
    for address in (*addresses, *addresses):  # the second time from the cache
        assert (
            "Winter" in browser.get(address).text
            or "Auroras" in browser.get(address).text
            or "Dream pop" in (browser.get(address).text)
        ), address
    with house.app.app_context():
        services.unpublish_album(house.album)
        db.session.commit()
    for address in addresses:
        text = browser.get(address).text
        assert "Winter" not in text, address
        assert "album-card" not in text, address
    assert "Dream pop" not in browser.get("/genres/").text
    assert browser.get("/genres/dream-pop").status_code == 404


def test_app_knows_no_letter_before_anybody_published(app: Flask) -> None:
    text = app.test_client().get("/artists/").text
    assert "No artists yet" in text
    assert 'class="letters"' not in text
