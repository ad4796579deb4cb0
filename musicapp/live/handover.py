"""Under gunicorn's gevent worker a stream's request ends and its socket stays, written to by the hub itself.

A greenlet per open page costs 17 KiB and two switches for each event; a socket handed over costs half a KiB and
one system call. Only gunicorn's plain HTTP/1 sockets can be handed over: TLS, HTTP/2 and other servers keep the
request open (ring.WsgiStream).
"""

from __future__ import annotations

import logging
import os
import select
import time
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from flask import Response

from musicapp.live.frames import OPENING
from musicapp.live.ring import Stream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

logger = logging.getLogger(__name__)

STALLED_SECONDS = 60.0
"""A page that reads nothing for so long is gone, or will connect again when it wakes."""
CHANGES_AT_ONCE = 256


def is_possible(environ: Mapping[str, Any], settings: Mapping[str, Any]) -> bool:
    """Whether this request's socket can be taken over. `LIVE_HANDOVER=False` in `settings` forbids it."""
    socket = environ.get("gunicorn.socket")
    if socket is None or "HTTP_VERSION" in environ or not settings.get("LIVE_HANDOVER", True):
        return False
    # By name, so that a process without gevent needn't load it; a subclass is TLS.
    kind = type(socket)
    return kind.__name__ == "socket" and kind.__module__.startswith("gevent.")


class SocketStream(Stream):
    """A stream that owns its socket. Whatever the socket doesn't take waits: one piece here, the rest in the ring."""

    __slots__ = ("_fd", "_rest", "_stalled_at")

    def __init__(self, topics: frozenset[str], user_id: int | None = None) -> None:
        super().__init__(topics, user_id)
        self._fd = -1
        self._rest: memoryview | None = None
        self._stalled_at = 0.0

    def open(self, fd: int, opening: bytes) -> None:
        """Takes the descriptor of a non-blocking socket and sends the first bytes."""
        self._fd = fd
        self._prelude.append(opening)
        self.wake()

    def wake(self) -> None:
        if self._rest is None and self._fd >= 0:
            data = self.take()
            if data:
                self._write(data)

    def go_on(self) -> None:
        """The socket takes bytes again."""
        if self._rest is not None:
            rest, self._rest = self._rest, None
            self._write(rest)
            self.wake()

    def beat(self) -> None:
        if self._rest is not None and time.monotonic() - self._stalled_at > STALLED_SECONDS:
            self.close()
        else:
            super().beat()

    def _write(self, data: bytes | memoryview) -> None:
        try:
            written = os.write(self._fd, data)
        except BlockingIOError:
            written = 0
        except OSError:  # the page has gone
            self.close()
            return
        if written < len(data):
            if written or not self._stalled_at:
                self._stalled_at = time.monotonic()
            self._rest = memoryview(data)[written:]
        else:
            self._stalled_at = 0.0

    def close(self) -> None:
        super().close()
        fd, self._fd = self._fd, -1
        if fd >= 0:
            _doorkeeper().forget(fd)
            os.close(fd)


class Doorkeeper:
    """Sees which sockets take bytes again and which pages have gone: one epoll, one greenlet, for all streams."""

    def __init__(self) -> None:
        from gevent import get_hub, monkey, spawn

        # gevent takes epoll out of `select`; as its own descriptor is watched by gevent, nothing blocks.
        epoll: type[select.epoll] = monkey.get_original("select", "epoll")
        self._epoll = epoll()
        self._streams: dict[int, SocketStream] = {}
        self._loop = get_hub()
        spawn(self._watch)

    def watch(self, fd: int, stream: SocketStream) -> None:
        self._streams[fd] = stream
        # Edges only: each is told once, however long a page stalls.
        self._epoll.register(fd, select.EPOLLOUT | select.EPOLLRDHUP | select.EPOLLET)

    def forget(self, fd: int) -> None:
        if self._streams.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def _watch(self) -> None:
        from gevent.socket import wait_read

        while True:
            wait_read(self._epoll.fileno())
            for fd, change in self._epoll.poll(0, CHANGES_AT_ONCE):
                stream = self._streams.get(fd)
                if stream is None:
                    continue
                if change & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP):
                    stream.close()
                else:
                    stream.go_on()


_made: list[Doorkeeper] = []


def _doorkeeper() -> Doorkeeper:
    if not _made:
        _made.append(Doorkeeper())
    return _made[0]


class _NothingMore:
    """What the server gets instead of a body: gunicorn takes StopIteration for "end this connection, send nothing"
    (its workers/base_async.py), logs the request and closes its own descriptor."""

    def __iter__(self) -> Iterator[bytes]:
        raise StopIteration


class HandedOverResponse(Response):
    """A response that takes the request's socket with it."""

    def __init__(
        self, stream: SocketStream, attend: Callable[[SocketStream], None], headers: Mapping[str, str]
    ) -> None:
        super().__init__(headers=dict(headers))
        self._stream = stream
        self._attend = attend

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        headers = self.get_wsgi_headers(environ)
        headers.remove("Content-Length")
        headers["Connection"] = "close"
        headers["Date"] = formatdate(usegmt=True)
        start_response(self.status, headers.to_wsgi_list())  # for the access log
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.to_wsgi_list())
        fd = os.dup(environ["gunicorn.socket"].fileno())
        _doorkeeper().watch(fd, self._stream)
        self._stream.open(fd, f"HTTP/1.1 {self.status}\r\n{lines}\r\n".encode("latin-1") + OPENING)
        try:
            self._attend(self._stream)
        except Exception:
            # The head is out: an error page would end up inside the stream.
            logger.exception("The live stream could not begin.")
            self._stream.close()
        return _NothingMore()
