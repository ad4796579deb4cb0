from __future__ import annotations

import json
import re
from datetime import date

import pytest
from flask import Flask

from musicapp import create_app
from musicapp.catalog import queries, services
from musicapp.core.db import db
from tests.catalog.conftest import House, outcome, statements

pytestmark = pytest.mark.one_database


def test_strangers_and_other_artists_find_no_draft(house: House) -> None:
    track = house.add_track()
    for browser in (house.app.test_client(), house.browser(house.bob), house.browser(house.charlie)):
        assert browser.get(f"/albums/{house.album}").status_code == 404
        assert browser.get(f"/tracks/{track}").status_code == 404
        assert b"Winter" not in browser.get(f"/artists/{house.artist}").data
        assert b"Winter" not in browser.get("/albums/").data
    alice = house.browser(house.alice)
    assert b"Draft" in alice.get(f"/albums/{house.album}").data
    assert alice.get(f"/tracks/{track}").status_code == 200


def test_published_album_is_on_every_public_page(house: House) -> None:
    track = house.add_track("Snow & Ice")
    house.publish()
    stranger = house.app.test_client()
    for address in ("/", "/albums/", f"/albums/{house.album}", f"/artists/{house.artist}", f"/tracks/{track}"):
        response = stranger.get(address)
        assert response.status_code == 200
        assert "Winter" in response.text, address
    assert "Auroras" in stranger.get("/artists/").text
    assert "Snow &amp; Ice" in stranger.get(f"/albums/{house.album}").text


def test_track_row_carries_what_the_player_needs(house: House) -> None:
    track = house.add_track("It's <b>", artists=("The Auroras", "Guest"))
    house.publish()
    text = house.app.test_client().get(f"/albums/{house.album}").text
    found = re.search(r"data-track='([^']*)'", text)
    assert found
    player = json.loads(found[1].replace("&#34;", '"').replace("&amp;", "&"))
    assert player == {
        "id": track,
        "title": "It's <b>",
        "artists": "The Auroras & Guest",
        "artist_url": f"/artists/{house.artist}",
        "album": "Winter",
        "album_url": f"/albums/{house.album}",
        "album_id": house.album,
        "cover": None,
        "duration_ms": 240_000,
        "gain_db": None,
        "true_peak_dbtp": None,
        "playable": True,
    }


def test_row_says_ready_once_renditions_are_made(house: House) -> None:
    track = house.add_track(browser_playable=False)
    alice = house.browser(house.alice)
    address = f"/studio/albums/{house.album}"
    assert "Being prepared" in alice.get(address).text
    with house.app.app_context():
        services.set_track_ready(track, outcome(track))
        db.session.commit()
    text = alice.get(address).text
    assert ">Ready<" in text
    assert "Being prepared" not in text
    assert ">Ready<" in alice.get(f"/albums/{house.album}").text


def test_statements_do_not_grow_with_tracks(house: House, context: Flask) -> None:
    def count() -> int:
        db.session.expunge_all()
        with statements() as ran:
            page = queries.album_page(house.album)
        assert page is not None
        assert all(track.credits for track in page.tracks)
        return len(ran)

    house.add_track("One", artists=("A", "B"))
    few = count()
    for number in range(12):
        house.add_track(f"Track {number}", artists=("A", "B", f"Guest {number}"))
    assert count() == few
    assert few <= 6


def test_statements_of_lists_do_not_grow(house: House, context: Flask) -> None:
    def add(number: int) -> None:
        album = services.create_album(artist_id=house.artist, user_id=house.alice, title=f"Album {number}")
        db.session.commit()
        house.add_track("One", album_id=album)
        services.publish_album(album, house.alice)
        db.session.commit()

    def count() -> list[int]:
        counts = []
        for read in (
            lambda: queries.latest_albums(50),
            lambda: queries.artist_page(house.artist),
            queries.artist_cards,
        ):
            db.session.expunge_all()
            with statements() as ran:
                read()
            counts.append(len(ran))
        return counts

    add(1)
    few = count()
    for number in range(2, 8):
        add(number)
    assert count() == few


def test_albums_are_paged_by_key_without_gaps(house: House, context: Flask) -> None:
    ids = []
    for number in range(7):
        album = services.create_album(artist_id=house.artist, user_id=house.alice, title=f"Album {number}")
        db.session.commit()
        house.add_track("One", album_id=album)
        services.publish_album(album, house.alice)
        db.session.commit()
        ids.append(album)
    seen: list[int] = []
    before = None
    while page := queries.latest_albums(3, before=before):
        seen += [card.id for card in page]
        before = page[-1].page_key
    assert seen == ids[::-1]
    assert [card.id for card in queries.latest_albums(3, before="rubbish")] == ids[:-4:-1]


def test_artists_are_sorted_and_paged_by_sort_name(house: House, context: Flask) -> None:
    for name in ("Zebra", "The Beatles", "ähnlich", "abba"):
        artist = services.create_artist(name=name, owner_id=house.bob)
        album = services.create_album(artist_id=artist, user_id=house.bob, title=name)
        db.session.commit()
        house.add_track("One", album_id=album)
        services.publish_album(album, house.bob)
        db.session.commit()
    first = queries.artist_cards(2)
    rest = queries.artist_cards(10, after_id=first[-1].id)
    names = [card.name for card in [*first, *rest]]
    assert sorted(names) == sorted(["abba", "The Beatles", "Zebra", "ähnlich"])
    assert names.index("abba") < names.index("The Beatles") < names.index("Zebra")


def test_numbers_have_no_gap_after_a_deletion(house: House, context: Flask) -> None:
    tracks = [house.add_track(title) for title in ("One", "Two", "Three")]
    services.delete_track(tracks[1])
    db.session.commit()
    assert [(row.number, row.title) for row in queries.track_rows(house.album)] == [(1, "One"), (2, "Three")]
    row = queries.track_row_by_id(tracks[2])
    assert row is not None
    assert row.number == 2
    assert queries.track_row_by_id(tracks[1]) is None


def test_guest_of_a_draft_is_not_known_before_it_is_published(house: House) -> None:
    house.add_track(artists=("Secret Guest",))
    with house.app.app_context():
        guest = queries.track_rows(house.album)[0].credits[0].artist_id
    stranger = house.app.test_client()
    assert stranger.get(f"/artists/{guest}").status_code == 404
    house.publish()
    assert "Appears on" in stranger.get(f"/artists/{guest}").text


def test_without_public_listening_pages_with_music_ask_for_a_login(environ: dict[str, str]) -> None:
    app = create_app({**environ, "PUBLIC_LISTENING": "false"}, TESTING=True)
    browser = app.test_client()
    for address in ("/albums/1", "/albums/", "/artists/1", "/artists/", "/tracks/1"):
        response = browser.get(address)
        assert (response.status_code, response.location.split("?")[0]) == (303, "/login"), address
    assert "New albums" not in browser.get("/").text
    with app.app_context():
        db.engine.dispose()


def test_deleted_album_is_gone_for_everybody(house: House) -> None:
    track = house.add_track()
    house.publish()
    with house.app.app_context():
        services.delete_album(house.album)
        db.session.commit()
    for browser in (house.app.test_client(), house.browser(house.alice)):
        for address in (f"/albums/{house.album}", f"/tracks/{track}"):
            assert browser.get(address).status_code == 404
    assert house.browser(house.alice).get(f"/studio/albums/{house.album}").status_code == 404


@pytest.mark.parametrize("address", ["/albums/{}", "/artists/{}", "/tracks/{}", "/artwork/{}/320.webp"])
@pytest.mark.parametrize("number", ["999999", "2147483648", "99999999999999999999"])
def test_numbers_nobody_has_are_404(app: Flask, address: str, number: str) -> None:
    assert app.test_client().get(address.format(number)).status_code == 404


def test_track_page_shows_lyrics_credits_and_facts(house: House) -> None:
    track = house.add_track(
        synced_lyrics="[ar:X]\n[00:01.00]First line\n[00:02.00][00:09.00]Second line", date="1999-05"
    )
    with house.app.app_context():
        services.update_track(
            track,
            title="One",
            credits=[services.NewCredit("The Auroras"), services.NewCredit("Ida", role="producer")],
            synced_lyrics="[ar:X]\n[00:01.00]First line\n[00:02.00][00:09.00]Second line",
            recorded_on="1999-05",
        )
        services.set_track_ready(track, outcome(track))
        db.session.commit()
    text = house.browser(house.alice).get(f"/tracks/{track}").text
    assert "First line\nSecond line" in text
    assert "Producer" in text
    assert "Ida" in text
    assert "-12.0 LUFS" in text
    assert "1999-05" in text


def test_release_date_is_read_and_shown(house: House) -> None:
    with house.app.app_context():
        services.update_album(
            house.album, title="Winter", kind="ep", release_on=date(2026, 3, 1), genres=["Jazz"], description="Hello"
        )
        db.session.commit()
    text = house.browser(house.alice).get(f"/albums/{house.album}").text
    assert "2026" in text
    assert ">EP" in text
    assert "Jazz" in text
    assert "Hello" in text


def test_htmx_gets_only_the_inside_of_main(house: House) -> None:
    house.add_track()
    house.publish()
    browser = house.app.test_client()
    part = browser.get(f"/albums/{house.album}", headers={"HX-Request": "true"})
    assert "<html" not in part.text
    assert "page-live" in part.text
    assert "HX-Request" in part.headers["Vary"]


@pytest.mark.parametrize(
    "address",
    [
        "/artists/?after=99999999999999999999",
        "/artists/?after=-1",
        "/albums/?before=1-99999999999999999999",
        "/albums/?before=99999999999999999999-1",
        "/albums/?before=1--99999999999999999999",
        "/studio/?deleted=99999999999",
        "/studio/albums/new?artist_id=99999999999",
    ],
)
def test_numbers_typed_into_addresses_break_nothing(house: House, address: str) -> None:
    assert house.browser(house.alice).get(address).status_code == 200
