"""A process that ends at a chosen point of its work as by kill -9, and the process beside it that looks on.

Points are where something reaches the outside: just before a commit, just after it and before its effects, before a
file is renamed or removed, before ffmpeg starts and before each line of SMTP. What happens between two of them leaves
no trace, so a kill there is one of these.
"""

from __future__ import annotations

import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from flask import Flask
from kombu import pools
from sqlalchemy import event

from musicapp.core.db import db

T = TypeVar("T")
KILLED = 9
HEARD = frozenset({"os.rename", "os.remove", "subprocess.Popen", "smtplib.send"})
"""Audit events of Python's own, raised before the act."""


class Killed(Exception):  # noqa: N818 - what the test wants
    """The process ended at its point, which is named."""


def in_process(app: Flask, work: Callable[[], T]) -> T:
    """What `work` returns in a forked process with the app's context. No connection may be open here: let_go().

    Raises Killed where it ended at a point, AssertionError with its traceback where it failed.
    """
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _be_child(app, work, writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as said:
        answer = said.read()
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) == KILLED:
        raise Killed(answer.decode())
    is_well, result = pickle.loads(answer)
    assert is_well, result
    return result  # type: ignore[no-any-return]


def let_go(app: Flask) -> None:
    """Closes what the app has open to Redis; the database's connections are disposed of in its context."""
    app.extensions["redis"].connection_pool.disconnect()
    if "live_publisher" in app.extensions:
        app.extensions.pop("live_publisher").close()
    celery = app.extensions["celery"]
    celery.pool.force_close_all()
    celery._after_fork()
    pools.reset()  # type: ignore[no-untyped-call]


_says: list[int] = []


def _be_child(app: Flask, work: Callable[[], Any], writer: int) -> NoReturn:
    _says.append(writer)
    try:
        with app.app_context():
            answer = pickle.dumps((True, work()))
            db.session.remove()
            db.engine.dispose()
    except BaseException:
        answer = pickle.dumps((False, traceback.format_exc()))
    with os.fdopen(writer, "wb") as out:
        out.write(answer)
    os._exit(0)


class Points:
    """Counts the points that this process passes from now on, and ends it at the `fatal` one."""

    def __init__(self, fatal: int, *, everywhere: bool) -> None:
        self.left = fatal
        event.listen(db.engine, "commit", lambda _connection: self._pass("before a commit"))
        # Before the listener that runs effects: tickets and live updates are lost with the process.
        event.listen(db.session, "after_commit", self._committed, insert=True)
        if everywhere:
            sys.addaudithook(self._hear)

    def _committed(self, session: Any) -> None:
        if not session.in_nested_transaction():
            self._pass("after a commit")

    def _hear(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name in HEARD:
            self._pass(f"before {name} {arguments}")

    def _pass(self, name: str) -> None:
        if threading.current_thread() is not threading.main_thread():  # the heart
            return
        self.left -= 1
        if self.left == 0:
            os.write(_says[-1], name.encode()[:2000])
            os._exit(KILLED)
