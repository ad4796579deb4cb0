"""Real gunicorn, real sockets: that a stream's request ends while its socket goes on."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from musicapp.live.log import RIGHTS, LiveLog, LiveUpdate
from tests.live.listening import WAIT_SECONDS, HttpPage, publish, row, wait_until
from tests.servers import REPOSITORY, RedisServer, free_port

pytestmark = pytest.mark.real


class Gunicorn:
    def __init__(self, folder: Path, redis_url: str, **environ: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.printed = folder / "gunicorn.log"
        with self.printed.open("ab") as printed:
            self.program = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--workers", "1"]
                + ["--access-logfile", "-", "tests.live.gunicorn_site:app"],
                cwd=REPOSITORY,
                env={**os.environ, "REDIS_URL": redis_url, "HOST": "127.0.0.1", "PORT": str(port), **environ},
                stdout=printed,
                stderr=subprocess.STDOUT,
            )

    def wait_until_it_answers(self) -> None:
        wait_until(self._answers)

    def _answers(self) -> bool:
        assert self.program.poll() is None, self.printed.read_text()
        try:
            return requests.get(self.url + "/count", timeout=WAIT_SECONDS).ok
        except requests.RequestException:
            return False

    def count(self, what: str) -> int:
        return int(requests.get(self.url + "/count", timeout=WAIT_SECONDS).json()[what])

    def open(self, query: str = "topics=home", **headers: str) -> HttpPage:
        return HttpPage(self.url, query, headers)


StartGunicorn = Callable[..., Gunicorn]


@pytest.fixture
def start(tmp_path: Path, clean_redis: RedisServer) -> Iterator[StartGunicorn]:
    started: list[Gunicorn] = []

    def begin(**environ: str) -> Gunicorn:
        server = Gunicorn(tmp_path, clean_redis.url, **environ)
        started.append(server)
        server.wait_until_it_answers()
        return server

    yield begin
    for server in started:
        server.program.kill()
        server.program.wait()
        print(server.printed.read_text()[-5000:])


def test_stream_goes_on_after_its_request_has_ended(start: StartGunicorn, log: LiveLog) -> None:
    server = start()
    page = server.open()
    page.wait_until_joined()
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["X-Accel-Buffering"] == "no"
    assert page.headers["X-After"] == "yes"
    assert page.headers["Connection"] == "close"
    assert "Content-Length" not in page.headers
    # gunicorn writes its line when it is done with a request.
    wait_until(lambda: '"GET /live?topics=home HTTP/1.1" 200' in server.printed.read_text())
    publish(log, row("home", 1), row("home", 2))
    page.received.wait_for_rows(1, 2)
    again = server.open(**{"Last-Event-ID": page.received.events[0].id})
    again.received.wait_for_rows(2)
    page.close()
    again.close()
    wait_until(lambda: server.count("streams") == 0)
    assert "Traceback" not in server.printed.read_text()


def test_request_stays_open_where_handover_is_switched_off(start: StartGunicorn, log: LiveLog) -> None:
    server = start(LIVE_HANDOVER="no")
    pages = [server.open() for _ in range(50)]
    for page in pages:
        page.wait_until_joined()
    publish(log, row("home", 1))
    for page in pages:
        page.received.wait_for_rows(1)
        page.close()
    # A request that stays open sees at its next heartbeat that nobody listens.
    wait_until(lambda: server.count("streams") == 0)


def test_pages_that_leave_take_their_descriptors_along(start: StartGunicorn) -> None:
    server = start()
    before = server.count("descriptors")
    pages = [server.open() for _ in range(100)]
    for page in pages:
        page.wait_until_joined()
    assert server.count("streams") == 100
    for page in pages:
        page.close()
    wait_until(lambda: server.count("streams") == 0)
    wait_until(lambda: server.count("descriptors") <= before + 5)


def test_page_that_reads_nothing_gets_a_resync_and_the_others_everything(start: StartGunicorn, log: LiveLog) -> None:
    server = start()
    quick = server.open()
    quick.wait_until_joined()
    address = server.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as stalled:
        stalled.sendall(b"GET /live?topics=home HTTP/1.0\r\nHost: x\r\n\r\n")
        wait_until(lambda: server.count("streams") == 2)
        # Ten times the ring, and more than both sides' socket buffers hold.
        total = 120
        for number in range(total):
            publish(log, LiveUpdate("home", "large", number))
            quick.received.wait_for_rows(*range(number + 1))
        assert quick.received.rows == list(range(total))
        assert quick.received.names == []
        stalled.settimeout(5)
        read = b""
        while b"event: resync" not in read:
            read = read[-100:] + stalled.recv(65536)
        publish(log, row("home", 777))
        while b'id="row-777"' not in read:
            read = read[-100:] + stalled.recv(65536)


def test_changed_rights_close_the_socket(start: StartGunicorn, log: LiveLog) -> None:
    server = start()
    page = server.open()
    page.wait_until_joined()
    publish(log, LiveUpdate("home", RIGHTS, 0))
    page.received.wait_until(lambda received: received.ended)


def test_worker_that_is_told_to_stop_ends_its_streams_and_goes(start: StartGunicorn) -> None:
    for handover in ("yes", "no"):
        server = start(LIVE_HANDOVER=handover, GUNICORN_CMD_ARGS="--graceful-timeout 100")
        page = server.open()
        page.wait_until_joined()
        began = time.monotonic()
        server.program.send_signal(signal.SIGTERM)
        page.received.wait_until(lambda received: received.ended)
        server.program.wait(WAIT_SECONDS)
        assert time.monotonic() - began < WAIT_SECONDS, "it waited for the graceful timeout"


def test_heartbeats_come_without_any_update(start: StartGunicorn) -> None:
    server = start()
    page = server.open()
    page.received.wait_until(lambda received: received.raw.count(b": beat\n") >= 3)
    page.close()
