"""Sentry by a setting: a real process, and a local web server in Sentry's place."""

from __future__ import annotations

import gzip
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brotli
import pytest

from tests.servers import REPOSITORY

BREAK = """
import sys
from wsgi import app
assert ("sentry_sdk" in sys.modules) == bool(app.config["SENTRY_DSN"]), "it is loaded when it is wanted"
if app.config["SENTRY_DSN"]:
    from musicapp.core.security import public
    @app.get("/x/reset/<token>")
    @public
    def broken(token):
        password = "hunter-2"
        raise ZeroDivisionError(f"no album at /reset/{token} of redis://:hunter-2@host")
    headers = {"Authorization": "Bearer hunter-2", "User-Agent": "browser of alice@example.org"}
    client = app.test_client()
    client.set_cookie("session", "hunter-2")
    answer = client.get("/x/reset/hunter-2?key=hunter-2", headers=headers)
    print(answer.status_code, answer.headers["X-Request-ID"])
    import sentry_sdk
    sentry_sdk.flush(10)
"""


UNPACK: dict[str | None, Callable[[bytes], bytes]] = {"gzip": gzip.decompress, "br": brotli.decompress}


class Sentry:
    """Takes envelopes as Sentry does, and keeps their events."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.raw = ""
        kept = self

        class Door(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                packed = self.headers.get("Content-Encoding")
                if packed in UNPACK:
                    body = UNPACK[packed](body)
                kept.raw += body.decode()
                found = [json.loads(line) for line in body.splitlines() if line.startswith(b"{")]
                kept.events += [each for each in found if "exception" in each]
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = http.server.HTTPServer(("127.0.0.1", 0), Door)
        self.dsn = f"http://publickey@127.0.0.1:{self.server.server_port}/42"


@pytest.fixture
def sentry() -> Iterator[Sentry]:
    sentry = Sentry()
    thread = threading.Thread(target=sentry.server.serve_forever)
    thread.start()
    yield sentry
    sentry.server.shutdown()
    thread.join()
    sentry.server.server_close()


def run(folder: Path, dsn: str) -> str:
    environ = {"INSTANCE_PATH": str(folder), "SECRET_KEY": "x", "SENTRY_DSN": dsn, "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", BREAK], cwd=REPOSITORY, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_error_reaches_sentry_with_its_number_and_nothing_of_the_person(sentry: Sentry, tmp_path: Path) -> None:
    status, number = run(tmp_path, sentry.dsn).split()
    assert status == "500"
    (event,) = sentry.events
    assert event["exception"]["values"][-1]["type"] == "ZeroDivisionError"
    assert event["release"].startswith("musicapp@0.")
    assert event["tags"]["request_id"] == number
    assert set(event["request"]) == {"method", "url"}
    assert "hunter-2" not in sentry.raw
    assert "alice" not in sentry.raw


def test_without_the_setting_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    assert run(tmp_path, "") == ""
