from __future__ import annotations

import json

from musicapp.accounts.events import UserDeleted
from musicapp.accounts.identity import STRANGER
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Artist
from musicapp.core.db import db
from musicapp.core.events import publish
from musicapp.library import queries, services
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike
from musicapp.live.registry import declared
from tests.catalog.test_live import logged, viewer
from tests.library.conftest import House, keep, new_album


def rows(house: House) -> list[int]:
    with house.context():
        return [db.session.query(model).count() for model in (TrackLike, AlbumLike, ArtistFollow)]


def test_liking_twice_is_liking_once_and_so_is_taking_it_back(house: House) -> None:
    track = house.add_track()
    house.publish()
    bob = house.browser(house.bob)
    for address in (f"/tracks/{track}/like", f"/albums/{house.album}/like", f"/artists/{house.artist}/follow"):
        for _ in range(2):
            assert bob.post(address, data={"on": "1"}, headers={"HX-Request": "true"}).status_code == 204
    assert rows(house) == [1, 1, 1]
    for address in (f"/tracks/{track}/like", f"/albums/{house.album}/like", f"/artists/{house.artist}/follow"):
        for _ in range(2):
            assert bob.post(address, data={"on": "0"}, headers={"Accept": "application/json"}).status_code == 204
    assert rows(house) == [0, 0, 0]


def test_a_plain_form_goes_back_where_it_was_pressed_and_says_what_it_did(house: House) -> None:
    track = house.add_track()
    house.publish()
    bob = house.browser(house.bob)
    page = f"http://localhost/albums/{house.album}"
    response = bob.post(f"/tracks/{track}/like", data={"on": "1"}, headers={"Referer": page})
    assert (response.status_code, response.location) == (303, f"/albums/{house.album}")
    assert "In your library now." in bob.get(f"/albums/{house.album}").text
    elsewhere = bob.post(f"/tracks/{track}/like", data={"on": "0"}, headers={"Referer": "http://evil.example/x"})
    assert elsewhere.location == f"/tracks/{track}"


def test_strangers_are_sent_to_log_in_and_keep_nothing(house: House) -> None:
    track = house.add_track()
    house.publish()
    stranger = house.app.test_client()
    assert stranger.post(f"/tracks/{track}/like", data={"on": "1"}).location.startswith("/login")
    assert stranger.post(f"/tracks/{track}/like", headers={"HX-Request": "true"}).status_code == 401
    for address in ("/library", "/library/history", "/library/state.json?tracks=1"):
        assert stranger.get(address).location.startswith("/login")
    assert rows(house) == [0, 0, 0]


def test_nobody_can_like_what_they_cannot_see(house: House) -> None:
    track = house.add_track()
    charlie, alice = house.browser(house.charlie), house.browser(house.alice)
    for address in (f"/tracks/{track}/like", f"/albums/{house.album}/like", "/tracks/999/like", "/artists/999/follow"):
        assert charlie.post(address, data={"on": "1"}).status_code == 404
    # A draft's own members may.
    assert alice.post(f"/tracks/{track}/like", headers={"HX-Request": "true"}).status_code == 204
    assert rows(house) == [1, 0, 0]


def test_a_name_that_stands_only_in_a_draft_cannot_be_followed(house: House) -> None:
    house.add_track("Duet", artists=("The Auroras", "Secret Guest"))
    with house.context():
        guest = db.session.query(Artist).filter_by(name="Secret Guest").one().id
        db.session.rollback()
    bob = house.browser(house.bob)
    assert bob.post(f"/artists/{guest}/follow").status_code == 404
    house.publish()
    assert bob.post(f"/artists/{guest}/follow", headers={"HX-Request": "true"}).status_code == 204


def test_state_says_what_the_viewer_keeps_of_the_page(house: House) -> None:
    one, two = house.add_track("One"), house.add_track("Two")
    house.publish()
    keep(house, house.bob, tracks=(one,), albums=(house.album,))
    bob = house.browser(house.bob)
    address = f"/library/state.json?tracks={one},{two},x,99999999999&albums={house.album}&artists={house.artist}"
    assert bob.get(address).json == {"tracks": [one], "albums": [house.album], "artists": []}
    assert house.browser(house.charlie).get(address).json == {"tracks": [], "albums": [], "artists": []}


def test_the_other_pages_of_the_same_person_hear_of_it_once(house: House) -> None:
    track = house.add_track()
    house.publish()
    bob = house.browser(house.bob)
    for _ in range(2):
        bob.post(f"/tracks/{track}/like", headers={"HX-Request": "true"})
    assert sum(f"library-{house.bob}-changed" in entry for entry in logged(house.app)) == 1


def test_only_its_owner_hears_of_a_library(house: House) -> None:
    assert declared.may_hear(viewer(house.bob), f"library-{house.bob}")
    assert not declared.may_hear(viewer(house.bob), f"library-{house.alice}")
    assert not declared.may_hear(viewer(house.bob), "library")
    assert not declared.may_hear(STRANGER, f"library-{house.bob}")


def test_an_export_holds_likes_and_follows_but_no_title_that_is_hidden_since(house: House) -> None:
    track = house.add_track("One")
    house.publish()
    keep(house, house.bob, tracks=(track,), albums=(house.album,))
    with house.context():
        services.follow_artist(house.bob, house.artist)
        db.session.commit()
        found = json.loads(json.dumps({"likes": queries.likes_of_user(house.bob)}))["likes"]
        assert [row["track"] for row in found["tracks"]] == ["One"]
        assert [row["album"] for row in found["albums"]] == ["Winter"]
        assert [row["artist"] for row in queries.follows_of_user(house.bob)] == ["The Auroras"]
        catalog.unpublish_album(house.album)
        db.session.commit()
        assert queries.likes_of_user(house.bob) == {"tracks": [], "albums": []}
        catalog.publish_album(house.album, house.alice)
        catalog.delete_track(track)
        db.session.commit()
        assert queries.likes_of_user(house.bob)["tracks"] == []
        assert len(queries.likes_of_user(house.bob)["albums"]) == 1
        catalog.delete_album(house.album)
        db.session.commit()
        assert queries.likes_of_user(house.bob) == {"tracks": [], "albums": []}


def test_a_closed_account_leaves_no_likes(house: House) -> None:
    (_, track) = new_album(house, "Summer", ("Heat",))
    keep(house, house.bob, tracks=(track,))
    keep(house, house.charlie, tracks=(track,))
    with house.context():
        publish(UserDeleted(house.bob))
        db.session.commit()
        assert [like.user_id for like in db.session.query(TrackLike)] == [house.charlie]
