from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import redis
from flask import Flask
from sqlalchemy import text

from musicapp.core.db import db
from musicapp.live import services
from musicapp.live.hub import Hub
from musicapp.live.log import Cursor, LiveLog, LiveUpdate
from musicapp.live.publisher import BACKLOG_FRAGMENTS
from tests.live.conftest import MakeApp
from tests.live.listening import Page, wait_until
from tests.servers import RedisServer


@pytest.fixture
def context(live_app: Flask) -> Iterator[Flask]:
    with live_app.app_context():
        yield live_app


@pytest.fixture
def start(context: Flask, log: LiveLog) -> Cursor:
    return log.last()


def said(log: LiveLog, start: Cursor) -> list[tuple[str, str, int]]:
    return [update.fragment_key for update in log.since(start, 10_000)]


def test_noted_updates_are_published_by_the_commit_once_each(log: LiveLog, start: Cursor) -> None:
    db.session.execute(text("select 1"))
    services.note("album-3", "track", 7)
    services.note("album-3", "track", 8)
    services.note("album-3", "track", 7)
    assert said(log, start) == []
    db.session.commit()
    assert said(log, start) == [("album-3", "track", 7), ("album-3", "track", 8)]
    db.session.commit()
    assert len(said(log, start)) == 2


def test_rolled_back_updates_are_not_published(log: LiveLog, start: Cursor) -> None:
    db.session.execute(text("select 1"))
    services.note("album-3", "track", 7)
    db.session.rollback()
    db.session.commit()
    assert said(log, start) == []


def test_updates_of_a_session_that_was_never_committed_are_not_published(log: LiveLog, start: Cursor) -> None:
    db.session.execute(text("select 1"))
    services.note("album-3", "track", 7)
    db.session.close()
    db.session.execute(text("select 1"))
    db.session.commit()
    assert said(log, start) == []


def test_released_savepoint_publishes_nothing_and_a_rolled_back_one_takes_its_updates_along(
    log: LiveLog, start: Cursor
) -> None:
    services.note("home", "album", 1)
    with db.session.begin_nested():
        services.note("home", "album", 2)
    assert said(log, start) == []
    outer = db.session.begin_nested()
    services.note("home", "album", 1)  # also noted outside: stays
    with db.session.begin_nested():
        services.note("home", "album", 3)
    outer.rollback()
    db.session.commit()
    assert said(log, start) == [("home", "album", 1), ("home", "album", 2)]


def test_update_is_heard_with_what_the_database_then_says(context: Flask, log: LiveLog) -> None:
    hub: Hub = context.extensions["live_hub"]
    page = Page.on(hub, "home")
    services.note("home", "row", 4)
    services.poke("home")
    db.session.commit()
    page.received.wait_for_rows(4)
    page.received.wait_for_name("home-changed")


def test_unlogged_update_is_heard_but_not_kept(context: Flask, log: LiveLog, start: Cursor) -> None:
    page = Page.on(context.extensions["live_hub"], "home")
    services.publish_now("home", "row", 4, unlogged=True)
    page.received.wait_for_rows(4)
    services.publish_now("home", "row", 5)
    page.received.wait_for_rows(4, 5)
    assert said(log, start) == [("home", "row", 5)]


def test_changed_rights_end_streams_after_the_commit(context: Flask) -> None:
    page = Page.on(context.extensions["live_hub"], "album-3", user_id=5)
    services.rights_changed(user_id=5, topic="album-3")
    assert not page.closed
    db.session.commit()
    page.received.wait_until(lambda received: received.ended)


@pytest.mark.parametrize("topic", ["", "Album-3", "album-", "album-3-4", "*", "a,b"])
def test_impossible_topic_is_refused(context: Flask, topic: str) -> None:
    with pytest.raises(ValueError, match="is no topic"):
        services.note(topic, "track", 7)


def test_cursor_is_where_the_log_ends(context: Flask, log: LiveLog) -> None:
    before = services.current_cursor()
    services.publish_now("home", "row", 1)
    after = services.current_cursor()
    assert Cursor.parse(before) < Cursor.parse(after)  # type: ignore[operator]
    assert after == str(log.last())


def test_script_publishes_what_the_log_holds(log: LiveLog) -> None:
    with log.client.pubsub() as heard:  # type: ignore[no-untyped-call]
        heard.subscribe(log.channel)
        heard.get_message(timeout=5)
        log.append([LiveUpdate("album-3", "track", 7)])
        message = heard.get_message(timeout=5)
    assert f'"id":"{log.last()}"'.encode() in message["data"]


def test_log_is_capped(clean_redis: RedisServer) -> None:
    with redis.Redis.from_url(clean_redis.url) as client:
        log = LiveLog(client, max_entries=100)
        for number in range(10):
            log.append([LiveUpdate("home", "row", number * 100 + step) for step in range(100)])
        # Redis trims whole nodes, of a hundred entries by default.
        assert client.xlen("live:log") <= 201


def test_without_redis_a_commit_is_quick_and_its_update_comes_later(
    make_app: MakeApp, own_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(own_redis.url)
    page = Page.on(app.extensions["live_hub"], "home")
    own_redis.stop()
    with app.app_context():
        took_seconds = []
        for number in range(20):
            services.note("home", "row", number)
            services.note("home", "row", 99)
            began = time.monotonic()
            db.session.commit()
            assert services.current_cursor() == ""
            services.publish_now("home", "row", 77, unlogged=True)
            took_seconds.append(time.monotonic() - began)
        # the middle one: any single one may have stood behind another program
        assert sorted(took_seconds)[10] < 0.2
        assert sum("updates wait" in record.message for record in caplog.records) == 1
        own_redis.start()
        # In the order of their last change; percent is not kept.
        page.received.wait_until(lambda received: received.rows == [*range(20), 99])
        wait_until(lambda: services.current_cursor() != "")
        services.note("home", "row", 100)
        db.session.commit()
        page.received.wait_until(lambda received: received.rows[-1] == 100)


def test_redis_that_hangs_costs_one_request_a_moment(make_app: MakeApp, own_redis: RedisServer) -> None:
    app = make_app(own_redis.url)
    with app.app_context():
        services.publish_now("home", "row", 1)
        assert own_redis.process is not None
        own_redis.process.send_signal(19)
        try:
            took_seconds = []
            for number in range(3):
                began = time.monotonic()
                services.publish_now("home", "row", number)
                took_seconds.append(time.monotonic() - began)
        finally:
            own_redis.process.send_signal(18)
        assert took_seconds[0] < 0.4
        assert max(took_seconds[1:]) < 0.05
        wait_until(lambda: services.current_cursor() != "")


def test_long_outage_is_kept_as_one_resync(make_app: MakeApp, own_redis: RedisServer) -> None:
    app = make_app(own_redis.url)
    page = Page.on(app.extensions["live_hub"], "home")
    own_redis.stop()
    with app.app_context():
        services.rights_changed(user_id=5)
        db.session.commit()
        for number in range(BACKLOG_FRAGMENTS + 1):
            services.publish_now("home", "row", number)
        own_redis.start()
        page.received.wait_for_name("resync")
        # At most the one that came after the others were given up.
        assert page.received.rows in ([], [BACKLOG_FRAGMENTS])


def test_updates_of_many_threads_all_arrive(context: Flask, log: LiveLog, start: Cursor) -> None:
    def publish_some(first: int) -> None:
        with context.app_context():
            for number in range(first, first + 50):
                services.note("home", "row", number)
                db.session.commit()

    threads = [threading.Thread(target=publish_some, args=(first,)) for first in range(0, 400, 50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ref for _, _, ref in said(log, start)) == list(range(400))
