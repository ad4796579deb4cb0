"""The one Pub/Sub connection of a web process: hears every update in the log's order, without a gap."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from musicapp.live.log import Cursor, CursorLostError, LiveLog, LiveUpdate, parse_message

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # how often it looks whether it shall stop
PING_SECONDS = 10.0
SILENT_SECONDS = 30.0  # three unanswered pings: the connection is half open
_BACKOFF_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0)


class Listener:
    """Calls `hear(update)` for each update; `caught_up()` when it hears everything up to now; `lost(last)` when
    it can't be known what was missed. All three are called from its own thread."""

    def __init__(
        self,
        new_client: Callable[[], Redis],
        log: LiveLog,
        hear: Callable[[LiveUpdate], None],
        caught_up: Callable[[Cursor], None],
        lost: Callable[[Cursor], None],
    ) -> None:
        self._new_client = new_client
        self._log = log
        self._hear = hear
        self._caught_up = caught_up
        self._lost = lost
        self._heard: Cursor | None = None
        self._from_log: Cursor | None = None  # Pub/Sub repeats what was read up to here
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="live-listener", daemon=True)
        self.connected = False

    @property
    def heard(self) -> Cursor | None:
        """The latest logged update that came in, or where the log ended when listening began."""
        return self._heard

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """It ends within a second."""
        self._stopped = True

    def wait_until_stopped(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        failures = 0
        while not self._stopped:
            client = self._new_client()
            try:
                for message in self._messages(client):
                    failures = 0
                    self._accept(message)
            except (RedisError, OSError) as error:
                if self.connected or not failures:
                    logger.warning("The live channel lost Redis and tries again: %s", error)
                failures += 1
            except Exception:
                # Whatever it was: a deaf process would look healthy.
                logger.exception("The live channel starts anew.")
                failures += 1
            finally:
                self.connected = False
                client.close()
            if not self._stopped:
                wait = _BACKOFF_SECONDS[min(failures, len(_BACKOFF_SECONDS)) - 1]
                time.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - processes shouldn't come back at once

    def _messages(self, client: Redis) -> Any:
        """Yields redis-py's messages until the connection breaks, which raises."""
        connection: Any = client.pubsub()  # type: ignore[no-untyped-call]
        with connection as pubsub:
            pubsub.subscribe(self._log.channel)
            pinged_at = heard_at = time.monotonic()
            while not self._stopped:
                message = pubsub.get_message(timeout=LOOK_SECONDS)
                now = time.monotonic()
                if message:
                    heard_at = now
                    yield message
                elif now - heard_at > SILENT_SECONDS:
                    raise RedisConnectionError(f"no answer for {SILENT_SECONDS:.0f} s")
                elif now - pinged_at > PING_SECONDS:
                    pinged_at = now
                    pubsub.ping()

    def _accept(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            # Also when redis-py subscribed again by itself: there was a gap.
            self._catch_up()
        elif message["type"] == "message":
            try:
                update = parse_message(message["data"])
            except (ValueError, KeyError, TypeError):
                logger.exception("Not a live update: %r", message["data"][:200])
                return
            self._pass_on(update)

    def _pass_on(self, update: LiveUpdate) -> None:
        if update.cursor is not None:
            if self._heard is not None and update.cursor <= self._heard:
                if self._from_log is None or update.cursor > self._from_log:
                    self._catch_up()  # ids went back: another log began
                return
            self._heard = update.cursor
        self._hear(update)

    def _catch_up(self) -> None:
        if self._heard is None:
            self._heard = self._log.last()
        else:
            try:
                for update in self._log.since(self._heard, self._log.max_entries * 2):
                    self._heard = update.cursor
                    self._hear(update)
            except CursorLostError as lost:
                self._heard = lost.last
                self._lost(lost.last)
        self._from_log = self._heard
        self.connected = True
        assert self._heard is not None
        self._caught_up(self._heard)
