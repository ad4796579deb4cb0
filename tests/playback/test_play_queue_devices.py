"""The play queue between devices and people: positions, two at once, who may hear and see what."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from musicapp.accounts.identity import STRANGER, Viewer
from musicapp.core.db import db
from musicapp.core.redis import new_redis_client
from musicapp.live.registry import declared
from musicapp.playback.models import PlayQueue
from musicapp.playback.play_queue import positions, queries, services
from musicapp.playback.play_queue.positions import Position
from tests.playback.conftest import House
from tests.playback.queue_doors import JSON, LAPTOP, PHONE, add_songs, post, replace, whole
from tests.servers import RedisServer


@pytest.fixture
def songs(house: House) -> list[int]:
    """Ten published tracks."""
    return add_songs(house, 10)


@pytest.fixture
def bob(house: House) -> FlaskClient:
    return house.signed_in(house.bob)


def test_repeated_request_of_a_device_adds_nothing_twice(bob: FlaskClient, songs: list[int]) -> None:
    first = services.DEVICES_FIRST_ENTRY_ID + 7
    for _ in range(2):
        post(bob, "replace", track_id=songs[:2], first_entry_id=first, play=1)
        post(bob, "add", track_id=songs[2], first_entry_id=first + 500)
    assert [entry for entry, _, _ in whole(bob)["order"]] == [first, first + 1, first + 500]
    # ids that are taken in part: the server gives its own
    post(bob, "add", track_id=songs[3:5], first_entry_id=first + 499)
    ids = [entry for entry, _, _ in whole(bob)["order"]]
    assert len(set(ids)) == 5


def test_position_goes_on_on_another_device_at_the_same_second(
    bob: FlaskClient, songs: list[int], house: House
) -> None:
    first, second = replace(bob, songs[:2], device_id=LAPTOP, play=1)
    post(bob, "position", device_id=LAPTOP, entry_id=first, position_ms=61_000, is_playing=1)
    answer = whole(bob)
    assert 61_000 <= answer["position_ms"] < 63_000
    assert (answer["is_playing"], answer["device_id"]) == (True, LAPTOP)

    here = post(bob, "play-here", device_id=PHONE)
    assert 61_000 <= here["position_ms"] < 64_000
    assert (here["is_playing"], here["device_id"]) == (True, PHONE)
    # the laptop hears that it is not its turn any more, and its last words change nothing
    late = post(bob, "position", device_id=LAPTOP, entry_id=second, position_ms=1, is_playing=1)
    assert late == {"is_elsewhere": True}
    post(bob, "position", device_id=LAPTOP, entry_id=second, position_ms=1, is_playing="")
    assert whole(bob)["current_entry_id"] == first

    post(bob, "position", device_id=PHONE, entry_id=first, position_ms=90_000, is_playing="")
    answer = whole(bob)
    assert (answer["position_ms"], answer["is_playing"]) == (90_000, False)


def test_reports_while_playing_write_nothing_to_the_database(house: House, bob: FlaskClient, songs: list[int]) -> None:
    entry = replace(bob, songs[:1], device_id=LAPTOP, play=1)[0]
    version = whole(bob)["version"]
    post(bob, "position", device_id=LAPTOP, entry_id=entry, position_ms=5_000, is_playing=1)
    post(bob, "position", device_id=LAPTOP, entry_id=entry, position_ms=10_000, is_playing=1)
    with house.app.app_context():
        row = db.session.get_one(PlayQueue, house.bob)
        assert (row.version, row.position_ms) == (version, 0)
        assert positions.kept(house.bob) is not None
    post(bob, "position", device_id=LAPTOP, entry_id=entry, position_ms=30_000, is_playing=1, is_seek=1)
    with house.app.app_context():
        assert db.session.get_one(PlayQueue, house.bob).position_ms == 30_000


def test_newer_of_database_and_redis_counts_and_silence_is_no_playing(
    house: House, bob: FlaskClient, songs: list[int]
) -> None:
    entry = replace(bob, songs[:1], device_id=LAPTOP, play=1)[0]
    now = datetime.now(UTC)

    def at(seconds_ago: float, redis_ms: int, redis_seconds_ago: float) -> queries.QueueState:
        with house.app.app_context():
            reported_at = now - timedelta(seconds=seconds_ago)
            db.session.execute(update(PlayQueue).values(position_ms=1_000, reported_at=reported_at))
            db.session.commit()
            positions.keep(house.bob, Position(entry, redis_ms, now - timedelta(seconds=redis_seconds_ago)))
            return queries.state(house.bob)

    assert at(10, 50_000, 2).position_ms // 1000 in {52, 53}
    assert at(2, 50_000, 10).position_ms // 1000 in {3, 4}
    silent = at(300, 50_000, 290)
    assert (silent.position_ms, silent.is_playing) == (50_000, False)


def test_without_redis_the_database_has_the_position(
    house: House, songs: list[int], own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = house.signed_in(house.bob)
    entry = replace(bob, songs[:1], device_id=LAPTOP, play=1)[0]
    monkeypatch.setitem(house.app.extensions, "redis", new_redis_client(own_redis.url))
    own_redis.stop()
    post(bob, "position", device_id=LAPTOP, entry_id=entry, position_ms=42_000, is_playing=1)
    with house.app.app_context():
        assert db.session.get_one(PlayQueue, house.bob).position_ms == 42_000
        assert queries.state(house.bob).position_ms >= 42_000
    house.app.extensions["redis"].close()


def test_player_that_moved_on_is_believed_and_one_in_a_removed_track_is_not(bob: FlaskClient, songs: list[int]) -> None:
    first, second = replace(bob, songs[:2], device_id=LAPTOP, play=1)
    post(bob, "position", device_id=LAPTOP, entry_id=second, position_ms=2_000, is_playing=1)
    assert whole(bob)["current_entry_id"] == second
    post(bob, "remove", entry_id=second)
    assert whole(bob)["current_entry_id"] == first
    post(bob, "position", device_id=LAPTOP, entry_id=second, position_ms=3_000, is_playing=1)
    assert whole(bob)["current_entry_id"] == first


def test_two_devices_at_once_lose_and_double_nothing(app: Flask, house: House, songs: list[int]) -> None:
    barrier, wrong = threading.Barrier(2), []

    def device(number: int) -> None:
        try:
            with app.app_context():
                barrier.wait(10)
                for at in range(10):
                    first = services.DEVICES_FIRST_ENTRY_ID + number * 1000 + at * 2
                    tracks = [songs[at], songs[(at + number) % 10]]
                    services.add_tracks(house.bob, tracks, place=("next", "last")[at % 2], first_entry_id=first)
                    db.session.commit()
                    if at % 3 == 2:
                        services.remove_entries(house.bob, [first])
                        db.session.commit()
        except Exception as error:  # a thread's failure must reach the test
            wrong.append(error)

    threads = [threading.Thread(target=device, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    with app.app_context():
        state, order = queries.state_and_order(house.bob)
    wanted = {
        services.DEVICES_FIRST_ENTRY_ID + number * 1000 + at * 2 + second
        for number in (1, 2)
        for at in range(10)
        for second in (0, 1)
        if second or at % 3 != 2
    }
    assert {entry for entry, _, _ in order} == wanted
    assert len(order) == len(wanted)
    assert sorted(place for _, _, place in order) == list(range(len(order)))
    assert state.version == 26


def test_strangers_have_no_queue_on_the_server(house: House, songs: list[int]) -> None:
    stranger = house.app.test_client()
    assert "Log in" in stranger.get("/queue").text
    for door in ("/queue.json", "/queue/tracks.json?ids=1"):
        assert stranger.get(door, headers=JSON).status_code == 401
    for door in ("add", "replace", "remove", "move", "jump", "clear", "shuffle", "repeat", "position", "play-here"):
        assert stranger.post(f"/queue/{door}", data={"track_id": songs[0]}, headers=JSON).status_code == 401
    house.app.config["PUBLIC_LISTENING"] = False
    assert stranger.get("/queue").status_code == 303


def test_live_update_says_the_state_to_its_owner_only(house: House, bob: FlaskClient, songs: list[int]) -> None:
    entry = replace(bob, songs[:2], start=1, device_id=LAPTOP, play=1)[1]
    renderer = declared.renderer(f"queue-{house.bob}", "play_queue")
    assert renderer is not None
    with house.app.test_request_context("/live"):
        shown = str(renderer(house.bob))
    assert f'id="play_queue-{house.bob}"' in shown
    assert f'data-current-entry-id="{entry}"' in shown
    assert f'data-device-id="{LAPTOP}"' in shown
    assert "Song" not in shown


def test_each_person_has_a_queue_of_their_own(house: House, bob: FlaskClient, songs: list[int]) -> None:
    replace(bob, songs)
    assert whole(house.signed_in(house.alice))["order"] == []
    may_hear = declared.may_hear
    assert may_hear(Viewer(is_authenticated=True, id=house.bob), f"queue-{house.bob}")
    assert not may_hear(Viewer(is_authenticated=True, id=house.alice), f"queue-{house.bob}")
    assert not may_hear(STRANGER, f"queue-{house.bob}")


def test_queue_of_somebody_who_left_is_deleted(house: House, bob: FlaskClient, songs: list[int]) -> None:
    replace(bob, songs)
    with house.app.app_context():
        services.forget(house.bob)
        db.session.commit()
        assert queries.state(house.bob) == queries.QueueState()
