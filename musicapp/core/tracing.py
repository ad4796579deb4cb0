"""The ids that follow work: from a request to the jobs it adds, from a job to the mail it sends. Log lines carry them.

A request has an id, made here or by the proxy in front; `jobs.services.add` keeps it in the job's row, and the worker
takes it up again. So one number finds everything that one press of a button set going.
"""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, has_request_context, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger("musicapp.access")

QUIET_PATHS = ("/static/", "/assets/", "/healthz", "/readyz", "/metrics")
"""Asked for all day by browsers, balancers and Prometheus; they get a line only when they fail."""
REQUEST_ID_CHARACTERS = 64

_SEEN_BY_FLASK = "musicapp.seen_by_flask"
_FROM_PROXY = re.compile(rf"[A-Za-z0-9._-]{{8,{REQUEST_ID_CHARACTERS}}}")
_GOES_ON = re.compile(r"bytes=[1-9]\d*-")
_ids: ContextVar[dict[str, Any]] = ContextVar("musicapp_ids", default={})  # noqa: B039 - nobody writes into it


@contextmanager
def traced(**ids: Any) -> Iterator[None]:
    """Log lines written inside carry these ids beside those from around it; None leaves one out."""
    held = {**_ids.get(), **{name: value for name, value in ids.items() if value is not None}}
    token = _ids.set(held)
    try:
        yield
    finally:
        # A thread of gevent's that began in a request keeps a copy of its context for ever; it must not keep its id.
        held.clear()
        _ids.reset(token)


def trace_ids() -> dict[str, Any]:
    """What the present work is known by: request_id, task_id, job_id, …, and user_id where somebody is signed in."""
    found = dict(_ids.get())
    if has_request_context() and found:
        viewer_id = getattr(g.get("_login_user"), "id", None)
        if viewer_id is not None:
            found["user_id"] = viewer_id
    return found


def request_id() -> str | None:
    """The number of the request that the present work goes back to."""
    found: str | None = _ids.get().get("request_id")
    return found


class Tracing:
    """WSGI middleware around everything: gives each request its id and writes its one line when the answer begins."""

    def __init__(self, app: Flask, onward: WSGIApplication) -> None:
        self._onward = onward
        self._believes_proxy = bool(app.config["TRUSTED_PROXY_COUNT"])

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        began = time.monotonic()
        sent = environ.get("HTTP_X_REQUEST_ID", "")
        own_id = sent if self._believes_proxy and _FROM_PROXY.fullmatch(sent) else secrets.token_hex(8)
        status = 500

        def start(line: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, [*headers, ("X-Request-ID", own_id)], *error)

        with traced(request_id=own_id):
            try:
                return self._onward(environ, start)
            finally:
                if log.isEnabledFor(logging.INFO) and _deserves_a_line(environ, status):
                    _write_line(environ, status, round((time.monotonic() - began) * 1000))


def _deserves_a_line(environ: WSGIEnvironment, status: int) -> bool:
    if status >= 500:
        return True
    # A player asks for a track in many ranges; the one that begins at its beginning stands for all of them.
    goes_on = _GOES_ON.match(environ.get("HTTP_RANGE", ""))
    return not goes_on and not environ.get("PATH_INFO", "").startswith(QUIET_PATHS)


def _write_line(environ: WSGIEnvironment, status: int, ms: int) -> None:
    method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
    said = {"method": method, "path": path, "status": status, "ms": ms, **environ.get(_SEEN_BY_FLASK, {})}
    level = logging.WARNING if status >= 500 else logging.INFO
    log.log(level, "%s %s %d %d ms", method, path, status, ms, extra=said)


def _note_for_line(response: Response) -> Response:
    seen = request.environ[_SEEN_BY_FLASK] = {}
    if request.url_rule is not None:
        seen["route"] = request.url_rule.rule
    viewer_id = getattr(g.get("_login_user"), "id", None)
    if viewer_id is not None:
        seen["user_id"] = viewer_id
    return response


def init_tracing(app: Flask) -> None:
    """Puts the middleware around all others, so it is called last by the app factory."""
    app.after_request(_note_for_line)
    app.wsgi_app = Tracing(app, app.wsgi_app)  # type: ignore[method-assign]
