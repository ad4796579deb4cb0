"""Times every request of this process, also those that are answered before Flask: for /metrics and the desk.

Two dict entries, two looks at the clock and a closure: about 9 µs a request (docs/decisions/0361).
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from contextvars import ContextVar
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from flask import Flask, request, request_started
from sqlalchemy import event

from musicapp.core.db import db
from musicapp.core.tracing import request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)

ROUTE = "musicapp.route"
"""Where the environment says which rule of the address map answers, and with which arguments."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "(none)"

_CONVERTER = re.compile(r"<[^<>:]*:(\w+)>")


class _Asked:
    """What one request has asked of the database."""

    __slots__ = ("sql_s", "statements")

    def __init__(self) -> None:
        self.statements = 0
        self.sql_s = 0.0


_asked: ContextVar[_Asked | None] = ContextVar("musicapp_asked", default=None)


class Measured:
    """WSGI middleware around everything else. A streamed body's time is not in it: that is the listener's."""

    def __init__(self, app: Flask, onward: WSGIApplication) -> None:
        self._onward = onward
        self._metrics = app.extensions["metrics"]
        self._slow_s = app.config["SLOW_REQUEST_MS"] / 1000

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status = "500"

        def start(line: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            nonlocal status
            status = line[:3]
            return start_response(line, headers, *failure)

        asked = _Asked()
        token = _asked.set(asked)
        began = time.perf_counter()
        try:
            return self._onward(environ, start)
        finally:
            took_s = time.perf_counter() - began
            _asked.reset(token)
            rule, arguments = environ.get(ROUTE) or (NO_ROUTE, None)
            method = environ["REQUEST_METHOD"]
            method = method if method in METHODS else "OTHER"
            route = route_words(rule)
            self._metrics.add("http_requests", (method, route, status))
            self._metrics.took((method, route), took_s)
            if took_s >= self._slow_s:
                self._say_slow(method, route, status, took_s, asked, arguments)

    def _say_slow(
        self, method: str, route: str, status: str, took_s: float, asked: _Asked, arguments: dict[str, Any] | None
    ) -> None:
        # Words in an address may be a token; numbers are ids.
        ids = {name: value for name, value in (arguments or {}).items() if isinstance(value, int)}
        took_ms, sql_ms = round(took_s * 1000), round(asked.sql_s * 1000)
        log.warning(
            "slow: %s %s %s took %d ms, %d ms of it in %d statements",
            method,
            route,
            ids or "",
            took_ms,
            sql_ms,
            asked.statements,
        )
        self._metrics.was_slow(
            {
                "at": time.time(),
                "method": method,
                "route": route,
                "ids": ids,
                "status": status,
                "took_ms": took_ms,
                "statements": asked.statements,
                "sql_ms": sql_ms,
                "request_id": request_id() or "",
            }
        )


@lru_cache(maxsize=1024)
def route_words(rule: str) -> str:
    """`/albums/<int:album_id>` as `/albums/<album_id>`: no blanks, as labels must be."""
    return _CONVERTER.sub(r"<\1>", rule)


def _note_route(_app: Flask, **_: Any) -> None:
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule, request.view_args


def _before_statement(connection: Any, *_: Any) -> None:
    asked = _asked.get()
    if asked is not None:
        connection.info["statement_began"] = time.perf_counter()


def _after_statement(connection: Any, *_: Any) -> None:
    asked = _asked.get()
    if asked is not None:
        asked.statements += 1
        asked.sql_s += time.perf_counter() - connection.info.pop("statement_began", time.perf_counter())


def init_measuring(app: Flask) -> None:
    """To be called last: what wraps the app later is not measured."""
    app.wsgi_app = Measured(app, app.wsgi_app)  # type: ignore[method-assign]
    # Before any function that may refuse the request.
    request_started.connect(_note_route, app)
    with app.app_context():
        event.listen(db.engine, "before_cursor_execute", _before_statement)
        event.listen(db.engine, "after_cursor_execute", _after_statement)
