"""Editors at once on a real site: two web processes, one SQLite file."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from flask import Flask

from musicapp import create_app
from musicapp.core.db import db
from tests.playlists.conftest import Lists
from tests.playlists.replay import assert_history_tells_everything
from tests.servers import Site

EDITORS, EDITS = 6, 12


@pytest.fixture
def app(site: Site) -> Iterator[Flask]:
    """The app of this process, on the same database as the site's."""
    site.migrate()
    app = create_app(site.environ, TESTING=True)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()
    app.extensions["live_publisher"].close()


def edit(site: Site, lists: Lists, playlist_id: int, number: int) -> list[int]:
    """What one editor gets for moving, adding and sorting as fast as the site answers: statuses."""
    cookie = lists.browser((lists.alice, lists.bob)[number % 2]).get_cookie("session")
    assert cookie is not None
    statuses = []
    with requests.Session() as browser:
        browser.cookies.set("session", cookie.value)
        browser.headers.update({"Accept": "application/json", "Origin": site.url})
        for turn in range(EDITS):
            address = f"{site.url}/playlists/{playlist_id}"
            entries = [entry for entry, _ in browser.get(f"{address}/order.json", timeout=60).json()["entries"]]
            doors = (
                ("move", {"entry_ids": entries[number], "after_entry_id": entries[turn % 5]}),
                ("entries", {"track_id": lists.tracks[turn % 9], "duplicates": "add", "after_entry_id": entries[0]}),
                ("sort", {"sort": "title", "down": str(turn % 2)}),
            )
            door, fields = doors[(number + turn) % 3]
            statuses.append(browser.post(f"{address}/{door}", data=fields, timeout=60).status_code)
    return statuses


def test_nobody_is_sent_away_when_six_edit_at_once(site: Site, lists: Lists) -> None:
    # A greenlet that holds SQLite's lock and waits for Redis lets another one of its process wait for that lock. That
    # stops the whole process: each such meeting took five seconds and ended with 503.
    playlist = lists.playlist(1, 2, 3, 4, 5, 6)
    site.start_web()
    with ThreadPoolExecutor(EDITORS) as threads:
        found = threads.map(lambda number: edit(site, lists, playlist, number), range(EDITORS))
        statuses = Counter(status for statuses in found for status in statuses)
    assert statuses == {200: EDITORS * EDITS}
    with lists.app.app_context():
        assert_history_tells_everything(playlist)


def test_slow_form_keeps_nobody_waiting(site: Site, lists: Lists) -> None:
    # Its bytes were waited for while SQLite's lock was held: whoever sent half a form stopped the site.
    playlist = lists.playlist(1, 2)
    site.start_web(1)
    bob, alice = (lists.browser(user).get_cookie("session") for user in (lists.bob, lists.alice))
    assert bob is not None
    assert alice is not None
    with socket.create_connection(("127.0.0.1", site.port)) as slow:
        slow.sendall(
            f"POST /playlists/{playlist}/entries HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\n"
            f"Cookie: session={bob.value}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            "Content-Length: 100\r\n\r\ntrack_id=".encode()
        )
        with requests.Session() as browser:
            browser.cookies.set("session", alice.value)
            for _ in range(3):  # the first may come before the slow one has begun
                fields = {"track_id": lists.tracks[4], "duplicates": "add"}
                answer = browser.post(f"{site.url}/playlists/{playlist}/entries", data=fields, timeout=60)
                assert answer.status_code == 200, answer.text
