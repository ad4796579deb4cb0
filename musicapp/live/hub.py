"""One hub per web process: hears every update once, merges bursts, renders once, wakes the streams.

Frames leave in the order of their cursors, and each cursor says that everything before it is in the frames before
it, or in a later one of the same fragment. So a page that reconnects with the last id it saw misses nothing.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from itertools import count

from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from musicapp.core.redis import new_redis_client
from musicapp.live import presence
from musicapp.live.figures import LiveFigures
from musicapp.live.listener import Listener
from musicapp.live.log import EVERYTHING, RESYNC, RIGHTS, Cursor, CursorLostError, LiveLog, LiveUpdate
from musicapp.live.merging import Merger
from musicapp.live.publisher import live_log
from musicapp.live.registry import Registry, declared
from musicapp.live.rendering import FragmentRenderer
from musicapp.live.ring import Frame, Ring, Stream

logger = logging.getLogger(__name__)

MERGE_SECONDS = 0.1
"""A fragment that changes again so soon waits, and is rendered once for all changes in between."""
PERCENT_SECONDS = 0.25
BEAT_SECONDS = 15
BATCH_FRAGMENTS = 64  # rendered in one go: about 20 ms in which nobody hears anything
REPLAY_ENTRIES = 2000
REPLAY_FRAGMENTS = 200
"""A page that missed more fetches itself again: that's one query and one rendering."""
WAKE_AT_ONCE = 256
"""Streams woken before others get their turn: about 2 ms."""


class Hub:
    """Streams join and leave from requests; everything else happens in its pump thread (a greenlet under gevent)."""

    def __init__(
        self,
        app: Flask,
        registry: Registry = declared,
        *,
        merge_seconds: float = MERGE_SECONDS,
        percent_seconds: float = PERCENT_SECONDS,
        beat_seconds: int = BEAT_SECONDS,
        ring: Ring | None = None,
    ) -> None:
        self._app = app
        self._log: LiveLog = live_log(app)
        self._ring = ring or Ring()
        self._renderer = FragmentRenderer(app, registry)
        self._beat_seconds = beat_seconds
        self.registry = registry
        self.figures = LiveFigures()
        self.listener = Listener(self._new_client, self._log, self._heard, self._caught_up, self._lost)

        # Held while streams or frames are added, never while waiting or rendering.
        self._lock = threading.Lock()
        self._streams: dict[Stream, int] = {}  # -> its group of heartbeats
        self._by_topic: dict[str, set[Stream]] = {}
        self._by_user: Counter[int] = Counter()
        self._by_group: list[set[Stream]] = [set() for _ in range(beat_seconds)]
        self._groups = count()
        self._waiting: dict[Stream, tuple[Cursor | None, bool]] = {}  # for Redis, to learn what they missed
        self._thread: threading.Thread | None = None
        self._stopped = False
        self.rights_changes = 0

        # Only the pump touches these; other threads put work into the inbox.
        self._inbox: deque[Callable[[], None]] = deque()
        self._bell = threading.Event()
        self._merger = Merger(merge_seconds, percent_seconds)
        self._next_beat_at = time.monotonic()
        self._beats = count()

    # -- life

    def start(self) -> None:
        """Begins to listen, once; called by the first stream, hence in the process that serves it."""
        with self._lock:
            if self._thread or self._stopped:
                return
            self._thread = threading.Thread(target=self._pump, name="live-hub", daemon=True)
        self._thread.start()
        self.listener.start()

    def stop(self) -> None:
        """Closes all streams, so that their pages connect to another process."""
        self._stopped = True
        self.listener.stop()
        self._bell.set()
        self._close(list(self._streams))

    def wait_until_stopped(self) -> None:
        """For tests: after `stop`, nothing of the hub runs any more and its connections are closed."""
        if self._thread:
            self._thread.join()
            self.listener.wait_until_stopped()
        self._log.client.close()

    @property
    def stream_count(self) -> int:
        return len(self._streams)

    def streams_of(self, user_id: int) -> int:
        """How many streams this user has open here."""
        return self._by_user[user_id]

    # -- streams

    def add(self, stream: Stream, rights_changes: int | None = None) -> None:
        """Frames begin to gather for the stream. `join` lets them out.

        `rights_changes` is the hub's count from before the viewer's rights were read: when they changed meanwhile,
        the stream is closed, and its page asks again.
        """
        with self._lock:
            group = next(self._groups) % self._beat_seconds
            self._streams[stream] = group
            self._by_group[group].add(stream)
            for topic in stream.topics:
                self._by_topic.setdefault(topic, set()).add(stream)
            if stream.user_id is not None:
                self._by_user[stream.user_id] += 1
            self.figures.opened += 1
            stream.attach(self._ring)
            stream.on_close = self._remove
            refused = self._stopped or (rights_changes is not None and rights_changes != self.rights_changes)
        self.start()
        if refused:
            stream.close()
        else:
            self._tell(lambda: self._note_here([stream]))

    def join(self, stream: Stream, after: Cursor | None, *, replays: bool = True) -> None:
        """Sends what the stream missed since `after`, then it is live.

        `after` None: its page doesn't know where it stands and fetches itself again. `replays=False`: it wants
        nothing from the past. Redis away and the ring too short: the stream waits, and hears all when Redis is back.
        """
        if not replays and self._ring.last is not None:
            stream.join([], None)
            return
        try:
            missed, reached = self._missed(stream, after)
        except CursorLostError:
            self.figures.resyncs += 1
            stream.resync()
        except RedisError:
            with self._lock:
                if stream in self._streams:
                    self._waiting[stream] = after, replays
        else:
            self.figures.replays += bool(missed)
            stream.join(missed, reached)

    def _remove(self, stream: Stream) -> None:
        with self._lock:
            group = self._streams.pop(stream, None)
            if group is None:
                return
            self._by_group[group].discard(stream)
            self._waiting.pop(stream, None)
            for topic in stream.topics:
                hearing = self._by_topic.get(topic, set())
                hearing.discard(stream)
                if not hearing:
                    self._by_topic.pop(topic, None)
            if stream.user_id is not None:
                self._by_user[stream.user_id] -= 1
                if not self._by_user[stream.user_id]:
                    del self._by_user[stream.user_id]

    def _missed(self, stream: Stream, after: Cursor | None) -> tuple[list[bytes], Cursor]:
        """The frames since `after` and the cursor they reach. Raises CursorLostError, RedisError."""
        with self._lock:
            last = self._ring.last
            frames = self._ring.after(after, stream.topics) if after and last else None
        if last is None:
            raise RedisError("the hub has not heard from Redis yet")
        if after is None:
            raise CursorLostError(last)
        if frames is not None and (heard := self.listener.heard) and after > heard and self.listener.connected:
            # From a page made a moment ago, or from a log that is gone.
            if after > (end := self._log.last()):
                raise CursorLostError(end)
            return [], after
        if frames is not None:
            if len(frames) > REPLAY_FRAGMENTS:
                raise CursorLostError(last)
            self._fill(frames)
            return [frame.data for frame in frames if frame.data], max(after, last)
        return self._missed_in_log(stream, after)

    def _missed_in_log(self, stream: Stream, after: Cursor) -> tuple[list[bytes], Cursor]:
        updates = self._log.since(after, REPLAY_ENTRIES)
        latest: OrderedDict[tuple[str, str, int], LiveUpdate] = OrderedDict()
        for update in updates:
            assert update.cursor is not None
            if update.kind == RIGHTS and _concerns(update, stream):
                stream.close()
            if update.kind == RESYNC:
                raise CursorLostError(updates[-1].cursor or update.cursor)
            if update.topic in stream.topics:
                latest[update.fragment_key] = update
                latest.move_to_end(update.fragment_key)
            after = update.cursor
        if len(latest) > REPLAY_FRAGMENTS:
            raise CursorLostError(after)
        return self._renderer.frames(latest.values()), after

    def _fill(self, frames: Iterable[Frame]) -> None:
        """Renders the frames that nobody heard when they came."""
        empty = [frame for frame in frames if frame.data is None]
        if empty:
            for frame, rendered in zip(empty, self._renderer.frames([f.update for f in empty]), strict=True):
                with self._lock:
                    self._ring.fill(frame, rendered)

    # -- from the listener's thread

    def _heard(self, update: LiveUpdate) -> None:
        self._tell(lambda: self._take(update))

    def _caught_up(self, last: Cursor) -> None:
        self._tell(lambda: self._go_on(last))

    def _lost(self, last: Cursor) -> None:
        self._tell(lambda: self._begin_anew(last))

    def _tell(self, work: Callable[[], None]) -> None:
        self._inbox.append(work)
        self._bell.set()

    # -- the pump

    def _pump(self) -> None:
        while not self._stopped:
            self._bell.wait(self._seconds_to_wait())
            self._bell.clear()
            try:
                while self._inbox:
                    self._inbox.popleft()()
                self._send_due()
                if time.monotonic() >= self._next_beat_at:
                    self._beat()
            except Exception:
                # Without the pump every page would stand still though all looks well.
                logger.exception("The live hub goes on after an error.")

    def _seconds_to_wait(self) -> float:
        due_at = self._merger.next_due_at()
        until = self._next_beat_at if due_at is None else min(due_at, self._next_beat_at)
        return max(0.0, until - time.monotonic())

    def _take(self, update: LiveUpdate) -> None:
        self.figures.events += 1
        if update.kind == RIGHTS:
            self.rights_changes += 1
            self._close([stream for stream in list(self._streams) if _concerns(update, stream)])
        elif update.kind == RESYNC:
            self._resync(list(self._streams))
        else:
            self._merger.add(update)

    def _go_on(self, last: Cursor) -> None:
        with self._lock:
            if self._ring.last is None:
                self._ring.reset(last)
            waiting, self._waiting = self._waiting, {}
        for stream, (after, replays) in waiting.items():
            self.join(stream, after, replays=replays)

    def _begin_anew(self, last: Cursor) -> None:
        self._merger.clear()
        with self._lock:
            self._ring.reset(last)
            self._waiting.clear()
        streams = list(self._streams)
        self._resync(streams)
        # Rights may have changed in what nobody can know.
        self._close(streams)

    def _send_due(self) -> None:
        while updates := self._merger.due(time.monotonic(), BATCH_FRAGMENTS):
            self._send(updates)

    def _send(self, updates: list[LiveUpdate]) -> None:
        frames = [Frame(update, None) for update in updates]
        while True:
            with self._lock:
                # Someone may have come while the others' fragments were rendered.
                wanted = [f for f in frames if f.data is None and f.update.topic in self._by_topic]
                if not wanted:
                    hearing = self._append(frames)
                    break
            for frame, rendered in zip(wanted, self._renderer.frames([f.update for f in wanted]), strict=True):
                frame.data = rendered
        self._wake(hearing)

    def _append(self, frames: list[Frame]) -> list[Stream]:
        """Puts the frames into the ring and returns the streams that hear one of them. The lock is held."""
        hearing: dict[Stream, None] = {}
        for frame in frames:
            number = self._ring.append(frame)
            if frame.data:
                for stream in self._by_topic.get(frame.update.topic, ()):
                    stream.mark(number)
                    hearing[stream] = None
        return list(hearing)

    def _wake(self, streams: list[Stream]) -> None:
        self.figures.sent += len(streams)
        for number, stream in enumerate(streams, 1):
            if not stream.closed:
                stream.wake()
            if number % WAKE_AT_ONCE == 0:
                time.sleep(0)  # requests and the listener get their turn

    def _resync(self, streams: list[Stream]) -> None:
        self.figures.resyncs += len(streams)
        for stream in streams:
            stream.resync()

    def _close(self, streams: list[Stream]) -> None:
        for stream in streams:
            stream.close()

    def _beat(self) -> None:
        """Once a second one group of streams hears that it is alive, so that not all are written to at once."""
        self._next_beat_at = time.monotonic() + 1.0
        worker = self._app.extensions.get("gunicorn_worker")
        if worker is not None and not worker.alive:
            self.stop()
            return
        with self._lock:
            streams = list(self._by_group[next(self._beats) % self._beat_seconds])
        self._note_here(streams)
        for number, stream in enumerate(streams, 1):
            stream.beat()
            if number % WAKE_AT_ONCE == 0:
                time.sleep(0)

    def _note_here(self, streams: Iterable[Stream]) -> None:
        """Says whose pages are open. Without Redis nobody asks."""
        user_ids = {stream.user_id for stream in streams if stream.user_id is not None}
        if user_ids and self.listener.connected:
            try:
                presence.note_here(self._log.client, user_ids)
            except RedisError as error:
                logger.debug("whose pages are open is not known: %s", error)

    def _new_client(self) -> Redis:
        # No retry: redis-py would reconnect in silence, and what was published meanwhile would be missing.
        client: Redis = new_redis_client(
            self._app.config["REDIS_URL"],
            socket_timeout=5.0,
            socket_connect_timeout=1.0,
            retry=Retry(NoBackoff(), 0),
            health_check_interval=0,
            max_connections=1,
        )
        return client


def _concerns(update: LiveUpdate, stream: Stream) -> bool:
    """Whether a change of rights is about this stream."""
    about_user = update.ref in (0, stream.user_id)
    return about_user and (update.topic == EVERYTHING or update.topic in stream.topics)


def live_hub() -> Hub:
    """The current app's hub."""
    extensions = current_app.extensions
    if "live_hub" not in extensions:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        extensions["live_hub"] = Hub(app)
    hub: Hub = extensions["live_hub"]
    return hub
