"""Sends live updates after the commit, and keeps what Redis couldn't take until it is back."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction

from musicapp.core.redis import new_redis_client
from musicapp.live.log import EVERYTHING, RESYNC, RIGHTS, LiveLog, LiveUpdate

logger = logging.getLogger(__name__)

_NOTED = "live_noted"
BACKLOG_FRAGMENTS = 1000
QUIET_SECONDS = 1.0
"""How long nobody asks a Redis that has just failed."""
_RETRY_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0)


def live_log(app: Flask) -> LiveLog:
    """The log with a client of its own: one try on a connection that has died, 0.2 s at most for each answer."""
    client: Redis = new_redis_client(
        app.config["REDIS_URL"],
        socket_timeout=0.2,
        socket_connect_timeout=0.2,
        retry=Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
    )
    return LiveLog(client)


class Publisher:
    """One per process. Its methods never raise for a Redis that is away."""

    def __init__(self, log: LiveLog) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._backlog: dict[tuple[str, str, int], LiveUpdate] = {}
        self._sender: threading.Thread | None = None
        self._ask_again_at = 0.0

    def send(self, updates: Iterable[LiveUpdate], *, logged: bool = True) -> None:
        """Publishes; logged updates that can't be sent are kept and sent, in order, when Redis is back.

        What is kept dies with the process: the pages it would have changed are right when they are next fetched.
        """
        updates = list(updates)
        if not updates:
            return
        if self._backlog or time.monotonic() < self._ask_again_at:
            if logged:
                self._keep(updates)
            return
        try:
            self._log.append(updates, logged=logged)
        except RedisError as error:
            self._mark_away(error)
            if logged:
                self._keep(updates)

    def cursor(self) -> str:
        """Where the log ends now; "" when Redis is away."""
        if time.monotonic() < self._ask_again_at:
            return ""
        try:
            return str(self._log.last())
        except RedisError as error:
            self._mark_away(error)
            return ""

    def close(self) -> None:
        """For tests and programs that end their app but go on themselves: gives the connections back."""
        self._log.client.close()

    def _mark_away(self, error: RedisError) -> None:
        # Said once per outage: each failure comes after a success or at least a second of silence.
        if time.monotonic() > self._ask_again_at + 10 * QUIET_SECONDS:
            logger.warning("Redis is away; live updates wait until it is back: %s", error)
        self._ask_again_at = time.monotonic() + QUIET_SECONDS

    def _keep(self, updates: list[LiveUpdate]) -> None:
        with self._lock:
            for update in updates:
                self._backlog.pop(update.fragment_key, None)
                self._backlog[update.fragment_key] = update
            if len(self._backlog) > BACKLOG_FRAGMENTS:
                # Cheaper for everybody than a thousand fragments, and of a fixed size.
                everything = LiveUpdate(EVERYTHING, RESYNC, 0)
                kept = [update for update in self._backlog.values() if update.kind == RIGHTS]
                self._backlog = {update.fragment_key: update for update in [*kept, everything]}
            if self._sender is None or not self._sender.is_alive():
                self._sender = threading.Thread(target=self._send_backlog, name="live-backlog", daemon=True)
                self._sender.start()

    def _send_backlog(self) -> None:
        failures = 0
        while True:
            time.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])
            with self._lock:
                waiting = list(self._backlog.values())
            try:
                self._log.append(waiting)
            except RedisError:
                failures += 1
                continue
            with self._lock:
                # Kept meanwhile: the same fragments again are newer than what was sent.
                for update in waiting:
                    if self._backlog.get(update.fragment_key) is update:
                        del self._backlog[update.fragment_key]
                if not self._backlog:
                    self._sender = None
                    self._ask_again_at = 0.0
                    return
            failures = 0


def publisher() -> Publisher:
    """The current app's publisher."""
    extensions = current_app.extensions
    if "live_publisher" not in extensions:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        extensions["live_publisher"] = Publisher(live_log(app))
    made: Publisher = extensions["live_publisher"]
    return made


class _Noted:
    """What a session's transaction will publish: each fragment once, with the savepoint it was noted in."""

    def __init__(self, sender: Publisher) -> None:
        self.sender = sender
        self.updates: dict[LiveUpdate, SessionTransaction | None] = {}

    def forget(self, savepoint: SessionTransaction) -> None:
        self.updates = {update: inside for update, inside in self.updates.items() if not _within(inside, savepoint)}


def _within(inside: SessionTransaction | None, savepoint: SessionTransaction) -> bool:
    while inside is not None:
        if inside is savepoint:
            return True
        inside = inside.parent
    return False


def remember(session: Session, update: LiveUpdate) -> None:
    """Publishes `update` when the session's outermost transaction commits; a rollback forgets it."""
    noted: _Noted = session.info.setdefault(_NOTED, _Noted(publisher()))
    noted.updates.setdefault(update, session.get_nested_transaction())


# On the class: whatever session a room uses. Sessions that noted nothing pay for one look into a dict.
@event.listens_for(Session, "after_commit")
def _send_noted(session: Session) -> None:
    # SQLAlchemy calls this for a released savepoint too.
    if _NOTED in session.info and not session.in_nested_transaction():
        noted: _Noted = session.info.pop(_NOTED)
        noted.sender.send(noted.updates)


@event.listens_for(Session, "after_soft_rollback")
def _forget_savepoint(session: Session, previous_transaction: SessionTransaction) -> None:
    if _NOTED in session.info and previous_transaction.nested:
        session.info[_NOTED].forget(previous_transaction)


@event.listens_for(Session, "after_transaction_end")
def _forget_rest(session: Session, transaction: SessionTransaction) -> None:
    # A rollback, or a session closed without a commit: SQLAlchemy says nothing else about the latter.
    if transaction.parent is None:
        session.info.pop(_NOTED, None)
