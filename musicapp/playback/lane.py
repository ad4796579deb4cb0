"""The short way to a stream, before Flask, for what anybody may hear.

A player asks for its track in many small ranges, and Flask's way to a view, with session, hooks and response, costs
five times as much as looking up the rights and choosing the file. So requests for published tracks are answered here,
by the same functions that routes.py uses. Everything else goes on to Flask: drafts, sites that want a sign-in, what
can't be found or played.

The price: Flask's before_request and after_request functions don't see these requests.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from musicapp.core.db import db
from musicapp.core.measuring import ROUTE
from musicapp.core.security import FIXED_HEADERS
from musicapp.core.storage import FolderStore
from musicapp.playback.files import NoFileError
from musicapp.playback.queries import stored_track_of
from musicapp.playback.sending import Reply, file_for, reply

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

FOUND_TRACK = "musicapp.found_track"
"""Where the environment says which track the lane has just found, so that the view need not ask again."""

_RULE = ("/tracks/<track_id>/stream", None)
_STREAM = re.compile(r"/tracks/([1-9][0-9]{0,8})/stream")
_STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class StreamLane:
    """WSGI middleware around a Flask app's wsgi_app."""

    def __init__(self, app: Flask, onward: WSGIApplication) -> None:
        self._config = app.config
        self._onward = onward
        self._folder: FolderStore = app.extensions["store"]
        with app.app_context():
            self._engine: Engine = db.engine

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        match = _STREAM.fullmatch(environ.get("PATH_INFO", ""))
        found = self._reply(environ, int(match.group(1))) if match else None
        if found is None:
            return self._onward(environ, start_response)
        environ[ROUTE] = _RULE
        present = {name for name, _ in found.headers}
        headers = found.headers + [header for header in FIXED_HEADERS if header[0] not in present]
        start_response(_STATUS_LINES[found.status], headers)
        return found.body or ()

    def _reply(self, environ: WSGIEnvironment, track_id: int) -> Reply | None:
        if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or not self._config["PUBLIC_LISTENING"]:
            return None
        try:
            track = stored_track_of(self._engine, track_id)
        except (OperationalError, PoolTimeoutError):
            return None  # the view has the words for it
        environ[FOUND_TRACK] = track
        if track is None or not track.is_published:
            return None
        by_nginx: bool = self._config["USE_X_ACCEL_REDIRECT"]
        try:
            stored = file_for(environ, track, self._folder, by_nginx=by_nginx)
            return reply(environ, stored, self._folder, by_nginx=by_nginx)
        except (NoFileError, ValueError, FileNotFoundError):
            # The view finds another file, or the words.
            return None


def init_lane(app: Flask) -> None:
    app.wsgi_app = StreamLane(app, app.wsgi_app)  # type: ignore[method-assign]
