from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from musicapp.accounts.identity import STRANGER, Viewer
from musicapp.catalog import services
from musicapp.core.db import db
from musicapp.core.redis import redis_client
from musicapp.live.log import LiveUpdate
from musicapp.live.registry import declared
from musicapp.live.rendering import FragmentRenderer
from tests.catalog.conftest import House, outcome


def viewer(user_id: int) -> Viewer:
    return Viewer(is_authenticated=True, id=user_id)


def rendered(app: Flask, topic: str, kind: str, ref: int) -> str:
    frames = FragmentRenderer(app, declared).frames([LiveUpdate(topic, kind, ref)])
    return frames[0].decode()


def logged(app: Flask) -> list[str]:
    """Everything that was said to open pages, as the log in Redis has it."""
    with app.app_context():
        client: Any = redis_client()
        keys = [key for key in client.keys("*") if client.type(key) == b"stream"]
        return [str(entry) for key in keys for entry in client.xrange(key)]


@pytest.mark.parametrize("topic", ["album-{album}", "studio-{album}"])
def test_every_note_of_the_catalog_can_be_rendered(house: House, topic: str) -> None:
    topic = topic.format(album=house.album)
    track = house.add_track("Snow")
    assert "Snow" in rendered(house.app, topic, "track", track)
    assert "Snow" in rendered(house.app, topic, "track_list", house.album)
    assert "Winter" in rendered(house.app, topic, "album_head", house.album)


def test_public_rows_carry_nothing_of_the_studio(house: House) -> None:
    track = house.add_track("Snow")
    for kind, ref in (("track", track), ("track_list", house.album), ("album_head", house.album)):
        assert "/studio/" not in rendered(house.app, f"album-{house.album}", kind, ref)
    assert "/studio/" in rendered(house.app, f"studio-{house.album}", "track", track)


def test_row_becomes_ready_on_open_pages(house: House) -> None:
    track = house.add_track("Snow", browser_playable=False)
    with house.app.app_context():
        services.set_track_ready(track, outcome(track))
        db.session.commit()
    said = logged(house.app)
    for topic in (f"album-{house.album}", f"studio-{house.album}"):
        assert any(topic in entry and "track" in entry and str(track) in entry for entry in said)
    assert ">Ready<" in rendered(house.app, f"studio-{house.album}", "track", track)


def test_nothing_is_said_when_the_transaction_is_rolled_back(house: House) -> None:
    house.add_track()
    before = logged(house.app)
    with house.app.app_context():
        services.publish_album(house.album, house.alice)
        db.session.rollback()
    assert logged(house.app) == before


def test_topics_are_heard_by_who_may_see(house: House) -> None:
    album, studio = f"album-{house.album}", f"studio-{house.album}"
    with house.app.test_request_context():
        assert not declared.may_hear(STRANGER, album)
        assert not declared.may_hear(viewer(house.charlie), studio)
        assert declared.may_hear(viewer(house.alice), album)
        assert declared.may_hear(viewer(house.alice), studio)
        assert declared.may_hear(STRANGER, "home")
        assert not declared.may_hear(STRANGER, "home-3")
        assert not declared.may_hear(viewer(house.alice), "album-999999999999999999")
        assert not declared.may_hear(viewer(house.alice), "studio-999999999999999999")
        db.session.rollback()
    house.add_track()
    house.publish()
    with house.app.test_request_context():
        assert declared.may_hear(STRANGER, album)
        assert not declared.may_hear(STRANGER, studio)


def test_cover_that_is_refused_is_said_in_the_studio(house: House) -> None:
    assert "picture-job" in rendered(house.app, f"studio-{house.album}", "cover_job", house.album)
