"""An open playlist page without a browser: what static/js/live.js and static/js/playlist/{page,order}.js do, in Python.

It hears the live stream, applies changes strictly by version, asks for what is missing after a second, a lost
connection or a resync, shows its own edits at once and sends them one after the other until they are answered. What
it draws is left out. Needs gevent's patched sockets.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import secrets
import time
from bisect import bisect_left, insort
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import gevent
from gevent.event import Event

GAP_S = 1.0
RETRY_S = 3.0
RECONNECT_S = 1.0  # live.js: the first retry, times 0.5 to 1.5
BEAT_S = 20.0
TIMEOUT_S = 30.0
_ROW = re.compile(r'data-entry="(\d+)"[^>]*?data-key="([^"]+)"')
_CHANGE = re.compile(r"data-change='([^']+)'")


class OfflineError(OSError):
    """This page has no connection just now."""


class RefusedError(Exception):
    """The server answered that it would not."""


@dataclass(slots=True)
class Edit:
    """One edit that this page made: when its POST began, and the change that was answered."""

    kind: str
    began_s: float
    change_id: int | None = None
    version: int | None = None
    is_answered: bool = False


class Order:
    """What the server has confirmed: js/playlist/order.js without what is pending."""

    def __init__(self) -> None:
        self.keys: dict[int, str] = {}
        self.sorted: list[tuple[str, int]] = []
        self.version = 0

    def reset(self, entries: list[Any], version: int) -> None:
        self.keys = dict(entries)
        self.sorted = sorted((key, entry_id) for entry_id, key in self.keys.items())
        self.version = version

    def apply(self, change: dict[str, Any]) -> None:
        for entry_id in change["removed"]:
            self._take(entry_id)
        placed = {one["entry_id"]: one["order_key"] for one in (*change["added"], *change["moved"])}
        for entry_id, key in placed.items():
            self._take(entry_id)
            self.keys[entry_id] = key
            insort(self.sorted, (key, entry_id))
        self.version = change["version"]

    def _take(self, entry_id: int) -> None:
        key = self.keys.pop(entry_id, None)
        if key is not None:
            del self.sorted[bisect_left(self.sorted, (key, entry_id))]

    @property
    def ids(self) -> list[int]:
        return [entry_id for _key, entry_id in self.sorted]


@dataclass(slots=True)
class Counts:
    """What happened to one page."""

    streams_opened: int = 0
    disconnects: int = 0
    gaps: int = 0
    catch_ups: int = 0
    reloads: int = 0
    resyncs: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    resent: int = 0


class EditorPage:
    """One person's open page. `applied(version, at_s)` is called for each change as it is shown."""

    def __init__(
        self, port: int, playlist_id: int, user_id: int, cookie: str, applied: Callable[[int, float], None]
    ) -> None:
        self._port, self._cookie = port, cookie
        self.user_id = user_id
        self.url = f"/playlists/{playlist_id}"
        self.order = Order()
        self.counts = Counts()
        self.edits: list[Edit] = []
        self.is_online = True
        self.is_closed = False
        self.offline_since_s: list[tuple[float, float]] = []
        self._applied = applied
        self._waiting: dict[int, dict[str, Any]] = {}
        self._topics = self._cursor = ""
        self._stream: http.client.HTTPConnection | None = None
        self._is_catching = self._is_reloading = self._is_stale = self._was_open = False
        self._gap_timer: Any = None
        self._queue: list[tuple[Edit, str, list[tuple[str, Any]]]] = []
        self._has_work = Event()
        self._kept: http.client.HTTPConnection | None = None
        self._greenlets: list[Any] = []
        self._chance = random.Random(user_id)
        self._key = secrets.token_hex(8)

    # ---- Opening and leaving

    def open(self) -> None:
        html = self._request("GET", self.url, accept="text/html").decode()
        rows = [(int(entry_id), key) for entry_id, key in _ROW.findall(html)]
        self._topics = _attribute(html, "data-topics").replace(" ", ",")
        self._cursor = _attribute(html, "data-cursor")
        self.order.reset(rows, int(_attribute(html, "data-version")))
        if int(_attribute(html, "data-count")) != len(rows):
            self.reload()
        self._greenlets = [gevent.spawn(run) for run in (self._listen, self._send_all, self._beat)]

    def close(self) -> None:
        self.is_closed = True
        self._cut()
        gevent.killall(self._greenlets)

    def go_offline(self, seconds: float) -> None:
        """Loses the network without a word to the server, and gets it back."""
        self.counts.disconnects += 1
        began_s = time.monotonic()
        self.is_online = False
        self._cut()
        gevent.sleep(seconds)
        self.is_online = True
        self.offline_since_s.append((began_s, time.monotonic()))
        gevent.spawn(self.catch_up)  # the browser's "online"

    def _cut(self) -> None:
        for connection in (self._stream, self._kept):
            if connection is not None and connection.sock is not None:
                # As a cable that is pulled: whoever reads from it wakes.
                connection.sock.shutdown(2)

    # ---- What comes in (live.js)

    def _listen(self) -> None:
        while not self.is_closed:
            if self.is_online:
                # Ended or cut: opened anew below.
                with suppress(OSError, http.client.HTTPException, ValueError):
                    self._hear()
            gevent.sleep(RECONNECT_S * (0.5 + self._chance.random()))

    def _hear(self) -> None:
        # Heartbeats come every 15 s: a stream silent for longer is dead.
        self._stream = http.client.HTTPConnection("127.0.0.1", self._port, timeout=40)
        try:
            path = f"/live?topics={self._topics}" + (f"&after={self._cursor}" if self._cursor else "")
            self._stream.request("GET", path, headers={"Cookie": self._cookie, "Accept": "text/event-stream"})
            answer = self._stream.getresponse()
            if answer.status != 200:
                raise OfflineError(f"/live answered {answer.status}")
            self.counts.streams_opened += 1
            if self._was_open:
                gevent.spawn(self.catch_up)
            self._was_open = True
            self._read_events(answer)
        finally:
            self._stream.close()

    def _read_events(self, answer: http.client.HTTPResponse) -> None:
        event_id, name, lines = "", "", []
        while line := answer.readline():
            text = line.decode().rstrip("\n")
            if text.startswith("id: "):
                event_id = text[4:]
            elif text.startswith("event: "):
                name = text[7:]
            elif text.startswith("data: "):
                lines.append(text[6:])
            elif not text and lines:
                self._cursor = event_id or self._cursor
                if name == "resync":
                    self.counts.resyncs += 1
                    gevent.spawn(self.catch_up)
                elif not name:
                    for told in _CHANGE.findall("\n".join(lines)):
                        self.receive(json.loads(told))
                event_id, name, lines = "", "", []

    def receive(self, change: dict[str, Any]) -> None:
        if self.is_closed:
            return
        if change["version"] > self.order.version:
            self._waiting[change["version"]] = change
        if self._is_reloading:
            return
        while following := self._waiting.pop(self.order.version + 1, None):
            if following["is_large"]:
                gevent.spawn(self.reload)
                return
            self.order.apply(following)
            self._applied(self.order.version, time.monotonic())
        if self._waiting and self._gap_timer is None:
            self._gap_timer = gevent.spawn_later(GAP_S, self._fill_gap)

    def _fill_gap(self) -> None:
        self._gap_timer = None
        if self._waiting:
            self.counts.gaps += 1
            self.catch_up()

    def catch_up(self) -> None:
        if self._is_catching or self.is_closed:
            return
        self._is_catching = True
        self.counts.catch_ups += 1
        try:
            news = json.loads(self._request("GET", f"{self.url}/changes?since={self.order.version}"))
            if news["is_far_behind"]:
                self.reload()
            else:
                for change in news["changes"]:
                    self.receive(change)
        except (OSError, http.client.HTTPException):
            gevent.spawn_later(RETRY_S, self.catch_up)
        finally:
            self._is_catching = False

    def reload(self) -> None:
        if self._is_reloading:
            self._is_stale = True
            return
        self._is_reloading = True
        self.counts.reloads += 1
        try:
            while True:
                self._is_stale = False
                order = json.loads(self._request("GET", f"{self.url}/order.json?"))
                self.order.reset(order["entries"], order["version"])
                self._applied(self.order.version, time.monotonic())
                if not self._is_stale:
                    break
        except (OSError, http.client.HTTPException):
            gevent.spawn_later(RETRY_S, self.reload)
        self._is_reloading = False
        self._waiting = {version: change for version, change in self._waiting.items() if version > self.order.version}
        for version in sorted(self._waiting):
            self.receive(self._waiting[version])

    # ---- What goes out

    @property
    def is_idle(self) -> bool:
        return not self._queue

    def edit(self, kind: str, door: str, fields: list[tuple[str, Any]]) -> None:
        """Sends an edit after the ones before it."""
        edit = Edit(kind, time.monotonic())
        self.edits.append(edit)
        self._queue.append((edit, door, fields))
        self._has_work.set()

    def _send_all(self) -> None:
        while not self.is_closed:
            self._has_work.wait()
            edit, door, fields = self._queue[0]
            self._send(edit, door, fields)
            self._queue.pop(0)
            if not self._queue:
                self._has_work.clear()

    def _send(self, edit: Edit, door: str, fields: list[tuple[str, Any]]) -> None:
        while not self.is_closed:
            edit.began_s = time.monotonic()
            try:
                answer = json.loads(self._request("POST", f"{self.url}/{door}", urlencode(fields, doseq=True)))
            except RefusedError as error:
                self.counts.refused[str(error)[:80]] = self.counts.refused.get(str(error)[:80], 0) + 1
                edit.is_answered = True
                gevent.spawn(self.catch_up)
                return
            except (OSError, http.client.HTTPException):
                if edit.kind not in {"move", "remove"}:
                    return  # the page says that it failed; only these two may be said twice
                self.counts.resent += 1
                gevent.sleep(RETRY_S)
                continue
            edit.is_answered = True
            change = answer["change"]
            if change:
                edit.change_id, edit.version = change["id"], change["version"]
                if edit.kind != "add":
                    self.receive(change)
            return

    def _beat(self) -> None:
        while not self.is_closed:
            # The next one says it.
            with suppress(OSError, http.client.HTTPException, RefusedError):
                self._request("POST", f"{self.url}/presence", urlencode({"page": self._key, "leaves": ""}), keep=False)
            gevent.sleep(BEAT_S)

    def _request(
        self, method: str, path: str, body: str = "", *, accept: str = "application/json", keep: bool = True
    ) -> bytes:
        if not self.is_online:
            raise OfflineError("offline")
        # A connection for each question: two of one page may run at once, as in a browser.
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        if keep and method == "POST":
            self._kept = connection
        try:
            headers = {"Cookie": self._cookie, "Accept": accept, "Sec-Fetch-Site": "same-origin"}
            if method == "POST":
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, path, body or None, headers)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 502:
            raise OfflineError(f"answered {answer.status}")
        if answer.status >= 300:
            raise RefusedError(f"{answer.status} {content[:200]!r}")
        return content


def _attribute(html: str, name: str) -> str:
    found = re.search(rf'<[^>]*?\b{name}="([^"]*)"', html[html.index("<main") :])
    if found is None:
        raise ValueError(f"the page has no {name}")
    return found[1]
