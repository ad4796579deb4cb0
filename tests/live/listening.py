"""Pages for tests: one that sits on the hub directly, and one that speaks HTTP."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import ClassVar, Self
from urllib.parse import urlsplit

from musicapp.live.hub import Hub
from musicapp.live.log import Cursor, LiveLog, LiveUpdate
from musicapp.live.ring import Stream

WAIT_SECONDS = 30.0  # a busy machine takes its time; only failures wait so long
NO_CURSOR = "nothing asked"


@dataclass(frozen=True)
class Event:
    """One event as a browser sees it; `name` is "" for one that htmx swaps."""

    id: str
    name: str
    data: str

    @property
    def rows(self) -> list[int]:
        return [int(number) for number in re.findall(r'id="row-(\d+)"', self.data)]


class Received:
    """Reads an event stream as browsers do and lets a test wait for what it wants to see."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.last_id = ""
        self.raw = b""
        self.ended = False
        self._read = 0
        self._changed = threading.Condition()

    def feed(self, data: bytes) -> None:
        with self._changed:
            self.raw += data
            while (end := self.raw.find(b"\n\n", self._read)) >= 0:
                self._parse(self.raw[self._read : end].decode())
                self._read = end + 2
            self._changed.notify_all()

    def end(self) -> None:
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def _parse(self, block: str) -> None:
        name, data = "", []
        for line in block.split("\n"):
            field, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if field == "id":
                self.last_id = value
            elif field == "event":
                name = value
            elif field == "data":
                data.append(value)
        if data and name != "cursor":  # a heartbeat
            self.events.append(Event(self.last_id, name, "\n".join(data)))

    def wait_until(self, seen: Callable[[Self], object]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: seen(self), WAIT_SECONDS), self.describe()

    def describe(self) -> str:
        return f"ended={self.ended} last_id={self.last_id!r} events={self.events!r} raw={self.raw[-600:]!r}"

    @property
    def rows(self) -> list[int]:
        return [row for event in self.events for row in event.rows]

    @property
    def names(self) -> list[str]:
        return [event.name for event in self.events if event.name]

    def wait_for_rows(self, *rows: int) -> None:
        self.wait_until(lambda page: page.rows == list(rows))

    def wait_for_name(self, name: str) -> None:
        self.wait_until(lambda page: name in page.names)


class Page(Stream):
    """A page that sits on the hub itself. A stalled one takes nothing until it goes on."""

    def __init__(self, topics: frozenset[str], user_id: int | None, stalled: bool) -> None:
        super().__init__(topics, user_id)
        self.received = Received()
        self.stalled = stalled

    @classmethod
    def on(
        cls,
        hub: Hub,
        *topics: str,
        after: Cursor | str | None = NO_CURSOR,
        user_id: int | None = None,
        stalled: bool = False,
    ) -> Self:
        page = cls(frozenset(topics), user_id, stalled)
        hub.add(page)
        if after == NO_CURSOR:
            wait_until(lambda: hub.listener.connected)
            hub.join(page, None, replays=False)
        else:
            hub.join(page, Cursor.parse(str(after)))
        return page

    def wake(self) -> None:
        if not self.stalled:
            while data := self.take():
                self.received.feed(data)

    def go_on(self) -> None:
        self.stalled = False
        self.wake()

    def close(self) -> None:
        super().close()
        self.received.end()


class HttpPage:
    """A page with a connection of its own. The fixture `closed_pages` closes all of `opened`."""

    opened: ClassVar[list[HttpPage]] = []

    def __init__(self, address: str, query: str, headers: dict[str, str] | None = None) -> None:
        self.opened.append(self)
        self.received = Received()
        self._connection = HTTPConnection(urlsplit(address).netloc)
        self._connection.connect()
        self._socket: socket.socket = self._connection.sock
        self._connection.request("GET", f"/live?{query}", headers=headers or {})
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self.headers = self._answer.headers
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError, HTTPException):
            while data := self._answer.read1(65536):
                self.received.feed(data)
        self.received.end()

    def wait_until_joined(self) -> None:
        """A joined stream tells where it stands."""
        self.received.wait_until(lambda received: received.last_id)

    def close(self) -> None:
        """Leaves as a closed tab does. Safe to call twice."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._answer.close()
        self._connection.close()


def wait_until(reached: Callable[[], object]) -> None:
    """For what has no condition to wait on: asks again every few milliseconds."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not reached():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def row(topic: str, ref: int) -> LiveUpdate:
    return LiveUpdate(topic, "row", ref)


def publish(log: LiveLog, *updates: LiveUpdate, logged: bool = True) -> None:
    for update in updates:
        log.append([update], logged=logged)
