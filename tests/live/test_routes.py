from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import redis
from flask import Flask
from flask_login import LoginManager
from werkzeug.serving import make_server

from musicapp.live import routes, services
from musicapp.live.hub import Hub
from musicapp.live.log import LiveLog
from musicapp.live.registry import Registry
from tests.live.conftest import MakeApp
from tests.live.listening import HttpPage, publish, row, wait_until
from tests.servers import RedisServer

OpenHttp = Callable[..., HttpPage]


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    servers: list[Any] = []
    threads = []

    def begin(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        server.daemon_threads = True  # type: ignore[attr-defined]
        servers.append(server)
        threads.append(threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}))
        threads[-1].start()
        return f"http://127.0.0.1:{server.server_port}"

    yield begin
    for server in servers:
        server.shutdown()
        server.server_close()
    for thread in threads:
        thread.join()


@pytest.fixture
def open_http(live_app: Flask, serve: Callable[[Flask], str]) -> OpenHttp:
    address = serve(live_app)
    return lambda query, **headers: HttpPage(
        address, query, {name.replace("_", "-"): value for name, value in headers.items()}
    )


def test_stream_begins_at_once_and_is_neither_kept_nor_buffered(open_http: OpenHttp, log: LiveLog) -> None:
    page = open_http("topics=home")
    page.wait_until_joined()
    assert page.received.raw.startswith(b"retry: 1000\n: open\n\n")
    assert page.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Accel-Buffering"] == "no"
    publish(log, row("home", 1))
    page.received.wait_for_rows(1)


def test_first_bytes_come_without_redis(
    make_app: MakeApp, own_redis: RedisServer, serve: Callable[[Flask], str]
) -> None:
    own_redis.stop()
    app = make_app(own_redis.url, beat_seconds=1)
    page = HttpPage(serve(app), "topics=home&after=")
    page.received.wait_until(lambda received: received.raw.count(b": beat\n") >= 2)
    assert page.received.last_id == "", "its place is not known yet"
    own_redis.start()
    page.received.wait_for_name("resync")
    app.extensions["live_hub"].stop()


def test_after_in_the_address_replays(open_http: OpenHttp, log: LiveLog, live_app: Flask) -> None:
    with live_app.app_context():
        cursor = services.current_cursor()
    publish(log, row("home", 1))
    open_http(f"topics=home&after={cursor}").received.wait_for_rows(1)


def test_last_event_id_goes_before_the_address(open_http: OpenHttp, log: LiveLog) -> None:
    old = log.last()
    publish(log, row("home", 1))
    new = log.last()
    publish(log, row("home", 2))
    open_http(f"topics=home&after={old}", Last_Event_ID=str(new)).received.wait_for_rows(2)


@pytest.mark.parametrize("after", ["", "rubbish", "99999999999999999999999-1"])
def test_unreadable_cursor_gets_a_resync(open_http: OpenHttp, after: str) -> None:
    open_http(f"topics=home&after={after}").received.wait_for_name("resync")


def test_topics_that_may_not_be_heard_are_left_out(open_http: OpenHttp, hub: Hub, log: LiveLog) -> None:
    page = open_http("topics=secret-1,home,unknown,NOT-A-TOPIC")
    page.wait_until_joined()
    publish(log, row("secret-1", 1), row("home", 2))
    page.received.wait_for_rows(2)


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 400), ("topics=", 400), ("topics=" + ",".join(["home"] * 33), 400), ("topics=secret-1", 403)],
)
def test_stream_of_nothing_is_refused(live_app: Flask, query: str, status: int) -> None:
    assert live_app.test_client().get(f"/live?{query}").status_code == status
    assert live_app.extensions["live_hub"].stream_count == 0


def test_head_opens_no_stream(live_app: Flask) -> None:
    response = live_app.test_client().head("/live?topics=home")
    assert response.status_code == 200
    assert live_app.extensions["live_hub"].stream_count == 0


def test_full_house_says_come_later(open_http: OpenHttp, live_app: Flask) -> None:
    live_app.config["LIVE_MAX_STREAMS"] = 1
    open_http("topics=home").wait_until_joined()
    response = live_app.test_client().get("/live?topics=home")
    assert (response.status_code, response.headers["Retry-After"]) == (503, "10")


def test_streams_per_person_are_bounded_and_a_strangers_are_not(
    open_http: OpenHttp, live_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer = SimpleNamespace(is_authenticated=True, is_active=True, id=5, get_id=lambda: "a token")
    monkeypatch.setattr(routes, "MAX_STREAMS_PER_USER", 2)
    login = LoginManager(live_app)
    login.request_loader(lambda request: viewer if "Signed-In" in request.headers else None)
    for _ in range(2):
        open_http("topics=home", Signed_In="5").wait_until_joined()
    client = live_app.test_client()
    assert client.get("/live?topics=home", headers={"Signed-In": "5"}).status_code == 503
    for _ in range(3):
        open_http("topics=home").wait_until_joined()


def test_rights_are_the_viewers(live_app: Flask, registry: Registry) -> None:
    asked: list[tuple[Any, int | None]] = []

    @registry.topic("studio")
    def may_hear(viewer: Any, number: int | None) -> bool:
        asked.append((viewer._get_current_object(), number))
        return False

    login = LoginManager(live_app)
    viewer = SimpleNamespace(is_authenticated=True, is_active=True, id=5, get_id=lambda: "a token")
    login.request_loader(lambda request: viewer)
    assert live_app.test_client().get("/live?topics=studio-3").status_code == 403
    assert asked == [(viewer, 3)]


def test_two_hundred_browsers_use_one_subscription(open_http: OpenHttp, log: LiveLog, hub: Hub) -> None:
    pages = [open_http("topics=home") for _ in range(200)]
    for page in pages:
        page.wait_until_joined()
    subscriptions: Any = log.client.pubsub_numsub(log.channel)
    assert subscriptions[0][1] == 1
    publish(log, row("home", 1))
    for page in pages:
        page.received.wait_for_rows(1)


def test_page_that_leaves_is_forgotten_at_its_next_heartbeat(
    make_app: MakeApp, clean_redis: RedisServer, serve: Callable[[Flask], str]
) -> None:
    app = make_app(clean_redis.url, beat_seconds=1)
    page = HttpPage(serve(app), "topics=home")
    page.wait_until_joined()
    page.close()
    wait_until(lambda: app.extensions["live_hub"].stream_count == 0)


def test_streams_open_no_redis_connections(open_http: OpenHttp, clean_redis: RedisServer) -> None:
    with redis.Redis.from_url(clean_redis.url) as client:
        open_http("topics=home").wait_until_joined()
        first: Any = client.info("clients")
        for _ in range(20):
            open_http("topics=home").wait_until_joined()
        now: Any = client.info("clients")
    assert now["connected_clients"] <= first["connected_clients"] + 1
