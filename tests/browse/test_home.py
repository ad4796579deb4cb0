from __future__ import annotations

import pytest
from flask import Flask

from musicapp.catalog import queries, services
from musicapp.core.db import db
from musicapp.live.log import LiveUpdate
from musicapp.live.registry import declared
from musicapp.live.rendering import FragmentRenderer
from tests.catalog.conftest import House, house

__all__ = ["house"]


def rendered(app: Flask, kind: str, ref: int) -> str:
    return FragmentRenderer(app, declared).frames([LiveUpdate("home", kind, ref)])[0].decode()


def test_empty_home_invites(app: Flask) -> None:
    text = app.test_client().get("/").text
    assert "Publish your music" in text
    assert "Create an account" in text
    assert 'data-topics="home"' in text
    assert ">Home<" in text


def test_signed_in_people_see_albums_instead_of_the_invitation(house: House) -> None:
    text = house.browser(house.bob).get("/").text
    assert "Create an account" not in text
    assert 'href="/studio/"' in text


def test_published_album_arrives_in_front(house: House) -> None:
    house.add_track()
    house.publish()
    frame = rendered(house.app, "new_album", house.album)
    assert 'hx-target="#home-grid" hx-swap="afterbegin"' in frame
    assert f'id="album-card-{house.album}"' in frame
    assert "1 album" in frame
    assert "1 album" in house.app.test_client().get("/").text


def test_album_that_is_a_draft_again_leaves(house: House) -> None:
    house.add_track()
    house.publish()
    with house.app.app_context():
        services.unpublish_album(house.album)
        db.session.commit()
    assert "Winter" not in rendered(house.app, "new_album", house.album)
    assert "Winter" not in rendered(house.app, "latest_albums", 0)
    assert "Publish your music" in rendered(house.app, "latest_albums", 0)


@pytest.mark.usefixtures("context")
def test_home_shows_the_newest_albums_only(house: House) -> None:
    for number in range(26):
        album = services.create_album(artist_id=house.artist, user_id=house.alice, title=f"Album {number}")
        house.add_track(album_id=album)
        services.publish_album(album, house.alice)
    db.session.commit()
    assert queries.published_album_count() == 26
    text = house.app.test_client().get("/").text
    assert text.count('class="album-card"') == 24
    assert "26 albums" in text
    assert "Album 25" in text
    assert "Album 1<" not in text
