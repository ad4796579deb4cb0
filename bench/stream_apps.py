"""The yardsticks of bench/stream.py that run under gunicorn: the least that a program in musicapp's place could do."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask, Response, abort
from werkzeug.utils import send_file

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

FILE = os.environ["BENCH_FILE"]


def bare_send_file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Werkzeug's send_file with conditions and ranges, nothing around it: no framework, no rights, no database."""
    response = send_file(FILE, environ, mimetype="audio/mpeg", conditional=True)
    return response(environ, start_response)


def bare_check() -> Flask:
    """Flask, one raw query for the rights, one header."""
    app = Flask("bare-check")
    database = sqlite3.connect(os.environ["BENCH_DATABASE"], check_same_thread=False)

    @app.get("/tracks/<int:track_id>/stream")
    def stream(track_id: int) -> Response:
        row = database.execute(
            "SELECT renditions.key FROM tracks JOIN albums ON albums.id = tracks.album_id "
            "JOIN renditions ON renditions.track_id = tracks.id "
            "WHERE tracks.id = ? AND albums.published_at IS NOT NULL",
            (track_id,),
        ).fetchone()
        if row is None:
            abort(404)
        return Response(headers={"X-Accel-Redirect": f"/_media/{row[0]}", "Content-Type": "audio/mpeg"})

    return app


app = bare_check() if os.environ["BENCH_SUBJECT"] == "check" else bare_send_file
