"""A whole musicapp on a filled database, as `make run` starts it: gunicorn's two processes and a Redis of its own."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from flask import Flask

from bench.databases import Database, databases
from bench.library import make_library
from bench.library_music import Size
from bench.live_subjects import ADDRESS, START_SECONDS, answers, free_port, program, redis_server, wait_for
from musicapp import create_app
from musicapp.accounts.services import open_session
from musicapp.core.db import db

PROCESSES = 2
LONGEST_S = 120
SECRET_KEY = "bench"


@contextmanager
def filled_databases(folder: Path, wanted: str, scale: float, *, is_shared: bool = True) -> Iterator[list[Database]]:
    """Databases with the library in them. BENCH_FOLDER keeps those that are shared from one bench to the next."""
    kept = Path((is_shared and os.environ.get("BENCH_FOLDER")) or folder)
    kept.mkdir(parents=True, exist_ok=True)
    with databases(kept, wanted) as found:
        for database in found:
            mark = kept / f"filled-{database.name}-{scale}"
            if not mark.exists():
                print(f"filling {database.name} …", file=sys.stderr)
                make_library(database.url, kept / "instance", Size.of(scale))
                mark.touch()
        yield found


@dataclass(slots=True)
class Served:
    """A running site. `environ` makes an app of this process that is the same site."""

    port: int
    environ: dict[str, str]
    gunicorn: psutil.Process
    _kept: dict[str, http.client.HTTPConnection] = field(default_factory=dict)

    def get(self, path: str, cookie: str = "") -> tuple[float, bytes]:
        """(milliseconds, body) of one page on a connection that stays open. Raises RuntimeError unless it is a 200."""
        connection = self._kept.get(cookie)
        if connection is None:
            connection = self._kept[cookie] = http.client.HTTPConnection(ADDRESS, self.port, timeout=LONGEST_S)
        headers = {"Accept": "text/html"} | ({"Cookie": cookie} if cookie else {})
        for attempt in (1, 2):
            began = time.perf_counter()
            try:
                connection.request("GET", path, headers=headers)
                answer = connection.getresponse()
                body = answer.read()
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # Idle for longer than gunicorn's keepalive.
                connection.close()
                if attempt == 2:
                    raise
                continue
            taken_ms = (time.perf_counter() - began) * 1000
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}: {body[:500]!r}")
            return taken_ms, body
        raise AssertionError("unreachable")

    def close(self) -> None:
        for connection in self._kept.values():
            connection.close()


def is_up(port: int) -> bool:
    """Whether a process has the app loaded: until then connections wait."""
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=LONGEST_S)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def served(database: Database, folder: Path, **settings: str) -> Iterator[Served]:
    """Starts the site on the database; `settings` are environment variables over the defaults."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        redis_url, _redis = stack.enter_context(redis_server(folder))
        port = free_port()
        environ = {
            "INSTANCE_PATH": str(folder / "instance"),
            "DATABASE_URL": database.url,
            "REDIS_URL": redis_url,
            "SECRET_KEY": SECRET_KEY,
            "RATE_LIMITS": "false",
            "SITE_URL": f"http://{ADDRESS}:{port}",
            "HOST": ADDRESS,
            "PORT": str(port),
            **settings,
        }
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--workers", str(PROCESSES)]
        gunicorn = stack.enter_context(program([*command, "wsgi:app"], folder, **environ))
        wait_for(lambda: len(gunicorn.children()) == PROCESSES and answers(port), START_SECONDS, "gunicorn")
        site = Served(port, environ, gunicorn)
        wait_for(lambda: is_up(port), LONGEST_S, "the site")
        stack.callback(site.close)
        yield site


@contextmanager
def app_of(environ: Mapping[str, str]) -> Iterator[Flask]:
    """The same site's app in this process."""
    app = create_app(environ)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


def cookie_of(app: Flask, user_id: int) -> str:
    """The Cookie header of a browser that is signed in, good for every site on the same database."""
    with app.app_context():
        token = open_session(user_id, device="bench", ip_address=ADDRESS)
        db.session.commit()
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"] = token
        session["_fresh"] = True
    cookie = client.get_cookie(app.config["SESSION_COOKIE_NAME"], domain="127.0.0.1") or client.get_cookie(
        app.config["SESSION_COOKIE_NAME"]
    )
    assert cookie is not None
    return f"{cookie.key}={cookie.value}"
