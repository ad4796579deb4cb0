"""A WSGI app that answers what the nginx tests ask about; gunicorn runs it with the shipped configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gevent.event import Event

_released = Event()
_received_bytes = 0


def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path.startswith("/stream/"):
        headers = [("X-Accel-Redirect", "/_media/" + path.removeprefix("/stream/")), ("Content-Type", "audio/ogg")]
        start_response("200 OK", [*headers, ("Cache-Control", "private, max-age=60")])
        return []
    if path == "/live":
        start_response("200 OK", [("Content-Type", "text/event-stream"), ("X-Accel-Buffering", "no")])
        return _events()
    if path == "/uploads/":
        return _take(environ, start_response)
    if path == "/flower-auth":
        status = {"who=admin": "204 No Content", "who=bob": "403 Forbidden"}.get(environ.get("HTTP_COOKIE", ""))
        start_response(status or "401 Unauthorized", [])
        return []
    if path == "/404":
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"nothing here"]
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [_answer(path, environ).encode()]


def _answer(path: str, environ: dict[str, Any]) -> str:
    if path == "/release":
        _released.set()
    if path == "/received":
        return str(_received_bytes)
    if path == "/headers":
        return "\n".join(f"{name}: {value}" for name, value in sorted(environ.items()) if name.startswith("HTTP_"))
    return "home"


def _events() -> Iterator[bytes]:
    yield b"data: first\n\n"
    _released.wait(20)
    yield b"data: second\n\n"


def _take(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    global _received_bytes
    wanted = int(environ["CONTENT_LENGTH"])
    while _received_bytes < wanted:
        piece = environ["wsgi.input"].read(min(65536, wanted - _received_bytes))
        if not piece:
            break
        _received_bytes += len(piece)
    start_response("204 No Content", [])
    return []
