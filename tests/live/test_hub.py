from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
import redis
from flask import Flask

from musicapp.live.hub import Hub
from musicapp.live.log import POKE, RIGHTS, Cursor, LiveLog, LiveUpdate
from musicapp.live.registry import Registry
from musicapp.live.ring import Ring
from tests.live.conftest import Counted, MakeApp
from tests.live.listening import Page, publish, row, wait_until
from tests.servers import RedisServer

OpenPage = Callable[..., Page]


def test_page_receives_the_fragment_of_a_published_update(page: OpenPage, log: LiveLog) -> None:
    open_page = page("album-3")
    publish(log, row("album-3", 7))
    open_page.received.wait_for_rows(7)
    event = open_page.received.events[0]
    assert event.data == (
        '<hx-partial hx-target="#row-7" hx-swap="outerHTML"><li id="row-7">row 7, rendering 1</li></hx-partial>'
    )
    assert event.id == str(log.last())
    assert event.name == ""


def test_page_hears_only_its_topics(page: OpenPage, log: LiveLog) -> None:
    open_page = page("album-3", "home")
    publish(log, row("album-4", 1), row("album-3", 2), row("studio-3", 3), row("home", 4))
    open_page.received.wait_for_rows(2, 4)


def test_all_pages_get_one_rendering(page: OpenPage, log: LiveLog, counted: Counted) -> None:
    pages = [page("album-3") for _ in range(50)]
    publish(log, row("album-3", 7))
    for open_page in pages:
        open_page.received.wait_for_rows(7)
    assert counted.renderings == [7]


def test_nothing_is_rendered_that_nobody_hears(page: OpenPage, log: LiveLog, counted: Counted) -> None:
    open_page = page("home")
    publish(log, row("album-3", 7), row("home", 8))
    open_page.received.wait_for_rows(8)
    assert counted.renderings == [8]


def test_burst_of_one_fragment_is_merged(make_app: MakeApp, clean_redis: RedisServer, log: LiveLog) -> None:
    hub: Hub = make_app(clean_redis.url, merge_seconds=0.5).extensions["live_hub"]
    open_page = Page.on(hub, "home")
    began = time.monotonic()
    publish(log, *[row("home", 7)] * 100, row("home", 8))
    open_page.received.wait_until(lambda received: received.rows[-1:] == [8])
    # The first at once, the other 99 together; more only if publishing them took longer than the interval.
    assert open_page.received.rows.count(7) <= 2 + (time.monotonic() - began) / 0.5
    assert open_page.received.last_id == str(log.last())


def test_percent_is_rendered_now_and_then_and_leaves_no_cursor(
    make_app: MakeApp, clean_redis: RedisServer, log: LiveLog, counted: Counted
) -> None:
    hub: Hub = make_app(clean_redis.url, percent_seconds=0.5).extensions["live_hub"]
    open_page = Page.on(hub, "home")
    before = log.last()
    began = time.monotonic()
    publish(log, *[row("home", 7)] * 50, logged=False)
    open_page.received.wait_until(lambda received: received.rows)
    assert len(counted.renderings) <= 2 + (time.monotonic() - began) / 0.5
    assert log.last() == before


def test_poke_is_a_named_event(page: OpenPage, log: LiveLog) -> None:
    open_page = page("album-3")
    publish(log, LiveUpdate("album-3", POKE + "album-3-changed", 0))
    open_page.received.wait_for_name("album-3-changed")


def test_missed_updates_are_replayed_once_each_from_the_ring(page: OpenPage, log: LiveLog, counted: Counted) -> None:
    first = page("home")
    cursor = log.last()
    publish(log, row("home", 1), row("home", 2), row("home", 1), row("album-3", 5))
    first.received.wait_until(lambda received: received.rows[-2:] == [2, 1])
    second = page("home", after=cursor)
    second.received.wait_for_rows(2, 1)
    publish(log, row("home", 3))
    second.received.wait_for_rows(2, 1, 3)


def test_update_that_nobody_heard_is_rendered_for_its_replay(page: OpenPage, log: LiveLog) -> None:
    other = page("album-3")
    cursor = log.last()
    publish(log, row("home", 1), row("album-3", 2))
    other.received.wait_for_rows(2)
    late = page("home", after=cursor)
    late.received.wait_for_rows(1)


def test_updates_from_before_the_process_are_replayed_from_the_log(page: OpenPage, log: LiveLog) -> None:
    cursor = log.last()
    publish(log, row("home", 1), row("album-3", 2), row("home", 3))
    open_page = page("home", after=cursor)
    open_page.received.wait_for_rows(1, 3)
    publish(log, row("home", 4))
    open_page.received.wait_for_rows(1, 3, 4)
    assert open_page.received.last_id == str(log.last())


def test_nothing_is_lost_or_doubled_between_rendering_and_connecting(page: OpenPage, log: LiveLog) -> None:
    """Pages come at any moment while updates are published; each gets exactly what followed its cursor."""
    page("home")

    def publish_all() -> None:
        for number in range(1, 301):
            log.append([row("home", number)])

    publisher = threading.Thread(target=publish_all)
    opened: list[tuple[Cursor, Page]] = []
    publisher.start()
    while publisher.is_alive():
        cursor = log.last()
        opened.append((cursor, page("home", after=cursor)))
    publisher.join()
    log.append([row("home", 301)])
    for cursor, open_page in opened:
        open_page.received.wait_until(lambda received: received.rows[-1:] == [301])
        assert open_page.received.rows == [update.ref for update in log.since(cursor, 1000)]
    assert len(opened) > 3


def test_cursor_older_than_the_log_gets_one_resync(page: OpenPage, log: LiveLog) -> None:
    log.append([row("home", 1)])
    open_page = page("home", after="1-0")
    open_page.received.wait_for_name("resync")
    publish(log, row("home", 2))
    open_page.received.wait_for_rows(2)
    assert open_page.received.names == ["resync"]


def test_cursor_younger_than_a_wiped_log_gets_one_resync(page: OpenPage, log: LiveLog) -> None:
    page("home")
    open_page = page("home", after=f"{2**45}-0")
    open_page.received.wait_for_name("resync")
    publish(log, row("home", 2))
    open_page.received.wait_for_rows(2)


def test_cursor_after_resync_is_good_for_reconnecting(page: OpenPage, log: LiveLog) -> None:
    lost = page("home", after="1-0")
    lost.received.wait_for_name("resync")
    again = page("home", after=lost.received.last_id)
    publish(log, row("home", 2))
    again.received.wait_for_rows(2)
    assert again.received.names == []


def test_page_that_does_not_know_where_it_stands_gets_a_resync(page: OpenPage) -> None:
    page("home", after=None).received.wait_for_name("resync")


def test_page_that_missed_too_much_gets_a_resync(page: OpenPage, log: LiveLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("musicapp.live.hub.REPLAY_FRAGMENTS", 3)
    cursor = log.last()
    publish(log, *[row("home", number) for number in range(4)])
    from_log = page("home", after=cursor)
    from_log.received.wait_for_name("resync")
    cursor = log.last()
    publish(log, *[row("home", number) for number in range(10, 14)])
    from_log.received.wait_until(lambda received: 13 in received.rows)
    page("home", after=cursor).received.wait_for_name("resync")


def test_slow_page_gets_a_resync_and_costs_nothing_more(
    make_app: MakeApp, clean_redis: RedisServer, log: LiveLog
) -> None:
    hub: Hub = make_app(clean_redis.url, ring=Ring(max_frames=8)).extensions["live_hub"]
    slow, quick = Page.on(hub, "home", stalled=True), Page.on(hub, "home")
    for number in range(20):
        publish(log, row("home", number))
        quick.received.wait_for_rows(*range(number + 1))
    slow.go_on()
    assert slow.received.names == ["resync"]
    assert slow.received.rows == []
    assert slow.received.last_id == str(log.last())
    publish(log, row("home", 20))
    slow.received.wait_for_rows(20)


def test_page_a_little_behind_gets_everything(make_app: MakeApp, clean_redis: RedisServer, log: LiveLog) -> None:
    hub: Hub = make_app(clean_redis.url, ring=Ring(max_frames=8)).extensions["live_hub"]
    slow, quick = Page.on(hub, "home", stalled=True), Page.on(hub, "home")
    publish(log, *[row("home", number) for number in range(8)])
    quick.received.wait_for_rows(*range(8))
    slow.go_on()
    assert slow.received.rows == list(range(8))


@pytest.mark.parametrize(
    ("topic", "user_id", "closed"),
    [("*", 5, [True, True, False]), ("album-3", 5, [True, False, False]), ("album-3", 0, [True, False, True])],
)
def test_changed_rights_end_the_streams_they_concern(
    page: OpenPage, log: LiveLog, topic: str, user_id: int, closed: list[bool]
) -> None:
    pages = [page("album-3", user_id=5), page("home", user_id=5), page("album-3", "home", user_id=6)]
    witness = page("album-9", user_id=7)
    publish(log, LiveUpdate(topic, RIGHTS, user_id), row("album-9", 1))
    witness.received.wait_for_rows(1)
    assert [open_page.closed for open_page in pages] == closed


def test_stream_whose_rights_changed_while_they_were_read_is_closed(hub: Hub, page: OpenPage, log: LiveLog) -> None:
    page("home")
    before = hub.rights_changes
    publish(log, LiveUpdate("*", RIGHTS, 5))
    wait_until(lambda: hub.rights_changes > before)
    late = Page(frozenset({"home"}), 5, stalled=False)
    hub.add(late, before)
    assert late.closed
    assert hub.stream_count == 0 or late not in hub._streams


def test_fragment_that_cannot_be_rendered_makes_its_pages_fetch_themselves(
    page: OpenPage, log: LiveLog, registry: Registry
) -> None:
    registry.fragment("broken")(lambda ref: str(1 / ref))
    open_page, other = page("home"), page("album-3")
    publish(log, LiveUpdate("home", "broken", 0), row("home", 1), row("album-3", 2))
    open_page.received.wait_for_rows(1)
    other.received.wait_for_rows(2)
    assert open_page.received.names == ["resync"]
    assert other.received.names == []


def test_heartbeat_moves_a_quiet_page_along(make_app: MakeApp, clean_redis: RedisServer, log: LiveLog) -> None:
    hub: Hub = make_app(clean_redis.url, beat_seconds=1).extensions["live_hub"]
    quiet = Page.on(hub, "album-3")
    publish(log, row("home", 1))
    quiet.received.wait_until(lambda received: received.last_id == str(log.last()))
    assert quiet.received.events == []


def test_two_hundred_pages_share_one_subscription(page: OpenPage, log: LiveLog) -> None:
    pages = [page("home", f"album-{number}") for number in range(200)]
    subscriptions: Any = log.client.pubsub_numsub(log.channel)
    assert subscriptions[0][1] == 1
    publish(log, row("home", 1), row("album-150", 2))
    for number, open_page in enumerate(pages):
        open_page.received.wait_for_rows(*([1, 2] if number == 150 else [1]))


def test_redis_restart_loses_nothing(make_app: MakeApp, own_redis: RedisServer) -> None:
    hub: Hub = make_app(own_redis.url).extensions["live_hub"]
    with redis.Redis.from_url(own_redis.url) as client:
        log = LiveLog(client)
        open_page = Page.on(hub, "home")
        publish(log, row("home", 1))
        open_page.received.wait_for_rows(1)
        own_redis.stop()
        wait_until(lambda: not hub.listener.connected)
        during = Page.on(hub, "home", after=open_page.received.last_id)
        own_redis.start()
        # Published before the hub is back, at least in most runs.
        publish(log, row("home", 2), row("home", 3))
        open_page.received.wait_for_rows(1, 2, 3)
        during.received.wait_for_rows(2, 3)
        assert open_page.received.names == []


def test_wiped_redis_makes_every_page_fetch_itself_and_ask_again(make_app: MakeApp, own_redis: RedisServer) -> None:
    hub: Hub = make_app(own_redis.url).extensions["live_hub"]
    with redis.Redis.from_url(own_redis.url) as client:
        open_page = Page.on(hub, "home")
        publish(LiveLog(client), row("home", 1))
        open_page.received.wait_for_rows(1)
    own_redis.stop()
    for kept in own_redis.folder.glob("appendonly*"):
        kept.unlink()
    own_redis.start()
    open_page.received.wait_for_name("resync")
    open_page.received.wait_until(lambda received: received.ended)
    again = Page.on(hub, "home", after=open_page.received.last_id)
    with redis.Redis.from_url(own_redis.url) as client:
        publish(LiveLog(client), row("home", 2))
    again.received.wait_for_rows(2)
    assert again.received.names == []


def test_flushed_redis_without_a_lost_connection_goes_on(page: OpenPage, log: LiveLog) -> None:
    open_page = page("home")
    publish(log, row("home", 1))
    open_page.received.wait_for_rows(1)
    log.client.flushall()
    publish(log, row("home", 2))
    open_page.received.wait_for_rows(1, 2)


def test_page_opened_while_redis_is_away_hears_all_when_it_is_back(make_app: MakeApp, own_redis: RedisServer) -> None:
    with redis.Redis.from_url(own_redis.url) as client:
        cursor = LiveLog(client).last()
        publish(LiveLog(client), row("home", 1))
    own_redis.stop()
    hub: Hub = make_app(own_redis.url).extensions["live_hub"]
    knowing = Page.on(hub, "home", after=cursor)
    unknowing = Page.on(hub, "home", after=None)
    own_redis.start()
    # The row itself, or, where the hub asked a Redis that was still loading its file, word to fetch everything.
    knowing.received.wait_until(lambda received: bool(received.events))
    unknowing.received.wait_for_name("resync")


def test_killed_subscription_is_made_again_without_a_gap(page: OpenPage, log: LiveLog, hub: Hub) -> None:
    open_page = page("home")
    for number in range(1, 6):
        log.client.client_kill_filter(_type="pubsub")
        publish(log, row("home", number))
    open_page.received.wait_for_rows(1, 2, 3, 4, 5)


def test_stopped_worker_ends_its_streams(live_app: Flask, page: OpenPage) -> None:
    class Worker:
        alive = True

    worker = live_app.extensions["gunicorn_worker"] = Worker()
    open_page = page("home")
    worker.alive = False
    open_page.received.wait_until(lambda received: received.ended)


def test_closed_streams_are_forgotten(hub: Hub, page: OpenPage) -> None:
    pages = [page("home", "album-3", user_id=5) for _ in range(10)]
    assert (hub.stream_count, hub.streams_of(5)) == (10, 10)
    for open_page in pages:
        open_page.close()
        open_page.close()
    assert (hub.stream_count, hub.streams_of(5)) == (0, 0)
    assert hub._by_topic == {}
