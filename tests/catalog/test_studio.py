from __future__ import annotations

import io
import sqlite3
from contextlib import closing

import pytest
from flask import template_rendered
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from musicapp import create_app
from musicapp.accounts.models import User
from musicapp.catalog import queries, services
from musicapp.catalog.models import Album, Artist
from musicapp.core.db import db
from musicapp.jobs.models import Job
from tests.catalog.conftest import House
from tests.people import register, sign_in

pytestmark = pytest.mark.one_database

POSTS = (
    "/studio/albums/{album}",
    "/studio/albums/{album}/publish",
    "/studio/albums/{album}/unpublish",
    "/studio/albums/{album}/delete",
    "/studio/albums/{album}/restore",
    "/studio/albums/{album}/order",
    "/studio/tracks/{track}",
    "/studio/tracks/{track}/move",
    "/studio/tracks/{track}/delete",
    "/studio/tracks/{track}/restore",
    "/studio/artists/{artist}",
    "/studio/artists/{artist}/members",
    "/studio/artists/{artist}/members/1/remove",
)
GETS = ("/studio/albums/{album}", "/studio/tracks/{track}", "/studio/artists/{artist}")


def create(browser: FlaskClient, **fields: object) -> tuple[int, str, str]:
    # Encoded here: what the test client encodes itself lies in a temporary file that it leaves open.
    boundary, body = encode_multipart({"title": "Spring", "kind": "album", **fields})
    response = browser.post("/studio/albums/new", data=body, content_type=f"multipart/form-data; boundary={boundary}")
    return response.status_code, response.headers.get("Location", ""), response.text


def titles(house: House) -> list[str]:
    with house.app.app_context():
        return [row.title for row in queries.track_rows(house.album)]


def test_the_studio_is_shut_to_everybody_but_members(house: House) -> None:
    track = house.add_track()
    house.publish()
    ids = {"album": house.album, "track": track, "artist": house.artist}
    for user in (house.bob, house.charlie):
        browser = house.browser(user)
        assert [browser.get(address.format(**ids)).status_code for address in GETS] == [404] * len(GETS)
        assert [browser.post(address.format(**ids)).status_code for address in POSTS] == [404] * len(POSTS)
    stranger = house.app.test_client()
    assert {stranger.get(address.format(**ids)).location.split("?")[0] for address in GETS} == {"/login"}
    assert {stranger.post(address.format(**ids)).status_code for address in POSTS} == {303}
    with house.app.app_context():
        assert db.session.get_one(Album, house.album).is_published
        assert len(queries.track_rows(house.album)) == 1


def test_album_is_created_and_its_studio_page_opens(house: House) -> None:
    alice = house.browser(house.alice)
    status, location, _ = create(
        alice,
        kind="ep",
        release_on="2026-03-01",
        genres="Jazz, bossa nova",
        description="Two\nlines",
        artist_id=house.artist,
    )
    assert status == 303
    album_id = int(location.rsplit("/", 1)[1])
    assert location == f"/studio/albums/{album_id}"
    text = alice.get(location).text
    for words in ("Spring", "EP", "Publish", "Delete", "Audio files", "Draft"):
        assert words in text
    with house.app.app_context():
        page = queries.album_page(album_id)
        assert page is not None
        assert (page.kind, str(page.release_on), page.artists) == ("ep", "2026-03-01", "The Auroras")
        assert {genre.name for genre in page.genres} == {"Jazz", "bossa nova"}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("title", "  ", "give the album a title"),
        ("title", "x" * 301, "under 301 characters"),
        ("kind", "symphony", "Choose one of the kinds"),
        ("release_on", "31.03.2026", "year-month-day"),
        ("release_on", "2026-02-30", "year-month-day"),
        ("genres", ",".join("abcdefghijk"), "Ten genres"),
        ("genres", "g" * 90, "comma between the genres"),
        ("artist_id", "0", "Choose one of your artists"),
    ],
)
def test_bad_input_comes_back_with_words(house: House, field: str, value: str, words: str) -> None:
    alice = house.browser(house.alice)
    status, _, text = create(alice, description="kept words", **{"artist_id": house.artist, field: value})
    assert status == 422
    if field != "artist_id":  # a hidden field where there is only one artist
        assert words in text
        assert 'aria-invalid="true"' in text
    assert "kept words" in text
    with house.app.app_context():
        assert db.session.scalar(select(db.func.count()).select_from(Album)) == 1


def test_somebody_elses_artist_can_not_be_chosen(house: House) -> None:
    assert create(house.browser(house.alice), artist_id=house.charlies_artist)[0] == 422


def test_title_of_300_japanese_characters_is_kept_whole(house: House) -> None:
    title = "夜に駆ける" * 60
    _, location, _ = create(house.browser(house.alice), title=title, artist_id=house.artist)
    with house.app.app_context():
        assert db.session.get_one(Album, int(location.rsplit("/", 1)[1])).title == title


def test_who_has_no_artist_is_asked_for_a_name_first(house: House) -> None:
    bob = house.browser(house.bob)
    assert "Under which name do you publish?" in bob.get("/studio/").text
    assert bob.get("/studio/albums/new").location == "/studio/"
    assert bob.post("/studio/artists", data={"name": " "}).status_code == 422
    response = bob.post("/studio/artists", data={"name": "Bob & the Bobs"})
    with house.app.app_context():
        artist = queries.artists_of_user(house.bob)[0]
    assert response.location == f"/studio/albums/new?artist_id={artist.id}"
    assert create(bob)[0] == 303


def test_publish_and_unpublish(house: House) -> None:
    alice, stranger = house.browser(house.alice), house.app.test_client()
    address = f"/studio/albums/{house.album}"
    refused = alice.post(f"{address}/publish")
    assert refused.status_code == 422
    assert "No track of this album plays yet" in refused.text
    house.add_track()
    assert alice.post(f"{address}/publish").status_code == 303
    assert "Unpublish" in alice.get(address).text
    assert stranger.get(f"/albums/{house.album}").status_code == 200
    alice.post(f"{address}/unpublish")
    assert stranger.get(f"/albums/{house.album}").status_code == 404


def test_unconfirmed_address_publishes_unless_the_setting_says_no(environ: dict[str, str]) -> None:
    app = create_app({**environ, "PUBLISHING_NEEDS_CONFIRMED_EMAIL": "true"}, TESTING=True)
    alice = register(app, "alice", artist_name="Aurora")
    with app.app_context():
        db.session.get_one(User, alice).email_confirmed_at = None
        artist = queries.artists_of_user(alice)[0]
        album = services.create_album(artist_id=artist.id, user_id=alice, title="Winter")
        db.session.commit()
    House(app, alice, alice, alice, artist.id, artist.id, album).add_track()
    refused = sign_in(app, alice).post(f"/studio/albums/{album}/publish")
    assert refused.status_code == 422
    assert "confirm your e-mail address" in refused.text
    with app.app_context():
        db.engine.dispose()


def test_deleted_album_offers_undo(house: House) -> None:
    alice = house.browser(house.alice)
    response = alice.post(f"/studio/albums/{house.album}/delete")
    text = alice.get(response.location).text
    assert "“Winter” was deleted." in text
    assert f'action="/studio/albums/{house.album}/restore"' in text
    assert ">Undo<" in text
    alice.post(f"/studio/albums/{house.album}/restore")
    assert alice.get(f"/studio/albums/{house.album}").status_code == 200
    assert f"albums/{house.album}/restore" not in alice.get(response.location).text


def test_deleted_track_offers_undo_with_and_without_scripts(house: House) -> None:
    first, second = house.add_track("One"), house.add_track("Two")
    alice = house.browser(house.alice)
    response = alice.post(f"/studio/tracks/{first}/delete")
    text = alice.get(response.location.split("#")[0]).text
    assert f'action="/studio/tracks/{first}/restore"' in text
    assert f'id="track-{first}"' not in text
    part = alice.post(f"/studio/tracks/{second}/delete", headers={"HX-Request": "true"}).text
    assert part.lstrip().startswith(f'<div id="album-tracks-{house.album}">')
    assert f'action="/studio/tracks/{second}/restore"' in part
    for track in (first, second):
        alice.post(f"/studio/tracks/{track}/restore")
    assert titles(house) == ["One", "Two"]


def test_order_by_buttons_and_by_dragging(house: House) -> None:
    one, two, three = (house.add_track(title) for title in ("One", "Two", "Three"))
    alice = house.browser(house.alice)
    alice.post(f"/studio/tracks/{three}/move", data={"places": "-1"})
    assert titles(house) == ["One", "Three", "Two"]
    alice.post(f"/studio/albums/{house.album}/order", data={"order": f"{two},{one},{three}"})
    assert titles(house) == ["Two", "One", "Three"]
    assert alice.post(f"/studio/albums/{house.album}/order", data={"order": "1;2"}).status_code == 422
    assert titles(house) == ["Two", "One", "Three"]
    alice.post(f"/studio/tracks/{two}/move", data={"places": "9" * 20})
    assert titles(house) == ["One", "Three", "Two"]
    alice.post(f"/studio/tracks/{two}/move", data={"places": "-" + "9" * 20})
    assert titles(house) == ["Two", "One", "Three"]


def test_track_tags_and_credits_are_edited(house: House) -> None:
    track = house.add_track("One")
    alice = house.browser(house.alice)
    assert "The Auroras" in alice.get(f"/studio/tracks/{track}").text
    response = alice.post(
        f"/studio/tracks/{track}",
        data={
            "title": "Snow",
            "disc_number": "2",
            "track_number": "7",
            "isrc": "us-rc1-76-07839",
            "recorded_on": "1999-05",
            "genre": "Jazz",
            "lyrics": "La\r\nla",
            "credit_name": ["The Auroras", "Ida", "", "Max"],
            "credit_role": ["performer", "performer", "performer", "producer"],
            "credit_join": ["feat.", "", "", ""],
        },
    )
    assert response.status_code == 303
    with house.app.app_context():
        page = queries.track_page(track)
        assert page is not None
        assert (page.row.title, page.row.artists, page.row.disc_number) == ("Snow", "The Auroras feat. Ida", 2)
        assert (page.isrc, page.recorded_on, page.genre, page.lyrics) == ("USRC17607839", "1999-05", "Jazz", "La\nla")
        assert [credit.name for credit in page.other_credits["producer"]] == ["Max"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", ""), ("isrc", "123"), ("recorded_on", "May 1999"), ("disc_number", "0"), ("track_number", "-1")],
)
def test_bad_tags_come_back_with_words(house: House, field: str, value: str) -> None:
    track = house.add_track("One")
    response = house.browser(house.alice).post(
        f"/studio/tracks/{track}", data={"title": "Changed", "lyrics": "kept words", field: value}
    )
    assert response.status_code == 422
    assert 'aria-invalid="true"' in response.text
    assert "kept words" in response.text
    assert titles(house) == ["One"]


def test_album_is_edited_with_credits(house: House) -> None:
    alice = house.browser(house.alice)
    alice.post(
        f"/studio/albums/{house.album}",
        data={
            "title": "Winter II",
            "kind": "single",
            "genres": "",
            "credit_name": ["The Auroras", "Ida"],
            "credit_join": ["&", ""],
        },
    )
    with house.app.app_context():
        page = queries.album_page(house.album)
        assert page is not None
        assert (page.title, page.kind, page.artists, page.genres) == ("Winter II", "single", "The Auroras & Ida", ())


def test_members_are_added_and_removed(house: House) -> None:
    alice, bob = house.browser(house.alice), house.browser(house.bob)
    address = f"/studio/artists/{house.artist}"
    unknown = alice.post(f"{address}/members", data={"username": "nobody"})
    assert unknown.status_code == 422
    assert "no one of that username" in unknown.text
    alice.post(f"{address}/members", data={"username": "Bob"})
    assert bob.get(f"/studio/albums/{house.album}").status_code == 200
    alice.post(f"{address}/members/{house.bob}/remove")
    assert bob.get(f"/studio/albums/{house.album}").status_code == 404
    response = alice.post(f"{address}/members/{house.alice}/remove", follow_redirects=True)
    assert "needs an owner" in response.text


def test_profile_is_edited(house: House) -> None:
    alice = house.browser(house.alice)
    assert alice.post(f"/studio/artists/{house.artist}", data={"name": ""}).status_code == 422
    alice.post(f"/studio/artists/{house.artist}", data={"name": "A Polar Night", "bio": "From the north."})
    assert "From the north." in house.app.test_client().get(f"/artists/{house.artist}").text
    with house.app.app_context():
        assert db.session.get_one(Artist, house.artist).sort_name == "Polar Night, A"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"not a picture at all", "not a picture we can read"),
        (b"", "not a picture we can read"),
        (b"\xff\xd8\xff" + bytes(20 * 1024**2), "larger than 20 MB"),
    ],
)
def test_cover_that_can_be_seen_to_be_none_is_refused_at_once(house: House, content: bytes, words: str) -> None:
    status, _, text = create(
        house.browser(house.alice), artist_id=house.artist, cover=FileStorage(io.BytesIO(content), "cover.jpg")
    )
    assert status == 422
    assert words in text
    with house.app.app_context():
        assert db.session.scalars(select(Job.id).where(Job.kind == "make_album_cover")).all() == []


def test_form_far_too_large_is_not_read_to_its_end(house: House) -> None:
    status, _, text = create(
        house.browser(house.alice),
        artist_id=house.artist,
        cover=FileStorage(io.BytesIO(bytes(30 * 1024**2)), "cover.jpg"),
    )
    assert status == 413
    assert "larger than 20 MB" in text


def test_address_of_a_refused_form_can_be_loaded_again(house: House) -> None:
    alice = house.browser(house.alice)
    for posted, shown in (
        (f"/studio/albums/{house.album}/publish", f"/studio/albums/{house.album}"),
        (f"/studio/artists/{house.artist}/members", f"/studio/artists/{house.artist}"),
        ("/studio/artists", "/studio/"),
    ):
        assert alice.get(posted).location == shown


REFUSED: tuple[tuple[str, dict[str, str]], ...] = (
    ("/studio/albums/{album}", {"title": ""}),
    ("/studio/albums/{album}/publish", {}),
    ("/studio/albums/new", {"title": ""}),
    ("/studio/tracks/{track}", {"title": ""}),
    ("/studio/artists", {"name": ""}),
    ("/studio/artists/{artist}", {"name": ""}),
    ("/studio/artists/{artist}/members", {"username": "nobody"}),
    ("/settings/profile", {"display_name": ""}),
    ("/settings/password", {"new_password": "short"}),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("address", "sent"), REFUSED, ids=[address for address, _ in REFUSED])
def test_page_of_a_refused_form_is_drawn_without_the_write_lock(
    house: House, database_url: str, address: str, sent: dict[str, str]
) -> None:
    track = house.add_track(browser_playable=False)
    file = database_url.removeprefix("sqlite:///")
    taken: list[str] = []

    def take_the_lock(_app: object, **_: object) -> None:
        with closing(sqlite3.connect(file, timeout=0)) as writer:
            writer.execute("BEGIN IMMEDIATE")  # "database is locked", were it held while a page is drawn
            taken.append(address)

    alice = house.browser(house.alice)
    with template_rendered.connected_to(take_the_lock, house.app):
        path = address.format(album=house.album, track=track, artist=house.artist)
        assert alice.post(path, data=sent).status_code == 422
    assert taken
